"""Tables packed with gzip."""

import gzip
from pathlib import Path

import pytest

from cuesense.errors import DatasetError
from cuesense.tables import unpack
from cuesense.tables.boundary import TableFile
from cuesense.tables.unpack import inner_suffix, unpacked


def table(path):
    return TableFile(path, "the table", (), "Save it again")


@pytest.mark.parametrize(
    ("name", "suffix"), [("a.csv", ".csv"), ("a.CSV.GZ", ".csv"), ("a.gz", ""), ("a", ""), ("b.tar.gz", ".tar")]
)
def test_the_suffix_of_what_is_in_it(name, suffix):
    assert inner_suffix(Path(name)) == suffix


def test_the_content_is_there_for_as_long_as_it_is_read(tmp_path):
    path = tmp_path / "list.csv.gz"
    path.write_bytes(gzip.compress(b"path,label\n" * 1000))
    with unpacked(table(path)) as plain:
        assert plain.path.name == "list.csv"
        assert plain.path.read_bytes() == b"path,label\n" * 1000
    assert not plain.path.exists()
    with unpacked(table(tmp_path / "list.csv")) as same:
        assert same.path == tmp_path / "list.csv"


@pytest.mark.parametrize(
    "content", [b"", b"path,label", gzip.compress(b"path,label", mtime=0)[:-4]], ids=["empty", "plain", "cut"]
)
def test_what_is_damaged(content, tmp_path):
    path = tmp_path / "list.csv.gz"
    path.write_bytes(content)
    if not content:
        with unpacked(table(path)) as plain:
            assert plain.path.read_bytes() == b""
        return
    with pytest.raises(DatasetError, match="packed with gzip"), unpacked(table(path)):
        pass


def test_what_unpacks_to_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "LARGEST_TABLE", 100)
    path = tmp_path / "list.csv.gz"
    for size, fails in ((100, False), (101, True)):
        path.write_bytes(gzip.compress(b"a" * size))
        if fails:
            with pytest.raises(DatasetError, match="more than that"), unpacked(table(path)):
                pass
        else:
            with unpacked(table(path)) as plain:
                assert plain.path.stat().st_size == size
