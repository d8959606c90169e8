"""What every terminal report is made of: a table without lines, and warnings."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from cuesense.reports.text import printable


def borderless_table(gap: int = 2) -> Table:
    """Return an empty table without lines.

    Args:
        gap: Blanks between two columns. Two can be told from a blank inside a cell; one saves room in 80 columns.
    """
    return Table(box=None, pad_edge=False, header_style="dim", padding=(0, gap, 0, 0))


def warning_lines(warnings: Iterable[str]) -> list[Text]:
    """Return one line for each warning."""
    return [Text.assemble(("Warning: ", "bold yellow"), printable(warning)) for warning in warnings]


def assumption_lines(assumptions: Iterable[str]) -> list[Text]:
    """Return one line for each thing that was assumed."""
    return [Text.assemble("Assumed: ", printable(assumption), style="dim") for assumption in assumptions]
