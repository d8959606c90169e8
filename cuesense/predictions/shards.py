"""Predictions of a network, kept in shards: the only module that knows how they lie on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuesense.stores.arrays import ArrayStore

FOLDER = "outcomes"
# An interrupted run repeats at most one shard: 128 images take seconds to minutes. Chosen by hand; not tuned.
SHARD_SIZE = 128
# The prior correction needs the scores of the likeliest classes; those beyond carry hardly any probability, and 1,000
# classes would fill the disk. Chosen by hand; not tuned.
KEPT_SCORES = 32
# Raise it when a shard's arrays or their meaning change: it belongs to the settings, so that older shards are refused.
SHARD_VERSION = 3
# Memory for reading, whatever the number of conditions. Chosen by hand; not tuned.
_READ_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Shard:
    """The outcomes of up to SHARD_SIZE consecutive samples, condition-major.

    Attributes:
        labels: Class of each readable sample, (n,).
        positions: Index of each in the dataset's order of ids, (n,).
        digests: Hash of the pixels that the network was given of each, (n,): equal for copies of an image.
        largest: Largest value of each that has more than 8 bits a channel, (n,), NaN for the others.
        white: The value that was taken for white there, (n,), NaN where values were stretched.
        predicted: Output with the largest logit, (M, n) for M conditions.
        p_true: Softmax probability of the true class's output, (M, n).
        margin: Logit of the true output minus the largest other logit, (M, n).
        scores: Log-probabilities of the dataset's classes, the best KEPT_SCORES of them, (M, n, m).
        classes: Class index of each score, (M, n, m); 32 bits wide above 32,768 classes.
        skipped: Id and reason of every sample that could not be decoded.
    """

    labels: NDArray[np.int64]
    positions: NDArray[np.int64]
    digests: NDArray[np.uint64]
    largest: NDArray[np.float64]
    white: NDArray[np.float64]
    predicted: NDArray[np.int32]
    p_true: NDArray[np.float32]
    margin: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int16 | np.int32]
    skipped: tuple[tuple[str, str], ...] = ()


_OF_IMAGES = ("labels", "positions", "digests", "largest", "white")
_OF_CONDITIONS = ("predicted", "p_true", "margin", "scores", "classes")
_ARRAYS = (*_OF_IMAGES, *_OF_CONDITIONS)
_SKIPPED = "skipped"


@dataclass(frozen=True)
class ImageColumns:
    """What is known of every image whatever the condition; fields as in Shard."""

    labels: NDArray[np.int64]
    positions: NDArray[np.int64]
    digests: NDArray[np.uint64]
    largest: NDArray[np.float64]
    white: NDArray[np.float64]


@dataclass(frozen=True)
class ConditionOutcomes:
    """Every image's outcome under one condition; fields as in Shard without the condition axis."""

    predicted: NDArray[np.int32]
    p_true: NDArray[np.float32]
    margin: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int16 | np.int32]


@dataclass
class OutcomeStore:
    """Shards in a folder, or in memory where there is none.

    Attributes:
        files: The ``outcomes`` folder, or None to keep everything in memory.
    """

    files: ArrayStore | None = None
    _memory: dict[int, Shard] = field(default_factory=dict)

    @classmethod
    def open(
        cls, folder: Path, settings: Mapping[str, Any], *, restart: bool = False, made_of_it: Sequence[str] = ()
    ) -> OutcomeStore:
        """Open or create a folder of shards.

        Args:
            folder: Where the shards are; created where missing.
            settings: Everything (JSON values) that decides what is in a shard.
            restart: Throw away what is there.
            made_of_it: Files beside the folder that a restart deletes as well (see ``ArrayStore.open``).

        Returns:
            The store.

        Raises:
            OutputError: The folder holds shards of other settings, or cannot be written.
        """
        arrays = (*_ARRAYS, _SKIPPED)
        return cls(ArrayStore.open(folder, settings, "shard-*.npz", arrays, restart=restart, made_of_it=made_of_it))

    def __contains__(self, number: int) -> bool:
        """Return whether a shard is there."""
        return number in self._memory if self.files is None else _name(number) in self.files

    def write(self, number: int, shard: Shard) -> None:
        """Keep a shard.

        Args:
            number: Its number, from 0.
            shard: Its outcomes.

        Raises:
            OutputError: The disk is full or the folder cannot be written; nothing half-written is left.
        """
        if self.files is None:
            self._memory[number] = shard
            return
        arrays = {name: getattr(shard, name) for name in _ARRAYS}
        self.files.write(_name(number), arrays | {_SKIPPED: np.array(json.dumps(shard.skipped))})

    def skipped_in(self, number: int) -> tuple[tuple[str, str], ...]:
        """Return id and reason of every sample of a shard that could not be decoded."""
        return self._read(number, ()).skipped

    def labels(self, shards: int) -> NDArray[np.int64]:
        """Return the label of every readable sample, (N,)."""
        return np.concatenate([self._read(number, ("labels",)).labels for number in range(shards)])

    def positions(self, shards: int) -> NDArray[np.int64]:
        """Return the index of every readable sample in the order of ids, (N,)."""
        return np.concatenate([self._read(number, ("positions",)).positions for number in range(shards)])

    def images(self, shards: int) -> ImageColumns:
        """Return what is known of every readable sample whatever the condition, (N,) each."""
        read = [self._read(number, _OF_IMAGES) for number in range(shards)]
        return ImageColumns(**{name: np.concatenate([getattr(shard, name) for shard in read]) for name in _OF_IMAGES})

    def images_in(self, number: int) -> ImageColumns:
        """Return the same of the samples of one shard."""
        shard = self._read(number, _OF_IMAGES)
        return ImageColumns(**{name: getattr(shard, name) for name in _OF_IMAGES})

    def conditions(self, shards: int, wanted: Sequence[int]) -> Iterator[ConditionOutcomes]:
        """Yield the outcomes of some conditions, one after the other, reading a bounded amount at a time.

        Args:
            shards: How many shards there are.
            wanted: Condition numbers, in the order in which they are wanted.

        Yields:
            One ConditionOutcomes a wanted condition.
        """
        first = self._read(0, ("scores",)).scores
        bytes_each = max(1, shards * SHARD_SIZE * first.shape[2] * 6)
        step = max(1, _READ_BYTES // bytes_each)
        for start in range(0, len(wanted), step):
            yield from self._together(shards, wanted[start : start + step])

    def _together(self, shards: int, wanted: Sequence[int]) -> Iterator[ConditionOutcomes]:
        read = [self._read(number, _OF_CONDITIONS) for number in range(shards)]
        parts = {name: [getattr(shard, name)[list(wanted)] for shard in read] for name in _OF_CONDITIONS}
        joined = {name: np.concatenate(arrays, axis=1) for name, arrays in parts.items()}
        for index in range(len(wanted)):
            yield ConditionOutcomes(**{name: array[index] for name, array in joined.items()})

    def _read(self, number: int, names: Sequence[str]) -> Shard:
        """Read a shard; arrays that are not named stay empty."""
        if self.files is None:
            return self._memory[number]
        found = self.files.read(_name(number), [*names, _SKIPPED])
        arrays: dict[str, Any] = {name: found.get(name, np.empty(0)) for name in _ARRAYS}
        skipped = tuple((name, reason) for name, reason in json.loads(str(found[_SKIPPED])))
        return Shard(**arrays, skipped=skipped)


def _name(number: int) -> str:
    return f"shard-{number:05d}.npz"
