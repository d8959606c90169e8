"""Images in the columns of Parquet and Arrow files: labels are read at once, images on demand and in any order."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cuesense.datasets.records import Content
from cuesense.errors import CuesenseError, DatasetError, UnreadableImageError, expected, first_line, listed
from cuesense.tables.read_listing import open_arrow

# Rows of labels and names that are kept in memory. Chosen by hand: some 14 times ImageNet's training set.
_MOST_ROWS = 20_000_000
# Images that are decoded from Parquet at a time: enough to be fast, and some 64 photographs are little memory.
_BATCH = 64
# Bytes of images kept in memory before the rest goes to a temporary file. Chosen by hand.
_IN_MEMORY = 2**30
# Images hardly compress, so that a file which unpacks to much more was made to fill the disk. Chosen by hand.
_MOST_UNPACKED, _ALWAYS_ALLOWED = 100, 2**26
_ONE_OF = re.compile(r"(?P<start>.+)-\d+-of-(?P<of>\d+)(?P<end>\.\w+)")
_MOST_DIGITS = 5
_SHOWN = 4
_RAISED = (pa.ArrowException, OSError, ValueError, TypeError, LookupError, MemoryError, RuntimeError)


def arrow_files(folder: Path) -> list[Path]:
    """Return the files of a dataset that ``datasets`` wrote into a folder, to keep or into its cache; else none."""
    if not any((folder / name).is_file() for name in ("state.json", "dataset_info.json")):
        return []
    return sorted(path for path in folder.glob("*.arrow") if not path.name.startswith("cache-"))


def parquet_files(folder: Path) -> list[Path]:
    """Return the Parquet files of a folder, or of the folders in it, as the hub has them."""
    here = sorted(folder.glob("*.parquet"))
    return here or sorted(folder.glob("*/*.parquet")) or sorted(folder.glob("*/*/*.parquet"))


def missing_files(files: Sequence[Path]) -> list[str]:
    """Return a sentence about files that are not there, as names such as ``test-00000-of-00002.parquet`` tell."""
    there = {path.name for path in files}
    found = [match for path in files if (match := _ONE_OF.fullmatch(path.name))]
    # A set of that many names at most, whatever a name announces.
    announced = sorted({(m["start"], m["of"], m["end"]) for m in found if len(m["of"]) <= _MOST_DIGITS})
    missing = [
        name
        for start, of, end in announced
        for number in range(int(of))
        if (name := f"{start}-{number:0{len(of)}d}-of-{of}{end}") not in there
    ]
    if not missing:
        return []
    many = "1 file is" if len(missing) == 1 else f"{len(missing)} files are"
    return [f"{many} missing, whose images are not in this dataset: {listed(missing, _SHOWN)}."]


@dataclass(frozen=True)
class ArrowImages:
    """Files with one schema, of which a column holds images.

    Attributes:
        files: Parquet files (``.parquet``, ``.pq``) or Arrow streams.
        what: What errors call them.
    """

    files: tuple[Path, ...]
    what: str

    @cached_property
    def schema(self) -> pa.Schema:
        """The schema of the first file."""
        with _reading(self.files[0]):
            return pq.read_schema(self.files[0]) if _is_parquet(self.files[0]) else open_arrow(self.files[0]).schema

    def first(self, column: str) -> Any:
        """Return the first cell of a column; None where there is none."""
        path = self.files[0]
        if not _is_parquet(path):
            cells = open_arrow(path).read_all().column(column)
            return cells[0].as_py() if len(cells) else None
        with pq.ParquetFile(path) as source:
            batch = next(source.iter_batches(1, columns=[column], use_threads=False), None)
        return batch.column(0)[0].as_py() if batch is not None and len(batch) else None

    def columns(self, image: str, label: str) -> tuple[list[Any], list[str | None]]:
        """Return the label and the file's name of every image, None for images without a name.

        Raises:
            DatasetError: A file is damaged or has other columns, or there are too many rows.
        """
        labels: list[Any] = []
        names: list[str | None] = []
        for path in self.files:
            with _reading(path):
                table = self._labels_and_names(path, image, label)
                if len(labels) + table.num_rows > _MOST_ROWS:
                    got = f"{len(labels) + table.num_rows:,} and more"
                    raise DatasetError(expected(self.what, f"at most {_MOST_ROWS:,} images", got, "Split it"))
                labels += table.column(0).to_pylist()
                names += table.column(1).to_pylist() if table.num_columns > 1 else [None] * table.num_rows
        return labels, names

    def _labels_and_names(self, path: Path, image: str, label: str) -> pa.Table:
        kind = self.schema.field(image).type
        named = pa.types.is_struct(kind) and kind.get_field_index("path") >= 0
        if not _is_parquet(path):
            whole = open_arrow(path).read_all()
            columns = [whole.column(label)]
            columns += [_field(whole.column(image), "path")] if named else []
            return pa.table(columns, names=["label", "path"][: len(columns)])
        with pq.ParquetFile(path) as source:
            if source.metadata.num_rows > _MOST_ROWS:
                got = f"{source.metadata.num_rows:,} rows"
                raise DatasetError(expected(f"'{path}'", f"a file of at most {_MOST_ROWS:,} rows", got, "Split it"))
            found = source.read([label, f"{image}.path"] if named else [label], use_threads=False)
        columns = [found.column(label)]
        columns += [_field(found.column(image), "path")] if named else []
        return pa.table(columns, names=["label", "path"][: len(columns)])

    def source(self, image: str) -> ArrowSource | ParquetSource:
        """Return what gives the images of a column."""
        parquet = _is_parquet(self.files[0])
        return ParquetSource(self.files, image) if parquet else ArrowSource(self.files, image)


@dataclass
class ArrowSource:
    """Images of a column of Arrow streams, which stay on disk: any of them is read without the others.

    Attributes:
        files: The streams.
        image: The column.
    """

    files: tuple[Path, ...]
    image: str

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how another process makes the same: it opens the files itself."""
        return type(self), (self.files, self.image)

    @cached_property
    def _column(self) -> pa.ChunkedArray:
        return pa.chunked_array(
            [chunk for path in self.files for chunk in open_arrow(path).read_all()[self.image].chunks]
        )

    def content(self, place: int) -> Content:
        """Return one image, as ``records.Source`` says."""
        try:
            return _bytes(self._column[place].as_py(), self.files[0].parent)
        except _RAISED as error:
            raise UnreadableImageError(first_line(error)) from error


