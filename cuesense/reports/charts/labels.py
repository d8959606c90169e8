"""Labels of a chart without overlaps: moved apart, left out or shortened."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Left, low, right and high border.
Box = tuple[float, float, float, float]


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


def free_place(
    point: tuple[float, float], size: tuple[float, float], gap: float, taken: Sequence[Box], room: Box
) -> Box | None:
    """Return where the label of a dot can stand without covering anything.

    Args:
        point: The dot.
        size: Width and height of the label.
        gap: From the dot's center to the label.
        taken: What must not be covered.
        room: What the label must not leave.

    Returns:
        The first free box right of the dot, left of it, on the side of small y, or on that of large y; None where
        there is none.
    """
    (x, y), (width, height) = point, size
    corners = (
        (x + gap, y - height / 2),
        (x - gap - width, y - height / 2),
        (x - width / 2, y - gap - height),
        (x - width / 2, y + gap),
    )
    for left, low in corners:
        box = (left, low, left + width, low + height)
        inside = left >= room[0] and low >= room[1] and box[2] <= room[2] and box[3] <= room[3]
        if inside and not any(_overlap(box, other) for other in taken):
            return box
    return None


def _overlap(box: Box, other: Box) -> bool:
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
