"""Outcomes of a run, put together from the shards of several: against plain loops, a bounded amount at a time."""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.errors import OutputError
from cuesense.predictions import outcomes
from cuesense.predictions.outcomes import Outcomes
from cuesense.predictions.shards import OutcomeStore
from cuesense.stores.arrays import ArrayStore
from tests.helpers.stored_outcomes import shard, wanted


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> OutcomeStore:
    return OutcomeStore() if request.param == "memory" else OutcomeStore.open(tmp_path / "outcomes", {})


@pytest.mark.parametrize("read_bytes", [1, 2**30])
def test_are_in_the_order_of_the_run_whatever_shard_they_lie_in(
    store: OutcomeStore, read_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "_READ_BYTES", read_bytes)
    written = {1: shard(0, 5, ("a", "b")), 2: shard(5, 4, ("b", "a")), 3: shard(0, 9, ("c",))}
    for entry in written.values():
        store.write(entry)
    images = [8, 0, 3, 5]
    found = Outcomes(store, wanted(images, ("c", "a")))
    assert found.images.labels.tolist() == [2, 0, 0, 2]
    assert found.images.positions.tolist() == [0, 1, 2, 3]
    # An image that is in two shards with different digests does not exist: the last in the order of names counts here.
    (c, a, again) = found.conditions([0, 1, 1])
    for place, image in enumerate(images):
        assert c.p_true[place] == written[3].p_true[0, image]
        part, row = (written[1], image) if image < 5 else (written[2], image - 5)
        number = part.conditions.index("a")
        assert a.p_true[place] == again.p_true[place] == part.p_true[number, row]
        assert a.predicted[place] == part.predicted[number, row]
        assert a.margin[place] == part.margin[number, row]
        np.testing.assert_array_equal(a.scores[place], part.scores[number, row])
        assert a.classes[place].tolist() == [0, 1, 2]


@settings(max_examples=40, deadline=None)
@given(
    outputs=st.permutations(range(7)).flatmap(lambda order: st.integers(1, 7).map(lambda count: tuple(order[:count]))),
    kept=st.integers(1, 8),
)
def test_scores_of_all_outputs_serve_any_of_the_classes(outputs: tuple[int, ...], kept: int) -> None:
    store, written = OutcomeStore(), shard(0, 6, outputs=7)
    store.write(written)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outcomes, "KEPT_SCORES", kept)
        found = next(Outcomes(store, wanted(range(6), outputs=outputs)).conditions([1]))
    for image in range(6):
        of_classes = [float(written.scores[1, image, output]) for output in outputs]
        best = sorted(range(len(outputs)), key=lambda index: -of_classes[index])[:kept]
        expected = range(len(outputs)) if len(outputs) <= kept else best
        assert found.classes[image].tolist() == list(expected)
        assert found.scores[image].tolist() == [of_classes[index] for index in expected]


def test_scores_of_some_classes_serve_the_same_classes_in_another_order() -> None:
    store = OutcomeStore()
    known = np.broadcast_to(np.array([40, 2, 7], np.int16), (4, 5, 3)).copy()
    store.write(replace(shard(0, 5), outputs=known, chosen_from="2, 7, 40"))
    run = wanted(range(5), outputs=(7, 40, 2), chosen_from="2, 7, 40")
    found = next(Outcomes(store, run).conditions([0]))
    assert found.classes.tolist() == [[1, 2, 0]] * 5
    other = Outcomes(store, replace(run, chosen_from="7, 40"))
    assert len(other.images.labels) == 0


def test_images_that_cannot_be_read_are_named_in_the_order_of_the_run(store: OutcomeStore) -> None:
    store.write(shard(0, 3, skipped=((9, "i", "torn"), (4, "d", "empty"))))
    store.write(shard(6, 2, skipped=((99, "z", "of another run"),)))
    found = Outcomes(store, wanted([4, 1, 9, 7]))
    assert found.skipped == (("d", "empty"), ("i", "torn"))
    assert found.images.positions.tolist() == [1, 3]
    assert next(found.conditions([2])).p_true.shape == (2,)


