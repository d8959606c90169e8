"""compare.json: two models class by class. The only module that knows its format; differences are B minus A."""

from __future__ import annotations

import json
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from cuesense.types import BudgetStatus, Cue, CueVerdict

SCHEMA_VERSION: Literal[1] = 1


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Difference(_Model):
    """A number of A and of B, and B minus A with its interval; null where it is not known."""

    a: float | None
    b: float | None
    value: float | None
    low: float | None
    high: float | None


class AccuracyChange(Difference):
    """Accuracies as fractions of a class's images."""

    lost: float | None = Field(description="images that A alone recognizes; null where unpaired")
    gained: float | None = Field(description="images that B alone recognizes; null where unpaired")
    p: float | None = Field(description="two-sided exact p-value: McNemar's where paired, else Fisher's")
    q: float | None = Field(description="false discovery rate over all classes (Benjamini, Hochberg)")


class LabelChange(_Model):
    """What a class relies on in A and in B."""

    a: CueVerdict
    b: CueVerdict
    changed: bool


class Dose(_Model):
    """A dose of one augmentation."""

    parameter: str
    unit: str
    value: float


class BudgetChange(_Model):
    """The strongest safe dose of one augmentation in A and in B."""

    a: float | None
    b: float | None
    status_a: BudgetStatus
    status_b: BudgetStatus
    change: Literal["stronger", "weaker", "same", "unknown"] = Field(description="B's dose against A's")


class ClassComparison(_Model):
    """One class in both models."""

    name: str
    images_a: int
    images_b: int
    accuracy: AccuracyChange
    under: dict[str, AccuracyChange] = Field(description="by augmentation, at the dose in doses")
    reliance: dict[Cue, Difference] = Field(description="necessity of each cue")
    label: LabelChange
    budgets: dict[str, BudgetChange]


class Side(_Model):
    """One of the two models."""

    model: str
    dataset: str
    fingerprint: str
    images: int
    clean_accuracy: float | None
    worst_class_accuracy: float | None
    labels: dict[CueVerdict, int]


class Comparison(_Model):
    """What differs between two models, class by class."""

    schema_version: Literal[1] = 1
    a: Side
    b: Side
    paired: bool = Field(description="whether accuracies are compared image by image")
    confidence: float = Field(description="level of the intervals, two-sided, for one class each")
    accuracy: AccuracyChange = Field(description="over the images of all classes; without q")
    worst_class_change: float | None
    labels_changed: int
    doses: dict[str, Dose] = Field(description="the strongest dose of each augmentation that both measured")
    classes: list[ClassComparison]
    warnings: list[str]

    def to_json(self) -> str:
        """Return it as indented JSON with a final newline; equal comparisons give equal bytes."""
        return json.dumps(self.model_dump(mode="json"), indent=1, allow_nan=False) + "\n"

    def to_frame(self) -> pd.DataFrame:
        """Return one row a class for pandas.

        Returns:
            Columns: class, images_a, images_b; ``accuracy_{a,b,value,low,high,lost,gained,p,q}``, the same for every
            augmentation under its name; label_a, label_b, label_changed; ``{cue}_{a,b,value,low,high}``;
            ``{augmentation}_budget_{a,b,status_a,status_b,change}``.
        """
        return pd.DataFrame([_row(entry) for entry in self.classes])


def _row(entry: ClassComparison) -> dict[str, Any]:
    row: dict[str, Any] = {"class": entry.name, "images_a": entry.images_a, "images_b": entry.images_b}
    parts: dict[str, BaseModel] = {"accuracy": entry.accuracy, **entry.under, "label": entry.label}
    parts |= {cue.value: found for cue, found in entry.reliance.items()}
    parts |= {f"{name}_budget": found for name, found in entry.budgets.items()}
    for name, part in parts.items():
        row |= {f"{name}_{key}": value for key, value in part.model_dump(mode="json").items()}
    return row
