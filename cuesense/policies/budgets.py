"""How far each class may be augmented: up to the strongest severity at which it hardly risks to lose too much.

A budget is the strongest severity up to which the chance of losing more than the tolerance (the risk) stays within a
limit. Beside it stands the strongest severity that a test certifies at the level of confidence, a milder one.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from cuesense.stats.curves import one_sided_drops
from cuesense.stats.drop_risk import expected_drops
from cuesense.stats.intervals import interval, tango
from cuesense.stats.training_loss import Forecast
from cuesense.types import RISK, Budget, BudgetStatus, Curve, Perturbation

OWN_ACCURACY = "own accuracy"
TOO_FEW = "too few images"
UNRECOGNIZED = "class is not recognized clean"
_LEAK_FROM = "leak from "

# Where the search for a number of images ends: no dataset is larger.
_MOST_IMAGES = 10**9
# Risk above which a class that stops the search is rather harmed than not; up to it, more images may show that the
# severity is safe.
_PROBABLE = 0.5
# Digits of what is given for every severity: a hundredth of a point is far below what any number of images can tell.
_DIGITS = 4


@dataclass(frozen=True)
class Levels:
    """When an augmentation is safe for a class.

    Attributes:
        tolerance: The largest accuracy drop that is accepted, a fraction in (0, 1).
        confidence: Two-sided level of bounds and one-sided level of certificates, in (0.5, 1).
        risk: The largest chance that the drop exceeds the tolerance, in (0, 0.5].
    """

    tolerance: float
    confidence: float
    risk: float = RISK


@dataclass(frozen=True)
class _Expected:
    """What is expected of C classes at S severities, rounded: decisions are made on what a profile shows.

    Attributes:
        drop: Expected drops, (S, C); NaN where unknown.
        low: Two-sided bounds of the drops.
        high: The same.
        risk: Chance of a drop above the tolerance; NaN where unknown.
        loss: Chance of any drop at the mildest severity, (C,).
    """

    drop: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    risk: NDArray[np.float64]
    loss: NDArray[np.float64]

    @cached_property
    def by_class(self) -> list[list[list[float]]]:
        """Drop, low, high and risk at each severity of each class: a list of C, of S, of four numbers."""
        numbers: list[list[list[float]]] = np.stack([self.drop, self.low, self.high, self.risk]).T.tolist()
        return numbers


def budget(curve: Curve, levels: Levels, leak_to: Sequence[Sequence[str | None]]) -> list[Budget]:
    """Return the budget of every class for one augmentation.

    The severity is the strongest one up to which the chance that the class's accuracy drop exceeds the tolerance stays
    within the risk (``stats.drop_risk``). A class whose clean accuracy is at or below the tolerance has no larger loss
    that could be seen.

    Args:
        curve: The augmentation's counts, S severities and C classes.
        levels: Tolerance, confidence and risk.
        leak_to: Per severity and class, shape (S, C), the name of the class that takes at least half of the images
            lost there, or None.

    Returns:
        One Budget a class, without a severity: ``none`` where a loss is likely at the mildest one (a chance of at least
        1 - risk that the class loses anything), ``undetermined`` where not even that is known, or where the class has
        fewer than two images or is not recognized clean.
    """
    drops = expected_drops(curve)
    found = _expected(
        drops.drop, drops.bounds(levels.confidence), drops.risk(levels.tolerance), drops.risk(0)[0], curve.n > 0
    )
    answered = _answered(curve, levels.tolerance)
    reached = _reached(found.risk <= levels.risk, answered)
    certified = certified_severities(curve, levels.tolerance, levels.confidence)
    leaks = [list(column) for column in zip(*leak_to, strict=True)]
    budgets = []
    for index, safe in enumerate(reached.tolist()):
        reason = _reason(found.risk[:, index], safe, leaks[index][safe] if safe < len(leaks[index]) else None)
        status, reason = _status(safe, reason if answered[index] else UNRECOGNIZED, found, index, levels.risk)
        answer = (safe, status, reason if curve.n[index] > 1 else TOO_FEW)
        budgets.append(_made(curve.perturbation, found, index, answer, int(certified[index])))
    return budgets


def severities_and_statuses(
    curve: Curve, levels: Levels, copies: int = 1
) -> tuple[NDArray[np.int64], list[BudgetStatus], NDArray[np.float64]]:
    """Return what ``budget`` gives, without all that a profile shows beside it.

    Args:
        curve: The augmentation's counts, S severities and C classes.
        levels: Tolerance, confidence and risk.
        copies: As for ``stats.drop_risk.expected_drops``.

    Returns:
        The severity of every class, (C,), its status, and the risk of every severity, (S, C).
    """
    drops = expected_drops(curve, copies)
    unknown = np.full_like(drops.drop, np.nan)
    found = _expected(drops.drop, (unknown, unknown), drops.risk(levels.tolerance), drops.risk(0)[0], curve.n > 0)
    answered = _answered(curve, levels.tolerance)
    reached = _reached(found.risk <= levels.risk, answered)
    statuses = [
        _status(safe, None if answered[index] else UNRECOGNIZED, found, index, levels.risk)[0]
        for index, safe in enumerate(reached.tolist())
    ]
    return reached, statuses, found.risk


def certified_severities(curve: Curve, tolerance: float, confidence: float) -> NDArray[np.int64]:
    """Return the strongest severity that is shown to be safe for each class by its own images.

    From mild to strong, a severity is safe while the one-sided upper bound of the accuracy drop stays within the
    tolerance; the search stops at the first severity where it does not. Testing in this fixed order keeps the chance
    that any unsafe severity is called safe at 1 - confidence, for each class (Maurer, Hothorn, Lehmacher 1995, in
    Biometrie in der chemisch-pharmazeutischen Industrie 6:3).

    Args:
        curve: The augmentation's counts, S severities and C classes.
        tolerance: The largest accuracy drop that is accepted, a fraction in (0, 1).
        confidence: One-sided level of the bounds, in (0.5, 1).

    Returns:
        Severities, (C,), 0 where none is shown to be safe.
    """
    return _reached(one_sided_drops(curve, confidence)[2] <= tolerance, _answered(curve, tolerance))


def _answered(curve: Curve, tolerance: float) -> NDArray[np.bool_]:
    """Return which classes have images enough to be seen to lose more than the tolerance, (C,)."""
    return np.asarray((curve.clean_correct > tolerance * curve.n) & (curve.n > 1))


def _expected(
    drop: NDArray[np.float64],
    bounds: tuple[NDArray[np.float64], NDArray[np.float64]],
    risk: NDArray[np.float64],
    loss: NDArray[np.float64],
    known: NDArray[np.bool_],
) -> _Expected:
    """Round what is expected, and leave out the classes of which nothing is known, (C,)."""

    def rounded(part: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.round(np.where(known, part, np.nan), _DIGITS))

    return _Expected(rounded(drop), rounded(bounds[0]), rounded(bounds[1]), rounded(risk), rounded(loss))


def _reached(safe: NDArray[np.bool_], answered: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the strongest severity up to which all are safe, (C,), 0 for none, from (S, C)."""
    return np.asarray(np.logical_and.accumulate(safe & answered, axis=0).sum(axis=0))


