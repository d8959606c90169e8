"""How far each class may be augmented: the strongest dose whose accuracy drop is shown to stay within a tolerance."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cuesense.scoring import interval, one_sided_drops, tango
from cuesense.types import Budget, BudgetStatus, Curve

OWN_ACCURACY = "own accuracy"
TOO_FEW = "too few images"
UNRECOGNIZED = "class is not recognized clean"

_MOST_IMAGES = 10**9


def budget(
    curve: Curve, *, tolerance: float, confidence: float, leak_to: Sequence[Sequence[str | None]]
) -> list[Budget]:
    """Return the budget of every class for one augmentation.

    From mild to strong, a dose is safe while the one-sided upper bound of the accuracy drop stays within the
    tolerance; the search stops at the first dose where it does not. Testing in this fixed order keeps the chance that
    any unsafe dose of the ladder is called safe at 1 - confidence, for each class (Maurer, Hothorn, Lehmacher 1995,
    in Biometrie in der chemisch-pharmazeutischen Industrie 6:3). Harm is shown where the one-sided lower bound is
    above the tolerance. A class at or below the tolerance when clean has nothing that a test could see it lose.

    Args:
        curve: The augmentation's counts, S severities and C classes.
        tolerance: The largest accuracy drop that is accepted, a fraction in (0, 1).
        confidence: One-sided level of the bounds, in (0.5, 1).
        leak_to: Per severity and class, shape (S, C), the name of the class that takes at least half of the images
            lost there, or None.

    Returns:
        One Budget a class; its drop and one-sided bounds are those at its value, or at the mildest dose where it has
        no value; None where the class has fewer than two images.
    """
    drop, low, high = one_sided_drops(curve, confidence)
    drop = np.where(curve.n > 1, drop, np.nan)
    seen = (curve.clean_correct > tolerance * curve.n) | (curve.n <= 1)
    reached = np.logical_and.accumulate((high <= tolerance) & seen, axis=0).sum(axis=0)
    harmed = low > tolerance
    budgets = []
    for index, safe in enumerate(reached.tolist()):
        at = max(safe - 1, 0)
        takers = [row[index] for row in leak_to]
        reason = _reason(harmed[:, index], takers, safe) if seen[index] else UNRECOGNIZED
        budgets.append(
            Budget(
                perturbation=curve.perturbation,
                status=_status(safe, len(low), reason),
                value=curve.perturbation.ladder[at] if safe else None,
                drop=interval(drop[at, index], low[at, index], high[at, index]),
                limited_by=reason,
            )
        )
    return budgets


def _reason(harmed: NDArray[np.bool_], takers: Sequence[str | None], safe: int) -> str | None:
    if safe == len(harmed):
        return None
    if not harmed[safe]:
        return TOO_FEW
    return OWN_ACCURACY if takers[safe] is None else f"leak into {takers[safe]}"


def _status(safe: int, severities: int, reason: str | None) -> BudgetStatus:
    if safe == severities:
        return BudgetStatus.UNLIMITED
    if safe:
        return BudgetStatus.LIMITED
    return BudgetStatus.UNDETERMINED if reason in (TOO_FEW, UNRECOGNIZED) else BudgetStatus.NONE


def global_policy(
    budgets: Sequence[Budget], curve: Curve, members: Sequence[int] | None = None
) -> tuple[float | None, BudgetStatus, int | None]:
    """Return the strongest dose of one augmentation that is safe for every class that has images.

    The claim holds at the confidence of the single budgets, without a correction for the number of classes: it is
    wrong only if the budget of one particular class is (intersection-union test, Berger 1982, Technometrics 24:295).

    Args:
        budgets: The budgets of the C classes.
        curve: The counts they come from.
        members: The classes it has to be safe for; None takes all.

    Returns:
        The dose (None where there is none); the status, which is that of the limiting class; and the limiting class:
        the one with the mildest budget, where none counts as milder than undetermined and that as milder than any
        dose, the lowest index on ties, None where nothing limits. Undetermined without a class where no class has
        images.
    """
    asked = range(len(budgets)) if members is None else members
    present = [index for index in asked if curve.n[index] > 0]
    if not present:
        return None, BudgetStatus.UNDETERMINED, None
    limiting = min(present, key=lambda index: _rank(budgets[index]))
    weakest = budgets[limiting]
    return weakest.value, weakest.status, None if weakest.status is BudgetStatus.UNLIMITED else limiting


def _rank(budget: Budget) -> int:
    if budget.value is None:
        return -2 if budget.status is BudgetStatus.NONE else -1
    return budget.perturbation.ladder.index(budget.value)


def images_needed(tolerance: float, confidence: float) -> int:
    """Return how many images a class needs until a dose that loses none of them is shown to be safe.

    Args:
        tolerance: The accepted accuracy drop, a fraction in (0, 1).
        confidence: One-sided level of the bound, in (0.5, 1).

    Returns:
        The number, from 2 to a billion.
    """
    return bisect_left(
        range(_MOST_IMAGES), True, lo=2, key=lambda images: _upper_without_loss(images, confidence) <= tolerance
    )


def _upper_without_loss(images: int, confidence: float) -> float:
    none = np.zeros((1, 1))
    return float(tango(none, none, np.array([images]), confidence)[1][0, 0])
