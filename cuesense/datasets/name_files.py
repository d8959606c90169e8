"""The forms of a file of class names: lines, lists and objects as several libraries write them, or a table."""

from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cuesense.datasets.name_objects import in_order, names_in, with_synsets
from cuesense.errors import DatasetError, expected
from cuesense.tables.boundary import TableFile
from cuesense.tables.escape import unescape_cell
from cuesense.tables.kinds import check_encoding
from cuesense.types import ClassNames

_SYNSET = re.compile(r"n\d{8}")
_SYNSET_LINE = re.compile(r"(n\d{8})[\s,:]+(?:(\d{1,9})[\s,:]+)?(\S.*)")
_INDEX_LINE = re.compile(r"\[?(\d{1,9})\]?(?:\s*[:,;.)]\s*|\s+-?\s*)(\S.*)")
_INDEX_BEHIND = re.compile(r"(\S.*?)(?:\s*[:,;=]\s*|\s+)(\d{1,9})")
_ITEM = re.compile(r"item\s*\{(.*?)\}", re.DOTALL)
_FIELD = re.compile(r"(id|name|display_name)\s*:\s*('[^']*'|\"[^\"]*\"|\d+)")
# Lines that begin or end with numbers have them as indices where so many of them are in range: in a list of coins
# ("5 cents", "10 cents", "20 cents") they are words. Chosen by hand.
_IN_RANGE = 0.8
_INDEX_COLUMNS = ("index", "idx", "id", "class_id", "class_index", "label_id", "class_idx", "number", "label", "class")
_NAME_COLUMNS = (
    "name",
    "class_name",
    "label_name",
    "class",
    "label",
    "category",
    "species",
    "breed",
    "names",
    "classes",
)
# A file of class names has some kilobytes. Chosen by hand.
_LARGEST = 32 * 2**20
_FORMS = "a JSON list or a CSV with the columns name and index or synset"
_DO = f"Write one name a line, {_FORMS}"


def read_names(path: Path) -> ClassNames:
    """Return the names that a file holds, in the order of the outputs, with synsets where it has them.

    Args:
        path: Text with one name a line, also before or behind its index or behind its synset, or all names on one line
            with commas; a list or an object (``name_objects.names_in``) as JSON, YAML (``.yaml``, ``.yml``) or a
            Python literal; or a table (``.csv``, ``.tsv``) with names, and an index or a synset for each.
            Lines that begin with ``#`` are comments.

    Raises:
        DatasetError: The file is missing, unreadable or in another form, or a number is missing or given twice.
    """
    what = f"the class names in '{path}'"
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ValueError(f"more than {_LARGEST // 2**20} MB")
        check_encoding(TableFile(path, what, (), _DO), content)
        text = content.decode("utf-8-sig").rstrip()
        return _reader(path.suffix.lower(), text)(text)
    except (OSError, ValueError, RecursionError, MemoryError, SyntaxError, csv.Error) as error:
        said = " ".join(str(error).split())
        reason = f"'{error.strerror}'" if isinstance(error, OSError) else f"'{said}'"
        raise DatasetError(expected(what, "a readable list", reason, _DO)) from error


def _reader(suffix: str, text: str) -> Callable[[str], ClassNames]:
    known: Mapping[str, Callable[[str], ClassNames]] = {
        ".json": _from_json,
        ".jsonl": _from_json_lines,
        ".pbtxt": _from_items,
        ".yaml": _from_yaml,
        ".yml": _from_yaml,
        ".csv": _from_table,
        ".tsv": _from_table,
    }
    if suffix in known:
        return known[suffix]
    # What begins and ends like an object or a list is one, whatever the file is called.
    if text.lstrip()[:1] + text[-1:] in ("{}", "[]"):
        return _from_literal
    return _from_lines


def _from_json(text: str) -> ClassNames:
    return names_in(json.loads(text or "[]"))


def _from_json_lines(text: str) -> ClassNames:
    return names_in([json.loads(line) for line in text.splitlines() if line.strip()])


def _from_items(text: str) -> ClassNames:
    """Read TensorFlow's label map: items with an id and a name."""
    items = [dict(_FIELD.findall(item)) for item in _ITEM.findall(text)]
    shown = [{"id": item.get("id"), "name": item.get("display_name", item.get("name"))} for item in items]
    return names_in([{key: (value or "").strip("'\"") for key, value in item.items()} for item in shown])


def _from_yaml(text: str) -> ClassNames:
    # Its import takes a quarter of a second of the processor's time, which a wrong command should not wait for.
    import yaml

    # Every scalar stays text: a class may be called "no", which is a truth value in YAML. No tag makes an object.
    try:
        return names_in(yaml.load(text, Loader=yaml.BaseLoader) or [])
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _from_literal(text: str) -> ClassNames:
    """Read JSON or a Python literal, such as ``{0: 'tench, Tinca tinca', ...}``; nothing is executed."""
    try:
        return names_in(json.loads(text))
    except json.JSONDecodeError:
        return names_in(ast.literal_eval(text.strip()))


