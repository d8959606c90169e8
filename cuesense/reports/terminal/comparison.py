"""The terminal's view of a comparison: the classes that differ most in front."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group
from rich.table import Table
from rich.text import Text

from cuesense.reports import text
from cuesense.schemas.comparison import AccuracyChange, ClassComparison, ComparedModel, Comparison, Difference

SIGNIFICANT = 0.05

_NAME = 16


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
        f"B minus A: accuracy {_change(found.accuracy)} pp, worst class {worst}; "
        f"{found.labels_changed:,} of {len(found.classes):,} labels changed"
    )


def _side(side: ComparedModel) -> str:
    accuracy, worst = text.percent(side.clean_accuracy), text.percent(side.worst_class_accuracy)
    return f"{text.plain(side.model)}: accuracy {accuracy}, worst class {worst}, {side.images:,} images"


def _table(entries: list[ClassComparison]) -> Table:
    """Return one row a class, whose change of label takes a second line in 80 columns."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column("Class", no_wrap=True, overflow="ellipsis", max_width=_NAME)
    for heading in ("A → B, %", "B − A, pp"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Most under", no_wrap=True)
    table.add_column("Relies on")
    for entry in entries:
        name = Text(text.plain(entry.name), "bold" if _marked(entry) else "")
        change = entry.accuracy
        accuracies = f"{_number(change.a)} → {_number(change.b)}"
        table.add_row(name, accuracies, Text(_change(change) + _star(change)), Text(_under(entry)), _label(entry))
    return table


def _under(entry: ClassComparison) -> str:
    """Return the augmentation under which the accuracies differ most, and by how much."""
    known = [(name, change) for name, change in entry.under.items() if change.value is not None]
    if not known:
        return text.DASH
    name, change = max(known, key=lambda pair: (_is_marked(pair[1]), abs(pair[1].value or 0.0)))
    called = text.SHORT_NAMES.get(name, text.plain(text.words(name)))
    return f"{called} {_number(change.value)}{_star(change)}"


def _label(entry: ClassComparison) -> str:
    label = entry.label
    return f"{label.a.value} → {label.b.value}" if label.changed else label.a.value


def _change(change: Difference) -> str:
    if change.low is None or change.high is None:
        return _number(change.value)
    return f"{_number(change.value)} [{_number(change.low)}, {_number(change.high)}]"


def _number(share: float | None) -> str:
    return text.DASH if share is None else f"{100 * share:z.1f}".replace("-", "−")


def _star(change: AccuracyChange) -> str:
    return "*" if _is_marked(change) else ""


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
