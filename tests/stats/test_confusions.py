"""Who takes lost images, who is mistaken for whom, and sinks: against plain loops and on planted confusions."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.stats import confusions
from cuesense.stats.confusions import rivals, strongest, takers
from cuesense.types import Rival

NAMES = tuple("abcdefg")
CLASSES = 5
seeds = st.integers(0, 2**32 - 1)


def drawn(seed, images):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES - 1, images)
    predicted = rng.integers(0, len(NAMES), images)
    return predicted, (rng.random(images) < 0.7) & (predicted != labels), labels


def lost_to(predicted, lost, labels, index):
    return Counter(predicted[(labels == index) & lost].tolist())


@settings(max_examples=80)
@given(seed=seeds, images=st.integers(0, 60), minimum=st.sampled_from([0.01, 0.05, 0.2]))
def test_rivals_agree_with_the_loop(seed, images, minimum):
    data = drawn(seed, images)
    found = rivals(*data, CLASSES, NAMES, "blur", minimum)
    assert len(found) == CLASSES
    for index, rival in enumerate(found):
        n = int((data[2] == index).sum())
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


def test_only_lost_images_are_taken():
    predicted, labels = np.array([1, 1, 1, 2]), np.zeros(4, dtype=int)
    lost = np.array([False, False, False, True])
    assert rivals(predicted, lost, labels, 1, NAMES, "blur") == [Rival("c", "blur", 0.25)]
    assert takers(predicted, lost, labels, 1, NAMES) == ["c"]


def test_ties_go_to_the_lowest_output():
    predicted, labels, lost = np.array([3, 1, 3, 1]), np.zeros(4, dtype=int), np.ones(4, dtype=bool)
    assert rivals(predicted, lost, labels, 1, NAMES, "blur")[0] == Rival("b", "blur", 0.5)
    assert takers(predicted, lost, labels, 1, NAMES) == ["b"]


@pytest.mark.parametrize(("lost", "named"), [(4, False), (5, True)])
def test_a_share_below_five_percent_is_not_named(lost, named):
    predicted = np.repeat([1, 0], [lost, 100 - lost])
    (rival,) = rivals(predicted, predicted == 1, np.zeros(100, dtype=int), 1, NAMES, "blur")
    assert (rival is not None) == named


def test_many_takers_without_a_half_name_nobody():
    predicted, labels = np.array([1, 2, 3]), np.zeros(3, dtype=int)
    assert takers(predicted, np.ones(3, dtype=bool), labels, 1, NAMES) == [None]


def test_shares_are_plain_floats():
    (rival,) = rivals(np.array([1]), np.array([True]), np.array([0]), 1, NAMES, "blur")
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


def test_rivals_under_augmentations_are_kept_beyond_the_limit():
    found = [[Rival("b", f"p{at}", at / 10)] for at in range(1, 9)]
    (kept,) = strongest(found, 1, always={"p2", "p7"})
    assert [rival.perturbation for rival in kept] == ["p8", "p7", "p6", "p5", "p4", "p2"]


def test_sinks_are_predicted_more_than_their_share():
    ratio = confusions.sinks(np.array([6, 1, 1, 0]), np.array([0.25, 0.25, 0.5, 0.0]))
    np.testing.assert_allclose(ratio, [3, 0.5, 0.25, np.nan])
    assert np.isnan(confusions.sinks(np.array([0, 0]), np.array([0.5, 0.5]))).all()


@given(seeds, st.integers(2, 6), st.integers(0, 60))
def test_top_false_positive_rates_are_those_of_a_plain_loop(seed, classes, images):
    rng = np.random.default_rng(seed)
    labels, predicted = rng.integers(classes, size=images), rng.integers(-1, classes, size=images)
    rate, rival = confusions.top_false_positive_rate(predicted, labels, classes)
    for index in range(classes):
        shares = {
            other: float(((labels == other) & (predicted == index)).sum() / max(10, (labels == other).sum()))
            for other in range(classes)
            if other != index
        }
        assert rate[index] == pytest.approx(max(shares.values()))
        if rate[index] > 0:
            assert rival[index] == min(other for other, share in shares.items() if share == max(shares.values()))
        else:
            assert rival[index] == -1


@given(seeds, st.integers(2, 6), st.integers(0, 60))
def test_mutual_confusions_are_those_of_a_plain_loop(seed, classes, images):
    rng = np.random.default_rng(seed)
    labels, predicted = rng.integers(classes, size=images), rng.integers(-1, classes, size=images)
    found = confusions.mutual_confusion(predicted, labels, classes)
    for index in range(classes):
        lost = ((labels == index) & (predicted != index)).sum()
        mutual = [0.0]
        for other in set(range(classes)) - {index}:
            attracted = ((labels == other) & (predicted == index)).sum() / max(10, (labels == other).sum())
            mutual.append(attracted * (((labels == index) & (predicted == other)).sum() + 1) / (lost + 1))
        assert found[index] == pytest.approx(max(mutual))


def test_confusion_counts_only_where_it_is_mutual():
    """A pair told by a coin guesses; a class that attracts a ruined one and loses its own elsewhere does not."""
    labels = np.repeat([0, 1, 2], 40)
    coin = np.where(labels == 2, 2, np.tile([0, 1], 60))
    assert confusions.mutual_confusion(coin, labels, 3).tolist() == pytest.approx([0.5, 0.5, 0])
    ruined = np.where(labels == 1, 0, np.where((labels == 0) & (np.arange(120) % 4 == 0), 2, labels))
    assert confusions.mutual_confusion(ruined, labels, 3).tolist() == pytest.approx([1 / 11, 0, 0.25])


@settings(max_examples=40)
@given(seed=seeds, images=st.integers(50, 80))
def test_confusions_follow_their_classes_and_do_not_change_where_every_image_comes_twice(seed, images):
    rng = np.random.default_rng(seed)
    labels = np.append(np.repeat(np.arange(4), 10), rng.integers(4, size=images - 40))
    predicted, order = rng.integers(-1, 4, size=images), rng.permutation(4)
    rate = confusions.top_false_positive_rate(predicted, labels, 4)[0]
    renamed = np.where(predicted < 0, -1, order[predicted])
    np.testing.assert_allclose(confusions.top_false_positive_rate(renamed, order[labels], 4)[0][order], rate)
    twice = confusions.top_false_positive_rate(np.tile(predicted, 2), np.tile(labels, 2), 4)[0]
    np.testing.assert_allclose(twice, rate)
    mutual = confusions.mutual_confusion(predicted, labels, 4)
    np.testing.assert_allclose(confusions.mutual_confusion(renamed, order[labels], 4)[order], mutual)
    assert ((mutual >= 0) & (mutual <= 1)).all()


@pytest.mark.parametrize(("images", "share"), [(1, 0.1), (9, 0.1), (10, 0.1), (11, 1 / 11), (20, 0.05)])
def test_one_mistaken_image_of_few_counts_as_one_of_ten(images, share):
    labels = np.append(np.zeros(images, dtype=int), [1, 1])
    predicted = labels.copy()
    predicted[0] = 1
    rate, rival = confusions.top_false_positive_rate(predicted, labels, 2)
    assert rate.tolist() == [0, pytest.approx(share)]
    assert rival.tolist() == [-1, 0]
    # Class 1 loses nothing, so that one image more that it loses would be all that it loses.
    assert confusions.mutual_confusion(predicted, labels, 2).tolist() == [0, pytest.approx(share)]


def test_a_network_without_mistakes_confuses_nothing():
    labels = np.repeat([0, 1, 2], 5)
    assert confusions.top_false_positive_rate(labels, labels, 3)[0].tolist() == [0, 0, 0]
    assert confusions.mutual_confusion(labels, labels, 3).tolist() == [0, 0, 0]
    nothing = np.full(15, -1)
    assert confusions.mutual_confusion(nothing, labels, 3).tolist() == [0, 0, 0]


@given(st.lists(st.integers(0, 40), min_size=2, max_size=6).filter(any))
def test_sinks_average_one_over_the_prior(counts):
    prior = np.arange(1, len(counts) + 1) / sum(range(1, len(counts) + 1))
    ratio = confusions.sinks(np.array(counts), prior)
    assert (ratio * prior).sum() == pytest.approx(1)
    assert ratio == pytest.approx([count / sum(counts) / share for count, share in zip(counts, prior, strict=True)])
