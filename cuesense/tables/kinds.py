"""Find out what a file called .csv really is, before it is read as a table."""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path

from cuesense.errors import first_line
from cuesense.tables.boundary import LARGEST_TABLE, TableFile

_EXCEL = "Save it in the spreadsheet program as CSV UTF-8 (comma delimited)"
# How files of other kinds begin: what they are, and what to do.
_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "an Excel workbook or another ZIP archive", _EXCEL),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", _EXCEL),
    (b"PAR1", "a Parquet file", "Rename it to .parquet"),
    (b"ARROW1", "an Arrow (Feather) file", "Save it as CSV or Parquet"),
    (b"\x1f\x8b", "a file compressed with gzip", "Unpack it first"),
    (b"BZh", "a file compressed with bzip2", "Unpack it first"),
    (b"\xfd7zXZ", "a file compressed with xz", "Unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a file compressed with zstd", "Unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it first"),
    (b"SQLite format 3", "an SQLite database", "Save the table as CSV"),
    (b"%PDF", "a PDF document", "Save the table as CSV"),
    (b"\x80\x04\x95", "a Python pickle", "Save the table as CSV"),
    (b"\x93NUMPY", "a NumPy array", "Save the table as CSV"),
    (b"{\\rtf", "a rich text document", "Save the table as CSV"),
    (b"version https://git-lfs", "a pointer of Git LFS instead of the file itself", "Fetch it with `git lfs pull`"),
)
_WIDE = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF8 = "Save it as UTF-8 (in Excel: CSV UTF-8)"
# Bytes that Windows-1252 does not use; text without them is taken for it.
_NOT_WINDOWS = frozenset(b"\x81\x8d\x8f\x90\x9d")
_BLOCK = 1 << 20
# A cell longer than this is no name, path or number: a quotation mark that is not closed, or something else than a
# table. It is csv's own limit.
LONGEST_CELL = 131_072
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "the character |", "\uff0c": "full-width commas"}


def check_text(file: TableFile) -> bool:
    """Refuse a file that is empty, of another kind, not UTF-8, or too large, naming what it is.

    Args:
        file: The table, called .csv.

    Returns:
        Whether an apostrophe stands in it, so that cells may be escaped.

    Raises:
        CuesenseError: The file's own error; the sentence names the real problem.
        OSError: The file cannot be opened.
    """
    path = file.path
    with path.open("rb") as stream:
        start = stream.read(_BLOCK)
        _check_start(file, start)
        if path.is_file() and path.stat().st_size > LARGEST_TABLE:
            got = f"a file of {path.stat().st_size / 1024**3:.1f} GB"
            file.refuse(f"at most {LARGEST_TABLE // 1024**3} GB", got, "Split it, or save it as Parquet")
        decoder = codecs.getincrementaldecoder("utf-8")()
        block, line, apostrophe = start, 1, False
        while block:
            _check_block(file, decoder, block, line)
            line += block.count(b"\n")
            apostrophe = apostrophe or b"'" in block
            block = stream.read(_BLOCK)
        _check_block(file, decoder, b"", line)
    return apostrophe


def _check_start(file: TableFile, start: bytes) -> None:
    to_be = "a table in a CSV file"
    if not start.removeprefix(codecs.BOM_UTF8).strip():
        file.refuse(to_be, "an empty file")
    for beginning, kind, do in _BEGINNINGS:
        if start.startswith(beginning):
            file.refuse(to_be, kind, do)
    _check_wide(file, start)
    text = start.removeprefix(codecs.BOM_UTF8).lstrip()
    if text[:1] == b"<":
        file.refuse(to_be, "a page of HTML or XML", "Download the table itself, or save it as CSV")
    if text[:1] in b"{[" and b'"' in text[:100]:
        file.refuse(to_be, "JSON", "Save it as CSV")


def check_encoding(file: TableFile, content: bytes) -> None:
    """Refuse text that is not UTF-8, naming what it probably is.

    Raises:
        CuesenseError: The file's own error.
    """
    _check_wide(file, content)
    decoder = codecs.getincrementaldecoder("utf-8")()
    _check_block(file, decoder, content, 1)
    _check_block(file, decoder, b"", content.count(b"\n") + 1)


def _check_wide(file: TableFile, start: bytes) -> None:
    if start.startswith(_WIDE) or start[1:2] == b"\0" or start[:1] == b"\0" != start[1:2]:
        file.refuse("UTF-8 text", "UTF-16 or UTF-32 text", _UTF8)


def _check_block(file: TableFile, decoder: codecs.IncrementalDecoder, block: bytes, line: int) -> None:
    """Refuse bytes that are no UTF-8 or no text; ``line`` is the line in which the block begins."""
    if b"\0" in block:
        at = line + block[: block.index(0)].count(b"\n")
        file.refuse("text", f"a NUL byte in line {at}", "Write it again: the file is damaged or no CSV file")
    pending = decoder.getstate()[0]
    try:
        decoder.decode(block, final=not block)
    except UnicodeDecodeError as error:
        whole = pending + block
        at, wrong = line + whole[: error.start].count(b"\n"), whole[error.start]
        windows = "" if _NOT_WINDOWS & set(whole) else ", probably Windows-1252 or Latin-1"
        file.refuse("UTF-8 text", f"other text{windows} (the byte 0x{wrong:02X} in line {at})", _UTF8)


def header_of(file: TableFile) -> list[str]:
    """Return the names of a CSV file's columns, without blanks around them.

    Raises:
        CuesenseError: The cells are separated by something else than commas, a column has no name of its own, or one
            that the table must have is missing.
    """
    names = check_separator(file)
    if any("\n" in name or "\r" in name for name in names):
        file.refuse("a table in a CSV file", "a quotation mark in its first line that is never closed", "Close it")
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        file.refuse("one with distinct columns", f"{twice} twice", "Remove one")
    file.refuse_columns([name for name in names if name])
    return names


def _first_lines(path: Path) -> str:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return stream.read(LONGEST_CELL)


def check_separator(file: TableFile) -> list[str]:
    """Return the cells of the header of a CSV file, without blanks around them.

    Raises:
        CuesenseError: Another separator than commas tells the columns apart that the table must have.
    """
    text = _first_lines(file.path)
    if len(text) == LONGEST_CELL and not set(text) & {"\n", "\r"}:
        file.refuse("a table in a CSV file", f"a first line of more than {LONGEST_CELL:,} characters")
    rows = csv.reader(io.StringIO(text, newline=""))
    names = next(([cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)), [])
    do = "Save it with commas between the cells, and points in decimal numbers"
    if names and names[0].lower().startswith("sep="):
        file.refuse("separated by commas", f"a first line '{first_line(names[0])}'", f"Remove that line. {do}")
    line = ",".join(names)
    known = {name: set(file.columns) & {part.strip(' "') for part in line.split(name)} for name in _SEPARATORS}
    best = max(known, key=lambda name: len(known[name]))
    if len(known[best]) > len(set(file.columns) & set(names)):
        file.refuse("separated by commas", f"cells that are separated by {_SEPARATORS[best]}", do)
    if len(names) == 1 and len(set(file.columns) & set(line.split())) > 1:
        file.refuse("separated by commas", "cells that are separated by blanks", do)
    return names
