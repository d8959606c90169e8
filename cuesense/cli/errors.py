"""What all commands do alike: errors and exit codes, the profile on the terminal, where the results are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cuesense.errors import CuesenseError

if TYPE_CHECKING:
    from cuesense.schemas.profile import Profile

RESUMED = "what was done is kept, the same command goes on from there"
_INTERRUPTED = 130
_WRONG = 2


@contextmanager
def user_errors(kept: str = "nothing was written") -> Iterator[None]:
    """Turn a user's mistake into one sentence and exit code 2, and an interruption into 130."""
    try:
        yield
    except CuesenseError as error:
        from cuesense.reports.text import printable

        typer.echo(f"cuesense: {printable(str(error))}", err=True)
        raise typer.Exit(_WRONG) from None
    except OSError as error:
        typer.echo(f"cuesense: The result could not be printed or written: {error.strerror or error}.", err=True)
        raise typer.Exit(_WRONG) from None
    except KeyboardInterrupt:
        typer.echo(f"cuesense: interrupted; {kept}.", err=True)
        raise typer.Exit(_INTERRUPTED) from None


def show(profile: Profile, *, as_json: bool) -> None:
    """Print a profile as a table or as JSON."""
    if as_json:
        typer.echo(profile.to_json(), nl=False)
        return
    from rich.console import Console

    from cuesense.reports.terminal.profile import render

    Console().print(render(profile))


def say_where(output: Path) -> None:
    """Say on stderr where the page and the profile are."""
    typer.echo(f"Report: {output / 'report.html'}  Profile: {output / 'profile.json'}", err=True)
