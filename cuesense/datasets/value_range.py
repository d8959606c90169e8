"""Images of more than 8 bits a channel: how they become 8 bits, what was assumed for that, and whether they look black.

What an image's values were is remembered in the ``info`` of the 8-bit image.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cuesense.arrays import Floats
from cuesense.errors import UnreadableImageError

_KEY = "cuesense_value_range"
_WHITE_16_BIT = 65535
# Rows are converted a block of about a million values at a time: float64 of the largest images would take gigabytes.
_BLOCK = 2**20
# A set of images none of which reaches a quarter of white is of 10, 12 or 14 bits in 16, or very dark. Photographs with
# a full range reach nearly all of it: no false alarm is known. Chosen by hand; not tuned.
_DARK = 0.25


class ValueRange(NamedTuple):
    """Values of an image of more than 8 bits a channel.

    Attributes:
        largest: The largest one; for 16-bit color, which is read as 8 bits, the largest that it can have been.
        white: The value that was taken for white; NaN where values were stretched from the lowest to the highest.
    """

    largest: float
    white: float


# What an image of 8 bits a channel has in the place of a range.
EIGHT_BITS = ValueRange(float("nan"), float("nan"))


def value_range(image: Image.Image) -> ValueRange:
    """Return the values that an image had before it became 8 bits; EIGHT_BITS where it always was."""
    found: ValueRange = image.info.get(_KEY, EIGHT_BITS)
    return found


def remember_high_bytes(image: Image.Image) -> Image.Image:
    """Note in an RGB image that it holds the upper bytes of 16-bit values, which is how Pillow reads them.

    Args:
        image: The image, changed in place.

    Returns:
        The same image.
    """
    highest = max(high for _, high in image.getextrema())  # type: ignore[misc]
    image.info[_KEY] = ValueRange(256.0 * float(highest) + 255, _WHITE_16_BIT)
    return image


def eight_bits(image: Image.Image) -> Image.Image:
    """Return an image of one channel with more than 8 bits as RGB.

    16-bit gray is divided by 257. 32-bit integers count to 255 or 65535 and floats to 1, 255 or 65535, whichever is
    the first to hold all of the image's values; other values are stretched from their lowest to their highest.

    Args:
        image: An image of mode I;16 (any byte order), I or F.

    Returns:
        The image in mode RGB, which remembers its value_range.

    Raises:
        UnreadableImageError: Its values are not finite.
    """
    values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise UnreadableImageError("its values are not finite")
    whites = {"I": (255, 65535), "F": (1, 255, 65535)}.get(image.mode, (_WHITE_16_BIT,))
    white = next((float(white) for white in whites if low >= 0 and high <= white), None)
    bottom, top = (low, high) if white is None else (0.0, white)
    found = Image.fromarray(_scaled(values, bottom, top)).convert("RGB")
    found.info[_KEY] = ValueRange(high, float("nan") if white is None else white)
    return found


def _scaled(values: NDArray[np.generic], bottom: float, top: float) -> NDArray[np.uint8]:
    scale = 255 / (top - bottom) if top > bottom else 0.0
    found = np.empty(values.shape, np.uint8)
    rows = max(1, _BLOCK // max(1, values.shape[1]))
    for start in range(0, len(values), rows):
        # In float64: float32 would round 32-bit integers.
        block = values[start : start + rows].astype(np.float64)
        found[start : start + rows] = np.rint((block - bottom) * scale).astype(np.uint8)
    return found


def range_remarks(largest: Floats, white: Floats) -> tuple[str, ...]:
    """Return what was assumed of images of more than 8 bits a channel, where that may be wrong.

    Args:
        largest: Largest value of each of N images, (N,), NaN for those of 8 bits.
        white: The value that was taken for white, (N,), NaN where values were stretched.

    Returns:
        Sentences, none where all images are of 8 bits or 16-bit images use more than a quarter of their range.
    """
    deep = ~np.isnan(largest)
    whites = [float(value) for value in np.unique(white[deep & ~np.isnan(white)])]
    found = [sentence for value in whites for sentence in _dark(largest[deep & (white == value)], value)]
    stretched = int((deep & np.isnan(white)).sum())
    return (*found, *_mixed(whites, [int((white == value).sum()) for value in whites], stretched))


def _dark(largest: Floats, white: float) -> list[str]:
    highest, images = float(largest.max()), len(largest)
    if highest >= _DARK * white:
        return []
    what = "1 image holds" if images == 1 else f"{images} images hold"
    return [
        f"{what} more than 8 bits a channel, with values up to {highest:g}, and {white:g} was taken for white: the "
        f"brightest pixel is at {highest / white:.1%} of white, so that the network sees nearly black images. Save "
        "them with 8 bits, scaled to their true range."
    ]


def _mixed(whites: Sequence[float], counts: Sequence[int], stretched: int) -> list[str]:
    """Return a remark where images were scaled differently, each by its own values."""
    parts = [f"{count} with {white:g} for white" for white, count in zip(whites, counts, strict=True)]
    if stretched:
        parts.append(f"{stretched} stretched from the lowest to the highest value of each")
    if len(parts) < 2 and not stretched:
        return []
    return [
        f"Images of more than 8 bits a channel were scaled by the values of each: {', '.join(parts)}. Save them with 8 "
        "bits where that is not their true range."
    ]
