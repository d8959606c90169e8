"""Kinds of image files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.inputs_world import CLASSES, Kind, Place, Right, either, refused, told, works


def _as(
    suffix: str,
    format: str | None = None,
    change: Callable[[Image.Image], Image.Image] = lambda image: image,
    **options: Any,
) -> Callable[[Place], Any]:
    """All images in another format; the truth is what Pillow reads back as RGB."""

    def made(place: Place) -> Any:
        path = place.folders(suffix=suffix, format=format, change=change, **options)
        place.truth = _truth(place, path, suffix)
        return place.on(path)

    return made


def _truth(place: Place, path: Path, suffix: str) -> float:
    files = [sorted((path / name).glob(f"*{suffix}")) for name in CLASSES]
    images = np.stack([np.asarray(Image.open(file).convert("RGB")) for found in files for file in found])
    return place.world.accuracy(images=images)


def _some(change: Callable[[Path], None], lost: int = 0) -> Callable[[Place], Any]:
    """Two images of each of two classes are changed; ``lost`` says how many of each class are not read any more."""

    def made(place: Place) -> Any:
        path = place.folders()
        for name in ("apple", "fig"):
            for number in range(2):
                change(sorted((path / name).glob("*.png"))[number if not lost else 0])
        kept = np.ones(len(place.world.labels), bool)
        for label in (0, 5):
            kept[np.flatnonzero(place.world.labels == label)[:lost]] = False
        place.truth = place.world.accuracy(images=place.world.images[kept], labels=place.world.labels[kept])
        return place.on(path)

    return made


def _heic(path: Path) -> None:
    path.with_suffix(".heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 99)
    path.unlink()


def _raw(path: Path) -> None:
    path.with_suffix(".CR2").write_bytes(b"II*\0\x10\0\0\0CR\2\0" + b"\0" * 99)
    path.unlink()


def _all_heic(place: Place) -> Any:
    path = place.folders()
    for image in list(path.rglob("*.png")):
        _heic(image)
    return place.on(path)


def _copied_as(suffix: str, add: str = "") -> Callable[[Place], Any]:
    """The same PNG files under another suffix."""

    def made(place: Place) -> Any:
        path = place.folders()
        for image in list(path.rglob("*.png")):
            image.rename(image.with_name(image.stem + add + suffix))
        return place.on(path)

    return made


def _large(side: int, *flags: str) -> Callable[[Place], Any]:
    """Images of another size, resized by the tool; torchvision resizes them for the truth."""

    def made(place: Place) -> Any:
        from torchvision.transforms import v2

        images = place.world.drawn(side, "test", 6)[0]
        from benchmarks.inputs_world import write_folders

        write_folders(place.folder / "data", images, place.world.labels)
        resized = np.stack([np.asarray(v2.Resize(32, antialias=True)(Image.fromarray(image))) for image in images])
        place.truth, place.tolerance = place.world.accuracy(images=resized), 1.5 / len(images)
        return place.on("data", *flags)

    return made


def _tall(place: Place) -> Any:
    """Images that are higher than wide: the center crop shows the usual image."""

    def padded(image: Image.Image) -> Image.Image:
        canvas = Image.new("RGB", (32, 64))
        canvas.paste(image, (0, 16))
        return canvas

    return place.on(place.folders(change=padded))


def _text(path: Path) -> None:
    path.write_text("<html>404</html>", encoding="utf-8")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def _alpha(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    image.putalpha(128)
    return image


def _sixteen(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)


def _sixteen_bit(place: Place) -> Any:
    path = place.folders(change=_sixteen)
    gray = np.stack([np.asarray(Image.fromarray(image).convert("L").convert("RGB")) for image in place.world.images])
    place.truth = place.world.accuracy(images=gray)
    return place.on(path)


_READ = r"not (be )?read|unreadable|cannot read|skipped|left out"
_KINDS: tuple[tuple[str, Right, Callable[[Place], Any], str], ...] = (
    ("JPEG", works(), _as(".jpg", quality=95), ""),
    (".JPEG in capitals", works(), _as(".JPEG", "JPEG", quality=95), ""),
    (".PNG in capitals", works(), _copied_as(".PNG"), ""),
    ("mixed capitals .Jpg", works(), _as(".Jpg", "JPEG", quality=95), ""),
    ("WebP", works(), _as(".webp", lossless=True), ""),
    ("BMP", works(), _as(".bmp"), ""),
    ("TIFF", works(), _as(".tif"), ""),
    ("TIFF with LZW", works(), _as(".tiff", compression="tiff_lzw"), ""),
    ("PPM", works(), _as(".ppm"), ""),
    ("AVIF", works(), _as(".avif", quality=95), "Pillow reads it"),
    ("JPEG 2000", works(), _as(".jp2"), ""),
    ("GIF", works(), _as(".gif"), ""),
    ("palette PNG", works(), _as(".png", change=lambda image: image.quantize(64)), ""),
    ("PNG with alpha", works(), _as(".png", change=_alpha), "alpha is dropped"),
    ("gray PNG", works(), _as(".png", change=lambda image: image.convert("L")), ""),
    ("CMYK JPEG", works(), _as(".jpg", "JPEG", lambda image: image.convert("CMYK"), quality=95), ""),
    ("progressive JPEG", works(), _as(".jpg", progressive=True, quality=95), ""),
    ("16-bit gray PNG", either("16.bit|scal|high bytes"), _sixteen_bit, "scaled to 8 bit, not cut at 255"),
    ("PNG named .jpg", works(), _copied_as(".jpg"), "the content decides"),
    ("PNG without suffix", either("suffix"), _copied_as(""), ""),
    ("PNG named .img", either(r"\.img"), _copied_as(".img"), ""),
    ("two dots in the name", works(), _copied_as(".png", ".jpg.rf.0a1b2c"), "Roboflow writes such names"),
    ("HEIC, some", told("heic", "4 "), _some(_heic, 2), "12 were skipped without a word"),
    ("HEIC, all", refused("heic", "pillow-heif"), _all_heic, ""),
    ("camera raw, some", told("cr2"), _some(_raw, 2), ""),
    ("corrupt, some", told(_READ), _some(_cut, 1), ""),
    ("a web page as image, some", told(_READ), _some(_text, 1), ""),
    ("empty files, some", told(_READ), _some(lambda path: path.write_bytes(b""), 1), ""),
    ("all corrupt", refused("read|damaged|decode"), lambda p: ([_cut(f) for f in p.folders().rglob("*.png")], p.on("data"))[1], ""),
    ("SVG, all", refused("svg"), lambda p: ([f.rename(f.with_suffix(".svg")) for f in list(p.folders().rglob("*.png"))], p.on("data"))[1], ""),
    ("npy arrays as images", refused("npy"), lambda p: ([f.rename(f.with_suffix(".npy")) for f in list(p.folders().rglob("*.png"))], p.on("data"))[1], ""),
    ("video, all", refused("mp4"), lambda p: ([f.rename(f.with_suffix(".mp4")) for f in list(p.folders().rglob("*.png"))], p.on("data"))[1], ""),
    ("DICOM, all", refused("dcm"), lambda p: ([f.rename(f.with_suffix(".dcm")) for f in list(p.folders().rglob("*.png"))], p.on("data"))[1], ""),
    ("64 px images, 32 px network, with flags", works(), _large(64), ""),
    ("200 px images, 32 px network, with flags", works(), _large(200), ""),
    ("higher than wide", works(), _tall, ""),
    ("duplicates of images", works(), lambda p: ([shutil.copy(f, f.with_name("copy_" + f.name)) for f in list(p.folders().rglob("*.png"))], p.on("data"))[1], "the accuracy is the same"),
)  # fmt: skip


KINDS = [Kind("layouts", f"images: {name}", right, make, why) for name, right, make, why in _KINDS]
