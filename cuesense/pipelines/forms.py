"""The forms in which training transforms take and give an image: PIL image, tensor, batch or array."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

Form = Callable[[Tensor], Any]
"""From pixels (3, H, W), float32 in [0, 1], to what a transform takes."""


def pil(pixels: Tensor) -> Image.Image:
    """Return pixels as a PIL image."""
    return Image.fromarray(array(pixels))


def array(pixels: Tensor) -> np.ndarray:
    """Return pixels as an array (H, W, 3) of bytes."""
    found: np.ndarray = _bytes(pixels).permute(1, 2, 0).contiguous().numpy()
    return found


def floats(pixels: Tensor) -> Tensor:
    """Return pixels as a tensor (3, H, W) of its own, which a transform may change in place."""
    return pixels.clone()


def batch(pixels: Tensor) -> Tensor:
    """Return pixels as a batch (1, 3, H, W)."""
    return pixels[None].clone()


def whole_numbers(pixels: Tensor) -> Tensor:
    """Return pixels as a tensor (3, H, W) of bytes."""
    return _bytes(pixels)


# In the order in which they are tried. Floats stand before bytes: of a plain function such as ``x * 0.5`` both work,
# and only the first means a factor of brightness.
FORMS: Mapping[str, Form] = {
    "PIL images": pil,
    "tensors (3, H, W) in [0, 1]": floats,
    "batches (1, 3, H, W) in [0, 1]": batch,
    "tensors (3, H, W) of bytes": whole_numbers,
    "arrays (H, W, 3) of bytes": array,
}


def to_pixels(found: Any) -> Tensor:
    """Return what a transform gave as a tensor (3, H, W), float32; bytes become [0, 1], other numbers stay.

    Args:
        found: A PIL image, a tensor or an array of one image, or a dict with one under ``"image"``, or a tuple that
            begins with one. A single channel is repeated.

    Raises:
        ValueError: It is none of these.
    """
    found = _image_in(found)
    if isinstance(found, Image.Image):
        found = np.asarray(found.convert("RGB"))
    if isinstance(found, np.ndarray):
        # A copy, because arrays of PIL images cannot be written to.
        found = torch.from_numpy(np.array(found))
        # Arrays of images have their channels last, those for a network (timm's ToNumpy) first.
        found = found.permute(2, 0, 1) if found.ndim == 3 and found.shape[0] not in (1, 3) else found
    if not isinstance(found, Tensor):
        raise ValueError(f"an object of type {type(found).__name__}")
    pixels = found.detach().as_subclass(Tensor)
    pixels = pixels[0] if pixels.ndim == 4 and len(pixels) == 1 else pixels
    pixels = pixels[None] if pixels.ndim == 2 else pixels
    if pixels.ndim != 3 or pixels.shape[0] not in (1, 3):
        raise ValueError(f"a result of shape {tuple(found.shape)}")
    scaled = pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels.float()
    return scaled.expand(3, -1, -1).contiguous()


def resized(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Return pixels (3, H, W) at another size, bilinear and antialiased; those that have it stay as they are."""
    if tuple(pixels.shape[1:]) == size:
        return pixels
    return functional.interpolate(pixels[None], size, mode="bilinear", antialias=True)[0]


def _image_in(found: Any) -> Any:
    if isinstance(found, Mapping) and "image" in found:
        return found["image"]
    return found[0] if isinstance(found, (tuple, list)) and found else found


def _bytes(pixels: Tensor) -> Tensor:
    return pixels.mul(255).round().clamp(0, 255).byte()
