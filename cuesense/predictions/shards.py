"""Predictions of a network, kept in shards: the only module that knows how they lie on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuesense.atomic_files import claim, read_arrays, write_arrays

FOLDER = "outcomes"
# An interrupted run repeats at most one shard: 128 images take seconds to minutes. Chosen by hand; not tuned.
SHARD_SIZE = 128
# The prior correction needs the scores of the likeliest classes; those beyond carry hardly any probability, and 1,000
# classes would fill the disk. Chosen by hand; not tuned.
KEPT_SCORES = 32
# Memory for reading, whatever the number of conditions. Chosen by hand; not tuned.
_READ_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Shard:
    """The outcomes of up to SHARD_SIZE consecutive samples, condition-major.

    Attributes:
        labels: Class of each readable sample, (n,).
        positions: Index of each in the dataset's order of ids, (n,).
        predicted: Output with the largest logit, (M, n) for M conditions.
        p_true: Softmax probability of the true class's output, (M, n).
        margin: Logit of the true output minus the largest other logit, (M, n).
        scores: Log-probabilities of the dataset's classes, the best KEPT_SCORES of them, (M, n, m).
        classes: Class index of each score, (M, n, m); 32 bits wide above 32,768 classes.
        skipped: Id and reason of every sample that could not be decoded.
    """

    labels: NDArray[np.int64]
    positions: NDArray[np.int64]
    predicted: NDArray[np.int32]
    p_true: NDArray[np.float32]
    margin: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int16 | np.int32]
    skipped: tuple[tuple[str, str], ...] = ()


_ARRAYS = ("labels", "positions", "predicted", "p_true", "margin", "scores", "classes")


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

    A shard is written under a temporary name and renamed, so that a shard that exists is whole. The folder also
    holds the settings that made the shards; other settings are refused.

    Attributes:
        folder: The ``outcomes`` folder, or None to keep everything in memory.
    """

    folder: Path | None = None
    _memory: dict[int, Shard] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, settings: Mapping[str, Any], *, restart: bool = False) -> OutcomeStore:
        """Open or create a folder of shards.

        Args:
            folder: Where the shards are; created where missing.
            settings: Everything (JSON values) that decides what is in a shard.
            restart: Throw away what is there.

        Returns:
            The store.

        Raises:
            OutputError: The folder holds shards of other settings, or cannot be written.
        """
        claim(folder, settings, "shard-*.npz", restart=restart)
        return cls(folder)

    def __contains__(self, number: int) -> bool:
        """Return whether a shard is there."""
        return number in self._memory if self.folder is None else self._path(number).is_file()

    def write(self, number: int, shard: Shard) -> None:
        """Keep a shard.

        Args:
            number: Its number, from 0.
            shard: Its outcomes.

        Raises:
            OutputError: The disk is full or the folder cannot be written; nothing half-written is left.
        """
        if self.folder is None:
            self._memory[number] = shard
            return
        arrays = {name: getattr(shard, name) for name in _ARRAYS}
        write_arrays(self._path(number), arrays | {"skipped": np.array(json.dumps(shard.skipped))})

    def skipped_in(self, number: int) -> tuple[tuple[str, str], ...]:
        """Return id and reason of every sample of a shard that could not be decoded."""
        return self._read(number, ()).skipped

    def labels(self, shards: int) -> NDArray[np.int64]:
        """Return the label of every readable sample, (N,)."""
        return np.concatenate([self._read(number, ("labels",)).labels for number in range(shards)])

    def positions(self, shards: int) -> NDArray[np.int64]:
        """Return the index of every readable sample in the order of ids, (N,)."""
        return np.concatenate([self._read(number, ("positions",)).positions for number in range(shards)])

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
        names = ("predicted", "p_true", "margin", "scores", "classes")
        read = [self._read(number, names) for number in range(shards)]
        parts = {name: [getattr(shard, name)[list(wanted)] for shard in read] for name in names}
        joined = {name: np.concatenate(arrays, axis=1) for name, arrays in parts.items()}
        for index in range(len(wanted)):
            yield ConditionOutcomes(**{name: array[index] for name, array in joined.items()})

    def _path(self, number: int) -> Path:
        return (self.folder or Path()) / f"shard-{number:05d}.npz"

    def _read(self, number: int, names: Sequence[str]) -> Shard:
        """Read a shard; arrays that are not named stay empty."""
        if self.folder is None:
            return self._memory[number]
        found = read_arrays(self._path(number), [*names, "skipped"])
        arrays: dict[str, Any] = {name: found.get(name, np.empty(0)) for name in _ARRAYS}
        skipped = tuple((name, reason) for name, reason in json.loads(str(found["skipped"])))
        return Shard(**arrays, skipped=skipped)
