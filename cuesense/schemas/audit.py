"""audit.json: who pays for the average. The only module that knows its format."""

from __future__ import annotations

import json
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from cuesense.types import CueVerdict

Strength = float | str
RivalKind = Literal["ambiguous", "co-occurring", "fine-grained", "unrelated"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)


class RivalResult(_Model):
    """A class that takes more of another's images at ``chosen_by_mean`` than at the other's best strength."""

    rival: str = Field(alias="class")
    share: float = Field(description="share of the losing class's images that it takes more, on the mean over runs")
    kind: RivalKind | None = Field(description="null where neither annotations nor similarities are known")
    similarity: float | None = Field(description="cosine of the two classes' directions")
    both: float | None = Field(description="share of the losing class's images for which the rival is right too")


class ClassAudit(_Model):
    """One class: what it loses at ``chosen_by_mean`` against its own best strength, as fractions of its images."""

    index: int
    name: str
    n: int = Field(description="test images")
    seeds: int = Field(description="runs at chosen_by_mean")
    harmed: bool | None = Field(description="whether the loss is shown, simultaneously over all classes; null: unknown")
    loss: float | None
    low: float | None = Field(description="lower bound of the loss, simultaneous over all classes")
    high: float | None = Field(description="upper bound, likewise")
    detectable: float | None = Field(description="a loss from which on it is named, whichever strength is its best")
    best_strength: Strength | None
    loss_at_strongest: float | None = Field(description="loss at the strongest strength against its own best")
    gains: bool | None = Field(description="whether it is shown to be better at chosen_by_mean than at the mildest")
    gain: float | None = Field(description="accuracy at chosen_by_mean minus that at the mildest strength")
    loss_accepted: float | None = Field(description="the loss where every accepted label counts as right")
    cue: CueVerdict | None = Field(description="what the model relies on, from the profile")
    harmed_at: list[Strength] = Field(description="strengths at which a loss against its own best is shown")
    rivals: list[RivalResult]
    accuracy: list[float | None] = Field(description="mean over runs, one number a strength")
    accuracy_low: list[float | None]
    accuracy_high: list[float | None]


class Price(_Model):
    """Mean accuracy that other choices of strength give up against ``chosen_by_mean``; null where there is none."""

    by_worst_class: float | None
    unharmed: float | None
    safe: float | None


class CueHarm(_Model):
    """What the classes that rely on one cue lose on average against their own best strengths."""

    cue: CueVerdict
    classes: int
    harmed: int
    loss: float
    low: float | None = Field(description="interval over classes")
    high: float | None
    loss_at_strongest: float
    strongest_low: float | None
    strongest_high: float | None


class Audit(_Model):
    """What a sweep of one regularizer shows; lists go with ``strengths``, mild to strong."""

    schema_version: Literal[1] = 1
    regularizer: str
    strengths: list[Strength]
    runs: list[int] = Field(description="runs of each strength")
    tolerance: float
    confidence: float
    chosen_by_mean: Strength
    chosen_by_worst_class: Strength
    chosen_unharmed: Strength | None = Field(description="the best average without a class that is shown to be harmed")
    chosen_safe: Strength | None = Field(description="the best average with no class losing more than the tolerance")
    safety: list[Literal["safe", "unsafe", "undetermined"]]
    seeds_needed: int | None = Field(description="runs of each strength that are likely to show one to be safe")
    mean_accuracy: list[float]
    mean_low: list[float | None]
    mean_high: list[float | None]
    worst_class_accuracy: list[float]
    worst_class: list[str]
    price: Price
    harmed: int | None
    gaining: int | None
    classes: list[ClassAudit]
    cues: list[CueHarm]
    source: dict[str, Any]
    warnings: list[str]

    def to_json(self) -> str:
        """Return it as indented JSON with a final newline."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=1, allow_nan=False) + "\n"

    def to_frame(self) -> pd.DataFrame:
        """Return one row a class and strength for pandas.

        Returns:
            Columns: class, strength, runs, n, accuracy, low, high.
        """
        rows = [
            (entry.name, strength, runs, entry.n, *numbers)
            for entry in self.classes
            for strength, runs, *numbers in zip(
                self.strengths, self.runs, entry.accuracy, entry.accuracy_low, entry.accuracy_high, strict=True
            )
        ]
        return pd.DataFrame(rows, columns=["class", "strength", "runs", "n", "accuracy", "low", "high"])
