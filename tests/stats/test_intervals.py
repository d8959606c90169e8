import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln, softmax
from scipy.stats import norm

from cuesense.stats import confusions, curves, intervals
from cuesense.stats.prior_correction import _biases, prior_corrected
from cuesense.types import Curve, Interval, Perturbation, Role, Unpaired

seeds = st.integers(0, 2**32 - 1)


def perturbation(severities):
    ladder = tuple(float(step) for step in range(1, severities + 1))
    return Perturbation(
        "blur", Role.AUGMENTATION, (), "", "sigma", "px", ladder, 0.0, (0.0, 99.0), lambda *given: given[0]
    )


def every_class(scores):
    return np.broadcast_to(np.arange(scores.shape[1]), scores.shape)


def prior_corrected_loop(scores, classes, prior):
    rows = [
        [(float(s), int(c)) for s, c in zip(row, of, strict=True) if c >= 0 and np.isfinite(s) and prior[c] > 0]
        for row, of in zip(scores, classes, strict=True)
    ]
    bias = [0.0] * len(prior)
    scored = [row for row in rows if row]
    for _ in range(50):
        share = [0.0] * len(prior)
        for row in scored:
            top = max(s + bias[c] for s, c in row)
            odds = [math.exp(s + bias[c] - top) for s, c in row]
            for (_, c), part in zip(row, odds, strict=True):
                share[c] += part / sum(odds) / len(scored)
        bias = [b + math.log(p / s) if s > 0 else b for b, p, s in zip(bias, prior, share, strict=True)]
    return [min(((-(s + bias[c]), c) for s, c in row), default=(0, -1))[1] for row in rows]


@settings(max_examples=40)
@given(seed=seeds, images=st.integers(0, 12), kept=st.integers(1, 5))
def test_prior_correction_agrees_with_the_loop(seed, images, kept):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(images, kept)).astype(np.float32) * 3
    scores[rng.random(scores.shape) < 0.1] = -np.inf
    classes = rng.integers(-1, 6, (images, kept))
    prior = rng.dirichlet(np.ones(6)) * (rng.random(6) < 0.8)
    answer = prior_corrected(scores, classes, prior)
    assert answer.dtype == np.int64
    assert answer.tolist() == prior_corrected_loop(scores, classes, prior)


def test_planted_sinks_are_undone():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(8), 50)
    scores = rng.normal(size=(400, 8)).astype(np.float32) + 5 * np.eye(8, dtype=np.float32)[labels]
    sunk = scores + np.array([9, 0, 0, 7, 0, 0, 0, 0], dtype=np.float32)
    assert np.mean(sunk.argmax(1) == labels) < 0.3
    assert np.mean(prior_corrected(sunk, every_class(sunk), np.full(8, 1 / 8)) == labels) > 0.98


@settings(max_examples=25)
@given(seed=seeds, shift=st.lists(st.integers(-6, 6), min_size=4, max_size=4))
def test_a_constant_per_class_changes_nothing(seed, shift):
    scores = np.random.default_rng(seed).normal(size=(60, 4)).round(4) * 2
    classes, prior = every_class(scores), np.array([0.1, 0.2, 0.3, 0.4])
    assert np.array_equal(
        prior_corrected(scores, classes, prior),
        prior_corrected(scores + shift, classes, prior),
    )


def test_the_mean_probabilities_become_the_prior():
    scores = np.random.default_rng(3).normal(size=(200, 5)) * 2 + np.arange(5)
    prior = np.array([0.3, 0.1, 0.2, 0.25, 0.15])
    bias = _biases(scores, every_class(scores), prior)
    np.testing.assert_allclose(softmax(scores + bias, axis=1).mean(0), prior, atol=1e-9)


def test_balanced_scores_keep_their_answers():
    block = np.random.default_rng(4).normal(size=(20, 5)).astype(np.float32)
    scores = np.concatenate([np.roll(block, step, axis=1) for step in range(5)])
    answer = prior_corrected(scores, every_class(scores), np.full(5, 0.2))
    assert np.array_equal(answer, scores.argmax(1))


