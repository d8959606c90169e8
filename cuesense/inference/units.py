"""Cut a run into units of work: images and conditions that one shard holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from cuesense.arrays import Bools
from cuesense.datasets.contents import contents_of
from cuesense.datasets.images import Prepared
from cuesense.inference.decoding import decoded
from cuesense.inference.options import RunOptions
from cuesense.predictions.missing import missing
from cuesense.predictions.outcomes import Wanted
from cuesense.predictions.shards import (
    SHARD_SIZE,
    OutcomeStore,
    condition_identity,
    image_identity,
    outputs_identity,
)
from cuesense.types import Classifier, Condition, Dataset

# Networks run as fast on batches of a multiple of 32 as on any.
_STEP = 32
# Images of small units that share batches: at most the last batch under each condition is filled up. Chosen by hand.
_IMAGES_TOGETHER = 4 * SHARD_SIZE
# So that the last units of several workers end at about the same time. Chosen by hand; not tuned.
_UNITS_A_WORKER = 4


class Unit(NamedTuple):
    """What is computed together and kept in one shard.

    Attributes:
        images: The images' indices in the dataset.
        conditions: The numbers of the run's conditions.
        part: Which part of the run does it, from 1.
    """

    images: tuple[int, ...]
    conditions: tuple[int, ...]
    part: int = 1

    @property
    def forwards(self) -> int:
        """How many images a network is shown, each under every condition."""
        return len(self.images) * len(self.conditions)


@dataclass(frozen=True)
class Run:
    """A network, and the images and conditions that it is to be run on.

    Attributes:
        classifier: The network and how it wants its images.
        dataset: The images.
        outputs: The network's output of each of the dataset's classes, length C.
        conditions: What to do to every image; the clean condition comes first.
        options: Device, batch size, precision, workers and seed.
        cells: Which images, in the order of the ids, are to be predicted under which conditions, (M, N); None for all.
    """

    classifier: Classifier
    dataset: Dataset
    outputs: tuple[int, ...]
    conditions: tuple[Condition, ...]
    options: RunOptions
    cells: Bools | None = None

    @property
    def batch_size(self) -> int:
        """Images in a forward pass; not many more than there are, because a batch is filled up."""
        filled = max(SHARD_SIZE, -(-len(self.dataset) // _STEP) * _STEP)
        return self.classifier.fixed_batch or min(self.options.batch_size, filled)

    @property
    def shard_size(self) -> int:
        """Images in a shard: whole batches, so that none but the last is filled up."""
        return max(1, SHARD_SIZE // self.batch_size) * self.batch_size

    @property
    def output_count(self) -> int:
        """How many outputs the network must have."""
        names = self.classifier.class_names
        return len(names.names) if names else max(self.outputs) + 1


class Identities:
    """The identity of every image of a run, by which its predictions are found again.

    Files are known by their content; of images in memory the pixels are hashed, as soon as that is needed. Where
    predictions are not kept on disk, nobody looks for them later, and an id is enough.
    """

    def __init__(self, run: Run, store: OutcomeStore) -> None:
        """Find out what is known of the images without decoding them.

        Args:
            run: The images, and how they are prepared.
            store: Where predictions are kept.
        """
        # Once: a dataset may put them together at every call.
        self._ids, self._labels = run.dataset.sample_ids, run.dataset.labels
        ids = self._ids
        self.order = sorted(range(len(ids)), key=ids.__getitem__)
        self.chosen_from = outputs_identity(run.outputs, run.output_count)
        self._run = run
        self._code = store.code
        self.conditions = tuple(map(self.condition_of, run.conditions))
        kept = store.files is not None
        contents = list(contents_of(run.dataset).values()) if kept else [""] * len(ids)
        self._content: dict[int, str] = dict(enumerate(contents))
        self._hashed = len(self._content) < len(ids)
        # Before anything is kept there is nothing to find.
        if self._hashed and store.names:
            self._hash(self.order)

    def of(self, index: int, image: Prepared | str) -> int:
        """Return the identity of an image that was decoded, or why it could not be."""
        if self._hashed:
            self._content[index] = _content(image)
        return self._identity(index)

    def learned(self, indices: Iterable[int]) -> dict[int, str]:
        """Return what was found out of some images by decoding them, by index."""
        return {index: self._content[index] for index in indices if index in self._content} if self._hashed else {}

    def learn(self, content: Mapping[int, str]) -> None:
        """Take over what another process has learned."""
        self._content |= content

    def complete(self) -> None:
        """Decode the images in memory that were not decoded yet, so that others' predictions of them are found."""
        if self._hashed:
            self._hash([index for index in self.order if index not in self._content])

    def condition_of(self, condition: Condition) -> str:
        """Return the identity of a condition."""
        return condition_identity(condition, self._code)

    def wanted(self) -> Wanted:
        """Return the images and conditions of the run, in the order of the ids.

        Images in memory that were not decoded yet are found nowhere.
        """
        return Wanted(
            images=np.array([self._identity(index) for index in self.order], dtype=np.uint64),
            labels=np.array([self._labels[index] for index in self.order], dtype=np.int64),
            outputs=np.array(self._run.outputs, dtype=np.int64),
            conditions=self.conditions,
            chosen_from=self.chosen_from,
            cells=self._run.cells,
        )

    def of_cells(self, run: Run) -> Identities:
        """Return the identities of the same run with other cells; what one of the two learns, both know."""
        other = copy(self)
        other._run = run
        return other

    def _identity(self, index: int) -> int:
        output = self._run.outputs[self._labels[index]]
        return image_identity(self._ids[index], self._content.get(index, ""), output)

    def _hash(self, indices: Sequence[int]) -> None:
        dataset, preprocessing = self._run.dataset, self._run.classifier.preprocessing
        with ThreadPoolExecutor(self._run.options.workers) as pool:
            images = pool.map(lambda index: decoded(dataset, index, preprocessing), indices)
            self._content |= {index: _content(image) for index, image in zip(indices, images, strict=True)}


