"""Datasets of the families "parts" and "fields": images whose class cues are known by construction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cuesense.planted.classes import generator
from cuesense.types import Cue, CueVerdict, Sample

from . import fields, parts
from .looks import FamilyClass, Look, choose_figures, choose_hues, choose_patterns
from .scene import Place

FAMILIES = ("parts", "fields")
# Kinds of classes, and how many of each there are where no number is given.
COUNTS: Mapping[str, int] = MappingProxyType(
    {"color": 3, "shape": 3, "texture": 3, "redundant": 4, "mixed": 4, "exclusive": 2, "context": 2}
)
# Closer hues than these many around the circle could be confused by their jitter.
MOST_HUES = 12

_CUES = (Cue.COLOR, Cue.SHAPE, Cue.TEXTURE)
_PAIRS = ((Cue.COLOR, Cue.SHAPE), (Cue.COLOR, Cue.TEXTURE), (Cue.SHAPE, Cue.TEXTURE))
_STEP = {"mixed": 4, "exclusive": 2}
# Share of a redundant class's training images that show all of its cues, as in planted worlds.
_TOGETHER = 0.2


@dataclass(frozen=True)
class World(ABC):
    """What all worlds of this package share: a dataset (types.Dataset) whose images depend on a text alone.

    Attributes:
        seed: Which world, from 0: even for choosing, odd for measuring.
        size: Height and width of the images in pixels, at least 32.
        split: ``"train"`` or ``"test"``; they share no image.
        images_per_class: Images in each class.
        redrawn: Cues that are random in every image although they are a class's: counterfactual images, which show
            what a network really relies on.
    """

    seed: int = 0
    size: int = 64
    split: Literal["train", "test"] = "test"
    images_per_class: int = 60
    redrawn: tuple[Cue, ...] = ()

    @property
    @abstractmethod
    def key(self) -> str:
        """The text that, with an image's id, decides the image: family or kind, and seed."""

    @property
    @abstractmethod
    def classes(self) -> tuple[FamilyClass, ...]:
        """The classes with their looks."""

    @abstractmethod
    def drawn(self, member: FamilyClass, look: Look, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Draw one image (H, W, 3) with what a look fixes."""

    @property
    def spec(self) -> str:
        """The world in words."""
        return f"{self.key},size={self.size},split={self.split},images={self.images_per_class}"

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names such as ``"color-0"``, by kind and then by number."""
        return tuple(member.name for member in self.classes)

    @property
    def truth(self) -> tuple[CueVerdict, ...]:
        """The right verdict on the cue of every class, in the order of class_names."""
        return tuple(member.truth for member in self.classes)

    @cached_property
    def sample_ids(self) -> tuple[str, ...]:
        """Ids such as ``"split-test/color-0/0007"``, class by class."""
        numbers = range(self.images_per_class)
        return tuple(f"split-{self.split}/{name}/{number:04d}" for name in self.class_names for number in numbers)

    @cached_property
    def labels(self) -> tuple[int, ...]:
        """The class index of every sample."""
        return tuple(index for index in range(len(self.classes)) for _ in range(self.images_per_class))

    @property
    def fingerprint(self) -> str:
        """A text that differs where images do; part of types.Dataset."""
        return repr((self.spec, self.redrawn, self.class_names))

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    def __getitem__(self, index: int) -> Sample:
        """Draw one image."""
        name, member = self.sample_ids[index], self.classes[self.labels[index]]
        rng = generator(f"families:{self.key}/{name}")
        look = member.looks[rng.integers(len(member.looks))].only(self._kept(member, rng))
        return Sample(name, self.drawn(member, look, rng), self.labels[index])

    def _kept(self, member: FamilyClass, rng: np.random.Generator) -> list[Cue]:
        """Return the cues that are shown: not what is redrawn, nor what most training images of a class leave out."""
        kept = member.carriers
        if member.truth is CueVerdict.REDUNDANT and self.split == "train" and rng.random() >= _TOGETHER:
            kept = (kept[rng.integers(len(kept))],)
        return [cue for cue in kept if cue not in self.redrawn]


@dataclass(frozen=True)
class FamilyWorld(World):
    """Synthetic images of one of two families, with the kinds of classes of ``PlantedWorld``.

    - ``color``, ``shape``, ``texture``: one cue identifies the class.
    - ``redundant``: each of two or three cues suffices; four of five training images show only one of them.
    - ``mixed``: four classes for the combinations of two values of one cue with two of another.
    - ``exclusive``: two classes; the first has the first values of two cues or the second ones, the other class the
      first of one and the second of the other: no value of one cue says anything. Truth: mixed.
    - ``context``: the background's color or texture identifies the class.

    Every cue that a class does not fix is random in each image.

    Attributes:
        family: ``"parts"`` (composed objects, filled or outlined; drawn lines and tiles) or ``"fields"`` (soft
            silhouettes; noise and warped waves, often over the whole frame; colored light). Odd seeds have other
            outlines, textures and light than even ones.
        counts: Classes of each kind, none of a kind that is not named; COUNTS where nothing is.

    Raises:
        ValueError: The family or a kind is unknown, or the classes need more hues than there are.
    """

    family: str = "parts"
    counts: Mapping[str, int] = field(default_factory=dict)

    def __init__(
        self,
        family: str = "parts",
        seed: int = 0,
        size: int = 64,
        split: Literal["train", "test"] = "test",
        images_per_class: int = 60,
        counts: Mapping[str, int] = MappingProxyType({}),
        redrawn: tuple[Cue, ...] = (),
    ) -> None:
        values = (("family", family), ("seed", seed), ("size", size), ("split", split), ("redrawn", redrawn))
        for name, value in (*values, ("images_per_class", images_per_class), ("counts", dict(counts or COUNTS))):
            object.__setattr__(self, name, value)
        if family not in FAMILIES:
            raise ValueError(f"Expected the family to be one of {FAMILIES}, but got {family!r}.")
        _check_counts(self.counts)

    @property
    def key(self) -> str:
        """The text that, with an image's id, decides the image."""
        return f"{self.family}:{self.seed}"

    @property
    def spec(self) -> str:
        """The world in words."""
        return ",".join([super().spec, *(f"{kind}={count}" for kind, count in sorted(self.counts.items()))])

    @property
    def classes(self) -> tuple[FamilyClass, ...]:
        """The classes with their looks."""
        return build_classes(self.family, self.seed, self.size, tuple(sorted(self.counts.items())))

    def drawn(self, member: FamilyClass, look: Look, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Draw one image (H, W, 3) with what a look fixes."""
        place = Place(self.family, self.seed, self.size, rng)
        scene = {"parts": parts, "fields": fields}[self.family]
        return scene.render(look, place, context=member.context)


def _check_counts(counts: Mapping[str, int]) -> None:
    for kind, count in counts.items():
        if kind not in COUNTS:
            raise ValueError(f"Expected a kind of class to be one of {tuple(COUNTS)}, but got {kind!r}.")
        if count < 0 or count % _STEP.get(kind, 1):
            rule = f"a multiple of {_STEP.get(kind, 1)} from 0"
            raise ValueError(f"Expected the number of {kind} classes to be {rule}, but got {count}.")
    if sum(counts.values()) == 0:
        raise ValueError("Expected a world to have classes, but got none.")


def _plan(seed: int, counts: Mapping[str, int]) -> list[tuple[str, tuple[Cue, ...]]]:
    """Return kind and carriers of every group of classes; groups leave color out once the hues are used up."""
    combinations: tuple[tuple[Cue, ...], ...] = (*_PAIRS, _CUES)
    left = MOST_HUES
    plan: list[tuple[str, tuple[Cue, ...]]] = []
    wanted: list[tuple[str, tuple[Cue, ...]]] = [(k.value, (k,)) for k in _CUES for _ in range(counts.get(k.value, 0))]
    wanted += [("context", ((Cue.COLOR, Cue.TEXTURE)[i % 2],)) for i in range(counts.get("context", 0))]
    wanted += [("redundant", combinations[(seed + i) % 4]) for i in range(counts.get("redundant", 0))]
    for kind in ("mixed", "exclusive"):
        wanted += [(kind, _PAIRS[(seed + i) % 3]) for i in range(counts.get(kind, 0) // _STEP[kind])]
    for kind, carriers in wanted:
        needed = (Cue.COLOR in carriers) * (2 if kind in _STEP else 1)
        spared = needed > left and len(carriers) > 1
        plan.append((kind, (Cue.SHAPE, Cue.TEXTURE) if spared else carriers))
        left -= 0 if spared else needed
    if left < 0:
        raise ValueError(f"Expected at most {MOST_HUES} classes by color, but got {MOST_HUES - left}.")
    return plan


@cache
def build_classes(family: str, seed: int, size: int, counts: tuple[tuple[str, int], ...]) -> tuple[FamilyClass, ...]:
    """Return the classes of a world, equal for equal arguments.

    Args:
        family: ``"parts"`` or ``"fields"``.
        seed: Which world.
        size: Side of the images in pixels, which bounds how fine a texture can be.
        counts: Kinds and their numbers of classes.

    Returns:
        The classes, kind by kind.
    """
    plan = _plan(seed, dict(counts))
    rng = generator(f"families:{family}:{seed}/looks")
    number = {cue: sum((cue in carriers) * (2 if kind in _STEP else 1) for kind, carriers in plan) for cue in _CUES}
    supply: dict[Cue, Iterator[Look]] = {
        Cue.COLOR: (Look(hue=hue) for hue in choose_hues(rng, number[Cue.COLOR])),
        Cue.SHAPE: (Look(figure=figure) for figure in choose_figures(rng, family, seed, number[Cue.SHAPE])),
        Cue.TEXTURE: (Look(pattern=one) for one in choose_patterns(rng, family, seed, size, number[Cue.TEXTURE])),
    }
    classes: list[FamilyClass] = []
    for kind, carriers in plan:
        first = sum(member.name.startswith(f"{kind}-") for member in classes)
        classes += _group(kind, first, carriers, supply)
    return tuple(classes)


def _group(kind: str, first: int, carriers: tuple[Cue, ...], supply: Mapping[Cue, Iterator[Look]]) -> list[FamilyClass]:
    if kind in _STEP:
        one, other = ([next(supply[cue]) for _ in range(2)] for cue in carriers)
        both = [[a.joined(b) for b in other] for a in one]
        looks = [(both[0][0],), (both[0][1],), (both[1][0],), (both[1][1],)]
        if kind == "exclusive":
            looks = [looks[0] + looks[3], looks[1] + looks[2]]
        return [FamilyClass(f"{kind}-{first + i}", CueVerdict.MIXED, carriers, look) for i, look in enumerate(looks)]
    look = Look()
    for cue in carriers:
        look = look.joined(next(supply[cue]))
    context = kind == "context"
    truth = CueVerdict(carriers[0].value if context else kind)
    return [FamilyClass(f"{kind}-{first}", truth, carriers, (look,), context)]
