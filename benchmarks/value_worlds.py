"""The worlds of ``value.py`` and ``training_costs.py``: images to train on, to analyze and to test on, 64 pixels wide.

A world is named ``KIND:SEED[:IMAGES]``: ``planted``, ``parts`` and ``fields`` are the synthetic families of
``cuesense.planted`` and ``benchmarks/families``; ``photos:a|b|all:IMAGES`` are classes of a folder of photographs;
``mirror`` has pairs of classes that are each other's mirror image, ``twins`` pairs that differ by a small step of hue.
Even seeds and ``photos:a`` are for choosing, odd seeds and the other photographs for measuring.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from budget_worlds import SIDE, gather, images, joined
from families.world import FamilyWorld
from numpy.typing import NDArray
from torch import nn

from cuesense.datasets.load import load_dataset
from cuesense.models.compact import MEAN, STD, build
from cuesense.planted.world import PlantedWorld
from cuesense.training.fit import Images

COUNTS = {"color": 3, "shape": 3, "texture": 3, "redundant": 1, "mixed": 0, "context": 0, "null": 0}
FAMILY_COUNTS = {"color": 3, "shape": 3, "texture": 3, "redundant": 1}
# Images a class: to train on, to analyze, to test on.
TRAIN, ANALYZED, TESTED = 80, 50, 100
# Of the 500 photographs of a class in train/, the first that is analyzed.
_FIRST_ANALYZED = 350
# Channels of the network: half the multiplications of the default, at an accuracy that is as good on photographs.
WIDTHS = (16, 32, 64)

CHOOSING = (
    *("planted:410", "planted:412", "parts:0", "parts:2", "fields:0", "fields:2"),
    *("mirror:0", "twins:0", "photos:a:100", "photos:a:250"),
)
MEASURING = (
    *("planted:411", "planted:413", "planted:415", "planted:417"),
    *("parts:1", "parts:3", "parts:5", "parts:7", "fields:1", "fields:3", "fields:5", "fields:7"),
    *("mirror:1", "mirror:3", "twins:1", "twins:3"),
    *("photos:all:100", "photos:all:200", "photos:b:100", "photos:b:250"),
)

World = tuple[Images, Images, Images, tuple[str, ...]]
_Draw = Callable[[int, np.random.Generator], NDArray[np.float64]]


def world(name: str, cache: Path, photos: Path | None) -> World:
    """Return the images to train on, to analyze and to test on, and the class names; drawn once, then read back."""
    path = cache / f"{name.replace(':', '-')}.pt"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        parts = make(name, photos)
        torch.save([[part.pixels, part.labels] for part in parts[:3]] + [list(parts[3])], path)
    *stored, names = torch.load(path)
    train, analyzed, test = (Images(pixels, labels, MEAN, STD) for pixels, labels in stored)
    return train, analyzed, test, tuple(names)


def network(classes: int, seed: int) -> nn.Module:
    """Return an untrained network whose body works on 16 pixels a side."""
    torch.manual_seed(seed)
    return build(classes, 2 * SIDE, WIDTHS)


def make(name: str, photos: Path | None) -> World:
    """Draw or read the images of a world."""
    kind, which, *rest = name.split(":")
    if kind == "photos":
        return _photographs(which, int(rest[0]), photos)
    if kind in ("mirror", "twins"):
        return _drawn(f"{kind}:{which}", _classes(kind, int(which)))
    return _synthetic(kind, int(which))


def more_to_analyze(name: str, count: int, photos: Path | None) -> Images:
    """Return further images to analyze, of every class, that are in none of the world's parts.

    Of photographs there may be fewer than are asked for: those between the images to train on and the analyzed ones.
    """
    kind, which, *rest = name.split(":")
    if kind == "photos":
        (first, _), _ = _folders(photos)
        trained = int(rest[0])
        return gather(first, _chosen(which), trained, min(trained + count, _FIRST_ANALYZED))
    if kind in ("mirror", "twins"):
        return _part(f"{kind}:{which}", _classes(kind, int(which)), 1, range(ANALYZED, ANALYZED + count))
    held = ANALYZED + TESTED
    return gather(*_held_out(kind, int(which), held + count), held, held + count)


def _synthetic(kind: str, seed: int) -> World:
    train: PlantedWorld | FamilyWorld
    if kind == "planted":
        train = PlantedWorld(seed, "train", TRAIN, SIDE, counts=COUNTS)
    else:
        train = FamilyWorld(kind, seed, SIDE, "train", TRAIN, FAMILY_COUNTS)
    held, classes = _held_out(kind, seed, ANALYZED + TESTED)
    analyzed, test = gather(held, classes, 0, ANALYZED), gather(held, classes, ANALYZED, ANALYZED + TESTED)
    return images(train), analyzed, test, tuple(train.class_names)


def _held_out(kind: str, seed: int, count: int) -> tuple[Images, range]:
    """Return images that are not trained on, as many of every class, and the numbers of the classes."""
    data: PlantedWorld | FamilyWorld
    if kind == "planted":
        data = PlantedWorld(seed, "test", count, SIDE, counts=COUNTS)
    else:
        data = FamilyWorld(kind, seed, SIDE, "test", count, FAMILY_COUNTS)
    return images(data), range(len(data.class_names))


def _photographs(which: str, count: int, photos: Path | None) -> World:
    (first, second), names = _folders(photos)
    chosen = _chosen(which)
    # The same images are analyzed and tested whatever the number to train on.
    train = gather(first, chosen, 0, count)
    analyzed = gather(first, chosen, _FIRST_ANALYZED, _FIRST_ANALYZED + ANALYZED)
    test = joined(gather(first, chosen, 400, 500), gather(second, chosen, 0, 50))
    return train, analyzed, test, tuple(names[place] for place in chosen)


def _folders(photos: Path | None) -> tuple[tuple[Images, Images], tuple[str, ...]]:
    """Return the photographs of train/ and of val/, and the class names."""
    if photos is None:
        raise SystemExit("Give --photos FOLDER.")
    first, second = (load_dataset(str(photos / split)) for split in ("train", "val"))
    return (images(first), images(second)), first.class_names


def _chosen(which: str) -> range:
    return range(12)[{"a": slice(0, None, 2), "b": slice(1, None, 2), "all": slice(None)}[which]]


def _drawn(key: str, classes: dict[str, _Draw]) -> World:
    train, analyzed, test = (
        _part(key, classes, part, range(count)) for part, count in enumerate((TRAIN, ANALYZED, TESTED))
    )
    return train, analyzed, test, tuple(classes)


def _part(key: str, classes: dict[str, _Draw], part: int, numbers: Sequence[int]) -> Images:
    """Return the images with these numbers of every class: of part 0 to train on, of 1 to analyze, of 2 to test on."""
    pixels, labels = [], []
    for label, draw in enumerate(classes.values()):
        for number in numbers:
            rng = np.random.default_rng([*key.encode(), part, label, number])
            pixels.append(_scene(draw(number, rng), rng))
            labels.append(label)
    return Images(torch.from_numpy(np.stack(pixels)), torch.tensor(labels), MEAN, STD)


def _scene(image: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return an image in [0, 1], (H, W, 3), as bytes (3, H, W), under light from one side and with some noise."""
    x, y = _plane()
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 + rng.uniform(0, 0.25) * (np.cos(angle) * x + np.sin(angle) * y)
    noisy = image * light[..., None] + rng.normal(0, 0.03, image.shape)
    return (noisy.clip(0, 1) * 255).round().astype(np.uint8).transpose(2, 0, 1).copy()


