"""Random images, and the random numbers of as many images, for tests that call a perturbation's own function."""

from __future__ import annotations

import torch
from torch import Tensor

from cuesense.draws import Draws


def draws(count: int, name: str = "test") -> Draws:
    """Return the random numbers of a number of images, the same at every call."""
    return Draws.of([f"{index}" for index in range(count)], perturbation=name, value=1.0, seed=0)


def noise(count: int, height: int, width: int, seed: int = 0) -> Tensor:
    """Return images of independent 8-bit values, (count, 3, height, width) in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, height, width), generator=generator).float().div_(255)
