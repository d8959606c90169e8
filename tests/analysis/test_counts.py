"""Counts from stored outcomes: repeats, leaks, sinks and the prior correction, on predictions made by hand."""

from dataclasses import replace

import numpy as np
import pytest

from cuesense.analysis.counts import ClassCounts, count_predictions
from cuesense.predictions.predictions import ClassMap, Predictions, from_outcomes
from cuesense.registry import get
from cuesense.types import Condition
from tests.helpers.parts_of_images import alone, first_of_class, part_of
from tests.helpers.stored_outcomes import outcomes_of

JITTER = replace(get("perturbations", "color_jitter"), ladder=(0.4,))
GRAY = replace(get("perturbations", "grayscale"), ladder=(1.0,))
OUTPUTS, NAMES = (2, 0, 1), ("zebra", "apple", "ball", "never seen")
LABELS = np.arange(30) % 3


@pytest.fixture
def found() -> Predictions:
    """Clean images are recognized; jitter drives all to the sink; gray sends class 1 to an output of no class."""
    outputs = np.array(OUTPUTS)
    clear = 4.0 * np.eye(3)[LABELS]
    pulled = clear + np.array([6.0, 0.0, 0.0])
    lost = np.where(LABELS == 1, 3, outputs[LABELS])
    scores = [clear, pulled, pulled, np.where((LABELS == 1)[:, None], 0.0, clear)]
    predicted = [outputs[LABELS], np.full(30, 2), outputs[LABELS], lost]
    conditions = [Condition(), Condition(JITTER, 1, 0), Condition(JITTER, 1, 1), Condition(GRAY, 1, 0)]
    conditions.append(Condition(GRAY, 1, 1))
    outcomes = outcomes_of(LABELS, [*predicted, outputs[LABELS]], [*scores, clear], OUTPUTS, sizes=(20, 10))
    ids = [f"{number:02d}" for number in range(30)]
    return from_outcomes(outcomes, (JITTER, GRAY), conditions, ClassMap(NAMES[1:], NAMES, OUTPUTS), ids, 64)


@pytest.fixture
def counted(found: Predictions) -> ClassCounts:
    return count_predictions(found)


def test_raw_counts_add_up_over_shards_and_repeats(counted: ClassCounts) -> None:
    jitter, gray = counted.raw["color_jitter"], counted.raw["grayscale"]
    assert jitter.repeats == 2
    assert jitter.n.tolist() == [10, 10, 10]
    assert jitter.clean_correct.tolist() == [10, 10, 10]
    assert jitter.lost.tolist() == [[0, 10, 10]]
    assert gray.lost.tolist() == [[0, 10, 0]]
    assert jitter.gained.tolist() == gray.gained.tolist() == [[0, 0, 0]]


def test_the_prior_correction_undoes_the_sink(counted: ClassCounts) -> None:
    assert counted.corrected["color_jitter"].lost.tolist() == [[0, 0, 0]]
    assert counted.sinks["color_jitter"].tolist() == pytest.approx([3, 0, 0])


def test_leaks_name_outputs_even_those_of_no_class(counted: ClassCounts) -> None:
    assert counted.takers["color_jitter"] == [[None, "ball", "ball"]]
    assert "grayscale" not in counted.takers
    rivals = {rival.perturbation: (rival.rival, rival.share) for rival in counted.rivals[1]}
    assert rivals == {"color_jitter": ("ball", 1.0), "grayscale": ("never seen", 1.0)}
    assert counted.rivals[0] == ()


def test_predictions_are_those_of_the_store_in_its_order(found: Predictions) -> None:
    assert found.sample_ids == [f"{number:02d}" for number in range(30)]
    assert found.paired
    assert found.corrected
    assert found.right(0).all()
    jitter, gray = found.right(1), found.right(3)
    assert jitter.tolist() == (LABELS == 0).tolist()
    assert found.corrected_right(1).all()
    assert gray.tolist() == (LABELS != 1).tolist()


