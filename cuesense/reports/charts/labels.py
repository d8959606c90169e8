"""Labels of a chart without overlaps: moved apart, left out or shortened."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def moved_apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move labels beside a chart so that they do not overlap, as little as possible.

    With the gaps subtracted, positions must not decrease: the nearest such positions in the sense of least squares are
    the isotonic regression of the wanted ones (Barlow and Brunk, 1972).

    Args:
        wanted: Where the labels would stand, in the units of the chart.
        gap: The least distance of two.
        low: The least position.
        high: The greatest; it gives way where there are too many labels.

    Returns:
        Where they stand, in the order given, rounded to tenths.
    """
    from scipy.optimize import isotonic_regression

    if not wanted:
        return []
    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))
    fitted = isotonic_regression(np.asarray(wanted, dtype=np.float64)[order] - steps).x
    positions = np.empty(len(wanted))
    positions[order] = np.clip(fitted, low, max(high - steps[-1], low)) + steps
    return [round(float(position), 1) for position in positions]


def fitting_ticks(labels: Sequence[str], step: float, letter: float, first: Sequence[int]) -> list[int]:
    """Return which labels of an axis can be shown without overlap.

    Args:
        labels: All of them, evenly spaced.
        step: Distance of two.
        letter: Width of a letter.
        first: Indices of those that are shown before others.

    Returns:
        Their indices, ascending. Two labels keep a blank of two letters between them.
    """
    shown: list[int] = []
    for at in [*first, 0, len(labels) - 1, *range(len(labels))]:
        if all(abs(at - other) * step >= letter * (len(labels[at]) + len(labels[other]) + 2) / 2 for other in shown):
            shown.append(at)
    return sorted(shown)


def shortened(label: str, length: int) -> str:
    """Return a label of at most so many letters, the last one an ellipsis where some are cut off."""
    return label if len(label) <= length else f"{label[: length - 1]}…"
