"""What a step of a training transform costs, and what to do about it, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cuesense.errors import listed
from cuesense.policies.policy import augmentation
from cuesense.schemas.profile import CostModel, Profile, StepModel
from cuesense.types import Perturbation

# Names that a sentence lists before it counts the rest.
_LISTED = 3
# Gains below this show as 0 points.
_SHOWN = 0.0005
# Which step the headline is about: one that costs and gives nothing before one that gives. Among equals, the costliest.
_ORDER = ("does not pay", "pays, but not for all", "unknown", "pays")
_CHANCE = "probability"


@dataclass(frozen=True)
class MeasuredStep:
    """A step of a training transform whose effect was measured.

    Attributes:
        name: Its name.
        settings: The step as it was written.
        probability: How often it is applied; it was measured on every image.
        adjustable: Whether that can be set in the step itself.
        augmentation: Which of our own augmentations it is, or None.
        value: The augmentation's strongest value in its unit; None without one.
        note: In which respect the two differ.
        alone: The step on every image.
        without: The whole without it, or None.
    """

    name: str
    settings: str
    probability: float
    adjustable: bool
    augmentation: str | None
    value: float | None
    note: str
    alone: Perturbation
    without: Perturbation | None


def headline(steps: Sequence[StepModel], whole: CostModel, tolerance: float) -> str:
    """Return the most important finding about a training transform.

    Args:
        steps: Its steps.
        whole: Cost of the whole.
        tolerance: Accuracy drop that a class may suffer.
    """
    costly = [step for step in steps if step.beyond]
    if not costly:
        mean = "" if whole.mean.value is None else f"; the whole costs {points(whole.mean.value)} on average"
        return f"No step alone costs any class more than {points(tolerance)} at test time{mean}."
    return min(costly, key=lambda step: (_ORDER.index(step.verdict), -_worst_drop(step))).sentence


def step_sentence(step: StepModel, class_names: Sequence[str]) -> str:
    """Return what a step costs, what training with it is forecast to give, and what to do.

    Args:
        step: The step; its own sentence is not read.
        class_names: Names of the classes.
    """
    return f"{_cost(step, class_names)}{_training(step)}{_advice(step)}."


def milder_setting(step: MeasuredStep, safe: float, profile: Profile) -> str | None:
    """Return a milder setting of a step: the budget of its augmentation, or a lower probability; None for none.

    Args:
        step: The step.
        safe: The largest safe probability.
        profile: The profile, with the budgets of all classes together.
    """
    if safe >= step.probability:
        return None
    chance = f"p = {safe:g}" if step.adjustable else f"RandomApply with p = {safe:g}"
    return " or ".join(part for part in (_budget(step, profile), chance if safe else None) if part) or None


def points(share: float) -> str:
    """Return a share in percentage points, for instance ``"18 points"``, with a decimal below ten."""
    number = abs(100 * share)
    # A hyphen, not a minus sign: sentences also go into CSV files and commit messages.
    sign = "-" if share < 0 and round(number, 1) else ""
    text = f"{number:.0f}" if number >= 10 else f"{number:.1f}".removesuffix(".0")
    return f"{sign}{text} point{'' if text == '1' else 's'}"


def _budget(step: MeasuredStep, profile: Profile) -> str | None:
    if step.augmentation is None or step.value is None:
        return None
    entry, known = profile.policy.global_.get(step.augmentation), augmentation(step.augmentation)
    if entry is None or entry.value is None or known.parameter == _CHANCE:
        return None
    milder = abs(entry.value - known.identity) < abs(step.value - known.identity)
    return f"{known.parameter} {entry.value:g}" if milder else None


def _worst_drop(step: StepModel) -> float:
    return max((drop for drop in step.alone.drop if drop is not None), default=0.0)


def _cost(step: StepModel, class_names: Sequence[str]) -> str:
    if step.worst_class is None:
        return f"{step.name} costs no class anything at test time"
    at = class_names.index(step.worst_class)
    taken = step.taken[at]
    to = "" if taken is None else f", most of them to {taken.rival}"
    return f"{step.name} costs {step.worst_class} {points(_worst_drop(step))} at test time{to}"


def _training(step: StepModel) -> str:
    training = step.training
    if training is None:
        return "; what training with it gives is not known"
    if step.verdict == "does not pay":
        known = [loss for loss in training.loss if loss is not None]
        if min(known) > -_SHOWN:
            return ", and nobody gains by it in the forecast of training"
        return f", and training with it is forecast to cost {points(training.mean)} on average"
    gain = f", and training with it is forecast to give {points(-training.mean)} on average"
    return f"{gain}, but puts {_named(training.at_risk)} at risk" if training.at_risk else gain


def _advice(step: StepModel) -> str:
    """Return what to do, an end of the sentence."""
    if not step.beyond or step.verdict == "pays":
        return ""
    if step.milder is None:
        return ": leave it out"
    return f": leave it out, or take {step.milder}" if step.verdict == "does not pay" else f": try {step.milder}"


def _named(names: Sequence[str]) -> str:
    return listed(list(names), _LISTED) if len(names) <= _LISTED else f"{len(names)} classes"
