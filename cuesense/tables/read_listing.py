"""Read a list of images in any of the forms that people have: CSV, TSV, text lines, JSON, Parquet or Arrow."""

from __future__ import annotations

import codecs
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from cuesense.errors import first_line
from cuesense.tables.boundary import LARGEST_TABLE, TableFile, reading
from cuesense.tables.kinds import LONGEST_CELL, check_encoding, check_text
from cuesense.tables.read_csv import read_cells
from cuesense.tables.read_parquet import read_parquet
from cuesense.tables.sniff import Form, sniff

if TYPE_CHECKING:
    import pandas as pd

TEXT_SUFFIXES = frozenset((".csv", ".tsv", ".tab", ".psv", ".txt", ".lst"))
JSON_SUFFIXES = frozenset((".jsonl", ".ndjson", ".json"))
PARQUET_SUFFIXES = frozenset((".parquet", ".pq"))
ARROW_SUFFIXES = frozenset((".feather", ".arrow"))
SUFFIXES = TEXT_SUFFIXES | JSON_SUFFIXES | PARQUET_SUFFIXES | ARROW_SUFFIXES
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# JSON that is no table: the keys that tell COCO's annotations, and what to do with them.
_COCO = frozenset(("annotations", "categories"))


def read_listing(
    file: TableFile, is_heading: Callable[[str], bool], is_value: Callable[[str], bool]
) -> tuple[pd.DataFrame, Form | None]:
    """Read all columns of a list whose headings are not known beforehand.

    Args:
        file: The table; its suffix says its form (one of SUFFIXES).
        is_heading: Whether a text is the usual name of a column.
        is_value: Whether a text is a value, so that its line is no header.

    Returns:
        The rows, cells of text files as text; and how a text file is written, None for other files.

    Raises:
        CuesenseError: The file's own error; it cannot be read, or is another kind of file.
    """
    suffix = file.path.suffix.lower()
    if suffix in PARQUET_SUFFIXES:
        return _from_parquet(file), None
    if suffix in ARROW_SUFFIXES:
        return _from_arrow(file), None
    if suffix in JSON_SUFFIXES:
        return _from_json(file), None
    with reading(file), _as_utf8(file) as file:
        apostrophe = check_text(file)
        with file.path.open(encoding="utf-8-sig", newline="") as stream:
            form = sniff(stream.read(LONGEST_CELL), is_heading, is_value)
        if form.separator == " ":
            return _from_lines(file, form), form
        return read_cells(file, form, apostrophe=apostrophe), form


@contextmanager
def _as_utf8(file: TableFile) -> Iterator[TableFile]:
    """Yield a table of text, or a copy of it where it is UTF-16 with its mark, as Excel's "Unicode text" is."""
    with file.path.open("rb") as stream:
        start = stream.read(4)
    size = file.path.stat().st_size
    if not start.startswith(_UTF16) or start.startswith(codecs.BOM_UTF32_LE) or size > LARGEST_TABLE:
        yield file
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder, file.path.name)
        try:
            with (
                file.path.open(encoding="utf-16", newline="") as source,
                copy.open("w", encoding="utf-8", newline="") as target,
            ):
                shutil.copyfileobj(source, target, LONGEST_CELL)
        except UnicodeError as error:
            file.refuse("UTF-16 text, as its first bytes say", first_line(error), "Save it again, as UTF-8")
        yield replace(file, path=copy)


def _from_lines(file: TableFile, form: Form) -> pd.DataFrame:
    """Return the rows of lines such as ``path 3``, whose last blank separates the cells."""
    rows = []
    with file.path.open(encoding="utf-8-sig") as stream:
        for number, line in enumerate(stream, start=1):
            cells = line.rsplit(maxsplit=1)
            if len(cells) == 1:
                got = f"one word in line {number}, where lines before it have a path and a label"
                file.refuse("one with a path and a label a line", got, "Correct that line")
            if cells:
                rows.append([cell.strip() for cell in cells])
    import pandas as pd

    return pd.DataFrame(rows[int(form.header) :], columns=list(form.names), dtype=str)


def _from_parquet(file: TableFile) -> pd.DataFrame:
    with reading(file), pq.ParquetFile(file.path) as source:
        schema = source.schema_arrow
    return read_parquet(file, _plain_columns(schema), nested=True)


