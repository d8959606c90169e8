"""The classes of a synthetic dataset: which cues each has, and which verdict on its cue is right."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

import numpy as np

from cuesense.planted.outlines import Family, Outline, choose_unlike, draw_outline
from cuesense.planted.scene import Cues
from cuesense.planted.textures import PATTERNS, Texture, periods
from cuesense.types import Cue, CueVerdict

# Classes of each kind by default: two or more, so that a figure for a kind is not that of one class.
COUNTS: Mapping[str, int] = MappingProxyType(
    {"color": 3, "shape": 3, "texture": 3, "redundant": 4, "mixed": 4, "context": 2, "null": 2}
)
# The number of textures of a family: four patterns at three periods. Hues and outlines have the same limit.
MOST_OF_A_CUE = 12

_CUES = (Cue.COLOR, Cue.SHAPE, Cue.TEXTURE)
_PAIRS = ((Cue.COLOR, Cue.SHAPE), (Cue.COLOR, Cue.TEXTURE), (Cue.SHAPE, Cue.TEXTURE))
# Candidates among which the most unlike outlines are chosen; chosen by hand, and part of the recipe of the images.
_OUTLINE_POOL = 128


@dataclass(frozen=True)
class PlantedClass:
    """One class of a planted world, a synthetic dataset.

    Attributes:
        name: Its kind and number, for instance ``"mixed-2"``.
        truth: The cue verdict that an analysis of a network that learned the class's cues should give.
        cues: What its images have in common.
        carriers: The cues that identify the class, alone or together.
    """

    name: str
    truth: CueVerdict
    cues: Cues
    carriers: tuple[Cue, ...]


@dataclass
class _Supply:
    """The hues, outlines and textures of one world, each handed out once."""

    hues: Iterator[float]
    outlines: Iterator[Outline]
    textures: Iterator[Texture]

    def take(self, cue: Cue) -> Cues:
        if cue is Cue.COLOR:
            return Cues(hue=next(self.hues))
        if cue is Cue.SHAPE:
            return Cues(outline=next(self.outlines))
        return Cues(texture=next(self.textures))


def family(seed: int) -> Family:
    """Return the family of a world's outlines and textures: ``"waves"`` for even seeds, ``"corners"`` for odd ones."""
    return "corners" if seed % 2 else "waves"


def build_classes(seed: int, size: int, counts: Mapping[str, int]) -> tuple[PlantedClass, ...]:
    """Return the classes of a world, kind by kind.

    Args:
        seed: Which world.
        size: Side of the images in pixels, which bounds how fine a texture can be.
        counts: Classes of each kind of COUNTS.

    Returns:
        The classes; equal for equal arguments.
    """
    return _build_classes(seed, size, tuple(sorted(counts.items())))


def cue_counts(seed: int, counts: Mapping[str, int]) -> dict[Cue, int]:
    """Return how many hues, outlines and textures the classes of a world use.

    Args:
        seed: Which world.
        counts: Classes of each kind of COUNTS.

    Returns:
        For each cue, the number of its values.
    """
    every = [cue for *_, carriers, each in _plan(seed, counts) for cue in carriers for _ in range(each)]
    return {cue: every.count(cue) for cue in _CUES}


def generator(key: str) -> np.random.Generator:
    """Return a random generator that depends on a text alone."""
    return np.random.default_rng(int.from_bytes(hashlib.blake2b(key.encode(), digest_size=16).digest(), "little"))


def _plan(seed: int, counts: Mapping[str, int]) -> list[tuple[str, int, tuple[Cue, ...], int]]:
    """Return kind, number, carriers and how many values of each carrier it uses, for every group of classes."""
    combinations: tuple[tuple[Cue, ...], ...] = (*_PAIRS, _CUES)
    plan: list[tuple[str, int, tuple[Cue, ...], int]] = []
    plan += [(kind.value, i, (kind,), 1) for kind in _CUES for i in range(counts[kind.value])]
    plan += [("redundant", i, combinations[i % 4], 1) for i in range(counts["redundant"])]
    plan += [("mixed", i, _PAIRS[(seed + i) % 3], 2) for i in range(counts["mixed"] // 4)]
    plan += [("context", i, ((Cue.COLOR, Cue.TEXTURE)[i % 2],), 1) for i in range(counts["context"])]
    return plan + [("null", i, (_CUES[(seed + i) % 3],), 1) for i in range(counts["null"] // 2)]


@cache
def _build_classes(seed: int, size: int, counts: tuple[tuple[str, int], ...]) -> tuple[PlantedClass, ...]:
    supply = _supply(seed, size, cue_counts(seed, dict(counts)))
    groups = (_group(supply, kind, number, carriers) for kind, number, carriers, _ in _plan(seed, dict(counts)))
    return tuple(member for group in groups for member in group)


def _supply(seed: int, size: int, wanted: Mapping[Cue, int]) -> _Supply:
    rng = generator(f"planted:{seed}/cues")
    colors = wanted[Cue.COLOR]
    # Equally spaced around the circle, from a random start: no two classes can be alike by chance.
    hues = (rng.permutation(colors) + rng.random()) / max(colors, 1)
    pool = [draw_outline(rng, family(seed), ("global", "local")[i % 2]) for i in range(_OUTLINE_POOL)]
    outlines = choose_unlike(pool, wanted[Cue.SHAPE])
    shuffled = [outlines[i] for i in rng.permutation(len(outlines))]
    return _Supply(iter(hues.tolist()), iter(shuffled), iter(_textures(rng, family(seed), size)))


def _textures(rng: np.random.Generator, kind: Family, size: int) -> list[Texture]:
    """Return every pattern of a family at each of three periods, in random order."""
    every = [Texture(pattern, period) for pattern in PATTERNS[kind] for period in periods(size)]
    # Periods vary by 5 %, so that no world has the very textures of another; the three stay well apart.
    return [replace(every[i], period=every[i].period * rng.uniform(0.95, 1.05)) for i in rng.permutation(len(every))]


def _group(supply: _Supply, kind: str, number: int, carriers: tuple[Cue, ...]) -> list[PlantedClass]:
    if kind == "mixed":
        return _conjunctions(supply, number, carriers)
    cues = Cues()
    for cue in carriers:
        cues = _joined(cues, supply.take(cue))
    if kind == "null":
        return [PlantedClass(f"null-{2 * number + i}", CueVerdict.UNDETERMINED, cues, carriers) for i in range(2)]
    if kind == "context":
        ground = Cues(ground_hue=cues.hue, ground_texture=cues.texture)
        return [PlantedClass(f"context-{number}", CueVerdict(carriers[0].value), ground, carriers)]
    return [PlantedClass(f"{kind}-{number}", CueVerdict(kind), cues, carriers)]


def _conjunctions(supply: _Supply, number: int, carriers: tuple[Cue, ...]) -> list[PlantedClass]:
    """Return four classes, one for each combination of two values of one cue with two values of another."""
    first, second = ([supply.take(cue) for _ in range(2)] for cue in carriers)
    both = [_joined(one, other) for one in first for other in second]
    return [PlantedClass(f"mixed-{4 * number + i}", CueVerdict.MIXED, cues, carriers) for i, cues in enumerate(both)]


def _joined(one: Cues, other: Cues) -> Cues:
    return replace(one, **{name: value for name, value in vars(other).items() if value is not None})
