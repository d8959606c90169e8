"""An audit for the terminal: who pays for the average, strength by strength and class by class."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group
from rich.table import Table
from rich.text import Text

from cuesense.reports import audit_text as words
from cuesense.reports import text
from cuesense.schemas.audit import Audit, ClassAudit, CueHarm

_SHOWN = 12
_STYLES = {"safe": "green", "unsafe": "red", "undetermined": "dim"}


def render(audit: Audit) -> Group:
    """Return what a terminal shows.

    Args:
        audit: The audit.

    Returns:
        Lines and tables for rich.
    """
    return Group(
        Text(words.headline(audit), "bold"),
        Text(_scope(audit), "dim"),
        Text(),
        _strengths(audit),
        Text(),
        Text(words.prices(audit)),
        *_harmed(audit),
        *_gaining(audit),
        *_cues(audit),
        Text(words.advice(audit)),
        *(Text.assemble(("Warning: ", "bold yellow"), text.plain(warning)) for warning in audit.warnings),
    )


def _scope(audit: Audit) -> str:
    runs = f"{words.counted(sum(audit.runs), 'run')}, {words.counted(len(audit.classes), 'class')}"
    bounds = f"bounds that hold at a strength for all classes together at {100 * audit.confidence:g} %"
    return f"{runs}; losses in points against a class's own best strength, with {bounds}"


def _table(columns: Iterable[tuple[str, str]]) -> Table:
    """Return an empty table; columns marked with ">" are numbers, one marked with "+" may be cut or wrapped."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading, kind in columns:
        table.add_column(heading, justify="right" if kind == ">" else "left", no_wrap=kind != "+", overflow="fold")
    return table


def _strengths(audit: Audit) -> Table:
    table = _table(
        (
            ("Strength", ""),
            ("Runs", ">"),
            ("Average", ">"),
            ("Worst", ">"),
            ("class", "+"),
            ("Harmed", ">"),
            ("Safety", ""),
            ("Best", "+"),
        )
    )
    for place in range(len(audit.strengths)):
        table.add_row(*_strength(audit, place))
    return table


def _strength(audit: Audit, place: int) -> list[Text]:
    count, safety = words.harmed_at(audit, place), audit.safety[place]
    choices = ", ".join(choice.short for choice in words.choices(audit) if choice.place == place)
    return [
        Text(words.strength(audit.strengths[place])),
        Text(str(audit.runs[place])),
        Text(text.percent(audit.mean_accuracy[place])),
        Text(text.percent(audit.worst_class_accuracy[place])),
        Text(text.plain(audit.worst_class[place])),
        Text(text.DASH if count is None else f"{count:,}"),
        Text(safety, _STYLES[safety]),
        Text(choices, "bold"),
    ]


def _harmed(audit: Audit) -> list[Table | Text]:
    entries = words.harmed(audit)
    if not entries:
        return []
    taken = any(entry.rivals for entry in entries)
    columns = [("Harmed class", "+"), ("Images", ">"), ("Loss", ">"), ("bounds", ""), ("Best at", "")]
    table = _table([*columns, ("Taken by", "+")] if taken else columns)
    for entry in entries[:_SHOWN]:
        table.add_row(*_class(entry)[: len(table.columns)])
    rest = len(entries) - _SHOWN
    more = [Text(f"and {rest:,} more with smaller losses", "dim")] if rest > 0 else []
    return [table, *more, Text()]


def _class(entry: ClassAudit) -> list[Text]:
    return [
        Text(text.plain(entry.name)),
        Text(f"{entry.n:,}"),
        Text(words.points(entry.loss), "red"),
        Text(words.bounds(entry.low, entry.high)),
        Text(words.strength(entry.best_strength)),
        Text(", ".join(map(words.rival, entry.rivals))),
    ]


def _gaining(audit: Audit) -> list[Text]:
    entries = words.gaining(audit)
    if not entries:
        return []
    said = words.listed([f"{text.plain(entry.name)} +{words.points(entry.gain)}" for entry in entries])
    return [Text(f"Gain against {words.strength(audit.strengths[0])}, the mildest, in points: {said}")]


def _cues(audit: Audit) -> list[Text]:
    cues = audit.cues
    if not cues:
        return []
    said = [f"{part.cue.value} {words.bounded(part.loss, part.low, part.high)} ({_of(part)})" for part in cues]
    lines = [Text(f"Mean loss by cue: {', '.join(said)}"), Text(words.cue_answer(cues))]
    strongest = audit.strengths[-1]
    if strongest == audit.chosen_by_mean:
        return lines
    there = [
        f"{part.cue.value} {words.bounded(part.loss_at_strongest, part.strongest_low, part.strongest_high)}"
        for part in cues
    ]
    return [*lines, Text(f"At {words.strength(strongest)}, the strongest: {', '.join(there)}")]


def _of(part: CueHarm) -> str:
    return f"{part.harmed:,} of {words.counted(part.classes, 'class')} harmed"
