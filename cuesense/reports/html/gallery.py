"""Example images for the page: what every perturbation looks like at every severity."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Tiles of 96 pixels show no artifacts at this quality (chosen by eye). Noise, the worst case, takes less than 8 kB a
# tile; a page has up to 3 galleries of about 100.
_QUALITY = 80


@dataclass(frozen=True)
class Tile:
    """One image under one condition.

    Attributes:
        perturbation: The perturbation's name, None for the clean image.
        role: Why it is applied, a ``types.Role``; not used for the clean image.
        parameter: Name of the parameter that the severity sets.
        unit: The parameter's unit.
        severity: Rung of the ladder, 0 for the clean image.
        value: The parameter's value at this severity.
        image: The encoded image, JPEG or PNG.
    """

    perturbation: str | None
    role: str
    parameter: str
    unit: str
    severity: int
    value: float
    image: bytes


@dataclass(frozen=True)
class Gallery:
    """One example image of a class under every condition.

    Attributes:
        class_name: The class.
        sample_id: The image's stable name in the dataset.
        tiles: The image under each condition, in any order.
    """

    class_name: str
    sample_id: str
    tiles: tuple[Tile, ...]


def encode(array: NDArray[np.uint8], side: int = 96) -> bytes:
    """Return an image as a small JPEG.

    Args:
        array: RGB pixels, shape (H, W, 3), uint8.
        side: The longer side is at most this many pixels afterwards; images are never enlarged.

    Returns:
        The JPEG file's bytes, equal for equal pixels.
    """
    image = Image.fromarray(array)
    # Pillow's default gap first averages boxes of pixels, which is faster but less exact; no time is lost here.
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=None)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
