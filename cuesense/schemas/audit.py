"""audit.json: which classes lose accuracy at the strength of a regularizer with the best mean accuracy.

Accuracies, losses and shares are fractions of the test images, in [0, 1]. A loss is measured against the class's own
best strength; a strength is a number or a name, as in the table of runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pandas as pd
from pydantic import Field

from cuesense.schemas.base import Document, JsonModel
from cuesense.schemas.by_name import ByName
from cuesense.schemas.document_checks import audit_problems
from cuesense.types import CueVerdict, LazyFunction

if TYPE_CHECKING:
    from cuesense.reports.plots.audit import AuditPlots

# What draws an audit lies in a room above this one: it is imported when it is asked.
_SUMMARY = LazyFunction("cuesense.reports.summaries:audit_summary")
_PLOTS = LazyFunction("cuesense.reports.plots.audit:AuditPlots")

Strength = float | str
RivalKind = Literal["ambiguous", "co-occurring", "fine-grained", "unrelated"]


class RivalResult(JsonModel):
    """A class that takes more of another's images at ``chosen_by_mean`` than at the other's best strength."""

    rival: str = Field(alias="class", description="the class that takes them")
    share: float = Field(description="share of the losing class's images that it takes more, on the mean over runs")
    kind: RivalKind | None = Field(
        description="how the two are related; null where neither annotations nor similarities are known"
    )
    similarity: float | None = Field(description="cosine of the two classes' directions, in [-1, 1]; null if not known")
    both: float | None = Field(
        description="share of the losing class's images for which the rival is right too; null without annotations"
    )


class ClassAudit(JsonModel):
    """One class: what it loses at ``chosen_by_mean`` against its own best strength."""

    index: int = Field(description="index of the class, from 0")
    name: str = Field(description="readable name")
    n: int = Field(description="test images")
    seeds: int = Field(description="runs at chosen_by_mean")
    harmed: bool | None = Field(
        description="whether the lower bound of its loss is above 0; null where seeds are too few to know"
    )
    loss: float | None = Field(description="observed loss; null without images")
    low: float | None = Field(description="lower bound of the loss, simultaneous over all classes")
    high: float | None = Field(description="upper bound of the loss, simultaneous over all classes")
    detectable: float | None = Field(description="a loss that would be called harm, whichever strength is its best")
    best_strength: Strength | None = Field(description="strength with the class's highest accuracy")
    loss_at_strongest: float | None = Field(description="loss at the strongest strength")
    gains: bool | None = Field(description="whether it is shown to be better at chosen_by_mean than at the mildest")
    gain: float | None = Field(description="accuracy at chosen_by_mean minus that at the mildest strength")
    loss_accepted: float | None = Field(
        description="the loss where every accepted label counts as right; null without annotations"
    )
    cue: CueVerdict | None = Field(description="what the model relies on, from a profile; null without one")
    harmed_at: list[Strength] = Field(description="strengths at which a loss is shown")
    rivals: list[RivalResult] = Field(description="classes that take its images, the largest share first")
    accuracy: list[float | None] = Field(description="mean over runs, one number a strength")
    accuracy_low: list[float | None] = Field(description="lower bounds of the accuracy, one a strength")
    accuracy_high: list[float | None] = Field(description="upper bounds of the accuracy, one a strength")


class Price(JsonModel):
    """Mean accuracy that other choices of strength give up against ``chosen_by_mean``; null without such a choice."""

    by_worst_class: float | None = Field(description="given up at chosen_by_worst_class")
    unharmed: float | None = Field(description="given up at chosen_unharmed")
    safe: float | None = Field(description="given up at chosen_safe")


class CueHarm(JsonModel):
    """What the classes that rely on one cue lose on average."""

    cue: CueVerdict = Field(description="the verdict that they share")
    classes: int = Field(description="number of such classes")
    harmed: int = Field(description="how many of them are shown to be harmed")
    loss: float = Field(description="their mean loss at chosen_by_mean")
    low: float | None = Field(description="lower end of its interval over classes; null for one class")
    high: float | None = Field(description="upper end of its interval over classes; null for one class")
    loss_at_strongest: float = Field(description="their mean loss at the strongest strength")
    strongest_low: float | None = Field(description="lower end of its interval over classes; null for one class")
    strongest_high: float | None = Field(description="upper end of its interval over classes; null for one class")


class StrengthDirection(JsonModel):
    """Which way the strengths run, from mild to strong, and why that is assumed."""

    order: Literal["rising", "falling", "given"] = Field(
        description="rising where larger numbers are stronger, falling where smaller ones are, given where --order "
        "listed all strengths"
    )
    because: str = Field(description="why, as a clause")


class Audit(Document):
    """What a sweep of one regularizer shows; lists go with ``strengths``, mild to strong."""

    NOUN: ClassVar[str] = "audit"
    FILE_NAME: ClassVar[str] = "audit.json"
    COMMAND: ClassVar[str] = "cuesense audit"

    regularizer: str = Field(description="what was swept, for instance random_resized_crop")
    strengths: list[Strength] = Field(description="its strengths, mild to strong")
    direction: StrengthDirection | None = Field(
        default=None, description="which way the strengths run, and why; null in files of an older version"
    )
    runs: list[int] = Field(description="runs of each strength")
    tolerance: float = Field(description="accuracy that a class may lose, a fraction in (0, 1)")
    confidence: float = Field(description="level of intervals and bounds, in (0.5, 1)")
    chosen_by_mean: Strength = Field(description="the highest accuracy over all images")
    chosen_by_worst_class: Strength = Field(description="the highest accuracy of the class that is worst there")
    chosen_unharmed: Strength | None = Field(description="the best average without a class that is shown to be harmed")
    chosen_safe: Strength | None = Field(description="the best average with no class losing more than the tolerance")
    safety: list[Literal["safe", "unsafe", "undetermined"]] = Field(
        description="whether it is shown that no class loses more than the tolerance (safe) or that one does (unsafe)"
    )
    seeds_needed: int | None = Field(
        description="runs of each strength that are likely to show one to be safe; null where one is, where 1,000 "
        "would not do, or where it is not known"
    )
    mean_accuracy: list[float] = Field(description="accuracy over all images, mean over runs")
    mean_low: list[float | None] = Field(description="lower end of its interval; null for one run")
    mean_high: list[float | None] = Field(description="upper end of its interval; null for one run")
    worst_class_accuracy: list[float] = Field(description="lowest accuracy of a class, mean over runs")
    worst_class: list[str] = Field(description="the class with that accuracy")
    price: Price = Field(description="mean accuracy that the other choices give up")
    harmed: int | None = Field(description="classes that are shown to be harmed; null where nothing is known")
    gaining: int | None = Field(description="classes that are shown to gain; null where nothing is known")
    classes: ByName[ClassAudit] = Field(description="every class")
    cues: list[CueHarm] = Field(description="harm by cue, where a profile names the cues")
    source: dict[str, Any] = Field(description="where the runs come from, and the version of cuesense")
    warnings: list[str] = Field(description="what to know before trusting the numbers, in sentences")

    def __repr__(self) -> str:
        """Return what was swept, the strength with the best mean accuracy and whom it harms, in a few lines."""
        return str(_SUMMARY(self))

    @property
    def plot(self) -> AuditPlots:
        """Charts as matplotlib axes: ``audit.plot.accuracies()``, ``losses()`` and ``cues()``.

        Raises:
            SettingsError: matplotlib is not installed (``pip install 'cuesense[plot]'``).
        """
        plots: AuditPlots = _PLOTS(self)
        return plots

    def problems(self) -> Iterator[str]:
        """Yield a clause for everything in it that cannot be."""
        return audit_problems(self)

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
