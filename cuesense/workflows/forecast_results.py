"""From what trainings or refitted heads show of an augmentation to the numbers that a profile keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cuesense.policies.profile_budgets import budgets_of
from cuesense.schemas.profile import ForecastModel, LeakModel, LossModel, Profile, TrainedBudget, budget_model
from cuesense.stats.training_loss import Forecast
from cuesense.types import Curve

# A class that takes less than 2 % of another's images is not named. Chosen by hand; not tuned.
_NAMED_LEAK = 0.02
# Levels at which budgets are shown beside the profile's own: docs/budgets.md says what a lower level buys and costs.
_LESS_SURE = (0.8, 0.55)


def accuracy_of(right: np.ndarray, labels: np.ndarray, classes: int) -> list[float | None]:
    """Return the accuracy of each class over runs, (R, N), None where it has no images."""
    n = np.bincount(labels, minlength=classes)
    counts = np.bincount(labels, weights=right.mean(axis=0), minlength=classes)
    return [round(float(count / images), 6) if images else None for count, images in zip(counts, n, strict=True)]


def named_leaks(taken: np.ndarray, names: Sequence[str]) -> list[LeakModel]:
    """Return the classes that take others' images, from the share of each class (row) that another takes, (C, C)."""
    rows, columns = np.nonzero(taken >= _NAMED_LEAK)
    return [
        LeakModel(of=names[row], rival=names[column], share=round(float(taken[row, column]), 6))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    ]


@dataclass(frozen=True)
class Shown:
    """What trainings or heads show beside the losses.

    Attributes:
        leaks: Classes that take others' images.
        augmented: Recall of each class on augmented images, by the network adapted to them.
        gaining: Whether a gain of each class may be shown as such, (C,); None: of none.
    """

    leaks: list[LeakModel]
    augmented: list[float | None]
    gaining: np.ndarray | None = None


def loss_model(profile: Profile, curve: Curve, forecast: Forecast, shown: Shown) -> LossModel:
    """Return what a profile keeps of the losses under one augmentation, at its tolerance and confidence.

    Args:
        profile: The profile.
        curve: The augmentation and its values.
        forecast: The losses.
        shown: What stands beside them.
    """
    low, high = forecast.bounds(profile.policy.confidence)
    entry, tolerance = curve.perturbation, profile.policy.tolerance
    risk = np.where(np.isfinite(forecast.spread), forecast.risk(tolerance), np.nan)
    return LossModel(
        parameter=entry.parameter,
        unit=entry.unit,
        values=list(entry.ladder),
        loss=_rounded(forecast.loss),
        spread=_nulls(forecast.spread),
        risk=_nulls(risk),
        low=_rounded(low),
        high=_rounded(high),
        flags=forecast.flags(tolerance, profile.policy.confidence, shown.gaining),
        augmented=shown.augmented,
        leaks=shown.leaks,
    )


def merged(earlier: ForecastModel | None, new: ForecastModel | None) -> ForecastModel | None:
    """Keep what was forecast before for other augmentations in the same way."""
    if earlier is None or new is None:
        return new
    parts = earlier.augmentations, new.augmentations
    empty: dict[str, object] = {"augmentations": {}, "budgets": {}, "warnings": []}
    same = earlier.model_copy(update=empty) == new.model_copy(update=empty)
    return new.model_copy(update={"augmentations": parts[0] | parts[1]}) if same else new


def with_budgets(profile: Profile, forecast: ForecastModel | None) -> Profile:
    """Return the profile with a forecast and with what each class may bear by it, beside what else was considered."""
    profile = profile.model_copy(update={"forecast": forecast})
    if forecast is None:
        return profile
    own = budgets_of(profile)
    others = {f"confidence_{level}": budgets_of(profile, risk=round(1 - level, 6)) for level in _LESS_SURE}
    listed = {
        entry.name: {
            name: TrainedBudget(
                **budget_model(of_class[entry.index]).model_dump(),
                alternatives={label: budgets[name][entry.index].value for label, budgets in others.items()}
                | {"test_time": entry.budgets[name].value if name in entry.budgets else None},
            )
            for name, of_class in own.items()
        }
        for entry in profile.classes
    }
    return profile.model_copy(update={"forecast": forecast.model_copy(update={"budgets": listed})})


def _nulls(values: np.ndarray) -> list[list[float | None]]:
    return [[value if np.isfinite(value) else None for value in row] for row in _rounded(values)]


def _rounded(values: np.ndarray) -> list[list[float]]:
    rounded: list[list[float]] = (values.round(6) + 0.0).tolist()
    return rounded
