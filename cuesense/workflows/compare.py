"""Compare two profiles, and write what differs as a page, JSON and CSV."""

from __future__ import annotations

from pathlib import Path

from cuesense.atomic_files import refuse_folder, write_file
from cuesense.comparison.compare import compare as compare_profiles
from cuesense.reports.html.comparison import render
from cuesense.schemas.comparison import Comparison
from cuesense.schemas.profile import Profile
from cuesense.stores.lock import locked
from cuesense.tables.write_csv import csv_text
from cuesense.validation import path_of

FILES = ("compare.csv", "compare.html", "compare.json")


def compare(a: Profile | Path | str, b: Profile | Path | str, *, output: Path | str | None = None) -> Comparison:
    """Compare two models class by class; every difference is B minus A.

    Accuracies are compared image by image (Newcombe's paired interval, McNemar's exact test) where
    ``predictions.parquet`` lies beside both profiles and holds the same images, else as independent proportions
    (Newcombe's interval, Fisher's test).

    Args:
        a: A profile, or its file or folder: the reference.
        b: The other one, of the same classes in any order.
        output: Folder for compare.html, compare.json and compare.csv; None writes nothing.

    Returns:
        The comparison, its classes in the order of A.

    Raises:
        CuesenseError: A profile cannot be read, the two have other classes or another confidence, or the output
            cannot be written.
    """
    found = compare_profiles(a, b)
    if output is not None:
        folder = path_of(output, "--output")
        with locked(folder):
            write_outputs(found, folder)
    return found


def check_output(folder: Path) -> None:
    """Raise OutputError where one of the files is a folder."""
    for name in FILES:
        refuse_folder(folder / name)


def write_outputs(found: Comparison, folder: Path) -> None:
    """Write compare.html, compare.csv and compare.json.

    Args:
        found: What to write.
        folder: Where to; created where missing.

    Raises:
        OutputError: The folder cannot be written.
    """
    check_output(folder)
    for name, content in zip(FILES, (csv_text(found.to_frame()), render(found), found.to_json()), strict=True):
        write_file(folder / name, content)
