"""compare.json: two models A and B class by class; every difference is B minus A.

Accuracies and their differences are fractions of the images, in [0, 1] and [-1, 1].
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import pandas as pd
from pydantic import BaseModel, Field

from cuesense.schemas.base import Document, Estimate, JsonModel
from cuesense.schemas.by_name import ByName
from cuesense.schemas.document_checks import comparison_problems
from cuesense.types import BudgetStatus, Cue, CueVerdict, LazyFunction

# The words for a comparison lie in a room above this one: they are imported when they are asked for.
_SUMMARY = LazyFunction("cuesense.reports.summaries:comparison_summary")


class _BothModels(JsonModel):
    """One number of each model."""

    a: float | None = Field(description="number of model A; null where it is not known")
    b: float | None = Field(description="number of model B; null where it is not known")


# The order of the bases is that of the JSON keys from right to left: a and b stand before value, low and high.
class Difference(Estimate, _BothModels):
    """A number of A and of B, and B minus A with its interval; null where it is not known."""


class AccuracyChange(Difference):
    """Accuracy of A and of B, and how sure it is that they differ."""

    lost: float | None = Field(description="images that A alone recognizes; null where images are not paired")
    gained: float | None = Field(description="images that B alone recognizes; null where images are not paired")
    p: float | None = Field(description="two-sided exact p-value: McNemar's where paired, else Fisher's")
    q: float | None = Field(description="false discovery rate over all classes (Benjamini and Hochberg)")


class CueChange(JsonModel):
    """What a class relies on in A and in B."""

    a: CueVerdict = Field(description="verdict on the class in A")
    b: CueVerdict = Field(description="verdict on the class in B")
    changed: bool = Field(description="whether the two differ")


class ComparedSeverity(JsonModel):
    """The value of one augmentation at which accuracies are compared."""

    parameter: str = Field(description="what the value is, for instance scale")
    unit: str = Field(description="unit of the value")
    value: float = Field(description="the value, in the unit")


class BudgetChange(JsonModel):
    """The budget of one augmentation in A and in B: the strongest value whose risk is within policy.risk."""

    a: float | None = Field(description="value in A, in the unit of its curve; null where there is none")
    b: float | None = Field(description="value in B, likewise")
    status_a: BudgetStatus = Field(description="status of A's budget")
    status_b: BudgetStatus = Field(description="status of B's budget")
    change: Literal["stronger", "weaker", "same", "unknown"] = Field(description="B's budget against A's")


class ClassComparison(JsonModel):
    """One class in both models."""

    name: str = Field(description="readable name, the same in both")
    images_a: int = Field(description="images of the class that A saw")
    images_b: int = Field(description="images of the class that B saw")
    accuracy: AccuracyChange = Field(description="clean accuracy")
    under: dict[str, AccuracyChange] = Field(description="accuracy by augmentation, at the value in doses")
    reliance: dict[Cue, Difference] = Field(description="necessity of each cue, a share of explainable images")
    label: CueChange = Field(description="verdict on the class")
    budgets: dict[str, BudgetChange] = Field(description="by augmentation")


class ComparedModel(JsonModel):
    """One of the two models."""

    model: str = Field(description="how the model was named on the command line")
    dataset: str = Field(description="how the dataset was named on the command line")
    fingerprint: str = Field(description="hash of the dataset: equal for equal data")
    images: int = Field(description="number of images")
    clean_accuracy: float | None = Field(description="share of all images that are recognized; null without images")
    worst_class_accuracy: float | None = Field(description="lowest clean accuracy of a class; null without images")
    labels: dict[CueVerdict, int] = Field(description="number of classes with each verdict")


class Comparison(Document):
    """What differs between two models, class by class."""

    NOUN: ClassVar[str] = "comparison"
    FILE_NAME: ClassVar[str] = "compare.json"
    COMMAND: ClassVar[str] = "cuesense compare"

    a: ComparedModel = Field(description="the reference")
    b: ComparedModel = Field(description="the other model")
    paired: bool = Field(description="whether accuracies are compared image by image")
    confidence: float = Field(description="level of the intervals, two-sided, for one class each; in (0.5, 1)")
    accuracy: AccuracyChange = Field(description="clean accuracy over the images of all classes; without q")
    worst_class_change: float | None = Field(
        description="change of the lowest clean accuracy of a class, which need not be the same class in both"
    )
    labels_changed: int = Field(description="classes whose verdicts differ")
    doses: dict[str, ComparedSeverity] = Field(
        description="by augmentation: the strongest value that was measured on both models"
    )
    classes: ByName[ClassComparison] = Field(description="every class, in the order of A")
    warnings: list[str] = Field(description="what to know before trusting the numbers, in sentences")

    def __repr__(self) -> str:
        """Return both models, their accuracies and how many classes differ, in a few lines."""
        return str(_SUMMARY(self))

    def problems(self) -> Iterator[str]:
        """Yield a clause for everything in it that cannot be."""
        return comparison_problems(self)

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
        # Fields of this version alone: a column for what a newer one has added would mean nothing here.
        known = part.model_dump(mode="json", include=set(type(part).model_fields))
        row |= {f"{name}_{key}": value for key, value in known.items()}
    return row
