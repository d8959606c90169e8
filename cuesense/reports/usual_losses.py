"""What the usual augmentations -- crop, color jitter, flip -- cost each class, and how safe it is under them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cuesense.policies.policy import DEFAULT_AUGMENTATIONS, severities_within
from cuesense.reports.confusions import main_taker
from cuesense.schemas.profile import BudgetModel, ClassModel, CurveModel, Profile
from cuesense.types import BudgetStatus, Role


class Safety(StrEnum):
    """How far one class may be augmented as usual; ``MEANING`` says what each word means."""

    AT_RISK = "at risk"
    LIMITED = "limited"
    SAFE = "safe"
    OPEN = "undetermined"


MEANING = {
    Safety.AT_RISK: "for a usual augmentation even the mildest value is over the accepted risk",
    Safety.LIMITED: "some budget is milder than the usual strength",
    Safety.SAFE: "within the risk at the usual strength of each",
    Safety.OPEN: "a budget is undetermined, and none is over the risk or limited",
}


@dataclass(frozen=True)
class UsualLoss:
    """The largest loss of one class under a usual augmentation at its usual strength.

    Attributes:
        augmentation: Its name.
        value: The strength, in the unit.
        unit: The strength's unit.
        drop: Expected accuracy drop there, a fraction; below 0 it is a gain.
        low: Lower bound of the drop; None where it is not known, as in older files.
        high: Upper bound, likewise.
        rival: The class that takes most of its images at the strongest value; None where none takes three of them.
    """

    augmentation: str
    value: float
    unit: str
    drop: float
    low: float | None
    high: float | None
    rival: str | None


def usual_severity(curve: CurveModel) -> int:
    """Return the severity of an augmentation's usual strength, counted from 1.

    Args:
        curve: Its curve, with at least one value.

    Returns:
        The strongest severity that is no stronger than the usual default, at least the mildest; of an augmentation
        without a usual default the strongest.
    """
    usual = DEFAULT_AUGMENTATIONS.get(curve.perturbation)
    if usual is None:
        return len(curve.values)
    return max(severities_within(curve.perturbation, curve.values, usual), 1)


def expected_loss(budget: BudgetModel, severity: int) -> float:
    """Return the expected drop of a class at a severity; at the budget's own value in files that know no other."""
    known = budget.expected[severity - 1] if len(budget.expected) >= severity else budget.drop
    return known or 0.0


def usual_curves(profile: Profile) -> dict[str, tuple[CurveModel, int]]:
    """Return the usual augmentations that a profile measured, each with the severity of its usual strength."""
    return {
        curve.perturbation: (curve, usual_severity(curve))
        for curve in profile.curves
        if curve.perturbation in DEFAULT_AUGMENTATIONS and curve.role is Role.AUGMENTATION and curve.values
    }


def usual_losses(profile: Profile) -> list[UsualLoss | None]:
    """Return the largest loss of every class under the usual augmentations; None where nothing is known."""
    curves = usual_curves(profile)
    return [_largest(entry, at, curves) for at, entry in enumerate(profile.classes)]


def worst_first(profile: Profile) -> list[tuple[ClassModel, UsualLoss | None]]:
    """Return all classes with what a usual augmentation costs them, the largest drop first.

    Classes of which nothing is known come last, those with the lowest clean accuracy first.
    """

    def order(row: tuple[ClassModel, UsualLoss | None]) -> tuple[bool, float, bool, float]:
        entry, loss = row
        accuracy = entry.clean_accuracy
        return loss is None, -loss.drop if loss else 0.0, accuracy is None, accuracy or 0.0

    return sorted(zip(profile.classes, usual_losses(profile), strict=True), key=order)


def _largest(entry: ClassModel, at: int, curves: dict[str, tuple[CurveModel, int]]) -> UsualLoss | None:
    found: list[UsualLoss] = []
    # A class that is never recognized has nothing to lose; what is expected of it is the other classes' loss.
    if not entry.clean_accuracy:
        return None
    for name, (curve, severity) in curves.items():
        drop = _drop(entry.budgets.get(name), curve, severity, at)
        if drop is not None:
            taker = main_taker(entry, curve)
            low, high = _bounds(entry.budgets.get(name), severity)
            found.append(
                UsualLoss(name, curve.values[severity - 1], curve.unit, drop, low, high, taker.rival if taker else None)
            )
    return max(found, key=lambda loss: loss.drop, default=None)


def _drop(budget: BudgetModel | None, curve: CurveModel, severity: int, at: int) -> float | None:
    """Return the expected drop, estimated from all classes together; else what was counted."""
    if budget is not None and len(budget.expected) >= severity:
        return budget.expected[severity - 1]
    images = curve.images_at(severity)[at]
    if not images:
        return None
    return (curve.lost[severity - 1][at] - curve.gained[severity - 1][at]) / (images * curve.repeats)


def _bounds(budget: BudgetModel | None, severity: int) -> tuple[float | None, float | None]:
    if budget is None or min(len(budget.expected_low), len(budget.expected_high)) < severity:
        return None, None
    return budget.expected_low[severity - 1], budget.expected_high[severity - 1]


def safety(profile: Profile) -> list[Safety | None]:
    """Return how far every class may be augmented as usual; None where it has no budget for a usual augmentation."""
    curves = usual_curves(profile)
    return [_safety(entry, curves) for entry in profile.classes]


def _safety(entry: ClassModel, curves: dict[str, tuple[CurveModel, int]]) -> Safety | None:
    known = [(entry.budgets[name], *found) for name, found in curves.items() if name in entry.budgets]
    statuses = {budget.status for budget, _, _ in known}
    if not known:
        return None
    if BudgetStatus.NONE in statuses:
        return Safety.AT_RISK
    if any(_is_milder(budget, curve, usual) for budget, curve, usual in known):
        return Safety.LIMITED
    return Safety.OPEN if BudgetStatus.UNDETERMINED in statuses else Safety.SAFE


def _is_milder(budget: BudgetModel, curve: CurveModel, usual: int) -> bool:
    if budget.status is not BudgetStatus.LIMITED or budget.value is None:
        return False
    # profile.json names a budget by its value, copied from the curve's: older files do not give its severity.
    severity = budget.severity or curve.values.index(budget.value) + 1
    return severity < usual
