"""The images and networks that all kinds of inputs are made of, and what one kind is."""

from __future__ import annotations

import copy
import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from cuesense.planted.world import PlantedWorld

CLASSES = (
    "apple", "banana", "cherry", "date", "elderberry", "fig",
    "grape", "hazelnut", "jackfruit", "kiwi", "lemon", "mango",
)  # fmt: skip
SIDE = 32
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)
IMAGES = 6
_TRAINING = 60
_COUNTS = {"color": 6, "texture": 0, "shape": 0, "redundant": 6, "mixed": 0, "context": 0, "null": 0}
# The user's own code, which lies beside the weights in many projects.
USERNET = '''
import torch
from torch import nn


class SmallNet(nn.Module):
    def __init__(self, classes=12, channels=3):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 24, 3, 1, 1)
        self.bn1 = nn.BatchNorm2d(24)
        self.conv2 = nn.Conv2d(24, 48, 3, 2, 1)
        self.bn2 = nn.BatchNorm2d(48)
        self.conv3 = nn.Conv2d(48, 64, 3, 2, 1)
        self.fc = nn.Linear(64, classes)

    def features(self, x):
        x = self.bn1(self.conv1(x)).relu()
        x = self.bn2(self.conv2(x)).relu()
        return self.conv3(x).relu().mean((2, 3))

    def forward(self, x):
        return self.fc(self.features(x))


class Lit(nn.Module):
    def __init__(self, net=None):
        super().__init__()
        self.backbone = net or SmallNet()

    def forward(self, x):
        return self.backbone(x)


class HeadNet(nn.Module):
    """A network whose head is a perceptron of two layers."""

    def __init__(self, net=None):
        super().__init__()
        net = net or SmallNet()
        self.body = net
        self.head = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 12))

    def forward(self, x):
        return self.head(self.body.features(x))


def build():
    return SmallNet()


def build_wrapped():
    return Lit()


def build_head():
    return HeadNet()


def build_gray():
    return SmallNet(channels=1)


def build_classes(num_classes=12):
    return SmallNet(num_classes)
'''
CONFIG = (
    'description = "One condition, so that a run takes a fraction of a second."\n\n[perturbations]\ngrayscale = [1.0]\n'
)


@dataclass(frozen=True)
class Right:
    """What the command line should answer.

    Attributes:
        works: Whether the input can be used.
        words: Regular expressions that the answer (stdout and stderr, blanks collapsed) must contain, case ignored.
        refusal: Where both are right: words of a refusal that is accepted instead of working.
        warned: Where a wrong accuracy with a warning is right, too: words of the warning.
        essential: Whether an answer without the words is wrong, such as one that leaves images out without a word.
    """

    works: bool
    words: tuple[str, ...] = ()
    refusal: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    essential: bool = False


def works(*words: str) -> Right:
    """The run ends with the true accuracy, and says the words."""
    return Right(True, words)


def told(*words: str) -> Right:
    """As ``works``, but an answer without the words is wrong: it leaves something out in silence."""
    return Right(True, words, essential=True)


def warned(*words: str) -> Right:
    """The true accuracy, or another one with a warning in these words: nothing can know it without a probe."""
    return Right(True, warned=words)


def refused(*words: str) -> Right:
    """Exit code 2 and a sentence with these words: the cause and the way out."""
    return Right(False, words)


def either(*words: str) -> Right:
    """The true accuracy, or a refusal with these words."""
    return Right(True, (), words)


@dataclass(frozen=True)
class Kind:
    """One kind of input.

    Attributes:
        part: Who mends it: weights, formats, readings, readers or layouts.
        name: What it is.
        right: The right answer.
        make: Writes the files below a folder and returns what follows ``cuesense analyze``.
        why: Why the answer is right, where the name does not say it.
    """

    part: str
    name: str
    right: Right
    make: Callable[[Place], Sequence[str | Path]]
    why: str = ""


