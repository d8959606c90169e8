"""What a gate found. The only module that knows its format."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Rule = Literal["max-drop", "max-worst-class-loss"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Finding(_Model):
    """An accuracy that was lost, as a fraction of the images; negative for a gain."""

    name: str | None = Field(description="the class; null for all images")
    loss: float
    low: float = Field(description="lower bound at the result's confidence")
    high: float
    images: int
    reference_images: int


class Result(_Model):
    """One rule, where there is no baseline under one augmentation."""

    rule: Rule
    augmentation: str | None = Field(description="what was applied; null where clean accuracies are compared")
    value: float | None = Field(description="its dose")
    limit: float = Field(description="the largest loss that is allowed")
    holds: bool
    paired: bool = Field(description="whether accuracies are compared image by image")
    tested: int = Field(description="how many losses were tested: 1, or the classes that have images")
    confidence: float = Field(description="one-sided level of each bound, corrected for all tests of the gate")
    worst: Finding = Field(description="the largest observed loss")
    violations: list[Finding] = Field(description="losses beyond the limit that are certain, largest first")
    uncertain: list[Finding] = Field(description="losses beyond the limit that may be chance, largest first")


class Check(_Model):
    """Whether a model holds what was asked of it."""

    schema_version: Literal[1] = 1
    profile: str
    baseline: str | None
    confidence: float
    holds: bool
    results: list[Result]
    notes: list[str]

    def to_json(self) -> str:
        """Return it as indented JSON with a final newline; equal checks give equal bytes."""
        return json.dumps(self.model_dump(mode="json"), indent=1, allow_nan=False) + "\n"
