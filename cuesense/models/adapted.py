"""Modules around a network whose input or output is unusual, so that it takes RGB images and gives one row an image.

Every module here takes normalized RGB images (N, 3, H, W) and is itself what the next one is put around. The network's
own weights are used as they are, so that it may be trained through them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn

# ITU-R BT.601, which Pillow's mode L and torchvision's Grayscale use.
LUMINANCE = (0.299, 0.587, 0.114)
# Names under which networks return their logits beside other tensors; the first that is there is taken.
_LOGITS = ("logits", "logit", "cls_logits", "class_logits", "output", "outputs", "out", "pred", "preds", "scores")
# Outputs lie at the second or third level; one that holds itself would be searched without end.
_DEEPEST = 3

Path = tuple[str | int, ...]


class Adapted(nn.Module):
    """A network, or any callable, and what it needs before or behind it."""

    def __init__(self, network: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.network = network


class Bgr(Adapted):
    """A network that takes its channels as blue, green, red."""

    def forward(self, images: Tensor) -> Any:
        """Map normalized RGB (N, 3, H, W) to the network's outputs."""
        return self.network(images.flip(1))


class Gray(Adapted):
    """A network of one channel: it is given the luminance of RGB images."""

    def __init__(self, network: Callable[[Tensor], Any], std: Sequence[float] = (1.0, 1.0, 1.0)) -> None:
        """Put the luminance before a network.

        Args:
            network: Module from (N, 1, H, W).
            std: The standard deviation that RGB images are divided by before. The luminance of what they were then is
                normalized by the luminance of mean and std, which are the channels' own where these are all equal.
        """
        super().__init__(network)
        shares = torch.tensor(self.share(std), dtype=torch.float64)
        self.shares: Tensor
        # The weights of a file keep their digest: what is put around them is no part of them.
        self.register_buffer("shares", (shares / shares.sum()).float().view(1, 3, 1, 1), persistent=False)

    @staticmethod
    def share(values: Sequence[float]) -> list[float]:
        """Return what each channel's value adds to the luminance."""
        return [weight * value for weight, value in zip(LUMINANCE, values, strict=True)]

    def forward(self, images: Tensor) -> Any:
        """Map normalized RGB (N, 3, H, W) to the network's outputs."""
        return self.network((images * self.shares.to(images.dtype)).sum(dim=1, keepdim=True))


class MoreChannels(Adapted):
    """A network of four or more channels: RGB comes first, and the others are constant."""

    def __init__(self, network: Callable[[Tensor], Any], channels: int, fill: float = 0.0) -> None:
        """Append constant channels.

        Args:
            network: Module from (N, channels, H, W).
            channels: How many channels it takes, at least 4.
            fill: Value of those that RGB images lack, after normalization: 0 is what a normalization makes of its mean.
        """
        super().__init__(network)
        self.channels, self.fill = channels, fill

    def forward(self, images: Tensor) -> Any:
        """Map normalized RGB (N, 3, H, W) to the network's outputs."""
        count, _, height, width = images.shape
        others = images.new_full((count, self.channels - 3, height, width), self.fill)
        return self.network(torch.cat([images, others], dim=1))


class ChannelsLast(Adapted):
    """A network that takes images of shape (N, H, W, C)."""

    def forward(self, images: Tensor) -> Any:
        """Map normalized (N, C, H, W) to the network's outputs."""
        return self.network(images.permute(0, 2, 3, 1).contiguous())


class PickedOutput(Adapted):
    """A network that returns its logits among other things, or with dimensions of size 1 behind them."""

    def __init__(self, network: Callable[[Tensor], Any], path: Path = ()) -> None:
        """Pick one tensor of what a network returns.

        Args:
            network: The network.
            path: Keys, indices and attributes that lead to the tensor; none where the tensor itself is returned.
        """
        super().__init__(network)
        self.path = path

    def forward(self, images: Tensor) -> Tensor:
        """Map normalized RGB (N, 3, H, W) to logits (N, K)."""
        found: Any = self.network(images)
        for key in self.path:
            found = _entry(found, key)
        flat = as_rows(found, len(images))
        return found if flat is None else flat