@dataclass
class ParquetSource:
    """Images of a column of Parquet files, of which a whole group of rows must be unpacked to read one.

    A group's images are unpacked at the first use of one of them, and kept: in memory up to 1 GiB, then in a temporary
    file. So every group is unpacked once, whatever the order of reading.

    Attributes:
        files: The files.
        image: The column.
    """

    files: tuple[Path, ...]
    image: str
    _lock: Lock = field(default_factory=Lock, repr=False)
    _kept: dict[int, list[Any]] = field(default_factory=dict, repr=False)
    _used: int = 0
    _spool: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how another process makes the same: it opens the files itself."""
        return type(self), (self.files, self.image)

    @cached_property
    def _groups(self) -> list[tuple[int, Path, int]]:
        """The first row, the file, and the number in the file of every group of rows."""
        found, first = [], 0
        for path in self.files:
            with pq.ParquetFile(path) as source:
                for group in range(source.metadata.num_row_groups):
                    found.append((first, path, group))
                    first += source.metadata.row_group(group).num_rows
        return found

    def content(self, place: int) -> Content:
        """Return one image, as ``records.Source`` says."""
        try:
            with self._lock:
                number = self._group_of(place)
                if number not in self._kept:
                    self._kept[number] = self._unpack(number)
            found = self._kept[number][place - self._groups[number][0]]
            if isinstance(found, tuple):
                return self._taken_back(*found)
            return _bytes(found, self._groups[number][1].parent)
        except _RAISED as error:
            raise UnreadableImageError(first_line(error)) from error

    def _group_of(self, place: int) -> int:
        low, high = 0, len(self._groups)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._groups[middle][0] <= place else (low, middle)
        return low

    def _unpack(self, number: int) -> list[Any]:
        """Return a group's images: values, or for those in the temporary file where they begin and their length."""
        _, path, group = self._groups[number]
        most = _MOST_UNPACKED * sum(file.stat().st_size for file in self.files) + _ALWAYS_ALLOWED
        rows: list[Any] = []
        with pq.ParquetFile(path) as source:
            for batch in source.iter_batches(_BATCH, row_groups=[group], columns=[self.image], use_threads=False):
                for value in batch.column(0).to_pylist():
                    content = value.get("bytes") if isinstance(value, dict) else value
                    self._used += len(content or b"")
                    if self._used > most:
                        raise UnreadableImageError("the file unpacks to more than a hundred times its size")
                    rows.append(value if self._used <= _IN_MEMORY or not content else self._put_away(content))
        return rows

    def _put_away(self, content: bytes) -> tuple[int, int]:
        if self._spool is None:
            self._spool = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the dataset)
            weakref.finalize(self, self._spool.close)
        if shutil.disk_usage(tempfile.gettempdir()).free < len(content) + _ALWAYS_ALLOWED:
            reason = "no room is left for unpacked images in the folder of temporary files (set TMPDIR to a larger one)"
            raise UnreadableImageError(reason)
        start: int = self._spool.seek(0, os.SEEK_END)
        self._spool.write(content)
        return start, len(content)

    def _taken_back(self, start: int, length: int) -> bytes:
        with self._lock:
            self._spool.seek(start)
            content: bytes = self._spool.read(length)
        return content


def _bytes(value: Any, folder: Path) -> bytes:
    """Return the content of a cell: bytes, or a structure with bytes or with the path of a file."""
    content = value.get("bytes") if isinstance(value, dict) else value
    if content is None and isinstance(value, dict) and isinstance(value.get("path"), str):
        path = Path(value["path"])
        return (path if path.is_absolute() else folder / path).read_bytes()
    if not isinstance(content, bytes):
        raise UnreadableImageError("the table has no image in this row")
    return content


def _field(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    # Without the library's schema, a field that is always empty has no type.
    return pa.chunked_array([chunk.field(name).cast(pa.string()) for chunk in column.chunks], pa.string())


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() in (".parquet", ".pq")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except CuesenseError:
        raise
    except _RAISED as error:
        got = f"'{first_line(error)}'"
        raise DatasetError(expected(f"'{path}'", "a readable file", got, "Save or copy it again")) from error