def _content(image: Prepared | str) -> str:
    return "unreadable" if isinstance(image, str) else f"{image.digest:016x}"


def units(run: Run, store: OutcomeStore, identities: Identities) -> list[Unit]:
    """Return what of a run is not in a store yet, as units of work in the order of the ids.

    What a unit holds depends on the images, the conditions and what was there before the run, and on no other unit:
    parts of a run that begin at other times, and runs that go on, cut alike.

    Args:
        run: The run; its options say into how many parts it is cut.
        store: Where predictions are kept.
        identities: Those of the run's images.

    Raises:
        OutputError: A shard is damaged, or comes from elsewhere.
    """
    size, parts = run.shard_size, run.options.part.of
    count = _groups(len(identities.order), len(run.conditions), size, parts)
    wanted, found = identities.wanted(), []
    for group in range(count):
        among = [number for number in range(len(run.conditions)) if number * count // len(run.conditions) == group]
        for entry in missing(store, wanted, among):
            for start in range(0, len(entry.images), size):
                rows = entry.images[start : start + size].tolist()
                place = rows[0] // size * count + group
                images = tuple(identities.order[row] for row in rows)
                found.append((place, Unit(images, entry.conditions, place % parts + 1)))
    return [unit for _, unit in sorted(found)]


def together(run: Run, work: Sequence[Unit]) -> list[list[Unit]]:
    """Return units of work in groups whose images share batches: each by itself where all images are predicted alike.

    Args:
        run: The run that they are of.
        work: The units.
    """
    if run.cells is None:
        return [[unit] for unit in work]
    groups: list[list[Unit]] = []
    for unit in work:
        if not groups or sum(len(other.images) for other in groups[-1]) >= _IMAGES_TOGETHER:
            groups.append([])
        groups[-1].append(unit)
    return groups


def finer(work: Sequence[Unit], workers: int) -> list[Unit]:
    """Return units of work cut by their conditions where there are too few of them for all workers.

    Args:
        work: The units.
        workers: How many processes share them.
    """
    count = -(-_UNITS_A_WORKER * workers // max(1, len(work)))
    return [unit._replace(conditions=group) for unit in work for group in _cut(unit.conditions, count)]


def _cut(conditions: tuple[int, ...], count: int) -> list[tuple[int, ...]]:
    """Return conditions in at most so many groups of about the same length."""
    count = min(count, len(conditions))
    edges = [number * len(conditions) // count for number in range(count + 1)]
    return [conditions[start:end] for start, end in pairwise(edges)]


def _groups(images: int, conditions: int, size: int, workers: int) -> int:
    """Return into how many groups the conditions are cut: into one, unless there are too few shards for all workers."""
    shards = max(1, -(-images // size))
    if workers == 1:
        return 1
    return min(conditions, max(1, -(-_UNITS_A_WORKER * workers // shards)))
