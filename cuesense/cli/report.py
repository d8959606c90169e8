"""``cuesense report``: the page of a profile."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cuesense.cli.errors import user_errors
from cuesense.cli.options import ProfilePath


def report(
    profile: ProfilePath,
    output: Annotated[Path, typer.Option(metavar="FILE", help="The page to write.")] = Path("report.html"),
) -> None:
    """Make the report page from a profile again (without example images, which a profile does not hold).

    \b
    Examples:
      cuesense report out/profile.json --output report.html
    """
    with user_errors():
        from cuesense.workflows.profile_files import report as write_report

        typer.echo(f"Report: {write_report(profile, output)}", err=True)
