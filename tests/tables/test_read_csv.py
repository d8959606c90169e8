"""CSV files of every form: read where that is unambiguous, else one sentence that names the real problem."""

import gzip
import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from cuesense.errors import DatasetError
from cuesense.tables import boundary, kinds
from cuesense.tables.boundary import TableFile
from cuesense.tables.read_csv import read_csv

PLAIN = "run,class,n\na,cat,1\nb,café,2\n"


def read(folder: Path, content: bytes | str) -> pd.DataFrame:
    path = folder / "t.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_csv(TableFile(path, "the table", ("run", "class", "n"), "Write it again"), numbers=("n",))


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        "\ufeff" + PLAIN,
        PLAIN.replace(",", ", "),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\n\n"),
        "\n" + PLAIN.replace("run,class", "run , class "),
        PLAIN.replace("cat", '"cat"'),
        PLAIN.replace("\n", ",\n"),
        "n,run,class\n1,a,cat\n2,b,café\n",
        PLAIN.rstrip(),
    ],
)
def test_what_is_unambiguous_is_read(content: str, tmp_path: Path) -> None:
    found = read(tmp_path, content)
    assert found["run"].tolist() == ["a", "b"]
    assert found["class"].tolist() == ["cat", "café"]
    assert found["n"].tolist() == [1, 2]


def workbook() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (PLAIN.replace(",", ";"), "separated by commas, but got cells that are separated by semicolons. Save it with"),
        (PLAIN.replace(",", "; "), "separated by semicolons"),
        (PLAIN.replace(",", "\t"), "separated by tabs"),
        (PLAIN.replace(",", "|"), "separated by the character |"),
        (PLAIN.replace(",", " "), "separated by blanks"),
        ("sep=;\n" + PLAIN.replace(",", ";"), "a first line 'sep=;'"),
        (PLAIN.encode("cp1252"), r"UTF-8 text, but got other text, probably Windows-1252 .* 0xE9 in line 3\). Save it"),
        (PLAIN.encode("utf-16"), "UTF-16"),
        (PLAIN.encode("utf-16-le"), "UTF-16"),
        (PLAIN.encode("utf-16-be"), "UTF-16"),
        (PLAIN.encode("utf-32"), "UTF-16 or UTF-32"),
        (PLAIN.encode() + b"c,\x00,3\n", "a NUL byte in line 4"),
        (PLAIN.encode() + b"c,\xc3", "UTF-8 text"),
        (workbook(), "an Excel workbook or another ZIP archive. Save it in the spreadsheet program as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
        (gzip.compress(PLAIN.encode(), mtime=0), "compressed with gzip. Unpack"),
        (b"PAR1xxxxPAR1", "a Parquet file. Rename it to .parquet"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS.* `git lfs pull`"),
        ("<!DOCTYPE html><html></html>", "a page of HTML"),
        ('{"run": 1}', "JSON"),
        ("", "an empty file. Write it again"),
        ("\n \n", "an empty file"),
        ("a,cat,1\nb,dog,2\n", r"no run and no class and no n \(its columns: a, cat, 1\)"),
        ("run,class,n,n\na,cat,1,1\n", "distinct columns, but got n twice"),
        (PLAIN + "c,dog,3,4\n", "4 cells in line 4, where lines before it have 3"),
        ("run,class,n\na,cat,1,9\nb,dog,2,9\n", "rows with more cells than the header"),
        (PLAIN + 'c,"dog,3\n', "a quotation mark that is never closed"),
        ('run,"class,n\na,cat,1\n', "a quotation mark in its first line"),
        (PLAIN + 'c,"dog\nd,owl",4\n', r"a cell of several lines in the column class \(row 3\)"),
        (PLAIN + f"c,{'x' * 200_000},3\n", "a cell of more than 131,072 characters in the column class"),
        ("x" * 200_000, "a first line of more than 131,072 characters"),
    ],
)
def test_what_is_wrong_is_named(content: bytes | str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=sentence) as caught:
        read(tmp_path, content)
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("block", [1, 2, 3, 7])
def test_a_letter_may_lie_across_two_blocks(block: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kinds, "_BLOCK", 64 + block)
    long = PLAIN + "".join(f"r{row},é€😀é,{row}\n" for row in range(40))
    assert len(read(tmp_path, long)) == 42
    with pytest.raises(DatasetError, match="in line 44"):
        read(tmp_path, long.encode() + "z,é,1\n".encode("latin-1"))


def test_a_folder_a_missing_file_and_too_large_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, sentence in (
        (tmp_path, "a file, but got a folder"),
        (tmp_path / "no.csv", "'No such file or directory'"),
    ):
        with pytest.raises(DatasetError, match=sentence):
            read_csv(TableFile(path, "the table", (), ""))
    monkeypatch.setattr(kinds, "LARGEST_TABLE", len(PLAIN.encode()) - 1)
    with pytest.raises(DatasetError, match="at most 0 GB"):
        read(tmp_path, PLAIN)
    monkeypatch.setattr(kinds, "LARGEST_TABLE", boundary.LARGEST_TABLE)
    assert len(read(tmp_path, PLAIN)) == 2
