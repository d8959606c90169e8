"""Predictions: what counts as right, and stored outcomes turned into predictions, against plain loops."""

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.predictions.outcomes import Outcomes
from cuesense.predictions.predictions import ClassMap, ConditionPredictions, Predictions, from_outcomes
from cuesense.predictions.shards import OutcomeStore
from cuesense.registry import get
from cuesense.stats.prior_correction import prior_corrected
from cuesense.types import Condition
from tests.helpers.stored_outcomes import outcomes_of, shard, wanted

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


class Part(NamedTuple):
    """What a network predicted for some images: an argument of outcomes_of each."""

    labels: np.ndarray
    predicted: np.ndarray
    scores: np.ndarray


def random_part(count: int) -> Part:
    random = np.random.default_rng(3)
    scores = np.log(random.dirichlet((1, 1, 1), (4, count))).astype(np.float32)
    # The third class takes most predictions, as a sink class does, which the correction undoes.
    scores[..., 2] += 1
    return Part(random.integers(0, 2, count), random.integers(0, 5, (4, count)), scores)


def predictions_of(part: Part, ids: list[str], side: int | None = None, **stored: Any) -> Predictions:
    outcomes = outcomes_of(part.labels, part.predicted, part.scores, CLASSES.outputs, **stored)
    return from_outcomes(outcomes, (GRAY, SHUFFLE), CONDITIONS, CLASSES, ids, side)


@pytest.mark.parametrize("kept", ["memory", "folder"])
def test_stored_outcomes_become_predictions(tmp_path: Path, kept: str) -> None:
    part, ids = random_part(16), [f"image {position:03d}" for position in range(16)]
    folder = tmp_path / "o" if kept == "folder" else None
    found = predictions_of(part, ids, 64, folder=folder, sizes=(7, 0, 9))
    assert found.sample_ids == ids
    prior = np.bincount(part.labels, minlength=3) / 16
    assert prior[2] == 0
    classes = np.tile(np.arange(3), (16, 1))
    for row, entry in enumerate(found.per_condition):
        assert entry.labels.tolist() == part.labels.tolist()
        assert entry.predicted.tolist() == part.predicted[row].tolist()
        assert entry.corrected is not None
        assert entry.corrected.tolist() == prior_corrected(part.scores[row], classes, prior).tolist()
        # The sink class has no image here, and the others get their shares back: nothing is predicted as it.
        assert 2 not in entry.corrected
        assert part.scores[row].argmax(axis=1).tolist().count(2) > 4
    assert (found.class_names, found.output_names, found.outputs) == (
        CLASSES.class_names,
        CLASSES.output_names,
        CLASSES.outputs,
    )
    assert (found.perturbations, found.conditions, found.side) == ((GRAY, SHUFFLE), CONDITIONS, 64)
    assert found.paired
    assert found.corrected


def test_images_in_other_shards_are_the_same_predictions() -> None:
    part, ids = random_part(12), [f"{position}" for position in range(12)]
    one, other = (predictions_of(part, ids, sizes=sizes) for sizes in ((12,), (5, 7)))
    assert one.sample_ids == other.sample_ids == ids
    for first, second in zip(one.per_condition, other.per_condition, strict=True):
        for name in ("labels", "predicted", "corrected"):
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_the_prior_counts_every_class_also_one_that_no_image_has() -> None:
    """Labels of the first class alone: all corrected predictions are it, whatever the scores."""
    part = random_part(6)._replace(labels=np.zeros(6, dtype=np.int64))
    found = predictions_of(part, [f"{position}" for position in range(6)])
    assert [entry.corrected.tolist() for entry in found.per_condition if entry.corrected is not None] == [[0] * 6] * 4


