"""The planted world: a dataset whose true cue labels are known because every image is built from them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cuesense.errors import DatasetError, expected
from cuesense.planted.scene import DIRECTIONS, HARMONICS, PERIODS, Cues, Outline, Texture, draw_outline, render
from cuesense.types import CueLabel, Sample

Split = Literal["train", "test"]

_CLASSES_PER_CUE = 4
_OUTLINE_POOL = 128
_RECIPE = 1  # raise it when the images of a seed change: the fingerprint depends on it


def load(argument: str, *, data_root: Path | None = None) -> PlantedWorld:  # noqa: ARG001
    """Return the test images of a planted world.

    Args:
        argument: The world's seed as text, a whole number from 0; empty means 0.
        data_root: Not used: the images are made, not read.

    Returns:
        The world.

    Raises:
        DatasetError: The argument is no such number.
    """
    try:
        seed = int(argument or "0")
    except ValueError:
        raise DatasetError(
            expected("the seed of 'planted:SEED'", "a whole number from 0", f"'{argument}'", "Try planted:0")
        ) from None
    return PlantedWorld(seed=seed)


@dataclass(frozen=True)
class PlantedWorld:
    """Images whose class cues are known by construction (a types.Dataset).

    The seed draws four hues, four outlines and four textures; each is all that the images of one class share. Every
    other cue of an image is drawn anew, so that it tells nothing. An image depends on the seed and its id alone.

    Attributes:
        seed: Which world, from 0.
        split: ``"train"`` or ``"test"``; they share no image.
        images_per_class: Images in each class, at least 1.
        size: Height and width of the images in pixels, at least 32.

    Raises:
        DatasetError: One of these is out of range.
    """

    seed: int = 0
    split: Split = "test"
    images_per_class: int = 60
    size: int = 64

    def __post_init__(self) -> None:
        checks = (
            ("seed", self.seed, "a whole number from 0", self.seed >= 0),
            ("split", self.split, "'train' or 'test'", self.split in get_args(Split)),
            ("images_per_class", self.images_per_class, "at least 1", self.images_per_class >= 1),
            ("size", self.size, "at least 32 pixels", self.size >= 32),
        )
        for name, value, rule, holds in checks:
            if not holds:
                raise DatasetError(expected(f"the planted world's {name}", rule, value, f"Change the {name}"))

    @property
    def spec(self) -> str:
        """What a user would name, for instance ``"planted:0"``."""
        return f"planted:{self.seed}"

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names such as ``"color-0"``, by cue and then by number."""
        return tuple(class_cues(self.seed))

    @property
    def truth(self) -> tuple[CueLabel, ...]:
        """The planted label of every class, in the order of class_names."""
        return tuple(CueLabel(name.partition("-")[0]) for name in self.class_names)

    @cached_property
    def sample_ids(self) -> tuple[str, ...]:
        """Ids such as ``"split-test/color-0/0007"``, class by class."""
        numbers = range(self.images_per_class)
        return tuple(f"split-{self.split}/{name}/{number:04d}" for name in self.class_names for number in numbers)

    @cached_property
    def labels(self) -> tuple[int, ...]:
        """The class index of every sample."""
        return tuple(index for index in range(len(self.class_names)) for _ in range(self.images_per_class))

    @property
    def fingerprint(self) -> str:
        """Hex digest of the recipe, the world, the image size and the ids, which name the labels."""
        content = repr((_RECIPE, self.spec, self.size, self.sample_ids))
        return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.sample_ids)

    def __getitem__(self, index: int) -> Sample:
        """Draw one image."""
        name, label = self.sample_ids[index], self.labels[index]
        cues = class_cues(self.seed)[self.class_names[label]]
        return Sample(name, render(cues, self.size, _generator(f"{self.spec}/{name}")), label)


@cache
def class_cues(seed: int) -> Mapping[str, Cues]:
    """Return what the images of each class have in common.

    Args:
        seed: Which world, from 0.

    Returns:
        One Cues a class, by class name, in the order of PlantedWorld.class_names.
    """
    rng = _generator(f"planted:{seed}/classes")
    hues = _spread(rng)
    periods = PERIODS[0] + (PERIODS[1] - PERIODS[0]) * _spread(rng)
    textures = map(Texture, rng.permutation(DIRECTIONS).tolist(), periods.tolist())
    return (
        {f"color-{i}": Cues(hue=hue) for i, hue in enumerate(hues.tolist())}
        | {f"shape-{i}": Cues(outline=outline) for i, outline in enumerate(_unlike_outlines(rng))}
        | {f"texture-{i}": Cues(texture=texture) for i, texture in enumerate(textures)}
    )


def _generator(key: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.blake2b(key.encode(), digest_size=16).digest(), "little"))


def _spread(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return one number a class in [0, 1), equally far from each other."""
    return (np.arange(_CLASSES_PER_CUE) + rng.random()) / _CLASSES_PER_CUE


def _unlike_outlines(rng: np.random.Generator) -> list[Outline]:
    """Draw a pool of outlines and choose, one after the other, the one most unlike those already chosen."""
    pool = [draw_outline(rng) for _ in range(_OUTLINE_POOL)]
    chosen = pool[:1]
    while len(chosen) < _CLASSES_PER_CUE:
        chosen.append(max(pool, key=lambda outline: min(_unlikeness(outline, other) for other in chosen)))
    return chosen


def _unlikeness(one: Outline, other: Outline) -> float:
    """Return the squared distance of two outlines at the turn that matches them best, up to a constant."""
    product = np.array(one.coefficients) * np.conj(other.coefficients)
    turns = np.exp(1j * np.outer(np.linspace(0, 2 * np.pi, 72, endpoint=False), HARMONICS))
    return -float((turns @ product).real.max())
