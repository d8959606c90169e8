from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.stats.confusions import rivals, strongest, takers
from cuesense.types import Rival

NAMES = tuple("abcdefg")
CLASSES = 5
seeds = st.integers(0, 2**32 - 1)


def drawn(seed, images):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES - 1, images)
    predicted = rng.integers(0, len(NAMES), images)
    return predicted, rng.random(images) < 0.7, predicted == labels, labels


def lost_to(predicted, clean, correct, labels, index):
    chosen = (labels == index) & clean & ~correct
    return Counter(predicted[chosen].tolist())


@settings(max_examples=80)
@given(seed=seeds, images=st.integers(0, 60), minimum=st.sampled_from([0.01, 0.05, 0.2]))
def test_rivals_agree_with_the_loop(seed, images, minimum):
    data = drawn(seed, images)
    found = rivals(*data, CLASSES, NAMES, "blur", minimum)
    assert len(found) == CLASSES
    for index, rival in enumerate(found):
        n = int((data[3] == index).sum())
        best = min(lost_to(*data, index).items(), key=lambda pair: (-pair[1], pair[0]), default=None)
        if best is None or best[1] / n < minimum:
            assert rival is None
        else:
            assert rival == Rival(NAMES[best[0]], "blur", best[1] / n)


@settings(max_examples=80)
@given(seed=seeds, images=st.integers(0, 40))
def test_takers_take_half(seed, images):
    data = drawn(seed, images)
    for index, name in enumerate(takers(*data, CLASSES, NAMES)):
        lost = lost_to(*data, index)
        half = sorted(output for output, count in lost.items() if 2 * count >= lost.total())
        assert name == (NAMES[half[0]] if half else None)


def test_images_wrong_when_clean_are_no_leak():
    predicted, labels = np.array([1, 1, 1, 2]), np.zeros(4, dtype=int)
    clean = np.array([False, False, False, True])
    wrong = np.zeros(4, dtype=bool)
    assert rivals(predicted, clean, wrong, labels, 1, NAMES, "blur") == [Rival("c", "blur", 0.25)]
    assert takers(predicted, clean, wrong, labels, 1, NAMES) == ["c"]


def test_images_that_stay_right_are_no_leak():
    predicted, labels, right = np.array([1, 1, 2]), np.zeros(3, dtype=int), np.array([True, True, False])
    assert rivals(predicted, np.ones(3, dtype=bool), right, labels, 1, NAMES, "crop") == [Rival("c", "crop", 1 / 3)]


def test_ties_go_to_the_lowest_output():
    predicted, labels = np.array([3, 1, 3, 1]), np.zeros(4, dtype=int)
    right, wrong = np.ones(4, dtype=bool), np.zeros(4, dtype=bool)
    assert rivals(predicted, right, wrong, labels, 1, NAMES, "blur")[0] == Rival("b", "blur", 0.5)
    assert takers(predicted, right, wrong, labels, 1, NAMES) == ["b"]


@pytest.mark.parametrize(("lost", "named"), [(4, False), (5, True)])
def test_a_share_below_five_percent_is_not_named(lost, named):
    predicted = np.repeat([1, 0], [lost, 100 - lost])
    clean = np.ones(100, dtype=bool)
    (rival,) = rivals(predicted, clean, predicted == 0, np.zeros(100, dtype=int), 1, NAMES, "blur")
    assert (rival is not None) == named


def test_many_takers_without_a_half_name_nobody():
    predicted, labels = np.array([1, 2, 3]), np.zeros(3, dtype=int)
    assert takers(predicted, np.ones(3, dtype=bool), np.zeros(3, dtype=bool), labels, 1, NAMES) == [None]


def test_shares_are_plain_floats():
    (rival,) = rivals(np.array([1]), np.array([True]), np.array([False]), np.array([0]), 1, NAMES, "blur")
    assert type(rival.share) is float


@given(st.lists(st.lists(st.one_of(st.none(), st.integers(1, 9)), min_size=3, max_size=3), min_size=1, max_size=7))
def test_strongest_keeps_the_largest_in_order(table):
    found = [
        [None if share is None else Rival("x", f"p{row}", share / 10) for share in shares]
        for row, shares in enumerate(table)
    ]
    for index, kept in enumerate(strongest(found, 3, limit=4)):
        ranked = sorted((-row[index], number) for number, row in enumerate(table) if row[index] is not None)[:4]
        assert [(-10 * rival.share, rival.perturbation) for rival in kept] == [
            (pytest.approx(share), f"p{number}") for share, number in ranked
        ]


def test_strongest_keeps_five():
    found = [[Rival("x", f"p{step}", step / 10)] for step in range(1, 9)]
    assert [rival.perturbation for rival in strongest(found, 1)[0]] == ["p8", "p7", "p6", "p5", "p4"]
