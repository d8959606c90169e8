"""A ZIP archive of images, read where it is: class folders, parts with class folders, or images and a table."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cuesense.datasets.records import Content, RecordDataset, from_records
from cuesense.datasets.splits import refuse_download
from cuesense.datasets.tree import read_tree
from cuesense.errors import DatasetError, UnreadableImageError, expected, first_line

# Members are listed in memory before anything is read. Chosen by hand: twice ImageNet's training set.
_MOST_MEMBERS = 3_000_000
# Bytes of one unpacked member: larger than any image that can be decoded. Chosen by hand.
_LARGEST = 2**28
# Images hardly compress: an archive that unpacks to much more was made to fill memory. Chosen by hand.
_MOST_UNPACKED, _ALWAYS_ALLOWED = 100, 2**28
_RAISED = (zipfile.BadZipFile, zlib.error, OSError, ValueError, KeyError, EOFError, NotImplementedError, RuntimeError)


def load(
    argument: str,
    *,
    data_root: Path | None = None,
    split: str | None = None,
    download: bool = False,
) -> RecordDataset:
    """Return the images of a ZIP archive, which is not unpacked.

    Args:
        argument: The ``.zip`` file.
        data_root: A folder that a relative path may start from.
        split: The part to read; None takes the validation part, else the test part, and says so.
        download: Refused: an archive is read where it is.

    Returns:
        The dataset; its ids are those that the unpacked folder would have.

    Raises:
        SplitError: There is no such part.
        DatasetError: It is damaged, encrypted, unpacks to far more than its size, or holds no images with classes.
    """
    if not argument:
        raise DatasetError(expected("zip", "followed by a path", "none", "Write zip:PATH"))
    refuse_download(f"the archive '{argument}'", download=download)
    path = Path(argument)
    if data_root is not None and not path.exists():
        path = data_root / argument
    what = f"the archive '{path}'"
    infos = _members(path, what)
    source = ZipSource(path, tuple(info.filename for info in infos))
    tree = read_tree(source.names, what, split, source.read)
    return from_records(f"zip:{argument}", tree.class_names, tree.records, source, tree.remarks, tree.split)


@dataclass
class ZipSource:
    """The members of a ZIP archive, read in any order by several threads.

    Attributes:
        path: The archive.
        names: The names of its members.
    """

    path: Path
    names: tuple[str, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how another process makes the same: it opens the archive itself."""
        return type(self), (self.path, self.names)

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        # Members share one file handle under the archive's own lock.
        return zipfile.ZipFile(self.path)

    def read(self, place: int) -> bytes:
        """Return a member's content."""
        return self._archive.read(self.names[place])

    def content(self, place: int) -> Content:
        """Return one image, as ``records.Source`` says."""
        try:
            return self.read(place)
        except _RAISED as error:
            raise UnreadableImageError(first_line(error), f"the image '{self.names[place]}'") from error


def _members(path: Path, what: str) -> list[zipfile.ZipInfo]:
    """Return the members of an archive, checked before any is read."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            size = path.stat().st_size
    except _RAISED as error:
        got = f"damaged ('{first_line(error)}')"
        raise DatasetError(expected(what, "a ZIP archive", got, "Copy or download it again")) from error
    if len(infos) > _MOST_MEMBERS:
        raise DatasetError(expected(what, f"of at most {_MOST_MEMBERS:,} files", f"{len(infos):,}", "Unpack it"))
    if any(info.flag_bits & 1 for info in infos):
        do = "Unpack it with its password, and name the folder"
        raise DatasetError(expected(what, "readable", "encrypted files", do))
    unpacked, largest = sum(info.file_size for info in infos), max((info.file_size for info in infos), default=0)
    if unpacked > _MOST_UNPACKED * size + _ALWAYS_ALLOWED or largest > _LARGEST:
        got = f"{unpacked:,} bytes from {size:,}, in files of up to {largest:,}"
        do = "Check where it comes from: images do not compress so well"
        raise DatasetError(expected(what, "an archive of images", got, do))
    return infos
