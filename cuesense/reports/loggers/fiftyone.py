"""What happens to every image, as fields of a FiftyOne dataset or as a CSV file that FiftyOne imports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

import pandas as pd

from cuesense.atomic_files import write_file
from cuesense.errors import SettingsError, expected
from cuesense.predictions.first_failures import first_failures
from cuesense.predictions.table import read
from cuesense.predictions.write_table import FILE_NAME
from cuesense.schemas.profile import Profile
from cuesense.tables.write_csv import csv_text

_CORRECT, _PREDICTED, _FAILURE, _RIVAL = "correct", "predicted", "first_failure", "rival"


def to_fiftyone(
    profile: Profile,
    dataset: Any,
    predictions: str | Path,
    perturbations: Sequence[str] | None = None,
    prefix: str = "cuesense",
) -> int:
    """Write what happens to every image; ``Profile.to_fiftyone`` describes it."""
    found = _failures(profile, Path(predictions), perturbations)
    fields = found[[_CORRECT, _PREDICTED, _FAILURE, _RIVAL]].add_prefix(f"{prefix}_")
    if isinstance(dataset, str | Path):
        fields.insert(0, "filepath", found["sample_id"])
        write_file(Path(dataset), csv_text(fields))
        return len(fields)
    rows = _rows_of(dataset.values("filepath"), list(found["sample_id"]))
    for name in fields.columns:
        known = fields[name].tolist()
        # An empty text would be a value of its own in FiftyOne's filters.
        values = [None if row is None or known[row] == "" else known[row] for row in rows]
        dataset.set_values(name, values)
    return sum(row is not None for row in rows)


def _failures(profile: Profile, path: Path, perturbations: Sequence[str] | None) -> pd.DataFrame:
    file = path / FILE_NAME if path.is_dir() else path
    if not file.is_file():
        to_be, do = f"the output folder of analyze or its {FILE_NAME}", "Pass the folder, or analyze with output=..."
        raise SettingsError(expected("predictions", to_be, f"no file at {file}", do))
    found, _ = read(file)
    names = [entry.name for entry in profile.classes]
    if list(found.class_names) != names:
        do = "Pass the profile and the predictions of one analysis"
        raise SettingsError(expected(f"'{file}'", "of the profile's classes", "other classes", do))
    shown = first_failures(found, perturbations)
    strengths = [f" {value:g}" if value == value else "" for value in shown["value"]]
    return shown.assign(**{_FAILURE: [name + text for name, text in zip(shown[_FAILURE], strengths, strict=True)]})


def _rows_of(files: Sequence[str], sample_ids: Sequence[str]) -> list[int | None]:
    """Return the row of each file: the id that the end of its path is, the longest where several are.

    Raises:
        SettingsError: No file has one.
    """
    of_id = {PurePath(name).as_posix(): row for row, name in enumerate(sample_ids)}
    rows = [_row_of(PurePath(file), of_id) for file in files]
    if all(row is None for row in rows):
        got = f"none, for instance '{files[0]}' beside '{sample_ids[0]}'" if files else "no samples"
        to_be, do = "of images with the ends of the analyzed ones' paths", "Pass the dataset of these images"
        raise SettingsError(expected("the FiftyOne dataset", to_be, got, do))
    return rows


def _row_of(file: PurePath, of_id: dict[str, int]) -> int | None:
    parts = file.parts
    ends = ("/".join(parts[start:]).lstrip("/") for start in range(len(parts)))
    return next((of_id[end] for end in ends if end in of_id), None)
