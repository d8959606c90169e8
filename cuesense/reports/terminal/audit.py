"""An audit for the terminal: which classes lose accuracy, strength by strength and class by class."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from cuesense.reports import audit_text
from cuesense.reports.audit_view import AuditView, view
from cuesense.reports.terminal.parts import borderless_table, warning_lines
from cuesense.reports.text import DASH, counted, listed, percent, points, printable
from cuesense.schemas.audit import Audit, ClassAudit, CueHarm

# Harmed classes in the table: with the other lines they fill a screen of 40 rows. audit.csv has all classes.
_SHOWN = 12

_STYLES = {"safe": "green", "unsafe": "red", "undetermined": "dim"}

# Headings with the kind of their column: ">" holds numbers, "+" may be cut or wrapped where the terminal is narrow.
_STRENGTH_COLUMNS = (
    ("Strength", ""),
    ("Runs", ">"),
    ("Mean", ">"),
    ("Worst", ">"),
    ("class", "+"),
    ("Harmed", ">"),
    ("Safety", ""),
    ("Best", "+"),
)
_CLASS_COLUMNS = (("Harmed class", "+"), ("Images", ">"), ("Loss", ">"), ("bounds", ""), ("Best at", ""))


def render(audit: Audit) -> Group:
    """Return what a terminal shows.

    Args:
        audit: The audit.

    Returns:
        Lines and tables for rich.
    """
    found = view(audit)
    return Group(
        Text(audit_text.headline(found), "bold"),
        Text(_scope(audit), "dim"),
        *([Text(audit_text.direction_text(audit), "dim")] if audit.direction else []),
        Text(),
        _strengths(found),
        Text(),
        Text(audit_text.other_choices(found)),
        *_harmed(found),
        *_gaining(found),
        *_cues(found),
        Text(audit_text.safety_advice(found)),
        *warning_lines(audit.warnings),
    )


def _scope(audit: Audit) -> str:
    runs = f"{counted(sum(audit.runs), 'run')}, {counted(len(audit.classes), 'class')}"
    bounds = f"bounds that hold for all classes together at {100 * audit.confidence:g} %"
    return f"{runs}; a loss is in points against the class's own best strength, with {bounds}"


def _table(columns: Sequence[tuple[str, str]]) -> Table:
    table = borderless_table()
    for heading, kind in columns:
        table.add_column(heading, justify="right" if kind == ">" else "left", no_wrap=kind != "+", overflow="fold")
    return table


def _strengths(found: AuditView) -> Table:
    table = _table(_STRENGTH_COLUMNS)
    for at in range(len(found.audit.strengths)):
        table.add_row(*_strength(found, at))
    return table


def _strength(found: AuditView, at: int) -> list[Text]:
    audit, harmed = found.audit, found.harmed_counts[at]
    return [
        Text(audit_text.strength_text(audit.strengths[at])),
        Text(str(audit.runs[at])),
        Text(percent(audit.mean_accuracy[at])),
        Text(percent(audit.worst_class_accuracy[at])),
        Text(printable(audit.worst_class[at])),
        Text(DASH if harmed is None else f"{harmed:,}"),
        Text(audit.safety[at], _STYLES[audit.safety[at]]),
        Text(", ".join(choice.short for choice in found.choices if choice.index == at), "bold"),
    ]


def _harmed(found: AuditView) -> list[Table | Text]:
    entries = found.harmed
    if not entries:
        return []
    confused = any(entry.rivals for entry in entries)
    table = _table([*_CLASS_COLUMNS, ("Confused with", "+")] if confused else _CLASS_COLUMNS)
    for entry in entries[:_SHOWN]:
        table.add_row(*_class(entry)[: len(table.columns)])
    rest = len(entries) - _SHOWN
    more = [Text(f"and {rest:,} more with smaller losses", "dim")] if rest > 0 else []
    return [table, *more, Text()]


def _class(entry: ClassAudit) -> list[Text]:
    return [
        Text(printable(entry.name)),
        Text(f"{entry.n:,}"),
        Text(points(entry.loss), "red"),
        Text(audit_text.loss_bounds(entry.low, entry.high)),
        Text(audit_text.strength_text(entry.best_strength)),
        Text(", ".join(map(audit_text.rival_text, entry.rivals))),
    ]


def _gaining(found: AuditView) -> list[Text]:
    if not found.gaining:
        return []
    gains = [f"{printable(entry.name)} +{points(entry.gain)}" for entry in found.gaining]
    mildest = audit_text.strength_text(found.audit.strengths[0])
    return [Text(f"Gain against {mildest}, the mildest, in points: {listed(gains, audit_text.LISTED)}")]


def _cues(found: AuditView) -> list[Text]:
    audit = found.audit
    if not audit.cues:
        return []
    losses = [f"{part.cue.value} {_loss(part)} ({_harmed_share(part)})" for part in audit.cues]
    lines = [Text(f"Mean loss by cue: {', '.join(losses)}"), Text(audit_text.cue_comparison(audit.cues))]
    if found.best == found.last:
        return lines
    strongest = [f"{part.cue.value} {_loss_at_strongest(part)}" for part in audit.cues]
    return [*lines, Text(f"At {audit_text.strength_text(audit.strengths[-1])}, the strongest: {', '.join(strongest)}")]


def _loss(part: CueHarm) -> str:
    return audit_text.loss_text(part.loss, part.low, part.high)


def _loss_at_strongest(part: CueHarm) -> str:
    return audit_text.loss_text(part.loss_at_strongest, part.strongest_low, part.strongest_high)


def _harmed_share(part: CueHarm) -> str:
    return f"{part.harmed:,} of {counted(part.classes, 'class')} harmed"
