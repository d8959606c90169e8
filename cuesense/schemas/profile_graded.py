"""The graded answer of a profile: what each class keeps without a cue and on it alone, and to which cue it leans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from cuesense.errors import SettingsError, expected
from cuesense.schemas.base import UNKNOWN, Estimate, JsonModel
from cuesense.types import Cue

if TYPE_CHECKING:
    from cuesense.schemas.profile import ClassModel


class KeptModel(Estimate):
    """The share of a class's images that stays recognized, in [0, 1], without a cue or on it alone.

    Value and bounds are drawn toward the mean of this model's classes, the more the fewer images there are; the bounds
    hold at ``labeling.confidence``.
    """

    observed: float | None = Field(default=None, description="the share of the class's own images; null without images")
    images: int = Field(default=0, description="its images that the share is taken over")
    mechanism: str | None = Field(
        default=None, description="where the best of several mechanisms counts, the one that keeps most of the class"
    )


class ShapeScaleModel(Estimate):
    """The side of shuffled tiles, as a fraction of the image's side, on which half of a class is kept.

    Null where half is kept on all tiles that were measured, or on none: the sentence says which.
    """

    sentence: str | None = Field(default=None, description="the same in words, and what size of parts the class needs")


class LeanModel(Estimate):
    """How much more a class relies on a cue than the average class of this model, in [-1, 1]; below 0, how much less.

    The reliance of a class on a cue is the mean of what it loses without the cue and what it keeps on it alone.
    """

    reliance: Estimate = Field(default=UNKNOWN, description="reliance on the cue itself, in [0, 1]")
    rank: int | None = Field(default=None, description="1 for the class that relies on the cue most; ties in order")
    above: int = Field(
        default=0, description="other classes that rely on the cue less, each with a probability of at least 0.95"
    )
    below: int = Field(
        default=0, description="other classes that rely on it more, each with a probability of at least 0.95"
    )
    of: int = Field(default=0, description="other classes that it is compared with")
    top_fifth: float | None = Field(
        default=None, description="probability that it is among the fifth of the classes that rely on the cue most"
    )
    sentence: str = Field(default="", description="the same in words, to be read after the class's name")


class ColumnModel(JsonModel):
    """One column of the graded answer over all classes: what is kept without one cue, or on one cue alone."""

    cue: Cue = Field(description="the cue")
    alone: bool = Field(description="whether the cue is all that is left; else it is all that is removed")
    mechanisms: list[str] = Field(default=[], description="the ablations that were measured, each with its value")
    combined: Literal["mean", "best"] = Field(
        default="mean",
        description="whether their mean counts or the one that keeps most of the class",
    )
    mean: Estimate = Field(default=UNKNOWN, description="share kept by the average class")
    spread: float | None = Field(
        default=None,
        description="standard deviation of the true shares between classes, without noise",
    )
    reliability: float | None = Field(
        default=None,
        description="share of the variance between classes that is no noise, in [0, 1]: how well another sample of as "
        "many images would order the classes",
    )
    alike: bool = Field(default=False, description="whether the classes cannot be told apart in this column")
    sentence: str = Field(default="", description="the column in words")


class LeanSummary(JsonModel):
    """How well this model's classes can be ordered by their reliance on one cue."""

    mean: Estimate = Field(default=UNKNOWN, description="reliance of the average class, in [0, 1]")
    spread: float | None = Field(default=None, description="standard deviation of the true reliance between classes")
    rank_reliability: float | None = Field(
        default=None,
        description="rank correlation of the order over random halves of the images, stepped up to all images; at "
        "most 1",
    )
    sentence: str = Field(default="", description="what the order is worth, in words")


class PairsModel(JsonModel):
    """How many pairs of classes the graded answer tells apart."""

    pairs: int = Field(default=0, description="pairs of classes that were compared")
    told_apart: int = Field(default=0, description="pairs that differ in some column or reliance")
    level: float = Field(default=0.95, description="level of each comparison of a pair, over all columns together")
    sentence: str = Field(default="", description="the same in words, with the control for many comparisons")


class SharpenModel(JsonModel):
    """What would tell two neighbors of an order apart, if their shares stay as they are."""

    cue: Cue = Field(description="the cue by which they are ordered")
    first: str = Field(description="the class that is ahead")
    second: str = Field(description="the class after it")
    more_images: int = Field(description="images a class that are needed beside those at hand")
    sentence: str = Field(description="the same in words")


