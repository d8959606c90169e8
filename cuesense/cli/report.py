"""``cuesense report``: a profile or another result as a page, markdown, JSON or a model card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cuesense.cli.errors import user_errors
from cuesense.cli.options import ProfilePath, format_option
from cuesense.cli.terminal import remark

_STDOUT = Path("-")
# Already a file where the profile has one: printed, for other programs, unless --output says where to.
_PRINTED = "json"
_NAMES = ["html", "markdown", "json", "model-card"]


def report(
    profile: ProfilePath,
    format_: Annotated[
        str | None, format_option(_NAMES, "html, markdown, json or model-card.", "what FILE ends in, else html")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File to write; - for stdout.", show_default="beside PROFILE"),
    ] = None,
) -> None:
    """Write a profile as a page, as markdown for a pull request, or as a model card for the Hugging Face hub.

    The file is report.html, report.md or model-card.md beside the profile, and replaces what was there; JSON is
    printed. A page has the example images that lie there. PROFILE may also be an audit.json, verify.json or
    compare.json or its folder, which have html and json.

    \b
    Examples:
      cuesense report cuesense-out
      cuesense report cuesense-out --output summary.md
      cuesense report cuesense-out --format markdown --output - | gh pr comment 12 --body-file -
      cuesense report cuesense-out --format model-card --output README.md
    """
    with user_errors():
        from cuesense.schemas.documents import document_of
        from cuesense.schemas.profile import Profile
        from cuesense.workflows.profile_files import report as write_report
        from cuesense.workflows.profile_files import report_text

        if output == _STDOUT or (output is None and format_ == _PRINTED):
            typer.echo(report_text(profile, format_ or "html"), nl=False)
            return
        known = document_of(profile)
        written = write_report(profile, output, format=format_)
        remark(f"{'Report' if isinstance(known, Profile) else f'Report of the {known.NOUN}'}: {written}")
