"""``cuesense check``: fail where a model lost accuracy, for CI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cuesense.cli.errors import user_errors
from cuesense.cli.options import Json, ProfilePath, format_option
from cuesense.cli.terminal import remark, unless_closed

if TYPE_CHECKING:
    from cuesense.schemas.gate import GateResult

# Apart from 2, which means that the command is wrong, so that a CI script can tell the two from each other.
_DOES_NOT_HOLD = 1
_FORMATS = ["text", "markdown", "github"]


def check(
    profile: ProfilePath,
    baseline: Annotated[
        Path | None, typer.Option(metavar="PROFILE", help="The reference; default: the profile's own clean accuracy.")
    ] = None,
    max_drop: Annotated[
        float | None, typer.Option(metavar="D", help="Accuracy drop allowed over all images, a fraction in [0, 1).")
    ] = None,
    max_worst_class_loss: Annotated[
        float | None, typer.Option(metavar="D", help="Accuracy drop allowed for any one class, a fraction in [0, 1).")
    ] = None,
    format_: Annotated[
        str, format_option(_FORMATS, "text, markdown (a job's summary) or github (annotations of a run).")
    ] = "text",
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the results as JUnit XML.")] = None,
    json: Json = False,
) -> None:
    """Fail where a model lost accuracy, for CI: exit code 0 if every rule holds, 1 if one does not, 2 on errors.

    With --baseline, clean accuracy is compared with the baseline's. Without, the accuracy under each augmentation at
    its highest measured severity is compared with the clean one. A rule is violated where more is lost than allowed and
    chance does not explain the loss: a model that is as good as its reference passes in 95 of 100 cases or more,
    whatever the number of classes. Larger losses that may be chance are noted on stderr.

    \b
    Examples:
      cuesense check new/profile.json --baseline old/profile.json --max-drop 0.01 --max-worst-class-loss 0.1
      cuesense check cuesense-out --max-worst-class-loss 0.3 --junit check.xml
      cuesense check new --baseline old --max-drop 0.01 --format markdown >> "$GITHUB_STEP_SUMMARY"
    """
    with user_errors():
        from cuesense.atomic_files import refuse_same, write_file
        from cuesense.comparison.gate import check as run_check
        from cuesense.reports.junit import junit as as_junit
        from cuesense.reports.terminal import gate

        _refuse_two_formats(format_, as_json=json)
        if junit is not None:
            refuse_same(junit, *filter(None, (profile, baseline)))
        found = run_check(profile, baseline=baseline, max_drop=max_drop, max_worst_class_loss=max_worst_class_loss)
        if junit is not None:
            write_file(junit, as_junit(found))
        # The exit code is the result: it holds where nobody reads what is printed, too.
        with unless_closed():
            typer.echo(_shown(found, "json" if json else format_), nl=False)
        # The formats for CI have a place for what is no result.
        for note in gate.notes(found) if format_ == "text" else ():
            remark(f"note: {note}")
        if not found.holds:
            raise typer.Exit(_DOES_NOT_HOLD)


def _refuse_two_formats(name: str, *, as_json: bool) -> None:
    from cuesense.errors import SettingsError, expected

    if name not in _FORMATS:
        raise SettingsError(expected("--format", "text, markdown or github", f"'{name}'", "Name one of them"))
    if as_json and name != _FORMATS[0]:
        raise SettingsError(expected("--json", "given without another --format", f"'{name}'", "Leave out one of them"))


def _shown(found: GateResult, name: str) -> str:
    from cuesense.reports.formats import render_document
    from cuesense.reports.terminal import gate

    return "\n".join([*gate.lines(found), ""]) if name == "text" else render_document(found, name)
