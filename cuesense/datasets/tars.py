"""Tar files that are read where they are: an index of members first, then any of them by its place in the file."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cuesense.datasets.records import Content
from cuesense.errors import DatasetError, UnreadableImageError, expected, first_line

# Members are listed in memory before anything is read. Chosen by hand.
_MOST_MEMBERS = 10_000_000
_RAISED = (tarfile.TarError, OSError, ValueError, OverflowError, EOFError, LookupError, MemoryError, RecursionError)
# How compressed files begin, what they are called, and what unpacks them.
_COMPRESSED = (
    (b"\x1f\x8b", "gzip", "gunzip -k"),
    (b"BZh", "bzip2", "bunzip2 -k"),
    (b"\xfd7zXZ", "xz", "unxz -k"),
    (b"\x28\xb5\x2f\xfd", "zstd", "unzstd"),
)


@dataclass(frozen=True)
class Member:
    """A file in a tar.

    Attributes:
        name: Its name, with ``/`` between folders.
        tar: Which of the tars holds it.
        start: Where its content begins, in bytes.
        size: Bytes of its content.
    """

    name: str
    tar: int
    start: int
    size: int


@dataclass(frozen=True)
class TarSource:
    """Members of tars, read in any order by several threads.

    Attributes:
        tars: The files.
        members: The members that may be read.
    """

    tars: tuple[Path, ...]
    members: tuple[Member, ...]

    def read(self, place: int) -> bytes:
        """Return a member's content."""
        member = self.members[place]
        with self.tars[member.tar].open("rb") as file:
            file.seek(member.start)
            content = file.read(member.size)
        if len(content) < member.size:
            raise EOFError("the archive ends before this file does")
        return content

    def content(self, place: int) -> Content:
        """Return one image, as ``records.Source`` says."""
        try:
            return self.read(place)
        except _RAISED as error:
            raise UnreadableImageError(first_line(error), f"the image '{self.members[place].name}'") from error


def index_tars(tars: Sequence[Path]) -> list[Member]:
    """Return the files in tars, in their order.

    Raises:
        DatasetError: A tar is compressed, damaged or cut off, or there are too many files.
    """
    found: list[Member] = []
    for number, path in enumerate(tars):
        what = f"the archive '{path}'"
        try:
            _refuse_compressed(path, what)
            size = path.stat().st_size
            with tarfile.open(path, "r:") as archive:
                found += [
                    Member(entry.name, number, entry.offset_data, entry.size) for entry in archive if entry.isreg()
                ]
        except _RAISED as error:
            got = f"one that cannot be read ('{first_line(error)}')"
            raise DatasetError(expected(what, "a whole tar file", got, "Copy or download it again")) from error
        if found and found[-1].tar == number and found[-1].start + found[-1].size > size:
            got = f"one that ends in the middle of '{found[-1].name}'"
            raise DatasetError(expected(what, "a whole tar file", got, "Copy or download it again"))
        if len(found) > _MOST_MEMBERS:
            raise DatasetError(expected(what, f"of at most {_MOST_MEMBERS:,} files", f"{len(found):,}", "Unpack it"))
    return found


def _refuse_compressed(path: Path, what: str) -> None:
    with path.open("rb") as file:
        head = file.read(8)
    for beginning, name, command in _COMPRESSED:
        if head.startswith(beginning):
            do = f"Its files cannot be read in any order: unpack it with `{command} {os.fspath(path)}`"
            raise DatasetError(expected(what, "an uncompressed tar", f"one compressed with {name}", do))
