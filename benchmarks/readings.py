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

``--held-out`` does the same for six others, which were kept back while the search was made; in the table they stand
beside the 20. Training takes some eight minutes on one core, the rest two.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from cuesense.datasets.images import resize_and_crop
from cuesense.datasets.own_size import own_size
from cuesense.inference.options import RunOptions
from cuesense.inference.reading_candidates import described
from cuesense.inference.readings import find_readings
from cuesense.models.load import load_classifier
from cuesense.models.preprocessing import AS_CARRIED
from cuesense.models.preprocessing import IMAGENET as IMAGENET_PREPROCESSING
from cuesense.planted.world import PlantedWorld
from cuesense.types import Preprocessing, Sample
from cuesense.workflows.readings import settled

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
        """Name of its file."""
        return f"{self.side}-{self.crop:g}-{self.normalization}-{self.channels}-{self.images}".replace(" ", "")

    @property
    def preprocessing(self) -> Preprocessing:
        """How it was trained to take images."""
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

# Kept back while the search was made, with seeds of their own. They were measured with two versions of it, that which
# tells readings apart by counts and that by losses, with the same six verdicts; nothing was tuned on them.
HELD_OUT = tuple(
    Trained(*row)
    for row in (
        (48, 1.0, "caffe", "bgr", "all sizes"),
        (40, 0.875, "bytes", "bgr", "all sizes"),
        (56, 0.0, "cifar", "rgb", "one size"),
        (72, 0.875, "half", "rgb", "all sizes"),
        (88, 1.0, "imagenet", "bgr", "one size"),
        (104, 0.875, "unit", "rgb", "all sizes"),
    )
)
HELD_OUT_SEEDS = 100


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
        """What it is."""
        return f"{self.world.spec} ({self.kind}, {self.own})"

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.world.class_names

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Ids of the images."""
        return tuple(self.world.sample_ids)

    @property
    def labels(self) -> tuple[int, ...]:
        """Class of each image."""
        return tuple(self.world.labels)

    @property
    def fingerprint(self) -> str:
        """What tells it from others."""
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
    """Return the images of a split."""
    return PlantedWorld(3, split, 80 if split == "train" else 40, WORLD_SIDE, counts=COUNTS)


@cache
def rendered(split: Literal["train", "test"], index: int) -> Sample:
    """Return a planted image, drawn once for all networks."""
    return world(split)[index]


def batch(pixels: NDArray[np.uint8], read: Preprocessing) -> Tensor:
    """Return a normalized batch."""
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (read.mean, read.std))
    normalized = (torch.from_numpy(pixels).float() / 255 - mean) / std
    return normalized.flip(1) if read.channels == "bgr" else normalized


def pixels_of(images: Images, read: Preprocessing) -> NDArray[np.uint8]:
    """Return all images at one size, (N, 3, H, W)."""
    return np.stack([resize_and_crop(images[index].image, read) for index in range(len(images))])


def accuracy(model: nn.Module, images: Images, read: Preprocessing) -> float:
    """Return the share of all images that are recognized."""
    pixels, labels = pixels_of(images, read), torch.tensor(images.labels)
    with torch.inference_mode():
        found = torch.cat([model(batch(part, read)).argmax(1) for part in np.array_split(pixels, 8)])
    return float((found == labels).float().mean())


def train(one: Trained, seed: int) -> nn.Module:
    """Return a trained network."""
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


@dataclass(frozen=True)
class Row:
    """What was found for one network; accuracies are of all test images, seconds of one core for the search."""

    network: str
    held_out: bool
    own: float
    assumed: float
    taken: float
    reading: str
    tried: int
    seconds: float
    verdict: str


def measured(one: Trained, weights: Path, *, held_out: bool) -> Row:
    """Ask what would be taken for one network without a word from the user."""
    test, model = Images(world("test"), one.images, one.side), network()
    loaded = load_classifier(
        str(weights), arch="python:benchmarks.readings:network", own_size=own_size(test), images=AS_CARRIED
    )
    model.load_state_dict(torch.load(weights))
    start = time.process_time()
    readings = find_readings(loaded, test, range(len(test.class_names)), RunOptions(batch_size=32))
    seconds = time.process_time() - start
    taken = settled(loaded, readings)
    right, found = accuracy(model.eval(), test, one.preprocessing), accuracy(model, test, taken.preprocessing)
    named = [warning for warning in taken.warnings if "--" in warning and taken.preprocessing == loaded.preprocessing]
    verdict = "right" if found >= right - WITHIN else "said" if named else "silently wrong"
    return Row(
        network=one.name,
        held_out=held_out,
        own=round(right, 4),
        assumed=round(accuracy(model, test, IMAGENET_PREPROCESSING), 4),
        taken=round(found, 4),
        reading=described(taken.preprocessing),
        tried=0 if readings is None else len(readings.tried),
        seconds=round(seconds, 1),
        verdict=verdict,
    )


def write(output: Path, rows: Sequence[Row]) -> None:
    """Write the table after each network, so that what was measured stays; rows of the other networks are kept."""
    names = [field.name for field in fields(Row)]
    others: list[dict[str, Any]] = []
    if output.exists():
        with output.open(newline="", encoding="utf-8") as file:
            others = [row for row in csv.DictReader(file) if row.get("held_out") == str(not rows[0].held_out)]
    measured_now = [asdict(row) for row in rows]
    with output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows([*measured_now, *others] if not rows[0].held_out else [*others, *measured_now])


def main() -> None:
    """Train what is not there yet, measure all, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="folder of the trained networks")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/readings.csv"), help="the table")
    parser.add_argument("--held-out", action="store_true", help="the six networks that were kept back")
    given = parser.parse_args()
    networks, seeds = (HELD_OUT, HELD_OUT_SEEDS) if given.held_out else (NETWORKS, 0)
    torch.set_num_threads(1)
    given.weights.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, one in enumerate(networks, seeds):
        path = given.weights / f"{one.name}.pt"
        if not path.exists():
            torch.save(train(one, number).state_dict(), path)
        rows.append(measured(one, path, held_out=given.held_out))
        print(rows[-1], flush=True)
        write(given.output, rows)
    counts = Counter(row.verdict for row in rows)
    exact = sum(str(one.side) in row.reading.split(",")[0].split() for one, row in zip(networks, rows, strict=True))
    assumed = sum(row.assumed >= row.own - WITHIN for row in rows)
    print(f"{len(rows)} networks: {dict(counts)}; the exact size {exact}; the architecture's alone right {assumed}")


if __name__ == "__main__":
    main()