def test_uniform_scores_take_the_lowest_likeliest_class():
    scores = np.zeros((3, 4), dtype=np.float32)
    assert prior_corrected(scores, every_class(scores), np.full(4, 0.25)).tolist() == [0, 0, 0]
    assert prior_corrected(scores, every_class(scores)[:, ::-1], np.full(4, 0.25)).tolist() == [
        0,
        0,
        0,
    ]
    assert prior_corrected(scores, every_class(scores), np.array([0.2, 0.4, 0.4, 0])).tolist() == [
        1,
        1,
        1,
    ]


def test_classes_without_prior_and_padding_are_ignored():
    scores = np.array([[9, 1], [9, 1], [np.nan, -np.inf], [5, 4]], dtype=np.float32)
    classes = np.array([[0, 1], [-1, 2], [1, 2], [-1, 0]])
    assert prior_corrected(scores, classes, np.array([0, 0.5, 0.5])).tolist() == [1, 2, -1, -1]
    assert prior_corrected(scores, np.full((4, 2), -1), np.ones(3)).tolist() == [-1] * 4


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


def wilson_scalar(k, n, z):
    """The two roots of (k/n - p)^2 = z^2 p (1 - p) / n."""
    roots = np.roots([1 + z * z / n, -(2 * k / n + z * z / n), (k / n) ** 2]).real
    return min(roots), max(roots)


def newcombe_scalar(a, b, c, d, confidence):
    n, z = a + b + c + d, norm.ppf((1 + confidence) / 2)
    p1, p2 = (a + b) / n, (a + c) / n
    (l1, u1), (l2, u2) = wilson_scalar(a + b, n, z), wilson_scalar(a + c, n, z)
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    excess = a * d - b * c
    if excess > n / 2:
        excess -= n / 2
    elif excess >= 0:
        excess = 0
    phi = excess / math.sqrt(margins) if margins else 0
    down = (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    up = (u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    return p1 - p2 - math.sqrt(max(down, 0)), p1 - p2 + math.sqrt(max(up, 0))


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


def curve_of(rng, classes=6, severities=3, repeats=1):
    n = rng.integers(2, 60, classes)
    clean = rng.integers(0, n + 1)
    lost = rng.integers(0, clean * repeats + 1, (severities, classes))
    gained = rng.integers(0, (n - clean) * repeats + 1, (severities, classes))
    return Curve(perturbation(severities), n, clean, lost, gained, repeats)


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


def test_sinks_are_predicted_more_than_their_share():
    ratio = confusions.sinks(np.array([6, 1, 1, 0]), np.array([0.25, 0.25, 0.5, 0.0]))
    np.testing.assert_allclose(ratio, [3, 0.5, 0.25, np.nan])
    assert np.isnan(confusions.sinks(np.array([0, 0]), np.array([0.5, 0.5]))).all()


@given(seeds, st.integers(2, 6), st.integers(0, 60))
def test_alarms_are_a_plain_loop_s(seed, classes, images):
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
            assert rival[index] == 0


@given(seeds, st.integers(2, 6), st.integers(0, 60))
def test_guesses_are_a_plain_loop_s(seed, classes, images):
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


def test_guessing_is_mutual():
    """A pair told by a coin guesses; a class that attracts a ruined one and loses its own elsewhere does not."""
    labels = np.repeat([0, 1, 2], 40)
    coin = np.where(labels == 2, 2, np.tile([0, 1], 60))
    assert confusions.mutual_confusion(coin, labels, 3).tolist() == pytest.approx([0.5, 0.5, 0])
    ruined = np.where(labels == 1, 0, np.where((labels == 0) & (np.arange(120) % 4 == 0), 2, labels))
    assert confusions.mutual_confusion(ruined, labels, 3).tolist() == pytest.approx([1 / 11, 0, 0.25])


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
