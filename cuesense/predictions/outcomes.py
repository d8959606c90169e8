"""What was predicted for the images of one dataset under the conditions of one run, read from its shards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuesense.arrays import Bools, Ints
from cuesense.errors import OutputError, expected
from cuesense.predictions.shards import ALL_OUTPUTS, KEPT_SCORES, OF_IMAGES, OutcomeStore

# Memory for reading, whatever the number of conditions. Chosen by hand; not tuned.
_READ_BYTES = 256 * 2**20
_SCORE_BYTES = 8


@dataclass(frozen=True)
class ImageColumns:
    """What is known of every readable image whatever the condition.

    Attributes:
        labels: Class of each, (n,).
        positions: Index of each in the dataset's order of ids, (n,).
        digests: As for Shard, (n,).
        largest: Likewise.
        white: Likewise.
    """

    labels: NDArray[np.int64]
    positions: NDArray[np.int64]
    digests: NDArray[np.uint64]
    largest: NDArray[np.float64]
    white: NDArray[np.float64]


@dataclass(frozen=True)
class ConditionOutcomes:
    """Every readable image's outcome under one condition.

    Attributes:
        predicted: As for Shard, (n,).
        p_true: Likewise.
        margin: Likewise.
        scores: Log-probabilities of the dataset's classes, the best KEPT_SCORES of them, (n, m).
        classes: Class index of each score, (n, m).
        seen: Which images were predicted, (n,), of a run that does not want all; None where all were. What stands at
            the others has no meaning.
    """

    predicted: NDArray[np.int32]
    p_true: NDArray[np.float32]
    margin: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int16 | np.int32]
    seen: Bools | None = None


@dataclass(frozen=True)
class Wanted:
    """The images and conditions of one run.

    Attributes:
        images: Identity of each image, in the order of the ids, (N,).
        labels: Class of each, (N,).
        outputs: The output of each of the C classes, (C,).
        conditions: Identity of each condition, length M.
        chosen_from: What the scores must be chosen from (``shards.outputs_identity``).
        cells: Which images are wanted under which conditions, (M, N); None for all.
    """

    images: NDArray[np.uint64]
    labels: Ints
    outputs: Ints
    conditions: tuple[str, ...]
    chosen_from: str
    cells: Bools | None = None


class Outcomes:
    """The predictions of one run, read from its shards a bounded amount at a time.

    Attributes:
        images: What is known of every readable image.
        skipped: Id and reason of every image that could not be decoded, in the order of the ids.
        unfinished: Numbers of the parts of the run that lack shards, rising.
    """

    def __init__(self, store: OutcomeStore, wanted: Wanted, unfinished: tuple[int, ...] = ()) -> None:
        """Find the images of a run in a store.

        Args:
            store: The shards.
            wanted: The images and conditions.
            unfinished: As for the attribute.

        Raises:
            OutputError: A shard is damaged, or comes from elsewhere.
        """
        self.unfinished = unfinished
        self._store, self._wanted = store, wanted
        self._order = np.argsort(wanted.images, kind="stable")
        self._sorted = wanted.images[self._order]
        self._shards = [name for name in store.names if self._concerns(name)]
        self.images, self.skipped = self._read_images()
        self._place = np.full(len(wanted.images), -1)
        self._place[self.images.positions] = np.arange(len(self.images.positions))

    def conditions(self, wanted: Sequence[int]) -> Iterator[ConditionOutcomes]:
        """Yield the outcomes of some conditions, one after the other, reading a bounded amount at a time.

        Args:
            wanted: Numbers of the run's conditions, in the order in which they are wanted.

        Yields:
            One ConditionOutcomes a wanted condition.

        Raises:
            OutputError: A shard is damaged, or images are missing under a condition.
        """
        each = max(1, len(self.images.labels) * min(KEPT_SCORES, len(self._wanted.outputs)) * _SCORE_BYTES)
        step = max(1, _READ_BYTES // each)
        for start in range(0, len(wanted), step):
            yield from self._together(list(wanted[start : start + step]))

    def _concerns(self, name: str) -> bool:
        held = self._store.held(name)
        known = held.chosen_from in (ALL_OUTPUTS, self._wanted.chosen_from)
        return known and not set(self._wanted.conditions).isdisjoint(held.conditions)

    def _rows(self, images: NDArray[np.uint64]) -> tuple[Ints, Ints]:
        """Return which of a shard's images are of this run, and where each of these is in the order of the ids."""
        if not len(self._sorted):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        found = np.searchsorted(self._sorted, images).clip(max=len(self._sorted) - 1)
        rows = np.flatnonzero(self._sorted[found] == images)
        return rows, self._order[found[rows]]

    def _read_images(self) -> tuple[ImageColumns, tuple[tuple[str, str], ...]]:
        count = len(self._wanted.images)
        columns: dict[str, Any] = {
            name: np.zeros(count, np.uint64 if name == "digests" else np.float64) for name in OF_IMAGES
        }
        readable = np.zeros(count, dtype=bool)
        skipped: dict[int, tuple[str, str]] = {}
        for name in self._shards:
            shard = self._store.read(name, ("images", *OF_IMAGES))
            rows, places = self._rows(shard.images)
            readable[places] = True
            for column, values in columns.items():
                values[places] = getattr(shard, column)[rows]
            unreadable = np.array([entry[0] for entry in shard.skipped], dtype=np.uint64)
            for row, place in zip(*self._rows(unreadable), strict=True):
                skipped[int(place)] = shard.skipped[row][1:]
        positions = np.flatnonzero(readable)
        known = {column: values[positions] for column, values in columns.items()}
        images = ImageColumns(labels=self._wanted.labels[positions], positions=positions, **known)
        return images, tuple(skipped[place] for place in sorted(skipped))

    def _together(self, wanted: list[int]) -> Iterator[ConditionOutcomes]:
        names = [self._wanted.conditions[number] for number in wanted]
        count = len(self.images.labels)
        gathered = [_Gathered(count, self._wanted.outputs) for _ in wanted]
        for shard in self._shards:
            held = self._store.held(shard)
            rows, places = self._rows(held.readable)
            has = [at for at, name in enumerate(names) if len(rows) and name in held.conditions]
            if has:
                under = self._store.under(shard, [names[at] for at in has])
                # Most shards are read whole, without a copy.
                own = slice(None) if len(rows) == len(held.readable) else rows
                for row, at in enumerate(has):
                    found = {column: values[row, own] for column, values in under.items()}
                    gathered[at].add(found, held.chosen_from, self._place[places])
        # In turn, so that what was handed over is not kept here.
        gathered.reverse()
        for name, number in zip(names, wanted, strict=True):
            cells = self._wanted.cells
            of_images = None if cells is None else cells[number, self.images.positions]
            yield gathered.pop().outcomes(name, number, of_images)


