"""verify.json: what trainings with and without the recommended policies showed.

Recalls, precisions and shares are fractions of the images; changes are against training without augmentation, with the
same seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pandas as pd
from pydantic import Field

from cuesense.schemas.base import Document, Estimate, JsonModel
from cuesense.schemas.document_checks import verification_problems
from cuesense.types import LazyFunction

# The words for a verification lie in a room above this one: they are imported when they are asked for.
_SUMMARY = LazyFunction("cuesense.reports.summaries:verification_summary")


class ClassResult(JsonModel):
    """One class under one policy."""

    name: str = Field(description="readable name")
    images: int = Field(description="test images of the class")
    recall: float | None = Field(description="mean over seeds; null without images")
    recall_change: Estimate = Field(description="change of the recall, with its interval over seeds and images")
    precision: float | None = Field(description="mean over seeds; null where the class is never predicted")
    precision_change: Estimate = Field(description="change of the precision, with its interval over seeds")
    forecast_loss: float | None = Field(description="recall that it was forecast to lose, negative for a gain")
    forecast_low: float | None = Field(
        default=None,
        description="lower end of the forecast: one loss in ten lies below; null where nothing is foreseen",
    )
    forecast_high: float | None = Field(default=None, description="upper end: one loss in ten lies above")
    taken_by: str | None = Field(
        default=None,
        description="class as which more of its images are predicted than without augmentation; null: none",
    )
    taken: float | None = Field(
        default=None, description="how many more, a share of its images: the largest over all other classes"
    )


class Leak(JsonModel):
    """How far a network takes other classes' images for a class when they get that class's augmentation.

    A large share means that the network recognizes the class by its augmentation.
    """

    name: str = Field(description="the class")
    share: float = Field(description="share of the other classes' images, more than of the clean ones")
    control: float = Field(description="the same in the network trained with the matched uniform policy")
    excess: Estimate = Field(description="share minus control, with its interval over seeds")


class ArmResult(JsonModel):
    """One policy (an arm of the trial), trained with several seeds."""

    name: str = Field(description="name of the policy")
    doses: str = Field(description="its augmentations and their strongest values, in words")
    policy: dict[str, Any] | None = Field(description="the policy; null for no augmentation")
    same_as: str | None = Field(description="an earlier policy that it does not differ from; null where it does")
    mean: float = Field(description="mean of the classes' recalls over classes and seeds")
    mean_change: Estimate = Field(description="change of that mean, with its interval over seeds")
    worst: float = Field(description="the lowest mean recall over seeds of a class")
    worst_change: float = Field(description="change of the lowest recall, which need not be of the same class")
    worst_class: str = Field(description="the class with the lowest recall")
    lowest_gain: float | None = Field(
        default=None,
        description="lowest recall of a class minus that with the recommended policy for all classes (global), mean "
        "over seeds",
    )
    lowest_gain_error: float | None = Field(
        default=None, description="standard error over seeds of lowest_gain; null with one seed"
    )
    forecast_mean: float | None = Field(description="forecast of mean; null without a forecast")
    forecast_worst: float | None = Field(description="forecast of worst; null without a forecast")
    harmed: int = Field(description="classes with a lower mean recall than without augmentation")
    over_tolerance: list[str] = Field(description="classes that lose more than the tolerance, on the mean over seeds")
    surely_over: list[str] = Field(description="those whose whole interval lies beyond it")
    classes: list[ClassResult] = Field(description="every class")
    leaks: list[Leak] = Field(default=[], description="classes with policies of their own, tested for leaks")


class AgreementResult(JsonModel):
    """How well the forecast ranked and sized the real losses, over classes and policies; null where it is unknown."""

    spearman: float | None = Field(description="rank correlation, in [-1, 1]")
    slope: float | None = Field(description="least-squares slope of real losses on forecast ones; 1 is best")
    error: float | None = Field(description="mean absolute difference, a fraction of the images")
    auroc: float | None = Field(
        description="chance that a class that lost more than the tolerance was forecast to lose more than one that did "
        "not, in [0, 1]; 0.5 is guessing"
    )
    pairs: int = Field(description="pairs of class and policy that are compared")


class BaselineResult(JsonModel):
    """How many test images the networks recognize that were trained without augmentation: all changes are against them.

    Shares in [0, 1], means over seeds.
    """

    accuracy: float = Field(description="share of the test images that are recognized")
    by_chance: float = Field(
        description="the same for their predictions dealt out to the images at random, which is what guessing gets"
    )
    better_than_guessing: bool = Field(
        description="whether the two are told apart; if not, nothing can be said about any policy"
    )
    model_accuracy: float | None = Field(
        description="share of its own images that the analyzed model recognizes; null where it is not known"
    )


class Verification(Document):
    """What trainings with and without the recommended policies showed."""

    NOUN: ClassVar[str] = "verification"
    FILE_NAME: ClassVar[str] = "verify.json"
    COMMAND: ClassVar[str] = "cuesense verify"

    tolerance: float = Field(description="recall that a class may lose, a fraction in (0, 1)")
    confidence: float = Field(description="two-sided level of the intervals, in (0.5, 1)")
    seeds: list[int] = Field(description="seed of each training")
    recipe: dict[str, Any] = Field(description="how networks were trained")
    train: dict[str, Any] = Field(description="the training images: spec, images, classes, fingerprint")
    images: int = Field(description="number of test images")
    arms: list[ArmResult] = Field(description="every policy; the first one is no augmentation")
    baseline: BaselineResult | None = Field(
        default=None,
        description="how good the networks without augmentation are; null in files of older versions",
    )
    agreement: AgreementResult = Field(description="how well the forecast did")
    warnings: list[str] = Field(description="what to know before trusting the numbers, in sentences")

    def __repr__(self) -> str:
        """Return the trainings and what each policy changed, one line a policy."""
        return str(_SUMMARY(self))

    def problems(self) -> Iterator[str]:
        """Yield a clause for everything in it that cannot be."""
        return verification_problems(self)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a policy and class for pandas.

        Returns:
            Columns: policy, class, images, recall, recall_change, recall_low, recall_high, precision,
            precision_change, precision_low, precision_high, forecast_loss, forecast_low, forecast_high, taken_by,
            taken.
        """
        return pd.DataFrame([_row(arm, entry) for arm in self.arms for entry in arm.classes])


def _row(arm: ArmResult, entry: ClassResult) -> dict[str, Any]:
    return {
        "policy": arm.name,
        "class": entry.name,
        "images": entry.images,
        "recall": entry.recall,
        "recall_change": entry.recall_change.value,
        "recall_low": entry.recall_change.low,
        "recall_high": entry.recall_change.high,
        "precision": entry.precision,
        "precision_change": entry.precision_change.value,
        "precision_low": entry.precision_change.low,
        "precision_high": entry.precision_change.high,
        "forecast_loss": entry.forecast_loss,
        "forecast_low": entry.forecast_low,
        "forecast_high": entry.forecast_high,
        "taken_by": entry.taken_by,
        "taken": entry.taken,
    }