def _plane() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coordinates of the pixels, x to the right and y downward, in [-1, 1]."""
    line = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
    x, y = np.meshgrid(line, line)
    return x, y


def _rgb(hue: float, saturation: float, value: float) -> NDArray[np.float64]:
    """Return the RGB color of a hue in turns, (3,)."""
    part = (np.array([5.0, 3.0, 1.0]) + 6 * hue) % 6
    return value - value * saturation * np.clip(np.minimum(part, 4 - part), 0, 1)


def _painted(mask: NDArray[np.float64], rng: np.random.Generator, hue: float | None = None) -> NDArray[np.float64]:
    """Return an object of a hue (random where None) on a ground of a random color that differs from it in lightness."""
    light = rng.random() < 0.5
    values = (rng.uniform(0.75, 0.95), rng.uniform(0.2, 0.45))
    own, ground = values if light or hue is not None else values[::-1]
    front = _rgb(rng.random() if hue is None else hue, rng.uniform(0.5, 0.8), own)
    back = _rgb(rng.random(), rng.uniform(0.0, 0.6), ground)
    weight = mask[..., None]
    return weight * front + (1 - weight) * back


def _placed(rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coordinates in an object of random place and size."""
    x, y = _plane()
    scale = rng.uniform(0.5, 0.75)
    return (x - rng.uniform(-0.25, 0.25)) / scale, (y - rng.uniform(-0.25, 0.25)) / scale