class _Gathered:
    """One condition's outcomes of all images, put together from shards."""

    def __init__(self, count: int, outputs: Ints) -> None:
        kept = min(KEPT_SCORES, len(outputs))
        self.outputs = outputs
        self.class_of = np.full(int(outputs.max(initial=0)) + 1, -1)
        self.class_of[outputs] = np.arange(len(outputs))
        self.seen: Bools = np.zeros(count, dtype=bool)
        wide = np.int16 if len(outputs) <= np.iinfo(np.int16).max + 1 else np.int32
        self.columns: dict[str, Any] = {
            "predicted": np.zeros(count, np.int32),
            "p_true": np.zeros(count, np.float32),
            "margin": np.zeros(count, np.float32),
            "scores": np.zeros((count, kept), np.float32),
            "classes": np.zeros((count, kept), wide),
        }

    def add(self, found: Mapping[str, Any], chosen_from: str, places: Ints) -> None:
        """Take over what a shard holds for some images, and put it at their places."""
        self.seen[places] = True
        for name in ("predicted", "p_true", "margin"):
            self.columns[name][places] = found[name]
        if chosen_from == ALL_OUTPUTS:
            scores, classes = _best(found["scores"][:, self.outputs])
        else:
            scores, classes = found["scores"], self.class_of[found["outputs"]]
        self.columns["scores"][places], self.columns["classes"][places] = scores, classes

    def outcomes(self, condition: str, number: int, wanted: Bools | None) -> ConditionOutcomes:
        """Return them, or raise OutputError where wanted images are missing.

        More than those that are wanted may be there, from an earlier run; an answer must not depend on it.
        """
        missing = ~self.seen if wanted is None else wanted & ~self.seen
        if missing.any():
            got = f"{int(missing.sum())} missing under condition {number} ({condition})"
            raise OutputError(expected("all images", "in the outcomes", got, "Run the same command again"))
        return ConditionOutcomes(**self.columns, seen=None if wanted is None or wanted.all() else wanted)


def _best(scores: NDArray[np.float32]) -> tuple[NDArray[np.float32], Ints]:
    """Return the best KEPT_SCORES scores and their classes; all of them, in class order, where there are no more."""
    if scores.shape[1] <= KEPT_SCORES:
        return scores, np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :KEPT_SCORES]
    return np.take_along_axis(scores, best, axis=1), best
