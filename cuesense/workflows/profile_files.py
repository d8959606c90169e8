"""The files that an output folder holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cuesense.atomic_files import refuse_folder, write_file
from cuesense.policies.profile_budgets import profile_of
from cuesense.reports.html.gallery import Gallery
from cuesense.reports.html.profile import render
from cuesense.schemas.profile import Profile
from cuesense.tables.write_csv import csv_text


def write_outputs(profile: Profile, folder: Path, pictures: Sequence[Gallery] = ()) -> None:
    """Write profile.json, report.html, classes.csv and curves.csv.

    Args:
        profile: What to write.
        folder: Where to; created where missing.
        pictures: The example images of the report.

    Raises:
        OutputError: The folder cannot be written.
    """
    contents = {
        "report.html": render(profile, pictures),
        "classes.csv": csv_text(profile.to_frame()),
        "curves.csv": csv_text(profile.curves_frame()),
        "profile.json": profile.to_json(),
    }
    for name in contents:
        refuse_folder(folder / name)
    for name, content in contents.items():
        write_file(folder / name, content)


def report(profile: Profile | Path | str, output: str | Path = "report.html") -> Path:
    """Write a profile's page again, without example images, which a profile does not hold.

    Args:
        profile: The profile, its file or its folder.
        output: The HTML file to write.

    Returns:
        The written file.

    Raises:
        SettingsError: There is no such profile.
        OutputError: The file cannot be written.
    """
    path = Path(output)
    known = profile_of(profile)
    refuse_folder(path)
    write_file(path, render(known))
    return path
