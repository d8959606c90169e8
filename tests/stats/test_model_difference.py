"""Contrasts of two models: counts against plain loops, tests against scipy, bounds that keep what they promise."""

from __future__ import annotations

from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, fisher_exact

from cuesense.stats.intervals import tango
from cuesense.stats.model_difference import Contrast, Pairs, from_counts, paired, q_values


def arrays(*numbers: float) -> list[np.ndarray]:
    return [np.array([number], np.float64) for number in numbers]


def of_pairs(n: int, both: int, lost: int, gained: int) -> Contrast:
    images, a, b, c = arrays(n, both + lost, lost, gained)
    return Contrast(images, images, a, a - b + c, Pairs(b, c, b, c))


def test_pairs_are_counted_as_a_plain_loop_counts_them() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(4, size=200)
    a, b = (rng.integers(3, size=200) / 2 for _ in range(2))
    found = paired(labels, a, b, 5)
    expected = np.zeros((7, 5))
    for label, first, second in zip(labels, a, b, strict=True):
        lost, gained = first * (1 - second), second * (1 - first)
        expected[:, label] += [1, first, second, lost, gained, first > second, second > first]
    assert found.pairs is not None
    parts = (found.n_a, found.right_a, found.right_b, *vars(found.pairs).values())
    np.testing.assert_allclose(parts, expected)
    np.testing.assert_allclose(found.pairs.lost - found.pairs.gained, found.right_a - found.right_b)
    np.testing.assert_allclose(found.total().n_b, [200])
    assert np.isnan(found.loss()[4])
    assert found.known.tolist() == [True] * 4 + [False]


@pytest.mark.parametrize(("lost", "gained"), [(0, 0), (1, 0), (5, 1), (2, 9), (20, 20)])
def test_paired_p_values_are_those_of_the_binomial_test(lost: int, gained: int) -> None:
    found = of_pairs(60, 10, lost, gained)
    trials = lost + gained
    one = binomtest(lost, trials, alternative="greater").pvalue if trials else 1.0
    two = binomtest(lost, trials).pvalue if trials else 1.0
    assert found.p_loss()[0] == pytest.approx(one)
    assert found.p_difference()[0] == pytest.approx(two)


@pytest.mark.parametrize(("k", "n", "j", "m"), [(9, 10, 3, 10), (5, 20, 40, 60), (0, 5, 0, 5), (5, 5, 1, 200)])
def test_unpaired_p_values_are_fisher_s(k: int, n: int, j: int, m: int) -> None:
    found = Contrast(*arrays(n, m, k, j))
    one, other = (
        fisher_exact([[k, n - k], [j, m - j]], alternative=side).pvalue  # type: ignore[attr-defined]
        for side in ("greater", "less")
    )
    assert found.p_loss()[0] == pytest.approx(one)
    assert found.p_difference()[0] == pytest.approx(min(1, 2 * min(one, other)))


