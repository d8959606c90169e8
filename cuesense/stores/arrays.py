"""Arrays that are kept in files of one folder, beside the settings that they were made with and marked with them."""

from __future__ import annotations

import errno
import io
import json
import logging
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuesense.atomic_files import TEMPORARY, digest, record_parts, replacing, unwritable
from cuesense.errors import OutputError, expected

_MANIFEST = "settings.json"
# What a file says about itself, so that one that was copied or renamed is not taken for another.
_SETTINGS, _NAME = "settings", "name"
_DIGEST_BYTES = 16
# That of every array whose header is short, as all of ours are.
_NPY_VERSION = (1, 0)
# Where a ZIP file's local header says how long the member's name and extra field are (APPNOTE 4.3.7).
_LENGTHS_AT = 26
# What zipfile and NumPy raise where bytes were lost or changed.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)

_LOG = logging.getLogger(__name__)


class _DamagedFileError(Exception):
    """A file is not as it was written."""


@dataclass(frozen=True)
class ArrayStore:
    """Files of arrays in a folder that all were made with the same settings.

    A file is written under a temporary name and renamed, so that one that exists is whole. It says with which settings
    it was made and what it is called: files from elsewhere are refused, damaged ones are made again.

    Attributes:
        folder: Where the files are; one run at a time works there (``stores.lock``), or parts of one run.
        settings: Digest of the settings.
        pattern: Glob pattern of the files, such as ``"shard-*.npz"``.
        arrays: The arrays that every file holds.
        whole: Names of the files that are there.
    """

    folder: Path
    settings: str
    pattern: str
    arrays: tuple[str, ...]
    whole: set[str] = field(default_factory=set)

    @classmethod
    def open(
        cls,
        folder: Path,
        settings: Mapping[str, Any],
        pattern: str,
        arrays: Sequence[str],
        *,
        restart: bool = False,
        made_of_it: Sequence[str] = (),
        shared: bool = False,
    ) -> ArrayStore:
        """Open a folder of a run's results, or create it, and read every file once, to know which of them are whole.

        Args:
            folder: Where the files are.
            settings: Everything (JSON values) on which the results depend.
            pattern: Glob pattern of the files, such as ``"shard-*.npz"``.
            arrays: The arrays that every file holds.
            restart: Delete the files that are there.
            made_of_it: Names of the files beside the folder that are made of the results, in the order in which a
                restart deletes them: without, they would stay beside the results of another run.
            shared: Whether other runs may be writing to the folder at this moment: their unfinished files stay.

        Returns:
            The store.

        Raises:
            OutputError: The folder holds other files, or results of other settings, or cannot be written.
        """
        if not shared:
            _remove_unfinished(folder)
        _claim(folder, settings, pattern, made_of_it if restart else (), restart=restart)
        store = cls(folder, digest(settings, _DIGEST_BYTES), pattern, tuple(arrays))
        store.look()
        record_parts({folder / name for name in store.whole}, folder, restarted=restart)
        return store

    @classmethod
    def view(cls, folder: Path, settings: Mapping[str, Any], pattern: str, arrays: Sequence[str]) -> ArrayStore:
        """Open a folder of results to read them; it may be missing, and nothing in it is made, changed or removed.

        Args:
            folder: As for ``open``.
            settings: Likewise.
            pattern: Likewise.
            arrays: Likewise.

        Raises:
            OutputError: The folder holds other files, or results of other settings, or cannot be read.
        """
        try:
            _refuse_others(folder, settings, pattern)
        except OSError as error:
            raise unwritable(folder, error) from None
        store = cls(folder, digest(settings, _DIGEST_BYTES), pattern, tuple(arrays))
        store.look()
        return store

    def look(self) -> None:
        """Take in the files that other runs have written since; each is read once, to know whether it is whole."""
        for path in sorted(self.folder.glob(self.pattern)):
            if path.name in self.whole:
                continue
            try:
                self._read(path, self.arrays, whole=True)
            except _DamagedFileError as damage:
                _LOG.warning("%s is %s: what it held is computed again.", path, damage)
            else:
                self.whole.add(path.name)

    def __contains__(self, name: str) -> bool:
        """Return whether a whole file of that name is there."""
        return name in self.whole

    def write(self, name: str, arrays: Mapping[str, Any]) -> None:
        """Write arrays to a file, whole or not at all.

        Args:
            name: The file's name.
            arrays: What to keep, by name.

        Raises:
            OutputError: The disk is full or the folder cannot be written; nothing half-written is left.
        """
        marks = {_SETTINGS: self.settings, _NAME: name}
        by_rows = {key: np.asarray(array, order="C") for key, array in {**arrays, **marks}.items()}
        content = io.BytesIO()
        try:
            np.savez(content, allow_pickle=False, **by_rows)
            with replacing(self.folder / name) as temporary:
                temporary.write_bytes(content.getbuffer())
        except OSError as error:
            raise unwritable(self.folder, error) from None
        self.whole.add(name)

    def read(self, name: str, arrays: Sequence[str]) -> dict[str, Any]:
        """Read some of the arrays of a file.

        Args:
            name: The file's name.
            arrays: Which arrays.

        Returns:
            The arrays by name.

        Raises:
            OutputError: The file is damaged, lacks one of them, or comes from elsewhere.
        """
        path = self.folder / name
        try:
            return self._read(path, arrays)
        except _DamagedFileError as damage:
            # It was whole when the run began.
            do = "Run the same command again, which makes it again"
            raise OutputError(expected(str(path), "a whole file", str(damage), do)) from None

    def rows(self, name: str, arrays: Sequence[str], rows: Sequence[int]) -> dict[str, Any]:
        """Read some rows (of the first axis) of some of the arrays of a file, and nothing else of it.

        That the file is whole was seen when it was first read: its checksum, which is that of whole arrays, is not
        compared again.

        Args:
            name: The file's name.
            arrays: Which arrays.
            rows: Which rows of each, in the order in which they are wanted.

        Returns:
            The rows by name, (len(rows), ...).

        Raises:
            OutputError: The file is damaged or lacks one of the arrays.
        """
        path = self.folder / name
        try:
            with path.open("rb") as file, zipfile.ZipFile(file) as archive:
                return {array: _rows_of(file, archive.getinfo(f"{array}.npy"), rows) for array in arrays}
        except _DAMAGE:
            do = "Run the same command again, which makes it again"
            raise OutputError(expected(str(path), "a whole file", "damaged", do)) from None
        except OSError as error:
            raise _unreadable(path, error) from None

    def _read(self, path: Path, arrays: Sequence[str], *, whole: bool = False) -> dict[str, Any]:
        found = _arrays_in(path, [_SETTINGS, _NAME, *arrays], whole=whole)
        settings, name = str(found[_SETTINGS]), str(found[_NAME])
        if settings != self.settings:
            do = "Delete it, or give another --output, or --restart to delete all that is there"
            raise OutputError(f"{path} is from a run with other settings. {do}.")
        if name != path.name:
            do = "Give it back its name, or delete it"
            raise OutputError(f"{path} was written as {name}, and would be taken for another part. {do}.")
        return {name: found[name] for name in arrays}


