"""Predictions: what counts as right, and stored outcomes turned into predictions, against plain loops."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.predictions.predictions import ClassMap, ConditionPredictions, Predictions, from_outcomes
from cuesense.predictions.shards import OutcomeStore, Shard
from cuesense.registry import get
from cuesense.stats.prior_correction import prior_corrected
from cuesense.types import Condition

GRAY, SHUFFLE = get("perturbations", "grayscale"), get("perturbations", "patch_shuffle")
CONDITIONS = (Condition(), Condition(GRAY, 2), Condition(SHUFFLE, 1), Condition(SHUFFLE, 1, repeat=1))
# Three classes at outputs of a network of five, in another order.
CLASSES = ClassMap(("brick", "grass", "water"), ("a", "water", "brick", "b", "grass"), (2, 4, 1))


def predictions(outputs: tuple[int, ...], *found: ConditionPredictions) -> Predictions:
    return Predictions(
        class_names=tuple(f"class {index}" for index in range(len(outputs))),
        output_names=tuple(f"output {index}" for index in range(max(outputs) + 1)),
        outputs=outputs,
        sample_ids=[f"{index}" for index in range(len(found[0].labels))],
        perturbations=(),
        conditions=CONDITIONS[: len(found)],
        per_condition=found,
    )


@given(data=st.data(), outputs=st.permutations(range(6)).map(lambda found: tuple(found[:3])))
def test_an_image_is_right_where_the_output_of_its_class_is_predicted(
    data: st.DataObject, outputs: tuple[int, ...]
) -> None:
    count = data.draw(st.integers(1, 20))
    labels = data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    predicted = data.draw(st.lists(st.integers(0, 5), min_size=count, max_size=count))
    corrected = data.draw(st.lists(st.integers(-1, 2), min_size=count, max_size=count))
    arrays = np.array(labels), np.array(predicted), np.array(corrected)
    found = predictions(outputs, ConditionPredictions(arrays[0], arrays[1]), ConditionPredictions(*arrays))
    by_network = [output == outputs[label] for output, label in zip(predicted, labels, strict=True)]
    for row in (0, 1):
        assert found.right(row).tolist() == by_network
    assert found.corrected_right(0).tolist() == by_network
    assert found.corrected_right(1).tolist() == [one == label for one, label in zip(corrected, labels, strict=True)]


def test_corrections_are_known_where_all_conditions_have_them() -> None:
    bare = ConditionPredictions(np.array([0]), np.array([1]))
    with_correction = replace(bare, corrected=np.array([0]))
    assert predictions((1, 0), with_correction, with_correction).corrected
    assert not predictions((1, 0), with_correction, bare).corrected
    assert not predictions((1, 0), bare, with_correction).corrected


def test_rows_of_a_perturbation_are_those_of_its_repeats_in_order_and_clean_has_none() -> None:
    bare = ConditionPredictions(np.array([0]), np.array([0]))
    found = predictions((0, 1), *[bare] * 4)
    assert found.rows == {("grayscale", 2): [1], ("patch_shuffle", 1): [2, 3]}
    shuffled = replace(found, conditions=(Condition(SHUFFLE, 1), Condition(), Condition(SHUFFLE, 2), CONDITIONS[3]))
    assert shuffled.rows == {("patch_shuffle", 1): [0, 3], ("patch_shuffle", 2): [2]}


def shards(sizes: tuple[int, ...], gaps: frozenset[int] = frozenset()) -> list[Shard]:
    """Return outcomes of random scores, whose positions leave out those that are given as gaps."""
    random, found = np.random.default_rng(3), []
    positions = iter(position for position in range(1000) if position not in gaps)
    for size in sizes:
        scores = np.log(random.dirichlet((1, 1, 1), (4, size))).astype(np.float32)
        # The third class takes most predictions, as a sink class does, which the correction undoes.
        scores[..., 2] += 1
        found.append(
            Shard(
                labels=random.integers(0, 2, size),
                positions=np.array([next(positions) for _ in range(size)], dtype=np.int64),
                digests=random.integers(0, 2**64, size, dtype=np.uint64),
                largest=np.full(size, np.nan),
                white=np.full(size, np.nan),
                predicted=random.integers(0, 5, (4, size)).astype(np.int32),
                p_true=random.random((4, size), dtype=np.float32),
                margin=random.random((4, size), dtype=np.float32),
                scores=scores,
                classes=np.broadcast_to(np.arange(3, dtype=np.int16), (4, size, 3)).copy(),
            )
        )
    return found


def stored(parts: list[Shard], folder: Path | None) -> OutcomeStore:
    store = OutcomeStore() if folder is None else OutcomeStore.open(folder, {})
    for number, part in enumerate(parts):
        store.write(number, part)
    return store


@pytest.mark.parametrize("kept", ["memory", "folder"])
def test_stored_outcomes_become_predictions(tmp_path: Path, kept: str) -> None:
    parts = shards((7, 0, 9), gaps=frozenset({0, 8, 11}))
    ids = [f"image {position:03d}" for position in range(20)]
    store = stored(parts, tmp_path / "o" if kept == "folder" else None)
    found = from_outcomes(store, 3, (GRAY, SHUFFLE), CONDITIONS, CLASSES, ids, 64)
    labels = [label for part in parts for label in part.labels.tolist()]
    assert found.sample_ids == [ids[position] for part in parts for position in part.positions]
    assert "image 008" not in found.sample_ids
    assert len(found.sample_ids) == 16
    prior = np.array([labels.count(index) / 16 for index in range(3)])
    assert prior[2] == 0
    for row, entry in enumerate(found.per_condition):
        assert entry.labels.tolist() == labels
        assert entry.predicted.tolist() == [value for part in parts for value in part.predicted[row].tolist()]
        scores = np.concatenate([part.scores[row] for part in parts])
        classes = np.concatenate([part.classes[row] for part in parts])
        assert entry.corrected is not None
        assert entry.corrected.tolist() == prior_corrected(scores, classes, prior).tolist()
        # The sink class has no image here, and the others get their shares back: nothing is predicted as it.
        assert 2 not in entry.corrected
        assert scores.argmax(axis=1).tolist().count(2) > 4
    assert (found.class_names, found.output_names, found.outputs) == (
        CLASSES.class_names,
        CLASSES.output_names,
        CLASSES.outputs,
    )
    assert (found.perturbations, found.conditions, found.side) == ((GRAY, SHUFFLE), CONDITIONS, 64)
    assert found.paired
    assert found.corrected


def test_images_in_other_shards_are_the_same_predictions() -> None:
    whole = shards((12,))[0]
    halves = [
        Shard(**{name: part_of(getattr(whole, name), part, len(whole.labels)) for name in vars(whole)})
        for part in (slice(0, 5), slice(5, 12))
    ]
    ids = [f"{position}" for position in range(12)]
    one, other = (
        from_outcomes(stored(parts, None), len(parts), (GRAY, SHUFFLE), CONDITIONS, CLASSES, ids, None)
        for parts in ([whole], halves)
    )
    assert one.sample_ids == other.sample_ids == ids
    for first, second in zip(one.per_condition, other.per_condition, strict=True):
        for name in ("labels", "predicted", "corrected"):
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def part_of(values: object, part: slice, images: int) -> object:
    """Return some images of one array of a shard; they are its first axis or its second."""
    if not isinstance(values, np.ndarray):
        return values
    return values[part] if values.shape[0] == images else values[:, part]


def test_the_prior_counts_every_class_also_one_that_no_image_has() -> None:
    """Labels of the first class alone: all corrected predictions are it, whatever the scores."""
    part = replace(shards((6,))[0], labels=np.zeros(6, dtype=np.int64))
    ids = [f"{position}" for position in range(6)]
    found = from_outcomes(stored([part], None), 1, (GRAY, SHUFFLE), CONDITIONS, CLASSES, ids, None)
    assert [entry.corrected.tolist() for entry in found.per_condition if entry.corrected is not None] == [[0] * 6] * 4


def test_copies_are_counted_once_for_each_label_and_said() -> None:
    """Of twelve images three have the pixels of the first: two under its label, one under another."""
    part = shards((12,))[0]
    labels, digests = np.arange(12) % 3, part.digests.copy()
    digests[[3, 6, 7]] = digests[0]
    part = replace(part, labels=labels, digests=digests)
    ids = [f"{position:02d}" for position in range(12)]
    found = from_outcomes(stored([part], None), 1, (GRAY, SHUFFLE), CONDITIONS, CLASSES, ids, None)
    kept = [0, 1, 2, 4, 5, 7, 8, 9, 10, 11]
    assert found.sample_ids == [ids[row] for row in kept]
    prior = np.array([2, 4, 4]) / 10
    for row, entry in enumerate(found.per_condition):
        assert entry.labels.tolist() == labels[kept].tolist()
        assert entry.predicted.tolist() == part.predicted[row][kept].tolist()
        assert entry.corrected is not None
        wanted = prior_corrected(part.scores[row][kept], part.classes[row][kept], prior)
        assert entry.corrected.tolist() == wanted.tolist()
    copies, two = found.remarks
    assert "2 of 12 images are copies" in copies
    assert "10 distinct images" in copies
    assert f"'00' ({CLASSES.class_names[0]}) and '07' ({CLASSES.class_names[1]})" in two


def test_images_of_more_than_eight_bits_that_look_black_are_said() -> None:
    part = shards((4,))[0]
    part = replace(part, largest=np.array([np.nan, 900, 1023, 700]), white=np.array([np.nan, 65535, 65535, 65535]))
    ids = [f"{position}" for position in range(4)]
    (remark,) = from_outcomes(stored([part], None), 1, (GRAY, SHUFFLE), CONDITIONS, CLASSES, ids, None).remarks
    assert "3 images hold more than 8 bits" in remark
    assert "up to 1023, and 65535" in remark
