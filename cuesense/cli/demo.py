"""``cuesense demo``: the main job on synthetic images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cuesense.cli.errors import RESUMED, say_where, show, user_errors
from cuesense.inference.malloc import keep_freed_memory


def demo(
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = Path("cuesense-demo"),
    json: Annotated[bool, typer.Option("--json", help="Print the profile as JSON on stdout.")] = False,
) -> None:
    """Run the whole main job on the planted world, whose cues are known, with a small network that we trained.

    \b
    Examples:
      cuesense demo
      cuesense demo --output demo
    """
    with user_errors(RESUMED):
        from cuesense.reports.terminal.progress import progress_bar
        from cuesense.workflows import demo as job

        keep_freed_memory()
        with progress_bar() as progress:
            profile, recovered = job.run(output, progress)
        show(profile, as_json=json)
        total = len(profile.classes)
        typer.echo(f"{recovered} of {total} planted labels recovered.", err=True)
        say_where(output)
