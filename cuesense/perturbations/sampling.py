"""Draws at work: one random number an image as a tensor, and changes that befall an image by chance."""

from collections.abc import Callable

import torch
from torch import Tensor

from cuesense.draws import Draws


def uniform_per_image(images: Tensor, draws: Draws, index: int = 0) -> Tensor:
    """Return the images' numbers at one place of their sequences.

    Args:
        images: (N, 3, H, W).
        draws: The sequences, N of them.
        index: The place, from 0.

    Returns:
        (N,) float32 in [0, 1), on the images' device.
    """
    return torch.from_numpy(draws.uniform(1, start=index))[:, 0].to(images.device)


def with_probability(change: Callable[[Tensor], Tensor], images: Tensor, probability: float, draws: Draws) -> Tensor:
    """Change each image with a probability.

    Args:
        change: (M, 3, H, W) -> (M, 3, H, W), image by image.
        images: (N, 3, H, W).
        probability: 0 to 1.
        draws: One number an image.

    Returns:
        (N, 3, H, W), a new tensor.
    """
    chosen = torch.from_numpy(draws.uniform(1)[:, 0] < probability).nonzero()[:, 0].to(images.device)
    return images.index_copy(0, chosen, change(images.index_select(0, chosen)))
