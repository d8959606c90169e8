"""A comparison of two profiles for the terminal: the classes that differ most come first."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group
from rich.table import Table
from rich.text import Text

from cuesense.reports.comparison_text import (
    SIGNIFICANT,
    changed_cues,
    difference,
    is_marked,
    is_significant,
    largest_under,
    ranked,
    short_augmentation,
    undetermined_cues,
)
from cuesense.reports.terminal.parts import borderless_table, warning_lines
from cuesense.reports.text import DASH, percent, points, points_with_unit, printable
from cuesense.schemas.comparison import AccuracyChange, ClassComparison, ComparedModel, Comparison

# Blanks that are left for a class's name in 80 columns beside the numbers of a row.
_NAME_WIDTH = 16


def render(found: Comparison, *, limit: int = 30) -> Group:
    """Return what a terminal shows.

    Args:
        found: The comparison.
        limit: How many classes the table shows: first those with a q-value of at most 0.05 (marked by a star), then
            those whose accuracy differs most, clean or under an augmentation.

    Returns:
        A summary, a table and lines for rich.
    """
    caption = Text(_caption(found, limit), "dim")
    return Group(*_summary(found), Text(), _table(ranked(found)[:limit]), caption, *warning_lines(found.warnings))


def _summary(found: Comparison) -> Iterator[Text]:
    for letter, side in (("A", found.a), ("B", found.b)):
        yield Text.assemble((f"{letter} ", "bold"), _side(side))
    worst = points_with_unit(found.worst_class_change)
    unknown = undetermined_cues(found)
    cues = f"the cue of {changed_cues(found):,} of {len(found.classes):,} classes changed"
    yield Text(
        f"B minus A: accuracy {difference(found.accuracy)} pp, worst class {worst}; {cues}"
        f"{f', {unknown}' if unknown else ''}"
    )


def _side(side: ComparedModel) -> str:
    accuracy, worst = percent(side.clean_accuracy), percent(side.worst_class_accuracy)
    return f"{printable(side.model)}: accuracy {accuracy}, worst class {worst}, {side.images:,} images"


def _table(entries: list[ClassComparison]) -> Table:
    """Return one row a class; a changed cue takes a second line in 80 columns."""
    table = borderless_table(gap=1)
    table.add_column("Class", no_wrap=True, overflow="ellipsis", max_width=_NAME_WIDTH)
    for heading in ("A → B, %", "B − A, pp"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Most under", no_wrap=True)
    table.add_column("Relies on")
    for entry in entries:
        name = Text(printable(entry.name), "bold" if is_marked(entry) else "")
        change = entry.accuracy
        accuracies = f"{points(change.a)} → {points(change.b)}"
        table.add_row(
            name, accuracies, Text(difference(change) + _star(change)), Text(_largest_under(entry)), _cue(entry)
        )
    return table


def _largest_under(entry: ClassComparison) -> str:
    """Return the augmentation under which the accuracies differ most, and by how much."""
    found = largest_under(entry)
    if found is None:
        return DASH
    name, change = found
    return f"{short_augmentation(name)} {points(change.value)}{_star(change)}"


def _cue(entry: ClassComparison) -> str:
    cue = entry.label
    return f"{cue.a.value} → {cue.b.value}" if cue.changed else cue.a.value


def _star(change: AccuracyChange) -> str:
    return "*" if is_significant(change) else ""


def _caption(found: Comparison, limit: int) -> str:
    total = len(found.classes)
    shown = f"{limit:,} of {total:,} classes, those that differ most; --output writes all. " if total > limit else ""
    how = "pairs of the same image" if found.paired else "independent samples"
    star = f"*: differs, at a false discovery rate of at most {100 * SIGNIFICANT:g}\N{NO-BREAK SPACE}%"
    return f"{shown}{star}. In brackets: {100 * found.confidence:g}\N{NO-BREAK SPACE}% intervals, from {how}."
