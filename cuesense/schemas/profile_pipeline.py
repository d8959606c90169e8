"""What each step of a user's training transform costs each class: what ``analyze --pipeline`` adds to a profile.

Lists of classes are in the order of the profile's classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from cuesense.schemas.base import Estimate, JsonModel

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["pays", "pays, but not for all", "does not pay", "unknown"]


class CostModel(JsonModel):
    """An accuracy drop on the model's test images, over all classes and of each class; fractions, below 0 a gain."""

    mean: Estimate = Field(description="mean over the classes with images, at the profile's confidence")
    drop: list[float | None] = Field(description="of each class; null without images")
    low: list[float | None] = Field(description="lower bound of each class at the profile's confidence")
    high: list[float | None] = Field(description="upper bound of each class at the profile's confidence")


class TakenModel(JsonModel):
    """Where the images go that a class loses."""

    rival: str = Field(alias="class", description="the class that takes most of them")
    share: float = Field(description="share of the losing class's images that it takes, in [0, 1]")


class TrainingModel(JsonModel):
    """What training with a step is forecast to cost: losses of recall, fractions, below 0 a gain."""

    basis: Literal["no training", "trained", "head", "trained and head"] = Field(
        description="whether trainings of this profile's forecast say it, or trainings on other images"
    )
    mean: float = Field(description="mean loss over the classes of which something is known")
    loss: list[float | None] = Field(description="expected loss of each class; null where nothing is known")
    at_risk: list[str] = Field(description="classes at more than the policy's risk of losing more than its tolerance")


class StepModel(JsonModel):
    """One step of a training transform."""

    name: str = Field(description="name of the step, unique in the pipeline")
    settings: str = Field(description="the step as it was written")
    augmentation: str | None = Field(default=None, description="which of our own augmentations it is; null for none")
    parameter: str | None = Field(default=None, description="the augmentation's parameter")
    value: float | None = Field(default=None, description="its strongest value, in the augmentation's unit")
    note: str = Field(default="", description="in which respect step and augmentation differ")
    probability: float = Field(
        default=1.0, description="how often the step is applied; 1 too where that cannot be set from outside"
    )
    lost: list[int] = Field(description="images times repeats of each class that the step alone loses, always applied")
    gained: list[int] = Field(description="images times repeats that it gains")
    alone: CostModel = Field(description="cost of the step alone, as often as it is applied")
    left_out: CostModel | None = Field(
        default=None, description="what the whole costs more with the step than without it; null for a single step"
    )
    worst_class: str | None = Field(description="the class that the step alone costs most; null if it costs none")
    taken: list[TakenModel | None] = Field(description="where the images of each class go; null where none is lost")
    beyond: list[str] = Field(description="classes that the step alone costs more than the tolerance")
    safe_probability: float = Field(
        description="the largest probability at which the step alone keeps every class within the policy's risk of "
        "losing more than its tolerance, in steps of .05; 0 for none"
    )
    training: TrainingModel | None = Field(
        default=None, description="forecast of training with the step; null where nothing is known of its kind"
    )
    verdict: Verdict = Field(description="whether training with the step is forecast to pay")
    milder: str | None = Field(default=None, description="a milder setting; null where none is needed or known")
    sentence: str = Field(description="what to know and to do")


class PipelineModel(JsonModel):
    """A training transform: what the whole and each of its steps cost each class on the model's test images."""

    spec: str = Field(description="what the user named")
    headline: str = Field(description="the most important finding in a sentence")
    repeats: int = Field(description="draws of every image under every condition")
    shares: list[float] = Field(description="shares of the images that the whole was applied to")
    whole: list[CostModel] = Field(description="cost of the whole at each of the shares")
    steps: list[StepModel] = Field(description="the steps that augment, in their order")
    preparation: list[str] = Field(default=[], description="steps that were taken as preparation and cost nothing")
    remarks: list[str] = Field(default=[], description="what was assumed or left out, in sentences")

    def to_frame(self, class_names: list[str]) -> pd.DataFrame:
        """Return one row a step and class for pandas.

        Args:
            class_names: Names of the profile's classes.

        Returns:
            Columns: step, probability, class, drop, low, high (of the step alone), left_out, left_out_low,
            left_out_high, taken_by, taken_share, training_loss, verdict, safe_probability; the rows of the step
            ``(whole)`` come first.
        """
        import pandas as pd

        whole = self.whole[-1]
        rows = [{"step": "(whole)", "class": name} | _cost_row(whole, at, "") for at, name in _each(class_names)]
        rows += [_step_row(step, at, name) for step in self.steps for at, name in _each(class_names)]
        return pd.DataFrame(rows, columns=list(_COLUMNS))


_COLUMNS = (
    "step",
    "probability",
    "class",
    "drop",
    "low",
    "high",
    "left_out",
    "left_out_low",
    "left_out_high",
    "taken_by",
    "taken_share",
    "training_loss",
    "verdict",
    "safe_probability",
)


def _each(class_names: list[str]) -> list[tuple[int, str]]:
    return list(enumerate(class_names))


def _cost_row(cost: CostModel, at: int, prefix: str) -> dict[str, Any]:
    name = prefix or "drop"
    start = f"{prefix}_" if prefix else ""
    return {name: cost.drop[at], f"{start}low": cost.low[at], f"{start}high": cost.high[at]}


def _step_row(step: StepModel, at: int, class_name: str) -> dict[str, Any]:
    taken = step.taken[at]
    row = {"step": step.name, "probability": step.probability, "class": class_name, **_cost_row(step.alone, at, "")}
    row |= {} if step.left_out is None else _cost_row(step.left_out, at, "left_out")
    row |= {} if taken is None else {"taken_by": taken.rival, "taken_share": taken.share}
    row |= {} if step.training is None else {"training_loss": step.training.loss[at]}
    return row | {"verdict": step.verdict, "safe_probability": step.safe_probability}