def _status(
    safe: int, reason: str | None, found: _Expected, index: int, risk: float
) -> tuple[BudgetStatus, str | None]:
    """Return the status of a class with this severity, and its reason: too few where the sign of the change is open."""
    if safe:
        return BudgetStatus.UNLIMITED if safe == len(found.risk) else BudgetStatus.LIMITED, reason
    if reason == UNRECOGNIZED:
        return BudgetStatus.UNDETERMINED, reason
    # A class that takes the images of a harmed one is bound by that harm, whatever it loses itself.
    harmed = found.loss[index] >= 1 - risk or (reason or "").startswith(_LEAK_FROM)
    return (BudgetStatus.NONE, reason) if harmed else (BudgetStatus.UNDETERMINED, TOO_FEW)


def _reason(risk: NDArray[np.float64], safe: int, leak: str | None) -> str | None:
    """Return what stops the search at a severity, None where nothing does.

    Args:
        risk: The risk at every severity, (S,).
        safe: The last severity that is safe.
        leak: The class that takes the images lost at the next severity, or None.
    """
    if safe == len(risk):
        return None
    if not risk[safe] > _PROBABLE:
        return TOO_FEW
    return OWN_ACCURACY if leak is None else f"leak into {leak}"


def _made(
    perturbation: Perturbation,
    found: _Expected,
    index: int,
    answer: tuple[int, BudgetStatus, str | None],
    certified: int,
) -> Budget:
    severity, status, reason = answer
    at = max(severity - 1, 0)
    parts = found.by_class[index]
    expected = tuple(interval(*numbers) for *numbers, _ in parts)
    risks = tuple(None if math.isnan(risk) else risk for *_, risk in parts)
    return Budget(perturbation, status, severity, expected[at], reason, risks[at], certified, expected, risks)


