"""Counts per class and severity, and their drops, against plain loops and simulated truth."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.stats import curves, intervals
from cuesense.types import Curve, Unpaired
from tests.helpers.counted_curves import curve_of, newcombe_scalar, perturbation

seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=30)
@given(seed=seeds, images=st.integers(0, 30), repeats=st.integers(1, 3), severities=st.integers(1, 3))
def test_counts_agree_with_the_loop(seed, images, repeats, severities):
    rng = np.random.default_rng(seed)
    classes = 4
    clean, labels = rng.random(images) < 0.6, rng.integers(0, classes, images)
    perturbed = rng.random((repeats, severities, images)) < 0.5
    curve = curves.count(perturbation(severities), clean, perturbed, labels, classes)
    lost, gained = np.zeros((2, severities, classes), dtype=int)
    for r, s, i in product(range(repeats), range(severities), range(images)):
        lost[s, labels[i]] += clean[i] and not perturbed[r, s, i]
        gained[s, labels[i]] += perturbed[r, s, i] and not clean[i]
    assert np.array_equal(curve.lost, lost)
    assert np.array_equal(curve.gained, gained)
    assert curve.n.tolist() == [int((labels == c).sum()) for c in range(classes)]
    assert curve.clean_correct.tolist() == [int(clean[labels == c].sum()) for c in range(classes)]
    assert curve.repeats == repeats
    assert all(part.dtype == np.int64 for part in (curve.n, curve.clean_correct, curve.lost, curve.gained))


def test_parts_of_a_dataset_add_up():
    rng = np.random.default_rng(5)
    clean, perturbed, labels = rng.random(50) < 0.7, rng.random((2, 3, 50)) < 0.5, rng.integers(0, 5, 50)
    whole = curves.count(perturbation(3), clean, perturbed, labels, 5)
    first, rest = (
        curves.count(perturbation(3), clean[cut], perturbed[:, :, cut], labels[cut], 5)
        for cut in (slice(0, 17), slice(17, 50))
    )
    for name in ("n", "clean_correct", "lost", "gained"):
        assert np.array_equal(getattr(whole, name), getattr(first, name) + getattr(rest, name))


@settings(max_examples=25)
@given(seed=seeds, repeats=st.integers(1, 4))
def test_drops_cell_by_cell(seed, repeats):
    curve = curve_of(np.random.default_rng(seed), repeats=repeats)
    both = curves.drops(curve, 0.95)
    one = curves.one_sided_drops(curve, 0.95)
    for s, k in product(range(3), range(6)):
        b, c = curve.lost[s, k] / repeats, curve.gained[s, k] / repeats
        clean, n = int(curve.clean_correct[k]), int(curve.n[k])
        expected = newcombe_scalar(clean - b, b, c, n - clean - c, 0.95)
        np.testing.assert_allclose([part[s, k] for part in both], ((b - c) / n, *expected), atol=2e-7)
        np.testing.assert_allclose(
            [part[s, k] for part in one], ((b - c) / n, *intervals.tango(b, c, n, 0.95)), atol=1e-12
        )


def test_identical_repeats_do_not_shrink_the_interval():
    once = curve_of(np.random.default_rng(1))
    thrice = Curve(once.perturbation, once.n, once.clean_correct, 3 * once.lost, 3 * once.gained, 3)
    for function in (curves.drops, curves.one_sided_drops):
        np.testing.assert_allclose(function(once, 0.95), function(thrice, 0.95), atol=1e-12)


def test_classes_without_images_have_no_drop():
    curve = Curve(perturbation(1), *(np.array(part) for part in ([0, 1], [0, 1], [[0, 1]], [[0, 0]])))
    for function in (curves.drops, curves.one_sided_drops):
        drop, low, high = function(curve, 0.95)
        assert np.isnan(drop[0, 0])
        assert drop[0, 1] == 1
        assert np.isnan([low, high]).all()


@pytest.mark.parametrize(("clean", "drop", "n", "m"), [(0.9, 0.05, 60, 90), (0.95, 0.3, 40, 40), (0.7, 0.0, 100, 50)])
def test_bounds_of_unpaired_drops_hold_their_level(clean, drop, n, m):
    """Two-sided 95 % intervals hold the drop, one-sided 95 % bounds fail on at most 5 % of the draws."""
    rng, draws = np.random.default_rng(1), 4000
    right, other = rng.binomial(n, clean, draws), rng.binomial(m, clean - drop, draws)
    size, zeros = np.full(draws, n), np.zeros((1, draws), dtype=np.int64)
    unpaired = Unpaired(n=np.full((1, draws), m), correct=other[None])
    curve = Curve(perturbation(1), size, right, zeros, zeros, 1, unpaired)
    value, low, high = curves.drops(curve, 0.95)
    np.testing.assert_allclose(value[0], right / n - other / m)
    assert ((low <= drop) & (drop <= high)).mean() >= 0.95
    _, low, high = curves.one_sided_drops(curve, 0.95)
    assert (high[0] < drop).mean() <= 0.05
    assert (low[0] > drop).mean() <= 0.05


def test_unpaired_counts_keep_every_image_and_round_the_net_loss():
    labels, others = np.repeat([0, 1], 10), np.repeat([0, 1], [4, 8])
    right = np.array([True] * 4 + [False] * 2 + [True] * 6)
    curve = curves.count_unpaired(perturbation(1), (labels, labels == 0), [[(others, right)], [(others, ~right)]], 2)
    assert curve.repeats == 2
    assert curve.unpaired.n.tolist() == [[8, 16]]
    assert curve.unpaired.correct.tolist() == [[4, 8]]
    assert curve.lost.tolist() == [[10, 0]]
    assert curve.gained.tolist() == [[0, 10]]


@settings(max_examples=40)
@given(seed=seeds, repeats=st.integers(1, 3))
def test_unpaired_counts_agree_with_the_loop(seed, repeats):
    """A class with no perturbed images keeps its clean rate: nothing is known to change."""
    rng = np.random.default_rng(seed)
    labels, severities, classes = rng.integers(0, 3, 25), 2, 4
    right = rng.random(25) < 0.7

    def other():
        images = rng.integers(0, 3, int(rng.integers(0, 12)))
        return images, rng.random(len(images)) < 0.5

    perturbed = [[other() for _ in range(severities)] for _ in range(repeats)]
    curve = curves.count_unpaired(perturbation(severities), (labels, right), perturbed, classes)
    for s, c in product(range(severities), range(classes)):
        n, clean = int((labels == c).sum()), int(right[labels == c].sum())
        seen = sum(int((part[s][0] == c).sum()) for part in perturbed)
        correct = sum(int(part[s][1][part[s][0] == c].sum()) for part in perturbed)
        net = round(repeats * (clean - n * correct / seen)) if seen else 0
        assert (curve.n[c], curve.clean_correct[c]) == (n, clean)
        assert (curve.unpaired.n[s, c], curve.unpaired.correct[s, c]) == (seen, correct)
        assert (curve.lost[s, c], curve.gained[s, c]) == (max(net, 0), max(-net, 0))


def unpaired_curve(n, clean, m, correct, repeats=1):
    zeros = np.zeros((1, len(n)), dtype=np.int64)
    other = Unpaired(n=np.array([m]), correct=np.array([correct]))
    return Curve(perturbation(1), np.array(n), np.array(clean), zeros, zeros, repeats, other)


def test_unpaired_drops_are_those_of_independent_samples_with_images_counted_once():
    curve = unpaired_curve([40, 30], [36, 20], [60, 90], [30, 75], repeats=3)
    value, low, high = curves.drops(curve, 0.9)
    assert value[0] == pytest.approx([36 / 40 - 10 / 20, 20 / 30 - 25 / 30])
    for index, given_counts in enumerate(((36, 40, 10, 20), (20, 30, 25, 30))):
        assert (low[0, index], high[0, index]) == pytest.approx(intervals.independent(*given_counts, 0.9))
    # One bound at 95 % is an end of the two-sided interval at 90 %.
    np.testing.assert_allclose(curves.one_sided_drops(curve, 0.95), (value, low, high))


@pytest.mark.parametrize(("n", "m", "known"), [(2, 2, True), (1, 20, False), (20, 1, False), (20, 0, False)])
def test_unpaired_drops_need_two_images_of_both(n, m, known):
    found = curves.drops(unpaired_curve([n], [1], [m], [min(m, 1)]), 0.95)
    assert np.isfinite(found).all() == known
    assert np.isnan(found).all() != known


@settings(max_examples=25)
@given(seed=seeds)
def test_drops_follow_their_classes_and_widen_with_the_confidence(seed):
    rng = np.random.default_rng(seed)
    curve = curve_of(rng)
    order = rng.permutation(6)
    turned = Curve(
        curve.perturbation, curve.n[order], curve.clean_correct[order], curve.lost[:, order], curve.gained[:, order]
    )
    for function in (curves.drops, curves.one_sided_drops):
        value, low, high = function(curve, 0.9)
        np.testing.assert_allclose(function(turned, 0.9), np.array((value, low, high))[:, :, order])
        wider = function(curve, 0.99)
        assert (wider[1] <= low + 1e-12).all()
        assert (wider[2] >= high - 1e-12).all()


@settings(max_examples=30)
@given(seed=seeds, images=st.integers(0, 30), repeats=st.integers(1, 3), severities=st.integers(1, 3))
def test_images_that_were_not_seen_count_for_nothing(seed, images, repeats, severities):
    rng = np.random.default_rng(seed)
    clean, labels, seen = rng.random(images) < 0.6, rng.integers(0, 4, images), rng.random((severities, images)) < 0.5
    perturbed = rng.random((repeats, severities, images)) < 0.5
    curve = curves.count(perturbation(severities), clean, perturbed, labels, 4, seen)
    assert np.array_equal(curve.n, np.bincount(labels, minlength=4))
    assert np.array_equal(curve.images, curve.seen)
    for severity, part in enumerate(seen):
        of_part = perturbed[:, [severity]][:, :, part]
        alone = curves.count(perturbation(1), clean[part], of_part, labels[part], 4)
        assert np.array_equal(curve.images[severity], alone.n)
        for name in ("lost", "gained", *(("squared",) if repeats > 1 else ())):
            assert np.array_equal(getattr(curve, name)[severity], getattr(alone, name)[0])
        np.testing.assert_array_equal(
            np.array(curves.one_sided_drops(curve, 0.95))[:, severity],
            np.array(curves.one_sided_drops(alone, 0.95))[:, 0],
        )


def test_a_loss_among_a_part_stands_for_all():
    curve = Curve(perturbation(2), np.array([40]), np.array([36]), np.array([[2], [9]]), np.array([[0], [1]]))
    assert curve.net_lost.tolist() == [[2], [8]]
    assert replace(curve, seen=np.array([[10], [40]])).net_lost.tolist() == [[8], [8]]
