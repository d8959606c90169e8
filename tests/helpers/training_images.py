"""Images of three classes that differ in their brightest channel, and a small network that can learn them."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from cuesense.training.fit import Images
from tests.helpers.small_networks import SIZE, picture

MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)


def training_images(count: int = 60) -> Images:
    """Return images whose labels repeat 0, 1, 2; the first ones are the same for every count."""
    pixels = np.stack([picture(number, number % 3).transpose(2, 0, 1) for number in range(count)])
    return Images(torch.from_numpy(pixels), torch.arange(count) % 3, MEAN, STD)


def small_network() -> nn.Module:
    """Return a network on mean colors, with the same weights at every call."""
    torch.manual_seed(0)
    return nn.Sequential(nn.AvgPool2d(SIZE), nn.Flatten(), nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 3))
