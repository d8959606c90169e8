"""Random numbers of each image as tensors, and changes that are applied to an image with a probability."""

from collections.abc import Callable

import torch
from torch import Tensor

from cuesense.draws import Draws


def uniform_per_image(images: Tensor, draws: Draws, index: int = 0) -> Tensor:
    """Return one random number of each image.

    Args:
        images: (N, 3, H, W).
        draws: The random sequences of the N images.
        index: Which number of each sequence, from 0; two parameters of one perturbation use different ones.

    Returns:
        (N,) float32 in [0, 1), on the images' device.
    """
    return torch.from_numpy(draws.uniform(1, start=index))[:, 0].to(images.device)


def with_probability(change: Callable[[Tensor], Tensor], images: Tensor, probability: float, draws: Draws) -> Tensor:
    """Change each image with a probability.

    Args:
        change: Function from (M, 3, H, W) to (M, 3, H, W) that treats every image alone.
        images: (N, 3, H, W).
        probability: 0 to 1.
        draws: One number an image.

    Returns:
        (N, 3, H, W), a new tensor.
    """
    # Only the chosen images are computed: with a small probability most of a batch is left alone.
    chosen = torch.from_numpy(draws.uniform(1)[:, 0] < probability).nonzero()[:, 0].to(images.device)
    return images.index_copy(0, chosen, change(images.index_select(0, chosen)))
