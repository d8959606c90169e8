"""Where every class stands between shape, texture and color: the positions of the cue map.

The page, the notebook and ``profile.plot`` draw the same positions. It is a ternary plot: three weights that add up to
1 are the barycentric coordinates of a point in the triangle (https://en.wikipedia.org/wiki/Ternary_plot).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cuesense.schemas.base import Estimate
from cuesense.schemas.profile import ClassModel, Profile
from cuesense.types import Cue

# Of an equilateral triangle with sides of length 1.
HEIGHT = 3**0.5 / 2
# Where its corners are, from the left and from the base, in sides.
CORNERS: dict[Cue, tuple[float, float]] = {Cue.SHAPE: (0.5, HEIGHT), Cue.TEXTURE: (0.0, 0.0), Cue.COLOR: (1.0, 0.0)}
# A position is sure where no cue's weight may be off by more than this on its interval. Chosen by hand: three times the
# radius of a dot in a map of a few classes.
_SURE = 0.1
# The map shows no less than this part of the triangle's side, so that small differences do not look large.
# Chosen by hand; not tuned.
_SMALLEST_SIDE = 0.3
# Corners stand on multiples of this, so that they can be read.
_STEP = 0.05

MEANING = (
    "The more a class relies on a cue, the nearer it stands to that corner. Reliance is the mean of what the class "
    "loses without the cue and what it keeps on it alone; a dot’s place is its three reliances as shares of their sum."
)
MEANING_OLD = (
    "The more of a class is lost without a cue, the nearer it stands to that corner: a dot’s place is its three losses "
    "as shares of their sum."
)


@dataclass(frozen=True)
class Spot:
    """One class on the map.

    Attributes:
        reliance: Reliance on shape, texture and color, each in [0, 1].
        weights: The same as shares of their sum.
        sure: Whether the intervals leave little doubt about the place.
    """

    reliance: tuple[float, float, float]
    weights: tuple[float, float, float]
    sure: bool


@dataclass(frozen=True)
class CueMap:
    """All classes on the map.

    Attributes:
        spots: One a class in the profile's order; None where nothing is known.
        mean: The model's mean; None where it is not known.
        corners: The least weight of each cue in the part of the triangle that is shown.
        side: The side of that part, in (0, 1]: a corner stands for its least weight plus the side.
        graded: Whether places rest on graded reliance; older files know only what is lost.
    """

    spots: tuple[Spot | None, ...]
    mean: Spot | None
    corners: tuple[float, float, float]
    side: float
    graded: bool

    def place(self, spot: Spot) -> tuple[float, float]:
        """Return where a spot stands: from the left, in sides of the shown triangle, and from its base, in heights.

        Shape is the top, texture the left and color the right corner.
        """
        shape, _, color = (
            (weight - least) / self.side for weight, least in zip(spot.weights, self.corners, strict=True)
        )
        return color + shape / 2, shape

    def point(self, spot: Spot) -> tuple[float, float]:
        """Return where a spot stands in a triangle with sides of length 1, from the left and from the base."""
        x, height = self.place(spot)
        return x, height * HEIGHT

    def corner(self, cue: Cue) -> str:
        """Return what a corner stands for, such as ``"shape 60 %"``: the cue's weight there."""
        return f"{cue.value} {100 * (self.corners[list(Cue).index(cue)] + self.side):.0f}\N{NO-BREAK SPACE}%"


def cue_map(profile: Profile) -> CueMap:
    """Return the places of all classes and of the model's mean.

    Args:
        profile: The profile; files without graded answers place classes by the share that is lost without each cue.
    """
    graded = any(part.reliance.value is not None for entry in profile.classes for part in entry.lean.values())
    spots = tuple(_spot(_graded(entry) if graded else _lost(entry)) for entry in profile.classes)
    known = [spot for spot in spots if spot is not None]
    means = profile.summary.graded.lean
    mean = _spot([means[cue].mean for cue in Cue]) if graded and set(Cue) <= set(means) else _average(known)
    corners, side = _part(known if mean is None else [*known, mean])
    return CueMap(spots, mean, corners, side, graded)


def _graded(entry: ClassModel) -> list[Estimate]:
    return [entry.lean[cue].reliance for cue in Cue if cue in entry.lean]


def _lost(entry: ClassModel) -> list[Estimate]:
    return [entry.reliance[cue] for cue in Cue if cue in entry.reliance]


def _spot(parts: Sequence[Estimate]) -> Spot | None:
    shape, texture, color = (
        [min(max(part.value, 0.0), 1.0) if part.value is not None else math.nan for part in parts] + 3 * [math.nan]
    )[:3]
    total = shape + texture + color
    # Of a class that relies on none of them there is no place; NaN compares as false.
    if not total > 0:
        return None
    widths = [math.inf if p.low is None or p.high is None else (p.high - p.low) / 2 for p in parts]
    return Spot(
        (shape, texture, color), (shape / total, texture / total, color / total), sure=max(widths) / total <= _SURE
    )


def _average(spots: Sequence[Spot]) -> Spot | None:
    if not spots:
        return None
    shape, texture, color = (sum(spot.reliance[at] for spot in spots) / len(spots) for at in range(3))
    total = shape + texture + color
    return Spot((shape, texture, color), (shape / total, texture / total, color / total), sure=True)


def _part(spots: Sequence[Spot]) -> tuple[tuple[float, float, float], float]:
    """Return the smallest part of the triangle with round corners that holds all spots: least weights, and its side."""
    if not spots:
        return (0.0, 0.0, 0.0), 1.0
    least = [math.floor(min(spot.weights[at] for spot in spots) / _STEP + 1e-9) * _STEP for at in range(3)]
    while (side := 1 - sum(least)) < _SMALLEST_SIDE:
        # Give room where the most has been cut off.
        at = least.index(max(least))
        least[at] = max(least[at] - _STEP, 0.0)
    shape, texture, color = (round(part, 2) for part in least)
    return (shape, texture, color), round(side, 2)
