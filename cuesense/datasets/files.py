"""A dataset of image files: what folders and tables have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import SEEK_END
from pathlib import Path

from cuesense.datasets.images import decode
from cuesense.types import Sample

# Bytes read at both ends of a file: reading whole files would cost as much as decoding the dataset, and two images of
# equal size practically never share their headers and their last block. One page of a disk's cache.
_GLANCE = 4096


@dataclass(frozen=True)
class FileDataset:
    """Image files with labels; it is a types.Dataset, where the fields are described.

    The fingerprint covers ids, labels, and every file's size and first and last 4 KiB.

    Attributes:
        paths: Where each sample's file is.
    """

    spec: str
    class_names: tuple[str, ...]
    sample_ids: tuple[str, ...]
    labels: tuple[int, ...]
    paths: tuple[Path, ...]

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal digest that differs where the data differ."""
        return fingerprint(self.sample_ids, self.labels, map(_glance, self.paths))

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.paths)

    def __getitem__(self, index: int) -> Sample:
        """Decode one file.

        Args:
            index: Which sample.

        Returns:
            The sample, its image in mode RGB.

        Raises:
            UnreadableImageError: The file holds no image.
        """
        return Sample(self.sample_ids[index], decode(self.paths[index]), self.labels[index])


def from_files(spec: str, class_names: Sequence[str], files: Iterable[tuple[str, int, Path]]) -> FileDataset:
    """Return a dataset of files, sorted by their ids.

    Args:
        spec: What the user named.
        class_names: Names of the classes.
        files: Id, label and path of each file; a file may be missing.

    Returns:
        The dataset.
    """
    ids, labels, paths = zip(*sorted(files), strict=True)
    return FileDataset(
        spec=spec,
        class_names=tuple(class_names),
        sample_ids=ids,
        labels=labels,
        paths=paths,
    )


def fingerprint(ids: Iterable[str], labels: Iterable[int], contents: Iterable[str]) -> str:
    """Return the SHA-256 of ids, labels and contents.

    Args:
        ids: One a sample.
        labels: One a sample.
        contents: One a sample: what identifies its image, or "" where nothing does.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for row in zip(ids, labels, contents, strict=True):
        digest.update("\0".join(map(str, row)).encode() + b"\n")
    return digest.hexdigest()


# A missing file is reported when it is decoded; the fingerprint must not fail on it.
def _glance(path: Path) -> str:
    """Return a digest of a file's size, start and end, or "" where there is no file to read."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            start = file.read(_GLANCE)
            size = file.seek(0, SEEK_END)
            file.seek(max(0, size - _GLANCE))
            end = file.read()
    except (OSError, ValueError):
        return ""
    return hashlib.blake2b(b"%d\0%b%b" % (size, start, end), digest_size=16).hexdigest()
