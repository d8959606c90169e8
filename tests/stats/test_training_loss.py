"""Forecasts of what training costs: sizes, their doubt, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.perturbations.catalog import RANDOM_RESIZED_CROP
from cuesense.stats.training_loss import (
    Flag,
    Forecast,
    _flag,
    combine,
    forecast_from_heads,
    forecast_from_trainings,
    gains_agree,
    leaks,
    severity_shares,
    weighted,
)
from cuesense.types import Curve

SHAPE = np.array([0.25, 0.5, 1.0])


def answers(rates: list[float], images: int, runs: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return whether images are right, (R, N), with exactly these rates by class, and their labels."""
    right = np.concatenate([np.arange(images) < round(rate * images) for rate in rates])
    return np.tile(right, (runs, 1)), np.repeat(np.arange(len(rates)), images)


def curve(lost: list[list[int]], gained: list[list[int]] | None = None) -> Curve:
    counts = np.array(lost)
    n = np.full(counts.shape[1], 100)
    return Curve(RANDOM_RESIZED_CROP, n, n, counts, np.zeros_like(counts) if gained is None else np.array(gained))


def test_losses_are_differences_of_recall_and_shares_of_them_at_milder_doses() -> None:
    """Of two classes little is known of how classes differ: each counts by itself."""
    plain, labels = answers([0.9, 0.6], 40)
    strong, _ = answers([0.6, 0.7], 40)
    found = forecast_from_trainings(plain, strong, labels, SHAPE, 2)
    assert found.loss == pytest.approx(SHAPE[:, None] * [0.3, -0.1])
    assert (np.diff(found.spread[:, [0]], axis=0) > 0).all()


def test_more_images_and_more_runs_leave_less_doubt() -> None:
    def spread(images: int, runs: int) -> np.ndarray:
        plain, labels = answers([0.8, 0.6], images, runs)
        strong, _ = answers([0.7, 0.6], images, runs)
        return forecast_from_trainings(plain, strong, labels, SHAPE, 2).spread

    assert (spread(400, 1) < spread(40, 1)).all()
    assert (spread(40, 4) < spread(40, 1)).all()


def test_runs_that_disagree_leave_more_doubt_than_runs_that_agree() -> None:
    """The mean loss and the images that differ are as many; only how they are spread over the runs is not."""
    plain, labels = answers([1.0] * 8, 50, 2)
    agreeing = np.stack([answers([0.8] * 8, 50)[0][0]] * 2)
    apart = np.stack([answers([0.6] * 8, 50)[0][0], answers([1.0] * 8, 50)[0][0]])
    calm, noisy = (forecast_from_trainings(plain, strong, labels, SHAPE, 8) for strong in (agreeing, apart))
    assert calm.loss == pytest.approx(noisy.loss)
    assert (noisy.spread[-1] > 1.5 * calm.spread[-1]).all()


def test_with_one_run_the_doubt_is_the_stated_one() -> None:
    """A tenth of 100 images lost: m = 11/101 differ; variance (m - 0.1²)/100 over images and 0.08 m² over runs."""
    plain, labels = answers([1.0, 1.0], 100)
    strong, _ = answers([0.9, 1.0], 100)
    share = 11 / 101
    expected = np.sqrt((share - 0.01) / 100 + 0.08 * share**2)
    assert forecast_from_trainings(plain, strong, labels, SHAPE, 2).spread[-1, 0] == pytest.approx(expected)


def test_a_class_that_loses_nothing_is_safe_with_many_images_and_unclear_with_few() -> None:
    flags = {}
    for images in (12, 60):
        plain, labels = answers([1.0, 1.0, 1.0], images)
        strong, _ = answers([1.0, 0.5, 1.0], images)
        flags[images] = forecast_from_trainings(plain, strong, labels, SHAPE, 3).flags(0.05, 0.95)
    assert flags[60][2] == [Flag.SAFE, Flag.LOSES, Flag.SAFE]
    assert flags[12][2] == [Flag.UNCLEAR, Flag.LOSES, Flag.UNCLEAR]


def test_a_class_that_is_not_recognized_has_nothing_to_lose_and_stays_unclear() -> None:
    plain, labels = answers([1.0, 0.3, 0.0], 60)
    strong, _ = answers([1.0, 0.0, 0.0], 60)
    found = forecast_from_trainings(plain, strong, labels, SHAPE, 3)
    assert np.isinf(found.spread[:, 1:]).all()
    assert found.flags(0.05, 0.95)[2] == [Flag.SAFE, Flag.UNCLEAR, Flag.UNCLEAR]
    assert found.risk(0.05)[0, 1] == pytest.approx(0.5)


