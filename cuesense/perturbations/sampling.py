"""Random numbers of each image as tensors, and changes that are applied to an image with a probability."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from cuesense.draws import Draws


def on_device_of(images: Tensor, values: Tensor) -> Tensor:
    """Return values on the images' device.

    Args:
        images: (N, 3, H, W).
        values: Any tensor on the CPU.

    Returns:
        The values; a GPU gets them without a wait for what it still has to do, which only pinned memory allows.
    """
    if images.device.type != "cuda":
        return values.to(images.device)
    return values.pin_memory().to(images.device, non_blocking=True)


@lru_cache(maxsize=64)
def kept_on(device: torch.device, make: Callable[..., Tensor], *arguments: float) -> Tensor:
    """Return the tensor that a function makes of numbers, on a device, where it stays for the next batches.

    Args:
        device: The device.
        make: The function.
        arguments: Its arguments.
    """
    return make(*arguments).to(device)


def uniform_per_image(images: Tensor, draws: Draws, index: int = 0) -> Tensor:
    """Return one random number of each image.

    Args:
        images: (N, 3, H, W).
        draws: The random sequences of the N images.
        index: Which number of each sequence, from 0; two parameters of one perturbation use different ones.

    Returns:
        (N,) float32 in [0, 1), on the images' device.
    """
    return on_device_of(images, torch.from_numpy(draws.uniform(1, start=index)))[:, 0]


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
    numbers = np.flatnonzero(draws.uniform(1)[:, 0] < probability)
    if len(numbers) == 0:
        return images.clone()
    if len(numbers) == len(images):
        return change(images.clone()).contiguous()
    chosen = on_device_of(images, torch.from_numpy(numbers))
    return images.index_copy(0, chosen, change(images.index_select(0, chosen)))
