"""Which images and conditions of a run are in no shard yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cuesense.arrays import Bools, Ints
from cuesense.predictions.outcomes import Wanted
from cuesense.predictions.shards import ALL_OUTPUTS, OutcomeStore


class Missing(NamedTuple):
    """Images that lack the same conditions.

    Attributes:
        images: Their numbers in the order of the ids, rising, (n,).
        conditions: The numbers of the conditions, rising.
    """

    images: Ints
    conditions: tuple[int, ...]


def missing(store: OutcomeStore, wanted: Wanted, among: Sequence[int]) -> list[Missing]:
    """Return what a store does not hold, in the order of the first image.

    Args:
        store: The shards.
        wanted: The images and conditions of the run.
        among: The numbers of the conditions that are looked at, rising.

    Raises:
        OutputError: A shard is damaged, or comes from elsewhere.
    """
    conditions_of, shards_of = _index(store, wanted)
    alike: dict[tuple[tuple[int, ...], int], list[int]] = defaultdict(list)
    columns, column_of = _columns(wanted)
    for image, key in enumerate(zip(shards_of, column_of, strict=True)):
        alike[key].append(image)
    lacking: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for (shards, column), images in alike.items():
        held = {name for shard in shards for name in conditions_of[shard]}
        own = (number for number in among if columns[number, column] and wanted.conditions[number] not in held)
        lacking[tuple(own)] += images
    found = [Missing(np.sort(images), conditions) for conditions, images in lacking.items() if conditions]
    return sorted(found, key=lambda entry: int(entry.images[0]))


def _columns(wanted: Wanted) -> tuple[Bools, list[int]]:
    """Return the different sets of conditions that images are wanted under, (M, P), and which is each image's."""
    if wanted.cells is None:
        return np.ones((len(wanted.conditions), 1), dtype=np.bool_), [0] * len(wanted.images)
    columns, column_of = np.unique(wanted.cells, axis=1, return_inverse=True)
    return columns, column_of.ravel().tolist()


def _index(store: OutcomeStore, wanted: Wanted) -> tuple[list[tuple[str, ...]], list[tuple[int, ...]]]:
    """Return the conditions of every shard, and the shards of every image."""
    found = [store.held(name) for name in store.names]
    held = [entry for entry in found if entry.chosen_from in (ALL_OUTPUTS, wanted.chosen_from)]
    if not held:
        return [], [()] * len(wanted.images)
    images = np.concatenate([entry.images for entry in held])
    shards = np.repeat(np.arange(len(held)), [len(entry.images) for entry in held])
    order = np.argsort(images, kind="stable")
    first, last = (np.searchsorted(images[order], wanted.images, side=side) for side in ("left", "right"))
    owners = shards[order].tolist()
    spans = zip(first.tolist(), last.tolist(), strict=True)
    return [entry.conditions for entry in held], [tuple(owners[start:end]) for start, end in spans]
