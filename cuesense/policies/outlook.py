"""What a policy is forecast to cost: mean and worst-class accuracy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cuesense.policies.policy import (
    DEFAULT_AUGMENTATIONS,
    SCOPES,
    Outlook,
    Policy,
    PolicyOptions,
    augmentation,
    uniform,
)
from cuesense.policies.recommend import propose
from cuesense.schemas.profile import LossModel, Profile


def outlook(profile: Profile, policy: Policy) -> Outlook | None:
    """Return the accuracy that a policy is forecast to give: losses of its augmentations add up, gains do not count.

    Args:
        profile: A profile with a forecast.
        policy: The policy.

    Returns:
        The outlook; None where the profile has no forecast, or not for one of the policy's augmentations.
    """
    losses = policy_losses(profile, policy)
    if profile.forecast is None or losses is None:
        return None
    before = np.array([np.nan if value is None else value for value in profile.forecast.accuracy])
    recall = np.maximum(before - np.maximum(losses, 0).sum(axis=0), 0)
    worst = int(np.nanargmin(recall))
    return Outlook(float(np.nanmean(recall)), float(recall[worst]), profile.classes[worst].name)


def outlooks(
    profile: Profile,
    *,
    tolerance: float | None = None,
    confidence: float | None = None,
    augmentations: Sequence[str] | None = None,
    all_but: float = 0.0,
) -> dict[str, Outlook]:
    """Return what no augmentation, the usual default and a policy of each scope are forecast to give.

    The arguments are those of ``recommend``; policies that hold an augmentation without a forecast are left out.
    """
    if profile.forecast is None:
        return {}
    names = [entry.name for entry in profile.classes]
    compared = {"none": uniform({}, names), "usual": uniform(DEFAULT_AUGMENTATIONS, names)}
    for scope in SCOPES:
        spared = all_but if scope == "global" else 0.0
        options = PolicyOptions(scope, tolerance, confidence, augmentations, all_but=spared)
        compared[scope] = propose(profile, options)
    found = {name: outlook(profile, policy) for name, policy in compared.items()}
    return {name: entry for name, entry in found.items() if entry is not None}


def policy_losses(profile: Profile, policy: Policy) -> np.ndarray | None:
    """Return the recall that each class is forecast to lose by each augmentation of a policy, negative where it gains.

    Args:
        profile: A profile with a forecast.
        policy: The policy; a value that was not forecast counts as the next stronger one.

    Returns:
        (A, C) for its A augmentations; None where the profile has no forecast, or not for one of them.
    """
    forecast = profile.forecast
    if forecast is None or not set(policy.names) <= set(forecast.augmentations):
        return None
    losses = [_losses(forecast.augmentations[name], name, policy) for name in policy.names]
    return np.array(losses).reshape(len(losses), len(profile.classes))


def _losses(found: LossModel, name: str, policy: Policy) -> np.ndarray:
    """Return what each class loses at its value, (C,): the loss at the next stronger one where it was not forecast."""
    identity, loss = augmentation(name).identity, np.array(found.loss)
    distances = np.abs(np.array(found.values) - identity)
    values = [policy.of_class(index).get(name, identity) for index in range(loss.shape[1])]
    distance = np.abs(np.array(values) - identity)
    row = np.minimum(np.searchsorted(distances, distance), len(loss) - 1)
    lost: np.ndarray = np.where(distance == 0, 0, loss[row, np.arange(loss.shape[1])])
    return lost
