"""What the usual augmentation costs each class: the largest expected drop, and who takes the images."""

from __future__ import annotations

from dataclasses import dataclass

from cuesense.policies.policy import DEFAULT_AUGMENTATIONS, severities_within
from cuesense.schemas.profile import ClassModel, CurveModel, Profile


@dataclass(frozen=True)
class UsualLoss:
    """The augmentation of a usual training recipe that costs one class most.

    Attributes:
        perturbation: Its name.
        value: Its value, in the unit.
        unit: Unit of the value.
        drop: Expected accuracy drop, a fraction of the class's images, negative for a gain.
        low: Lower bound of the drop; None where it is not known.
        high: Upper bound, likewise.
        rival: The class that takes most of the images; None where no share is notable.
    """

    perturbation: str
    value: float
    unit: str
    drop: float
    low: float | None
    high: float | None
    rival: str | None


def usual_loss(profile: Profile, entry: ClassModel) -> UsualLoss | None:
    """Return what a usual training recipe (crop to 0.08, flips, jitter 0.4) costs one class at test time.

    Args:
        profile: The profile.
        entry: One of its classes.

    Returns:
        The augmentation with the largest expected drop at its usual value, or where the ladder lacks that value at the
        strongest milder one, or where all are stronger at the strongest; None where nothing is known, as in files of
        earlier versions.
    """
    curves = {curve.perturbation: curve for curve in profile.curves}
    found = [_loss(entry, curves[name], usual) for name, usual in DEFAULT_AUGMENTATIONS.items() if name in curves]
    return max((loss for loss in found if loss is not None), key=lambda loss: loss.drop, default=None)


def worst_first(profile: Profile) -> list[tuple[ClassModel, UsualLoss | None]]:
    """Return all classes with what the usual augmentation costs them, the largest drop first.

    Classes of which nothing is known come last, those with the lowest clean accuracy first.
    """
    rows = [(entry, usual_loss(profile, entry)) for entry in profile.classes]

    def order(row: tuple[ClassModel, UsualLoss | None]) -> tuple[bool, float, bool, float]:
        entry, loss = row
        accuracy = entry.clean_accuracy
        return loss is None, -loss.drop if loss else 0.0, accuracy is None, accuracy or 0.0

    return sorted(rows, key=order)


def _loss(entry: ClassModel, curve: CurveModel, usual: float) -> UsualLoss | None:
    budget, at = entry.budgets.get(curve.perturbation), _position(curve, usual)
    if budget is None or at >= len(budget.expected):
        return None
    drop = budget.expected[at]
    if drop is None:
        return None
    takers = [rival for rival in entry.rivals if rival.perturbation == curve.perturbation]
    return UsualLoss(
        curve.perturbation,
        curve.values[at],
        curve.unit,
        drop,
        budget.expected_low[at] if at < len(budget.expected_low) else None,
        budget.expected_high[at] if at < len(budget.expected_high) else None,
        max(takers, key=lambda rival: rival.share).rival if takers else None,
    )


def _position(curve: CurveModel, usual: float) -> int:
    """Return the position of the strongest value within the usual one; the strongest of all where none is."""
    return (severities_within(curve.perturbation, curve.values, usual) or len(curve.values)) - 1
