"""From an image to the pixels of a network's input, bit-equal to torchvision on PIL images, or on tensors if asked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cuesense.datasets.value_range import ValueRange, eight_bits, value_range
from cuesense.errors import UnreadableImageError, first_line
from cuesense.types import Preprocessing

# A resized image of more than 16 times the crop's pixels is computed only where the crop sees it: a 50,000 x 10 strip
# would become more than a million pixels wide. Below that, resizing all is bit-equal to torchvision. Chosen by hand.
_MAX_RESIZED = 16
# Pillow's filters by torchvision's names for tensors, and since when it resizes them by Lanczos' filter.
_OF_TENSORS = {"nearest": "nearest-exact", "bilinear": "bilinear", "bicubic": "bicubic", "lanczos": "lanczos"}
_LANCZOS_SINCE = (0, 27)


def to_rgb(image: Image.Image) -> Image.Image:
    """Return an image in mode RGB; alpha is dropped.

    Values of more than 8 bits are scaled as ``value_range.eight_bits`` says.

    Args:
        image: An image of any mode.

    Returns:
        The image itself where it is RGB, else a new one.

    Raises:
        UnreadableImageError: There is no way from its mode to RGB, or its values are not finite.
    """
    if image.mode.startswith(("I", "F")):
        return eight_bits(image)
    image.load()
    if image.mode == "RGB":
        return image
    # Without the palette's transparency entry Pillow converts without blending, as torchvision's loader does.
    opaque = image.copy() if "transparency" in image.info else image
    opaque.info.pop("transparency", None)
    try:
        return opaque.convert("RGB")
    except ValueError as error:
        raise UnreadableImageError(f"its color mode {image.mode} cannot be shown as RGB") from error


@dataclass(frozen=True)
class Prepared:
    """An image as a network sees it, before normalization.

    Attributes:
        pixels: (3, H, W), RGB, uint8.
        digest: Hash of the pixels: equal for copies of an image.
        key: Hash of the image before it was resized, which random draws depend on: the same image gives the same crop
            whatever it is called, wherever it is read from and whatever size a network takes it at.
        values: What its values were before they became 8 bits.
    """

    pixels: NDArray[np.uint8]
    digest: int
    key: str
    values: ValueRange


def prepare(image: Image.Image | NDArray[np.uint8], preprocessing: Preprocessing) -> Prepared:
    """Return the pixels that a network sees, with what tells copies and images of more than 8 bits.

    Args:
        image: A PIL image of any mode, or an array of shape (H, W, 3) and dtype uint8.
        preprocessing: Sizes and interpolation, as for resize_and_crop.

    Returns:
        The prepared image.

    Raises:
        UnreadableImageError: The image cannot be decoded, resized or shown as RGB.
    """
    rgb, pixels = _decoded(image, preprocessing)
    return Prepared(pixels, pixel_digest(pixels), f"{pixel_digest(np.asarray(rgb)):016x}", value_range(rgb))


def pixel_digest(pixels: NDArray[np.uint8]) -> int:
    """Return a 64-bit hash of an image's pixels and shape."""
    # SHA-256 because processors have instructions for it: 450 MB/s where blake2b had 190 MB/s (hashlib, one busy core).
    found = hashlib.sha256(repr(pixels.shape).encode())
    found.update(np.ascontiguousarray(pixels).data)
    return int.from_bytes(found.digest()[:8])


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
        UnreadableImageError: The image cannot be decoded, resized or shown as RGB.
    """
    return _decoded(image, preprocessing)[1]


def _decoded(
    image: Image.Image | NDArray[np.uint8], preprocessing: Preprocessing
) -> tuple[Image.Image, NDArray[np.uint8]]:
    """Return an image as RGB before it was resized, and the pixels that a network sees, (3, H, W)."""
    try:
        rgb = to_rgb(Image.fromarray(image) if isinstance(image, np.ndarray) else image)
        return rgb, np.ascontiguousarray(np.asarray(_fit(rgb, preprocessing)).transpose(2, 0, 1))
    except UnreadableImageError:
        raise
    except Exception as error:  # an image that a user's dataset opened is decoded here, and may be damaged in any way
        raise UnreadableImageError(f"it cannot be decoded ({first_line(error)})") from error


def _fit(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    if preprocessing.image_size is None:
        return image
    height, width = preprocessing.image_size
    if preprocessing.resize is None:
        return _resize(image, (width, height), preprocessing)
    size = _resized(image.size, preprocessing.resize)
    left, top = (_margin(*lengths, preprocessing.crop) for lengths in zip(size, (width, height), strict=True))
    window = (left, top, left + width, top + height)
    if size[0] * size[1] <= _MAX_RESIZED * width * height:
        return _resize(image, size, preprocessing).crop(window)
    return _seen(image, size, window, Image.Resampling[preprocessing.interpolation.upper()])


def _resize(image: Image.Image, size: tuple[int, int], preprocessing: Preprocessing) -> Image.Image:
    """Return the image at a width and height, resized by Pillow or as torchvision resizes tensors."""
    name = preprocessing.interpolation
    if preprocessing.resizer != "torchvision" or name not in _OF_TENSORS or (name == "lanczos" and _is_old()):
        return image.resize(size, Image.Resampling[name.upper()])
    # Only networks that want it pay for its import.
    from torchvision.transforms.v2 import InterpolationMode, functional

    pixels, mode = functional.pil_to_tensor(image), InterpolationMode(_OF_TENSORS[name])
    resized = functional.resize(pixels, [size[1], size[0]], mode, antialias=True)
    return Image.fromarray(resized.permute(1, 2, 0).contiguous().numpy())


@cache
def _is_old() -> bool:
    """Return whether this torchvision resizes no tensors by Lanczos' filter."""
    return tuple(map(int, version("torchvision").split(".")[:2])) < _LANCZOS_SINCE


def _resized(size: tuple[int, int], shorter: int) -> tuple[int, int]:
    width, height = size
    if width <= height:
        return shorter, int(shorter * height / width)
    return int(shorter * width / height), shorter


def _margin(length: int, crop: int, rounding: str) -> int:
    """Return where a centered crop starts; negative, and rounded towards zero as torchvision pads, if it is longer."""
    if rounding == "down" and length >= crop:
        return (length - crop) // 2
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
