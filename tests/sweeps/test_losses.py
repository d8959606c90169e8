"""What classes lose: oracles, planted harm, and how often the bounds are wrong."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from cuesense.sweeps.losses import _ratios, _upper, class_losses, moderate_variances, safety_bounds
from cuesense.sweeps.sweep import Sweep
from tests.helpers.simulated_sweeps import Truth, level, simulated, some_runs, spread

TOLERANCE = 0.05
HARMED = 3


def harmed_at_the_best(size: float, classes: int = 20, strengths: int = 5) -> np.ndarray:
    """The strongest has the best average, and three classes pay for it."""
    truth = level(strengths, classes)
    truth[-1] = np.minimum(truth[-1] + 0.1, 0.98)
    truth[-1, :HARMED] = truth[0, :HARMED] - size
    return truth


def oracle(sweep: Sweep, first: int, second: int, index: int, ratio: np.ndarray) -> tuple[float, float, float]:
    """One difference and its variances over seeds (given the ratios) and images, by plain loops."""
    per_image = sweep.per_image
    assert per_image is not None
    images = np.flatnonzero(per_image.labels == index)
    right = {}
    for place in (first, second):
        members = [run for run in range(len(sweep.seeds)) if sweep.strength_of[run] == place]
        right[place] = np.array([[per_image.predicted[run, image] == index for image in images] for run in members])
    change, square = [], []
    for column in range(len(images)):
        shares = [right[place][:, column].mean() for place in (first, second)]
        luck = sum(right[place][:, column].var(ddof=1) / len(right[place]) for place in (first, second))
        change.append(shares[1] - shares[0])
        square.append(change[-1] ** 2 - luck)
    count = len(images)
    over_images = max((sum(square) + 1) / (count + 1) - np.mean(change) ** 2, 0) / count
    over_seeds = 0.0
    for place in (first, second):
        own = sweep.accuracy[sweep.strength_of == place, index]
        smooth = (own.mean() * count + 1) / (count + 2)
        over_seeds += ratio[place, index] * smooth * (1 - smooth) / count / len(own)
    return float(np.mean(change)), float(over_seeds), float(over_images)


def test_differences_are_those_of_a_plain_loop() -> None:
    sweep = simulated(Truth(level(3, 2) - np.array([[0.0], [0.1], [0.2]]), images=40, runs=3), 1, per_image=True)
    found = class_losses(sweep, 0.9)
    for first in range(3):
        for second in range(3):
            for index in range(2):
                change, over_seeds, over_images = oracle(sweep, first, second, index, found.noise.ratio)
                assert found.differences.value[first, second, index] == pytest.approx(change)
                if first != second:
                    assert found.differences.over_images[first, second, index] == pytest.approx(over_images)
                    deviation = found.differences.deviation(found.noise, sweep.runs)[first, second, index]
                    assert deviation == pytest.approx(np.sqrt(over_seeds + over_images))


def score_bound(value: float, margin: float, growth: float) -> float:
    """Search for the largest difference that the score test does not reject."""
    tried = np.linspace(-1, 1, 400_001)
    kept = tried[(tried - value) ** 2 <= margin**2 + growth * np.abs(tried) * (1 - np.abs(tried))]
    return float(kept.max())


def test_losses_are_the_largest_differences_with_bonferroni_bounds() -> None:
    sweep = simulated(Truth(harmed_at_the_best(0.2), images=100), 2)
    found, last = class_losses(sweep, 0.95), 4
    freedom = np.minimum(found.noise.freedom, found.noise.freedom[last])
    quantile = student.ppf(1 - 0.05 / (20 * 4), freedom)
    margin = quantile * found.differences.deviation(found.noise, sweep.runs)[last]
    means = np.stack([sweep.accuracy[sweep.strength_of == place].mean(axis=0) for place in range(5)])
    change = means - means[last]
    assert found.losses.value[last] == pytest.approx(change.max(axis=0))
    bounds = np.zeros((2, 20))
    for index in range(0, 20, 4):
        for place in range(4):
            growth = quantile[place, index] ** 2 / 100
            high = score_bound(change[place, index], margin[place, index], growth)
            low = -score_bound(-change[place, index], margin[place, index], growth)
            bounds[:, index] = np.maximum(bounds[:, index], (low, high))
    assert found.losses.low[last, ::4] == pytest.approx(bounds[0, ::4], abs=6e-6)
    assert found.losses.high[last, ::4] == pytest.approx(bounds[1, ::4], abs=6e-6)
    assert found.losses.detectable[last] == pytest.approx(margin.max(axis=0))
    assert (found.losses.low >= 0).all()
    assert (found.losses.low <= found.losses.value).all()
    assert (found.losses.value <= found.losses.high).all()


def test_equal_variances_are_drawn_together_and_unlike_ones_are_left() -> None:
    random = np.random.default_rng(0)
    alike = random.chisquare(8, 400) / 8
    drawn, freedom = moderate_variances(alike, np.array(8))
    assert drawn.std() < 0.15 * alike.std()
    assert freedom.min() > 100
    unlike = alike * np.exp(2 * random.normal(size=400))
    drawn, freedom = moderate_variances(unlike, np.array(8))
    assert np.log(drawn).std() > 0.8 * np.log(unlike).std()
    assert freedom.max() < 12
    assert moderate_variances(np.array([0.5, 2.0]), np.array(4))[0].tolist() == [0.5, 2.0]
    some = np.where(np.arange(400) < 3, np.nan, alike)
    drawn, freedom = moderate_variances(some, np.array(8))
    assert drawn[:3] == pytest.approx(1.0, abs=0.1)
    assert (freedom[:3] < freedom[3:].min()).all()


def test_noise_is_a_strength_s_times_a_class_s() -> None:
    strengths, classes = np.array([0.01, 0.01, 0.01, 0.04]), np.array([1.0] * 20 + [3.0] * 20)
    noise = class_losses(spread(strengths, classes, 6), 0.95).noise
    found = np.sqrt(noise.ratio * noise.unit)
    truth = strengths[:, None] * classes
    assert np.abs(np.log(found / truth)).mean() < 0.2
    assert np.median(found[3, :20] / found[0, :20]) == pytest.approx(4, rel=0.2)


@pytest.mark.parametrize("unstable", [0.01, 0.08])
def test_an_unstable_strength_names_no_class(unstable: float) -> None:
    named = 0
    for seed in range(60):
        found = class_losses(spread(np.array([0.01] * 5 + [unstable]), np.ones(20), 5, seed), 0.95)
        named += bool((found.losses.low[int(found.mean.argmax())] > 0).any())
    assert named <= 6


@pytest.mark.parametrize("single", [0, 3])
def test_a_strength_of_one_run_is_not_compared(single: int) -> None:
    deviations = np.full(4, 0.01)
    deviations[single] = 0.1
    kept = [run for run in range(20) if run // 5 != single or run % 5 == 0]
    for seed in range(20):
        sweep = some_runs(spread(deviations, np.ones(20), 5, seed), kept)
        found = class_losses(sweep, 0.95)
        assert single not in found.compared
        assert np.isnan(found.noise.ratio[single]).all()
        assert np.isnan(found.losses.low[single]).all()
        others = [place for place in range(4) if place != single]
        assert np.isfinite(found.losses.low[others]).all()
        assert (found.losses.low[others] > 0).sum() <= 1
        assert found.losses.value[others].max() < 0.05
        bounds = safety_bounds(found, sweep.runs, 0.95)
        assert np.isnan(bounds[single])
        assert np.isfinite(bounds[others]).all()


def test_a_strength_that_loses_more_than_the_tolerance_is_not_called_safe() -> None:
    accuracy = np.tile(np.random.default_rng(0).uniform(0.8, 0.95, 8), (3, 1))
    accuracy[1:, 0] -= TOLERANCE + 0.005
    truth, called = Truth(accuracy, images=500, runs=8), 0
    harmless, right = Truth(np.tile(accuracy[0], (3, 1)), images=2000, runs=8), 0
    for seed in range(40):
        sweep = simulated(truth, seed, per_image=True)
        called += bool((safety_bounds(class_losses(sweep, 0.95), sweep.runs, 0.95)[1:] <= TOLERANCE).any())
        calm = simulated(harmless, seed) if seed < 5 else None
        right += calm is not None and bool(
            (safety_bounds(class_losses(calm, 0.95), calm.runs, 0.95) <= TOLERANCE).any()
        )
    assert called <= 4
    assert right == 5


def test_the_cautious_bound_is_of_each_class_alone_with_the_error_shared_by_strengths() -> None:
    sweep = simulated(Truth(level(3, 5), images=300, runs=4), 3, per_image=True)
    found = class_losses(sweep, 0.9)
    freedom = np.maximum(found.noise.freedom, 3)
    quantile = student.ppf(1 - 0.1 / 3, np.minimum(freedom[None], freedom[:, None]))
    bounds = found.differences.value + quantile * found.differences.deviation(found.noise, sweep.runs)
    assert safety_bounds(found, sweep.runs, 0.9) == pytest.approx(bounds.max(axis=(1, 2)))


def test_more_seeds_bring_the_bound_down() -> None:
    sweep = simulated(Truth(level(3, 5), images=300, runs=2), 3)
    found = class_losses(sweep, 0.95)
    bounds = [float(safety_bounds(found, np.full(3, runs), 0.95).max()) for runs in (2, 5, 20, 100)]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] < bounds[0] - 0.01


def test_one_seed_leaves_bounds_unknown_and_the_rest_known() -> None:
    found = class_losses(simulated(Truth(level(4, 6), runs=1), 0), 0.95)
    assert np.isfinite(found.losses.value).all()
    for part in (found.losses.low, found.losses.high, found.spread, found.mean_spread, found.noise.ratio):
        assert np.isnan(part).all()
    assert not found.gains.any()


def test_classes_without_images_are_nan_and_change_nothing_else() -> None:
    sweep = simulated(Truth(level(3, 5), images=60), 0)
    more = replace(
        sweep,
        class_names=(*sweep.class_names, "empty"),
        accuracy=np.column_stack([sweep.accuracy, np.full(len(sweep.seeds), np.nan)]),
        images=np.column_stack([sweep.images, np.zeros(len(sweep.seeds), dtype=np.int64)]),
    )
    with_it, without = class_losses(more, 0.95), class_losses(sweep, 0.95)
    assert np.isnan(with_it.losses.value[:, -1]).all()
    assert with_it.losses.low[:, :-1] == pytest.approx(without.losses.low)
    assert with_it.mean == pytest.approx(without.mean)
    assert safety_bounds(with_it, more.runs, 0.95) == pytest.approx(safety_bounds(without, sweep.runs, 0.95))


def test_unbalanced_seeds_count_as_many_as_there_are() -> None:
    sweep = simulated(Truth(level(3, 4), images=100, runs=6), 0)
    part = some_runs(sweep, [0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14])
    found = class_losses(part, 0.95)
    assert found.accuracy[1] == pytest.approx(sweep.accuracy[6:8].mean(axis=0))
    assert (found.spread[1] > found.spread[0]).all()


def test_from_a_table_images_that_change_sides_add_a_tenth_of_two_samples() -> None:
    sweep = simulated(Truth(level(2, 3), images=50, runs=3), 0)
    found = class_losses(sweep, 0.95)
    for index in range(3):
        units = []
        for strength in range(2):
            rate = (sweep.accuracy[sweep.strength_of == strength, index].mean() * 50 + 1) / 52
            units.append(rate * (1 - rate) / 50)
        assert found.differences.over_images[0, 1, index] == pytest.approx(0.1 * sum(units))
        assert found.differences.each[0, 1, index] == pytest.approx(1 / 50)


def test_variances_are_kept_above_a_thousandth_and_shrunk_from_three_on() -> None:
    assert moderate_variances(np.array([0.0, 2.0]), np.array(4))[0].tolist() == [0.001, 2.0]
    three, freedom = moderate_variances(np.array([0.5, 1.0, 2.0]), np.array(4))
    assert 0.5 < three[0] < three[1] < three[2] < 2.0
    assert (freedom > 4).all()


def test_factors_of_strengths_and_classes_alternate_three_times() -> None:
    sums, freedom = np.array([[1.0, 40.0, 3.0], [9.0, 2.0, 30.0]]), np.array([4.0, 1.0])
    strength = [1.0, 1.0]
    for _ in range(3):
        of_class = [sum(sums[s, c] / strength[s] for s in range(2)) / 5 for c in range(3)]
        strength = [sum(sums[s, c] / of_class[c] for c in range(3)) / 3 / freedom[s] for s in range(2)]
    weighted = [sum(sums[s, c] / strength[s] for s in range(2)) / 5 for c in range(3)]
    of_class, shared = moderate_variances(np.array(weighted), np.array(5.0))
    smooth = np.array(strength)[:, None] * of_class
    own, left = moderate_variances(sums / freedom[:, None] / smooth, np.broadcast_to(freedom[:, None], sums.shape))
    ratio, degrees = _ratios(sums, freedom)
    assert ratio == pytest.approx(smooth * own, rel=1e-9)
    assert degrees == pytest.approx(np.minimum(shared, left), rel=1e-9)


def random_sweep(seed: int, *, per_image: bool = False, strengths: int = 3, classes: int = 4, runs: int = 3) -> Sweep:
    accuracy = np.random.default_rng(seed).uniform(0.3, 0.95, (strengths, classes))
    return simulated(Truth(accuracy, images=30, runs=runs), seed, per_image=per_image)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_losses_follow_their_classes(seed: int, per_image: bool) -> None:
    sweep = random_sweep(seed, per_image=per_image)
    order = np.random.default_rng(seed).permutation(4)
    back = np.argsort(order)
    known = sweep.per_image
    turned = replace(
        sweep,
        class_names=tuple(sweep.class_names[index] for index in order),
        accuracy=sweep.accuracy[:, order],
        images=sweep.images[:, order],
        per_image=known and replace(known, labels=back[known.labels], predicted=back[known.predicted]),
    )
    found, other = class_losses(sweep, 0.95), class_losses(turned, 0.95)
    for name in ("value", "low", "high", "detectable"):
        np.testing.assert_allclose(getattr(other.losses, name), getattr(found.losses, name)[:, order], atol=1e-9)
    np.testing.assert_allclose(other.mean, found.mean)
    bounds = [safety_bounds(one, sweep.runs, 0.95) for one in (found, other)]
    np.testing.assert_allclose(bounds[1], bounds[0], atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_losses_do_not_depend_on_the_order_of_the_strengths(seed: int, per_image: bool) -> None:
    """Mild to strong the other way round: the same losses, and the gains are against the other end."""
    sweep = random_sweep(seed, per_image=per_image)
    turned = replace(sweep, strengths=sweep.strengths[::-1], strength_of=2 - sweep.strength_of)
    found, other = class_losses(sweep, 0.95), class_losses(turned, 0.95)
    for name in ("value", "low", "high", "detectable"):
        np.testing.assert_allclose(getattr(other.losses, name), getattr(found.losses, name)[::-1], atol=1e-9)
    np.testing.assert_allclose(other.gain, found.accuracy[::-1] - found.accuracy[2], atol=1e-12)
    np.testing.assert_allclose(found.gain, found.accuracy - found.accuracy[0], atol=1e-12)
    np.testing.assert_allclose(other.mean_spread, found.mean_spread[::-1])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_bounds_widen_with_the_confidence(seed: int, per_image: bool) -> None:
    sweep = random_sweep(seed, per_image=per_image)
    sure, surer = class_losses(sweep, 0.8), class_losses(sweep, 0.99)
    assert (surer.losses.low <= sure.losses.low + 1e-12).all()
    assert (surer.losses.high >= sure.losses.high - 1e-12).all()
    assert (surer.losses.detectable > sure.losses.detectable).all()
    assert (surer.spread > sure.spread).all()
    assert (surer.mean_spread > sure.mean_spread).all()
    assert (surer.gains <= sure.gains).all()
    assert (surer.as_good >= sure.as_good).all()
    assert (safety_bounds(sure, sweep.runs, 0.99) >= safety_bounds(sure, sweep.runs, 0.8)).all()


def test_every_seed_twice_leaves_the_losses_and_narrows_the_bounds() -> None:
    sweep = random_sweep(5)
    twice = some_runs(sweep, [*range(9), *range(9)])
    found, more = class_losses(sweep, 0.95), class_losses(twice, 0.95)
    np.testing.assert_allclose(more.losses.value, found.losses.value)
    np.testing.assert_allclose(more.mean, found.mean)
    assert (more.losses.detectable < found.losses.detectable).all()
    assert (more.mean_spread < found.mean_spread).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_the_mean_and_its_interval_are_those_of_a_plain_loop(seed: int) -> None:
    """Classes of unequal size; runs are pooled over strengths, and images vary as independent ones do."""
    sweep = random_sweep(seed, runs=3)
    sizes = np.array([10, 30, 50, 110])
    sweep = replace(sweep, images=np.tile(sizes, (9, 1)))
    found = class_losses(sweep, 0.9)
    overall = [sum(size * rate for size, rate in zip(sizes, row, strict=True)) / 200 for row in sweep.accuracy]
    means = [np.mean(overall[3 * place : 3 * place + 3]) for place in range(3)]
    pooled = sum((overall[run] - means[run // 3]) ** 2 for run in range(9)) / 6
    assert found.mean == pytest.approx(means)
    for place in range(3):
        images = 0.0
        for index, size in enumerate(sizes):
            rate = (sweep.accuracy[3 * place : 3 * place + 3, index].mean() * size + 1) / (size + 2)
            images += (size / 200) ** 2 * rate * (1 - rate) / size
        half = student.ppf(0.95, 6) * (pooled / 3 + images) ** 0.5
        assert found.mean_spread[place] == pytest.approx(half)


def test_a_class_s_interval_is_over_seeds_and_images() -> None:
    sweep = random_sweep(7)
    found = class_losses(sweep, 0.9)
    for place in range(3):
        for index in range(4):
            rate = (sweep.accuracy[sweep.strength_of == place, index].mean() * 30 + 1) / 32
            unit = rate * (1 - rate) / 30
            variance = found.noise.ratio[place, index] * unit / 3 + unit
            half = student.ppf(0.95, found.noise.freedom[place, index]) * variance**0.5
            assert found.spread[place, index] == pytest.approx(half)


def test_bounds_hold_planted_losses() -> None:
    """Losses of 0 to 0.3 at the strongest: the bounds of a strength hold together in at least 90 % of 60 sweeps."""
    truth = Truth(harmed_at_the_best(0.3, classes=8, strengths=3), images=150, runs=4)
    below = above = 0
    for seed in range(60):
        losses = class_losses(simulated(truth, seed, per_image=bool(seed % 2)), 0.9).losses
        below += bool((losses.low[-1] > truth.losses[-1]).any())
        above += bool((losses.high[-1] < truth.losses[-1]).any())
        assert (losses.low[-1, :HARMED] > 0.1).all()
    assert below <= 6
    assert above <= 6


def test_a_strength_is_as_good_as_the_best_until_its_mean_is_shown_to_be_lower() -> None:
    accuracy = np.tile(level(1, 6), (3, 1))
    accuracy[1] -= 0.002
    accuracy[2] -= 0.1
    found = class_losses(simulated(Truth(accuracy, images=400), 0), 0.95)
    assert found.as_good.tolist() == [True, True, False]
    assert found.as_good[found.mean.argmax()]


values = st.floats(-0.9, 0.9)


@given(values, st.floats(0, 0.5), st.floats(0, 0.3))
def test_a_score_bound_solves_its_equation(value: float, margin: float, growth: float) -> None:
    """The larger root: on it both sides are equal, and a little above it the difference is rejected."""
    bound = float(_upper(np.array(value), np.array(margin), np.array(growth)))
    assert bound >= value - 1e-12
    if abs(bound) > 1:
        return

    def excess(u: float) -> float:
        return (u - value) ** 2 - margin**2 - growth * abs(u) * (1 - abs(u))

    assert excess(bound) == pytest.approx(0, abs=1e-9)
    assert excess(bound + 1e-3) > 0
