"""Which strength to choose: by the average, by the worst class, without harm, or safely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cuesense.sweeps.losses import ClassLosses, conservative
from cuesense.sweeps.sweep import Sweep

Safety = Literal["safe", "unsafe", "undetermined"]

_MOST_SEEDS = 1000


@dataclass(frozen=True)
class Choices:
    """Places among the strengths.

    Attributes:
        by_mean: The highest accuracy over all images (the mildest of equals).
        by_worst_class: The highest accuracy of the class that is worst there.
        unharmed: The highest accuracy over all images among strengths at which no class is shown to lose against its
            own best; None where there is none or nothing is known.
        safe: The same among safe strengths.
        safety: Of each strength: safe, no class loses more than the tolerance; unsafe, one is shown to; undetermined.
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
    """Choose strengths.

    Args:
        sweep: The runs.
        found: What they show.
        tolerance: Accuracy that a class may lose against its own best strength, a fraction in (0, 1).
        confidence: How sure safety must be, in (0.5, 1).
    """
    bounds = conservative(found, sweep.runs, confidence)
    low = found.losses.low
    safety = tuple(_safety(bound, worst, tolerance) for bound, worst in zip(bounds, _largest(low), strict=True))
    harmless = [place for place, worst in enumerate(_largest(low)) if worst <= 0]
    safe = [place for place, said in enumerate(safety) if said == "safe"]
    undetermined = [place for place, said in enumerate(safety) if said == "undetermined"]
    return Choices(
        by_mean=int(np.argmax(found.mean)),
        by_worst_class=int(np.argmax(np.nanmin(found.accuracy, axis=1))),
        unharmed=_best(found, harmless),
        safe=_best(found, safe),
        safety=safety,
        seeds_needed=None if safe else _seeds_needed(sweep, found, undetermined, tolerance, confidence),
    )


def _largest(low: np.ndarray) -> list[float]:
    """Return the largest lower bound of each strength; NaN where none is known."""
    known = np.isfinite(low).any(axis=1)
    return [float(np.nanmax(row)) if one else float("nan") for row, one in zip(low, known, strict=True)]


def _safety(bound: float, worst: float, tolerance: float) -> Safety:
    if bound <= tolerance:
        return "safe"
    return "unsafe" if worst > tolerance else "undetermined"


def _best(found: ClassLosses, places: list[int]) -> int | None:
    return max(places, key=lambda place: found.mean[place]) if places else None


def _seeds_needed(
    sweep: Sweep, found: ClassLosses, undetermined: list[int], tolerance: float, confidence: float
) -> int | None:
    def enough(seeds: int) -> bool:
        runs = np.maximum(sweep.runs, seeds)
        return bool((conservative(found, runs, confidence)[undetermined] <= tolerance).any())

    if not undetermined or not enough(_MOST_SEEDS):
        return None
    low, high = int(sweep.runs.min()), _MOST_SEEDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