def _arrays_in(path: Path, names: Sequence[str], *, whole: bool) -> dict[str, Any]:
    """Return arrays of an archive, where the whole file is wanted also those that are not named.

    Raises:
        OutputError: The file cannot be opened or read.
        _DamagedFileError: It can, and is not what was written, or lacks an array.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            held = archive.namelist()
            if missing := {f"{_SETTINGS}.npy", f"{_NAME}.npy"} - set(held):
                # Of an older version, or made by hand: nothing says with which settings.
                raise _DamagedFileError(f"without {', '.join(sorted(missing))}, which say what it belongs to")
            # The archive's checksum is compared here, before anything in the member is interpreted.
            wanted = dict.fromkeys([*(f"{name}.npy" for name in names), *(held if whole else ())])
            members = {name.removesuffix(".npy"): archive.read(name) for name in wanted}
        return {name: _array_of(member) for name, member in members.items()}
    except _DAMAGE:
        raise _DamagedFileError("damaged") from None
    except OSError as error:
        if error.errno == errno.EINVAL:  # a place before the file's start, where the table of contents is damaged
            raise _DamagedFileError("damaged") from None
        raise _unreadable(path, error) from None


def _array_of(member: bytes) -> NDArray[Any]:
    """Return the array of an archive's member, which shares its memory and cannot be changed."""
    file = io.BytesIO(member)
    shape, kind = _header(file)
    return np.frombuffer(member, kind, math.prod(shape), file.tell()).reshape(shape)


