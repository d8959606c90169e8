"""Intervals and tests: published values, scalar formulas, coverage by enumeration and simulation."""

import math
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import gammaln
from scipy.stats import norm

from cuesense.stats import intervals
from cuesense.types import Interval
from tests.helpers.counted_curves import newcombe_scalar, wilson_scalar

seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=200)
@given(
    table=st.tuples(*[st.integers(0, 60)] * 4).filter(lambda t: sum(t) >= 2),
    confidence=st.sampled_from([0.8, 0.9, 0.95, 0.99]),
    repeats=st.integers(1, 3),
)
def test_newcombe_agrees_with_the_scalar_and_mirrors(table, confidence, repeats):
    a, b, c, d = (part / repeats for part in table)
    n = a + b + c + d
    if n < 2:
        return
    low, high = intervals.newcombe(a + b, b, c, n, confidence)
    np.testing.assert_allclose((low, high), newcombe_scalar(a, b, c, d, confidence), atol=2e-7)
    assert -1 <= low <= (b - c) / n + 1e-12
    assert (b - c) / n - 1e-12 <= high <= 1
    mirrored = intervals.newcombe(a + c, c, b, n, confidence)
    np.testing.assert_allclose(mirrored, (-high, -low), atol=1e-12)


@pytest.mark.parametrize(
    ("table", "limits"),
    [
        ((36, 12, 2, 0), (0.0569, 0.3404)),  # Newcombe 1998, method 10
        ((14, 5, 0, 22), (0.011, 0.226)),  # Altman et al. 2000, Statistics with Confidence, table 6.2
    ],
)
def test_newcombe_gives_the_published_limits(table, limits):
    a, b, c, _ = table
    np.testing.assert_allclose(intervals.newcombe(a + b, b, c, sum(table), 0.95), limits, atol=6e-4)


@pytest.mark.parametrize("n", [10, 20, 50, 200])
@pytest.mark.parametrize("chances", [(0.5, 0.3, 0.05, 0.15), (0.6, 0.2, 0.1, 0.1), (0.4, 0.4, 0.1, 0.1)])
def test_newcombe_covers_the_true_drop(n, chances):
    a, b, c, _ = np.random.default_rng(n).multinomial(n, chances, 20_000).T
    low, high = intervals.newcombe(a + b, b, c, n, 0.95)
    covered = np.mean((low <= chances[1] - chances[2]) & (chances[1] - chances[2] <= high))
    assert 0.94 < covered < 0.985


def test_newcombe_is_unknown_for_one_image_and_broadcasts():
    low, high = intervals.newcombe([1, 40], [[0], [1], [2]], 0, [1, 50], 0.95)
    assert low.shape == high.shape == (3, 2)
    assert np.isnan(low[:, 0]).all()
    assert np.isnan(high[:, 0]).all()
    assert (low[:, 1] < high[:, 1]).all()


@given(n=st.integers(1, 500), share=st.floats(0, 1))
def test_wilson_solves_its_equation(n, share):
    low, high = intervals.wilson(share * n, n, 0.95)
    np.testing.assert_allclose((low, high), wilson_scalar(share * n, n, norm.ppf(0.975)), atol=1e-7)


def test_wilson_ends_and_empty_classes():
    low, high = intervals.wilson([0, 10, 0], [10, 10, 0], 0.95)
    assert low[0] == pytest.approx(0, abs=1e-12)
    assert high[1] == pytest.approx(1)
    assert high[0] == pytest.approx(0.2775, abs=1e-4)
    assert np.isnan([low[2], high[2]]).all()


def score_statistic(b, c, n, drop):
    """Maximize the likelihood over the chance of a gain by ternary search; it is concave in it."""
    low, high = max(0.0, -drop), (1 - drop) / 2

    def likelihood(q):
        parts = ((b, q + drop), (c, q), (n - b - c, 1 - 2 * q - drop))
        return sum(k * math.log(max(p, 1e-300)) for k, p in parts if k)

    for _ in range(200):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (left, high) if likelihood(left) < likelihood(right) else (low, right)
    return (b - c - n * drop + 0.5) / math.sqrt(n * (2 * low + drop * (1 - drop)))