@pytest.mark.parametrize("alpha", [0.05, 0.025, 0.05 / 3, 0.005, 0.0005])
def test_a_loss_that_is_none_is_certain_no_more_often_than_promised(alpha: float) -> None:
    """All tables of n paired images whose accuracy does not differ, summed; scoring.tango alone fails this."""
    for n in (5, 10, 20, 50):
        lost, gained = (part.ravel().astype(float) for part in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
        images = np.full_like(lost, n)
        certain = Contrast(images, images, lost, gained, Pairs(lost, gained, lost, gained)).bounds(1 - alpha)[0] > 0
        changed = (lost + gained).astype(int)
        for share in (0.05, 0.1, 0.3, 1.0):
            chance = np.where(changed <= n, binom.pmf(changed, n, share) * binom.pmf(lost, changed, 0.5), 0)
            assert chance[certain & (changed <= n)].sum() <= alpha * 1.0001


@pytest.mark.parametrize("alpha", [0.05, 0.005, 0.00005])
def test_independent_losses_are_certain_no_more_often_than_promised(alpha: float) -> None:
    for n, m in ((10, 10), (20, 100), (10, 200)):
        k, j = (part.ravel().astype(float) for part in np.meshgrid(np.arange(n + 1), np.arange(m + 1)))
        certain = Contrast(np.full_like(k, n), np.full_like(k, m), k, j).bounds(1 - alpha)[0] > 0
        for share in (0.1, 0.5, 0.9, 0.97):
            assert (binom.pmf(k, n, share) * binom.pmf(j, m, share))[certain].sum() <= alpha * 1.0001


def test_a_large_loss_is_certain_and_lies_within_its_bounds() -> None:
    for found in (of_pairs(100, 50, 30, 2), Contrast(*arrays(100, 100, 80, 52))):
        low, high = found.bounds(0.99)
        assert 0 < low[0] < found.loss()[0] < high[0]
        assert found.loss()[0] == pytest.approx(0.28)
        back = found.swapped()
        assert back.loss()[0] == pytest.approx(-0.28)
        np.testing.assert_allclose(np.negative(back.interval(0.9)[::-1]), found.interval(0.9))


def test_pairs_tell_more_than_independent_images() -> None:
    same = of_pairs(100, 60, 12, 2)
    other = Contrast(same.n_a, same.n_b, same.right_a, same.right_b)
    (low, high), (wide_low, wide_high) = same.interval(0.95), other.interval(0.95)
    assert wide_low[0] < low[0] < high[0] < wide_high[0]


def test_repeats_do_not_make_images() -> None:
    once = from_counts([40], [30], [9], [1], 1)
    thrice = from_counts([40], [30], [27], [3], 3)
    np.testing.assert_allclose(once.bounds(0.95), thrice.bounds(0.95))
    assert from_counts([40], [30], [17], [2], 3).p_loss()[0] == pytest.approx(
        binomtest(5, 6, alternative="greater").pvalue
    )
    total = from_counts([40] * 9, [30] * 9, [1] * 9, [0] * 9, 3).total()
    assert total.p_loss()[0] == pytest.approx(1 / 8)


def test_few_images_give_no_bounds() -> None:
    found = Contrast(np.array([0.0, 1.0, 9.0]), np.array([5.0, 5.0, 9.0]), np.array([0.0, 1.0, 9.0]), np.zeros(3))
    low, _ = found.bounds(0.95)
    assert np.isnan(low).tolist() == [True, True, False]
    assert np.isnan(found.p_loss()).tolist() == [True, False, False]
    assert found.known.tolist() == [False, False, True]


def test_q_values_are_benjamini_and_hochberg_s_over_what_is_known() -> None:
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.5])
    known = np.sort(p[~np.isnan(p)])
    expected = {rank_p: min(4 * known[i] / (i + 1) for i in range(place, 4)) for place, rank_p in enumerate(known)}
    found = q_values(p)
    assert np.isnan(found[1])
    assert [expected[value] for value in p[[0, 2, 3, 4]]] == pytest.approx(found[[0, 2, 3, 4]].tolist())
    assert np.isnan(q_values(np.array([np.nan]))).all()


@pytest.mark.parametrize("same", [True, False])
def test_equal_models_differ_at_a_false_discovery_rate_as_rarely_as_promised(same: bool) -> None:
    """Simulated: 400 pairs of equal models of 20 classes; any class at q <= 0.05 is a false discovery."""
    rng = np.random.default_rng(3)
    labels, alarms = np.repeat(np.arange(20), 30), 0
    for _ in range(400):
        a, b = (rng.random(600) < 0.8 for _ in range(2))
        found = paired(labels, a.astype(float), b.astype(float), 20)
        if not same:
            found = Contrast(found.n_a, found.n_b, found.right_a, found.right_b)
        alarms += bool((q_values(found.p_difference()) <= 0.05).any())
    assert alarms / 400 <= 0.05 + 2 * (0.05 * 0.95 / 400) ** 0.5


seeds = st.integers(0, 2**32 - 1)


def drawn(seed: int, repeats: int = 1, images: int = 60, classes: int = 4) -> tuple[np.ndarray, ...]:
    """Return labels and how often each image is recognized by A and by B, shares of the repeats."""
    rng = np.random.default_rng(seed)
    shares = (rng.binomial(repeats, rate, images) / repeats for rate in rng.random(2))
    return rng.integers(classes, size=images), *shares


