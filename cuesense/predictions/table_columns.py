"""The columns of a table of predictions, read and checked: every mistake in a cell is named here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cuesense.errors import DatasetError, expected
from cuesense.tables.boundary import TableFile
from cuesense.tables.read_csv import read_csv
from cuesense.tables.read_parquet import read_parquet
from cuesense.types import CLEAN

if TYPE_CHECKING:
    import pandas as pd

REQUIRED = ("sample_id", "label", "perturbation", "severity", "predicted")
OPTIONAL = ("repeat", "value", "corrected", "p_true")

_NUMBERS = ("severity", "repeat", "value", "p_true")
# A larger severity or repeat is a mistake, such as an id in the wrong column.
_LARGEST = 1_000_000
_FLOAT = re.compile(r"-?[0-9]+\.0+")

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Coded:
    """A column of names as indices into its distinct names."""

    codes: Indices
    names: list[str]

    def __getitem__(self, rows: Indices) -> Coded:
        return Coded(self.codes[rows], self.names)


@dataclass(frozen=True)
class Rows:
    """The columns of a table.

    Attributes:
        samples: Image ids.
        labels: Their classes.
        perturbations: What was applied; CLEAN where nothing was.
        severities: Step of the ladder, 0 for clean images.
        repeats: Which time, from 0.
        values: Physical strength, NaN where none is given.
        predicted: Predicted output.
        corrected: Class predicted after the prior correction, code -1 where there is none; None without the column.
    """

    samples: Coded
    labels: Coded
    perturbations: Coded
    severities: Indices
    repeats: Indices
    values: NDArray[np.float64]
    predicted: Coded
    corrected: Coded | None

    def take(self, rows: Indices) -> Rows:
        """Return some rows in a new order."""
        kept: dict[str, Any] = {name: None if part is None else part[rows] for name, part in vars(self).items()}
        return Rows(**kept)


def read_rows(path: Path, spell: Callable[[Rows], Rows] = lambda rows: rows) -> Rows:
    """Read a table and check every cell.

    Args:
        path: A ``.csv`` (UTF-8, with a header) or ``.parquet`` file; table.read says which columns.
        spell: Gives names that mean the same one spelling, before rows are compared.

    Returns:
        Its rows, sorted by condition and then by sample.

    Raises:
        DatasetError: The file cannot be read, lacks a column, has a row twice, or an empty or impossible value.
    """
    return _sorted(spell(_columns(_frame(path), path)), path)


def table_file(path: Path) -> TableFile:
    """Return how errors speak of a table of predictions."""
    return TableFile(path, f"the table '{path}'", REQUIRED, "Write the predictions again as UTF-8 CSV or Parquet")


def _frame(path: Path) -> pd.DataFrame:
    file = table_file(path)
    if not path.is_file():
        file.refuse("a file", "a folder" if path.is_dir() else "no file", "Check the name")
    if path.suffix.lower() not in (".csv", ".parquet", ".pq"):
        file.refuse("a .csv or .parquet file", f"'{path.name}'", "Save the predictions as one of them")
    keep = (*REQUIRED, *OPTIONAL)
    frame = read_csv(file, numbers=_NUMBERS, keep=keep) if file.is_csv else read_parquet(file, keep)
    if frame.empty:
        file.refuse("a list of predictions", "no rows", "Add the predictions")
    return frame


def _columns(frame: pd.DataFrame, path: Path) -> Rows:
    severities = _whole(frame, "severity", path)
    perturbations = _coded(frame, "perturbation", path)
    _check_clean(perturbations, severities, path)
    if "p_true" in frame:
        _checked(frame, "p_true", path, "a probability", lambda p: (p >= 0) & (p <= 1))
    count = len(frame)
    return Rows(
        samples=_coded(frame, "sample_id", path),
        labels=_coded(frame, "label", path),
        perturbations=perturbations,
        severities=severities,
        repeats=_whole(frame, "repeat", path) if "repeat" in frame else np.zeros(count, np.int64),
        values=_values(frame, path) if "value" in frame else np.full(count, np.nan),
        predicted=_coded(frame, "predicted", path),
        corrected=_optional(frame, "corrected", path) if "corrected" in frame else None,
    )


def _check_clean(perturbations: Coded, severities: Indices, path: Path) -> None:
    clean = np.array([name == CLEAN for name in perturbations.names])[perturbations.codes]
    wrong = np.flatnonzero(clean != (severities == 0))
    if len(wrong):
        row = wrong[0]
        found = f"severity {severities[row]} of {perturbations.names[perturbations.codes[row]]} in row {row + 1}"
        do = f"Call the unperturbed images {CLEAN}, with severity 0, and number severities from 1"
        raise DatasetError(expected(f"severity 0 in '{path}'", "that of clean images alone", found, do))


def _values(frame: pd.DataFrame, path: Path) -> NDArray[np.float64]:
    """Return the values; NaN where none is given."""
    column = frame["value"]
    given = np.asarray(column.notna())
    if column.dtype.kind not in "fiu":
        given = given & np.asarray(column.astype(str).str.strip() != "")
    numbers = np.full(len(frame), np.nan)
    numbers[given] = _checked(column[given].to_frame(), "value", path, "a finite number", np.isfinite)
    return numbers


def _coded(frame: pd.DataFrame, column: str, path: Path) -> Coded:
    found = _optional(frame, column, path)
    empty = np.flatnonzero(found.codes < 0)
    if len(empty):
        do = "Fill it in or remove the row"
        raise DatasetError(expected(f"each {column} of '{path}'", "given", f"none in row {empty[0] + 1}", do))
    return found


def _optional(frame: pd.DataFrame, column: str, path: Path) -> Coded:
    """Return a column in which what is empty has the code -1."""
    try:
        import pandas as pd

        values = pd.Categorical(frame[column])
    except TypeError:
        found = f"'{frame[column].iloc[0]}'"
        raise DatasetError(expected(f"each {column} of '{path}'", "a name or a number", found, "Correct it")) from None
    places = values.codes.astype(np.int64)
    used = np.flatnonzero(np.bincount(places + 1, minlength=len(values.categories) + 1)[1:])
    texts = [_text(value) for value in values.categories[used]]
    if all(_FLOAT.fullmatch(text) for text in texts):
        texts = [text.partition(".")[0] for text in texts]
    names = sorted(set(texts) - {""})
    code = {name: index for index, name in enumerate(names)}
    # What is empty has the place -1, which is the last one.
    code_of = np.full(len(values.categories) + 1, -1)
    code_of[used] = [code.get(text, -1) for text in texts]
    return Coded(code_of[places], names)


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _whole(frame: pd.DataFrame, column: str, path: Path) -> Indices:
    to_be = f"a whole number from 0 to {_LARGEST:,}"
    numbers = _checked(frame, column, path, to_be, lambda x: (x >= 0) & (x == np.floor(x)) & (x <= _LARGEST))
    return numbers.astype(np.int64)


def _checked(
    frame: pd.DataFrame, column: str, path: Path, to_be: str, holds: Callable[[NDArray[np.float64]], NDArray[np.bool_]]
) -> NDArray[np.float64]:
    import pandas as pd

    numbers = np.asarray(pd.to_numeric(frame[column], errors="coerce"), dtype=np.float64)
    wrong = np.flatnonzero(~holds(numbers))
    if len(wrong):
        value = frame[column].iloc[wrong[0]]
        found = f"'{'' if pd.isna(value) else value}' in row {frame.index[wrong[0]] + 1}"
        raise DatasetError(expected(f"each {column} of '{path}'", to_be, found, "Correct it"))
    return numbers


def _sorted(rows: Rows, path: Path) -> Rows:
    """Sort by condition and sample, and refuse rows that come twice."""
    keys = (rows.samples.codes, rows.repeats, rows.severities, rows.perturbations.codes)
    order = np.lexsort(keys)
    twice = np.flatnonzero(np.all([key[order][1:] == key[order][:-1] for key in keys], axis=0))
    if len(twice):
        first, second = sorted((order[twice[0]] + 1, order[twice[0] + 1] + 1))
        sample = rows.samples.names[rows.samples.codes[second - 1]]
        found = f"'{sample}' in rows {first} and {second}"
        to_be = "one row for each sample_id, perturbation, severity and repeat"
        raise DatasetError(expected(f"the table '{path}'", to_be, found, "Remove the repeated rows"))
    kept = rows.take(order)
    _check_labels(kept, path)
    return kept


def _check_labels(rows: Rows, path: Path) -> None:
    label_of = np.full(len(rows.samples.names), -1)
    label_of[rows.samples.codes] = rows.labels.codes
    other = np.flatnonzero(label_of[rows.samples.codes] != rows.labels.codes)
    if len(other):
        sample = rows.samples.names[rows.samples.codes[other[0]]]
        names = sorted(
            {rows.labels.names[rows.labels.codes[other[0]]], rows.labels.names[label_of[rows.samples.codes[other[0]]]]}
        )
        found = f"{' and '.join(names)} for '{sample}'"
        do = "Correct the labels, or give different images different ids"
        raise DatasetError(expected(f"each sample of '{path}'", "of one label", found, do))
