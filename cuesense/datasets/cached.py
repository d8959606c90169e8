"""A dataset that keeps decoded images in memory, for when many networks predict the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cuesense.datasets.images import to_rgb
from cuesense.datasets.left_out import remarks_of
from cuesense.datasets.splits import split_of
from cuesense.types import Dataset, Sample

# One GiB: some 7,000 images of 224 px, or all of ImageNet's validation set of 50,000 at 84 px. Chosen by hand.
_LIMIT = 2**30


@dataclass
class CachedDataset:
    """The samples of a dataset, of which those that were decoded first stay in memory; it is a types.Dataset.

    Attributes:
        source: The dataset.
        limit: Bytes of pixels that may be kept.
    """

    source: Dataset
    limit: int = _LIMIT
    _kept: dict[int, Sample] = field(default_factory=dict)
    _used: int = 0

    @property
    def spec(self) -> str:
        """The spec that the user gave."""
        return self.source.spec

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes; labels index them."""
        return self.source.class_names

    @property
    def sample_ids(self) -> Sequence[str]:
        """The id of every sample."""
        return self.source.sample_ids

    @property
    def labels(self) -> Sequence[int]:
        """The label of every sample."""
        return self.source.labels

    @property
    def fingerprint(self) -> str:
        """The source's fingerprint: the samples are the same."""
        return self.source.fingerprint

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the source has to say about how it was read."""
        return remarks_of(self.source)

    @property
    def split(self) -> str | None:
        """Which part of a larger dataset the source is."""
        return split_of(self.source)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.source)

    def __getitem__(self, index: int) -> Sample:
        """Return a sample, decoded at its first use; raises what the source raises."""
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        found = self.source[index]
        image = found.image if isinstance(found.image, np.ndarray) else np.asarray(to_rgb(found.image))
        # First come, first kept: every network reads in the same order, so that evicting would never leave a hit.
        if self._used + image.nbytes <= self.limit:
            self._used += image.nbytes
            self._kept[index] = replace(found, image=image)
        return found
