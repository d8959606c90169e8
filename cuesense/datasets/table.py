"""A CSV or Parquet table with the columns ``path`` and ``label``."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from cuesense.datasets.files import FileDataset, from_files
from cuesense.errors import DatasetError, expected
from cuesense.tables.boundary import TableFile, reading
from cuesense.tables.escape import unescape_cell
from cuesense.tables.kinds import check_separator, check_text

_COLUMNS = ("path", "label")
# Labels that are numbers are sorted as numbers, so that class 10 does not stand before class 2. Leading zeros make a
# name ("007"); other numbers, such as -1 or 0.5, are no class index and more likely a mistake than a name.
_INTEGER = re.compile(r"0|[1-9][0-9]*")
_OTHER_NUMBER = re.compile(r"-[0-9]+|[+-]?[0-9]*\.[0-9]*")


def load(argument: str, *, data_root: Path | None) -> FileDataset:  # noqa: ARG001 (the signature of every dataset)
    """Return the images that a table lists.

    Integer labels are sorted as numbers, names as strings; each distinct label is a class. A file that is missing
    is found out when it is decoded.

    Args:
        argument: A ``.csv`` (UTF-8, with a header) or ``.parquet`` file; its paths are absolute or relative to it.
        data_root: Not used: the argument is a path.

    Returns:
        The dataset; its ids are the paths as the table writes them.

    Raises:
        DatasetError: The table cannot be read, is empty, lacks a column, names a path twice, or has a label that is
            neither a name nor a non-negative integer.
    """
    table = Path(argument)
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
    readers = {".csv": _read_csv, ".parquet": _read_parquet, ".pq": _read_parquet}
    read = readers.get(table.suffix.lower())
    if read is None:
        do = "Save the list of images as one of them, or name a folder of class folders"
        raise DatasetError(expected(f"the table '{table}'", "a .csv or .parquet file", f"'{table.name}'", do))
    file = TableFile(table, f"the table '{table}'", _COLUMNS, "Save it again as UTF-8 CSV or Parquet")
    with reading(file):
        if file.is_csv:
            check_text(file)
            check_separator(file)
        columns = read(table)
    if not set(_COLUMNS) <= columns.keys():
        found = f"the columns {', '.join(columns)}" if columns else "no columns"
        do = "Name the columns path and label"
        raise DatasetError(expected(f"the table '{table}'", "one with the columns path and label", found, do))
    return columns["path"], columns["label"]


def _read_csv(table: Path) -> dict[str, list[Any]]:
    # utf-8-sig drops the byte order mark that spreadsheet programs write, which would become part of a column's name.
    with table.open(newline="", encoding="utf-8-sig") as file:
        header, *rows = [row for row in csv.reader(file) if row] or [[]]
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise ValueError(f"row {number} has {len(row)} fields, the header {len(header)}")
    return {name.strip(): [unescape_cell(row[column]) for row in rows] for column, name in enumerate(header)}


def _read_parquet(table: Path) -> dict[str, list[Any]]:
    with pq.ParquetFile(table) as file:
        names = file.schema_arrow.names
        wanted: dict[str, list[Any]] = file.read([name for name in names if name in _COLUMNS]).to_pydict()
        return {name: wanted.get(name, []) for name in names}


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
