"""Images that lie inside other files (archives, tables, arrays): labels and ids are known, pixels are read later."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cuesense.datasets.files import fingerprint
from cuesense.datasets.formats import decode_bytes
from cuesense.errors import DatasetError, UnreadableImageError, expected
from cuesense.types import Sample

# Threads that read and hash contents: hashlib works without the interpreter's lock. Chosen by hand.
_THREADS = 8

Content = bytes | NDArray[np.uint8]
"""An image as its source holds it: the bytes of an image file, or pixels of shape (H, W, 3)."""


class Source(Protocol):
    """What holds the images; it is read in any order, by several threads."""

    def content(self, place: int) -> Content:
        """Return one image.

        Args:
            place: Which one, in the source's own order.

        Raises:
            UnreadableImageError: It cannot be read.
        """


@dataclass(frozen=True)
class RecordDataset:
    """Images of a source with labels; it is a types.Dataset, where the fields are described.

    The fingerprint covers ids, labels and every image's content.

    Attributes:
        source: What holds the images.
        places: Each sample's place in the source.
        remarks: What the user should know of how the data were read, in sentences.
        split: Which part of a larger dataset it is, as its source calls it; None where it is no part.
    """

    spec: str
    class_names: tuple[str, ...]
    sample_ids: tuple[str, ...]
    labels: tuple[int, ...]
    source: Source
    places: tuple[int, ...]
    remarks: tuple[str, ...] = ()
    split: str | None = None

    @cached_property
    def contents(self) -> tuple[str, ...]:
        """A hexadecimal digest of every image's content, "" where it cannot be read."""
        with ThreadPoolExecutor(_THREADS) as pool:
            return tuple(pool.map(self._digest, self.places))

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal digest that differs where the data differ."""
        return fingerprint(self.sample_ids, self.labels, self.contents)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.places)

    def __getitem__(self, index: int) -> Sample:
        """Return one sample.

        Args:
            index: Which sample.

        Returns:
            The sample; its image is PIL in mode RGB, or an array of shape (H, W, 3) and dtype uint8.

        Raises:
            UnreadableImageError: The image cannot be read or decoded.
        """
        name = self.sample_ids[index]
        found = self.source.content(self.places[index])
        image = decode_bytes(found, name) if isinstance(found, bytes) else found
        return Sample(name, image, self.labels[index])

    def chosen(self, indices: Sequence[int]) -> RecordDataset:
        """Return some of the samples; what is not chosen is not read for the fingerprint."""
        return replace(
            self,
            sample_ids=tuple(self.sample_ids[i] for i in indices),
            labels=tuple(self.labels[i] for i in indices),
            places=tuple(self.places[i] for i in indices),
        )

    def _digest(self, place: int) -> str:
        try:
            found = self.source.content(place)
        except UnreadableImageError:
            return ""
        if isinstance(found, bytes):
            return hashlib.sha256(found).hexdigest()[:32]
        shaped = hashlib.sha256(repr(found.shape).encode())
        shaped.update(np.ascontiguousarray(found).data)
        return shaped.hexdigest()[:32]


def from_records(
    spec: str,
    class_names: Sequence[str],
    records: Iterable[tuple[str, int, int]],
    source: Source,
    remarks: Iterable[str] = (),
    split: str | None = None,
) -> RecordDataset:
    """Return a dataset of records, sorted by their ids.

    Args:
        spec: What the user named.
        class_names: Names of the classes.
        records: Id, label and place in the source of each image; at least one.
        source: What holds the images.
        remarks: As in RecordDataset.
        split: As in RecordDataset.

    Raises:
        DatasetError: There is no image.
    """
    rows = sorted(records)
    if not rows:
        raise DatasetError(expected(f"'{spec}'", "a dataset with images", "none", "Name one that holds labeled images"))
    ids, labels, places = zip(*rows, strict=True)
    return RecordDataset(spec, tuple(class_names), ids, labels, source, places, tuple(remarks), split)


def record_ids(names: Sequence[str | None], classes: Sequence[str]) -> list[str]:
    """Return the ids of images that lie inside another file.

    Random draws depend on the id, so that the same images get the same draws from every reader that knows their names:
    a name with folders is the id, and a bare name gets its class for a folder, as it has in a folder of class folders.
    Where names are missing or not distinct, ids are positions, as for arrays and torch datasets.

    Args:
        names: The name of each image's file, with ``/`` between folders, None where it has none.
        classes: The name of each image's class.
    """
    given = [
        "" if not name else name if "/" in name else f"{kind}/{name}"
        for name, kind in zip(map(_relative, names), classes, strict=True)
    ]
    if all(given) and len(set(given)) == len(given):
        return given
    return position_ids(len(given))


def position_ids(count: int) -> list[str]:
    """Return the ids of images without names: their positions, with leading zeros, as for torch datasets."""
    return [f"{index:09d}" for index in range(count)]


def _relative(name: str | None) -> str:
    """Return a name with ``/`` between folders; of an absolute path, which names another machine's folders, the end."""
    path = PurePosixPath((name or "").replace("\\", "/"))
    text = path.as_posix()
    return path.name if path.is_absolute() or "://" in text or text == "." else text
