"""``cuesense explain``: one class in the terminal."""

from __future__ import annotations

from typing import Annotated

import typer

from cuesense.cli.errors import user_errors
from cuesense.cli.options import Json, ProfilePath
from cuesense.cli.terminal import show


def class_names_in(context: typer.Context) -> list[str]:
    """Return the names of the profile's classes for a shell that completes CLASS; none where it cannot be read."""
    from cuesense.errors import CuesenseError
    from cuesense.schemas.profile import Profile

    try:
        return [entry.name for entry in Profile.read(context.params["profile"]).classes]
    except (CuesenseError, KeyError):
        return []


def explain(
    profile: ProfilePath,
    class_: Annotated[
        str,
        typer.Argument(
            metavar="CLASS", help="Its name, the beginning of it, or its index.", autocompletion=class_names_in
        ),
    ],
    json: Json = False,
) -> None:
    """Show one class: its cue and why, its accuracy under every perturbation, its budgets and its rivals.

    What training would cost the class, and what trainings showed, stand below where the profile has them (recommend
    --train, verify).

    \b
    Examples:
      cuesense explain cuesense-out lemon
      cuesense explain cuesense-out/profile.json "garbage truck"
      cuesense explain cuesense-out 951 --json
    """
    with user_errors():
        from cuesense.reports.terminal.explain import render
        from cuesense.workflows.explain import explain as find

        found = find(profile, class_)
        show(found, lambda one: render(one.profile, one.at), as_json=json)
