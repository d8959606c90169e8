"""Augmentation policies: how strongly an image of each class may be augmented, as a training run samples it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from cuesense import registry
from cuesense.errors import SettingsError, expected, unknown
from cuesense.types import LazyFunction, Perturbation
from cuesense.validation import LARGEST_SIDE, is_number, whole_number

# The words for a policy lie in a room above this one: they are imported when they are asked for.
_SUMMARY = LazyFunction("cuesense.reports.policy_summaries:policy_summary")

Scope = Literal["global", "grouped", "per_class"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
# The chance of a view with which docs/budgets.md trains, where 0.5 was tried for policies by class, too. Chosen by hand
# before those trainings; not tuned.
PROBABILITY = 0.8
# What a policy is compared with: crops down to 8 % of the area, the default of torchvision's RandomResizedCrop,
# flips of half of the views, and jitter of 0.4, usual in ImageNet recipes. Not tuned.
DEFAULT_AUGMENTATIONS: Mapping[str, float] = {
    "random_resized_crop": 0.08,
    "color_jitter": 0.4,
    "horizontal_flip": 0.5,
}
# How far the mean of class weights may be from 1: they are rounded to be read, and rounding moves the mean less.
_MEAN_SLACK = 0.01


@dataclass(frozen=True, repr=False)
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
        class_weights: How much each class's images count in the training loss, length C, above 0 and 1 on average;
            empty: all alike. They are no augmentation: pass them to the loss, as
            ``torch.nn.CrossEntropyLoss(weight=...)`` takes them.

    Raises:
        SettingsError: The probability is out of range, or an augmentation does not exist, or a value is out of
            its limits, or weights are not one positive number a class with mean 1.
    """

    scope: Scope
    probability: float
    class_names: tuple[str, ...]
    groups: tuple[int, ...]
    values: tuple[Mapping[str, float], ...]
    class_weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not is_number(self.probability) or not 0 < self.probability <= 1:
            do = "Choose a number inside, such as 0.8"
            raise SettingsError(expected("--probability", "in (0, 1]", repr(self.probability), do))
        if self.scope not in SCOPES:
            raise SettingsError(unknown(f"scope '{self.scope}'", str(self.scope), SCOPES))
        for values in self.values:
            for name, value in values.items():
                augmentation(name).check(value)
        if self.class_weights:
            _check_weights(self.class_weights, len(self.class_names))

    def __repr__(self) -> str:
        """Return the augmentations and for whom they are, in one line."""
        return str(_SUMMARY(self))

    @property
    def names(self) -> tuple[str, ...]:
        """The augmentations that some class gets, in the order in which they are done: the registry's.

        Those that are named by their library, such as ``"kornia:RandomRain"``, come last.
        """
        used = {name for values in self.values for name in values}
        registered = [name for name in registry.names("perturbations") if name in used]
        return (*registered, *sorted(used - set(registered)))

    def of_class(self, index: int) -> Mapping[str, float]:
        """Return the strongest value of each augmentation of one class."""
        return self.values[self.groups[index]]

    def without(self, name: str) -> tuple[str, ...]:
        """Return the classes that do not get an augmentation, such as those whose images may not be flipped.

        Args:
            name: Name of the augmentation.
        """
        return tuple(known for index, known in enumerate(self.class_names) if name not in self.of_class(index))

    @property
    def left_out(self) -> tuple[str, ...]:
        """The classes that get no augmentation where all others get the same; empty where there are no such."""
        if len({tuple(sorted(values.items())) for values in self.values if values}) != 1:
            return ()
        return tuple(name for index, name in enumerate(self.class_names) if not self.of_class(index))

    @property
    def content(self) -> object:
        """What is done to each class's images, as JSON values: policies with equal contents are the same training.

        None where nothing is done: no augmentation, and all classes count alike.
        """
        weights = list(self.class_weights) if len(set(self.class_weights)) > 1 else []
        if not self.names:
            return {"weights": weights} if weights else None
        values = [dict(sorted(self.of_class(index).items())) for index in range(len(self.class_names) or 1)]
        # A policy by class whose classes all get the same is the same training as one for all classes.
        shared = values[:1] if all(entry == values[0] for entry in values) else values
        return [self.probability, shared, *([weights] if weights else [])]

    def export(self, library: str, image_size: int | None = None) -> str:
        """Return the policy as a training library reads it.

        ``cuesense.export`` does the same for a profile, which knows the network's input size, and adds what trainings
        showed.

        Args:
            library: A registered exporter: ``"torchvision"``, ``"kornia"``, ``"albumentations"``, ``"timm"``,
                ``"ultralytics"``, ``"json"`` or ``"yaml"``.
            image_size: Side of the network's input in pixels, for the augmentations that need it, such as crops.

        Returns:
            Code, flags, JSON or YAML, with a final newline.

        Raises:
            SettingsError: The library is unknown or cannot express the policy, or the size is needed and not known.
        """
        side = None if image_size is None else whole_number(image_size, "--image-size", highest=LARGEST_SIDE)
        text: str = registry.get("exporters", library)(self, side and (side, side))
        return text

    def to_dict(self) -> dict[str, Any]:
        """Return the policy as JSON values: each augmentation with its parameter, unit and range (low, high).

        Class weights, where there are any, are listed by class. ``from_dict`` reads it.
        """
        listed: dict[str, Any] = {
            "scope": self.scope,
            "probability": self.probability,
        }
        if self.class_weights:
            listed["class_weights"] = dict(zip(self.class_names, self.class_weights, strict=True))
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

    @classmethod
    def from_dict(cls, listed: Mapping[str, Any], class_names: Sequence[str]) -> Policy:
        """Return the policy that ``to_dict`` wrote.

        Args:
            listed: The JSON values.
            class_names: Names of the C classes, in their order.

        Returns:
            A policy that does the same; its groups are numbered in the order in which they are listed.

        Raises:
            SettingsError: It is no policy, or one for other classes, or has values that do not exist.
        """
        try:
            names = tuple(class_names)
            everything = {"classes": names, "augmentations": listed.get("augmentations")}
            groups: Sequence[Mapping[str, Any]] = listed["groups"] if listed["scope"] != "global" else [everything]
            group_of = {name: number for number, group in enumerate(groups) for name in group["classes"]}
            weights = listed.get("class_weights", {})
            return cls(
                listed["scope"],
                # The sign changes no number, and of a text it is the TypeError that says the policy is none.
                +listed["probability"],
                names,
                tuple(group_of[name] for name in names),
                tuple(_strongest(group["augmentations"]) for group in groups),
                tuple(weights[name] for name in names) if weights else (),
            )
        except (KeyError, TypeError, AttributeError) as error:
            do = "Take one that cuesense wrote for these classes, or verify the policy again"
            got = f"one in which {type(error).__name__} {error} was found"
            raise SettingsError(expected("the policy", "as Policy.to_dict writes it", got, do)) from None


