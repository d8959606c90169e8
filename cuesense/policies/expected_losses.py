"""What training with augmentations is expected to cost each class of a profile: by its forecast, else without training.

Where the profile holds a forecast (``recommend --train`` or ``--head``), its losses count. Else losses are estimated
from the profile alone: from what classes lose at test time and from what trainings in other worlds cost
(``stats/training_prior``), with a wide spread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cuesense.arrays import Floats
from cuesense.policies.policy import PROBABILITY, Policy, augmentation
from cuesense.policies.profile_budgets import measured_augmentations, refuse_unforecast
from cuesense.schemas.profile import ForecastModel, Profile
from cuesense.stats.drop_risk import mean_drops
from cuesense.stats.training_loss import Forecast
from cuesense.stats.training_prior import forecast_from_drops
from cuesense.types import Cue

Basis = Literal["trained", "head", "trained and head", "no training"]


@dataclass(frozen=True)
class ExpectedLosses:
    """The recall that training with each augmentation is expected to cost each of C classes.

    Attributes:
        basis: Where the losses come from.
        accuracy: Recall of each class after training without augmentation, (C,); NaN where it is not known.
        ladders: The S values of each augmentation, mild to strong.
        losses: The losses of each augmentation, (S, C); below 0 they are gains.
        probability: The share of augmented views that the losses hold for.
    """

    basis: Basis
    accuracy: Floats
    ladders: Mapping[str, tuple[float, ...]]
    losses: Mapping[str, Forecast]
    probability: float

    def of_values(self, name: str, values: Floats) -> tuple[Floats, Floats]:
        """Return loss and spread of each class at its own value of one augmentation, (C,) each.

        Between two severities the stronger one's loss counts, beyond the last one the last one's.

        Args:
            name: The augmentation.
            values: The value of each class, (C,).
        """
        identity, found = augmentation(name).identity, self.losses[name]
        distances, distance = (np.abs(np.array(part) - identity) for part in (self.ladders[name], values))
        row, column = np.minimum(np.searchsorted(distances, distance), len(distances) - 1), np.arange(len(values))
        # Nothing is done at the identity, which costs nothing for certain.
        done = distance > 0
        return np.where(done, found.loss[row, column], 0.0), np.where(done, found.spread[row, column], 0.0)

    def of_policy(self, policy: Policy) -> Forecast | None:
        """Return what a policy is expected to cost, one row, (1, C); None where one of its augmentations is not known.

        Losses of several augmentations add up, with independent errors, and shrink in proportion with the share of
        augmented views: on a planted world the policy by class and its matched uniform one lost half as much with half
        of the views clean as with a fifth (docs/budgets.md, "Half of the views clean").
        """
        if not set(policy.names) <= set(self.losses):
            return None
        parts = []
        for name in policy.names:
            identity = augmentation(name).identity
            values = [policy.of_class(index).get(name, identity) for index in range(len(self.accuracy))]
            parts.append(self.of_values(name, np.array(values)))
        return self.added(parts, policy.probability)

    def added(self, parts: Sequence[tuple[Floats, Floats]], probability: float) -> Forecast:
        """Return the loss of several augmentations together, for N policies at once, (N, C).

        Args:
            parts: Loss and spread of each class under each augmentation, (N, C) each, or (C,) for a single policy.
            probability: The share of augmented views.
        """
        share, classes = probability / self.probability, len(self.accuracy)
        loss = sum((one for one, _ in parts), start=np.zeros(classes))
        variance = sum((spread**2 for _, spread in parts), start=np.zeros(classes))
        # Of a class that is recognized no better than by chance, or has too few images, nothing is foreseen: a gain in
        # the lowest recall that rests on it would recommend the strongest values where least is known.
        loss = np.where(np.isfinite(variance), loss, 0.0)
        return Forecast(np.atleast_2d(share * loss), np.atleast_2d(share * np.sqrt(variance)))


def expected_losses(profile: Profile, augmentations: Sequence[str] | None = None) -> ExpectedLosses:
    """Return what training with each augmentation is expected to cost every class of a profile.

    Args:
        profile: The profile; its forecast counts where it has one, for the augmentations that were forecast.
        augmentations: Names to choose from; None takes all that the profile measured, or forecast.

    Returns:
        The losses; gains count where whole networks were trained with two seeds or more, or where nothing was trained.

    Raises:
        SettingsError: The profile measured none, or not one of the named augmentations, or did not forecast it.
    """
    curves = measured_augmentations(profile, augmentations)
    if profile.forecast is not None:
        refuse_unforecast(augmentations or (), profile.forecast.augmentations)
        return _forecast(profile.forecast, list(curves))
    # One image says nothing of a class, as in forecasts by trainings (``stats/training_loss``).
    known = [None if entry.images < 2 else entry.clean_accuracy for entry in profile.classes]
    accuracy = np.array([np.nan if value is None else value for value in known])
    kept = kept_without(profile)
    ladders = {name: curve.perturbation.ladder for name, curve in curves.items()}
    losses = {
        name: forecast_from_drops(name, mean_drops(curve), ladders[name], accuracy, kept)
        for name, curve in curves.items()
    }
    return ExpectedLosses("no training", accuracy, ladders, losses, PROBABILITY)


def kept_without(profile: Profile) -> dict[Cue, Floats]:
    """Return the share of each class that stays recognized without each cue, (C,); NaN where it was not measured."""
    found = {}
    for cue in Cue:
        parts = [entry.kept.get(f"without_{cue}") for entry in profile.classes]
        found[cue] = np.array([np.nan if part is None or part.value is None else part.value for part in parts])
    return found


def _forecast(forecast: ForecastModel, names: Sequence[str]) -> ExpectedLosses:
    known = {name: forecast.augmentations[name] for name in names if name in forecast.augmentations}
    # A gain of one training may be luck, and refitted heads do not see gains (docs/budgets.md).
    gains = forecast.method != "head" and forecast.runs > 1
    found = {name: entry.to_forecast() for name, entry in known.items()}
    losses = found if gains else {name: Forecast(np.maximum(f.loss, 0), f.spread) for name, f in found.items()}
    return ExpectedLosses(
        basis=forecast.method,
        accuracy=np.array([np.nan if value is None else value for value in forecast.accuracy]),
        ladders={name: tuple(entry.values) for name, entry in known.items()},
        losses=losses,
        probability=forecast.probability,
    )
