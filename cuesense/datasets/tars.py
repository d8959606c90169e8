"""Tar files: an index of members first, then any of them by its place in the file; compressed ones are unpacked."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from cuesense.datasets.records import Content
from cuesense.errors import DatasetError, UnreadableImageError, expected, first_line

# Members are listed in memory before anything is read. Chosen by hand.
_MOST_MEMBERS = 10_000_000
_RAISED = (
    tarfile.TarError, OSError, ValueError, OverflowError, EOFError, LookupError, MemoryError, RecursionError,
    zlib.error, lzma.LZMAError,
)  # fmt: skip
# How compressed files begin, what they are called, what unpacks them, and what opens them here.
_COMPRESSED = (
    (b"\x1f\x8b", "gzip", "gunzip -k", gzip.open),
    (b"BZh", "bzip2", "bunzip2 -k", bz2.open),
    (b"\xfd7zXZ", "xz", "unxz -k", lzma.open),
    (b"\x28\xb5\x2f\xfd", "zstd", "unzstd", None),
)
# Bytes that compressed tars may hold together: they are unpacked into memory, since nothing in them can be read without
# all that is before it. Chosen by hand.
_MOST_UNPACKED = 2**31


@dataclass(frozen=True)
class Member:
    """A file in a tar.

    Attributes:
        name: Its name, with ``/`` between folders.
        tar: Which of the tars holds it.
        start: Where its content begins, in bytes.
        size: Bytes of its content.
        content: The content itself, where the tar was compressed.
    """

    name: str
    tar: int
    start: int
    size: int
    content: bytes | None = field(default=None, repr=False)


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
        if member.content is not None:
            return member.content
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
        DatasetError: A tar is damaged or cut off, compressed ones hold too much, or there are too many files.
    """
    found: list[Member] = []
    room = _MOST_UNPACKED
    for number, path in enumerate(tars):
        what = f"the archive '{path}'"
        try:
            stream = _compressed(path, what, room)
            if stream is None:
                found += _members(path, what, number)
            else:
                found += _unpacked(stream, number)
                room -= stream.read_bytes
        except _RAISED as error:
            got = f"one that cannot be read ('{first_line(error)}')"
            raise DatasetError(expected(what, "a whole tar file", got, "Copy or download it again")) from error
        if len(found) > _MOST_MEMBERS:
            raise DatasetError(expected(what, f"of at most {_MOST_MEMBERS:,} files", f"{len(found):,}", "Unpack it"))
    return found


def _members(path: Path, what: str, number: int) -> list[Member]:
    with tarfile.open(path, "r:") as archive:
        found = [Member(entry.name, number, entry.offset_data, entry.size) for entry in archive if entry.isreg()]
    if found and found[-1].start + found[-1].size > path.stat().st_size:
        got = f"one that ends in the middle of '{found[-1].name}'"
        raise DatasetError(expected(what, "a whole tar file", got, "Copy or download it again"))
    return found


@dataclass
class _Stream:
    """What a compressed file holds, read in order and up to a number of bytes.

    Attributes:
        file: The file, which unpacks what is read.
        most: Bytes that may be read.
        refusal: What is said where it holds more.
        read_bytes: Bytes that were read.
    """

    file: BinaryIO
    most: int
    refusal: str
    read_bytes: int = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most so many."""
        content = self.file.read(size)
        self.read_bytes += len(content)
        if self.read_bytes > self.most:
            raise DatasetError(self.refusal)
        return content


def _unpacked(stream: _Stream, number: int) -> Iterator[Member]:
    """Yield the files of a compressed tar with their contents."""
    with stream.file, tarfile.open(mode="r|", fileobj=stream) as archive:  # type: ignore[call-overload]
        for entry in archive:
            file = archive.extractfile(entry) if entry.isreg() else None
            if file is not None:
                yield Member(entry.name, number, 0, entry.size, file.read())


def _compressed(path: Path, what: str, room: int) -> _Stream | None:
    """Return what a compressed tar holds, None for a tar that is not compressed."""
    with path.open("rb") as file:
        head = file.read(8)
    for beginning, name, command, opened in _COMPRESSED:
        if not head.startswith(beginning):
            continue
        do = f"Unpack it with `{command} {os.fspath(path)}`"
        if opened is None:
            raise DatasetError(expected(what, "a tar", f"one compressed with {name}, which is not read here", do))
        got = f"one compressed with {name} that holds more, and would be unpacked into memory"
        refusal = expected(what, f"of at most {room:,} bytes", got, do)
        return _Stream(cast("BinaryIO", opened(path, "rb")), room, refusal)
    return None