@pytest.mark.parametrize(("k", "n", "j", "m"), [(3, 4, 1, 5), (4, 6, 2, 4), (0, 3, 2, 3), (5, 5, 0, 5)])
def test_fisher_s_p_value_counts_the_ways_to_share_out_what_is_recognized(k: int, n: int, j: int, m: int) -> None:
    """Every way to choose which k + j of the n + m images are recognized; the first n are A's."""
    ways = list(combinations(range(n + m), k + j))
    as_many = [sum(image < n for image in way) >= k for way in ways]
    assert Contrast(*arrays(n, m, k, j)).p_loss()[0] == pytest.approx(np.mean(as_many))


@pytest.mark.parametrize(("lost", "gained"), [(0, 0), (3, 0), (4, 2), (2, 5), (6, 6)])
def test_mcnemar_s_p_value_counts_the_ways_to_swap_the_models(lost: int, gained: int) -> None:
    """Under no difference each image that only one model recognizes is A's or B's with equal chance."""
    ways = list(product((0, 1), repeat=lost + gained))
    assert of_pairs(40, 9, lost, gained).p_loss()[0] == pytest.approx(np.mean([sum(way) >= lost for way in ways]))


@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=1, max_size=12))
def test_q_values_find_what_the_step_up_procedure_rejects(values: list[float]) -> None:
    """At every rate: all p-values up to the largest one of rank i with p <= i * rate / m are rejected."""
    found, known = q_values(np.array(values)), sorted(value for value in values if value == value)
    for rate in (0.01, 0.05, 0.2, 0.5):
        passing = [value for rank, value in enumerate(known, start=1) if value * len(known) / rank <= rate]
        limit = max(passing, default=-1.0)
        for value, q in zip(values, found, strict=True):
            assert bool(q <= rate) == (value <= limit)
            assert np.isnan(q) == np.isnan(value)
            assert not q < value


@settings(max_examples=30)
@given(seed=seeds, repeats=st.integers(1, 3))
def test_the_order_of_the_classes_and_of_the_images_changes_nothing(seed: int, repeats: int) -> None:
    labels, a, b = drawn(seed, repeats)
    order = np.random.default_rng(seed).permutation(4)
    shuffle = np.random.default_rng(seed + 1).permutation(len(labels))
    found = paired(labels, a, b, 4)
    other = paired(order[labels][shuffle], a[shuffle], b[shuffle], 4)
    for function in (Contrast.loss, Contrast.p_loss, Contrast.p_difference):
        np.testing.assert_allclose(function(other)[order], function(found), atol=1e-12)
    for function in (Contrast.interval, Contrast.bounds):
        np.testing.assert_allclose(np.array(function(other, 0.95))[:, order], function(found, 0.95), atol=1e-12)


@settings(max_examples=30)
@given(seed=seeds, repeats=st.integers(1, 3), same=st.booleans())
def test_exchanged_models_have_the_opposite_loss(seed: int, repeats: int, same: bool) -> None:
    found = paired(*drawn(seed, repeats), 4)  # type: ignore[call-arg,arg-type]
    found = found if same else Contrast(found.n_a, found.n_b, found.right_a, found.right_b)
    other = found.swapped()
    np.testing.assert_allclose(other.loss(), -found.loss())
    np.testing.assert_allclose(other.p_difference(), found.p_difference())
    low, high = found.interval(0.9)
    np.testing.assert_allclose(other.interval(0.9), (-high, -low), atol=1e-12)
    assert np.array_equal(other.swapped().right_a, found.right_a)


@settings(max_examples=30)
@given(seed=seeds, same=st.booleans())
def test_bounds_widen_with_the_confidence_around_the_loss(seed: int, same: bool) -> None:
    found = paired(*drawn(seed), 4)  # type: ignore[call-arg,arg-type]
    found = found if same else Contrast(found.n_a, found.n_b, found.right_a, found.right_b)
    levels = [found.bounds(level) for level in (0.8, 0.9, 0.95, 0.99)]
    loss = found.loss()[found.known]
    for (low, high), (wider_low, wider_high) in pairwise(levels):
        inside = [part[found.known] for part in (wider_low, low, loss, high, wider_high)]
        assert (np.diff(inside, axis=0) >= -1e-12).all()


