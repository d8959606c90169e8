"""A dataset of image files: what folders and tables have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cuesense.datasets.formats import decode
from cuesense.types import Sample

# Threads that hash files: hashlib works without the interpreter's lock. Chosen by hand.
_THREADS = 8


@dataclass(frozen=True)
class FileDataset:
    """Image files with labels; it is a types.Dataset, where the fields are described.

    The fingerprint covers ids, labels, and every file's content.

    Attributes:
        paths: Where each sample's file is.
        remarks: What the user should know of how the files were found, in sentences.
        split: Which part of a larger dataset the files are; None where they are all of it.
    """

    spec: str
    class_names: tuple[str, ...]
    sample_ids: tuple[str, ...]
    labels: tuple[int, ...]
    paths: tuple[Path, ...]
    remarks: tuple[str, ...] = ()
    split: str | None = None

    @cached_property
    def contents(self) -> tuple[str, ...]:
        """A hexadecimal digest of every file's content, "" where there is no file to read."""
        with ThreadPoolExecutor(_THREADS) as pool:
            return tuple(pool.map(_content, self.paths))

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal digest that differs where the data differ."""
        return fingerprint(self.sample_ids, self.labels, self.contents)

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
def _content(path: Path) -> str:
    """Return a digest of a file's content, or "" where there is no file to read."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            # As in images.pixel_digest, the hash that processors have instructions for.
            return hashlib.file_digest(file, "sha256").hexdigest()[:32]
    except (OSError, ValueError):
        return ""
