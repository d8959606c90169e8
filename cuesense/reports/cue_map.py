"""Where each class stands in the cue map, a triangle whose corners are shape, texture and color.

The page, the notebook and ``profile.plot`` draw the same positions, those of ``cue_map``. It is a ternary plot: three
weights that add up to 1 are the barycentric coordinates of a point in the triangle
(https://en.wikipedia.org/wiki/Ternary_plot).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cuesense.schemas.base import UNKNOWN, Estimate
from cuesense.schemas.profile import ClassModel, Profile
from cuesense.types import Cue

# An equilateral triangle with sides of length 1; y grows upward.
HEIGHT = 3**0.5 / 2
CORNERS: dict[Cue, tuple[float, float]] = {
    Cue.SHAPE: (0.5, HEIGHT),
    Cue.TEXTURE: (0.0, 0.0),
    Cue.COLOR: (1.0, 0.0),
}
CENTER = (0.5, HEIGHT / 3)
# A dot that its bounds may move farther than a tenth of a side is drawn as uncertain. Chosen by hand; not tuned.
CERTAIN_WITHIN = 0.1
# Losses below one point in all say nothing about their shares: 0.001 of shape alone would be a dot in the corner.
# Chosen by hand; not tuned.
_LEAST_LOSS = 0.01

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CueDot:
    """One class in the cue map, or the average class of the model.

    Attributes:
        name: Name of the class.
        x: From texture on the left to color on the right, in [0, 1].
        y: From texture and color at the bottom, 0, to shape at the top, ``HEIGHT``.
        losses: The share of its images that it loses without shape, texture and color, each in [0, 1]; None where that
            is not known.
        weights: The weights of shape, texture and color, which add up to 1; all a third at the center.
        placed: Whether the losses decide the position. Otherwise the class stands at the center: it loses nothing
            without any cue, or what it loses is not known.
        certain: Whether the position is known to ``CERTAIN_WITHIN`` of a side; never where it is not placed.
    """

    name: str
    x: float
    y: float
    losses: tuple[float | None, float | None, float | None]
    weights: tuple[float, float, float]
    placed: bool
    certain: bool


@dataclass(frozen=True)
class CueMap:
    """The cue map of a profile.

    Attributes:
        dots: One for every class, in the profile's order.
        mean: The average class: the mean losses of the classes whose losses are known.
    """

    dots: tuple[CueDot, ...]
    mean: CueDot


def cue_map(profile: Profile) -> CueMap:
    """Return where each class stands between shape, texture and color.

    With k(c) the share that a class keeps without cue c (``kept["without_shape"]``, ...), it loses
    ``l(c) = max(1 - k(c), 0)``. Its weights are ``w(c) = l(c) / (l(shape) + l(texture) + l(color))``, and it stands at
    the weighted mean of the corners: ``x = w(color) + w(shape) / 2`` and ``y = w(shape) * sqrt(3) / 2``. A profile of
    an older version, without ``kept``, gives the necessity of each cue as l(c) (``reliance[cue].value``). A position
    says which cue matters more than the others, not how much a class loses without it.

    Args:
        profile: The profile.

    Returns:
        The positions. A class that loses less than one point of accuracy without all three cues together, or of which
        some loss is not known, stands at the center and is not placed.
    """
    bounds = np.array([_loss_bounds(entry) for entry in profile.classes], dtype=float).reshape(-1, 3, 3)
    dots = tuple(_dot(entry.name, row) for entry, row in zip(profile.classes, bounds, strict=True))
    known = bounds[~np.isnan(bounds[:, :, 0]).any(axis=1), :, :1]
    mean = known.mean(axis=0) if len(known) else np.full((3, 1), np.nan)
    # The mean of many classes is drawn without bounds.
    return CueMap(dots, _dot("all classes", np.repeat(mean, 3, axis=1)))


def position(weights: Sequence[float] | _Floats) -> tuple[float, float]:
    """Return the point of the triangle with barycentric coordinates.

    Args:
        weights: Those of shape, texture and color, which add up to 1.

    Returns:
        x and y, as in CueDot.
    """
    x, y = np.asarray(weights, dtype=float) @ np.array([CORNERS[cue] for cue in Cue])
    return float(x), float(y)


def _loss_bounds(entry: ClassModel) -> list[list[float]]:
    """Return the loss without each cue with its lower and upper bound, (3, 3); NaN where it is not known."""
    return [_loss(entry, cue) for cue in Cue]


def _loss(entry: ClassModel, cue: Cue) -> list[float]:
    kept = entry.kept.get(f"without_{cue.value}")
    if kept is not None:
        found = [np.nan if share is None else 1 - share for share in (kept.value, kept.high, kept.low)]
    else:
        known: Estimate = entry.reliance.get(cue, UNKNOWN)
        found = [np.nan if share is None else share for share in (known.value, known.low, known.high)]
    return [float(np.clip(loss, 0, 1)) for loss in found]


def _dot(name: str, bounds: _Floats) -> CueDot:
    losses = bounds[:, 0]
    placed = bool(losses.sum() >= _LEAST_LOSS)
    weights = losses / losses.sum() if placed else np.full(3, 1 / 3)
    shape, texture, color = (None if np.isnan(loss) else float(loss) for loss in losses)
    x, y = position(weights) if placed else CENTER
    certain = placed and _farthest(bounds) <= CERTAIN_WITHIN
    first, second, third = map(float, weights)
    return CueDot(name, x, y, (shape, texture, color), (first, second, third), placed, certain)


def _farthest(bounds: _Floats) -> float:
    """Return how far a dot moves, at most, when one of its losses is at a bound; infinity where a bound is missing."""
    if np.isnan(bounds).any():
        return float("inf")
    losses = bounds[:, 0]
    start = np.array(position(losses / losses.sum()))
    moves = [0.0]
    for cue in range(3):
        for bound in bounds[cue, 1:]:
            moved = losses.copy()
            moved[cue] = bound
            if moved.sum() < _LEAST_LOSS:
                return float("inf")
            moves.append(float(np.hypot(*(np.array(position(moved / moved.sum())) - start))))
    return max(moves)
