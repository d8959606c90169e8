"""The demo network: a compact residual network for 64-pixel images."""

from itertools import pairwise

import torch
from torch import Tensor, nn

MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)

_WIDTHS = (16, 32, 48, 80)


class _Residual(nn.Module):
    """Two 3x3 convolutions that halve the side, beside a 1x1 shortcut (He et al. 2016, arXiv 1512.03385)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _convolution(inputs, outputs, 3, stride=2), nn.ReLU(inplace=True), _convolution(outputs, outputs, 3)
        )
        self.shortcut = _convolution(inputs, outputs, 1, stride=2)

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H/2, W/2)."""
        return torch.relu(self.body(images) + self.shortcut(images))


def build(classes: int = 12) -> nn.Module:
    """Return an untrained network of about 150,000 parameters and 9 million multiplications at 64 pixels.

    Args:
        classes: Number of outputs K.

    Returns:
        Module from (N, 3, H, W) images, normalized with MEAN and STD, to (N, K) logits.
    """
    blocks = (_Residual(*widths) for widths in pairwise(_WIDTHS))
    return nn.Sequential(
        _convolution(3, _WIDTHS[0], 5, stride=2),
        nn.ReLU(inplace=True),
        *blocks,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(_WIDTHS[-1], classes),
    )


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs))
