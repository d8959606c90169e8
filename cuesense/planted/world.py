"""The planted world: a dataset of synthetic images whose class cues are known by construction."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from cuesense.errors import DatasetError, SplitError, expected
from cuesense.planted.classes import COUNTS, MOST_OF_A_CUE, PlantedClass, build_classes, cue_counts, family, generator
from cuesense.planted.scene import Cues, render
from cuesense.types import Cue, CueVerdict, Sample

Split = Literal["train", "test"]

# Bounds that keep a typing error from filling the memory; chosen by hand.
_LARGEST_SIDE = 4096
_MOST_IMAGES = 100_000
_MOST_CLASSES = 1000
# In a long-tailed world the rarest class has a fifth of the images of the most frequent one.
_RARE = 5
# Share of a redundant class's training images that show all of its cues: without such images the cues would never
# occur together, with only such images a network learns the easiest cue alone.
_TOGETHER = 0.2
_FIELDS = {
    Cue.COLOR: ("hue", "ground_hue"),
    Cue.SHAPE: ("outline",),
    Cue.TEXTURE: ("texture", "ground_texture"),
}
# Raise it when the images of a seed change: the fingerprint depends on it, so that old results are not resumed.
_RECIPE = 3


def load(
    argument: str,
    *,
    data_root: Path | None = None,  # noqa: ARG001 (the signature of every dataset)
    split: str | None = None,
    download: bool = False,
) -> PlantedWorld:
    """Return a planted world from its spec.

    Args:
        argument: The seed, then options, separated by commas: ``"7,size=128,cluttered,mixed=0"``. Options are
            ``size=N``, ``images=N``, ``split=train``, ``cluttered``, ``long-tailed`` and ``KIND=N`` for the number of
            classes of a kind. Empty means seed 0.
        data_root: Not used: the images are made, not read.
        split: ``"train"`` or ``"test"``, where the argument does not say it.
        download: Refused: there is nothing to fetch.

    Returns:
        The world; the test images unless the split says otherwise.

    Raises:
        SplitError: There is no such split, or the argument says another.
        DatasetError: The argument is no such text.
    """
    if download:
        do = "Leave it out"
        raise DatasetError(expected("--download", "left out for planted worlds, which are made, not read", "it", do))
    seed, *options = argument.split(",")
    known: dict[str, Any] = {"seed": _number("the seed of 'planted:SEED'", seed or "0"), "counts": {}}
    twice = [name for name, times in Counter(option.partition("=")[0] for option in options).items() if times > 1]
    if twice:
        raise DatasetError(expected("each option of 'planted:SEED'", "given once", f"{twice[0]} twice", "Remove one"))
    for option in options:
        name, given, value = option.partition("=")
        if name in ("cluttered", "long-tailed") and not given:
            known[name.replace("-", "_")] = True
        elif name == "split":
            known["split"] = value
        elif name in ("size", "images"):
            known[{"size": "size", "images": "images_per_class"}[name]] = _number(name, value)
        else:
            _check_kind(name, option)
            known["counts"][name] = _number(name, value)
    if split is not None:
        known["split"] = _split(split, known.get("split"))
    return PlantedWorld(**known)


def _split(split: str, named: str | None) -> str:
    if split not in get_args(Split) or named not in (None, split):
        to_be = "'train' or 'test' for planted worlds" if named is None else f"left out beside 'split={named}'"
        raise SplitError(expected("--split", to_be, f"'{split}'", "Change it"))
    return split


@dataclass(frozen=True)
class PlantedWorld:
    """Synthetic images whose class cues are known by construction (a types.Dataset).

    The seed decides hues, outlines and textures; the images of a class share some of them, and every other cue of an
    image is random, so that it carries no information about the class. Kinds of classes, with the right verdict on
    their cue:

    - ``color``, ``shape``, ``texture``: one cue identifies the class.
    - ``redundant``: each of two or three cues suffices. Four of five training images keep only one of them, chosen
      at random for each, so that a network has to learn every one; the others and all test images show all.
    - ``mixed``: four classes for the combinations of two values of one cue with two of another; both are needed.
    - ``context``: the background's color or texture identifies the class, the object does not; the verdict is that cue.
    - ``null``: pairs of classes with the same cues, so that nothing distinguishes one from the other: undetermined.

    An image depends on the seed and its id (and the cues' numbers on the counts); at every size it is the same scene.

    Attributes:
        seed: Which world, from 0. Even and odd seeds use different families of outlines and textures.
        split: ``"train"`` or ``"test"``; they share no image.
        images_per_class: Images in each class, at least 1.
        size: Height and width of the images in pixels, at least 32.
        cluttered: Scatter small objects over the background.
        long_tailed: The classes' numbers of images fall geometrically, in an order that the seed decides, to a fifth.
        counts: Classes of each kind; what is not named is as in COUNTS. Mixed classes come by four, null ones by two.
        redrawn: Cues that are random in every image although they are a class's: counterfactual images, which show
            what a network really relies on.

    Raises:
        DatasetError: One of these is out of range.
    """

    seed: int = 0
    split: Split = "test"
    images_per_class: int = 60
    size: int = 64
    cluttered: bool = False
    long_tailed: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)
    redrawn: tuple[Cue, ...] = ()

    def __post_init__(self) -> None:
        cues = isinstance(self.redrawn, Iterable) and all(cue in tuple(Cue) for cue in self.redrawn)
        checks = (
            ("seed", "a whole number from 0", _whole(self.seed, 0, None)),
            ("split", "'train' or 'test'", self.split in get_args(Split)),
            ("images_per_class", f"from 1 to {_MOST_IMAGES:,}", _whole(self.images_per_class, 1, _MOST_IMAGES)),
            ("size", f"from 32 to {_LARGEST_SIDE} pixels", _whole(self.size, 32, _LARGEST_SIDE)),
            ("counts", "numbers by kind of class", isinstance(self.counts, Mapping)),
            ("redrawn", "some of the cues", cues),
        )
        for name, rule, holds in checks:
            if not holds:
                got = repr(getattr(self, name))
                raise DatasetError(expected(f"the planted world's {name}", rule, got, f"Change the {name}"))
        for name, count in self.counts.items():
            _check_count(name, count)
        wanted = cue_counts(self.seed, self._counts)
        if sum(wanted.values()) == 0 or max(wanted.values()) > MOST_OF_A_CUE:
            got = ", ".join(f"{number} of {cue}" for cue, number in wanted.items())
            rule = f"from 1 to {MOST_OF_A_CUE} values of a cue"
            raise DatasetError(expected("the planted world's classes", rule, got, "Change their numbers"))

    @property
    def spec(self) -> str:
        """What a user would name, for instance ``"planted:0"`` or ``"planted:7,size=128"``."""
        options = [f"size={self.size}"] * (self.size != 64) + [f"split={self.split}"] * (self.split != "test")
        options += [f"images={self.images_per_class}"] * (self.images_per_class != 60)
        options += ["cluttered"] * self.cluttered + ["long-tailed"] * self.long_tailed
        options += [f"{kind}={count}" for kind, count in sorted(self.counts.items()) if count != COUNTS[kind]]
        return ",".join([f"planted:{self.seed}", *options])

    @cached_property
    def classes(self) -> tuple[PlantedClass, ...]:
        """The classes with their cues."""
        return build_classes(self.seed, self.size, self._counts)

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
        return tuple(
            f"split-{self.split}/{name}/{number:04d}"
            for name, images in zip(self.class_names, self._images(), strict=True)
            for number in range(images)
        )

    @cached_property
    def labels(self) -> tuple[int, ...]:
        """The class index of every sample."""
        return tuple(index for index, images in enumerate(self._images()) for _ in range(images))

    @property
    def fingerprint(self) -> str:
        """Hex digest of the recipe, the world, what is redrawn and the ids, which name the labels."""
        content = repr((_RECIPE, self.spec, self.size, self.redrawn, self.sample_ids))
        return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.sample_ids)

    def __getitem__(self, index: int) -> Sample:
        """Draw one image."""
        name, label = self.sample_ids[index], self.labels[index]
        rng = generator(f"planted:{self.seed}/{name}")
        cues = self._shown(self.classes[label], rng)
        return Sample(name, render(cues, self.size, family(self.seed), rng, cluttered=self.cluttered), label)

    @property
    def _counts(self) -> dict[str, int]:
        return {**COUNTS, **self.counts}

    def _images(self) -> list[int]:
        classes = len(self.class_names)
        if not self.long_tailed or classes == 1:
            return [self.images_per_class] * classes
        rank = generator(f"planted:{self.seed}/tail").permutation(classes) / (classes - 1)
        images = np.maximum(1, np.rint(self.images_per_class * float(_RARE) ** -rank))
        return [int(number) for number in images]

    def _shown(self, member: PlantedClass, rng: np.random.Generator) -> Cues:
        """Return a class's cues without those that are redrawn or, in redundant training images, left out."""
        kept: tuple[Cue, ...] = member.carriers
        if member.truth is CueVerdict.REDUNDANT and self.split == "train":
            alone = rng.random() >= _TOGETHER
            kept = (kept[rng.integers(len(kept))],) if alone else kept
        gone = {cue for cue in Cue if cue not in kept or cue in self.redrawn}
        return replace(member.cues, **{name: None for cue in gone for name in _FIELDS[cue]})


def _number(what: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        do = "Try planted:0 or planted:7,size=128,cluttered"
        raise DatasetError(expected(what, "a whole number", f"'{value}'", do)) from None


def _check_kind(kind: str, option: str) -> None:
    if kind not in COUNTS:
        known = ", ".join(("size", "images", "split", "cluttered", "long-tailed", *COUNTS))
        raise DatasetError(expected("an option of 'planted:SEED'", f"one of {known}", f"'{option}'", "Correct it"))


def _check_count(kind: str, count: int) -> None:
    _check_kind(kind, kind)
    step = {"mixed": 4, "null": 2}.get(kind, 1)
    if not _whole(count, 0, _MOST_CLASSES) or count % step:
        rule = f"from 0 to {_MOST_CLASSES}" if step == 1 else f"a multiple of {step} up to {_MOST_CLASSES}"
        raise DatasetError(expected(f"the planted world's {kind} classes", rule, repr(count), "Change it"))


def _whole(value: object, low: int, high: int | None) -> bool:
    number = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return number and low <= value and (high is None or value <= high)  # type: ignore[operator]
