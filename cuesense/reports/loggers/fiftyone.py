"""What happens to every image, as fields of a FiftyOne dataset or as a CSV file that FiftyOne imports."""

from __future__ import annotations

from collections import Counter
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
from cuesense.validation import names_of, path_of

_CORRECT, _PREDICTED, _FAILURE, _RIVAL = "correct", "predicted", "first_failure", "rival"


def to_fiftyone(
    profile: Profile,
    dataset: Any,
    predictions: str | Path | None = None,
    perturbations: Sequence[str] | None = None,
    prefix: str = "cuesense",
) -> int:
    """Write what happens to every image; ``Profile.to_fiftyone`` describes it."""
    _check_dataset(dataset)
    place = profile.folder if predictions is None else path_of(predictions, "predictions")
    if place is None:
        got, do = "none", "Pass the output folder of analyze: this profile lies in no folder"
        raise SettingsError(expected("predictions", f"given as a folder or {FILE_NAME}", got, do))
    found = _failures(profile, place, perturbations)
    fields = found[[_CORRECT, _PREDICTED, _FAILURE, _RIVAL]].add_prefix(f"{prefix}_")
    if isinstance(dataset, str | Path):
        fields.insert(0, "filepath", found["sample_id"])
        write_file(Path(dataset), csv_text(fields))
        return len(fields)
    rows = _rows_of(dataset.values("filepath"), list(found["sample_id"]), profile.provenance.dataset.spec)
    for name in fields.columns:
        known = fields[name].tolist()
        # An empty text would be a value of its own in FiftyOne's filters.
        values = [None if row is None or known[row] == "" else known[row] for row in rows]
        dataset.set_values(name, values)
    return sum(row is not None for row in rows)


def _check_dataset(dataset: Any) -> None:
    """Raise SettingsError unless something is a FiftyOne dataset or the name of a CSV file."""
    if isinstance(dataset, str | Path):
        if Path(dataset).suffix.lower() != ".csv":
            do = "Name a file such as images.csv, or pass fiftyone.load_dataset(name)"
            raise SettingsError(expected("the dataset", "a FiftyOne dataset or a .csv file", f"'{dataset}'", do))
    elif not (callable(getattr(dataset, "values", None)) and callable(getattr(dataset, "set_values", None))):
        do = "Pass a fiftyone.Dataset or the name of a .csv file"
        raise SettingsError(expected("the dataset", "a FiftyOne dataset or a .csv file", type(dataset).__name__, do))


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
    shown = first_failures(found, None if perturbations is None else names_of(perturbations, "perturbations"))
    strengths = [f" {value:g}" if value == value else "" for value in shown["value"]]
    return shown.assign(**{_FAILURE: [name + text for name, text in zip(shown[_FAILURE], strengths, strict=True)]})


def _rows_of(files: Sequence[str], sample_ids: Sequence[str], analyzed: str) -> list[int | None]:
    """Return the row of each file: the id that its path has below the analyzed folder; None for files elsewhere.

    Splits of one dataset often have the same names below different folders. The analyzed one is that whose path ends
    as the analyzed dataset is called, of these, or where the images were moved, the one in which most images are found.

    Raises:
        SettingsError: No file has one, or two folders have as many.
    """
    of_id = {PurePath(name).as_posix().lstrip("/"): row for row, name in enumerate(sample_ids)}
    matches = [_matches(PurePath(file), of_id) for file in files]
    counts = Counter(folder for found in matches for folder in found)
    if not counts:
        got = f"none, for instance '{files[0]}' beside '{sample_ids[0]}'" if files else "no samples"
        to_be, do = "of images with the ends of the analyzed ones' paths", "Pass the dataset of these images"
        raise SettingsError(expected("the FiftyOne dataset", to_be, got, do))
    name = PurePath(analyzed).parts
    ranked = sorted(counts, key=lambda folder: (_ends(folder, name), counts[folder]), reverse=True)
    first, second = ranked[0], ranked[1] if ranked[1:] else None
    if second is not None and (_ends(first, name), counts[first]) == (_ends(second, name), counts[second]):
        got = f"as many images with the analyzed ones' names in '{first}' as in '{second}'"
        do = "Pass a view with the images of the analyzed folder alone"
        raise SettingsError(expected("the FiftyOne dataset", "of one folder that was analyzed", got, do))
    return [found.get(first) for found in matches]


def _matches(file: PurePath, of_id: dict[str, int]) -> dict[PurePath, int]:
    """Return the row of a file by the folder below which its path is an id."""
    parts = file.parts
    ends = {PurePath(*parts[:start]): "/".join(parts[start:]).lstrip("/") for start in range(len(parts))}
    return {folder: of_id[end] for folder, end in ends.items() if end in of_id}


def _ends(folder: PurePath, name: tuple[str, ...]) -> bool:
    return bool(name) and folder.parts[-len(name) :] == name
