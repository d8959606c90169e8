import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense import registry
from cuesense.analysis.examples import examples
from cuesense.predictions.predictions import ConditionPredictions, Predictions
from cuesense.types import Condition
from tests.helpers.parts_of_images import part_of

CROP, JITTER, GRAY, BLUR = (
    registry.get("perturbations", name)
    for name in ("random_resized_crop", "color_jitter", "grayscale", "gaussian_blur")
)
SEVERITIES = 3


def predictions(lost: dict, labels, wrong=(), perturbations=(CROP, GRAY), repeats: int = 1) -> Predictions:
    """Return predictions where images are lost from a severity on (0 is the mildest; none: never), by perturbation."""
    labels = np.asarray(labels)
    conditions, found = [Condition()], [predicted(labels, wrong)]
    for perturbation in perturbations:
        for severity in range(SEVERITIES):
            for repeat in range(repeats):
                gone = [at for at, first in lost.get(perturbation.name, {}).items() if first <= severity and not repeat]
                conditions.append(Condition(perturbation, severity + 1, repeat))
                found.append(predicted(labels, [*wrong, *gone]))
    names = tuple(f"class {label}" for label in range(labels.max() + 2))
    ids = [f"{at}.png" for at in range(len(labels))]
    return Predictions(names, names, tuple(range(len(names))), ids, perturbations, tuple(conditions), tuple(found))


def predicted(labels, wrong) -> ConditionPredictions:
    answers = labels.copy()
    answers[list(wrong)] = labels.max() + 1
    return ConditionPredictions(labels, answers)


def rows(perturbation, source: Predictions) -> list[int]:
    return [at for at, part in enumerate(source.conditions) if part.perturbation is perturbation and not part.repeat]


def test_the_image_that_is_lost_at_the_mildest_severity_is_shown_where_it_is_lost():
    source = predictions({CROP.name: {1: 2, 2: 1, 3: 2}}, [0, 0, 0, 0])
    first = examples(source, 4, whole=False)[0][0]
    assert (first.perturbation, first.image) == (CROP.name, 2)
    assert first.rows == (rows(CROP, source)[1],)


def test_with_whole_ladders_it_is_shown_at_every_severity():
    source = predictions({CROP.name: {2: 1}}, [0, 0, 0])
    assert examples(source, 12, whole=True)[0][0].rows == tuple(rows(CROP, source))


def test_an_image_that_is_never_lost_is_shown_at_the_strongest_severity():
    source = predictions({}, [0, 0])
    assert [part.rows for part in examples(source, 9, whole=False)[0]] == [
        (rows(CROP, source)[-1],),
        (rows(GRAY, source)[-1],),
    ]


def test_an_image_that_is_shown_already_is_taken_again_where_others_are_lost_no_earlier():
    source = predictions({CROP.name: {2: 0}, GRAY.name: {1: 1, 2: 1}}, [0, 0, 0])
    assert [part.image for part in examples(source, 9, whole=False)[0]] == [2, 2]
    earlier = predictions({CROP.name: {2: 0}, GRAY.name: {1: 0, 2: 1}}, [0, 0, 0])
    assert [part.image for part in examples(earlier, 9, whole=False)[0]] == [2, 1]


def test_images_that_are_wrong_clean_are_no_examples_unless_all_are():
    lost = {CROP.name: {0: 0, 1: 2}}
    assert examples(predictions(lost, [0, 0], wrong=[0]), 4, whole=False)[0][0].image == 1
    assert examples(predictions(lost, [0, 0], wrong=[0, 1]), 4, whole=False)[0][0].image == 0


def test_augmentations_and_others_come_in_turn_the_costliest_first():
    lost = {CROP.name: {0: 2}, JITTER.name: {0: 0, 1: 0}, GRAY.name: {0: 2}, BLUR.name: {0: 0}}
    source = predictions(lost, [0, 0], perturbations=(CROP, GRAY, JITTER, BLUR))
    shown = [part.perturbation for part in examples(source, 99, whole=False)[0]]
    assert shown == [JITTER.name, BLUR.name, CROP.name, GRAY.name]


@given(tiles=st.integers(1, 20), whole=st.booleans())
def test_a_class_has_no_more_pictures_than_allowed_and_clean_ones_count_once(tiles, whole):
    lost = {CROP.name: {0: 0}, GRAY.name: {1: 0}}
    found = examples(predictions(lost, [0, 0]), tiles, whole=whole)[0]
    used = sum(len(part.rows) for part in found) + len({part.image for part in found})
    assert used <= tiles
    assert len(found) == 2 or used + (SEVERITIES if whole else 1) + 1 > tiles


@pytest.mark.parametrize("repeats", [1, 2])
def test_each_class_has_its_own_images_and_repeats_are_left_out(repeats):
    source = predictions({CROP.name: {1: 0, 3: 0}}, [0, 0, 2, 2], repeats=repeats)
    found = examples(source, 9, whole=True)
    assert {label: parts[0].image for label, parts in found.items()} == {0: 1, 2: 3}
    assert all(source.conditions[row].repeat == 0 for parts in found.values() for part in parts for row in part.rows)


def test_an_image_is_shown_only_where_it_was_predicted():
    source = predictions({CROP.name: {0: 0, 2: 1}, GRAY.name: {1: 0}}, [0, 0, 0, 1])
    part = part_of(source, np.array([False, True, True, False]))
    found = examples(part, 99, whole=True)
    assert [(entry.perturbation, entry.image) for entry in found[0]] == [(CROP.name, 2), (GRAY.name, 1)]
    assert found[1] == []
