"""Damage inside containers that keeps them well-formed outside: Parquet, ZIP archives, safetensors."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.fuzzing.byte_mutations import TOKENS, mutate_bytes
from benchmarks.fuzzing.text_mutations import mutate_json

_TYPES: tuple[Any, ...] = (
    pa.string(),
    pa.large_string(),
    pa.binary(),
    pa.int8(),
    pa.int64(),
    pa.uint64(),
    pa.float32(),
    pa.float64(),
    pa.bool_(),
    pa.null(),
    pa.timestamp("us", "UTC"),
    pa.date32(),
    pa.decimal128(20, 3),
    pa.dictionary(pa.int32(), pa.string()),
)
_SIZE_PLACES = (20, 24)  # of the compressed and the whole size in an entry of a ZIP's directory


@lru_cache(maxsize=32)
def _table(content: bytes) -> Any:
    return pq.read_table(io.BytesIO(content))


def mutate_parquet(random: Random, content: bytes) -> bytes:
    """Return a Parquet file with other types, values, columns or metadata."""
    try:
        table = _table(content)
    except Exception:  # a damaged file is what the damages of bytes are for
        return content
    for _ in range(random.choice((1, 1, 2))):
        try:
            table = random.choice(_TABLE_CHANGES)(random, table)
        except (pa.ArrowException, ValueError, TypeError, OverflowError, KeyError):
            continue
    out = io.BytesIO()
    try:
        compression = random.choice(("snappy", "none", "zstd"))
        pq.write_table(table, out, compression=compression, use_dictionary=random.random() < 0.5)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return content
    return out.getvalue()


def _column(random: Random, table: Any) -> int:
    return random.randrange(table.num_columns)


def _with(table: Any, index: int, column: Any) -> Any:
    return table.set_column(index, table.column_names[index], column)


def _other_type(random: Random, table: Any) -> Any:
    index = _column(random, table)
    return _with(table, index, table.column(index).cast(random.choice(_TYPES), safe=False))


def _nested(random: Random, table: Any) -> Any:
    index = _column(random, table)
    values = table.column(index).to_pylist()
    kinds: tuple[Callable[[Any], Any], ...] = (lambda v: [v], lambda v: {"a": v}, lambda v: [[v, v]], lambda _: [])
    kind = random.choice(kinds)
    return _with(table, index, pa.array([kind(value) for value in values]))


def _other_values(random: Random, table: Any) -> Any:
    index = _column(random, table)
    values = table.column(index).to_pylist()
    others = (None, 0, -1, 2**31, 2**62, 0.5, float("nan"), float("inf"), "", "\x00", "x", b"\xff", True)
    other = random.choice(others)
    share = random.choice((0.0, 0.1, 1.0))
    place = random.randrange(len(values)) if values else 0
    changed = [other if place == row or random.random() < share else value for row, value in enumerate(values)]
    return _with(table, index, pa.array(changed))


def _drop(random: Random, table: Any) -> Any:
    return table.remove_column(_column(random, table))


def _double(random: Random, table: Any) -> Any:
    index = _column(random, table)
    return table.append_column(table.column_names[index], table.column(index))


def _rename(random: Random, table: Any) -> Any:
    names = [*table.column_names]
    names[_column(random, table)] = random.choice((*names, "", "x", "\u00e9", "a.b", "__index_level_0__"))
    return table.rename_columns(names)


def _rows(random: Random, table: Any) -> Any:
    return random.choice((table.slice(0, 0), table.slice(0, 1), pa.concat_tables([table, table])))


def _metadata(random: Random, table: Any) -> Any:
    known = dict(table.schema.metadata or {})
    key = random.choice([*known, b"pandas", b"cuesense", b"ARROW:schema"])
    value = known.get(key, b'{"classes": ["a"], "image_size": 4}')
    known[key] = mutate_json(random, value) if random.random() < 0.7 else mutate_bytes(random, value, TOKENS)
    return table.replace_schema_metadata(known)


_TABLE_CHANGES = (
    _other_type,
    _other_type,
    _nested,
    _other_values,
    _other_values,
    _drop,
    _double,
    _rename,
    _rows,
    _metadata,
    _metadata,
)


def mutate_zip(random: Random, content: bytes) -> bytes:
    """Return an archive with damaged, doubled, renamed, missing or wrongly announced members."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return content
    if not members or random.random() < 0.15:
        return _announced(random, content)
    place = random.randrange(len(members))
    name, inner = members[place]
    damaged = mutate_json(random, inner) if inner.startswith((b"{", b"[")) else mutate_bytes(random, inner, TOKENS)
    members[place : place + 1] = random.choice(
        (
            [(name, damaged)],
            [(name, damaged)],
            [(name, damaged)],
            [(name, mutate_bytes(random, inner, [other for _, other in members]))],
            [],
            [(name, inner), (name, damaged)],
            [(random.choice(("x", f"../{name}", f"/{name}", "data.pkl", f"__MACOSX/{name}")), inner)],
        )
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for member, part in members:
            archive.writestr(zipfile.ZipInfo(member), part)
    return out.getvalue()


def _announced(random: Random, content: bytes) -> bytes:
    """Return the archive with another size in its directory than there is."""
    start = content.find(b"PK\x01\x02")
    if start < 0:
        return content
    starts = [start]
    while (start := content.find(b"PK\x01\x02", start + 4)) >= 0:
        starts.append(start)
    place = random.choice(starts) + random.choice(_SIZE_PLACES)
    size = struct.pack("<I", random.choice((0, 1, 2**31 - 1, 2**32 - 1, 2**30)))
    return content[:place] + size + content[place + 4 :]


def mutate_safetensors(random: Random, content: bytes) -> bytes:
    """Return a safetensors file with another header over the same numbers."""
    if len(content) < 8:
        return content
    length = int.from_bytes(content[:8], "little")
    header, rest = content[8 : 8 + length], content[8 + length :]
    try:
        json.loads(header)
    except ValueError:
        return content
    changed = mutate_json(random, header)
    announced = len(changed) if random.random() < 0.9 else random.choice((0, 2**20, 2**31, 2**62))
    return announced.to_bytes(8, "little") + changed + rest
