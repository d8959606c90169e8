"""Who takes a class's images, and what it is to it, on planted confusions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.sweeps.rivals import cosines, find_rivals, rival_kind
from cuesense.sweeps.sweep import PerImagePredictions

NAMES = ("cat", "lynx", "sofa", "car", "outside")
LABELS = np.repeat(np.arange(4), 50)


def per_image(accepted: np.ndarray | None = None) -> PerImagePredictions:
    """Runs 0 and 1 are right; runs 2 and 3 take ten of the cats for lynxes and five for something outside."""
    predicted = np.tile(LABELS, (4, 1)).astype(np.int32)
    predicted[2:, :10], predicted[2:, 10:15] = 1, 4
    return PerImagePredictions(LABELS, predicted, NAMES, accepted)


def alike(first: int, second: int) -> np.ndarray:
    found = np.eye(5)
    found[first, second] = found[second, first] = 0.9
    return found


def test_rivals_take_what_is_lost_strongest_first() -> None:
    found = find_rivals(per_image(), 0, [0, 1], [2, 3], alike(0, 1))
    assert [(entry.rival, entry.share, entry.kind) for entry in found] == [
        (1, pytest.approx(0.2), "fine-grained"),
        (4, pytest.approx(0.1), "unrelated"),
    ]
    assert found[0].similarity == 0.9
    assert find_rivals(per_image(), 1, [0, 1], [2, 3], None) == []
    assert find_rivals(per_image(), 0, [2, 3], [0, 1], None) == []


def test_what_a_rival_took_before_does_not_count() -> None:
    before = per_image()
    before.predicted[:, 20:30] = 2
    assert [entry.rival for entry in find_rivals(before, 0, [0, 1], [2, 3], None)] == [1, 4]


def accepted(**also: list[int]) -> np.ndarray:
    """Every image's own label, and for a class by name further images' places."""
    found = np.eye(5, dtype=bool)[LABELS]
    for name, images in also.items():
        found[images, NAMES.index(name)] = True
    return found


def test_kinds_follow_the_annotations_and_then_the_likeness() -> None:
    cats = list(range(50))
    lynxes = list(range(50, 100))
    both = accepted(lynx=cats[:40], cat=lynxes[:40])
    assert rival_kind(per_image(both), 0, 1, None) == "ambiguous"
    assert rival_kind(per_image(accepted(sofa=cats[:3])), 0, 2, None) == "co-occurring"
    assert rival_kind(per_image(accepted(sofa=cats[:2])), 0, 2, None) is None
    assert rival_kind(per_image(accepted(sofa=cats[:2])), 0, 2, alike(0, 2)) == "fine-grained"
    assert rival_kind(per_image(accepted()), 0, 3, alike(0, 2)) == "unrelated"
    assert rival_kind(per_image(), 0, 3, None) is None
    faint = 0.1 * alike(0, 2)
    assert rival_kind(per_image(), 0, 2, faint) == "unrelated"


def test_annotations_say_how_often_the_rival_is_right_too() -> None:
    found = find_rivals(per_image(accepted(lynx=list(range(5)))), 0, [0, 1], [2, 3], None)
    assert found[0].both == pytest.approx(0.1)
    assert found[0].similarity is None


def test_cosines_are_taken_around_the_mean() -> None:
    rows = np.random.default_rng(0).normal(size=(6, 4)) + 5
    centered = rows - rows.mean(axis=0)
    found = cosines(rows)
    for first in range(6):
        for second in range(6):
            expected = centered[first] @ centered[second]
            expected /= np.linalg.norm(centered[first]) * np.linalg.norm(centered[second])
            assert found[first, second] == pytest.approx(expected)


def test_three_rivals_are_listed() -> None:
    found = per_image()
    found.predicted[2:, 15:20], found.predicted[2:, 20:24] = 2, 3
    assert [entry.rival for entry in find_rivals(found, 0, [0, 1], [2, 3], None)] == [1, 2, 4]


@pytest.mark.parametrize(("images", "named"), [(1, False), (2, True)])
def test_a_rival_takes_half_a_percent_or_more(images: int, named: bool) -> None:
    """Of 400 images of one class."""
    predicted = np.zeros((2, 400), dtype=np.int32)
    predicted[1, :images] = 1
    found = find_rivals(PerImagePredictions(np.zeros(400, dtype=np.int64), predicted, ("a", "b")), 0, [0], [1], None)
    assert [entry.rival for entry in found] == [1] * named


@pytest.mark.parametrize(("both", "either", "found"), [(2, 4, "ambiguous"), (2, 5, "co-occurring")])
def test_ambiguous_is_half_of_the_images_of_either(both: int, either: int, found: str) -> None:
    """Images of class 0 with label 0 alone or with both."""
    accepted = np.zeros((either, 2), dtype=bool)
    accepted[:, 0], accepted[:both, 1] = True, True
    images = PerImagePredictions(
        np.zeros(either, dtype=np.int64), np.zeros((1, either), np.int32), ("a", "b"), accepted
    )
    assert rival_kind(images, 0, 1, None) == found


@pytest.mark.parametrize(("images", "found"), [(4, None), (5, "co-occurring")])
def test_co_occurring_is_five_percent_of_the_class(images: int, found: str | None) -> None:
    accepted = np.zeros((100, 2), dtype=bool)
    accepted[:, 0], accepted[:images, 1] = True, True
    of = PerImagePredictions(np.zeros(100, dtype=np.int64), np.zeros((1, 100), np.int32), ("a", "b"), accepted)
    assert rival_kind(of, 0, 1, None) == found


@pytest.mark.parametrize(("rank", "found"), [(188, "unrelated"), (189, "fine-grained"), (209, "fine-grained")])
def test_fine_grained_is_the_most_similar_tenth_of_all_pairs(rank: int, found: str) -> None:
    """21 outputs have 210 pairs, of which 21 are above the quantile of 90 %."""
    first, second = np.triu_indices(21, 1)
    similarity = np.eye(21)
    similarity[first, second] = similarity[second, first] = np.linspace(0.3, 0.9, 210)
    assert rival_kind(per_image(), int(first[rank]), int(second[rank]), similarity) == found


@pytest.mark.parametrize(("cosine", "found"), [(0.19, "unrelated"), (0.2, "fine-grained")])
def test_fine_grained_has_a_cosine_of_a_fifth_or_more(cosine: float, found: str) -> None:
    similarity = np.eye(5)
    similarity[0, 1] = similarity[1, 0] = cosine
    assert rival_kind(per_image(), 0, 1, similarity) == found


@given(st.integers(0, 2**32 - 1))
def test_rivals_are_those_of_a_plain_loop(seed: int) -> None:
    """Runs 0 and 1 against runs 2 to 4, six outputs of which the first four are classes."""
    rng = np.random.default_rng(seed)
    labels = np.append(np.arange(4), rng.integers(0, 4, 16))
    predicted = rng.integers(0, 6, (5, 20)).astype(np.int32)
    accepted = rng.random((20, 6)) < 0.3
    images = PerImagePredictions(labels, predicted, tuple("abcdef"), accepted)
    for index in range(4):
        own = [image for image in range(20) if labels[image] == index]
        rises = {}
        for output in range(6):
            shares = [
                sum(int(predicted[run, image] == output) for run in runs for image in own) / len(own) / len(runs)
                for runs in ((0, 1), (2, 3, 4))
            ]
            rises[output] = shares[1] - shares[0]
        taking = sorted((output for output in rises if output != index), key=lambda output: (-rises[output], output))
        found = find_rivals(images, index, [0, 1], [2, 3, 4], None)
        assert [entry.share for entry in found] == pytest.approx(
            [rises[output] for output in taking[:3] if rises[output] >= 0.005]
        )
        for entry in found:
            assert entry.share == pytest.approx(rises[entry.rival])
            assert entry.both == pytest.approx(np.mean([accepted[image, entry.rival] for image in own]))


@given(st.integers(0, 2**32 - 1))
def test_runs_in_another_order_or_twice_have_the_same_rivals(seed: int) -> None:
    images = per_image()
    images.predicted[...] = np.random.default_rng(seed).integers(0, 5, images.predicted.shape)
    once = find_rivals(images, 1, [0, 1], [2, 3], None)
    assert find_rivals(images, 1, [1, 0], [3, 2], None) == once
    assert find_rivals(images, 1, [0, 1, 0, 1], [2, 3, 2, 3], None) == once


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10))
def test_cosines_do_not_change_with_size_shift_or_order(seed: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    rows, order = rng.normal(size=(5, 3)), rng.permutation(5)
    found = cosines(rows)
    np.testing.assert_allclose(cosines(size * rows + rng.normal(size=3)), found, atol=1e-9)
    np.testing.assert_allclose(cosines(rows[order]), found[np.ix_(order, order)], atol=1e-9)
    np.testing.assert_allclose(np.diag(found), 1)
    np.testing.assert_allclose(found, found.T)


def test_directions_that_are_all_the_same_have_no_likeness() -> None:
    assert cosines(np.ones((3, 4))).tolist() == [[0.0] * 3] * 3


def test_annotations_come_before_likeness() -> None:
    """A pair that is near and that is accepted together is ambiguous, not fine-grained."""
    cats = list(range(50))
    assert rival_kind(per_image(accepted(lynx=cats)), 0, 1, alike(0, 1)) == "ambiguous"
    assert rival_kind(per_image(accepted(lynx=cats[:3])), 0, 1, alike(0, 1)) == "co-occurring"
    assert rival_kind(per_image(accepted()), 0, 1, alike(0, 1)) == "fine-grained"
    assert rival_kind(per_image(accepted()), 0, 1, None) is None


def test_co_occurring_is_of_the_losing_class_s_images_and_ambiguous_is_mutual() -> None:
    """Of the cats' images four are sofas too; of the sofas' none is a cat's."""
    also = per_image(accepted(sofa=[0, 1, 2, 3]))
    assert rival_kind(also, 0, 2, None) == "co-occurring"
    assert rival_kind(also, 2, 0, None) is None
