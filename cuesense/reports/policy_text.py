"""A policy as text."""

from __future__ import annotations

from cuesense.policies.policy import Policy, augmentation
from cuesense.reports.profile_text import value_text
from cuesense.reports.text import readable_name


def describe(policy: Policy) -> str:
    """Return a policy in words, such as "random resized crop to 0.4, color jitter to 0.1"."""
    kinds = [values for values in policy.values if values]
    if not kinds:
        return "no augmentation"
    if len(kinds) > 1:
        return f"{len(kinds)} sets of values, by class"
    return ", ".join(
        f"{readable_name(name)} to {value_text(value, augmentation(name).unit)}" for name, value in kinds[0].items()
    )
