"""What a policy is forecast to give: mean and worst-class accuracy, and which classes it puts at risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from cuesense.arrays import Floats
from cuesense.policies.expected_losses import ExpectedLosses
from cuesense.policies.policy import ClassAtRisk, Outlook, Policy
from cuesense.stats.training_loss import Forecast

# Two-sided level of the ranges of losses: one in ten lies above, one in ten below. Chosen by hand; not tuned.
_RANGE = 0.8


def outlook(
    losses: ExpectedLosses, class_names: Sequence[str], policy: Policy, *, tolerance: float, risk: float
) -> Outlook:
    """Return the accuracy that a policy is forecast to give.

    Args:
        losses: What training with each augmentation is expected to cost.
        class_names: Names of the C classes.
        policy: The policy; augmentations that are not among the losses are left out and named.
        tolerance: Recall that a class may lose, a fraction in (0, 1).
        risk: The largest accepted chance of losing more.

    Returns:
        The outlook; of classes without images nothing counts. NaN where no class has any.
    """
    known, left_out = _known(losses, policy)
    cost = losses.of_policy(known) or Forecast(np.zeros((1, len(class_names))), np.zeros((1, len(class_names))))
    recall = np.clip(losses.accuracy - cost.loss[0], 0, 1)
    if np.isnan(recall).all():
        return Outlook(float("nan"), float("nan"), "", (), left_out)
    worst = int(np.nanargmin(recall))
    classes = _classes(cost, class_names, losses.accuracy, tolerance)
    at_risk = _at_risk(classes, risk)
    return Outlook(float(np.nanmean(recall)), float(recall[worst]), class_names[worst], at_risk, left_out, classes)


def policy_losses(losses: ExpectedLosses, policy: Policy) -> np.ndarray | None:
    """Return the recall that each class is forecast to lose by a policy, (C,); None where an augmentation is not known.

    Args:
        losses: What training with each augmentation is expected to cost.
        policy: The policy.

    Returns:
        Losses of at most the recall without augmentation, below 0 for gains up to a recall of 1.
    """
    cost = losses.of_policy(policy)
    return None if cost is None else _possible(cost.loss[0], losses.accuracy)


def policy_range(losses: ExpectedLosses, policy: Policy) -> tuple[Floats, Floats] | None:
    """Return the range of the recall that each class is forecast to lose: one loss in ten lies below, one above.

    Args:
        losses: As of ``policy_losses``.
        policy: The policy.

    Returns:
        Lower and upper end, (C,) each; all that is possible where nothing is foreseen. None where an augmentation is
        not known.
    """
    cost = losses.of_policy(policy)
    if cost is None:
        return None
    low, high = (_possible(part[0], losses.accuracy) for part in cost.bounds(_RANGE))
    return low, high


def _possible(loss: Floats, recall: Floats) -> Floats:
    """Return losses, (C,), between all of a recall and what is missing to 1: those of several augmentations add up."""
    known = np.isfinite(recall)
    return np.clip(loss, np.where(known, recall - 1, -1.0), np.where(known, recall, 1.0))


def _known(losses: ExpectedLosses, policy: Policy) -> tuple[Policy, tuple[str, ...]]:
    """Return the policy without augmentations of which nothing is known, and their names."""
    left_out = tuple(name for name in policy.names if name not in losses.losses)

    def without(values: Mapping[str, float]) -> Mapping[str, float]:
        return {name: value for name, value in values.items() if name not in left_out}

    return replace(policy, values=tuple(without(values) for values in policy.values)), left_out


def _classes(cost: Forecast, class_names: Sequence[str], accuracy: Floats, tolerance: float) -> tuple[ClassAtRisk, ...]:
    """Return what every class is forecast to lose, but those of which nothing is known."""
    known = ~np.isnan(accuracy) & np.isfinite(cost.spread[0])
    chance = cost.risk(tolerance)[0]
    loss, low, high = (_possible(part[0], accuracy) for part in (cost.loss, *cost.bounds(_RANGE)))
    return tuple(
        ClassAtRisk(class_names[i], float(loss[i]), float(low[i]), float(high[i]), float(chance[i]))
        for i in np.flatnonzero(known).tolist()
    )


def _at_risk(classes: Sequence[ClassAtRisk], risk: float) -> tuple[ClassAtRisk, ...]:
    return tuple(sorted((entry for entry in classes if entry.risk > risk), key=lambda entry: -entry.risk))