def test_a_class_without_images_stays_unclear() -> None:
    plain, labels = answers([1.0], 60)
    found = forecast_from_trainings(plain, plain, labels, SHAPE, 2)
    assert found.flags(0.05, 0.95)[0] == [Flag.SAFE, Flag.UNCLEAR]
    low, high = found.bounds(0.9)
    assert (low[:, 1] == -1).all()
    assert (high[:, 1] == 1).all()


def test_the_risk_is_what_simulated_losses_say() -> None:
    forecast = Forecast(np.array([[0.02, 0.08]]), np.array([[0.03, 0.03]]))
    drawn = np.random.default_rng(0).normal(forecast.loss, forecast.spread, (200_000, 2))
    assert forecast.risk(0.05)[0] == pytest.approx((drawn > 0.05).mean(axis=0), abs=0.005)
    low, high = forecast.bounds(0.9)
    inside = ((drawn >= low) & (drawn <= high)).mean(axis=0)
    assert inside[1] == pytest.approx(0.9, abs=0.01)


@given(st.floats(-0.9, 0.9), st.floats(0.001, 0.3), st.floats(0.5, 0.99))
def test_bounds_lie_around_the_loss_on_both_sides_and_within_all_images(
    loss: float, spread: float, confidence: float
) -> None:
    low, high = (float(part[0, 0]) for part in Forecast(np.array([[loss]]), np.array([[spread]])).bounds(confidence))
    assert -1 <= low <= loss <= high <= 1
    if low > -1 and high < 1:
        assert high - loss == pytest.approx(loss - low)


@pytest.mark.parametrize("images", [20, 400])
def test_three_classes_or_more_are_drawn_toward_their_mean_the_more_the_fewer_images(images: int) -> None:
    plain, labels = answers([0.8] * 4, images)
    strong, _ = answers([0.8, 0.7, 0.7, 0.6], images)
    found = forecast_from_trainings(plain, strong, labels, SHAPE, 4)
    own, mean = np.array([0.0, 0.1, 0.1, 0.2]), 0.1
    assert found.loss == pytest.approx(SHAPE[:, None] * found.loss[-1])
    drawn = found.loss[-1]
    assert 0 < drawn[0] < drawn[1] < drawn[3] < 0.2
    assert drawn[1] == pytest.approx(drawn[2])
    kept = (drawn[3] - drawn[0]) / (own[3] - own[0])
    assert kept < 0.8 if images == 20 else kept > 0.85
    apart = answers([0.8, 0.6], images)[0], answers([0.6, 0.6], images)[0], np.repeat([0, 1], images)
    alone = forecast_from_trainings(*apart, SHAPE, 2)
    assert found.spread[-1, 3] < alone.spread[-1, 0]
    assert mean == pytest.approx(drawn.mean(), abs=0.02)


def test_two_forecasts_count_by_their_precision() -> None:
    first = Forecast(np.array([[0.1, 0.1, 0.1]]), np.array([[0.1, 0.1, np.inf]]))
    second = Forecast(np.array([[0.4, 0.4, 0.4]]), np.array([[0.2, np.inf, 0.1]]))
    both = weighted(first, second)
    # Precisions of 100 and 25.
    assert both.loss[0, 0] == pytest.approx((100 * 0.1 + 25 * 0.4) / 125)
    assert both.spread[0, 0] == pytest.approx(125**-0.5)
    assert (both.loss[0, 1], both.spread[0, 1]) == pytest.approx((0.1, 0.1))
    assert np.isinf(both.spread[0, 2])


@pytest.mark.parametrize(
    ("after", "agreed"), [([0.6, 0.6], True), ([0.6, 0.5], False), ([0.6, 0.4], False), ([0.6], False)]
)
def test_a_gain_is_one_where_two_trainings_and_all_show_it(after: list[float], agreed: bool) -> None:
    plain, labels = answers([0.5, 0.5], 20, len(after))
    strong = np.stack([answers([rate, 0.5], 20)[0][0] for rate in after])
    assert gains_agree(plain, strong, labels, 2).tolist() == [agreed, False]


def test_a_gain_is_flagged_where_it_may_be_shown_and_is_likely() -> None:
    # The chance of a gain at 0.8416 standard deviations below nothing is .8.
    found = Forecast(np.array([[-0.085, -0.083, -0.085, 0.3]]), np.full((1, 4), 0.1))
    gaining = np.array([True, True, False, True])
    safe = Flag.UNCLEAR
    assert found.flags(0.05, 0.95, gaining) == [[Flag.GAINS, safe, safe, Flag.LOSES]]
    assert Flag.GAINS not in found.flags(0.05, 0.95)[0]


