"""The terminal's view of a comparison: the classes that differ most in front."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group
from rich.table import Table
from rich.text import Text

from cuesense.compared import AccuracyChange, Change, ClassComparison, Comparison, Side
from cuesense.reports import text

SIGNIFICANT = 0.05


def render(found: Comparison, *, limit: int = 30) -> Group:
    """Return what a terminal shows.

    Args:
        found: The comparison.
        limit: How many classes the table shows: first those with a q-value of at most 0.05 (marked by a star), then
            those whose accuracy differs most, clean or under an augmentation.

    Returns:
        A summary, a table and lines for rich.
    """
    ranked = sorted(found.classes, key=lambda entry: (not _marked(entry), -_largest(entry)))
    warnings = [Text.assemble(("Warning: ", "bold yellow"), text.plain(warning)) for warning in found.warnings]
    return Group(*_summary(found), Text(), _table(ranked[:limit]), Text(_caption(found, limit), "dim"), *warnings)


def _summary(found: Comparison) -> Iterator[Text]:
    for letter, side in (("A", found.a), ("B", found.b)):
        yield Text.assemble((f"{letter} ", "bold"), _side(side))
    worst = text.points(found.worst_class_change)
    yield Text(
        f"B minus A: accuracy {_points(found.accuracy)}, worst class {worst}; "
        f"{found.labels_changed:,} of {len(found.classes):,} labels changed"
    )


def _side(side: Side) -> str:
    accuracy, worst = text.percent(side.clean_accuracy), text.percent(side.worst_class_accuracy)
    return f"{text.plain(side.model)}: accuracy {accuracy}, worst class {worst}, {side.images:,} images"


def _table(entries: list[ClassComparison]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("Class", no_wrap=True, overflow="ellipsis", max_width=24)
    for heading in ("A", "B", "B − A"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("Most under augmentation", "Relies on"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    for entry in entries:
        style = "bold" if _marked(entry) else ""
        accuracies = (text.percent(entry.accuracy.a), text.percent(entry.accuracy.b))
        table.add_row(
            Text(text.plain(entry.name), style),
            *accuracies,
            Text(_starred(entry.accuracy)),
            Text(_under(entry)),
            _label(entry),
        )
    return table


def _under(entry: ClassComparison) -> str:
    """Return the augmentation under which the accuracies differ most."""
    known = [(name, change) for name, change in entry.under.items() if change.value is not None]
    if not known:
        return text.DASH
    name, change = max(known, key=lambda pair: (_is_marked(pair[1]), abs(pair[1].value or 0.0)))
    return f"{text.SHORT_NAMES.get(name, text.plain(text.words(name)))} {_starred(change)}"


def _label(entry: ClassComparison) -> str:
    label = entry.label
    return f"{label.a.value} → {label.b.value}" if label.changed else label.a.value


def _starred(change: AccuracyChange) -> str:
    return _points(change) + ("*" if _is_marked(change) else "")


def _points(change: Change) -> str:
    if change.low is None or change.high is None:
        return text.points(change.value)
    low, high = (f"{100 * bound:z.1f}".replace("-", "−") for bound in (change.low, change.high))
    return f"{text.points(change.value)} [{low}, {high}]"


def _caption(found: Comparison, limit: int) -> str:
    total = len(found.classes)
    shown = f"{limit:,} of {total:,} classes, those that differ most; --output writes all. " if total > limit else ""
    how = "the same images, paired" if found.paired else "independent samples"
    return f"{shown}* false discovery rate of at most {SIGNIFICANT:g}; {100 * found.confidence:g} % intervals, {how}."


def _marked(entry: ClassComparison) -> bool:
    return any(map(_is_marked, (entry.accuracy, *entry.under.values())))


def _is_marked(change: AccuracyChange) -> bool:
    return change.q is not None and change.q <= SIGNIFICANT


def _largest(entry: ClassComparison) -> float:
    return max(abs(change.value or 0.0) for change in (entry.accuracy, *entry.under.values()))
