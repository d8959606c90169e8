"""How far each class may be augmented: up to the strongest severity shown to cost no more than a tolerance."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cuesense.stats.curves import one_sided_drops
from cuesense.stats.intervals import interval, tango
from cuesense.stats.training_loss import Forecast
from cuesense.types import Budget, BudgetStatus, Curve, Perturbation

OWN_ACCURACY = "own accuracy"
TOO_FEW = "too few images"
UNRECOGNIZED = "class is not recognized clean"

# Where the search for a number of images ends: no dataset is larger.
_MOST_IMAGES = 10**9
# Risk above which a class that stops the search is rather harmed than not; up to it, more images may show that the
# severity is safe.
_PROBABLE = 0.5


def budget(
    curve: Curve, *, tolerance: float, confidence: float, leak_to: Sequence[Sequence[str | None]]
) -> list[Budget]:
    """Return the budget of every class for one augmentation.

    From mild to strong, a severity is safe while the one-sided upper bound of the accuracy drop stays within the
    tolerance; the search stops at the first severity where it does not. Testing in this fixed order keeps the chance
    that any unsafe severity is called safe at 1 - confidence, for each class (Maurer, Hothorn, Lehmacher 1995, in
    Biometrie in der chemisch-pharmazeutischen Industrie 6:3). Harm is shown where the one-sided lower bound is above
    the tolerance. A class whose clean accuracy is at or below the tolerance has no larger loss that a test could see.

    Args:
        curve: The augmentation's counts, S severities and C classes.
        tolerance: The largest accuracy drop that is accepted, a fraction in (0, 1).
        confidence: One-sided level of the bounds, in (0.5, 1).
        leak_to: Per severity and class, shape (S, C), the name of the class that takes at least half of the images
            lost there, or None.

    Returns:
        One Budget a class; its drop and one-sided bounds are those at its severity, or at the mildest where it has
        none; they are unknown where the class has fewer than two images.
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
                severity=safe,
                drop=interval(drop[at, index], low[at, index], high[at, index]),
                limited_by=reason,
            )
        )
    return budgets


def forecast_budget(
    forecast: Forecast,
    perturbation: Perturbation,
    class_names: Sequence[str],
    taken: NDArray[np.float64],
    accuracy: NDArray[np.float64],
    *,
    tolerance: float,
    confidence: float,
) -> list[Budget]:
    """Return the budget of every class for one augmentation, by what training with it is forecast to cost.

    From mild to strong, a severity is safe while the chance that the class loses more than the tolerance stays within
    1 - confidence. Where most of what a class loses goes to another class, that class gets no stronger value either:
    an augmentation harms the losers through those that take their images (Kirichenko et al. 2023, arXiv 2401.01764).

    Args:
        forecast: Expected losses, S severities and C classes.
        perturbation: The augmentation, with the values of these severities as its ladder.
        class_names: Names of the C classes.
        taken: Share of each class's images (row) that another class (column) takes at the strongest severity,
            (C, C).
        accuracy: Clean accuracy of each class without the augmentation, (C,), NaN where it is not known; a class at or
            below the tolerance has nothing that could be seen to be lost.
        tolerance: The largest loss that is accepted, a fraction in (0, 1).
        confidence: Level at which a severity is called safe, in (0.5, 1).

    Returns:
        One Budget a class; its drop is the forecast loss at its severity, or at the mildest where it has none, with
        one-sided bounds.
    """
    risk = forecast.risk(tolerance)
    known = (accuracy > tolerance) & np.isfinite(forecast.spread).all(axis=0)
    reached = np.logical_and.accumulate((risk <= 1 - confidence) & known, axis=0).sum(axis=0)
    takers = [_taker(row, max(tolerance, loss / 2)) for row, loss in zip(taken, forecast.loss[-1], strict=True)]
    leaks = [None if taker is None else f"leak into {class_names[taker]}" for taker in takers]
    found = [
        (safe, _forecast_reason(risk[:, index], safe, leaks[index]) if known[index] else UNRECOGNIZED)
        for index, safe in enumerate(reached.tolist())
    ]
    for index, taker in enumerate(takers):
        # Only harm binds the taker: where the class itself is in doubt, nothing shows that it loses images to it.
        harmed = found[index][1] not in (None, TOO_FEW, UNRECOGNIZED)
        if taker is not None and harmed and reached[index] < found[taker][0]:
            found[taker] = int(reached[index]), f"leak from {class_names[index]}"
    return [_forecast_budget(forecast, perturbation, index, *entry, confidence) for index, entry in enumerate(found)]