def _rows_of(file: io.BufferedReader, member: zipfile.ZipInfo, rows: Sequence[int]) -> NDArray[Any]:
    """Return rows of an array that lies uncompressed in an archive."""
    file.seek(member.header_offset + _LENGTHS_AT)
    # The member's own header has names of another length than the table of contents.
    file.seek(sum(struct.unpack("<HH", file.read(4))), os.SEEK_CUR)
    shape, kind = _header(file)
    start, size = file.tell(), math.prod(shape[1:]) * kind.itemsize
    found = np.empty((len(rows), *shape[1:]), kind)
    # Rows that lie one after the other are read together.
    starts = [at for at, row in enumerate(rows) if not at or row != rows[at - 1] + 1]
    for at, end in pairwise([*starts, len(rows)]):
        file.seek(start + rows[at] * size)
        if file.readinto(found[at:end].data) < (end - at) * size:
            raise EOFError
    return found


def _header(file: io.BufferedIOBase) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read what an array's file begins with; return its shape and the kind of its numbers."""
    if np.lib.format.read_magic(file) != _NPY_VERSION:
        raise ValueError
    length = file.read(2)
    return _parsed(length + file.read(int.from_bytes(length, "little")))


@lru_cache(maxsize=1024)
def _parsed(header: bytes) -> tuple[tuple[int, ...], np.dtype[Any]]:
    # The headers of many files are the same few, and NumPy takes longer over one than over most arrays.
    shape, by_columns, kind = np.lib.format.read_array_header_1_0(io.BytesIO(header))
    if by_columns:
        raise ValueError
    return shape, kind


def _unreadable(path: Path, error: OSError) -> OutputError:
    return OutputError(expected(str(path), "readable", f"'{error.strerror or error}'", "Delete it and run again"))


def _claim(
    folder: Path, settings: Mapping[str, Any], pattern: str, made_of_it: Sequence[str], *, restart: bool
) -> None:
    manifest = folder / _MANIFEST
    try:
        if restart:
            _refuse_foreign(folder)
            # Only beside results of ours: a folder without them, or with other settings, may be somebody else's.
            if manifest.is_file():
                for name in made_of_it:
                    (folder.parent / name).unlink(missing_ok=True)
            _delete_results(folder, pattern)
        if not _refuse_others(folder, settings, pattern):
            folder.mkdir(parents=True, exist_ok=True)
            with replacing(manifest, record=False) as temporary:
                temporary.write_bytes(json.dumps(settings, indent=1).encode())
    except OSError as error:
        raise unwritable(folder, error) from None


def _refuse_others(folder: Path, settings: Mapping[str, Any], pattern: str) -> bool:
    """Return whether a folder holds results of these settings; raise OutputError where it holds anything else."""
    _refuse_foreign(folder)
    manifest = folder / _MANIFEST
    # Settings without results are those of a run that was stopped before its first result: any run may take over.
    if not (manifest.is_file() and any(folder.glob(pattern))):
        return False
    _refuse_other(folder, _settings_in(manifest), settings)
    return True


def _refuse_foreign(folder: Path) -> None:
    """Raise OutputError where a folder is not ours: nothing in it may be deleted or mixed with results."""
    if folder.is_dir() and not (folder / _MANIFEST).is_file() and _others(folder):
        raise OutputError(expected(str(folder), "a folder of cuesense", "other files", "Give another --output"))


def _remove_unfinished(folder: Path) -> None:
    """Remove what a run that was killed left unfinished; a folder without settings may be somebody else's."""
    try:
        ours = folder.is_dir() and ((folder / _MANIFEST).is_file() or not _others(folder))
        for path in folder.glob(TEMPORARY) if ours else ():
            path.unlink()
    except OSError as error:
        raise unwritable(folder, error) from None


def _others(folder: Path) -> bool:
    """Return whether a folder holds more than what a run that was killed in its first moment leaves there."""
    return any(not path.match(TEMPORARY) for path in folder.iterdir())


def _delete_results(folder: Path, pattern: str) -> None:
    # The settings stay until those of the new run replace them: a folder without settings would be refused as somebody
    # else's.
    for found in (pattern, "*.tmp"):
        for path in folder.glob(found):
            path.unlink()


def _settings_in(manifest: Path) -> Mapping[str, Any]:
    try:
        settings = json.loads(manifest.read_text())
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        do = "Give --restart to delete the run"
        raise OutputError(expected(str(manifest), "the settings of a run", "something else", do))
    return settings


def _refuse_other(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    # Through JSON, as the settings before: tuples become lists there, and would differ from themselves.
    now = json.loads(json.dumps(now))
    different = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if different:
        raise OutputError(
            expected(
                f"{folder.parent}",
                "empty or the result of the same settings",
                f"results with other {', '.join(different)}",
                "Give another --output, or --restart to delete them",
            )
        )
