"""Apply a row of the table of kornia's augmentations: one image at a time, with a seed of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from kornia import augmentation
from torch import Tensor
from torch.nn import functional

from cuesense.draws import Draws
from cuesense.perturbations.kornia_table import Row, Sides
from cuesense.perturbations.wrapped import Sometimes, each_image

# Several of kornia's kernels, grids and drops do not fit into smaller images: these are continued by their last pixels
# and cut back. Chosen by hand: the grid of CLAHE is 8 x 8, with tiles of 2 px.
_LEAST_SIDE = 16


def apply(row: Row, images: Tensor, value: float, draws: Draws) -> Tensor:
    """Apply kornia's class to each image.

    Args:
        row: The augmentation.
        images: (N, 3, H, W) in [0, 1].
        value: Its strength.
        draws: The images' keys.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    height, width = images.shape[-2:]
    missing = (0, max(0, _LEAST_SIDE - width), 0, max(0, _LEAST_SIDE - height))
    pixels = functional.pad(images, missing, mode="replicate") if any(missing) else images
    transform = _transform(row, value, (pixels.shape[-2], pixels.shape[-1]))
    if row.chance:
        changed = Sometimes(row.name, transform, "batch")(pixels, value, draws)
    else:
        changed = each_image(transform, pixels, draws, "batch", row.name)
    return changed[..., :height, :width]


# A ladder has four values and a run one size; making a module takes as long as applying it.
@lru_cache(maxsize=256)
def _transform(row: Row, value: float, sides: Sides) -> Callable[[Tensor], Tensor]:
    given = {key: _as_kornia_wants(row, argument) for key, argument in row.arguments(value, sides).items()}
    module = getattr(augmentation, row.transform)(**given, p=1.0)

    def clamped(images: Tensor) -> Tensor:
        changed: Tensor = module(images)
        return changed.clamp(0, 1)

    return clamped


def _as_kornia_wants(row: Row, argument: Any) -> Any:
    return torch.tensor(argument) if row.tensors else argument
