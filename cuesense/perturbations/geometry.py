"""Geometry: crops, rotations, flips and erased rectangles, with the distributions of torchvision's transforms."""

import math
from functools import lru_cache

import numpy as np
import torch
from kornia.geometry.transform import hflip, vflip
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cuesense.draws import Draws
from cuesense.perturbations.sampling import kept_on, on_device_of, uniform_per_image, with_probability

# torchvision's defaults for RandomResizedCrop and RandomErasing.
_CROP_RATIO = (3 / 4, 4 / 3)
_ERASE_RATIO = (0.3, 3.3)
_TRIES = 10
# Mid-gray is 0 after a normalization with mean 0.5, and within a few percent of it with ImageNet's.
_FILL = 0.5


def random_resized_crop(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Cut a box of an area from U[value, 1] and a log-uniform ratio in [3/4, 4/3], and scale it back.

    Source: torchvision's ``RandomResizedCrop(size, scale=(value, 1))`` (Szegedy et al. 2015), with its ten tries and
    central fallback. The box is cut from the network's input, where training cuts it from the photograph. Since
    crops are only ever enlarged, antialiasing plays no part.
    Harms classes recognized by whole outlines, by context, or by the scale of a texture.
    Implementation: own; kornia's ``crop_by_indices`` agrees to 5e-6, but cuts one image after the other, also on a GPU.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Smallest area as a fraction of the image's, in (0, 1].
        draws: 22 numbers an image.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    height, width = images.shape[-2:]
    # One grid_sample does the whole batch with torchvision's coordinates, those of pixel centers; kornia's
    # crop_and_resize has those of corners.
    boxes = torch.from_numpy(crop_boxes(height, width, value, draws))
    # Computed on the CPU for every device: a GPU divides by multiplying, and would read pixels at other places.
    y = on_device_of(images, _crop_coordinates(boxes[:, 0], boxes[:, 2], height))
    x = on_device_of(images, _crop_coordinates(boxes[:, 1], boxes[:, 3], width))
    grid = torch.stack([x[:, None, :].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], dim=-1)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def crop_boxes(height: int, width: int, value: float, draws: Draws) -> NDArray[np.float32]:
    """Draw torchvision's crop boxes.

    Args:
        height: Image height in pixels.
        width: Image width in pixels.
        value: Smallest area as a fraction of the image's.
        draws: 22 numbers an image: an area and a ratio for each of ten tries, then the position.

    Returns:
        (N, 4): top, left, height, width in whole pixels.
    """
    # In float64, so that the roundings to whole pixels are torchvision's.
    numbers = draws.uniform(2 * _TRIES + 2).astype(np.float64)
    area = height * width * (value + (1 - value) * numbers[:, :_TRIES])
    low, high = np.log(_CROP_RATIO)
    ratio = np.exp(low + (high - low) * numbers[:, _TRIES : 2 * _TRIES])
    box_width, box_height = np.rint(np.sqrt(area * ratio)), np.rint(np.sqrt(area / ratio))
    fits = (box_width > 0) & (box_width <= width) & (box_height > 0) & (box_height <= height)
    # All ten tries are drawn at once: an image then uses the same numbers whichever try fits.
    first, rows = fits.argmax(axis=1), np.arange(len(numbers))
    central_height, central_width = _central_box(height, width)
    chosen_height = np.where(fits.any(axis=1), box_height[rows, first], central_height)
    chosen_width = np.where(fits.any(axis=1), box_width[rows, first], central_width)
    top = np.floor(numbers[:, -2] * (height - chosen_height + 1))
    left = np.floor(numbers[:, -1] * (width - chosen_width + 1))
    top = np.where(fits.any(axis=1), top, (height - central_height) // 2)
    left = np.where(fits.any(axis=1), left, (width - central_width) // 2)
    return np.stack([top, left, chosen_height, chosen_width], axis=1).astype(np.float32)


def random_rotation(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Rotate an image by an angle from U[-value, value] degrees about its center; the corners become black.

    Source: torchvision's ``RandomRotation(value, interpolation=BILINEAR)``.
    Harms classes recognized by an upright outline or an oriented texture.
    Implementation: own; kornia's ``rotate`` agrees to 1e-4 and takes 1.7 to 3.8 x the time.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Largest angle in degrees, 0 to 180.
        draws: One number an image.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    height, width = images.shape[-2:]
    angle = (2 * uniform_per_image(images, draws) - 1) * math.radians(value)
    cos, sin = angle.cos()[:, None], angle.sin()[:, None]
    columns, rows = (kept_on(images.device, _centers, length) for length in (width, height))
    # Coordinates run from -1 to 1 along both sides, so that a rotation of a rectangle needs the sides' ratio. A pixel's
    # is the sum of what its column and what its row contribute.
    grid = images.new_empty(len(images), height, width, 2)
    down, across = rows * (-sin * (height / width)), columns * (sin * (width / height))
    torch.add((columns * cos)[:, None, :], down[:, :, None], out=grid[..., 0])
    torch.add(across[:, None, :], (rows * cos)[:, :, None], out=grid[..., 1])
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def horizontal_flip(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Mirror an image left to right with probability value.

    Source: torchvision's ``RandomHorizontalFlip(p=value)``.
    Harms classes recognized by their handedness, such as letters.
    Implementation: kornia's ``hflip``.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Probability, 0 to 1.
        draws: One number an image.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    return with_probability(hflip, images, value, draws)


def vertical_flip(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Mirror an image top to bottom with probability value.

    Source: torchvision's ``RandomVerticalFlip(p=value)``.
    Harms classes recognized by an upright outline.
    Implementation: kornia's ``vflip``.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Probability, 0 to 1.
        draws: One number an image.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    return with_probability(vflip, images, value, draws)


def random_erasing(images: Tensor, value: float, draws: Draws) -> Tensor:
    """Gray out a rectangle of an area from U[0, value] and a log-uniform ratio in [0.3, 3.3].

    A rectangle that would leave the image is narrowed to it. The fill is mid-gray: what zero is after the usual
    normalization, to within a few percent.
    Source: torchvision's ``RandomErasing(p=1, scale=(0, value))`` (Zhong et al. 2020; DeVries and Taylor 2017).
    Harms classes recognized by one small part.
    Implementation: own; kornia's ``RandomErasing`` gives the same pixels in four to five times the time.

    Args:
        images: (N, 3, H, W) in [0, 1].
        value: Largest area as a fraction of the image's, 0 to 1.
        draws: Four numbers an image.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    height, width = images.shape[-2:]
    numbers = draws.uniform(4).astype(np.float64)
    low, high = np.log(_ERASE_RATIO)
    ratio = np.exp(low + (high - low) * numbers[:, 1])
    area = value * numbers[:, 0] * height * width
    tall = np.minimum(np.rint(np.sqrt(area * ratio)), height)
    wide = np.minimum(np.rint(np.sqrt(area / ratio)), width)
    rows = on_device_of(images, _span(numbers[:, 2], tall, height))[:, None, :, None]
    columns = on_device_of(images, _span(numbers[:, 3], wide, width))[:, None, None, :]
    return torch.lerp(images, images.new_tensor(_FILL), rows * columns)


def _central_box(height: int, width: int) -> tuple[int, int]:
    """Return the height and width of torchvision's fallback crop: the largest central box of an allowed ratio."""
    low, high = _CROP_RATIO
    return min(height, round(width / low)), min(width, round(height * high))


def _crop_coordinates(start: Tensor, length: Tensor, size: int) -> Tensor:
    """Return where each output pixel reads, in grid_sample's units: (N,) and (N,) -> (N, size).

    Reads are clamped to the box, as an interpolation of the box alone would be.
    """
    position = (torch.arange(size) + 0.5) * (length[:, None] / size) - 0.5
    position = torch.minimum(position.clamp_min(0), length[:, None] - 1) + start[:, None]
    return (2 * position + 1) / size - 1


@lru_cache
def _centers(length: int) -> Tensor:
    """Return the centers of the pixels of one side in grid_sample's units, -1 to 1: (length,)."""
    return (2 * torch.arange(length) + 1) / length - 1


def _span(position: NDArray[np.float64], length: NDArray[np.float64], size: int) -> Tensor:
    """Return 1 where a span of this length at this relative position covers a pixel, else 0: (N, size) float32."""
    start = np.floor(position * (size - length + 1))[:, None]
    pixel = np.arange(size)[None, :]
    inside = (pixel >= start) & (pixel < start + length[:, None])
    return torch.from_numpy(inside.astype(np.float32))
