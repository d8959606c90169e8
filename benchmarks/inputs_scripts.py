"""Kinds of programs: TorchScript and torch.export with unusual inputs and outputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from benchmarks.inputs_world import (
    HALF,
    MEAN,
    SIDE,
    STD,
    Kind,
    Place,
    Right,
    either,
    refused,
    warned,
    works,
    write_folders,
)

_ONE = torch.zeros(2, 3, SIDE, SIDE)


class Wrapped(nn.Module):
    """A network with other inputs or outputs; subclasses say which."""

    def __init__(self, net: nn.Module) -> None:
        """Wrap a network."""
        super().__init__()
        self.net = net
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Any:
        """Return logits."""
        return self.net(x)


class Nhwc(Wrapped):
    """Takes channels last."""

    def forward(self, x: Tensor) -> Any:
        """Return logits."""
        return self.net(x.permute(0, 3, 1, 2))


class Bytes(Wrapped):
    """Takes 0 to 255 and normalizes by itself."""

    def forward(self, x: Tensor) -> Any:
        """Return logits."""
        return self.net((x / 255 - self.mean) / self.std)


class Unit(Wrapped):
    """Takes 0 to 1 and normalizes by itself."""

    def forward(self, x: Tensor) -> Any:
        """Return logits."""
        return self.net((x - self.mean) / self.std)


class Bgr(Wrapped):
    """Takes blue, green, red."""

    def forward(self, x: Tensor) -> Any:
        """Return logits."""
        return self.net(x.flip(1))


class Uint8(Wrapped):
    """Takes whole numbers from 0 to 255."""

    def forward(self, x: Tensor) -> Any:
        """Return logits."""
        if x.dtype != torch.uint8:
            raise RuntimeError("expected uint8")
        return self.net((x.float() / 255 - self.mean) / self.std)


class Softmax(Wrapped):
    """Gives probabilities."""

    def forward(self, x: Tensor) -> Any:
        """Return probabilities."""
        return self.net(x).softmax(1)


class LogSoftmax(Wrapped):
    """Gives logarithms of probabilities."""

    def forward(self, x: Tensor) -> Any:
        """Return log probabilities."""
        return self.net(x).log_softmax(1)


class Pair(Wrapped):
    """Gives logits and features."""

    def forward(self, x: Tensor) -> Any:
        """Return a tuple."""
        return self.net(x), self.net.features(x)


class FeaturesFirst(Wrapped):
    """Gives features, then logits."""

    def forward(self, x: Tensor) -> Any:
        """Return a tuple."""
        return self.net.features(x), self.net(x)


class Dictionary(Wrapped):
    """Gives a dictionary."""

    def forward(self, x: Tensor) -> Any:
        """Return a dictionary."""
        return {"logits": self.net(x)}


class DictionaryOut(Wrapped):
    """Gives a dictionary with another key."""

    def forward(self, x: Tensor) -> Any:
        """Return a dictionary."""
        return {"features": self.net.features(x), "out": self.net(x)}


class Outputs(NamedTuple):
    """Named outputs, as of torchvision's GoogLeNet."""

    logits: Tensor
    aux: Tensor


class Named(Wrapped):
    """Gives a named tuple."""

    def forward(self, x: Tensor) -> Any:
        """Return a named tuple."""
        return Outputs(self.net(x), self.net(x))


class Listed(Wrapped):
    """Gives a list."""

    def forward(self, x: Tensor) -> Any:
        """Return a list."""
        return [self.net(x)]


class Map(Wrapped):
    """Gives (N, K, 1, 1)."""

    def forward(self, x: Tensor) -> Any:
        """Return a map of one pixel."""
        return self.net(x)[:, :, None, None]


class LargeMap(Wrapped):
    """Gives (N, K, 8, 8), as a segmentation does."""

    def forward(self, x: Tensor) -> Any:
        """Return a map."""
        return self.net(x)[:, :, None, None].expand(-1, -1, 8, 8)


class Embedding(Wrapped):
    """Gives features alone."""

    def forward(self, x: Tensor) -> Any:
        """Return features."""
        return self.net.features(x)


class Winner(Wrapped):
    """Gives the index of the largest output."""

    def forward(self, x: Tensor) -> Any:
        """Return indices."""
        return self.net(x).argmax(1)


class Nan(Wrapped):
    """Gives nothing but NaN."""

    def forward(self, x: Tensor) -> Any:
        """Return NaN."""
        return self.net(x) * float("nan")


class Fixed(Wrapped):
    """Works at one size."""

    def forward(self, x: Tensor) -> Any:
        """Return logits."""
        return self.net(x.reshape(-1, 3, 32, 32))


class Resizing(Wrapped):
    """Resizes by itself."""

    def forward(self, x: Tensor) -> Any:
        """Return logits."""
        return self.net(nn.functional.interpolate(x, (32, 32)))


class Two(Wrapped):
    """Takes two inputs."""

    def forward(self, x: Tensor, y: Tensor) -> Any:
        """Return logits."""
        return self.net(x) + y


