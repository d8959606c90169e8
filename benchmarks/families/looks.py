"""What the images of a class share, and how such values are chosen so that no two classes are alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from cuesense.types import Cue, CueVerdict

from .figures import Figure, coverage, draw_figure, placed
from .grid import Array, Rng, grid
from .patterns import Pattern, draw_pattern, paint

# Candidates for each value that is chosen, and the fewest there are; chosen by hand.
_POOL = 4
_SMALLEST_POOL = 64
# Side of the pictures by which candidates are compared, and the turns of an outline that count as the same.
_FIGURE_SIDE, _PATTERN_SIDE = 24, 64
_TURNS = (0.0, -0.4, 0.4)


@dataclass(frozen=True)
class Look:
    """Values of the three cues; one that is None is random in every image.

    Attributes:
        hue: Position on the color circle, in [0, 1).
        figure: The outline.
        pattern: The texture.
        palette: Colors of a whole image and, last in each row, their shares; (colors, 4).
    """

    hue: float | None = None
    figure: Figure | None = None
    pattern: Pattern | None = None
    palette: tuple[tuple[float, ...], ...] | None = None

    def only(self, kept: Sequence[Cue]) -> Look:
        """Return the look without the cues that are not named."""
        names = {Cue.COLOR: ("hue", "palette"), Cue.SHAPE: ("figure",), Cue.TEXTURE: ("pattern",)}
        return replace(self, **{name: None for cue in names if cue not in kept for name in names[cue]})

    def joined(self, other: Look) -> Look:
        """Return the look with what another one fixes."""
        fixed = {field.name: getattr(other, field.name) for field in fields(other)}
        return replace(self, **{name: value for name, value in fixed.items() if value is not None})


@dataclass(frozen=True)
class FamilyClass:
    """One class.

    Attributes:
        name: Its kind and number, for instance ``"mixed-2"``.
        truth: The cue that an analysis of a network that learned the class should name.
        carriers: The cues that identify the class, alone or together.
        looks: What its images share: each image has one of these looks, chosen at random.
        context: Whether the background has the look, not the object.
    """

    name: str
    truth: CueVerdict
    carriers: tuple[Cue, ...]
    looks: tuple[Look, ...]
    context: bool = False


def choose_hues(rng: Rng, count: int) -> list[float]:
    """Return hues equally spaced around the color circle from a random start, in random order."""
    return ((rng.permutation(count) + rng.random()) / max(count, 1) % 1).tolist()


def choose_figures(rng: Rng, family: str, seed: int, count: int) -> list[Figure]:
    """Return outlines of a family, each as unlike those before it as there is, in random order."""
    pool = [draw_figure(rng, family, seed) for _ in range(_pool(count))]
    return unlike_figures(rng, pool, count) if pool else []


def unlike_figures(rng: Rng, pool: list[Figure], count: int) -> list[Figure]:
    """Return outlines of a pool, each as unlike those before it as there is, in random order."""
    if not pool:
        return []
    drawn = np.stack(
        [
            [coverage(placed(figure, _FIGURE_SIDE, (0, 0, turn, 1.15, 1)), 4).ravel() for turn in _TURNS]
            for figure in pool
        ]
    )

    def distances(place: int) -> Array:
        found: Array = np.abs(drawn - drawn[place, 0]).mean(axis=2).min(axis=1)
        return found

    return [pool[place] for place in unlike(rng, distances, len(pool), count)]


def choose_patterns(rng: Rng, family: str, seed: int, size: int, count: int) -> list[Pattern]:
    """Return textures of a family, each as unlike those before it as there is, in random order."""
    pool = [draw_pattern(rng, family, seed, size) for _ in range(_pool(count))]
    return unlike_patterns(rng, pool, count) if pool else []


def unlike_patterns(rng: Rng, pool: list[Pattern], count: int) -> list[Pattern]:
    """Return textures of a pool, each as unlike those before it as there is, in random order."""
    if not pool:
        return []
    described = np.stack([_described(pattern, rng) for pattern in pool])
    described = (described - described.mean(axis=0)) / (described.std(axis=0) + 1e-6)
    kinds = np.array([pattern.kind for pattern in pool])

    def distances(place: int) -> Array:
        found: Array = np.sqrt(((described - described[place]) ** 2).mean(axis=1)) + 0.5 * (kinds != kinds[place])
        return found

    return [pool[place] for place in unlike(rng, distances, len(pool), count)]


def _pool(count: int) -> int:
    return max(_POOL * count, _SMALLEST_POOL) if count else 0


def unlike(rng: Rng, distances: Callable[[int], Array], pool: int, count: int) -> list[int]:
    """Return numbers of candidates, each as far from those before it as there is, in random order.

    Args:
        rng: Source of the first one and of the order.
        distances: The distance of every candidate to one of them, (candidates,).
        pool: How many candidates there are.
        count: How many to choose.
    """
    chosen = [int(rng.integers(pool))]
    nearest = distances(chosen[0])
    while len(chosen) < count:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, distances(chosen[-1]))
    return [chosen[place] for place in rng.permutation(count)]


def _described(pattern: Pattern, rng: Rng) -> Array:
    """Return a texture's spectrum by period, whatever its direction, and its histogram."""
    drawn = [paint(pattern, _PATTERN_SIDE, rng) for _ in range(2)]
    cycles = grid(_PATTERN_SIDE).cycles
    bins = np.clip((3 * np.log2(np.maximum(cycles, 1))).astype(int), 0, 15).ravel()
    power = sum(np.abs(np.fft.rfft2(field - field.mean())) ** 2 for field in drawn)
    spectrum = np.log(np.bincount(bins, np.asarray(power).ravel(), 16) / (np.bincount(bins, minlength=16) + 1) + 10)
    shares = np.histogram(np.stack(drawn), bins=6, range=(-1, 1))[0] / drawn[0].size
    return np.concatenate([spectrum, 3 * shares])
