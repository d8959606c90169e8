"""A CSV or Parquet table with the columns ``path`` and ``label``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cuesense.datasets.files import FileDataset, from_files
from cuesense.datasets.splits import refuse_download, refuse_split
from cuesense.errors import DatasetError, expected
from cuesense.tables.boundary import TableFile
from cuesense.tables.read_csv import read_csv
from cuesense.tables.read_parquet import read_parquet

_COLUMNS = ("path", "label")
# Labels that are numbers are sorted as numbers, so that class 10 does not stand before class 2. Leading zeros make a
# name ("007"); other numbers, such as -1 or 0.5, are no class index and more likely a mistake than a name.
_INTEGER = re.compile(r"0|[1-9][0-9]*")
_OTHER_NUMBER = re.compile(r"-[0-9]+|[+-]?[0-9]*\.[0-9]*")


def load(
    argument: str,
    *,
    data_root: Path | None = None,  # noqa: ARG001 (the signature of every dataset)
    split: str | None = None,
    download: bool = False,
) -> FileDataset:
    """Return the images that a table lists.

    Integer labels are sorted as numbers, names as strings; each distinct label is a class. A file that is missing
    is found out when it is decoded.

    Args:
        argument: A ``.csv`` (UTF-8, with a header) or ``.parquet`` file; its paths are absolute or relative to it.
        data_root: Not used: the argument is a path.
        split: Refused: a table has no parts.
        download: Refused: there is nothing to fetch.

    Returns:
        The dataset; its ids are the paths as the table writes them.

    Raises:
        DatasetError: The table cannot be read, is empty, lacks a column, names a path twice, or has a label that is
            neither a name nor a non-negative integer.
    """
    table = Path(argument)
    refuse_split(f"the table '{table}'", split)
    refuse_download(f"the table '{table}'", download=download)
    paths, values = _columns(table)
    if not paths:
        raise DatasetError(expected(f"the table '{table}'", "a list of images", "no rows", "Add one row per image"))
    labels = [_label(value, row, table) for row, value in enumerate(values, start=1)]
    names = _classes(labels)
    index = {name: position for position, name in enumerate(names)}
    ids = [_id(path, row, table) for row, path in enumerate(paths, start=1)]
    _check_distinct(ids, table)
    files = [(name, index[label], table.parent / name) for name, label in zip(ids, labels, strict=True)]
    return from_files(argument, names, files)


def _columns(table: Path) -> tuple[Sequence[Any], Sequence[Any]]:
    suffix, what = table.suffix.lower(), f"the table '{table}'"
    if suffix not in (".csv", ".parquet", ".pq"):
        do = "Save the list of images as one of them, or name a folder of class folders"
        raise DatasetError(expected(what, "a .csv or .parquet file", f"'{table.name}'", do))
    file = TableFile(table, what, _COLUMNS, "Save it again as UTF-8 CSV or Parquet")
    frame = read_csv(file, keep=_COLUMNS) if file.is_csv else read_parquet(file, _COLUMNS)
    path, label = (_values(frame[name]) for name in _COLUMNS)
    return path, label


def _values(column: pd.Series) -> list[Any]:
    """Return the cells of a column, None for empty ones."""
    if not column.isna().any():
        return column.tolist()
    # Beside empty cells pandas reads whole numbers as decimal ones: the empty cell is what must be named.
    values = column.astype(object).where(column.notna(), None).tolist()
    return [int(value) if isinstance(value, float) and value.is_integer() else value for value in values]


def _label(value: Any, row: int, table: Path) -> str:
    text = str(value).strip() if isinstance(value, str | int) else ""
    if not text or _OTHER_NUMBER.fullmatch(text):
        found = f"{value!r} in row {row}"
        do = "Correct the label or remove the row"
        raise DatasetError(expected(f"each label of '{table}'", "a name or an integer from 0", found, do))
    return text


def _classes(labels: Sequence[str]) -> list[str]:
    names = set(labels)
    return sorted(names, key=int) if all(map(_INTEGER.fullmatch, names)) else sorted(names)


def _id(value: Any, row: int, table: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        found = f"{value!r} in row {row}"
        raise DatasetError(expected(f"each path of '{table}'", "the path of an image", found, "Fill in the path"))
    return Path(value).as_posix()


def _check_distinct(ids: Sequence[str], table: Path) -> None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            found = f"'{name}' more than once"
            raise DatasetError(expected(f"each path of '{table}'", "listed once", found, "Remove the repeated rows"))
        seen.add(name)