@settings(max_examples=60)
@given(b=st.integers(0, 20), c=st.integers(0, 20), rest=st.integers(5, 80), confidence=st.sampled_from([0.9, 0.95]))
def test_tango_bound_is_where_the_score_test_turns(b, c, rest, confidence):
    n, z = b + c + rest, norm.ppf(confidence)
    low, high = intervals.tango(b, c, n, confidence)
    assert -1 <= low < (b - c) / n < high <= 1
    for bound, lost, gained in ((float(high), b, c), (-float(low), c, b)):
        assert score_statistic(lost, gained, n, bound - 1e-4) > -z
        assert score_statistic(lost, gained, n, bound + 1e-4) < -z


def every_outcome(n, most):
    b, c = (axis.ravel() for axis in np.mgrid[0 : n + 1, 0 : n + 1])
    keep = (b + c <= n) & (b - c <= most * n)
    return b[keep], c[keep]


@pytest.mark.parametrize("n", [20, 40, 52, 63, 100, 200])
def test_tango_bounds_cover_exactly(n):
    """The chance, summed over every outcome, that the bound lies below the true drop; Newcombe's reaches .126 here."""
    b, c = every_outcome(n, most=0.15)
    high = intervals.tango(b, c, n, 0.95)[1]
    ways = gammaln(n + 1) - gammaln(b + 1) - gammaln(c + 1) - gammaln(n - b - c + 1)
    for drop, gain in product((0.02, 0.05, 0.1), (1e-9, 0.005, 0.02, 0.05, 0.2)):
        chance = ways + b * np.log(gain + drop) + c * np.log(gain) + (n - b - c) * np.log(1 - 2 * gain - drop)
        assert np.exp(chance[high < drop]).sum() <= 0.05


def test_tango_ends_and_small_classes():
    low, high = intervals.tango([0, 0, 2, 10], [0, 0, 0, 0], [0, 1, 2, 10], 0.95)
    assert np.isnan(low[:2]).all()
    assert np.isnan(high[:2]).all()
    assert high[2] == high[3] == pytest.approx(1)
    assert 0.4 < low[3] < 0.9


def test_images_needed_for_five_points_when_nothing_is_lost():
    n = np.arange(2, 200)
    assert n[np.argmax(intervals.tango(0, 0, n, 0.95)[1] <= 0.05)] == 70


def test_interval_has_no_nan():
    assert intervals.interval(np.float64(0.5), np.nan, 1.0) == Interval(0.5, None, 1.0)
    assert type(intervals.interval(np.float64(0.5), 0, 1).low) is float


@given(a=st.integers(0, 40), b=st.integers(0, 40))
def test_sign_test_sums_the_binomial(a, b):
    total = sum(math.comb(a + b, k) for k in range(a, a + b + 1))
    assert intervals.sign_test(a, b) == pytest.approx(total / 2 ** (a + b), rel=1e-9)


def test_sign_test_without_discordant_images_is_one():
    assert intervals.sign_test([0, 5], [0, 0]).tolist() == [1, 1 / 32]


def test_only_counts_one_sided_hits():
    a = np.array([True, True, False, False, True])
    b = np.array([True, False, True, False, False])
    only_a, only_b = intervals.discordant_counts(a, b, np.array([0, 0, 1, 1, 2]), 4)
    assert only_a.tolist() == [1, 0, 1, 0]
    assert only_b.tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("n", [20, 60, 200])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("share", "clean", "floor"), [(0.3, 0.9, 0.05), (0.8, 0.95, 0.2), (0.1, 0.7, 0.1), (0.5, 0.9, 0.3)]
)
def test_the_interval_of_a_ratio_covers_it(share, clean, floor, known, n):
    rng, images = np.random.default_rng(0), np.full(4000, n)
    whole = rng.binomial(n, clean, 4000) / n
    part = rng.binomial(n, floor + share * (clean - floor), 4000) / n
    left = np.full(4000, floor) if known else rng.binomial(n, floor, 4000) / n
    of = np.full(4000, np.inf) if known else images
    value, low, high = intervals.ratio_interval(part, images, whole, images, left, of, 0.95)
    assert (low <= value).all()
    assert (value <= high).all()
    assert 0.93 <= ((low <= share) & (share <= high)).mean() <= 0.99


