"""A run that goes on sees which images in memory are others than before."""

from __future__ import annotations

import numpy as np
import pytest

from cuesense.datasets.in_memory import wrap
from cuesense.datasets.subset import subset
from cuesense.errors import DatasetError
from cuesense.types import Dataset
from tests.helpers.engine_runs import run
from tests.helpers.small_networks import NAMES, Colors, picture


def held(changed: tuple[int, ...] = ()) -> Dataset:
    """Return 200 images, more than the fingerprint covers, of which some are others."""
    items = [(picture(number + 1000 * (number in changed), number % 3), number % 3) for number in range(200)]
    return wrap(items, class_names=NAMES)


def test_changed_images_of_every_shard_are_named_although_the_fingerprint_is_the_same() -> None:
    store, shards = run(held())
    assert shards == 2
    run(held(), store=store)
    assert held((1, 151)).fingerprint == held().fingerprint
    with pytest.raises(DatasetError, match=r"but got 2 others \('000000001', '000000151'\)"):
        run(held((1, 151)), store=store)


def test_a_subset_is_looked_at_too() -> None:
    few = subset(held(), 3)
    store, _ = run(few)
    with pytest.raises(DatasetError, match="but got 1 others"):
        run(subset(held((int(few.sample_ids[0]),)), 3), store=store)


def test_images_of_other_datasets_are_not_read_again() -> None:
    store, _ = run(Colors(12))
    again = Colors(12)
    run(again, store=store)
    assert again.read == []


def test_an_image_that_became_unreadable_is_another_one() -> None:
    class Late:
        targets = tuple(number % 3 for number in range(200))
        broken = False

        def __len__(self) -> int:
            return 200

        def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
            if self.broken and index == 1:
                raise OSError("gone")
            return picture(index, index % 3), index % 3

    data = Late()
    store, _ = run(wrap(data, class_names=NAMES))
    data.broken = True
    with pytest.raises(DatasetError, match="'000000001'"):
        run(wrap(data, class_names=NAMES), store=store)
