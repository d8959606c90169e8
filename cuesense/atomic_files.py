"""Write files whole or not at all, and know what a command has written when it is interrupted."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cuesense.errors import OutputError, expected

# What a killed process may leave behind; each has a name of its own, so that two writers of one file never share it.
TEMPORARY = ".cuesense-*.tmp"


@dataclass
class Written:
    """What was written while ``recorded`` was open, as the disk says it.

    Attributes:
        inodes: The file that was, or was about to be, put at each path, by its inode number.
        parts: Finished parts of a longer computation that were there before, from which the same call goes on.
        part_folders: Folders whose new files are such parts as well.
        restarted: Whether earlier parts were deleted first.
    """

    inodes: dict[Path, int] = field(default_factory=dict)
    parts: set[Path] = field(default_factory=set)
    part_folders: set[Path] = field(default_factory=set)
    restarted: bool = False

    def kept(self) -> list[Path]:
        """Return the finished parts that are on the disk now."""
        new = {path for path in self._new() if path.parent in self.part_folders}
        return sorted(path for path in self.parts | new if path.is_file())

    def outputs(self) -> list[Path]:
        """Return the other files that were written and are on the disk now."""
        return sorted(path for path in self._new() if path.parent not in self.part_folders)

    def _new(self) -> set[Path]:
        # An interruption may come before or after the renaming: only the inode says which.
        return {path for path, inode in self.inodes.items() if path.is_file() and path.stat().st_ino == inode}


_WRITTEN: ContextVar[Written | None] = ContextVar("written", default=None)


@contextmanager
def recorded(found: Written) -> Iterator[None]:
    """Note what is written from here on, for the message of an interruption."""
    held = _WRITTEN.set(found)
    try:
        yield
    finally:
        _WRITTEN.reset(held)


def record_parts(parts: set[Path], folder: Path, *, restarted: bool) -> None:
    """Note that a folder's files are parts from which the same call goes on.

    Args:
        parts: Those that are there.
        folder: Where new ones are written.
        restarted: Whether earlier ones were deleted.
    """
    found = _WRITTEN.get()
    if found is not None:
        found.parts |= parts
        found.part_folders.add(folder)
        found.restarted |= restarted


@contextmanager
def replacing(path: Path, *, record: bool = True) -> Iterator[Path]:
    """Yield the path of a temporary file that takes a file's place once it is written whole.

    The content is on the disk before the file gets its name, so that a file is whole or absent after a loss of power
    as well, as far as the drive does what it says.

    Args:
        path: The file; its folder exists.
        record: Whether it counts as something that was written.

    Raises:
        OSError: The disk is full or the folder cannot be written; the file stays as it was.
    """
    temporary = path.with_name(TEMPORARY.replace("*", secrets.token_hex(6)))
    try:
        yield temporary
        _flush_file(temporary)
        found = _WRITTEN.get()
        if found is not None and record:
            found.inodes[path] = temporary.stat().st_ino
        temporary.replace(path)
        _flush_folder(path.parent)
    finally:
        # Also after an interruption; gone where all went well.
        with suppress(OSError):
            temporary.unlink()


def write_file(path: Path, content: str) -> None:
    """Write a text file whole or not at all.

    Args:
        path: The file; an older one is replaced. A device is written to.
        content: Its text, written as UTF-8.

    Raises:
        OutputError: The disk is full, the folder cannot be written, or the path is a folder.
    """
    refuse_folder(path)
    try:
        # /dev/stdout or a pipe cannot be replaced by a renamed file.
        if path.exists() and not path.is_file():
            path.write_bytes(content.encode())
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(content.encode())
    except OSError as error:
        raise unwritable(path.parent, error) from None


def remove_file(path: Path) -> None:
    """Remove an output file, where it is there.

    Raises:
        OutputError: The folder cannot be written.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path.parent, error) from None


def digest(settings: Mapping[str, Any], size: int = 8) -> str:
    """Return a short name for settings (JSON values), of twice as many hexadecimal digits as bytes."""
    return hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=size).hexdigest()


def refuse_folder(path: Path) -> None:
    """Raise OutputError where the path of an output file is that of a folder."""
    if path.is_dir():
        raise OutputError(expected(f"the output '{path}'", "a file", "a folder", "Name a file in it"))


def refuse_same(path: Path, *sources: Path) -> None:
    """Raise OutputError where an output file is one of the files that a command reads, which it would replace.

    Args:
        path: The output file.
        sources: Files, or folders that hold a profile.json.
    """
    for source in sources:
        file = source / "profile.json" if source.is_dir() else source
        if path.exists() and file.exists() and path.samefile(file):
            do = "Name another file"
            raise OutputError(expected(f"the output '{path}'", "another file than the input", "the same file", do))


def unwritable(folder: Path, error: Exception) -> OutputError:
    """Return the error for a folder that cannot be written, with the system's reason."""
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return OutputError(
        expected(f"the output folder {folder}", "writable", f"'{reason}'", "Give another --output or free space")
    )


def _flush_file(path: Path) -> None:
    # Network file systems say only here that the disk is full: this error must reach the user.
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    # Some systems open no folders or do not flush them. The file is whole all the same, at worst under its older name.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
