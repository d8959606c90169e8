"""``cuesense merge``: build the profile of a run whose parts are done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cuesense.cli.errors import user_errors
from cuesense.cli.options import Json


def merge(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The --output that the parts share.")],
    json: Json = False,
) -> None:
    """Check that all parts of an analysis are there, and build its profile.

    The parts are runs of cuesense analyze with --part K/N into one folder. Every prediction that the run needs is
    looked for by the digest of its image, its condition and its network; what is missing is named by part, and nothing
    is built. The network is loaded and not run. The part that ends last does the same by itself: merge is for runs
    whose last parts ended at once on machines that do not see each other's files at once.

    \b
    Examples:
      cuesense merge cuesense-out
      cuesense merge /shared/out --json
    """
    with user_errors():
        from cuesense.workflows.parts import MERGE, recorded

        found = recorded(folder)
        output = folder.resolve()
        parent = context.parent
        if parent is None or not isinstance(parent.command, TyperGroup):
            raise RuntimeError("merge is a command of cuesense")
        command: Any = parent.command.commands["analyze"]
        given = found.arguments | {"output": output, "part": f"{MERGE}/{found.parts}", "json": json}
        with chdir(found.folder), command.make_context("analyze", _tokens(command.params, given), parent=parent) as job:
            command.invoke(job)


def _tokens(parameters: Sequence[Any], given: Mapping[str, Any]) -> list[str]:
    """Return values of a command's parameters as a user types them; the arguments last, after the options."""
    options, arguments = [], []
    for parameter in parameters:
        value = given.get(parameter.name)
        if value is None:
            continue
        if parameter.param_type_name == "argument":
            arguments.append(str(value))
        elif parameter.is_flag:
            options += (parameter.opts if value else parameter.secondary_opts)[:1]
        else:
            options += [parameter.opts[0], str(value)]
    return [*options, "--", *arguments]
