"""Shards of random predictions, and runs that want them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cuesense.predictions.outcomes import Outcomes, Wanted
from cuesense.predictions.shards import ALL_OUTPUTS, OutcomeStore, Shard


def shard(
    start: int,
    count: int,
    conditions: Sequence[str] = ("a", "b", "c", "d"),
    outputs: int = 3,
    skipped: tuple[tuple[int, str, str], ...] = (),
) -> Shard:
    """Return predictions of images start, start + 1, ..., the scores those of all outputs of a network."""
    random = np.random.default_rng(start)
    several = len(conditions)
    return Shard(
        images=np.arange(start, start + count, dtype=np.uint64),
        digests=random.integers(0, 2**64, count, dtype=np.uint64),
        largest=np.where(np.arange(count) % 2, np.nan, 4095.0),
        white=np.where(np.arange(count) % 2, np.nan, 65535.0),
        predicted=random.integers(0, outputs, (several, count)).astype(np.int32),
        p_true=random.random((several, count), dtype=np.float32),
        margin=random.random((several, count), dtype=np.float32),
        scores=random.random((several, count, outputs), dtype=np.float32),
        outputs=np.empty((several, count, 0), np.int16),
        conditions=tuple(conditions),
        skipped=skipped,
    )


def wanted(
    images: Sequence[int],
    conditions: Sequence[str] = ("a", "b", "c", "d"),
    outputs: Sequence[int] = (0, 1, 2),
    chosen_from: str = ALL_OUTPUTS,
) -> Wanted:
    """Return a run that wants some images; the class of image i is i modulo the number of the classes."""
    return Wanted(
        images=np.array(images, dtype=np.uint64),
        labels=np.array(images, dtype=np.int64) % len(outputs),
        outputs=np.array(outputs, dtype=np.int64),
        conditions=tuple(conditions),
        chosen_from=chosen_from,
    )


def outcomes_of(
    labels: Sequence[int],
    predicted: Sequence[Sequence[int]],
    scores: Sequence[np.ndarray],
    outputs: Sequence[int],
    *,
    folder: Path | None = None,
    sizes: Sequence[int] = (),
    digests: Sequence[int] | None = None,
) -> Outcomes:
    """Return the outcomes of N images under M conditions as a run reads them from its shards.

    Args:
        labels: Class of each image, (N,).
        predicted: The output that was predicted, (M, N).
        scores: Log-probabilities of the classes, (M, N, C).
        outputs: The output of each class.
        folder: Where shards are kept; None keeps them in memory.
        sizes: Images of each shard; one shard where it is empty.
        digests: Hash of each image's pixels; those of different images where it is None.
    """
    store = OutcomeStore() if folder is None else OutcomeStore.open(folder, {})
    count, conditions = len(labels), tuple(f"condition {number}" for number in range(len(predicted)))
    known = np.arange(count) if digests is None else np.array(digests)
    start = 0
    for size in sizes or (count,):
        part = slice(start, start + size)
        table = np.stack(scores)[:, part].astype(np.float32)
        store.write(
            Shard(
                images=np.arange(count, dtype=np.uint64)[part],
                digests=known.astype(np.uint64)[part],
                largest=np.full(count, np.nan)[part],
                white=np.full(count, np.nan)[part],
                predicted=np.stack(predicted)[:, part].astype(np.int32),
                p_true=table[..., 0],
                margin=table[..., 0],
                scores=table,
                outputs=np.broadcast_to(np.array(outputs, dtype=np.int16), table.shape).copy(),
                conditions=conditions,
                chosen_from="the classes",
            )
        )
        start += size
    run = Wanted(np.arange(count, dtype=np.uint64), np.array(labels), np.array(outputs), conditions, "the classes")
    return Outcomes(store, run)
