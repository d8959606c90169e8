"""Where lines, areas and labels of a chart of accuracy against strength stand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from scipy.optimize import isotonic_regression

Numbers = Sequence[float | None]

STEP = 0.1


@dataclass(frozen=True)
class Plot:
    """A plane of accuracy against strength; strengths stand evenly spaced, mild to strong.

    Attributes:
        left: Where the mildest strength stands.
        right: Where the strongest stands.
        top: Where the highest accuracy stands.
        bottom: Where the lowest stands.
        low: The lowest accuracy.
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

    def x(self, place: int) -> float:
        """Return where a strength stands."""
        return round(self.left + (self.right - self.left) * place / max(self.count - 1, 1), 1)

    def y(self, share: float) -> float:
        """Return where an accuracy stands."""
        return round(self.bottom - (self.bottom - self.top) * (share - self.low) / (self.high - self.low), 1)

    def line(self, values: Numbers) -> str:
        """Return a path through values, with a gap where one is None."""
        return "".join(f"M{self._through(part)}" for part in known(values))

    def band(self, lows: Numbers, highs: Numbers) -> str:
        """Return the area between two lines, as far as both are known."""
        parts = zip(known(lows), known(highs), strict=True)
        return "".join(f"M{self._through(high)}L{self._through(low[::-1])}Z" for low, high in parts)

    def _through(self, points: Sequence[tuple[int, float]]) -> str:
        return "L".join(f"{self.x(place):g} {self.y(share):g}" for place, share in points)


def known(values: Numbers) -> list[list[tuple[int, float]]]:
    """Return the stretches of values that are known, with their places."""
    pairs = groupby(enumerate(values), key=lambda pair: pair[1] is not None)
    return [[(place, value) for place, value in part if value is not None] for there, part in pairs if there]


def numbers(values: Iterable[float | None]) -> list[float]:
    """Return the values that are known."""
    return [value for value in values if value is not None]


def limits(values: Iterable[float | None], least: float = 0.2) -> tuple[float, float]:
    """Return tenths around values, at least this far from each other and inside [0, 1]."""
    given = numbers(values) or [0.0, 1.0]
    low = max(math.floor(round(min(given) / STEP, 6)) * STEP, 0.0)
    high = min(math.ceil(round(max(given) / STEP, 6)) * STEP, 1.0)
    high = max(high, min(low + least, 1.0))
    return round(min(low, high - least), 6), round(high, 6)


def apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move labels so that they do not overlap, as little as possible.

    Args:
        wanted: Where they would stand.
        gap: The least distance of two.
        low: The least place.
        high: The greatest; it gives way where there are too many labels.

    Returns:
        Where they stand, in the order given.
    """
    if not wanted:
        return []
    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))
    fitted = isotonic_regression(np.asarray(wanted, dtype=np.float64)[order] - steps).x
    places = np.empty(len(wanted))
    places[order] = np.clip(fitted, low, max(high - steps[-1], low)) + steps
    return [round(float(place), 1) for place in places]


def shown_ticks(labels: Sequence[str], step: float, letter: float, first: Sequence[int]) -> list[int]:
    """Return which labels of an axis can be shown without overlap.

    Args:
        labels: All of them.
        step: Distance of two.
        letter: Width of a letter.
        first: Places that are shown before others.
    """
    shown: list[int] = []
    for place in [*first, 0, len(labels) - 1, *range(len(labels))]:
        clear = all(
            abs(place - other) * step >= letter * (len(labels[place]) + len(labels[other]) + 2) / 2 for other in shown
        )
        if clear:
            shown.append(place)
    return sorted(shown)
