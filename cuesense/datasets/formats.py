"""From an image file to its pixels: which kinds of files are read, and limits that hold before anything is decoded."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import IO, Any

from PIL import Image, features
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from cuesense.datasets.images import to_rgb
from cuesense.datasets.value_range import remember_high_bytes
from cuesense.errors import UnreadableImageError

# Pillow's own limit against decompression bombs (Image.MAX_IMAGE_PIXELS), which the readers below would bypass. At this
# size PNG and WebP took up to 1.3 GB and 7 s on a busy core.
_MAX_PIXELS = 89_478_485
# JPEG 2000 keeps 32-bit integers and transforms all of them: 36 million black pixels, a file of 568 bytes, took 663 MB
# and 6.5 s on a busy core.
_MAX_PIXELS_JPEG_2000 = 36_000_000
# Larger images than nearly all cameras take are decoded one at a time, so that workers do not add up their memory.
# Chosen by hand.
_LARGE = 30_000_000
_one_large = Lock()
# Each scan of a progressive JPEG passes over all pixels, and a few bytes make a scan. Usual files have some 10 scans;
# 89 million pixels in 20 scans are still allowed. Chosen by hand.
_MAX_SCANNED = 20 * _MAX_PIXELS
_SCAN = b"\xff\xda"

Reader = Callable[[IO[bytes]], ImageFile]

_JPEG_2000 = (b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  \r\n\x87\n")
# Not Image.open, which registers its plug-ins on first use, and threads may do that at the same time.
_READERS: tuple[tuple[bytes, Reader], ...] = (
    (b"\xff\xd8\xff", JpegImageFile),
    (b"\x89PNG\r\n\x1a\n", PngImageFile),
    (b"GIF8", GifImageFile),
    (b"BM", BmpImageFile),
    (b"II", TiffImageFile),
    (b"MM", TiffImageFile),
    (b"RIFF", WebPImageFile),
    *((b"P%d" % number, PpmImageFile) for number in range(1, 7)),
)
# AVIF and HEIC are boxes of the ISO base media format: the first one lists the brands that the file is of.
_AVIF_BRANDS = (b"avif", b"avis")
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1")
_HEAD = 64
_ALL = "JPEG, PNG, GIF, BMP, TIFF, WEBP, PPM, AVIF, JPEG 2000 or HEIC"

AVIF_SUFFIXES = frozenset((".avif", ".avifs"))
JPEG_2000_SUFFIXES = frozenset((".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"))
HEIC_SUFFIXES = frozenset((".heic", ".heics", ".heif", ".heifs", ".hif"))
_ALWAYS = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".pnm")
)
# What is to be read is filled in: a format or some files.
NEED_HEIC = "install pillow-heif to read {} (pip install 'cuesense[heif]')"
NEED_AVIF = "install a newer Pillow to read {} (pip install -U pillow)"
NEED_JPEG_2000 = "install a Pillow with OpenJPEG to read {}"


@cache
def readable_suffixes() -> frozenset[str]:
    """Return the suffixes, in lower case, of the image files that can be read here.

    AVIF and JPEG 2000 depend on how Pillow was built, HEIC on the package pillow-heif.
    """
    avif = AVIF_SUFFIXES if _avif() else frozenset()
    jpeg_2000 = JPEG_2000_SUFFIXES if features.check_codec("jpg_2000") else frozenset()
    heic = HEIC_SUFFIXES if find_spec("pillow_heif") else frozenset()
    return _ALWAYS | avif | jpeg_2000 | heic


def needed_for(suffix: str) -> str | None:
    """Return what would have to be installed to read files of a suffix, or None where nothing is known.

    The text has ``{}`` where it should say what is to be read.
    """
    kinds = ((AVIF_SUFFIXES, NEED_AVIF), (JPEG_2000_SUFFIXES, NEED_JPEG_2000), (HEIC_SUFFIXES, NEED_HEIC))
    return None if suffix in readable_suffixes() else next((need for kind, need in kinds if suffix in kind), None)


def is_image_content(content: object) -> bool:
    """Return whether bytes begin like an image file, and are no text, which may begin like one as well."""
    if not isinstance(content, bytes):
        return False
    head = content[:_HEAD]
    begins = head.startswith(_JPEG_2000) or head[4:8] == b"ftyp" or any(head.startswith(magic) for magic, _ in _READERS)
    return begins and any(byte < 9 or byte > 126 for byte in head)


def decode(path: Path) -> Image.Image:
    """Decode a JPEG, PNG, GIF, BMP, TIFF, WEBP, PPM, AVIF, JPEG 2000 or HEIC file, whatever its suffix.

    Of several frames the first one is taken. Alpha is dropped and the EXIF orientation ignored, as in torchvision's
    loader. AVIF and JPEG 2000 need a Pillow that reads them, HEIC the package pillow-heif. Safe in several threads.

    Args:
        path: The file.

    Returns:
        The image in mode RGB, at most 89,478,485 pixels (Pillow's own limit), in JPEG 2000 at most 36,000,000.

    Raises:
        UnreadableImageError: The file is missing, empty, no image, damaged or too large.
    """

    def opened() -> IO[bytes]:
        if path.is_fifo():
            raise UnreadableImageError("it is a pipe")
        return path.open("rb")

    return _decode(opened, str(path))


def decode_bytes(content: bytes, name: str) -> Image.Image:
    """Decode the content of an image file that lies inside another file; limits and errors as for ``decode``.

    Args:
        content: What an image file would hold.
        name: What an error calls the image.

    Returns:
        The image in mode RGB.

    Raises:
        UnreadableImageError: It is empty, no image, damaged or too large.
    """
    return _decode(lambda: BytesIO(content), name)


def _decode(opened: Callable[[], IO[bytes]], name: str) -> Image.Image:
    what = f"the image '{name}'"
    try:
        with opened() as file:
            return _read(file)
    except OSError as error:
        reason = error.strerror or "it is damaged"
        raise UnreadableImageError(reason[0].lower() + reason[1:], what) from error
    except UnreadableImageError as error:
        raise UnreadableImageError(error.reason, what) from error
    except Exception as error:  # a damaged file makes Pillow's readers raise almost anything
        raise UnreadableImageError("it is damaged", what) from error


def _read(file: IO[bytes]) -> Image.Image:
    head = file.read(_HEAD)
    file.seek(0)
    if not head:
        raise UnreadableImageError("the file is empty")
    reader = _reader(head)
    if reader is WebPImageFile:
        # Its reader makes room for the whole canvas as soon as it opens the file.
        _refuse_large(*_webp_size(head), _MAX_PIXELS)
    image = reader(file)
    limit = _MAX_PIXELS_JPEG_2000 if isinstance(image, Jpeg2KImageFile) else _MAX_PIXELS
    _refuse_large(image.width, image.height, limit)
    _refuse_scans(image, file)
    high_bytes = ";16" in repr(image.tile) and not image.mode.startswith("I")
    with _alone(image):
        rgb = to_rgb(image)
    return remember_high_bytes(rgb) if high_bytes else rgb


def _alone(image: ImageFile) -> AbstractContextManager[Any]:
    return _one_large if image.width * image.height > _LARGE else nullcontext()


def _reader(head: bytes) -> Reader:
    if head.startswith(_JPEG_2000):
        return _available(
            Jpeg2KImageFile if features.check_codec("jpg_2000") else None, NEED_JPEG_2000.format("JPEG 2000")
        )
    if head[4:8] == b"ftyp":
        return _in_boxes(head)
    reader = next((reader for magic, reader in _READERS if head.startswith(magic)), None)
    if reader is None:
        raise UnreadableImageError(f"it is no {_ALL} file")
    return reader


def _in_boxes(head: bytes) -> Reader:
    # The brands stand in the first box, whose length is its first number; after the first one comes a version.
    end = min(_HEAD, int.from_bytes(head[:4]))
    brands = [head[8:12], *(head[start : start + 4] for start in range(16, end, 4))]
    if any(brand in _AVIF_BRANDS for brand in brands):
        return _available(_avif(), NEED_AVIF.format("AVIF"))
    if any(brand in _HEIC_BRANDS for brand in brands):
        return _available(_heic(), NEED_HEIC.format("HEIC"))
    raise UnreadableImageError(f"it is no {_ALL} file")


def _available(reader: Reader | None, need: str) -> Reader:
    if reader is None:
        raise UnreadableImageError(need)
    return reader


@cache
def _avif() -> Reader | None:
    try:
        plugin = import_module("PIL.AvifImagePlugin")
    except ImportError:  # Pillow before 11.3
        return None
    reader: Reader = plugin.AvifImageFile
    return reader if plugin.SUPPORTED else None


@cache
def _heic() -> Reader | None:
    try:
        reader: Reader = import_module("pillow_heif").HeifImageFile
    except ImportError:
        return None
    return reader


def _refuse_large(width: int, height: int, limit: int) -> None:
    if width * height > limit:
        raise UnreadableImageError(f"it is too large ({width} x {height} pixels)")


def _webp_size(head: bytes) -> tuple[int, int]:
    """Return width and height as the head of a WebP file announces them, (0, 0) where it is none."""
    kind, start = head[12:16], head[20:30].ljust(10, b"\0")
    if kind == b"VP8X":
        return 1 + int.from_bytes(start[4:7], "little"), 1 + int.from_bytes(start[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(start[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", start[6:10])
    return (width & 0x3FFF, height & 0x3FFF) if kind == b"VP8 " else (0, 0)


def _refuse_scans(image: ImageFile, file: IO[bytes]) -> None:
    """Refuse a progressive JPEG whose scans would take minutes."""
    if not image.info.get("progressive"):
        return
    where = file.tell()
    file.seek(0)
    # No other marker can be taken for it: in the pixels' data FF is followed by 00.
    scans = file.read().count(_SCAN)
    file.seek(where)
    if scans * image.width * image.height > _MAX_SCANNED:
        raise UnreadableImageError(f"it is too large ({image.width} x {image.height} pixels in {scans} scans)")