def test_a_ratio_over_nothing_is_unknown():
    value, low, high = intervals.ratio_interval(
        np.array([0.2]), np.array([10]), np.array([0.2]), np.array([10]), np.array([0.2]), np.array([10]), 0.95
    )
    assert np.isnan([value[0], low[0], high[0]]).all()


@pytest.mark.parametrize(("b", "c", "n"), [(3, 1, 40), (10, 4, 60), (0, 5, 30)])
def test_tango_bound_is_exact_to_rounding(b, c, n):
    """Budgets are printed with all digits: the root of the score equation, found by another method."""
    z = norm.ppf(0.95)

    def score(drop):
        linear = (2 * n - b + c) * drop - b - c
        gain = (math.sqrt(linear**2 + 8 * n * c * drop * (1 - drop)) - linear) / (4 * n)
        return b - c - n * drop + 0.5 + z * math.sqrt(n * (2 * gain + drop * (1 - drop)))

    root = brentq(score, (b - c) / n, 1, xtol=1e-15)
    assert intervals.tango(b, c, n, 0.95)[1] == pytest.approx(root, abs=1e-12)


def test_a_ratio_s_limits_are_exact_to_a_billionth():
    part, whole, floor, n = 0.4, 0.9, 0.1, 50
    (p_low, p_high), (w_low, w_high) = (intervals.wilson(rate * n, n, 0.95) for rate in (part, whole))

    def reaches(ratio, p, w, sign):
        distance = math.hypot(p - part, ratio * (w - whole))
        return part - ratio * whole - (1 - ratio) * floor + sign * distance

    low = brentq(lambda ratio: reaches(ratio, p_low, w_high, -1), 0, 1, xtol=1e-15)
    high = brentq(lambda ratio: reaches(ratio, p_high, w_low, 1), 0, 1, xtol=1e-15)
    rates, images = [np.array([rate]) for rate in (part, whole, floor)], np.array([float(n)])
    _, found_low, found_high = intervals.ratio_interval(
        rates[0], images, rates[1], images, rates[2], np.array([np.inf]), 0.95
    )
    assert (found_low[0], found_high[0]) == pytest.approx((low, high), abs=2e-9)


LEVELS = (0.6, 0.8, 0.9, 0.95, 0.99)


@given(n=st.integers(2, 200), share=st.floats(0, 1))
def test_wilson_mirrors_failures_and_widens_with_the_confidence(n, share):
    k = round(share * n)
    limits = [intervals.wilson(k, n, level) for level in LEVELS]
    for (low, high), (wider_low, wider_high) in pairwise(limits):
        assert wider_low <= low <= k / n <= high <= wider_high
    low, high = limits[3]
    assert intervals.wilson(n - k, n, 0.95) == (pytest.approx(1 - high), pytest.approx(1 - low))


@pytest.mark.parametrize("n", [10, 30, 100])
def test_wilson_covers_on_the_average_over_rates(n):
    """Summed over every outcome at 99 rates: 95 % on the average, and not below 83 % at any (it dips near 0 and 1)."""
    k = np.arange(n + 1)
    low, high = intervals.wilson(k, n, 0.95)
    covered = [
        sum(math.comb(n, i) * rate**i * (1 - rate) ** (n - i) for i in k if low[i] <= rate <= high[i])
        for rate in np.linspace(0.01, 0.99, 99)
    ]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.01)
    assert min(covered) > 0.83


