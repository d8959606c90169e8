"""A compact residual network for small images: used by the demo, and trained from scratch for forecasts."""

from functools import partial
from itertools import count, pairwise, takewhile

import torch
from torch import Tensor, nn

from cuesense.models.common import State
from cuesense.models.weights import fill_new, under

# Any fixed normalization will do for a network trained from scratch; this one maps [0, 1] to [-2, 2].
MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)

# Channels by stage, chosen by hand: 150,000 parameters learn the planted cues in minutes on two CPU cores.
WIDTHS = (16, 32, 48, 80)


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


def build(classes: int = 12, size: int = 64, widths: tuple[int, ...] = WIDTHS) -> nn.Module:
    """Return an untrained network; by default of about 150,000 parameters and 9 million multiplications.

    Args:
        classes: Number of outputs K.
        size: Side of the images in pixels, a multiple of 32: the first layer reduces it to 32.
        widths: Channels after the first layer and after each residual block.

    Returns:
        Module from (N, 3, H, W) images, normalized with MEAN and STD, to (N, K) logits.
    """
    # The first layer brings any size to 32, so that the rest of the network stays the same; its kernel grows with its
    # stride, so that no pixel is skipped.
    stride = size // 32
    blocks = (_Residual(*pair) for pair in pairwise(widths))
    return nn.Sequential(
        _convolution(3, widths[0], 2 * stride + 1, stride),
        nn.ReLU(inplace=True),
        *blocks,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(widths[-1], classes),
    )


def load(state: State, spec: str) -> nn.Module:
    """Return the network of a state dict, whose shapes say the number of classes, the size and the widths.

    Args:
        state: The state dict, prefixes and all.
        spec: The architecture as the user named it, for the error.

    Returns:
        The network.

    Raises:
        MisfitError: The state dict is none of this network's.
    """
    bare = under(state, "0.0.weight")
    shapes = {key: tuple(value.shape) for key, value in bare.items() if value.dim()}
    shortcuts = takewhile(shapes.__contains__, (f"{index}.shortcut.0.weight" for index in count(2)))
    first = shapes.get("0.0.weight", ())
    if len(first) != 4:
        return fill_new(build, state, spec)
    widths = (first[0], *(shapes[key][0] for key in shortcuts))
    # The head comes after the first layer, its ReLU, a block for each further width, the pooling and the flattening.
    classes = shapes.get(f"{len(widths) + 3}.weight", (1,))[0]
    stride = max(1, (first[2] - 1) // 2)
    return fill_new(partial(build, classes, 32 * stride, widths), state, spec)


# No bias: the batch normalization that follows has one.
def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs))
