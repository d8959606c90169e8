"""From a file to the pixels of a network's input, bit-equal to torchvision on PIL images."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from cuesense.errors import UnreadableImageError
from cuesense.types import Preprocessing

# Pillow's own limit against decompression bombs (Image.MAX_IMAGE_PIXELS), which the readers below would bypass.
_MAX_PIXELS = 89_478_485
# A resized image of more than 16 times the crop's pixels is computed only where the crop sees it: a 50,000 x 10 strip
# would become more than a million pixels wide. Below that, resizing all is bit-equal to torchvision. Chosen by hand.
_MAX_RESIZED = 16
# Not Image.open, which registers its plug-ins on first use, and threads may do that at the same time.
_READERS: tuple[tuple[bytes, type[ImageFile]], ...] = (
    (b"\xff\xd8\xff", JpegImageFile),
    (b"\x89PNG\r\n\x1a\n", PngImageFile),
    (b"GIF8", GifImageFile),
    (b"BM", BmpImageFile),
    (b"II", TiffImageFile),
    (b"MM", TiffImageFile),
    (b"RIFF", WebPImageFile),
    (b"P1", PpmImageFile),
    (b"P2", PpmImageFile),
    (b"P3", PpmImageFile),
    (b"P4", PpmImageFile),
    (b"P5", PpmImageFile),
    (b"P6", PpmImageFile),
)


def decode(path: Path) -> Image.Image:
    """Decode a JPEG, PNG, GIF (its first frame), BMP, TIFF, WEBP or PPM file, whatever its suffix.

    Alpha is dropped and the EXIF orientation ignored, as in torchvision's loader. Safe in several threads.

    Args:
        path: The file.

    Returns:
        The image in mode RGB, at most 89 478 485 pixels (Pillow's own limit).

    Raises:
        UnreadableImageError: The file is missing, empty, no image, damaged or too large.
    """
    try:
        if path.is_fifo():
            raise UnreadableImageError("it is a pipe")
        with path.open("rb") as file:
            return _read(file)
    except OSError as error:
        reason = error.strerror or "it is damaged"
        raise UnreadableImageError(reason[0].lower() + reason[1:], f"the image '{path}'") from error
    except UnreadableImageError as error:
        raise UnreadableImageError(error.reason, f"the image '{path}'") from error
    except Exception as error:  # a damaged file makes Pillow's readers raise almost anything
        raise UnreadableImageError("it is damaged", f"the image '{path}'") from error


def _read(file: IO[bytes]) -> Image.Image:
    head = file.read(8)
    file.seek(0)
    if not head:
        raise UnreadableImageError("the file is empty")
    reader = next((reader for magic, reader in _READERS if head.startswith(magic)), None)
    if reader is None:
        raise UnreadableImageError("it is no JPEG, PNG, GIF, BMP, TIFF, WEBP or PPM file")
    image = reader(file)
    if image.width * image.height > _MAX_PIXELS:
        raise UnreadableImageError(f"it is too large ({image.width} x {image.height} pixels)")
    return to_rgb(image)


def to_rgb(image: Image.Image) -> Image.Image:
    """Return an image in mode RGB; alpha is dropped.

    16-bit gray is divided by 257. 32-bit integers count to 255 or 65535 and floats to 1, 255 or 65535, whichever is
    the first to hold all of the image's values; other values are stretched from their lowest to their highest.

    Args:
        image: An image of any mode.

    Returns:
        The image itself where it is RGB, else a new one.

    Raises:
        UnreadableImageError: There is no way from its mode to RGB, or its values are not finite.
    """
    if image.mode.startswith(("I", "F")):
        return _gray(np.asarray(image), image.mode).convert("RGB")
    if image.mode == "RGB":
        image.load()
        return image
    # Without the palette's transparency entry Pillow converts without blending, as torchvision's loader does.
    opaque = image.copy()
    opaque.info.pop("transparency", None)
    try:
        return opaque.convert("RGB")
    except ValueError as error:
        raise UnreadableImageError(f"its color mode {image.mode} cannot be shown as RGB") from error


def _gray(values: NDArray[np.generic], mode: str) -> Image.Image:
    """Return gray values of more than 8 bits as an 8-bit image."""
    # In float64: float32 would round 32-bit integers.
    levels = values.astype(np.float64)
    low, high = float(levels.min()), float(levels.max())
    if not np.isfinite([low, high]).all():
        raise UnreadableImageError("its values are not finite")
    tops = {"I": (255, 65535), "F": (1, 255, 65535)}.get(mode, (65535,))
    bottom, top = next(((0.0, float(top)) for top in tops if low >= 0 and high <= top), (low, high))
    scale = 255 / (top - bottom) if top > bottom else 0.0
    return Image.fromarray(np.rint((levels - bottom) * scale).astype(np.uint8))


def resize_and_crop(image: Image.Image | NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Return the pixels a network sees, before normalization.

    The shorter side is resized to preprocessing.resize and the center cropped to preprocessing.image_size, padded
    with black where the image is smaller; bit-equal to torchvision's Resize and CenterCrop on PIL images. A very
    long image, whose resized form would have more than 16 times the crop's pixels, is resized only where it is seen.

    Args:
        image: A PIL image of any mode, or an array of shape (H, W, 3) and dtype uint8.
        preprocessing: Sizes and interpolation; without image_size the size stays, without resize the image is
            resized straight to image_size.

    Returns:
        Array of shape (3, H, W), RGB, dtype uint8.

    Raises:
        UnreadableImageError: The image cannot be shown as RGB.
    """
    rgb = to_rgb(Image.fromarray(image) if isinstance(image, np.ndarray) else image)
    return np.ascontiguousarray(np.asarray(_fit(rgb, preprocessing)).transpose(2, 0, 1))


def _fit(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    if preprocessing.image_size is None:
        return image
    height, width = preprocessing.image_size
    resample = Image.Resampling[preprocessing.interpolation.upper()]
    if preprocessing.resize is None:
        return image.resize((width, height), resample)
    size = _resized(image.size, preprocessing.resize)
    left, top = _margin(size[0], width), _margin(size[1], height)
    window = (left, top, left + width, top + height)
    if size[0] * size[1] <= _MAX_RESIZED * width * height:
        return image.resize(size, resample).crop(window)
    return _seen(image, size, window, resample)


def _resized(size: tuple[int, int], shorter: int) -> tuple[int, int]:
    width, height = size
    if width <= height:
        return shorter, int(shorter * height / width)
    return int(shorter * width / height), shorter


def _margin(length: int, crop: int) -> int:
    """Return where a centered crop starts; negative, and rounded towards zero as torchvision pads, if it is longer."""
    # Python's round, to even, is what torchvision's center_crop uses.
    return round((length - crop) / 2) if length >= crop else -((crop - length) // 2)


def _seen(
    image: Image.Image, size: tuple[int, int], window: tuple[int, int, int, int], resample: Image.Resampling
) -> Image.Image:
    """Return the window of the resized image, and compute no other part of it."""
    (width, height), (left, top, right, bottom) = size, window
    seen = (max(left, 0), max(top, 0), min(right, width), min(bottom, height))
    across, down = image.width / width, image.height / height
    box = (seen[0] * across, seen[1] * down, seen[2] * across, seen[3] * down)
    part = image.resize((seen[2] - seen[0], seen[3] - seen[1]), resample, box=box)
    return part.crop((left - seen[0], top - seen[1], right - seen[0], bottom - seen[1]))
