"""A smaller dataset out of a larger one."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, replace

from cuesense.datasets.files import FileDataset, fingerprint
from cuesense.datasets.left_out import remarks_of
from cuesense.datasets.records import RecordDataset
from cuesense.datasets.splits import split_of
from cuesense.errors import SettingsError, expected
from cuesense.types import Dataset, Sample


@dataclass(frozen=True)
class Subset:
    """Some samples of a dataset; it is a types.Dataset, where the fields are described.

    Attributes:
        source: The whole dataset.
        indices: The chosen samples' indices in it.
    """

    spec: str
    class_names: tuple[str, ...]
    sample_ids: tuple[str, ...]
    labels: tuple[int, ...]
    fingerprint: str
    source: Dataset
    indices: tuple[int, ...]

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the source has to say about how it was read."""
        return remarks_of(self.source)

    @property
    def split(self) -> str | None:
        """Which part of a larger dataset the source is."""
        return split_of(self.source)

    def __len__(self) -> int:
        """Return the number of chosen samples."""
        return len(self.indices)

    def __getitem__(self, index: int) -> Sample:
        """Return one of the chosen samples.

        Args:
            index: Which of them.

        Returns:
            The sample.

        Raises:
            UnreadableImageError: Its image cannot be decoded.
        """
        return self.source[self.indices[index]]


def subset(dataset: Dataset, images_per_class: int) -> Dataset:
    """Return the same few images of each class, whatever the order of the files.

    In each class they are the first in the order of their ids' blake2b hashes, so that a smaller choice is part of
    every larger one. The fingerprint depends on the chosen ids and, of files, on theirs; else on the whole dataset's.

    Args:
        dataset: The whole dataset.
        images_per_class: At most so many of each class, from 1.

    Returns:
        The chosen samples in the dataset's order.

    Raises:
        SettingsError: images_per_class is below 1.
    """
    if images_per_class < 1:
        raise SettingsError(expected("images per class", "at least 1", images_per_class, "Choose 1 or more"))
    indices = _choose(dataset, images_per_class)
    ids, labels = dataset.sample_ids, dataset.labels
    chosen_ids, chosen_labels = tuple(ids[i] for i in indices), tuple(labels[i] for i in indices)
    if isinstance(dataset, RecordDataset):
        return dataset.chosen(indices)
    if isinstance(dataset, FileDataset):
        # Files that were not chosen are not read for the fingerprint.
        paths = tuple(dataset.paths[i] for i in indices)
        return replace(dataset, sample_ids=chosen_ids, labels=chosen_labels, paths=paths)
    return Subset(
        spec=dataset.spec,
        class_names=dataset.class_names,
        sample_ids=chosen_ids,
        labels=chosen_labels,
        fingerprint=fingerprint([dataset.fingerprint, *chosen_ids], [-1, *chosen_labels], [""] * (1 + len(indices))),
        source=dataset,
        indices=indices,
    )


def _choose(dataset: Dataset, images_per_class: int) -> tuple[int, ...]:
    members: dict[int, list[int]] = defaultdict(list)
    for index, label in enumerate(dataset.labels):
        members[label].append(index)
    # A hash of the id, and not a random choice: the same images whatever the order, the seed or the rest of the data.
    keys = [hashlib.blake2b(name.encode(), digest_size=8).digest() for name in dataset.sample_ids]
    ranked = (sorted(indices, key=keys.__getitem__) for indices in members.values())
    return tuple(sorted(index for indices in ranked for index in indices[:images_per_class]))
