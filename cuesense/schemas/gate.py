"""check.json: whether a model keeps its accuracy, as ``cuesense check --json`` prints it.

Losses are fractions of the images, of a class or of all; a negative loss is a gain.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from cuesense.schemas.base import Document, JsonModel
from cuesense.schemas.document_checks import gate_problems

Rule = Literal["max-drop", "max-worst-class-loss"]


class ClassFinding(JsonModel):
    """The accuracy that one class, or all images together, lost against the reference."""

    name: str | None = Field(description="the class; null for all images")
    loss: float = Field(description="observed loss, in [-1, 1]")
    low: float = Field(description="one-sided lower bound at the result's confidence")
    high: float = Field(description="one-sided upper bound at the result's confidence")
    images: int = Field(description="images of the checked model")
    reference_images: int = Field(description="images of the reference")


class RuleResult(JsonModel):
    """One rule; without a baseline, one rule under one augmentation."""

    rule: Rule = Field(description="which option set the limit: over all images, or for any one class")
    augmentation: str | None = Field(description="what was applied; null where clean accuracies are compared")
    value: float | None = Field(description="its value, in the unit of its curve; null where nothing was applied")
    limit: float = Field(description="the largest loss that is allowed, in [0, 1)")
    holds: bool = Field(description="whether there is no violation")
    paired: bool = Field(description="whether accuracies are compared image by image")
    tested: int = Field(description="how many losses were tested: 1, or the classes that have images")
    confidence: float = Field(description="one-sided level of each bound, corrected for all tests of the gate")
    worst: ClassFinding = Field(description="the largest observed loss")
    violations: list[ClassFinding] = Field(description="losses beyond the limit that are certain, largest first")
    uncertain: list[ClassFinding] = Field(description="losses beyond the limit that may be chance, largest first")


class GateResult(Document):
    """Whether a model keeps its accuracy within the given limits."""

    NOUN: ClassVar[str] = "check"
    FILE_NAME: ClassVar[str] = "check.json"
    COMMAND: ClassVar[str] = "cuesense check --json"

    profile: str = Field(description="the checked profile's file, or its model where it was never in a file")
    baseline: str | None = Field(description="the reference, likewise; null for the profile's own clean accuracy")
    confidence: float = Field(description="chance that a model as good as its reference passes, at least; in (0.5, 1)")
    holds: bool = Field(description="whether every rule holds")
    results: list[RuleResult] = Field(description="every rule, or every rule under every augmentation")
    notes: list[str] = Field(description="what could not be tested, and the warnings of the profiles, in sentences")

    def problems(self) -> Iterator[str]:
        """Yield a clause for everything in it that cannot be."""
        return gate_problems(self)
