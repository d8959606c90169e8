"""The coordinates of a chart of accuracy against strength: scales, lines and areas."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

Numbers = Sequence[float | None]

# Scales of accuracy begin and end at multiples of ten points.
STEP = 0.1

# Less would zoom into the noise of a mean over a few runs, which is a few points (chosen by hand, not tuned).
_LEAST_EXTENT = 0.2


@dataclass(frozen=True)
class Plot:
    """A plane of accuracy against strength; strengths stand evenly spaced, mild to strong.

    Attributes:
        left: x of the mildest strength, in units of the graphic.
        right: x of the strongest.
        top: y of the highest accuracy.
        bottom: y of the lowest.
        low: The lowest accuracy, in [0, 1].
        high: The highest.
        count: Number of strengths.
    """

    left: float
    right: float
    top: float
    bottom: float
    low: float
    high: float
    count: int

    def x(self, index: int) -> float:
        """Return the x of a strength."""
        return round(self.left + (self.right - self.left) * index / max(self.count - 1, 1), 1)

    def y(self, share: float) -> float:
        """Return the y of an accuracy."""
        return round(self.bottom - (self.bottom - self.top) * (share - self.low) / (self.high - self.low), 1)

    @property
    def step(self) -> float:
        """The distance of two strengths."""
        return (self.right - self.left) / max(self.count - 1, 1)

    def line(self, values: Numbers) -> str:
        """Return a path through values, with a gap where one is None."""
        return "".join(f"M{self._through(part)}" for part in known_stretches(values))

    def band(self, lows: Numbers, highs: Numbers) -> str:
        """Return the area between two lines, with a gap where one of them is None."""
        both = [None not in pair for pair in zip(lows, highs, strict=True)]
        known = ([value if here else None for value, here in zip(line, both, strict=True)] for line in (lows, highs))
        parts = zip(*map(known_stretches, known), strict=True)
        return "".join(f"M{self._through(high)}L{self._through(low[::-1])}Z" for low, high in parts)

    def _through(self, points: Sequence[tuple[int, float]]) -> str:
        return "L".join(f"{self.x(index):g} {self.y(share):g}" for index, share in points)


def known_stretches(values: Numbers) -> list[list[tuple[int, float]]]:
    """Return the uninterrupted stretches of values that are not None, each value with its index."""
    stretches = groupby(enumerate(values), key=lambda pair: pair[1] is not None)
    return [[(index, value) for index, value in part if value is not None] for known, part in stretches if known]


def known_values(values: Iterable[float | None]) -> list[float]:
    """Return the values that are not None."""
    return [value for value in values if value is not None]


def scale_limits(values: Iterable[float | None], least: float = _LEAST_EXTENT) -> tuple[float, float]:
    """Return the multiples of 0.1 around accuracies, at least ``least`` from each other and inside [0, 1]."""
    known = known_values(values) or [0.0, 1.0]
    low = max(below(min(known), STEP), 0.0)
    high = min(above(max(known), STEP), 1.0)
    high = max(high, min(low + least, 1.0))
    return round(min(low, high - least), 6), round(high, 6)


def below(value: float, step: float) -> float:
    """Return the largest multiple of a step that is at most a value."""
    return math.floor(_in_steps(value, step)) * step


def above(value: float, step: float) -> float:
    """Return the smallest multiple of a step that is at least a value."""
    return math.ceil(_in_steps(value, step)) * step


def _in_steps(value: float, step: float) -> float:
    # 0.3 / 0.1 is 2.9999999999999996: without rounding it would count as below 3 steps.
    return round(value / step, 6)
