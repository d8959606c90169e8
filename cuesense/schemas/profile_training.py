"""What training with the augmentations is forecast to cost, and what it did: two blocks that later commands add.

``cuesense recommend --train`` and ``--head`` write the forecast into a profile, ``cuesense verify`` what trainings
showed.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field

from cuesense.schemas.base import JsonModel
from cuesense.schemas.profile_budgets import BudgetModel
from cuesense.schemas.profile_provenance import DatasetInfo
from cuesense.stats.training_loss import Forecast


class LeakModel(JsonModel):
    """A class that takes another's images in a network trained with an augmentation at its strongest value."""

    of: str = Field(description="the class that loses images")
    rival: str = Field(alias="class", description="the class that takes them")
    share: float = Field(description="share of the losing class's images, more than without the augmentation")


class LossModel(JsonModel):
    """What every class loses by training with one augmentation: rows are severities (mild to strong), columns classes.

    Losses are fractions of a class's images, against the same training without the augmentation.
    """

    parameter: str = Field(description="what the values are, for instance scale")
    unit: str = Field(description="unit of the values")
    values: list[float] = Field(description="physical strength at severity 1, 2, ..., in the unit")
    loss: list[list[float]] = Field(description="expected loss of recall; below 0 it is a gain")
    spread: list[list[float | None]] = Field(description="standard deviation of its error; null: too few images")
    risk: list[list[float | None]] = Field(
        default=[], description="chance of losing more than the policy's tolerance; null: nothing to lose"
    )
    low: list[list[float]] = Field(description="lower end of the loss at the policy's confidence; below 0 a gain")
    high: list[list[float]] = Field(description="upper end of the loss at the policy's confidence")
    flags: list[list[Literal["likely loses", "unclear", "likely safe", "likely gains"]]] = Field(
        description="whether the class is forecast to lose more than the policy's tolerance, or, where two or more "
        "trainings agree, to gain"
    )
    augmented: list[float | None] = Field(
        default=[],
        description="recall of each class on images augmented with the strongest value, by the network adapted to it",
    )
    leaks: list[LeakModel] = Field(default=[], description="classes that take others' images, where they are known")

    def to_forecast(self) -> Forecast:
        """Return the numbers as budgets are computed from them."""
        # JSON has no infinity: an error that nothing bounds is null in the file.
        spread = [[np.inf if value is None else value for value in row] for row in self.spread]
        return Forecast(np.array(self.loss), np.array(spread))


class TrainedBudget(BudgetModel):
    """The strongest value of one augmentation with which training is forecast to be safe for one class."""

    alternatives: dict[str, float | None] = Field(
        description="values at less confidence (confidence_0.8, confidence_0.55), and by the curve of the analyzed "
        "model, without training (test_time); null where none is safe"
    )


class ForecastModel(JsonModel):
    """What training with the augmentations would cost, forecast by adapting a network to them."""

    method: Literal["trained", "head", "trained and head"] = Field(
        description="whether whole networks were trained, heads refitted on frozen features, or both"
    )
    probability: float = Field(description="share of the training images that are augmented, in (0, 1]")
    runs: int = Field(description="trainings without augmentation and with each augmentation")
    recipe: dict[str, Any] = Field(description="how networks were trained; empty for refitted heads")
    train: DatasetInfo | None = Field(description="the images they were trained on; null for refitted heads")
    accuracy: list[float | None] = Field(
        description="clean accuracy of each class after training without augmentation; null where it has no images"
    )
    augmentations: dict[str, LossModel] = Field(description="the losses by augmentation")
    budgets: dict[str, dict[str, TrainedBudget]] = Field(
        default={}, description="by class and augmentation, at the policy's tolerance and confidence"
    )
    warnings: list[str] = Field(default=[], description="what to know before trusting the numbers, in sentences")


class TrainedModel(JsonModel):
    """What training with one policy showed, as means over seeds."""

    policy: dict[str, Any] | None = Field(description="the policy; null for no augmentation")
    mean: float = Field(description="mean of the classes' recalls, in [0, 1]")
    worst: float = Field(description="the lowest of them")
    over_tolerance: int = Field(description="classes that lost more than the tolerance")
    lowest_gain: float | None = Field(
        default=None,
        description="lowest recall of a class minus that with the recommended policy for all classes (global), mean "
        "over seeds; null in files of older versions",
    )
    lowest_gain_error: float | None = Field(
        default=None, description="standard error over seeds of lowest_gain; null with one seed"
    )
    gain: list[float | None] = Field(
        default=[],
        description="recall of each class minus that without augmentation, in the order of the classes; empty in files "
        "of older versions",
    )
    gain_margin: list[float | None] = Field(
        default=[],
        description="half the width of its interval, at the policy's confidence; null with one seed",
    )


class VerifiedModel(JsonModel):
    """What ``cuesense verify`` found last."""

    tolerance: float = Field(description="recall that a class may lose, a fraction in (0, 1)")
    seeds: int = Field(description="trainings of each policy")
    policies: dict[str, TrainedModel] = Field(description="results by name of the policy")