@settings(max_examples=30)
@given(seed=seeds)
def test_all_classes_together_are_one_class(seed: int) -> None:
    labels, a, b = drawn(seed, 3)
    whole, one = paired(labels, a, b, 4).total(), paired(np.zeros_like(labels), a, b, 1)
    assert whole.pairs is not None
    assert one.pairs is not None
    for name in ("n_a", "n_b", "right_a", "right_b"):
        np.testing.assert_allclose(getattr(whole, name), getattr(one, name))
    np.testing.assert_allclose(list(vars(whole.pairs).values()), list(vars(one.pairs).values()))


@settings(max_examples=30)
@given(seed=seeds)
def test_counts_of_one_repeat_are_the_pairs_themselves(seed: int) -> None:
    labels, a, b = drawn(seed)
    images = paired(labels, a, b, 4)
    lost, gained = (np.bincount(labels, weights=part, minlength=4) for part in (a > b, b > a))
    counts = from_counts(images.n_a, images.right_a, lost, gained, 1)
    np.testing.assert_allclose(counts.right_b, images.right_b)
    np.testing.assert_allclose(counts.p_loss(), images.p_loss())
    np.testing.assert_allclose(counts.bounds(0.9), images.bounds(0.9))


@pytest.mark.parametrize(("alpha", "certain"), [(2**-5, True), (2**-5 - 1e-9, False)])
def test_a_loss_is_certain_from_the_exact_test_s_level_on(alpha: float, certain: bool) -> None:
    """Five images of 1,000 are lost, none is gained: McNemar's p is 1/32, and Tango's bound is above 0 either way."""
    found = of_pairs(1000, 900, 5, 0)
    assert tango(5, 0, 1000, 1 - alpha)[0] > 0
    low = found.bounds(1 - alpha)[0][0]
    assert (low > 0) == certain
    assert low == (pytest.approx(float(tango(5, 0, 1000, 1 - alpha)[0])) if certain else 0)


def test_means_over_repeats_are_rounded_to_the_side_of_no_loss() -> None:
    """Nine image-repeats of two are 4.5 images, of which four count; one of two is half, which counts as one."""
    assert from_counts([40], [30], [9], [1], 2).p_loss()[0] == pytest.approx(of_pairs(40, 9, 4, 1).p_loss()[0])
    assert from_counts([40], [30], [1], [9], 2).p_loss()[0] == pytest.approx(of_pairs(40, 9, 0, 5).p_loss()[0])


@pytest.mark.parametrize(("n_a", "n_b", "known"), [(2, 2, True), (1, 9, False), (9, 1, False), (1.9, 2, False)])
def test_two_images_of_both_are_enough_for_an_interval(n_a: float, n_b: float, known: bool) -> None:
    found = Contrast(*arrays(n_a, n_b, 1, 1))
    assert found.known.tolist() == [known]
    assert np.isfinite(found.interval(0.95)).all() == known
    assert np.isfinite(found.loss()).all()


def test_a_part_of_the_images_stands_for_all_of_its_class() -> None:
    """100 images of which 10 were looked at, and 20 that all were: .3 and .1 lost, so (30 + 2) / 120 of all."""
    found = from_counts([100, 20], [90, 15], [4, 2], [1, 0], 1, seen=[10, 20])
    assert (found.n_a.tolist(), found.right_a.tolist()) == ([10, 20], [9, 15])
    assert found.loss() == pytest.approx([0.3, 0.1])
    whole = found.total()
    assert whole.loss() == pytest.approx([32 / 120])
    assert whole.right_a / whole.n_a == pytest.approx([105 / 120])
    # Weights of 10 and 1: (10 x 10 + 20)^2 / (100 x 10 + 20) images.
    assert whole.n_a == pytest.approx([120**2 / 1020])
    same, seen = (from_counts([100, 20], [90, 15], [4, 2], [1, 0], 1, part) for part in (None, [100, 20]))
    for one, other in ((same, seen), (same.total(), seen.total())):
        assert one.bounds(0.95)[0].tolist() == other.bounds(0.95)[0].tolist()
    nothing = from_counts([100, 20], [90, 15], [4, 0], [1, 0], 1, seen=[10, 0]).total()
    assert (nothing.loss(), nothing.n_a) == (pytest.approx([0.3]), pytest.approx([10]))