def test_other_images_are_counted_as_two_samples_of_which_the_lost_are_those_that_are_wrong(found: Predictions) -> None:
    """Without pairs nobody knows who was right when clean: every wrong image counts as lost."""
    counted = count_predictions(replace(found, paired=False))
    jitter = counted.raw["color_jitter"]
    assert jitter.unpaired is not None
    assert jitter.unpaired.n.tolist() == [[20, 20, 20]]
    assert jitter.unpaired.correct.tolist() == [[20, 10, 10]]
    assert jitter.lost.tolist() == [[0, 10, 10]]
    assert counted.corrected["color_jitter"].unpaired.correct.tolist() == [[20, 20, 20]]  # type: ignore[union-attr]
    assert counted.takers["color_jitter"] == [[None, "ball", "ball"]]


def test_an_image_that_was_wrong_when_clean_cannot_be_lost(found: Predictions) -> None:
    """Half of the second class is wrong from the start: the sink takes only the other half from it."""
    first, *others = found.per_condition
    predicted = first.predicted.copy()
    half = np.flatnonzero(LABELS == 1)[:5]
    predicted[half] = 3
    parts = (replace(first, predicted=predicted), *others)
    counted = count_predictions(replace(found, per_condition=parts))
    assert counted.raw["color_jitter"].clean_correct.tolist() == [10, 5, 10]
    assert counted.raw["color_jitter"].lost.tolist() == [[0, 5, 10]]
    # In the second repeat of jitter all of them are right.
    assert counted.raw["color_jitter"].gained.tolist() == [[0, 5, 0]]
    assert {rival.perturbation: rival.share for rival in counted.rivals[1]} == {"color_jitter": 0.5, "grayscale": 0.5}


def test_every_perturbation_is_counted_at_its_strongest_severity_for_rivals_and_sinks(found: Predictions) -> None:
    """A ladder of two: the milder one is what was jitter, the stronger one changes nothing."""
    two = replace(JITTER, ladder=(0.2, 0.4))
    clean = found.per_condition[0]
    conditions = (Condition(), Condition(two, 1), Condition(two, 2))
    parts = (clean, found.per_condition[1], clean)
    counted = count_predictions(replace(found, perturbations=(two,), conditions=conditions, per_condition=parts))
    assert counted.raw["color_jitter"].lost.tolist() == [[0, 10, 10], [0, 0, 0]]
    assert counted.takers["color_jitter"] == [[None, "ball", "ball"], [None, None, None]]
    assert counted.rivals == [(), (), ()]
    assert counted.sinks["color_jitter"].tolist() == pytest.approx([1, 1, 1])


def test_of_a_part_of_the_images_what_it_shows_is_counted(found: Predictions) -> None:
    seen = first_of_class(found, 4)
    some, other = count_predictions(part_of(found, seen)), count_predictions(alone(found, seen))
    for name, curve in some.raw.items():
        assert curve.n.tolist() == [10, 10, 10]
        assert curve.images.tolist() == [[4, 4, 4]]
        for part in ("lost", "gained", "squared"):
            np.testing.assert_array_equal(getattr(curve, part), getattr(other.raw[name], part))
        np.testing.assert_allclose(some.sinks[name], other.sinks[name])
    assert (some.takers, some.rivals) == (other.takers, other.rivals)
    assert count_predictions(found).raw["grayscale"].seen is None


def test_classes_seen_in_part_keep_their_weight_among_what_is_predicted(found: Predictions) -> None:
    """Under jitter all is taken for the sink, whose share of the images is a third."""
    uneven = first_of_class(found, 2) | (found.per_condition[0].labels == 0)
    assert count_predictions(part_of(found, uneven)).sinks["color_jitter"].tolist() == pytest.approx([3, 0, 0])
    gray = count_predictions(part_of(found, uneven)).sinks["grayscale"]
    assert gray.tolist() == pytest.approx([1.5, 0, 1.5])
