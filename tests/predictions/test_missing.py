"""What no shard holds yet: against a plain loop over images and conditions."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cuesense.predictions.missing import missing
from cuesense.predictions.shards import OutcomeStore
from tests.helpers.stored_outcomes import shard, wanted

CONDITIONS = ("a", "b", "c", "d")
PARTS = st.tuples(st.integers(0, 9), st.integers(1, 4), st.lists(st.sampled_from("abcdx"), min_size=1, unique=True))


@given(
    parts=st.lists(PARTS, max_size=4),
    images=st.permutations(range(12)).flatmap(lambda order: st.integers(1, 12).map(lambda count: order[:count])),
    among=st.sets(st.integers(0, 3)).map(sorted),
)
def test_is_every_cell_that_is_in_no_shard_once(
    parts: list[tuple[int, int, list[str]]], images: list[int], among: list[int]
) -> None:
    store, held = OutcomeStore(), set()
    for start, count, conditions in parts:
        store.write(shard(start, count, conditions))
        held |= {(image, name) for image in range(start, start + count) for name in conditions}
    found = missing(store, wanted(images), among)
    cells = [
        (images[row], CONDITIONS[number]) for entry in found for row in entry.images for number in entry.conditions
    ]
    expected = {(image, CONDITIONS[number]) for image in images for number in among} - held
    assert len(cells) == len(set(cells))
    assert set(cells) == expected
    # Images that lack the same conditions are together, in the order of the run.
    assert len({entry.conditions for entry in found}) == len(found)
    assert all(entry.images.tolist() == sorted(entry.images.tolist()) for entry in found)
    assert [entry.images[0] for entry in found] == sorted(entry.images[0] for entry in found)


def test_unreadable_images_are_known_and_scores_of_other_classes_are_not() -> None:
    store = OutcomeStore()
    store.write(shard(0, 2, skipped=((5, "f", "torn"),)))
    assert missing(store, wanted([0, 1, 5]), [0, 1, 2, 3]) == []
    (found,) = missing(store, wanted([0, 5, 6]), [0])
    assert found.images.tolist() == [2]
    other = OutcomeStore()
    other.write(shard(0, 2))
    assert missing(other, wanted([0, 1], chosen_from="two of many"), [0]) == []


@given(held=st.lists(PARTS, max_size=3), chosen=st.lists(st.booleans(), min_size=48, max_size=48))
def test_what_is_not_wanted_is_not_missing(held: list[tuple[int, int, list[str]]], chosen: list[bool]) -> None:
    store = OutcomeStore()
    known = set()
    for start, count, conditions in held:
        store.write(shard(start, count, conditions))
        known |= {(image, name) for image in range(start, start + count) for name in conditions}
    cells = np.array(chosen).reshape(4, 12)
    found = missing(store, replace(wanted(range(12)), cells=cells), range(4))
    lacking = {(image, CONDITIONS[number]) for entry in found for image in entry.images for number in entry.conditions}
    expected = {(image, name) for number, name in enumerate(CONDITIONS) for image in np.flatnonzero(cells[number])}
    assert lacking == expected - known