@dataclass
class World:
    """Twelve classes of planted images, and networks trained on them.

    Attributes:
        folder: Where the shared files are.
    """

    folder: Path

    def __post_init__(self) -> None:
        (self.folder / "usernet.py").write_text(USERNET, encoding="utf-8")
        (self.folder / "tiny.toml").write_text(CONFIG, encoding="utf-8")
        sys.path.insert(0, str(self.folder))
        self.usernet: Any = importlib.import_module("usernet")
        sys.path.remove(str(self.folder))
        self._nets: dict[Any, nn.Module] = {}

    @cached_property
    def images(self) -> np.ndarray:
        """The test images, uint8 (N, 32, 32, 3), class by class."""
        return self.drawn(SIDE, "test", IMAGES)[0]

    @cached_property
    def labels(self) -> np.ndarray:
        """Their classes."""
        return np.repeat(np.arange(len(CLASSES)), IMAGES)

    def drawn(self, side: int, split: str, each: int) -> tuple[np.ndarray, np.ndarray]:
        """Return images (N, side, side, 3) and labels of a split."""
        world = PlantedWorld(seed=4, split=split, images_per_class=each, size=side, counts=_COUNTS)  # type: ignore[arg-type]
        samples = [world[index] for index in range(len(world))]
        return np.stack([np.asarray(sample.image) for sample in samples]), np.array(world.labels)

    @cached_property
    def _training(self) -> tuple[np.ndarray, np.ndarray]:
        return self.drawn(SIDE, "train", _TRAINING)

    def trained(
        self,
        make: Callable[[], nn.Module] | None = None,
        *,
        key: str = "plain",
        mean: Sequence[float] = MEAN,
        std: Sequence[float] = STD,
        classes: Sequence[int] | None = None,
        prepared: Callable[[Tensor], Tensor] = lambda x: x,
        epochs: int = 12,
    ) -> nn.Module:
        """Return a network trained on the training images, in evaluation mode; each key is trained once.

        Args:
            make: Builds the network; SmallNet by default.
            key: Under which the network is kept.
            mean: Of the normalization.
            std: Of the normalization.
            classes: Train on these classes alone, numbered in this order.
            prepared: What is done to the normalized batch before the network sees it.
            epochs: Passes over the images.
        """
        if key not in self._nets:
            images, labels = self._training
            if classes is not None:
                kept = np.isin(labels, classes)
                images, labels = images[kept], np.array([list(classes).index(label) for label in labels[kept]])
            torch.manual_seed(0)
            net = (make or self.usernet.SmallNet)()
            batch = prepared(normalized(images, mean, std))
            with torch.enable_grad():
                _fit(net, batch, torch.from_numpy(labels), epochs)
            self._nets[key] = net.eval()
        return copy.deepcopy(self._nets[key])

    @property
    def net(self) -> nn.Module:
        """The usual network: trained at 32 px with ImageNet's normalization."""
        return self.trained()

    @property
    def state(self) -> dict[str, Tensor]:
        """Its weights."""
        return dict(self.net.state_dict())

    @property
    def untrained(self) -> dict[str, Tensor]:
        """Weights of the same shapes that nobody trained."""
        torch.manual_seed(9)
        return dict(self.usernet.SmallNet().state_dict())

    def head_fitted(self, net: nn.Module, key: str, side: int = SIDE, **normalization: Any) -> nn.Module:
        """Return a library's network (timm, torchvision) whose last linear layer was fitted to the training images.

        Args:
            net: The network; its head must be the last linear layer.
            key: Under which it is kept.
            side: Images are drawn at this size.
            normalization: ``mean`` and ``std``.
        """
        if key not in self._nets:
            images, labels = self._training if side == SIDE else self.drawn(side, "train", 20)
            _fit_head(net, normalized(images, **normalization), torch.from_numpy(labels))
            self._nets[key] = net.eval()
        return copy.deepcopy(self._nets[key])

    def accuracy(
        self,
        net: Callable[[Tensor], Tensor] | None = None,
        images: np.ndarray | None = None,
        labels: Sequence[int] | np.ndarray | None = None,
        mean: Sequence[float] = MEAN,
        std: Sequence[float] = STD,
    ) -> float:
        """Return the accuracy of a network on images, by plain torch: all images in one batch."""
        with torch.no_grad():
            batch = normalized(self.images if images is None else images, mean, std)
            guesses = (net or self.net)(batch).argmax(1).numpy()
        return float((guesses == np.asarray(self.labels if labels is None else labels)).mean())

    @cached_property
    def usual_truth(self) -> float:
        """The accuracy of the usual network on the usual images."""
        return self.accuracy()


def normalized(images: np.ndarray, mean: Sequence[float] = MEAN, std: Sequence[float] = STD) -> Tensor:
    """Return uint8 images (N, H, W, 3) as a normalized float tensor (N, 3, H, W)."""
    batch = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 255
    return (batch - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)


