"""The forms of a file of class names: one name a line, JSON as several libraries write it, or CSV."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

from cuesense.errors import DatasetError, expected
from cuesense.tables.boundary import TableFile
from cuesense.tables.escape import unescape_cell
from cuesense.tables.kinds import check_encoding
from cuesense.types import ClassNames

_SYNSET_LINE = re.compile(r"(n\d{8})\s+(\S.*)")
_INDEX_LINE = re.compile(r"(\d{1,9})(?:\s*[:,]\s*|\s+)(\S.*)")
_FORMS = "a JSON list or a CSV with the columns name and index or synset"
_DO = f"Write one name a line, {_FORMS}"


def read_names(path: Path) -> ClassNames:
    """Return the names that a file holds, in the order of the outputs, with synsets where it has them.

    Args:
        path: Text with one name a line, each also behind its index or its synset; ``.json`` with a list, an object
            from index to name (also under ``id2label``), from name to index (``class_to_idx``, ``label2id``) or from
            index to synset and name (Keras); or ``.csv``.

    Raises:
        DatasetError: The file is missing, unreadable or in another form.
    """
    what = f"the class names in '{path}'"
    readers: Mapping[str, Callable[[str], ClassNames]] = {".json": _from_json, ".csv": _from_csv}
    try:
        content = path.read_bytes()
        check_encoding(TableFile(path, what, (), _DO), content)
        text = content.decode("utf-8-sig").rstrip()
        return readers.get(path.suffix.lower(), _from_text)(text)
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        reason = f"'{error.strerror}'" if isinstance(error, OSError) else f"'{error}'"
        raise DatasetError(expected(what, "a readable list", reason, _DO)) from error


def _from_text(text: str) -> ClassNames:
    lines = [line.strip() for line in text.splitlines()]
    if len(lines) == 1 and "," in lines[0]:
        # A model has several outputs, so this is no name with its synonyms.
        raise ValueError("one line with commas, where every name needs a line of its own")
    synsets = [_SYNSET_LINE.fullmatch(line) for line in lines]
    if lines and all(synsets):
        parts = [found.groups() for found in synsets if found]
        return ClassNames(tuple(name for _, name in parts), tuple(synset for synset, _ in parts))
    indices = [_INDEX_LINE.fullmatch(line) for line in lines]
    if lines and [int(found[1]) for found in indices if found] == list(range(len(lines))):
        return ClassNames(tuple(found[2] for found in indices if found))
    return ClassNames(tuple(lines))


def _from_json(text: str) -> ClassNames:
    values: Any = json.loads(text or "[]")
    if isinstance(values, dict):
        values = _from_object(values)
    if isinstance(values, list) and values and all(map(_is_keras, values)):
        return ClassNames(tuple(name.strip() for _, name in values), tuple(synset for synset, _ in values))
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError("something else than a list of names or an object from index to name")
    return ClassNames(tuple(value.strip() for value in values))


def _from_object(values: dict[str, Any]) -> list[Any]:
    """Return what an object holds in the order of its indices, which are its keys or its values."""
    for name in ("id2label", "label2id", "class_to_idx"):
        if isinstance(values.get(name), dict):
            return _from_object(values[name])
    keys_are = all(key.isascii() and key.isdigit() for key in values)
    values_are = all(type(value) is int for value in values.values())
    if keys_are and values_are and values:
        raise ValueError("an object of numbers alone, of which nobody knows which are names")
    if values_are:
        return _in_order(values.values(), values.keys())
    if not keys_are:
        raise ValueError("an object that is neither from index to name nor from name to index")
    return _in_order(values.keys(), values.values())


def _is_keras(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)


def _from_csv(text: str) -> ClassNames:
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True)
    rows = list(reader)
    columns = set(reader.fieldnames or ())
    if "name" not in columns or not columns & {"index", "synset"}:
        raise ValueError(f"the columns {', '.join(reader.fieldnames or ('none',))}")
    if "index" in columns:
        rows = _in_order([row["index"] or "" for row in rows], rows)
    names = tuple(unescape_cell(row["name"] or "").strip() for row in rows)
    return ClassNames(names, tuple(row["synset"] for row in rows) if "synset" in columns else ())


def _in_order(indices: Iterable[Any], values: Iterable[Any]) -> list[Any]:
    """Return values in the order of their indices, which must be 0, 1, ..."""
    rows = sorted(zip(map(int, indices), values, strict=True), key=itemgetter(0))
    if [index for index, _ in rows] != list(range(len(rows))):
        raise ValueError("indices that are not 0, 1, 2, ...")
    return [value for _, value in rows]