def forecast_budget(
    forecast: Forecast,
    perturbation: Perturbation,
    class_names: Sequence[str],
    taken: NDArray[np.float64],
    accuracy: NDArray[np.float64],
    *,
    levels: Levels,
) -> list[Budget]:
    """Return the budget of every class for one augmentation, by what training with it is forecast to cost.

    The severity is the strongest one up to which the chance that the class loses more than the tolerance stays within
    the risk; the certified severity that up to which it stays within 1 - confidence. Where most of what a class loses
    goes to another class, that class gets no stronger value either: an augmentation harms the losers through those
    that take their images (Kirichenko et al. 2023, arXiv 2401.01764).

    Args:
        forecast: Expected losses, S severities and C classes.
        perturbation: The augmentation, with the values of these severities as its ladder.
        class_names: Names of the C classes.
        taken: Share of each class's images (row) that another class (column) takes at the strongest severity,
            (C, C).
        accuracy: Clean accuracy of each class without the augmentation, (C,), NaN where it is not known; a class at or
            below the tolerance has nothing that could be seen to be lost.
        levels: Tolerance, confidence and risk.

    Returns:
        One Budget a class; its drop is the forecast loss, a fraction with two-sided bounds.
    """
    found = _expected(
        forecast.loss,
        forecast.bounds(levels.confidence),
        forecast.risk(levels.tolerance),
        forecast.risk(0)[0],
        np.asarray(np.isfinite(forecast.spread).all(axis=0)),
    )
    known = (accuracy > levels.tolerance) & ~np.isnan(found.loss)
    takers = [_taker(row, max(levels.tolerance, loss / 2)) for row, loss in zip(taken, forecast.loss[-1], strict=True)]
    reached = _with_leaks(_reached(found.risk <= levels.risk, known), found.risk, takers, class_names)
    certified = _with_leaks(_reached(found.risk <= 1 - levels.confidence, known), found.risk, takers, class_names)
    budgets = []
    for index, (safe, reason) in enumerate(reached):
        why = reason if known[index] else UNRECOGNIZED
        answer = (safe, *_status(safe, why, found, index, levels.risk))
        budgets.append(_made(perturbation, found, index, answer, certified[index][0]))
    return budgets


def _with_leaks(
    reached: NDArray[np.int64], risk: NDArray[np.float64], takers: Sequence[int | None], class_names: Sequence[str]
) -> list[tuple[int, str | None]]:
    """Return the severity of every class and what stops it, where a class that takes another's images is bound by it.

    Args:
        reached: The severity of every class by itself, (C,).
        risk: Its risk at every severity, (S, C); NaN where unknown.
        takers: The class that takes most of what it loses, or None, of length C.
        class_names: Names of the C classes.
    """
    names = [None if taker is None else class_names[taker] for taker in takers]
    found = [(safe, _reason(risk[:, index], safe, names[index])) for index, safe in enumerate(reached.tolist())]
    for index, taker in enumerate(takers):
        # Only harm binds the taker: where the class itself is in doubt, nothing shows that it loses images to it.
        harmed = found[index][1] not in (None, TOO_FEW)
        if taker is not None and harmed and reached[index] < found[taker][0]:
            found[taker] = int(reached[index]), f"{_LEAK_FROM}{class_names[index]}"
    return found


def _taker(shares: NDArray[np.float64], least: float) -> int | None:
    """Return the class that takes more than the least share of a class's images, None where there is none."""
    most = int(shares.argmax())
    return most if shares[most] > least else None


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

    The risk is that of each class, without a correction for their number. Of certificates (``as_certified``) the claim
    holds at the confidence of the single ones: it is wrong only if that of one particular class is (intersection-union
    test, Berger 1982, Technometrics 24:295).

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


def as_certified(budget: Budget) -> Budget:
    """Return a budget that goes as far as is certified, and no further; without a certificate it is undetermined."""
    whole = budget.certified == len(budget.perturbation.ladder)
    limited = BudgetStatus.LIMITED if budget.certified else BudgetStatus.UNDETERMINED
    return replace(
        budget,
        severity=budget.certified,
        status=BudgetStatus.UNLIMITED if whole else limited,
        limited_by=None if whole else TOO_FEW,
    )


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
