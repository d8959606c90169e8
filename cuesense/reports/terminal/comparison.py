"""A comparison of two profiles for the terminal: the classes that differ most come first."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group
from rich.table import Table
from rich.text import Text

from cuesense.reports.profile_text import SHORT_NAMES
from cuesense.reports.terminal.parts import borderless_table, warning_lines
from cuesense.reports.text import DASH, bracketed, percent, points, points_with_unit, printable, readable_name
from cuesense.schemas.comparison import AccuracyChange, ClassComparison, ComparedModel, Comparison, Difference

# The usual false discovery rate for a list that is looked through (Benjamini and Hochberg, 1995): of the starred
# changes at most one in twenty is expected to be chance.
SIGNIFICANT = 0.05

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
    ranked = sorted(found.classes, key=lambda entry: (not _is_marked(entry), -_largest_change(entry)))
    caption = Text(_caption(found, limit), "dim")
    return Group(*_summary(found), Text(), _table(ranked[:limit]), caption, *warning_lines(found.warnings))


def _summary(found: Comparison) -> Iterator[Text]:
    for letter, side in (("A", found.a), ("B", found.b)):
        yield Text.assemble((f"{letter} ", "bold"), _side(side))
    worst = points_with_unit(found.worst_class_change)
    yield Text(
        f"B minus A: accuracy {_difference(found.accuracy)} pp, worst class {worst}; "
        f"the cue of {found.labels_changed:,} of {len(found.classes):,} classes changed"
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
        name = Text(printable(entry.name), "bold" if _is_marked(entry) else "")
        change = entry.accuracy
        accuracies = f"{points(change.a)} → {points(change.b)}"
        difference = Text(_difference(change) + _star(change))
        table.add_row(name, accuracies, difference, Text(_largest_under(entry)), _cue(entry))
    return table


def _largest_under(entry: ClassComparison) -> str:
    """Return the augmentation under which the accuracies differ most, and by how much; significant ones go first."""
    known = [(name, change) for name, change in entry.under.items() if change.value is not None]
    if not known:
        return DASH
    name, change = max(known, key=lambda pair: (_is_significant(pair[1]), abs(pair[1].value or 0.0)))
    return f"{SHORT_NAMES.get(name, printable(readable_name(name)))} {points(change.value)}{_star(change)}"


def _cue(entry: ClassComparison) -> str:
    cue = entry.label
    return f"{cue.a.value} → {cue.b.value}" if cue.changed else cue.a.value


def _difference(change: Difference) -> str:
    return f"{points(change.value)} {bracketed(change.low, change.high, points)}".rstrip()


def _star(change: AccuracyChange) -> str:
    return "*" if _is_significant(change) else ""


def _caption(found: Comparison, limit: int) -> str:
    total = len(found.classes)
    shown = f"{limit:,} of {total:,} classes, those that differ most; --output writes all. " if total > limit else ""
    how = "the same images, paired" if found.paired else "independent samples"
    return f"{shown}* false discovery rate of at most {SIGNIFICANT:g}; {100 * found.confidence:g} % intervals, {how}."


def _is_marked(entry: ClassComparison) -> bool:
    return any(map(_is_significant, (entry.accuracy, *entry.under.values())))


def _is_significant(change: AccuracyChange) -> bool:
    return change.q is not None and change.q <= SIGNIFICANT


def _largest_change(entry: ClassComparison) -> float:
    return max(abs(change.value or 0.0) for change in (entry.accuracy, *entry.under.values()))