@dataclass(frozen=True)
class PolicyOptions:
    """Which policy is wanted.

    Attributes:
        scope: ``"global"``, ``"grouped"`` or ``"per_class"``.
        tolerance: Accuracy drop that a class may suffer, a fraction in (0, 1); None takes the profile's own.
        risk: The largest chance, for each class, of losing more than the tolerance, in (0, 0.5]; None takes the
            profile's own.
        augmentations: Names to choose from; None takes all that the profile measured, or forecast.
        probability: Chance that a view is augmented, in (0, 1].
        guards: Whether, with scope per_class, classes that are often confused share their values.
        all_but: With scope global, the share of the classes, in [0, 1), that may be harmed.
        spares: Whether, with scope global, the few classes at risk may be left out of the augmentation where nothing
            else is better than training without.
        weights: Whether, with scope global and a forecast by trainings, classes that are forecast to be harmed count
            more in the loss.
    """

    scope: Scope = "global"
    tolerance: float | None = None
    risk: float | None = None
    augmentations: Sequence[str] | None = None
    probability: float = PROBABILITY
    guards: bool = True
    all_but: float = 0.0
    spares: bool = True
    weights: bool = True


@dataclass(frozen=True)
class Limit:
    """What stops one augmentation in a policy for all classes.

    Attributes:
        augmentation: Its name.
        value: The value that is recommended, None where there is none.
        limiting: Name of the class that the next stronger value puts at the largest risk above the accepted one; None
            where there is no such class.
        risk: That risk; None where there is no such class.
        is_last: Whether the value is the last of its ladder; where it is not, and no class limits it, the next one is
            forecast to give no more.
    """

    augmentation: str
    value: float | None
    limiting: str | None = None
    risk: float | None = None
    is_last: bool = False


