"""Networks whose outputs for an image depend on chance, on the batch around it or on earlier calls; and sound ones."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable

import numpy as np
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from cuesense.models.common import ready as evaluated

CLASSES = 3


def convolutional(norm: Callable[[int], nn.Module] = nn.BatchNorm2d, *more: nn.Module) -> nn.Sequential:
    """Return a small network from (N, 3, 16, 16) to three outputs, of the same random weights every time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), norm(8), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), *more
        ).append(nn.Linear(32, CLASSES))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            module.running_mean += 0.2
    return network


class Changed(nn.Module):
    """A sound network, and a change of its outputs, (N, 3), that also gets the images and the module."""

    def __init__(self, change: Callable[[Tensor, Changed], Tensor]) -> None:
        super().__init__()
        self.inner = convolutional()
        self.change = change
        self.calls = 0
        self.generator = torch.Generator().manual_seed(3)
        self.register_buffer("count", torch.zeros((), dtype=torch.long))
        self.register_buffer("mean", torch.zeros(CLASSES))
        self.register_buffer("cache", torch.zeros(1))

    def forward(self, images: Tensor) -> Tensor:
        return self.change(self.inner(images), self)


class TrainsItself(nn.Module):
    """A network whose forward puts it into training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = convolutional(nn.BatchNorm2d, nn.Dropout(0.3))

    def forward(self, images: Tensor) -> Tensor:
        self.train()
        out: Tensor = self.inner(images)
        return out


def _traced_in_training() -> nn.Module:
    network = convolutional(nn.BatchNorm2d, nn.Dropout(0.3)).train()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced: nn.Module = torch.jit.trace(network, torch.rand(2, 3, 16, 16), check_trace=False)
    return traced


def _batch_statistics_of_a_graph() -> nn.Module:
    network = convolutional(lambda width: nn.BatchNorm2d(width, track_running_stats=False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced: nn.Module = torch.jit.trace(network.eval(), torch.rand(2, 3, 16, 16))
    return traced


def _counted(outputs: Tensor, network: Changed) -> Tensor:
    network.calls += 1
    return outputs + 0.001 * network.calls


def _counted_in_a_buffer(outputs: Tensor, network: Changed) -> Tensor:
    network.count += 1
    return outputs * (1 + (network.count > 1000))


def _running_mean(outputs: Tensor, network: Changed) -> Tensor:
    network.mean.mul_(0.9999).add_(outputs.mean(dim=0), alpha=0.0001)
    return outputs - network.mean


def _attention(outputs: Tensor, _: Changed) -> Tensor:
    return outputs + 0.1 * (outputs @ outputs.T).softmax(dim=1) @ outputs


def _rarely(outputs: Tensor, _: Changed) -> Tensor:
    return outputs + (torch.rand(()) < 0.001)


def _own_generator(outputs: Tensor, network: Changed) -> Tensor:
    return outputs + (torch.rand((), generator=network.generator) < 0.001)


DEPENDENT: dict[str, Callable[[], nn.Module]] = {
    "TorchScript traced in training mode": _traced_in_training,
    "TorchScript with batch statistics": _batch_statistics_of_a_graph,
    "training mode set in forward": TrainsItself,
    "batch statistics": lambda: convolutional(lambda width: nn.BatchNorm2d(width, track_running_stats=False)),
    "dropout left on": lambda: Changed(lambda outputs, _: functional.dropout(outputs, 0.1, training=True)),
    "small noise": lambda: Changed(lambda outputs, _: outputs + 1e-7 * torch.randn_like(outputs)),
    "rare noise": lambda: Changed(_rarely),
    "rare noise from a generator of its own": lambda: Changed(_own_generator),
    "noise from NumPy": lambda: Changed(lambda outputs, _: outputs + 0.1 * float(np.random.rand())),
    "noise from Python": lambda: Changed(lambda outputs, _: outputs + 0.1 * random.random()),
    "attention over the batch": lambda: Changed(_attention),
    "normalization over the batch": lambda: Changed(lambda outputs, _: outputs - 0.01 * outputs.mean(dim=0)),
    "the size of the batch": lambda: Changed(lambda outputs, _: outputs * (1 + 0.01 * len(outputs))),
    "the place in the batch": lambda: Changed(lambda outputs, _: outputs + 0.01 * torch.arange(len(outputs))[:, None]),
    "a counter": lambda: Changed(_counted),
    "a counter in a buffer": lambda: Changed(_counted_in_a_buffer),
    "a running mean": lambda: Changed(_running_mean),
}


def _cached(outputs: Tensor, network: Changed) -> Tensor:
    # Filled in at the first call and made larger as needed.
    if network.cache.shape != (4, 5):
        network.cache = torch.arange(20.0).reshape(4, 5)
    return outputs


def _seeded(outputs: Tensor, _: Changed) -> Tensor:
    torch.manual_seed(5)
    return outputs + torch.rand(CLASSES)


def _masked(outputs: Tensor, _: Changed) -> Tensor:
    return torch.cat([outputs, torch.full((len(outputs), 40), -1e9)], dim=1)


def _quantized() -> nn.Module:
    network = convolutional(nn.BatchNorm2d, nn.Linear(32, 32), nn.ReLU()).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: nn.Module = torch.ao.quantization.quantize_dynamic(network, {nn.Linear}, dtype=torch.qint8)
    return found


def _scripted(network: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: nn.Module = torch.jit.trace(network.eval(), torch.rand(2, 3, 16, 16))
    return found


def _exported() -> nn.Module:
    dynamic = {"input": {0: torch.export.Dim("batch", min=1)}}
    return torch.export.export(
        convolutional(nn.BatchNorm2d, nn.Dropout(0.3)).eval(), (torch.rand(2, 3, 16, 16),), dynamic_shapes=dynamic
    ).module()


def _transformer() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = torchvision.models.VisionTransformer(16, 4, 2, 2, 16, 32, dropout=0.1, num_classes=CLASSES)
        nn.init.normal_(network.heads.head.weight)
    return network


SOUND: dict[str, Callable[[], nn.Module]] = {
    "batch normalization": convolutional,
    "batch normalization and dropout": lambda: convolutional(nn.BatchNorm2d, nn.Dropout(0.3)),
    "group normalization": lambda: convolutional(lambda width: nn.GroupNorm(2, width)),
    "instance normalization": lambda: convolutional(lambda width: nn.InstanceNorm2d(width)),
    "layer normalization": lambda: convolutional(nn.BatchNorm2d, nn.LayerNorm(32)),
    "a vision transformer": _transformer,
    "shufflenet": lambda: torchvision.models.shufflenet_v2_x0_5(num_classes=CLASSES),
    "softmax": lambda: convolutional().append(nn.Softmax(dim=1)),
    "a very sure softmax": lambda: Changed(lambda outputs, _: (1e4 * outputs).softmax(dim=1)),
    "scales of the whole batch": _quantized,
    "TorchScript": lambda: _scripted(convolutional(nn.BatchNorm2d, nn.Dropout(0.3))),
    "torch.export": _exported,
    "a cache": lambda: Changed(_cached),
    "a seed of its own": lambda: Changed(_seeded),
    "masked classes": lambda: Changed(_masked),
    "huge outputs": lambda: Changed(lambda outputs, _: 1e6 * outputs),
    "tiny outputs": lambda: Changed(lambda outputs, _: 1e-9 * outputs),
    "constant outputs": lambda: Changed(lambda outputs, _: 0 * outputs + 2),
    "float64": lambda: Changed(lambda outputs, _: outputs.double()),
    "bfloat16 inside": lambda: Changed(lambda outputs, _: outputs.bfloat16()),
}


def ready(make: Callable[[], nn.Module]) -> nn.Module:
    """Return a network as loaders give it: in evaluation mode, without gradients."""
    return evaluated(make())
