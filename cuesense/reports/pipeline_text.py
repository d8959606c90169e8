"""The costs of a training transform as text, for the page and the terminal table."""

from __future__ import annotations

from cuesense.reports.profile_text import BUDGET_WORDS
from cuesense.reports.text import DASH, listed, points, points_with_unit
from cuesense.schemas.profile import PipelineModel, Profile, StepModel
from cuesense.types import BudgetStatus

_BASIS = {
    "no training": "from what trainings on other images cost such classes",
    "trained": "from the trainings of this profile's forecast",
    "head": "from the refitted heads of this profile's forecast",
    "trained and head": "from the trainings and refitted heads of this profile's forecast",
}
# Names that a line lists before it counts the rest.
_LISTED = 8


def worst_text(profile: Profile, step: StepModel, *, taker: bool = True) -> str:
    """Return the class that a step costs most, its drop, and who takes its images; a dash where it costs none."""
    if step.worst_class is None:
        return DASH
    at = [entry.name for entry in profile.classes].index(step.worst_class)
    taken = step.taken[at]
    to = "" if taken is None or not taker else f" to {taken.rival}"
    return f"{step.worst_class} {points(step.alone.drop[at])}{to}"


def safe_text(step: StepModel) -> str:
    """Return the largest safe probability of a step: any, a number, or none."""
    if step.safe_probability >= 1:
        return BUDGET_WORDS[BudgetStatus.UNLIMITED]
    return f"{step.safe_probability:g}" if step.safe_probability else BUDGET_WORDS[BudgetStatus.NONE]


def forecast_text(step: StepModel) -> str:
    """Return the verdict on training with a step, with the mean that it is forecast to give."""
    if step.training is None:
        return step.verdict
    return f"{step.verdict} ({points_with_unit(-step.training.mean)})"


def caption(profile: Profile, found: PipelineModel) -> str:
    """Return what the columns of the table mean, and which steps were taken as preparation."""
    tolerance = points_with_unit(profile.policy.tolerance)
    parts = [
        "Drop: accuracy lost on the test images by the step alone, as often as it is applied, in points.",
        "Beside others: what the whole costs more with it than without.",
        f"Beyond: classes that lose more than {tolerance}.",
        f"Safe p: how often it may be applied so that every class keeps within {tolerance}, at the accepted risk.",
    ]
    bases = list(dict.fromkeys(step.training.basis for step in found.steps if step.training is not None))
    told = ", ".join(_BASIS[basis] for basis in bases)
    if told:
        parts.append(f"In training: recall that training with it is forecast to give, {told}; unknown for other kinds.")
    else:
        parts.append("In training: unknown, because none of the steps is of a kind whose trainings are known.")
    if found.preparation:
        parts.append(f"Taken as preparation, which costs nothing: {listed(found.preparation, _LISTED)}.")
    return " ".join(parts)