def _forecast_reason(risk: NDArray[np.float64], safe: int, leak: str | None) -> str | None:
    """Return what stops the search at a severity, by the risk at every severity, (S,); None where nothing does."""
    if safe == len(risk):
        return None
    return TOO_FEW if risk[safe] <= _PROBABLE else leak or OWN_ACCURACY


def _taker(shares: NDArray[np.float64], least: float) -> int | None:
    """Return the class that takes more than the least share of a class's images, None where there is none."""
    most = int(shares.argmax())
    return most if shares[most] > least else None


def _forecast_budget(
    forecast: Forecast, perturbation: Perturbation, index: int, safe: int, reason: str | None, confidence: float
) -> Budget:
    at = max(safe - 1, 0)
    low, high = (float(bound[at, index]) for bound in forecast.bounds(2 * confidence - 1))
    return Budget(
        perturbation=perturbation,
        status=_status(safe, len(forecast.loss), reason),
        severity=safe,
        drop=interval(float(forecast.loss[at, index]), low, high),
        limited_by=reason,
    )


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


@dataclass(frozen=True)
class SharedBudget:
    """How far one augmentation may go for several classes together.

    Attributes:
        severity: The strongest severity that is safe for all of them, 0 where there is none.
        value: Its value, None where there is none.
        status: The status of the limiting class; undetermined where no class has images.
        limiting: The class with the mildest budget, None where nothing limits.
    """

    severity: int
    value: float | None
    status: BudgetStatus
    limiting: int | None


def shared_budget(
    budgets: Sequence[Budget],
    images: NDArray[np.int64],
    members: Sequence[int] | None = None,
    spared: int = 0,
) -> SharedBudget:
    """Return the strongest severity of one augmentation that is safe for every class with images, or nearly every.

    The claim holds at the confidence of the single budgets, without a correction for the number of classes: it is
    wrong only if the budget of one particular class is (intersection-union test, Berger 1982, Technometrics 24:295).

    Args:
        budgets: The budgets of the C classes.
        images: Images of each class, (C,); classes without any do not count.
        members: The classes it has to be safe for; None takes all.
        spared: How many of these, those with the mildest budgets, it need not be safe for.

    Returns:
        The shared budget. The limiting class is the one with the mildest budget, where none counts as milder than
        undetermined and that as milder than any severity; the lowest index on ties.
    """
    every = range(len(budgets)) if members is None else members
    ranked = sorted((index for index in every if images[index] > 0), key=lambda index: _rank(budgets[index]))
    if not ranked:
        return SharedBudget(0, None, BudgetStatus.UNDETERMINED, None)
    limiting = ranked[min(spared, len(ranked) - 1)]
    mildest = budgets[limiting]
    unlimited = mildest.status is BudgetStatus.UNLIMITED
    return SharedBudget(mildest.severity, mildest.value, mildest.status, None if unlimited else limiting)


def _rank(budget: Budget) -> int:
    if not budget.severity:
        return -2 if budget.status is BudgetStatus.NONE else -1
    return budget.severity


@cache
def images_needed(tolerance: float, confidence: float) -> int:
    """Return how many images a class needs until a severity that loses none of them is shown to be safe.

    Args:
        tolerance: The accepted accuracy drop, a fraction in (0, 1).
        confidence: One-sided level of the bound, in (0.5, 1).

    Returns:
        The number, from 2 to a billion.
    """
    return bisect_left(
        range(_MOST_IMAGES), True, lo=2, key=lambda images: smallest_tolerance(images, confidence) <= tolerance
    )


def smallest_tolerance(images: int, confidence: float) -> float:
    """Return the smallest tolerance at which a severity that loses none of so many images is shown to be safe.

    Args:
        images: Images of the class.
        confidence: One-sided level of the bound, in (0.5, 1).

    Returns:
        A fraction in (0, 1]; NaN below two images.
    """
    none = np.zeros((1, 1))
    return float(tango(none, none, np.array([images]), confidence)[1][0, 0])