def test_a_dose_costs_as_much_of_the_strongest_as_the_model_says_on_average() -> None:
    """Two of 200 images are moved toward equal steps: (2 + 2/3) / (40 + 2), and so on."""
    expected = [(2 + 2 / 3) / 42, (10 + 4 / 3) / 42, 1.0]
    assert severity_shares(curve([[2, 0], [5, 5], [20, 20]])) == pytest.approx(expected)
    assert severity_shares(curve([[4, 0], [5, 5], [30, 10]], [[0, 2], [0, 0], [0, 0]])) == pytest.approx(expected)


def test_a_dose_that_cost_nothing_at_test_time_is_not_certain_to() -> None:
    shape = severity_shares(curve([[0, 0], [0, 0], [0, 1]]))
    assert shape[0] > 0.1
    plain, labels = answers([1.0, 1.0], 2)
    found = forecast_from_trainings(plain, plain, labels, shape, 2)
    assert found.flags(0.05, 0.95)[0] == [Flag.UNCLEAR, Flag.UNCLEAR]


def test_a_single_class_can_be_forecast() -> None:
    plain, labels = answers([0.9], 200)
    assert forecast_from_trainings(plain, plain, labels, SHAPE, 1).flags(0.05, 0.95)[0] == [Flag.SAFE]


@pytest.mark.parametrize("lost", [[[0, 0], [0, 0]], [[3, 3], [-1, 0]]])
def test_equal_steps_where_the_strongest_dose_costs_nothing(lost: list[list[int]]) -> None:
    assert severity_shares(curve(lost)) == pytest.approx([0.5, 1.0])


@given(st.lists(st.lists(st.integers(-5, 100), min_size=3, max_size=3), min_size=1, max_size=5))
def test_shares_never_fall_and_end_at_one(lost: list[list[int]]) -> None:
    shares = severity_shares(curve(lost))
    assert shares[-1] == 1
    assert (np.diff(shares) >= 0).all()
    assert (shares > 0).all()


def test_refitted_heads_are_counted_dose_by_dose() -> None:
    plain, labels = answers([0.9, 0.8], 50)
    heads = np.stack([answers(rates, 50)[0][0] for rates in ([0.9, 0.7], [0.5, 0.8])])
    found = forecast_from_heads(plain[0], heads, labels, 2)
    assert found.loss == pytest.approx(np.array([[0.0, 0.1], [0.4, 0.0]]))
    assert (found.spread > 0.1).all()


def test_trainings_count_four_times_as_much_as_heads() -> None:
    whole = Forecast(np.array([[0.5]]), np.array([[0.1]]))
    both = combine(whole, Forecast(np.array([[0.0]]), np.array([[0.9]])))
    assert both.loss[0, 0] == pytest.approx(0.4)
    assert both.spread[0, 0] == 0.1


def test_leaks_are_the_net_flow_of_images() -> None:
    labels = np.repeat([0, 1, 2], 4)
    plain = np.array([[0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 0]])
    strong = np.array([[0, 1, 1, 1, 1, 1, 1, 0, 2, 2, 2, 2]])
    taken = leaks(plain, strong, labels, 3)
    assert taken.tolist() == [[0, 0.5, 0], [0.25, 0, 0], [-0.25, 0, 0]]
    assert leaks(np.tile(plain, (3, 1)), np.tile(strong, (3, 1)), labels, 3).tolist() == taken.tolist()


def test_runs_correct_the_variance_as_much_as_ten_classes_do() -> None:
    """Class 0 loses 20 of 100 images in one run and none in the other, class 1 the same ten images in both."""
    plain, labels = answers([1.0, 1.0], 100, 2)
    strong = np.stack([answers([0.8, 0.9], 100)[0][0], answers([1.0, 0.9], 100)[0][0]])
    share = 11 / 101
    between = 0.02 / (2 * share**2)
    k = (10 * 0.08 + 2 * between) / (10 + 2)
    expected = [np.sqrt((square - 0.01) / 100 + k * share**2 / 2) for square in (6 / 101, 11 / 101)]
    assert forecast_from_trainings(plain, strong, labels, SHAPE, 2).spread[-1] == pytest.approx(expected)


def test_milder_severities_add_a_fifth_of_the_interpolated_loss() -> None:
    plain, labels = answers([1.0, 0.8], 100)
    strong, _ = answers([0.9, 0.9], 100)
    found = forecast_from_trainings(plain, strong, labels, SHAPE, 2).spread
    assert found[0, 0] == pytest.approx(np.hypot(0.25 * found[-1, 0], 0.2 * 0.75 * 0.1))
    # What a gain is taken off is in doubt, too.
    assert found[0, 1] == pytest.approx(np.hypot(0.25 * found[-1, 1], 0.2 * 0.75 * 0.1))


