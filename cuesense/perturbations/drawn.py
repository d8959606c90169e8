"""Draws as tensors: one random number an image, on the images' device."""

import torch
from torch import Tensor

from cuesense.types import Draws


def drawn(images: Tensor, draws: Draws, index: int = 0) -> Tensor:
    """Return the images' numbers at one place of their sequences.

    Args:
        images: (N, 3, H, W).
        draws: The sequences, N of them.
        index: The place, from 0.

    Returns:
        (N,) float32 in [0, 1), on the images' device.
    """
    return torch.from_numpy(draws.uniform(1, start=index))[:, 0].to(images.device)
