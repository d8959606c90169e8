"""The policies that a verification compares the recommended ones with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from cuesense.errors import readable_name
from cuesense.policies.policy import Policy, augmentation, uniform


def candidates(ladders: Mapping[str, Sequence[float]], class_names: Sequence[str], probability: float) -> list[Policy]:
    """Return the uniform policies of which the one with the best mean is chosen: none, and each value by itself.

    Args:
        ladders: The values of each augmentation, mild to strong.
        class_names: Names of the classes.
        probability: Chance that a view is augmented.
    """
    alone = [{name: value} for name, ladder in ladders.items() for value in ladder]
    return [uniform(values, class_names, probability) for values in ({}, *alone)]


def joined(tried: Sequence[Policy], means: Sequence[float]) -> Policy:
    """Return the policy with every augmentation that raised the mean by itself, each at its best value.

    Args:
        tried: The candidates; the first is the one without augmentation.
        means: Their mean accuracies.
    """
    best: dict[str, tuple[float, float]] = {}
    for policy, mean in zip(tried[1:], means[1:], strict=True):
        ((name, value),) = policy.values[0].items()
        if mean > max(means[0], best.get(name, (-1.0, 0.0))[0]):
            best[name] = mean, value
    return replace(tried[0], values=({name: value for name, (_, value) in best.items()},))


def permuted(policy: Policy) -> Policy:
    """Return the same values given to other classes: every class gets those of the class half the list further on.

    What a policy by class gains over this one it gains because its values fit the classes.
    """
    shift = max(1, len(policy.groups) // 2)
    return replace(policy, groups=policy.groups[shift:] + policy.groups[:shift])


def matched(policy: Policy, ladders: Mapping[str, Sequence[float]]) -> Policy:
    """Return the policy that gives every class the mean strength of a policy by class.

    Strength is the severity, 0 for none; between two severities the value is interpolated.

    Args:
        policy: The policy by class.
        ladders: The values of each augmentation, mild to strong.
    """
    means = {}
    for name in policy.names:
        identity = augmentation(name).identity
        ladder = np.array([identity, *ladders[name]])
        values = np.array([policy.of_class(index).get(name, identity) for index in range(len(policy.class_names))])
        # Values may fall with severity, as the area of a crop does; distances from the identity always grow.
        severities = np.interp(np.abs(values - identity), np.abs(ladder - identity), range(len(ladder)))
        means[name] = float(np.interp(severities.mean(), range(len(ladder)), ladder))
    return uniform(means, policy.class_names, policy.probability)


def describe(policy: Policy) -> str:
    """Return a policy in one line, such as ``"random resized crop 0.4, color jitter 0.1"``."""
    if policy.class_weights:
        low, high = min(policy.class_weights), max(policy.class_weights)
        values = f"{describe(replace(policy, class_weights=()))}, " if policy.names else ""
        return f"{values}class weights {low:.2f} to {high:.2f}"
    if policy.scope == "global":
        return (
            ", ".join(f"{readable_name(name)} {value:g}" for name, value in policy.values[0].items())
            or "no augmentation"
        )
    kinds = {tuple(sorted(policy.of_class(index).items())) for index in range(len(policy.class_names))}
    return f"{len(kinds)} different sets of values" if len(kinds) > 1 else describe(_same(policy))


def _same(policy: Policy) -> Policy:
    return uniform(policy.of_class(0), policy.class_names, policy.probability)