class Four(Wrapped):
    """Takes four channels, of which the last one is not used."""

    def forward(self, x: Tensor) -> Any:
        """Return logits."""
        return self.net(x[:, :3] + 0 * x[:, 3:4])


class SingleImage(Wrapped):
    """Takes one image without a batch."""

    def forward(self, x: Tensor) -> Any:
        """Return logits."""
        if x.dim() != 3:
            raise RuntimeError("expected one image of shape (3, H, W)")
        return self.net(x[None])[0]


class Sigmoid(Wrapped):
    """Gives one probability, of the second of two classes."""

    def forward(self, x: Tensor) -> Any:
        """Return (N, 1)."""
        y = self.net(x)
        return (y[:, 1:] - y[:, :1]).sigmoid()


class OneLogit(Wrapped):
    """Gives one logit, of the second of two classes."""

    def forward(self, x: Tensor) -> Any:
        """Return (N, 1)."""
        y = self.net(x)
        return y[:, 1:] - y[:, :1]


class FlatSigmoid(Sigmoid):
    """Gives one probability without a second axis."""

    def forward(self, x: Tensor) -> Any:
        """Return (N,)."""
        y = self.net(x)
        return (y[:, 1] - y[:, 0]).sigmoid()


class Noisy(Wrapped):
    """Is no function of one image: it looks at the whole batch."""

    def forward(self, x: Tensor) -> Any:
        """Return logits."""
        return self.net(x - x.mean(0, keepdim=True))


def _traced(wrapper: type[Wrapped], example: Tensor | None = None, *flags: str) -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        image = torch.zeros(2, 3, SIDE, SIDE) if example is None else example
        torch.jit.trace(wrapper(place.world.net).eval(), image, strict=False, check_trace=False).save("model.pt")
        return [*place.model("model.pt"), *flags]

    return made


def _scripted(place: Place) -> Any:
    torch.jit.script(place.world.net).save("model.pt")
    return place.model("model.pt")


def _binary(wrapper: type[Wrapped], *flags: str) -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        world = place.world
        net = world.trained(lambda: world.usernet.SmallNet(2), key="binary", classes=(1, 4))
        kept = np.isin(world.labels, (1, 4))
        labels = (world.labels[kept] == 4).astype(int)
        place.truth = world.accuracy(net, world.images[kept], labels)
        write_folders(place.folder / "data", world.images[kept], labels, names=("cat", "dog"))
        torch.jit.trace(wrapper(net), torch.zeros(2, 3, SIDE, SIDE)).save("model.pt")
        return ["model.pt", "--dataset", "data", *place.sizes, *flags]

    return made


def _gray(place: Place) -> Any:
    world = place.world
    net = world.trained(lambda: world.usernet.SmallNet(channels=1), key="gray", mean=HALF, std=HALF, prepared=_luma)
    gray = np.stack([np.asarray(Image.fromarray(image).convert("L").convert("RGB")) for image in world.images])
    place.truth = world.accuracy(lambda x: net(x[:, :1]), gray, mean=HALF, std=HALF)
    # Rounding to whole gray levels may turn an image over.
    place.tolerance = 1.5 / len(gray)
    torch.jit.trace(net, torch.zeros(2, 1, SIDE, SIDE)).save("model.pt")
    return [*place.model("model.pt"), "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5"]


def _luma(batch: Tensor) -> Tensor:
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (batch * weights).sum(1, keepdim=True)


def _half(place: Place) -> Any:
    torch.jit.trace(place.world.net.half(), torch.zeros(2, 3, SIDE, SIDE).half()).save("model.pt")
    place.tolerance = 1.5 / len(place.world.labels)
    return place.model("model.pt")


def _ultralytics_script(place: Place) -> Any:
    net = place.world.trained(key="unit", mean=(0, 0, 0), std=(1, 1, 1))
    place.truth = place.world.accuracy(net, mean=(0, 0, 0), std=(1, 1, 1))
    from benchmarks.inputs_world import CLASSES

    about = {"task": "classify", "imgsz": [32, 32], "names": dict(enumerate(CLASSES)), "stride": 1, "channels": 3}
    traced = torch.jit.trace(Softmax(net), torch.zeros(1, 3, SIDE, SIDE))
    traced.save("best.torchscript", _extra_files={"config.txt": json.dumps(about)})
    return ["best.torchscript", "--dataset", place.usual]


def _exported(
    wrapper: type[Wrapped] = Wrapped,
    batch: int | None = None,
    flags: tuple[str, ...] = (),
    shape: tuple[int, ...] = (3, SIDE, SIDE),
) -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        dynamic = None if batch else ({0: torch.export.Dim("batch", min=1, max=256)},)
        net = wrapper(place.world.net).eval()
        program = torch.export.export(net, (torch.zeros(batch or 2, *shape),), dynamic_shapes=dynamic)
        torch.export.save(program, "model.pt2")
        return [*place.model("model.pt2"), *flags]

    return made


def _package(place: Place) -> Any:
    from torch.package import PackageExporter

    with PackageExporter("model.pt") as exporter:
        exporter.extern("**")
        exporter.save_pickle("model", "model.pkl", {"a": 1})
    return place.model("model.pt")