def _from_lines(text: str) -> ClassNames:
    every = [line.strip() for line in text.splitlines()]
    lines = [line for line in every if not line.startswith("#")] if text else []
    if not lines or not any(lines):
        return ClassNames(())
    if len(lines) == 1 and ("," in lines[0] or ";" in lines[0]):
        # A model has several outputs, so this is no name with its synonyms.
        row = next(csv.reader(lines, delimiter=max(",;", key=lines[0].count), skipinitialspace=True))
        lines = [cell.strip() for cell in row if cell.strip()]
    lines = _unquoted(lines)
    synsets = [_SYNSET_LINE.fullmatch(line) for line in lines]
    if all(synsets):
        return _behind_synsets([(found[1], found[2], found[3]) for found in synsets if found])
    return _numbered(lines) or with_synsets(lines)


def _unquoted(lines: list[str]) -> list[str]:
    """Return lines without the commas and quotes of a list in a program, where all have them."""
    if len(lines) > 1 and all(line.endswith(",") for line in lines[:-1]):
        lines = [line.removesuffix(",").rstrip() for line in lines]
    if all(len(line) > 1 and line[0] == line[-1] and line[0] in "'\"" for line in lines):
        return [line[1:-1].strip() for line in lines]
    return lines


def _behind_synsets(rows: Sequence[tuple[str, str | None, str]]) -> ClassNames:
    numbers = [number for _, number, _ in rows]
    if all(number is not None for number in numbers):
        rows = in_order(numbers, rows)
    return ClassNames(tuple(name for _, _, name in rows), tuple(synset for synset, _, _ in rows))


def _numbered(lines: Sequence[str]) -> ClassNames | None:
    """Return names that all stand behind or before their number; None where lines are names as they are."""
    for form, number, name in ((_INDEX_LINE, 1, 2), (_INDEX_BEHIND, 2, 1)):
        found = [match for line in lines if (match := form.fullmatch(line))]
        numbers, names = [int(match[number]) for match in found], [match[name] for match in found]
        in_range = sum(value <= len(lines) for value in numbers)
        # Names such as "class 0" and "class 1" differ in their numbers alone.
        if len(found) == len(lines) and len(set(names)) == len(names) and in_range >= _IN_RANGE * len(lines):
            return with_synsets(_unquoted(in_order(numbers, names)))
    return None


def _from_table(text: str) -> ClassNames:
    lines = text.splitlines()
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    rows = [
        [unescape_cell(cell).strip() for cell in row]
        for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
        if any(row)
    ]
    if not rows:
        raise ValueError("the columns none")
    has_header = _is_header(rows)
    header = [cell.casefold() for cell in rows[0]] if has_header else [""] * len(rows[0])
    body = rows[1:] if has_header else rows
    if any(len(row) != len(header) for row in body):
        # Names with commas of their own, on lines of their own.
        if not has_header or len(header) == 1:
            return _from_lines("\n".join(lines[1:] if has_header else lines))
        raise ValueError("rows of different lengths")
    return _from_columns(header, list(map(list, zip(*body, strict=True))))


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row has a usual heading, or words over a column that holds numbers."""
    first = [cell.casefold() for cell in rows[0]]
    if set(first) & {*_INDEX_COLUMNS, *_NAME_COLUMNS, "synset", "wnid"}:
        return True
    below = [row for row in rows[1:] if len(row) == len(first)]
    over_numbers = (all(_is_number(row[place]) for row in below) for place in range(len(first)))
    return bool(below) and not any(map(_is_number, first)) and any(over_numbers)


def _from_columns(header: Sequence[str], columns: Sequence[list[str]]) -> ClassNames:
    """Return the names of a table by what its columns hold, and by their headings where several could be meant."""
    if not columns:
        return ClassNames(())
    numbers = [place for place, cells in enumerate(columns) if all(map(_is_number, cells))]
    wrong = [place for place, heading in enumerate(header) if heading in ("index", "idx") and place not in numbers]
    if wrong:
        cell = next(cell for cell in columns[wrong[0]] if not _is_number(cell))
        raise ValueError(f"'{cell}' in the column {header[wrong[0]]}")
    synsets = [place for place, cells in enumerate(columns) if all(map(_SYNSET.fullmatch, cells))]
    texts = [place for place in range(len(columns)) if place not in (*numbers, *synsets)]
    name = _name_column(header, numbers, synsets, texts)
    index = _named([place for place in numbers if place != name], header, _INDEX_COLUMNS)
    rows = list(zip(columns[name], columns[synsets[0]] if synsets else columns[name], strict=True))
    if index is not None:
        rows = in_order(columns[index], rows)
    return ClassNames(tuple(row[0] for row in rows), tuple(row[1] for row in rows) if synsets else ())


def _name_column(header: Sequence[str], numbers: Sequence[int], synsets: Sequence[int], texts: Sequence[int]) -> int:
    """Return the column of names: of text; else of numbers that are called names, or that are all there is."""
    found = _named(texts, header, _NAME_COLUMNS)
    if found is None:
        found = next((place for place in numbers if header[place] == "name" or len(header) == 1), None)
    if found is None:
        found = next(iter(synsets), None)
    if found is None:
        raise ValueError(f"the columns {', '.join(header)}, none of which holds names")
    return found


def _named(places: Sequence[int], header: Sequence[str], names: Sequence[str]) -> int | None:
    """Return the column with the most usual heading; the first where none is known."""
    by_name = [place for wanted in names for place in places if header[place] == wanted]
    return next(iter([*by_name, *places]), None)


def _is_number(cell: str) -> bool:
    return cell.isascii() and cell.isdigit() and len(cell) < 10
