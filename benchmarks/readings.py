"""Is the right size and normalization found for weights whose file says nothing?

``PYTHONPATH=. python benchmarks/readings.py --weights FOLDER`` trains 20 small networks on planted images, each at
another size (32 to 224 pixels), normalization, crop or order of channels, saves their bare state dicts in FOLDER (and
takes those that are there), and asks what ``cuesense analyze`` would take without a word from the user, on datasets of
images of all sizes, of one size, and of the training's own. It prints and writes (``--output``) for each network the
accuracy on all test images under the training's own preprocessing, under the one that is assumed from the architecture
alone, and under the one that is taken in the end; and counts:

- right: the accuracy is at most two points below that of the training's own preprocessing;
- said: it is lower, and a warning names a better preprocessing;
- silently wrong: it is lower, and nothing says so.

Training takes some eight minutes on one core, the rest two.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from cuesense.datasets.images import resize_and_crop
from cuesense.planted.world import PlantedWorld
from cuesense.types import Preprocessing, Sample

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5,) * 3, (0.5,) * 3)
UNIT = ((0.0,) * 3, (1.0,) * 3)
BYTES = ((0.0,) * 3, (1 / 255,) * 3)
CIFAR = ((0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616))
CAFFE = ((0.485, 0.456, 0.406), (1 / 255,) * 3)
COUNTS = {"color": 1, "shape": 3, "texture": 4, "redundant": 0, "mixed": 0, "context": 0, "null": 0}
WORLD_SIDE = 112
EPOCHS, BATCH, RATE = 12, 32, 0.004
WITHIN = 0.02


@dataclass(frozen=True)
class Trained:
    """How one network was trained, and what images it is tried on.

    Attributes:
        side: Side of its input in pixels.
        crop: Share of the shorter side that its crop has; 0 resizes whole.
        normalization: Name of the normalization.
        channels: Order of the channels.
        images: ``"all sizes"``, ``"one size"`` (112 pixels), or ``"own"`` (the training's size).
    """

    side: int
    crop: float
    normalization: str
    channels: str
    images: str

    @property
    def name(self) -> str:
        return f"{self.side}-{self.crop:g}-{self.normalization}-{self.channels}-{self.images}".replace(" ", "")

    @property
    def preprocessing(self) -> Preprocessing:
        mean, std = NORMALIZATIONS[self.normalization]
        resize = round(self.side / self.crop) if self.crop else None
        return Preprocessing((self.side, self.side), resize, mean, std, channels=self.channels)


NORMALIZATIONS = {"imagenet": IMAGENET, "half": HALF, "unit": UNIT, "bytes": BYTES, "cifar": CIFAR, "caffe": CAFFE}
NETWORKS = tuple(
    Trained(*row)
    for row in (
        (32, 1.0, "cifar", "rgb", "own"),
        (32, 1.0, "imagenet", "rgb", "all sizes"),
        (32, 0.875, "half", "rgb", "one size"),
        (48, 0.0, "unit", "rgb", "all sizes"),
        (48, 0.875, "bytes", "rgb", "all sizes"),
        (64, 1.0, "imagenet", "rgb", "own"),
        (64, 0.875, "imagenet", "rgb", "all sizes"),
        (64, 0.0, "half", "bgr", "all sizes"),
        (64, 1.0, "unit", "rgb", "one size"),
        (80, 0.875, "imagenet", "rgb", "all sizes"),
        (96, 1.0, "half", "rgb", "own"),
        (96, 0.875, "imagenet", "bgr", "all sizes"),
        (96, 0.0, "bytes", "rgb", "one size"),
        (112, 1.0, "imagenet", "rgb", "one size"),
        (128, 0.875, "imagenet", "rgb", "all sizes"),
        (128, 1.0, "caffe", "bgr", "all sizes"),
        (160, 0.0, "half", "rgb", "all sizes"),
        (192, 0.875, "unit", "rgb", "one size"),
        (224, 0.875, "imagenet", "rgb", "all sizes"),
        (224, 0.0, "half", "rgb", "one size"),
    )
)


def network(classes: int = 8) -> nn.Module:
    """Return a network that takes images of any size: four convolutions and the mean over places."""
    layers: list[nn.Module] = []
    for inputs, outputs in ((3, 24), (24, 32), (32, 48), (48, 64)):
        layers += [nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))


@dataclass(frozen=True)
class Images:
    """Planted images in other sizes (a types.Dataset)."""

    world: PlantedWorld
    kind: str
    own: int

    @property
    def spec(self) -> str:
        return f"{self.world.spec} ({self.kind}, {self.own})"

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.world.class_names

    @property
    def sample_ids(self) -> tuple[str, ...]:
        return tuple(self.world.sample_ids)

    @property
    def labels(self) -> tuple[int, ...]:
        return tuple(self.world.labels)

    @property
    def fingerprint(self) -> str:
        return self.spec

    def __len__(self) -> int:
        return len(self.world)

    def __getitem__(self, index: int) -> Sample:
        sample = rendered(self.world.split, index)
        image = Image.fromarray(np.asarray(sample.image))
        if self.kind == "own":
            image = image.resize((self.own, self.own), Image.Resampling.BILINEAR)
        elif self.kind == "all sizes":
            draw = np.random.default_rng(index)
            longer, shorter = int(draw.integers(112, 200)), float(draw.uniform(0.7, 1))
            # Part of the scene is cut off, as in photographs; nothing is distorted.
            cut = round(WORLD_SIDE * shorter)
            image = image.crop((0, (WORLD_SIDE - cut) // 2, WORLD_SIDE, (WORLD_SIDE - cut) // 2 + cut))
            image = image.resize((longer, round(longer * shorter)), Image.Resampling.BILINEAR)
        return Sample(sample.id, image, sample.label)


@cache
def world(split: Literal["train", "test"]) -> PlantedWorld:
    return PlantedWorld(3, split, 80 if split == "train" else 40, WORLD_SIDE, counts=COUNTS)


@cache
def rendered(split: Literal["train", "test"], index: int) -> Sample:
    """Return a planted image, drawn once for all networks."""
    return world(split)[index]


def batch(pixels: NDArray[np.uint8], read: Preprocessing) -> Tensor:
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (read.mean, read.std))
    normalized = (torch.from_numpy(pixels).float() / 255 - mean) / std
    return normalized.flip(1) if read.channels == "bgr" else normalized


def pixels_of(images: Images, read: Preprocessing) -> NDArray[np.uint8]:
    return np.stack([resize_and_crop(images[index].image, read) for index in range(len(images))])


def accuracy(model: nn.Module, images: Images, read: Preprocessing) -> float:
    pixels, labels = pixels_of(images, read), torch.tensor(images.labels)
    with torch.inference_mode():
        found = torch.cat([model(batch(part, read)).argmax(1) for part in np.array_split(pixels, 8)])
    return float((found == labels).float().mean())


def train(one: Trained, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    images, model = Images(world("train"), one.images, one.side), network()
    pixels, labels = pixels_of(images, one.preprocessing), torch.tensor(images.labels)
    steps = EPOCHS * len(labels) // BATCH
    optimizer = torch.optim.AdamW(model.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps + EPOCHS)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(labels)).split(BATCH):
            given = batch(pixels[rows.numpy()], one.preprocessing)
            loss = nn.functional.cross_entropy(
                model(torch.where(torch.rand(len(rows), 1, 1, 1) < 0.5, given, given.flip(3))), labels[rows]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


if __name__ == "__main__":
    import sys

    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True, parents=True)
    for number, one in enumerate(NETWORKS):
        path = folder / f"{one.name}.pt"
        start = time.time()
        if not path.exists():
            torch.save(train(one, number).state_dict(), path)
        model = network()
        model.load_state_dict(torch.load(path))
        model.eval()
        test = Images(world("test"), one.images, one.side)
        guess = Preprocessing((224, 224), 256, *IMAGENET)
        print(
            one.name,
            f"{accuracy(model, test, one.preprocessing):.3f} {accuracy(model, test, guess):.3f} {time.time() - start:.0f}s",
            flush=True,
        )