def test_copies_are_counted_once_for_each_label_and_said() -> None:
    """Of twelve images three have the pixels of the first: two under its label, one under another."""
    labels, digests = np.arange(12) % 3, np.arange(12)
    digests[[3, 6, 7]] = digests[0]
    part, ids = random_part(12)._replace(labels=labels), [f"{position:02d}" for position in range(12)]
    found = predictions_of(part, ids, digests=digests)
    kept = [0, 1, 2, 4, 5, 7, 8, 9, 10, 11]
    assert found.sample_ids == [ids[row] for row in kept]
    prior = np.array([2, 4, 4]) / 10
    for row, entry in enumerate(found.per_condition):
        assert entry.labels.tolist() == labels[kept].tolist()
        assert entry.predicted.tolist() == part.predicted[row][kept].tolist()
        assert entry.corrected is not None
        wanted = prior_corrected(part.scores[row][kept], np.tile(np.arange(3), (10, 1)), prior)
        assert entry.corrected.tolist() == wanted.tolist()
    copies, two = found.remarks
    assert "2 of 12 images are copies" in copies
    assert "10 distinct images" in copies
    assert f"'00' ({CLASSES.class_names[0]}) and '07' ({CLASSES.class_names[1]})" in two


def test_images_of_more_than_eight_bits_that_look_black_are_said() -> None:
    store, entry = OutcomeStore(), shard(0, 4)
    values = {"largest": np.array([np.nan, 900, 1023, 700]), "white": np.array([np.nan, 65535, 65535, 65535])}
    store.write(replace(entry, **values))
    ids = [f"{position}" for position in range(4)]
    classes = ClassMap(CLASSES.class_names, CLASSES.class_names, (0, 1, 2))
    outcomes = Outcomes(store, wanted(range(4)))
    (remark,) = from_outcomes(outcomes, (GRAY, SHUFFLE), CONDITIONS, classes, ids, None).remarks
    assert "3 images hold more than 8 bits" in remark
    assert "up to 1023, and 65535" in remark


@given(seed=st.integers(0, 99), each=st.integers(1, 6))
def test_images_that_were_seen_stand_for_those_of_their_class(seed: int, each: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.permutation(np.repeat(np.arange(3), [6, 9, 12]))
    seen = np.array([(labels[:row] == label).sum() < each + label for row, label in enumerate(labels)])
    answers = random.integers(0, 3, seen.sum())
    part = ConditionPredictions(labels[seen], answers, answers).spread(labels, np.flatnonzero(seen))
    found = predictions((0, 1, 2), ConditionPredictions(labels, labels, labels), part)
    assert found.weights(0) is None
    weights = found.weights(1)
    assert found.partial
    assert np.bincount(labels, weights=weights).tolist() == pytest.approx([6, 9, 12])
    np.testing.assert_array_equal(found.seen(1), seen)
    assert found.seen(0).all()
    # What was not seen is right for nobody.
    assert not found.right(1)[~seen].any()
    assert not found.corrected_right(1)[~seen].any()
    assert found.right(1)[seen].tolist() == (answers == labels[seen]).tolist()


def test_of_a_class_seen_in_part_each_image_counts_as_several_in_the_correction() -> None:
    part, ids = random_part(160), [f"{position:03d}" for position in range(160)]
    outcomes = outcomes_of(part.labels, part.predicted, part.scores, CLASSES.outputs)
    cells = np.ones((4, 160), dtype=bool)
    # All of one class, and ten images of the other.
    cells[1, np.flatnonzero(part.labels == 1)[10:]] = False
    outcomes = Outcomes(outcomes._store, replace(outcomes._wanted, cells=cells))
    clean, gray, *others = from_outcomes(outcomes, (GRAY, SHUFFLE), CONDITIONS, CLASSES, ids, None).per_condition
    assert all(found.seen is None for found in (clean, *others))
    rows = np.flatnonzero(cells[1])
    of = part.labels[rows]
    stands_for = np.array([(part.labels == label).sum() / (of == label).sum() for label in of])
    prior = np.bincount(part.labels, minlength=3) / 160
    scores, classes = part.scores[1][rows], np.tile(np.arange(3), (len(rows), 1))
    expected = prior_corrected(scores, classes, prior, stands_for)
    assert (expected != prior_corrected(scores, classes, prior)).any()
    assert gray.corrected is not None
    assert gray.corrected[rows].tolist() == expected.tolist()
    assert gray.predicted[rows].tolist() == part.predicted[1][rows].tolist()
    np.testing.assert_array_equal(gray.seen, cells[1])
