"""What no graded answer can say, field by field: see ``impossible``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cuesense.schemas.impossible import counts, disordered, outside, shares, strangers

if TYPE_CHECKING:
    from cuesense.schemas.profile import ClassModel
    from cuesense.schemas.profile_graded import GradedSummary, LeanModel


def graded_problems(summary: GradedSummary, classes: Sequence[ClassModel]) -> Iterator[str]:
    """Yield a clause for everything in the graded answer that cannot be.

    Args:
        summary: The answer over all classes.
        classes: The classes.
    """
    yield from _summary("summary.graded", summary, {entry.name for entry in classes})
    for number, entry in enumerate(classes):
        field = f"classes.{number}"
        yield from strangers(f"{field}.kept", list(entry.kept), set(summary.columns), "column")
        for name, kept in entry.kept.items():
            yield from shares(f"{field}.kept.{name}", kept.value, kept.low, kept.high, kept.observed)
            yield from disordered(f"{field}.kept.{name}", kept)
            yield from counts(f"{field}.kept.{name}.images", [kept.images])
        for cue, lean in entry.lean.items():
            yield from _lean(f"{field}.lean.{cue.value}", lean, len(classes))


def _lean(field: str, lean: LeanModel, classes: int) -> Iterator[str]:
    yield from outside(field, [lean.value, lean.low, lean.high], -1, 1)
    yield from disordered(field, lean)
    yield from shares(f"{field}.reliance", lean.reliance.value, lean.reliance.low, lean.reliance.high)
    yield from disordered(f"{field}.reliance", lean.reliance)
    yield from outside(f"{field}.rank", [lean.rank], 1, classes, rounding=0)
    yield from counts(f"{field}.of", [lean.of], classes - 1)
    yield from counts(f"{field}.above", [lean.above], lean.of)
    yield from counts(f"{field}.below", [lean.below], lean.of - lean.above)
    yield from shares(f"{field}.top_fifth", lean.top_fifth)


def _summary(field: str, summary: GradedSummary, names: set[str]) -> Iterator[str]:
    for name, column in summary.columns.items():
        where = f"{field}.columns.{name}"
        yield from shares(f"{where}.mean", column.mean.value, column.mean.low, column.mean.high)
        yield from disordered(f"{where}.mean", column.mean)
        yield from shares(where, column.spread, column.reliability)
    for cue, lean in summary.lean.items():
        where = f"{field}.lean.{cue.value}"
        yield from shares(f"{where}.mean", lean.mean.value, lean.mean.low, lean.mean.high)
        yield from disordered(f"{where}.mean", lean.mean)
        yield from shares(where, lean.spread)
        yield from outside(f"{where}.rank_reliability", [lean.rank_reliability], -1, 1)
    yield from shares(f"{field}.guessing", summary.guessing)
    yield from counts(f"{field}.pairs.told_apart", [summary.pairs.told_apart], summary.pairs.pairs)
    yield from shares(f"{field}.pairs.level", summary.pairs.level)
    yield from strangers(f"{field}.order", summary.order, names, "class")
    for number, entry in enumerate(summary.sharpen):
        yield from strangers(f"{field}.sharpen.{number}", [entry.first, entry.second], names, "class")
        yield from counts(f"{field}.sharpen.{number}.more_images", [entry.more_images])
