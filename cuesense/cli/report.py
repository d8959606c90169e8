"""``cuesense report``: the page of a profile."""

from __future__ import annotations

from pathlib import Path

from cuesense.cli.errors import user_errors
from cuesense.cli.options import OutputFile, ProfilePath
from cuesense.cli.terminal import remark


def report(profile: ProfilePath, output: OutputFile = Path("report.html")) -> None:
    """Make the report page from a profile again, with the example images that lie beside it.

    \b
    Examples:
      cuesense report cuesense-out
      cuesense report cuesense-out/profile.json --output page.html
    """
    with user_errors():
        from cuesense.workflows.profile_files import report as write_report

        remark(f"Report: {write_report(profile, output)}")
