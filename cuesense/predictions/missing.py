"""Which images and conditions of a run are in no shard yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cuesense.arrays import Ints
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
    by_shards: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for image, shards in enumerate(shards_of):
        by_shards[shards].append(image)
    lacking: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for shards, images in by_shards.items():
        held = {name for shard in shards for name in conditions_of[shard]}
        lacking[tuple(number for number in among if wanted.conditions[number] not in held)] += images
    found = [Missing(np.sort(images), conditions) for conditions, images in lacking.items() if conditions]
    return sorted(found, key=lambda entry: int(entry.images[0]))


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