def test_a_missing_condition_of_an_image_is_one_sentence(store: OutcomeStore) -> None:
    store.write(shard(0, 3))
    store.write(shard(3, 2, ("a", "b")))
    found = Outcomes(store, wanted(range(5)))
    assert len(list(found.conditions([0, 1]))) == 2
    with pytest.raises(OutputError, match=r"2 missing under condition 2 \(c\)\. Run the same"):
        list(found.conditions([2]))


def test_shards_without_a_readable_image_join_the_others(store: OutcomeStore) -> None:
    store.write(shard(0, 0, skipped=((0, "a", "b"),)))
    store.write(shard(1, 3))
    found = Outcomes(store, wanted(range(4)))
    assert len(found.images.labels) == 3
    assert next(found.conditions([1])).scores.shape == (3, 3)


def test_no_wanted_condition_is_none(store: OutcomeStore) -> None:
    store.write(shard(0, 3))
    assert list(Outcomes(store, wanted(range(3))).conditions([])) == []


def reads(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """Return a list that gets the names of the arrays of every reading."""
    found: list[set[str]] = []
    for reading in ("read", "rows"):
        whole = getattr(ArrayStore, reading)

        def watched(self: ArrayStore, name: str, names: Sequence[str], *more: object, whole: Any = whole) -> Any:
            found.append(set(names))
            return whole(self, name, names, *more)

        monkeypatch.setattr(ArrayStore, reading, watched)
    return found


@pytest.mark.parametrize(("read_bytes", "times"), [(1, 5), (360, 2), (2**30, 1)])
def test_no_more_is_read_at_once_than_the_memory_for_it(
    tmp_path: Path, read_bytes: int, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three scores of eight bytes (value and class) for each of five images: 120 bytes a condition."""
    monkeypatch.setattr(outcomes, "_READ_BYTES", read_bytes)
    store = OutcomeStore.open(tmp_path / "o", {})
    store.write(shard(0, 5))
    found, chosen = Outcomes(store, wanted(range(5))), (3, 0, 2, 2, 1)
    opened = reads(monkeypatch)
    for number, outcome in zip(chosen, found.conditions(chosen), strict=True):
        np.testing.assert_array_equal(outcome.margin, shard(0, 5).margin[number])
    assert len(opened) == times


def test_what_is_known_of_images_is_read_without_the_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = OutcomeStore.open(tmp_path / "o", {})
    store.write(shard(0, 5))
    opened = reads(monkeypatch)
    found = Outcomes(store, wanted(range(5)))
    assert all("scores" not in names for names in opened)
    for column in ("digests", "largest", "white"):
        np.testing.assert_array_equal(getattr(found.images, column), getattr(shard(0, 5), column))


def test_types_are_narrow(store: OutcomeStore) -> None:
    store.write(shard(0, 5))
    found = next(Outcomes(store, wanted(range(5))).conditions([2]))
    types = {entry.name: getattr(found, entry.name).dtype.name for entry in fields(found) if entry.name != "seen"}
    narrow = {"predicted": "int32", "p_true": "float32", "margin": "float32", "scores": "float32", "classes": "int16"}
    assert types == narrow


def test_what_is_not_wanted_is_not_seen_even_where_it_is_there() -> None:
    store = OutcomeStore()
    store.write(shard(0, 6, ("a",)))
    store.write(shard(0, 3, ("b",)))
    cells = np.array([[True] * 6, [True, True, False, False, False, False]])
    a, b = Outcomes(store, replace(wanted(range(6), ("a", "b")), cells=cells)).conditions([0, 1])
    assert a.seen is None
    assert b.seen is not None
    assert b.seen.tolist() == cells[1].tolist()
    cells[1, 4] = True
    with pytest.raises(OutputError, match="1 missing under condition 1"):
        list(Outcomes(store, replace(wanted(range(6), ("a", "b")), cells=cells)).conditions([0, 1]))
