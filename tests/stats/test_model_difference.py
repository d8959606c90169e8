"""Contrasts of two models: counts against plain loops, tests against scipy, bounds that keep what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest, fisher_exact

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