class GradedSummary(JsonModel):
    """The graded answer over all classes."""

    columns: dict[str, ColumnModel] = Field(default={}, description="by name of the column, such as without_color")
    lean: dict[Cue, LeanSummary] = Field(default={}, description="what the order by each cue is worth")
    guessing: float | None = Field(
        default=None, description="share that the average class keeps by guessing alone, in [0, 1]"
    )
    pairs: PairsModel = Field(default=PairsModel(), description="how many pairs of classes are told apart")
    sharpen: list[SharpenModel] = Field(
        default=[], description="what would tell neighbors apart, the fewest images first"
    )
    order: list[str] = Field(
        default=[],
        description="the classes by the cue to which each leans most, the strongest lean first, those without a known "
        "lean last: the order of classes.csv",
    )


class RankedClass(NamedTuple):
    """One class in the order of a cue.

    Attributes:
        name: Readable name of the class.
        lean: How much more it relies on the cue than the average class, in [-1, 1]; None where it is not known.
        low: Lower bound.
        high: Upper bound.
        reliance: Its reliance on the cue, in [0, 1].
        above: Other classes that rely on the cue less, each with a probability of at least 0.95.
        top_fifth: Probability that it is among the fifth of the classes that rely on the cue most.
    """

    name: str
    lean: float | None
    low: float | None
    high: float | None
    reliance: float | None
    above: int
    top_fifth: float | None


def ranked(classes: Sequence[ClassModel], cue: Cue | str) -> list[RankedClass]:
    """Return the classes of a profile in the order of one cue, the one that relies on it most first.

    Args:
        classes: The classes.
        cue: ``"shape"``, ``"texture"`` or ``"color"``.

    Returns:
        Classes whose lean is not known come last, in their own order.

    Raises:
        SettingsError: There is no such cue, or the profile knows nothing of it.
    """
    if cue not in set(Cue):
        raise SettingsError(expected("the cue of a ranking", "shape, texture or color", repr(cue), "Correct it"))
    wanted = Cue(cue)
    rows = [(entry.name, entry.lean.get(wanted, LeanModel(**UNKNOWN.model_dump()))) for entry in classes]
    if all(lean.value is None for _, lean in rows):
        do = "Measure an ablation of this cue, or run `cuesense analyze` or `cuesense score` again"
        raise SettingsError(expected(f"the ranking by {wanted}", "of classes whose lean is known", "none", do))
    return [
        RankedClass(name, lean.value, lean.low, lean.high, lean.reliance.value, lean.above, lean.top_fifth)
        for name, lean in sorted(rows, key=lambda row: _falling(row[1].value))
    ]


def in_order_of_lean(classes: Sequence[ClassModel]) -> list[ClassModel]:
    """Return the classes of a profile grouped by the cue to which each leans most, the strongest lean first.

    Groups come in the order shape, texture, color; classes that lean to nothing known come last, in their own order.

    Args:
        classes: The classes.
    """
    return [classes[at] for at in order_of_lean([entry.lean for entry in classes])]


def order_of_lean(leans: Sequence[dict[Cue, LeanModel]]) -> list[int]:
    """Return the positions of classes in the order of in_order_of_lean.

    Args:
        leans: The leans of each class.
    """
    groups = list(Cue)

    def place(at: int) -> tuple[int, tuple[bool, float]]:
        cue = strongest(leans[at])
        return (len(groups), _falling(None)) if cue is None else (groups.index(cue), _falling(leans[at][cue].value))

    return sorted(range(len(leans)), key=place)


def strongest(lean: dict[Cue, LeanModel]) -> Cue | None:
    """Return the cue with the largest lean, the first one on ties; None where no lean is known."""
    known = {cue: found.value for cue, found in lean.items() if found.value is not None}
    return max(known, key=lambda cue: known[cue]) if known else None


def certain(leans: dict[Cue, LeanModel]) -> Cue | None:
    """Return the cue with the largest lean, where it is certainly above that of the average class; else None."""
    cue = strongest(leans)
    low = None if cue is None else leans[cue].low
    return cue if low is not None and low > 0 else None


def graded_row(entry: ClassModel) -> dict[str, str | float | None]:
    """Return the graded answer of a class as columns of ``Profile.to_frame``; none for a profile without one."""
    row: dict[str, str | float | None] = {"leans_to": entry.leans_to and entry.leans_to.value} if entry.lean else {}
    for cue, lean in entry.lean.items():
        bounds = {
            "": lean.value,
            "_low": lean.low,
            "_high": lean.high,
            "_rank": lean.rank,
            "_top_fifth": lean.top_fifth,
        }
        row |= {f"{cue.value}_lean{key}": value for key, value in bounds.items()}
    for name, kept in entry.kept.items():
        row |= {name: kept.value, f"{name}_low": kept.low, f"{name}_high": kept.high}
    return row


def _falling(value: float | None) -> tuple[bool, float]:
    """Return the key that sorts values from large to small and those that are not known last."""
    return value is None, -(value or 0.0)
