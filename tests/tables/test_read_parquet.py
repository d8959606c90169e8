"""Parquet files: what they announce is checked before it is read, and their rows come back as columns."""

import random
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cuesense.errors import CuesenseError, DatasetError
from cuesense.tables import read_parquet as room
from cuesense.tables.boundary import TableFile
from cuesense.tables.read_parquet import own_metadata, read_parquet

PLAIN = pd.DataFrame({"name": ["a", "b", None] * 4, "n": range(12)})


def file(path: Path) -> TableFile:
    return TableFile(path, "the table", ("name", "n"), "Write it again")


def read(table: pa.Table | pd.DataFrame, folder: Path, **options: object) -> pd.DataFrame:
    path = folder / "t.parquet"
    if isinstance(table, pd.DataFrame):
        table.to_parquet(path, **options)
    else:
        pq.write_table(table, path, **options)
    return read_parquet(file(path), ("name", "n"))


def test_columns_that_pandas_wrote_as_its_index_are_columns(tmp_path: Path) -> None:
    for frame in (PLAIN, PLAIN.set_index("name"), PLAIN.set_index(["name", "n"]).assign(more=1), PLAIN[::-1][::-1]):
        found = read(frame, tmp_path)
        assert found["n"].tolist() == list(range(12))
        assert found["name"].astype(object).where(found["name"].notna(), None).tolist() == ["a", "b", None] * 4
        assert found.index.tolist() == list(range(12))


def test_bytes_several_parts_and_decimals_are_read(tmp_path: Path) -> None:
    table = pa.table({"name": pa.array([b"a", b"\xc3\xa9"] * 4), "n": [Decimal(2)] * 8})
    found = read(table, tmp_path, row_group_size=3)
    assert found["name"].tolist() == ["a", "é"] * 4
    assert pd.to_numeric(found["n"]).tolist() == [2] * 8


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (pa.table({"name": [["a"]], "n": [1]}), "lists or structures in the column name"),
        (pa.table({"name": ["a"], "n": [{"x": 1}]}), "lists or structures in the column n"),
        (pa.table({"name": ["a"]}), r"no n \(its columns: name\)"),
        (pa.table([["a"], [1], [2]], names=["name", "n", "n"]), "n twice"),
        (pa.table({"name": [b"\xff"], "n": [1]}), "readable"),
        (pa.table({f"c{index}": [1] for index in range(10_001)}), "at most 10,000 columns, but got 10,001"),
    ],
)
def test_what_is_wrong_is_named(table: pa.Table, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=sentence):
        read(table, tmp_path)


def test_more_than_two_gigabytes_are_refused_before_they_are_read(tmp_path: Path) -> None:
    """A value that repeats takes no room in the file: only the number of rows tells its size."""
    path = tmp_path / "t.parquet"
    part = pa.table({"name": pa.array(np.zeros(2**20, np.int8)), "n": pa.array(np.zeros(2**20, np.int8))})
    with pq.ParquetWriter(path, part.schema) as writer:
        for _ in range(129):
            writer.write_table(part)
    assert path.stat().st_size < 2**20
    with pytest.raises(DatasetError, match=r"at most 2 GB in memory, but got 135,266,304 rows that take some 2\.0 GB"):
        read_parquet(file(path), ("name", "n"))


def test_one_long_text_that_repeats_is_held_once(tmp_path: Path) -> None:
    found = read(pa.table({"name": ["x" * 10_000] * 5_000, "n": [1] * 5_000}), tmp_path)
    assert found["name"].memory_usage(deep=True) < 200_000


def test_metadata_that_are_no_object_are_none(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    for text, known in ((b'{"a": 1}', {"a": 1}), (b"[1]", {}), (b"{", {}), (b"[" * 100_000, {}), (b"\xff", {})):
        pq.write_table(pa.table({"name": ["a"], "n": [1]}).replace_schema_metadata({b"key": text}), path)
        assert own_metadata(file(path), b"key") == known
    assert own_metadata(file(path), b"other") == {}


def test_damaged_files_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LARGEST_TABLE", 2**24)
    PLAIN.to_parquet(tmp_path / "t.parquet")
    whole, drawn = (tmp_path / "t.parquet").read_bytes(), random.Random(0)
    path = tmp_path / "d.parquet"
    for number in range(150):
        damaged = bytearray(whole[: drawn.randrange(len(whole))] if number % 3 == 0 else whole)
        for _ in range(drawn.randrange(1, 4) if damaged else 0):
            damaged[drawn.randrange(len(damaged))] ^= 1 << drawn.randrange(8)
        path.write_bytes(damaged)
        with suppress(CuesenseError):
            read_parquet(file(path), ("name", "n"))


@pytest.mark.parametrize("damage", ["truncated", "footer", "empty", "page"])
def test_a_damaged_file_is_called_damaged(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    PLAIN.to_parquet(path)
    whole = path.read_bytes()
    flipped = whole[:4] + bytes(byte ^ 255 for byte in whole[4:60]) + whole[60:]
    damaged = {"truncated": whole[:-50], "footer": whole[:-8] + b"\xff" * 8, "empty": b"", "page": flipped}
    path.write_bytes(damaged[damage])
    with pytest.raises(DatasetError, match=r"readable, but got a damaged file \('.*Save or copy it again\.$"):
        read_parquet(file(path), ("name", "n"))


def test_a_file_that_is_not_there_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"No such file.*Write it again"):
        read_parquet(file(tmp_path / "gone.parquet"), ("name", "n"))
