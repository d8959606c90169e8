"""A dataset of image files: what folders and tables have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cuesense.datasets.images import decode
from cuesense.types import Sample


@dataclass(frozen=True)
class FileDataset:
    """Image files with labels; it is a types.Dataset, where the fields are described.

    Attributes:
        paths: Where each sample's file is.
    """

    spec: str
    class_names: tuple[str, ...]
    sample_ids: tuple[str, ...]
    labels: tuple[int, ...]
    paths: tuple[Path, ...]
    fingerprint: str

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
        fingerprint=fingerprint(ids, labels, map(_size, paths)),
    )


def fingerprint(ids: Iterable[str], labels: Iterable[int], sizes: Iterable[int]) -> str:
    """Return the SHA-256 of ids, labels and sizes.

    Args:
        ids: One a sample.
        labels: One a sample.
        sizes: One a sample: the file's length in bytes, or -1 where there is no file.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for row in zip(ids, labels, sizes, strict=True):
        digest.update("\0".join(map(str, row)).encode() + b"\n")
    return digest.hexdigest()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return -1
