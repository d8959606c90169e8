"""Modules around a network whose input is unusual, so that it takes RGB images."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


class Adapted(nn.Module):
    """A network and what it needs before or behind it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network


class Bgr(Adapted):
    """A network that takes its channels as blue, green, red."""

    def forward(self, images: Tensor) -> Any:
        """Map normalized RGB (N, 3, H, W) to the network's outputs."""
        return self.network(images.flip(1))