def _from_arrow(file: TableFile) -> pd.DataFrame:
    with reading(file), open_arrow(file.path) as source:
        kept = _plain_columns(source.schema)
        if isinstance(source, pa.RecordBatchFileReader):
            batches = (source.get_batch(place) for place in range(source.num_record_batches))
        else:
            batches = iter(source)
        parts, size = [], 0
        for batch in batches:
            parts.append(batch.select(kept))
            size += parts[-1].nbytes
            if size > LARGEST_TABLE:
                file.refuse(f"at most {LARGEST_TABLE // 1024**3} GB in memory", "more than that", "Split it")
        whole = pa.Table.from_batches(parts, pa.schema([source.schema.field(name) for name in kept]))
        frame: pd.DataFrame = whole.to_pandas(ignore_metadata=True)
    return frame


def open_arrow(path: Path) -> Any:
    """Open an Arrow file: a stream, as ``datasets`` writes them, or the file format, which Feather has.

    Raises:
        ArrowInvalid: It is neither.
    """
    mapped = pa.memory_map(str(path))
    try:
        return pa.ipc.open_stream(mapped)
    except pa.ArrowInvalid:
        return pa.ipc.open_file(mapped)


def _plain_columns(schema: pa.Schema) -> list[str]:
    return [field.name for field in schema if not pa.types.is_nested(field.type) or _is_short_list(field.type)]


def _is_short_list(kind: pa.DataType) -> bool:
    """Return whether cells are lists of numbers or texts, such as the labels of one image."""
    return pa.types.is_list(kind) and not pa.types.is_nested(kind.value_type)


def _from_json(file: TableFile) -> pd.DataFrame:
    import pandas as pd

    with reading(file):
        size = file.path.stat().st_size
        if size > LARGEST_TABLE:
            file.refuse(f"at most {LARGEST_TABLE // 1024**3} GB", f"a file of {size / 1024**3:.1f} GB", "Split it")
        content = file.path.read_bytes()
        check_encoding(file, content)
        text = content.decode("utf-8-sig").strip()
        if not text:
            file.refuse("a list of images", "an empty file")
        rows = _rows(file, _parsed(file, text))
        names = dict.fromkeys(key for row in rows for key in row)
        return pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=object) for name in names})


def _parsed(file: TableFile, text: str) -> Any:
    """Return the value of a JSON document, or the list of the values of JSON lines."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    values = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            values += [json.loads(line)] if line.strip() else []
        except ValueError as error:
            got = f"line {number}, which is none ('{error}')"
            file.refuse("one JSON object a line", got, "Correct that line")
    return values


def _rows(file: TableFile, value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict) and value.keys() >= _COCO:
        do = (
            "cuesense needs one class an image: write a table with the columns path and label, of images with one "
            "category, or cut the boxes out"
        )
        file.refuse("a list of images with one class each", "COCO annotations (boxes or masks of several objects)", do)
    if isinstance(value, dict):
        value = _from_object(value)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        do = 'Write one object an image, such as {"path": "a.jpg", "label": "cat"}'
        file.refuse("JSON objects, one an image", "JSON of another form", do)
    return value


def _from_object(value: dict[str, Any]) -> Any:
    """Return the rows of an object: a single row, from path to label, from column to values, or lists under keys.

    Lists of objects under several keys are the parts of a dataset (``{"train": [...], "val": [...]}``), which a column
    "split" then says.
    """
    objects = [part for part in value.values() if isinstance(part, dict)]
    if objects and len(objects) == len(value):
        return _from_objects(value)
    lists = [part for part in value.values() if isinstance(part, list)]
    if len(lists) == 1 and lists[0] and all(isinstance(row, dict) for row in lists[0]):
        return lists[0]
    if len(lists) == len(value) > 1 and all(isinstance(row, dict) for part in lists for row in part):
        return [{**row, "split": name} for name, part in value.items() for row in part]
    if lists and len(lists) == len(value) and all(isinstance(p, str) and "." in p for part in lists for p in part):
        # From each class to its images.
        return [{"path": path, "label": name} for name, part in value.items() for path in part]
    if lists and len(lists) == len(value) and len(set(map(len, lists))) == 1:
        return [dict(zip(value, row, strict=True)) for row in zip(*lists, strict=True)]
    if _is_mapping(value.items()):
        return [{"path": key, "label": part} for key, part in value.items()]
    return [value]


def _from_objects(value: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of objects in an object: from path to what is known of it, or, as pandas writes, by column."""
    if all("." in key for key in value):
        return [{"path": key, **row} for key, row in value.items()]
    rows = dict.fromkeys(key for column in value.values() for key in column)
    return [{name: column.get(key) for name, column in value.items()} for key in rows]


def _is_mapping(items: Iterable[tuple[str, Any]]) -> bool:
    """Return whether an object goes from names of files to labels."""
    return all("." in key and isinstance(part, str | int) for key, part in items)