def _soft(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a mask that is 1 where a signed distance is above 0, with a soft edge."""
    return np.clip(distance * 20 + 0.5, 0, 1)


def _stripes(lean: int, periods: float) -> _Draw:
    def draw(_: int, rng: np.random.Generator) -> NDArray[np.float64]:
        x, y = _plane()
        angle = lean * (np.pi / 4 + rng.normal(0, 0.06))
        wave = np.sin(np.pi * periods * (x * np.cos(angle) + y * np.sin(angle)) + rng.uniform(0, 2 * np.pi))
        return _painted(_soft(wave / 4), rng)

    return draw


def _flag(side: int, height: float) -> _Draw:
    """A pole with a flag on one side, at the top or lower."""

    def draw(_: int, rng: np.random.Generator) -> NDArray[np.float64]:
        x, y = _placed(rng)
        pole = np.minimum(0.12 - np.abs(x), 0.9 - np.abs(y))
        cloth = np.minimum(0.35 - np.abs(side * x - 0.4), 0.3 - np.abs(y - height))
        return _painted(_soft(np.maximum(pole, cloth)), rng)

    return draw


def _glyph(shape: int, hue: float | None) -> _Draw:
    """One of five figures, of a hue or of any."""

    def draw(_: int, rng: np.random.Generator) -> NDArray[np.float64]:
        x, y = _placed(rng)
        figures = (
            0.7 - np.hypot(x, y),
            0.62 - np.maximum(np.abs(x), np.abs(y)),
            np.minimum(0.6 - y, 0.75 + y - 1.7 * np.abs(x)),
            np.maximum(np.minimum(0.22 - np.abs(x), 0.8 - np.abs(y)), np.minimum(0.8 - np.abs(x), 0.22 - np.abs(y))),
            0.22 - np.abs(np.hypot(x, y) - 0.6),
        )
        step = 0.0 if hue is None else rng.normal(0, 0.004)
        return _painted(_soft(figures[shape]), rng, None if hue is None else (hue + step) % 1)

    return draw


def _classes(kind: str, seed: int) -> dict[str, _Draw]:
    return _mirror_classes(seed) if kind == "mirror" else _twin_classes(seed)


def _mirror_classes(seed: int) -> dict[str, _Draw]:
    rng = np.random.default_rng([7, seed])
    fine, coarse = rng.uniform(9, 11), rng.uniform(4.5, 6)
    found: dict[str, _Draw] = {}
    for lean, name in ((1, "left"), (-1, "right")):
        found |= {f"fine-{name}": _stripes(lean, fine), f"coarse-{name}": _stripes(lean, coarse)}
        found |= {f"high-flag-{name}": _flag(lean, -0.55), f"low-flag-{name}": _flag(lean, 0.45)}
    return found | {"disk": _glyph(0, None), "cross": _glyph(3, None)}


def _twin_classes(seed: int) -> dict[str, _Draw]:
    rng = np.random.default_rng([8, seed])
    start, step = rng.random(), rng.uniform(0.03, 0.04)
    found: dict[str, _Draw] = {}
    for pair in range(4):
        hue = start + pair / 4
        found |= {f"twin-{pair}-{side}": _glyph(pair, (hue + side * step) % 1) for side in (0, 1)}
    return found | {"ring": _glyph(4, None), "stripes": _stripes(1, rng.uniform(6, 9))}