def _two(place: Place) -> Any:
    torch.jit.trace(Two(place.world.net), (_ONE, torch.zeros(2, 12))).save("model.pt")
    return place.model("model.pt")


_KINDS: tuple[tuple[str, Right, Callable[[Place], Any]], ...] = (
    ("TorchScript traced", works(), _traced(Wrapped)),
    ("TorchScript scripted", works(), _scripted),
    ("TorchScript softmax", works(), _traced(Softmax)),
    ("TorchScript log softmax", works(), _traced(LogSoftmax)),
    ("TorchScript tuple, logits first", works(), _traced(Pair)),
    ("TorchScript tuple, features first", either("64|features|first", "logits|12"), _traced(FeaturesFirst)),
    ("TorchScript dict with logits", works(), _traced(Dictionary)),
    ("TorchScript dict with out", works(), _traced(DictionaryOut)),
    ("TorchScript named tuple", works(), _traced(Named)),
    ("TorchScript list", works(), _traced(Listed)),
    ("TorchScript (N, K, 1, 1)", works(), _traced(Map)),
    ("TorchScript (N, K, 8, 8)", refused("segmentation|8, 8|shape|dimension"), _traced(LargeMap)),
    ("TorchScript features alone", refused("64", "12"), _traced(Embedding)),
    ("TorchScript argmax inside", refused("shape|integer|int64|index|one number", "logits|outputs|scores"), _traced(Winner)),
    ("TorchScript NaN", refused("nan|finite"), _traced(Nan)),
    ("TorchScript one size", works(), _traced(Fixed)),
    ("TorchScript resizes by itself", works(), _traced(Resizing)),
    ("TorchScript half precision", either("half|float16"), _half),
    ("TorchScript gray", works(), _gray),
    ("TorchScript four channels", either("4 channels|four channels|channels"), _traced(Four, torch.zeros(2, 4, SIDE, SIDE))),
    ("TorchScript NHWC", works(), _traced(Nhwc, torch.zeros(2, SIDE, SIDE, 3))),
    ("TorchScript 0 to 255", warned("255", "--mean|--std|--probe"), _traced(Bytes)),
    ("TorchScript 0 to 255, with flags", works(), _traced(Bytes, _ONE, "--mean", "0,0,0", "--std", "0.00392156862745098,0.00392156862745098,0.00392156862745098")),
    ("TorchScript 0 to 1", warned("--mean|--std|--probe"), _traced(Unit)),
    ("TorchScript 0 to 1, with flags", works(), _traced(Unit, _ONE, "--mean", "0,0,0", "--std", "1,1,1")),
    ("TorchScript BGR", warned("bgr"), _traced(Bgr)),
    ("TorchScript uint8", Right(True, refusal=("uint8|byte", "255|float"), warned=("255",)), _traced(Uint8, torch.zeros(2, 3, SIDE, SIDE, dtype=torch.uint8))),
    ("TorchScript two inputs", refused("two inputs|2 inputs|argument|missing"), _two),
    ("TorchScript one image without batch", either("batch|dimension|3, H, W|one image"), _traced(SingleImage, torch.zeros(3, SIDE, SIDE))),
    ("TorchScript looks at the batch", refused("--allow-nondeterministic|batch"), _traced(Noisy)),
    ("TorchScript one sigmoid", works(), _binary(Sigmoid)),
    ("TorchScript one logit", works(), _binary(OneLogit)),
    ("TorchScript one sigmoid, (N,)", works(), _binary(FlatSigmoid)),
    ("TorchScript two outputs for two classes", works(), _binary(Wrapped)),
    ("TorchScript one sigmoid for 12 classes", refused("1 output|one output|two classes|2 classes"), lambda p: [*_binary(Sigmoid)(p)[:2], p.usual, *p.sizes]),
    ("Ultralytics TorchScript export", works(), _ultralytics_script),
    ("torch.package", refused("torch.package|package", "state_dict|torch.export|save"), _package),
    ("torch.export, any batch", works(), _exported()),
    ("torch.export, batch 1", works(), _exported(batch=1)),
    ("torch.export, batch 5", works(), _exported(batch=5)),
    ("torch.export tuple", works(), _exported(Pair)),
    ("torch.export dict", works(), _exported(Dictionary)),
    ("torch.export softmax", works(), _exported(Softmax)),
    ("torch.export NHWC", works(), _exported(Nhwc, shape=(SIDE, SIDE, 3))),
    ("torch.export 0 to 255", warned("255", "--mean|--std|--probe"), _exported(Bytes)),
    ("torch.export at another size", refused("32", "--image-size"), lambda p: [*_exported()(p)[:3], "--image-size", "48", "--resize", "48"]),
    ("--arch beside TorchScript", either("--arch", "leave|own|program"), lambda p: [*_traced(Wrapped)(p), "--arch", "python:usernet:build"]),
    ("--weights-only with TorchScript", refused("--weights-only", "torchscript"), _traced(Wrapped, None, "--weights-only")),
)  # fmt: skip


KINDS = [Kind("formats", name, right, make) for name, right, make in _KINDS]