def corrected_limit(k, n, confidence, side):
    """Solve |k / n - p| - 1 / (2 n) = z sqrt(p (1 - p) / n) on one side of the rate, side -1 or 1."""
    rate, z = k / n, norm.ppf((1 + confidence) / 2)
    if (side < 0 and k == 0) or (side > 0 and k == n):
        return float(side > 0)

    def excess(p):
        return side * (p - rate) - 1 / (2 * n) - z * math.sqrt(p * (1 - p) / n)

    # From half an image beside the rate, where the root is still to come, to the end, where the variance is 0.
    near, end = rate + side / (2 * n), float(side > 0)
    return brentq(excess, near, end, xtol=1e-14) if excess(end) > 0 else end


@settings(max_examples=150)
@given(
    n=st.integers(2, 90),
    m=st.integers(2, 90),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    confidence=st.sampled_from(LEVELS),
)
def test_independent_joins_the_roots_of_the_corrected_score_equation(n, m, shares, confidence):
    k, j = round(shares[0] * n), round(shares[1] * m)
    first, second = (
        [corrected_limit(part, size, confidence, side) for side in (-1, 1)] for part, size in ((k, n), (j, m))
    )
    p, q = k / n, j / m
    low, high = intervals.independent(k, n, j, m, confidence)
    assert low == pytest.approx(p - q - math.hypot(p - first[0], second[1] - q), abs=1e-7)
    assert high == pytest.approx(p - q + math.hypot(first[1] - p, q - second[0]), abs=1e-7)
    assert -1 <= low <= p - q <= high <= 1
    assert intervals.independent(j, m, k, n, confidence) == (pytest.approx(-high), pytest.approx(-low))


def test_independent_gives_the_published_limits():
    """Newcombe 1998, Statistics in Medicine 17:873: 56 of 70 against 48 of 80, method 11."""
    assert intervals.independent(56, 70, 48, 80, 0.95) == pytest.approx((0.0428, 0.3422), abs=1e-4)


@pytest.mark.parametrize(("n", "m"), [(10, 10), (20, 60), (50, 50)])
def test_independent_covers_every_difference(n, m):
    """Summed over every outcome: continuity-corrected limits cover with at least 95 % almost everywhere."""
    k, j = (part.ravel() for part in np.mgrid[0 : n + 1, 0 : m + 1])
    low, high = intervals.independent(k, n, j, m, 0.95)
    for first, second in product((0.1, 0.35, 0.6, 0.85), repeat=2):
        covered = (low <= first - second) & (first - second <= high)
        chance = [
            math.comb(n, a) * first**a * (1 - first) ** (n - a) * math.comb(m, b) * second**b * (1 - second) ** (m - b)
            for a, b in zip(k[covered].tolist(), j[covered].tolist(), strict=True)
        ]
        assert sum(chance) >= 0.95


def test_independent_is_unknown_where_either_has_one_image():
    low, high = intervals.independent([1, 1, 2, 2], [1, 2, 2, 2], [1, 1, 0, 1], [5, 1, 2, 1.5], 0.95)
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [True, True, False, True]


@settings(max_examples=60)
@given(lost=st.integers(0, 15), gained=st.integers(0, 15), rest=st.integers(2, 60))
def test_tango_widens_with_the_confidence_and_mirrors(lost, gained, rest):
    n = lost + gained + rest
    limits = [intervals.tango(lost, gained, n, level) for level in LEVELS]
    for (low, high), (wider_low, wider_high) in pairwise(limits):
        assert wider_low <= low <= (lost - gained) / n <= high <= wider_high
    low, high = limits[3]
    assert intervals.tango(gained, lost, n, 0.95) == (-high, -low)


def test_tango_rises_with_every_lost_image_and_falls_with_every_gained_one():
    lost = np.arange(20)
    for which in (0, 1):
        assert (np.diff(intervals.tango(lost, 3, 60, 0.95)[which]) > 0).all()
        assert (np.diff(intervals.tango(3, lost, 60, 0.95)[which]) < 0).all()


@given(a=st.integers(0, 30), b=st.integers(0, 30))
def test_both_sides_of_the_sign_test_overlap_in_what_was_seen(a, b):
    seen = math.comb(a + b, a) / 2 ** (a + b)
    assert intervals.sign_test(a, b) + intervals.sign_test(b, a) == pytest.approx(1 + seen)
    assert intervals.sign_test(a + 1, b) < intervals.sign_test(a, b) or a + b == 0


