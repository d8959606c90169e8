"""Zip archives that are opened only if their table of members is small, plain, and announces no more than is there."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

# Python makes an object of 500 bytes of each entry of 46 bytes or more. A checkpoint of 100,000 tensors has a table of
# 10 MB. Chosen by hand.
_LARGEST_TABLE = 16 << 20
# torch compresses only the code of TorchScript, which is a megabyte for large networks. Chosen by hand.
_MOST_UNPACKED = 64 << 20
# The first folder has the name that the file had when it was saved, so that letters of any language occur.
_ODD = re.compile(r"[\x00-\x1f\x7f\\:]|//|^/|(^|/)\.\.?(/|$)|^$")


class RefusedArchiveError(Exception):
    """An archive that torch did not write, or that is damaged; its text says why."""


@contextmanager
def open_archive(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """Open an archive whose members are all there, once, under plain names, and not larger than announced.

    Args:
        file: The file; it stays open.

    Yields:
        The archive.

    Raises:
        RefusedArchiveError: Its table is too large, names a member twice or by a name that is none in another reader,
            or announces more bytes than are there.
    """
    size = file.seek(0, 2)
    find_end: Any = zipfile._EndRecData  # type: ignore[attr-defined]
    end = find_end(file)
    if end is None:
        raise RefusedArchiveError("a truncated or damaged archive")
    if end[5] > _LARGEST_TABLE:
        raise RefusedArchiveError(f"an archive with a table of members of {end[5]} bytes")
    with zipfile.ZipFile(file) as archive:
        _check(archive.infolist(), size)
        yield archive


def _check(members: list[zipfile.ZipInfo], size: int) -> None:
    names = [member.filename for member in members]
    odd = next((name for name in names if _ODD.search(name)), None)
    if odd is not None:
        raise RefusedArchiveError(f"an archive with a member of the odd name {odd[:80]!r}")
    # torch's own reader takes no notice of upper and lower case, so that two names may be one to it.
    if len({name.lower() for name in names}) < len(names):
        raise RefusedArchiveError("an archive that holds a member twice")
    if any(member.flag_bits & 1 for member in members):
        raise RefusedArchiveError("an archive with a password")
    packed = [member for member in members if member.compress_type != zipfile.ZIP_STORED]
    if any(member.compress_type != zipfile.ZIP_DEFLATED for member in packed):
        raise RefusedArchiveError("an archive packed by an unusual method")
    stored = [member for member in members if member.compress_type == zipfile.ZIP_STORED]
    longer = any(member.compress_size != member.file_size for member in stored)
    if longer or sum(member.compress_size for member in members) > size:
        raise RefusedArchiveError("an archive that announces more bytes than it has")
    unpacked = sum(member.file_size for member in packed)
    if unpacked > _MOST_UNPACKED:
        raise RefusedArchiveError(f"an archive with {unpacked} bytes packed into few, which torch does not do")
