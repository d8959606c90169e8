"""Augmentation policies: how strongly an image of each class may be augmented, as a training run samples it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from cuesense import registry
from cuesense.errors import SettingsError, expected, unknown
from cuesense.types import Perturbation

Scope = Literal["global", "grouped", "per_class"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
# The chance of a view with which docs/budgets.md trains, where 0.5 was tried for policies by class, too. Chosen by hand
# before those trainings; not tuned.
PROBABILITY = 0.8
# What a policy is compared with: crops down to 8 % of the area, the default of torchvision's RandomResizedCrop, and
# jitter of 0.4, usual in ImageNet recipes. Not tuned.
DEFAULT_AUGMENTATIONS: Mapping[str, float] = {"random_resized_crop": 0.08, "color_jitter": 0.4}


@dataclass(frozen=True)
class Policy:
    """What a training run does to its images: with a probability all of a class's augmentations, one after the other.

    Every other view stays clean, in every class, so that being augmented tells nothing about the class.

    Attributes:
        scope: One set of values for all classes, for each cluster of confused classes, or for each class.
        probability: Chance that a view is augmented, in (0, 1].
        class_names: Names of the C classes.
        groups: The group of each class, length C, numbered from 0.
        values: For each group the strongest value of each augmentation, in its unit; what is not named is not done. An
            augmentation draws from its identity to this value, as its function says.

    Raises:
        SettingsError: The probability is out of range, or an augmentation does not exist, or a value is out of
            its limits.
    """

    scope: Scope
    probability: float
    class_names: tuple[str, ...]
    groups: tuple[int, ...]
    values: tuple[Mapping[str, float], ...]

    def __post_init__(self) -> None:
        if not 0 < self.probability <= 1:
            do = "Choose a number inside, such as 0.8"
            raise SettingsError(expected("--probability", "in (0, 1]", self.probability, do))
        if self.scope not in SCOPES:
            raise SettingsError(unknown(f"scope '{self.scope}'", str(self.scope), SCOPES))
        for values in self.values:
            for name, value in values.items():
                augmentation(name).check(value)

    @property
    def names(self) -> tuple[str, ...]:
        """The augmentations that some class gets, in the order in which they are done: the registry's."""
        used = {name for values in self.values for name in values}
        return tuple(name for name in registry.names("perturbations") if name in used)

    def of_class(self, index: int) -> Mapping[str, float]:
        """Return the strongest value of each augmentation of one class."""
        return self.values[self.groups[index]]

    def to_dict(self) -> dict[str, Any]:
        """Return the policy as JSON values: each augmentation with its parameter, unit and range (low, high)."""
        listed = {
            "scope": self.scope,
            "probability": self.probability,
        }
        if self.scope == "global":
            return listed | {"augmentations": _ranges(self.values[0])}
        groups: dict[int, list[str]] = {}
        for name, group in zip(self.class_names, self.groups, strict=True):
            groups.setdefault(group, []).append(name)
        return listed | {
            "groups": [
                {"classes": members, "augmentations": _ranges(self.values[group])} for group, members in groups.items()
            ]
        }


@dataclass(frozen=True)
class PolicyOptions:
    """Which policy is wanted.

    Attributes:
        scope: ``"global"``, ``"grouped"`` or ``"per_class"``.
        tolerance: Accuracy drop that a class may suffer, a fraction in (0, 1); None takes the profile's own.
        confidence: How sure it must be that a value is safe, in (0.5, 1); None takes the profile's own.
        augmentations: Names to choose from; None takes all that the profile measured, or forecast.
        probability: Chance that a view is augmented, in (0, 1].
        guards: Whether, with scope per_class, classes that are often confused share their values.
        all_but: With scope global, the share of the classes, in [0, 1), that may be harmed.
    """

    scope: Scope = "global"
    tolerance: float | None = None
    confidence: float | None = None
    augmentations: Sequence[str] | None = None
    probability: float = PROBABILITY
    guards: bool = True
    all_but: float = 0.0


@dataclass(frozen=True)
class Limit:
    """What stops one augmentation in a policy for all classes.

    Attributes:
        augmentation: Its name.
        value: The value that is recommended, None where there is none.
        limiting: Name of the class that allows no stronger value, None where nothing limits.
        limited_by: Why: what the class's budget says.
        given_up: Names of the classes for which this value is not shown to be safe, where some may be harmed.
    """

    augmentation: str
    value: float | None
    limiting: str | None
    limited_by: str | None
    given_up: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outlook:
    """The clean accuracy that training with a policy is forecast to give.

    Attributes:
        mean: Mean of the classes' recalls, a fraction.
        worst: The lowest of them.
        worst_class: Name of the class with the lowest recall.
    """

    mean: float
    worst: float
    worst_class: str


def uniform(values: Mapping[str, float], class_names: Sequence[str], probability: float = PROBABILITY) -> Policy:
    """Return the policy that does the same to every class.

    Args:
        values: The strongest value of each augmentation, in its unit.
        class_names: Names of the C classes.
        probability: Chance that a view is augmented, in (0, 1].

    Returns:
        The policy, of scope global.
    """
    return Policy("global", probability, tuple(class_names), (0,) * len(class_names), (dict(values),))


def augmentation(name: str) -> Perturbation:
    """Return a registered augmentation.

    Args:
        name: Its name.

    Returns:
        The perturbation.

    Raises:
        SettingsError: There is none of this name.
    """
    found: Perturbation = registry.get("perturbations", name)
    return found


def _ranges(values: Mapping[str, float]) -> list[dict[str, Any]]:
    found = ((augmentation(name), value) for name, value in values.items())
    return [
        {
            "name": entry.name,
            "parameter": entry.parameter,
            "unit": entry.unit,
            "low": min(value, entry.identity),
            "high": max(value, entry.identity),
        }
        for entry, value in found
    ]
