"""Shares drawn toward their mean: against plain loops and integrals, bounds that hold, and classes that say nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, betabinom, norm

from cuesense.arrays import Floats
from cuesense.stats.shrinkage import heterogeneity, reliability, shrunken, shrunken_shares

SHARES = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 40)), min_size=1, max_size=12)


def counted(pairs: list[tuple[int, int]]) -> tuple[Floats, Floats]:
    images = np.array([n for _, n in pairs], dtype=float)
    return np.array([min(k, n) for k, n in pairs]) / images, images


def test_shares_are_those_of_an_integral_over_all_beta_distributions() -> None:
    shares, images = np.array([0.5, 0.9, 1.0, 0.2]), np.array([10, 20, 3, 30])
    kept = np.rint(shares * images).astype(int)
    first, total = np.zeros(4), 0.0
    for mean in np.linspace(0.01, 0.99, 50):
        for relative in np.linspace(0.01, 0.99, 50):
            size = 1 / relative**2 - 1
            a, b = mean * size, (1 - mean) * size
            weight = relative * math.prod(betabinom.pmf(kept, images, a, b).tolist())
            first += weight * (a + kept) / (size + images)
            total += weight
    found = shrunken_shares(shares, images.astype(float), 0.95)
    assert found.value == pytest.approx(first / total, abs=0.004)


def test_estimates_are_those_of_an_integral_over_mean_and_spread() -> None:
    y, v = np.array([0.1, 0.3, 0.7, 0.4]), np.array([0.01, 0.02, 0.005, 0.04])
    first, second, apart, total = np.zeros(4), np.zeros(4), np.zeros(4), 0.0
    for spread in np.linspace(0.00625, 0.5, 80):
        for mean in np.linspace(-1.1, 1.9, 61):
            weight = spread * float(np.prod(norm.pdf(y, mean, np.sqrt(v + spread**2))))
            center = (spread**2 * y + v * mean) / (spread**2 + v)
            own = spread**2 * v / (spread**2 + v)
            first, second = first + weight * center, second + weight * (center**2 + own)
            away = center - center.mean()
            apart = apart + weight * (away**2 + own * (1 - 2 / 4) + own.mean() / 4)
            total += weight
    found = shrunken(y, v, 0.5)
    value = first / total
    assert found.value == pytest.approx(value, abs=0.003)
    assert found.variance == pytest.approx(second / total - value**2, rel=0.03)
    assert found.about_mean == pytest.approx(apart / total - (value - value.mean()) ** 2, rel=0.03)
    assert (found.mean, found.mean_variance) == (pytest.approx(y.mean()), pytest.approx(v.sum() / 16))


@pytest.mark.parametrize(
    ("classes", "images", "a", "b"), [(20, 10, 8, 2), (20, 45, 20, 20), (60, 3, 30, 1), (5, 20, 5, 5)]
)
def test_intervals_hold_in_about_95_of_100_classes(classes: int, images: int, a: float, b: float) -> None:
    rng = np.random.default_rng(3)
    held, better = [], []
    for _ in range(40):
        truth = rng.beta(a, b, classes)
        seen = rng.binomial(images, truth) / images
        found = shrunken_shares(seen, np.full(classes, float(images)), 0.95)
        held.append((found.low <= truth) & (truth <= found.high))
        better.append(((seen - truth) ** 2).mean() - ((found.value - truth) ** 2).mean())
    # Discrete shares of three images that nearly all are kept leave some to spare.
    assert 0.92 <= np.mean(held) <= (0.98 if images > 3 else 0.995)
    assert np.mean(better) > 0


def test_classes_that_do_not_differ_are_nearly_one_class() -> None:
    rng = np.random.default_rng(1)
    found = shrunken_shares(rng.binomial(45, 0.91, 20) / 45, np.full(20, 45.0), 0.95)
    assert np.ptp(found.value) < 0.05
    assert found.spread_high < 0.06
    assert ((found.low <= 0.91) & (found.high >= 0.91)).all()
    assert (found.high - found.low).min() > 0.02


def test_two_classes_keep_their_own_shares() -> None:
    found = shrunken_shares(np.array([0.1, 0.9]), np.full(2, 45.0), 0.95)
    assert found.value == pytest.approx([0.1, 0.9], abs=0.03)


def test_one_class_alone_is_not_drawn_anywhere() -> None:
    found = shrunken(np.array([0.3]), np.array([0.01]), 0.5)
    assert (found.value[0], found.variance[0]) == (pytest.approx(0.3), pytest.approx(0.01, rel=1e-6))
    assert found.about_mean[0] == pytest.approx(0, abs=1e-12)
    share = shrunken_shares(np.array([0.3]), np.array([20.0]), 0.95)
    exact = beta.ppf([0.025, 0.975], 6 + 0.5, 14 + 0.5)
    assert [share.low[0], share.high[0]] == pytest.approx(exact, abs=0.03)


def test_what_is_not_known_stays_unknown_and_changes_nothing() -> None:
    shares, images = np.array([0.4, np.nan, 0.8]), np.array([9.0, 0.0, 30.0])
    found, without = shrunken_shares(shares, images, 0.9), shrunken_shares(shares[[0, 2]], images[[0, 2]], 0.9)
    assert np.isnan([found.value[1], found.low[1], found.high[1], found.variance[1]]).all()
    assert found.value[[0, 2]].tolist() == without.value.tolist()
    assert found.high[[0, 2]].tolist() == without.high.tolist()
    nothing = shrunken_shares(np.full(2, np.nan), np.zeros(2), 0.9)
    assert np.isnan([*nothing.value, nothing.spread]).all()
    assert np.isnan(shrunken(np.full(2, np.nan), np.full(2, np.nan), 0.5).value).all()


@settings(max_examples=40, deadline=None)
@given(SHARES, st.floats(0.6, 0.99))
def test_bounds_hold_the_value_and_stay_in_their_range(pairs: list[tuple[int, int]], confidence: float) -> None:
    shares, images = counted(pairs)
    found = shrunken_shares(shares, images, confidence)
    assert ((found.low >= 0) & (found.low <= found.value) & (found.value <= found.high) & (found.high <= 1)).all()
    assert (found.variance > 0).all()


@settings(max_examples=25, deadline=None)
@given(SHARES, st.randoms(use_true_random=False))
def test_the_order_of_the_classes_does_not_matter(pairs: list[tuple[int, int]], random) -> None:  # type: ignore[no-untyped-def]
    shares, images = counted(pairs)
    order = list(range(len(pairs)))
    random.shuffle(order)
    one, other = shrunken_shares(shares, images, 0.95), shrunken_shares(shares[order], images[order], 0.95)
    for name in ("value", "low", "high"):
        assert getattr(other, name) == pytest.approx(getattr(one, name)[order], abs=1e-9)
    plain, turned = shrunken(shares, 1 / images, 0.5), shrunken(shares[order], 1 / images[order], 0.5)
    for name in ("value", "variance", "own", "about_mean"):
        assert getattr(turned, name) == pytest.approx(getattr(plain, name)[order], abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=8), st.integers(4, 30))
def test_more_images_are_narrower_on_the_whole(shares: list[float], images: int) -> None:
    seen = np.array(shares)
    few, many = (shrunken_shares(seen, np.full(len(seen), float(n)), 0.95) for n in (images, 10 * images))
    assert (many.high - many.low).mean() < (few.high - few.low).mean() + 1e-9


def test_reliability_is_what_halves_of_the_images_show_on_average() -> None:
    rng = np.random.default_rng(2)
    images = 40
    right = rng.random((images, 30)) < rng.beta(4, 4, 30)
    values = right.mean(axis=0)
    stepped = []
    for _ in range(400):
        order = rng.permutation(images)
        halves = [right[order[part]].mean(axis=0) for part in (slice(0, 20), slice(20, 40))]
        r = float(np.corrcoef(*halves)[0, 1])
        stepped.append(2 * r / (1 + r))
    found, spread = reliability(values, values * (1 - values) / (images - 1))
    assert found == pytest.approx(np.mean(stepped), abs=0.02)
    assert spread**2 == pytest.approx(found * values.var(ddof=1))


def test_no_reliability_is_below_0_or_of_one_class() -> None:
    assert reliability(np.array([0.5, 0.5, np.nan]), np.array([0.1, 0.1, 0.1])) == (0, 0)
    assert np.isnan(reliability(np.array([0.5, np.nan]), np.array([0.1, 0.1]))).all()
    assert np.isnan(reliability(np.array([0.5, 0.6]), np.array([0.1, np.nan]))).all()


def test_heterogeneity_is_uniform_where_classes_are_alike() -> None:
    rng = np.random.default_rng(0)
    noise = np.array([0.01, 0.02, 0.03, 0.01])
    p = np.array([heterogeneity(rng.normal(0.5, np.sqrt(noise)), noise) for _ in range(2000)])
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.015)
    assert heterogeneity(np.array([0.0, 1.0]), np.array([0.01, 0.01])) < 1e-6
    assert heterogeneity(np.array([0.3, np.nan]), np.array([0.01, np.nan])) == 1.0