class TwoClasses(Adapted):
    """A network of one output, which is the logit or the probability of the second of two classes."""

    def __init__(self, network: Callable[[Tensor], Any], *, probability: bool) -> None:
        """Turn one output into two.

        Args:
            network: Module to (N, 1).
            probability: Whether its output is a probability, else it is a logit.
        """
        super().__init__(network)
        self.probability = probability

    def forward(self, images: Tensor) -> Tensor:
        """Map normalized RGB (N, 3, H, W) to probabilities [1 - p, p] or logits [0, z], (N, 2)."""
        second: Tensor = self.network(images)
        return torch.cat([1 - second if self.probability else torch.zeros_like(second), second], dim=1)


@dataclass(frozen=True)
class Picked:
    """The tensor of a network's outputs that is taken for its logits.

    Attributes:
        path: Keys, indices and attributes that lead to it.
        logits: The tensor, (N, K).
        others: How many other tensors of such a shape there were.
    """

    path: Path
    logits: Tensor
    others: int = 0

    @property
    def name(self) -> str:
        """The path as it is written behind what a network returns, such as ``"['logits']"`` or ``"[0]"``."""
        return "".join(f"[{key!r}]" for key in self.path)


def pick(outputs: object, images: int, classes: int | None = None) -> Picked | None:
    """Return the logits among whatever a network returned for a batch.

    A tensor with one column for each class comes before others, then one with a usual name, then the first.

    Args:
        outputs: What the network returned: a tensor, or mappings, sequences and objects with tensors in them.
        images: How many images the batch has.
        classes: How many columns are wanted, where it is known.

    Returns:
        The logits and where they are; None where no tensor of real numbers has one row for each image.
    """
    found = [(path, rows) for path, tensor in _tensors(outputs) if (rows := as_rows(tensor, images)) is not None]
    if not found:
        return None

    def rank(entry: tuple[Path, Tensor]) -> tuple[bool, int]:
        name = str(entry[0][-1]).lower() if entry[0] else ""
        return entry[1].shape[1] != classes, _LOGITS.index(name) if name in _LOGITS else len(_LOGITS)

    path, logits = min(found, key=rank)
    return Picked(path, logits, len(found) - 1)


def as_rows(tensor: object, images: int) -> Tensor | None:
    """Return a tensor as one row for each image, (N, K), its dimensions of size 1 left out.

    Args:
        tensor: For instance (N, K), (N,), or (N, K, 1, 1).
        images: N.

    Returns:
        The rows; None where it is no tensor of real numbers, or one row has more than one dimension.
    """
    if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
        return None
    if images == 1 and (not tensor.ndim or tensor.shape[0] != 1):
        tensor = tensor.unsqueeze(0)  # a network that squeezes its output loses a batch of one image, too
    if not tensor.ndim or tensor.shape[0] != images or tensor.numel() != images * max(tensor.shape[1:], default=1):
        return None
    # The very tensor where it has rows already: a head is recognized by giving it (training.features).
    return tensor if tensor.ndim == 2 else tensor.reshape(images, -1)


def unwrapped(network: object) -> object:
    """Return the network inside the modules of this file."""
    while isinstance(network, Adapted):
        network = network.network
    return network


def _tensors(outputs: object, path: Path = ()) -> Iterator[tuple[Path, Tensor]]:
    if isinstance(outputs, Tensor):
        yield path, outputs
    elif len(path) < _DEEPEST:
        for key, value in _entries(outputs):
            yield from _tensors(value, (*path, key))


def _entries(outputs: object) -> list[tuple[str | int, object]]:
    if isinstance(outputs, Mapping):
        return [(key, value) for key, value in outputs.items() if isinstance(key, (str, int))]
    if isinstance(outputs, (tuple, list)):
        return list(zip(getattr(outputs, "_fields", range(len(outputs))), outputs, strict=True))
    if is_dataclass(outputs) and not isinstance(outputs, type):
        return [(field.name, getattr(outputs, field.name)) for field in fields(outputs)]
    return [("logits", outputs.logits)] if hasattr(outputs, "logits") else []


def _entry(outputs: Any, key: str | int) -> Any:
    if isinstance(outputs, Mapping) or isinstance(key, int):
        return outputs[key]
    return getattr(outputs, key)
