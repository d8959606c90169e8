"""What there is: list."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cuesense.cli.common import user_errors


def list_(
    kind: Annotated[
        str | None,
        typer.Argument(metavar="[models|datasets|perturbations|exporters|presets]", help="What to list."),
    ] = None,
) -> None:
    """List what there is.

    \b
    Examples:
      cuesense list
      cuesense list perturbations
    """
    with user_errors():
        from cuesense.listing import KINDS, rows

        for name in [kind] if kind else KINDS:
            _print_rows(name, rows(name))


def _print_rows(title: str, rows: list[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*rows[0], title=title, title_justify="left", box=None, pad_edge=False)
    for row in rows[1:]:
        table.add_row(*map(Text, row))
    Console(width=None if sys.stdout.isatty() else 240).print(table)