@dataclass(frozen=True)
class ClassAtRisk:
    """A class that a policy is forecast to cost more than is accepted, or may cost.

    Attributes:
        name: The class.
        loss: Its expected loss of recall, a fraction.
        low: Lower end of that, at 80 %.
        high: Upper end.
        risk: The chance that it loses more than the tolerance.
    """

    name: str
    loss: float
    low: float
    high: float
    risk: float


@dataclass(frozen=True)
class Outlook:
    """The clean accuracy that training with a policy is forecast to give.

    Attributes:
        mean: Mean of the classes' recalls, a fraction.
        worst: The lowest of them.
        worst_class: Name of the class with the lowest recall.
        at_risk: The classes at more risk than is accepted, the largest risk first.
        left_out: Augmentations of the policy that are not known, so that they do not count.
        classes: What every class is forecast to lose, in the order of the classes, but those of which nothing is known.
    """

    mean: float
    worst: float
    worst_class: str
    at_risk: tuple[ClassAtRisk, ...] = ()
    left_out: tuple[str, ...] = ()
    classes: tuple[ClassAtRisk, ...] = ()


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


def sparing(
    values: Mapping[str, float],
    class_names: Sequence[str],
    spared: Collection[str],
    probability: float = PROBABILITY,
) -> Policy:
    """Return the policy that leaves some classes as they are and does the same to all others.

    Args:
        values: The strongest value of each augmentation, in its unit.
        class_names: Names of the C classes.
        spared: Names of the classes that get no augmentation.
        probability: Chance that a view of another class is augmented, in (0, 1].

    Returns:
        The policy: of scope per_class, or of scope global where it spares no class or all of them.

    Raises:
        SettingsError: A spared class is none of the classes, or a value is out of its limits.
    """
    for name in spared:
        if name not in class_names:
            raise SettingsError(unknown(f"class '{name}'", name, class_names))
    groups = tuple(int(name in spared) for name in class_names)
    if len(set(groups)) < 2:
        return uniform({} if 1 in groups else values, class_names, probability)
    return Policy("per_class", probability, tuple(class_names), groups, (dict(values), {}))


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


def severities_within(name: str, ladder: Sequence[float], value: float) -> int:
    """Return how many severities of an augmentation are no stronger than a value, which need not be one of theirs.

    Args:
        name: The augmentation's name.
        ladder: Its values, mild to strong, in its unit.
        value: A strength, in the same unit.
    """
    identity = augmentation(name).identity
    return sum(abs(step - identity) <= abs(value - identity) for step in ladder)


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


def _strongest(ranges: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the values of which ``_ranges`` lists the ranges: the end that is not the identity."""
    found = {}
    for entry in ranges:
        ends = (entry["low"], entry["high"])
        found[entry["name"]] = max(ends, key=lambda end: abs(end - augmentation(entry["name"]).identity))
    return found


def _check_weights(weights: Sequence[float], classes: int) -> None:
    mean = math.fsum(weights) / len(weights)
    if len(weights) == classes and min(weights) > 0 and abs(mean - 1) <= _MEAN_SLACK:
        return
    to_be = f"{classes} numbers above 0 with mean 1, one a class"
    got = f"{len(weights)} from {min(weights):g} with mean {mean:g}"
    raise SettingsError(expected("the class weights", to_be, got, "Divide them by their mean"))
