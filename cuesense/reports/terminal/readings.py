"""What the terminal shows of the ways in which a model's images may be prepared."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from cuesense.reports.terminal.parts import borderless_table, warning_lines
from cuesense.reports.text import printable
from cuesense.schemas.readings import ReadingRow, ReadingTable

# Readings that are shown; the JSON has all.
_SHOWN = 12


def render(found: ReadingTable) -> RenderableType:
    """Return the best readings as a table, the one that an analysis would take marked, and what was found."""
    rows = found.readings[:_SHOWN]
    rows += [row for row in found.readings[_SHOWN:] if row.taken]
    table = borderless_table()
    for name, side in (("", "left"), ("recognized", "right"), ("log loss", "right"), ("images prepared as", "left")):
        table.add_column(name, justify=side)  # type: ignore[arg-type]
    for row in rows:
        table.add_row("*" if row.taken else "", *_cells(row, found.images))
    taken = next((row.options for row in found.readings if row.taken), None)
    lines = [Text(f"{found.images} images of {found.classes} classes; * is what analyze takes with the same options.")]
    lines += warning_lines(found.remarks)
    lines += [] if taken is None else [Text(f"* is {taken}")]
    return Group(table, *lines)


def _cells(row: ReadingRow, images: int) -> tuple[str, str, str]:
    loss = "" if row.log_loss is None else f"{row.log_loss:.3f}"
    words = row.reading if row.failed is None else f"{row.reading}: {row.failed}"
    return f"{row.recognized} of {row.images or images}", loss, printable(words)