def _fit(net: nn.Module, batch: Tensor, labels: Tensor, epochs: int) -> None:
    step = torch.optim.AdamW(net.parameters(), lr=4e-3)
    rate = torch.optim.lr_scheduler.OneCycleLR(step, 8e-3, total_steps=epochs * (len(batch) // 50))
    net.train()
    for _ in range(epochs):
        for chosen in torch.randperm(len(batch))[: len(batch) // 50 * 50].split(50):
            step.zero_grad()
            nn.functional.cross_entropy(net(batch[chosen]), labels[chosen]).backward()
            step.step()
            rate.step()


def _fit_head(net: nn.Module, batch: Tensor, labels: Tensor) -> None:
    """Set batch norms' statistics by one pass, then the last linear layer by least squares."""
    head = [module for module in net.modules() if isinstance(module, nn.Linear)][-1]
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None
        net.train()
        net(batch)
        net.eval()
        seen: list[Tensor] = []
        hook = head.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
        net(batch)
        hook.remove()
        features = seen[0].double()
        center, spread = features.mean(0), features.std(0) + 1e-6
        scaled = (features - center) / spread
        targets = nn.functional.one_hot(labels, head.out_features).double()
        gram = scaled.T @ scaled + 0.01 * len(batch) * torch.eye(scaled.shape[1])
        weights = torch.linalg.solve(gram, scaled.T @ (targets - targets.mean(0)))
        head.weight.copy_((weights / spread[:, None]).T * 10)
        head.bias.copy_((targets.mean(0) - (center / spread) @ weights) * 10)


@dataclass
class Place:
    """The folder of one kind, in which it writes its files.

    Attributes:
        folder: An empty folder, the working directory of the run.
        world: Images and networks.
        truth: The accuracy that is right; a kind sets it where it is not that of the usual network.
        tolerance: How far the accuracy may be from the truth; a kind sets it where images are resampled.
    """

    folder: Path
    world: World
    truth: float = field(default=-1.0)
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        if self.truth < 0:
            self.truth = self.world.usual_truth

    @property
    def usual(self) -> Path:
        """The usual folder of class folders."""
        found = self.world.folder / "usual"
        if not found.exists():
            write_folders(found, self.world.images, self.world.labels)
        return found

    @property
    def script(self) -> Path:
        """The usual network as TorchScript, which needs no architecture."""
        found = self.world.folder / "usual.pt"
        if not found.exists():
            torch.jit.trace(self.world.net, torch.zeros(1, 3, SIDE, SIDE)).save(str(found))
        return found

    @property
    def sizes(self) -> list[str]:
        """The flags that say how the usual network's images are prepared; the normalization is ImageNet's."""
        return ["--image-size", str(SIDE), "--resize", str(SIDE)]

    def save(self, content: object, name: str = "model.pt", **options: Any) -> list[str | Path]:
        """Save a checkpoint and return the arguments that analyze it with the user's architecture."""
        torch.save(content, self.folder / name, **options)
        return self.with_arch(name)

    def with_arch(self, name: str, arch: str = "python:usernet:build") -> list[str | Path]:
        """Return the arguments that analyze a file of weights with the usual images."""
        return [name, "--arch", arch, "--dataset", self.usual, *self.sizes]

    def model(self, name: str | Path) -> list[str | Path]:
        """Return the arguments that analyze a file that needs no architecture with the usual images."""
        return [name, "--dataset", self.usual, *self.sizes]

    def on(self, dataset: str | Path, *more: str | Path) -> list[str | Path]:
        """Return the arguments that analyze the usual network with a dataset."""
        return [self.script, "--dataset", dataset, *self.sizes, *more]

    def write(self, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
        """Write a text or bytes and return the path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
        return path

    def folders(self, root: str = "data", **options: Any) -> Path:
        """Write the usual images as class folders; see ``write_folders``."""
        path = self.folder / root
        write_folders(path, self.world.images, self.world.labels, **options)
        return path

    def flat(self, root: str = "images", suffix: str = ".png") -> list[tuple[str, int]]:
        """Write the usual images into one folder, in mixed order, and return the names of the files and their labels."""
        (self.folder / root).mkdir(parents=True, exist_ok=True)
        found = []
        order = np.random.default_rng(3).permutation(len(self.world.labels))
        for number, index in enumerate(order):
            name = f"img_{number:04d}{suffix}"
            Image.fromarray(self.world.images[index]).save(self.folder / root / name)
            found.append((name, int(self.world.labels[index])))
        return found


def write_folders(
    root: Path,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    names: Sequence[str] = CLASSES,
    suffix: str = ".png",
    format: str | None = None,
    change: Callable[[Image.Image], Image.Image] = lambda image: image,
    **options: Any,
) -> None:
    """Write images as one folder per class.

    Args:
        root: The folder.
        images: uint8 (N, H, W, 3).
        labels: The class of each image.
        names: Names of the class folders.
        suffix: Of the files.
        format: Pillow's name of the format, where the suffix does not say it.
        change: What is done to each image first.
        options: For Pillow's ``save``.
    """
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = root / names[label]
        folder.mkdir(parents=True, exist_ok=True)
        change(Image.fromarray(image)).save(folder / f"{number:03d}{suffix}", format, **options)