@given(seed=seeds, images=st.integers(0, 40))
def test_discordant_images_are_those_of_a_plain_loop(seed, images):
    rng = np.random.default_rng(seed)
    a, b, labels = rng.random(images) < 0.6, rng.random(images) < 0.5, rng.integers(0, 3, images)
    expected = np.zeros((2, 3), dtype=int)
    for first, second, label in zip(a, b, labels, strict=True):
        expected[0, label] += first and not second
        expected[1, label] += second and not first
    found = intervals.discordant_counts(a, b, labels, 3)
    assert np.array_equal(found, expected)
    assert np.array_equal(intervals.discordant_counts(b, a, labels, 3), expected[::-1])


def ratio(part, whole, floor, images=60.0, of_floor=60.0, confidence=0.95):
    rates = [np.array([rate]) for rate in (part, whole, floor)]
    sizes = [np.array([images]), np.array([images]), np.array([of_floor])]
    found = intervals.ratio_interval(rates[0], sizes[0], rates[1], sizes[1], rates[2], sizes[2], confidence)
    return tuple(float(number[0]) for number in found)


def test_a_ratio_is_kept_between_none_and_all():
    assert ratio(0.05, 0.9, 0.1)[:2] == (0.0, 0.0)
    assert ratio(0.95, 0.9, 0.1)[0] == ratio(0.95, 0.9, 0.1)[2] == 1.0
    value, low, high = ratio(0.5, 0.9, 0.1)
    assert value == pytest.approx(0.5)
    assert 0 < low < value < high < 1


def test_a_ratio_is_surer_with_more_images_a_known_floor_and_less_confidence():
    def width(**more):
        _, low, high = ratio(0.5, 0.9, 0.3, **more)
        return high - low

    assert width(images=240.0, of_floor=240.0) < 0.6 * width()
    assert width(of_floor=np.inf) < width(of_floor=1000.0) < width()
    assert [width(confidence=level) for level in LEVELS] == sorted(width(confidence=level) for level in LEVELS)


def test_a_whole_that_is_the_floor_is_unknown_and_one_just_above_it_is_not():
    assert np.isnan(ratio(0.1, 0.1, 0.1)).all()
    assert np.isnan(ratio(0.1, 0.05, 0.1)).all()
    assert np.isfinite(ratio(0.1, float(np.nextafter(0.1, 1)), 0.1)).all()


limits = st.tuples(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1)).map(
    lambda part: tuple(np.array([number]) for number in (part[0], part[0] - part[1], part[0] + part[2]))
)


@given(first=limits, second=limits)
def test_a_difference_s_limits_mirror_and_are_no_wider_than_the_sum_of_both(first, second):
    low, high = (float(part[0]) for part in intervals.mover_interval(first, second))
    value = float(first[0][0] - second[0][0])
    assert first[1][0] - second[2][0] - 1e-12 <= low <= value <= high <= first[2][0] - second[1][0] + 1e-12
    mirrored = intervals.mover_interval(second, first)
    assert (-mirrored[1][0], -mirrored[0][0]) == pytest.approx((low, high))


@pytest.mark.parametrize("unknown", range(6))
def test_a_difference_is_unknown_where_a_part_of_it_is(unknown):
    parts = [np.array([number]) for number in (0.5, 0.4, 0.6, 0.2, 0.1, 0.3)]
    parts[unknown] = np.array([np.nan])
    low, high = intervals.mover_interval(parts[:3], parts[3:])
    # The lower limit is made of the first's lower and the second's upper one, the upper limit of the other two.
    assert bool(np.isnan(low[0])) == (unknown not in (2, 4))
    assert bool(np.isnan(high[0])) == (unknown not in (1, 5))


def test_counts_below_the_least_are_unknown():
    found = intervals.nan_below([0, 1, 2, 3], at_least=2)
    assert np.isnan(found[:2]).all()
    assert found[2:].tolist() == [2.0, 3.0]