def test_heads_are_uncertain_by_their_images_and_twelve_points() -> None:
    plain, labels = answers([0.9, 0.8], 50)
    heads, _ = answers([0.5, 0.8], 50)
    rates = [(0.9 * 50 + 0.5) / 51, (0.5 * 50 + 0.5) / 51]
    expected = np.sqrt(sum(rate * (1 - rate) for rate in rates) / 50 + 0.12**2)
    assert forecast_from_heads(plain[0], heads, labels, 2).spread[0, 0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("risk", "flag"),
    [(0.05, Flag.SAFE), (0.0501, Flag.UNCLEAR), (0.7999, Flag.UNCLEAR), (0.8, Flag.LOSES), (1.0, Flag.LOSES)],
)
def test_flags_turn_at_the_confidence_and_at_eighty_percent(risk: float, flag: Flag) -> None:
    assert _flag(risk, False, 0.95) is flag
    assert _flag(risk, True, 0.95) is Flag.GAINS


@pytest.mark.parametrize(("images", "known"), [(1, False), (2, True)])
def test_one_image_forecasts_nothing(images: int, known: bool) -> None:
    labels = np.repeat([0, 1], [images, 50])
    right = np.ones((1, len(labels)), dtype=bool)
    found = forecast_from_trainings(right, right, labels, SHAPE, 2)
    assert np.isfinite(found.spread[:, 0]).all() == known


def test_recall_at_chance_leaves_nothing_to_lose() -> None:
    plain, labels = answers([0.5, 0.52], 50)
    found = forecast_from_trainings(plain, plain, labels, SHAPE, 2)
    assert np.isinf(found.spread[:, 0]).all()
    assert np.isfinite(found.spread[:, 1]).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_leaks_are_those_of_a_plain_loop(seed: int, runs: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 20)
    plain, strong = rng.integers(0, 4, (2, runs, 20))
    expected = np.zeros((4, 4))
    for run in range(runs):
        for image, label in enumerate(labels):
            expected[label, strong[run, image]] += 1
            expected[label, plain[run, image]] -= 1
    for label in range(4):
        expected[label, label] = 0
        expected[label] /= max(int((labels == label).sum()), 1) * runs
    np.testing.assert_allclose(leaks(plain, strong, labels, 4), expected)
    np.testing.assert_allclose(leaks(strong, plain, labels, 4), -expected)


@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_forecasts_follow_their_classes_and_images(seed: int, runs: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.append(np.repeat([0, 1, 2], 4), rng.integers(0, 3, 30))
    plain, strong = rng.random((runs, 42)) < 0.8, rng.random((runs, 42)) < 0.6
    found = forecast_from_trainings(plain, strong, labels, SHAPE, 3)
    order, shuffle = rng.permutation(3), rng.permutation(42)
    other = forecast_from_trainings(plain[:, shuffle], strong[:, shuffle], order[labels][shuffle], SHAPE, 3)
    np.testing.assert_allclose(other.loss[:, order], found.loss, atol=1e-12)
    np.testing.assert_allclose(other.spread[:, order], found.spread)
    heads = forecast_from_heads(plain[0], strong, labels, 3)
    turned = forecast_from_heads(plain[0, shuffle], strong[:, shuffle], order[labels][shuffle], 3)
    np.testing.assert_allclose(turned.loss[:, order], heads.loss, atol=1e-12)
    np.testing.assert_allclose(turned.spread[:, order], heads.spread)


@given(st.floats(-0.3, 0.9), st.floats(0.001, 0.3), st.floats(0.01, 0.4))
def test_risk_falls_with_the_tolerance_and_flags_agree_with_it(loss: float, spread: float, tolerance: float) -> None:
    found = Forecast(np.array([[loss]]), np.array([[spread]]))
    risk = float(found.risk(tolerance)[0, 0])
    assert risk >= float(found.risk(tolerance + 0.1)[0, 0])
    assert (risk > 0.5) == (loss > tolerance) or abs(loss - tolerance) < 1e-12
    expected = Flag.SAFE if risk <= 1 - 0.9 else Flag.LOSES if risk >= 0.8 else Flag.UNCLEAR
    assert found.flags(tolerance, 0.9) == [[expected]]
    (low, high), (wider_low, wider_high) = found.bounds(0.8), found.bounds(0.95)
    assert wider_low[0, 0] <= low[0, 0] <= high[0, 0] <= wider_high[0, 0]


def test_more_repeats_of_the_same_counts_leave_the_shares() -> None:
    """A curve of three repeats holds three times the counts of each image."""
    once = curve([[2, 0], [5, 5], [20, 20]])
    thrice = Curve(once.perturbation, once.n, once.clean_correct, 3 * once.lost, 3 * once.gained, 3)
    assert severity_shares(thrice) == pytest.approx(severity_shares(once))
