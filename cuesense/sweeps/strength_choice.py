"""The choice of a strength: best mean accuracy, best worst class, without a class shown to lose, or safe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cuesense.sweeps.losses import ClassLosses, safety_bounds
from cuesense.sweeps.sweep import Sweep

Safety = Literal["safe", "unsafe", "undetermined"]

# Nobody trains more; where even these would not do, images are what is missing. Chosen by hand.
_MOST_SEEDS = 1000


@dataclass(frozen=True)
class Choices:
    """The strengths that different rules choose, as indices among the S strengths (the mildest of equals).

    Attributes:
        by_mean: Highest accuracy over all images.
        by_worst_class: Highest worst-class accuracy.
        unharmed: Highest accuracy over all images among strengths at which no class is shown to lose against its own
            best one; None where there is none or nothing is known.
        safe: The same among safe strengths; None where there is none.
        safety: Verdict on each strength, S of them. Safe: no class loses more than the tolerance. Unsafe: one is shown
            to lose more. Undetermined: neither is shown.
        seeds_needed: Runs of each strength that would show one to be safe, if the means stayed as they are; None where
            one is safe, where 1,000 would not do, or where it is not known.
    """

    by_mean: int
    by_worst_class: int
    unharmed: int | None
    safe: int | None
    safety: tuple[Safety, ...]
    seeds_needed: int | None


def choose(sweep: Sweep, found: ClassLosses, tolerance: float, confidence: float) -> Choices:
    """Choose a strength by each rule.

    Args:
        sweep: The runs.
        found: Their losses.
        tolerance: Accuracy that a class may lose against its own best strength, a fraction in (0, 1).
        confidence: One-sided level at which a strength is called safe, in (0.5, 1).

    Returns:
        The choices.
    """
    bounds = safety_bounds(found, sweep.runs, confidence)
    low = found.losses.low
    safety = tuple(_safety(bound, worst, tolerance) for bound, worst in zip(bounds, _largest(low), strict=True))
    # NaN compares as false: a strength of which nothing is known is not without losses.
    harmless = [index for index, worst in enumerate(_largest(low)) if worst <= 0]
    safe = [index for index, verdict in enumerate(safety) if verdict == "safe"]
    undetermined = [index for index, verdict in enumerate(safety) if verdict == "undetermined"]
    return Choices(
        by_mean=int(np.argmax(found.mean)),
        by_worst_class=int(np.argmax(np.nanmin(found.accuracy, axis=1))),
        unharmed=_best(found, harmless),
        safe=_best(found, safe),
        safety=safety,
        seeds_needed=None if safe else _seeds_needed(sweep, found, undetermined, tolerance, confidence),
    )


def _largest(low: np.ndarray) -> list[float]:
    """Return the largest lower bound of a loss at each strength, S of them; NaN where none is known."""
    known = np.isfinite(low).any(axis=1)
    return [float(np.nanmax(row)) if one else float("nan") for row, one in zip(low, known, strict=True)]


def _safety(bound: float, worst: float, tolerance: float) -> Safety:
    if bound <= tolerance:
        return "safe"
    return "unsafe" if worst > tolerance else "undetermined"


def _best(found: ClassLosses, indices: list[int]) -> int | None:
    return max(indices, key=lambda index: found.mean[index]) if indices else None


def _seeds_needed(
    sweep: Sweep, found: ClassLosses, undetermined: list[int], tolerance: float, confidence: float
) -> int | None:
    """Return the smallest number of runs of each strength that makes an undetermined one safe, by bisection."""

    def enough(seeds: int) -> bool:
        runs = np.maximum(sweep.runs, seeds)
        return bool((safety_bounds(found, runs, confidence)[undetermined] <= tolerance).any())

    if not undetermined or not enough(_MOST_SEEDS):
        return None
    low, high = int(sweep.runs.min()), _MOST_SEEDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
