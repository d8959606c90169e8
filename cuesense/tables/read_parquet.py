"""Read a Parquet file: what it announces is checked before it is read."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from cuesense.tables.boundary import LARGEST_TABLE, TableFile, reading

if TYPE_CHECKING:
    import pandas as pd

# Columns that a table may have; its schema alone then takes little memory. Chosen by hand; not tuned.
_MOST_COLUMNS = 10_000
# Bytes of a cell in memory: a number, or the place of a text in the list of different texts.
_CELL = 8


def read_parquet(file: TableFile, keep: Collection[str], *, nested: bool = False) -> pd.DataFrame:
    """Read some columns of a Parquet file.

    Args:
        file: The table.
        keep: Columns to return, where they are there.
        nested: Whether a cell may be a list.

    Returns:
        The rows with a RangeIndex; columns that pandas had written as its index are columns.

    Raises:
        CuesenseError: The file's own error: it cannot be read, lacks a column, announces more than 2 GB or more than
            10,000 columns, or one of these columns is nested.
    """
    with reading(file), _open(file) as source:
        schema = source.schema_arrow
        file.refuse_columns(list(schema.names))
        wanted = [name for name in schema.names if name in keep]
        _check_columns(file, schema, wanted, nested=nested)
        _check_size(file, source.metadata, wanted)
        table = source.read(wanted, use_threads=False)
        frame: pd.DataFrame = _as_text(table).to_pandas(ignore_metadata=True)
    return frame


def own_metadata(file: TableFile, key: bytes) -> dict[str, Any]:
    """Return what cuesense wrote beside the rows of a Parquet file under a key, or nothing.

    Raises:
        CuesenseError: The file's own error: it cannot be read.
    """
    with reading(file), _open(file) as source:
        text = (source.schema_arrow.metadata or {}).get(key, b"{}")
    try:
        known = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _open(file: TableFile) -> pq.ParquetFile:
    """Open a file; columns of text are read as places in a list of different texts, however often they repeat."""
    with pq.ParquetFile(file.path) as source:
        if len(source.schema) > _MOST_COLUMNS:
            got = f"{len(source.schema):,}"
            file.refuse(f"one with at most {_MOST_COLUMNS:,} columns", got, "Write the columns that are needed alone")
        fields = source.schema_arrow
        text = [field.name for field in fields if _is_text(field.type)]
    return pq.ParquetFile(file.path, read_dictionary=text)


def _is_text(kind: pa.DataType) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(test(kind) for test in tests)


def _check_columns(file: TableFile, schema: pa.Schema, wanted: list[str], *, nested: bool) -> None:
    twice = next((name for name in wanted if wanted.count(name) > 1), None)
    if twice is not None:
        file.refuse("one with distinct columns", f"{twice} twice", "Remove one")
    for name in wanted:
        kind = schema.field(name).type
        if pa.types.is_nested(kind) and not (nested and pa.types.is_list(kind)):
            got = f"lists or structures in the column {name}"
            file.refuse("one with one value a cell", got, "Write one value a cell")


def _check_size(file: TableFile, announced: pq.FileMetaData, wanted: list[str]) -> None:
    """Refuse what takes more than LARGEST_TABLE bytes: cells by the number of rows, and pages by their announced size.

    The announced size alone would not do: a page of one value that repeats a billion times has a few bytes.
    """
    pages = rows = 0
    for group in range(announced.num_row_groups):
        part = announced.row_group(group)
        rows += max(part.num_rows, 0)
        for place in range(part.num_columns):
            column = part.column(place)
            if column.path_in_schema.split(".")[0] in wanted:
                pages += max(column.total_uncompressed_size, 0)
                rows = max(rows, column.num_values)
    rows = max(rows, announced.num_rows)
    size = pages + rows * _CELL * len(wanted)
    if size > LARGEST_TABLE:
        got = f"{rows:,} rows that take some {size / 1024**3:.1f} GB"
        file.refuse(f"one of at most {LARGEST_TABLE // 1024**3} GB in memory", got, "Split it, or leave out conditions")


def _as_text(table: pa.Table) -> pa.Table:
    """Return the table with bytes taken for UTF-8 text, as writers leave them that do not mark text."""
    for place, field in enumerate(table.schema):
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            column = table.column(place).unify_dictionaries()
            texts = [pa.DictionaryArray.from_arrays(c.indices, c.dictionary.cast(pa.string())) for c in column.chunks]
            table = table.set_column(place, field.name, pa.chunked_array(texts))
    return table
