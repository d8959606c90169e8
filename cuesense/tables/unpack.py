"""Tables that are packed with gzip, as pandas writes "labels.csv.gz": unpacked for as long as they are read."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cuesense.errors import first_line
from cuesense.tables.boundary import LARGEST_TABLE, TableFile, reading

_PACKED = ".gz"
_BLOCK = 1 << 20


def inner_suffix(path: Path) -> str:
    """Return the suffix of a file, in lower case; of a packed one, such as labels.csv.gz, that of what is in it."""
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix == _PACKED else suffix


@contextmanager
def unpacked(file: TableFile) -> Iterator[TableFile]:
    """Give the table with a path that is not packed: its own, or that of a temporary file.

    Raises:
        CuesenseError: The file's own error: it is damaged, or unpacks to more than 2 GB.
    """
    if file.path.suffix.lower() != _PACKED:
        yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file.path.stem
        with reading(file):
            _unpack(file, path)
        yield replace(file, path=path)


def _unpack(file: TableFile, path: Path) -> None:
    try:
        with gzip.open(file.path) as packed, path.open("wb") as plain:
            while block := packed.read(_BLOCK):
                plain.write(block)
                if plain.tell() > LARGEST_TABLE:
                    file.refuse(f"at most {LARGEST_TABLE // 1024**3} GB", "more than that, unpacked", "Split it")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        file.refuse("a table packed with gzip", f"'{first_line(error)}'", "Save or copy it again")
