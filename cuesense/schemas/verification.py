"""verify.json: what trainings showed. The only module that knows its format."""

from __future__ import annotations

import json
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION: Literal[1] = 1


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Estimate(_Model):
    """A difference and its interval; null where it is not known."""

    value: float | None
    low: float | None
    high: float | None


class ClassResult(_Model):
    """One class under one policy; changes are against training without augmentation."""

    name: str
    images: int
    recall: float | None = Field(description="mean over seeds")
    recall_change: Estimate = Field(description="interval over seeds and images")
    precision: float | None
    precision_change: Estimate = Field(description="interval over seeds")
    forecast_loss: float | None = Field(description="recall that it was forecast to lose, negative for a gain")


class Leak(_Model):
    """How a network takes other classes' images for a class when they get its augmentation."""

    name: str
    share: float = Field(description="share of the other classes' images, more than of the clean ones")
    control: float = Field(description="the same in the network trained with the matched uniform policy")
    excess: Estimate


class ArmResult(_Model):
    """One policy, trained with several seeds."""

    name: str
    doses: str
    policy: dict[str, Any] | None
    same_as: str | None = Field(description="an earlier policy that it does not differ from; null where it does")
    mean: float
    mean_change: Estimate = Field(description="interval over seeds")
    worst: float = Field(description="the lowest mean recall over seeds")
    worst_change: float
    worst_class: str
    forecast_mean: float | None
    forecast_worst: float | None
    harmed: int = Field(description="classes with a lower mean recall than without augmentation")
    over_tolerance: list[str] = Field(description="classes that lose more than the tolerance, on the mean over seeds")
    surely_over: list[str] = Field(description="those whose whole interval lies beyond it")
    classes: list[ClassResult]
    leaks: list[Leak] = []


class AgreementResult(_Model):
    """How well the forecast ranked and sized the real changes, over classes and policies."""

    spearman: float | None
    slope: float | None
    error: float | None
    auroc: float | None
    pairs: int


class Verification(_Model):
    """What trainings with and without the recommended policies showed."""

    schema_version: Literal[1] = 1
    tolerance: float
    confidence: float
    seeds: list[int]
    recipe: dict[str, Any]
    train: dict[str, Any]
    images: int
    arms: list[ArmResult]
    agreement: AgreementResult
    warnings: list[str]

    def to_json(self) -> str:
        """Return it as indented JSON with a final newline."""
        return json.dumps(self.model_dump(mode="json"), indent=1, allow_nan=False) + "\n"

    def to_frame(self) -> pd.DataFrame:
        """Return one row a policy and class for pandas.

        Returns:
            Columns: policy, class, images, recall, recall_change, recall_low, recall_high, precision,
            precision_change, precision_low, precision_high, forecast_loss.
        """
        rows = [
            {
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
            }
            for arm in self.arms
            for entry in arm.classes
        ]
        return pd.DataFrame(rows)
