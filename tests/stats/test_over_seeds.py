"""What trainings show, against plain loops and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from scipy.stats import t as student

from cuesense.stats.over_seeds import (
    agreement,
    auroc,
    leak,
    lowest_recall_gain,
    over_runs,
    precision,
    recall,
    recall_change,
)

RUNS = st.integers(1, 4).flatmap(
    lambda runs: st.lists(st.tuples(st.integers(0, 2), *[st.integers(0, 2)] * runs), min_size=1, max_size=30)
)


@given(RUNS)
def test_recall_and_precision_are_those_of_a_plain_loop(rows: list[tuple[int, ...]]) -> None:
    labels, predicted = np.array(rows)[:, 0], np.array(rows)[:, 1:].T
    found = recall(predicted, labels, 3), precision(predicted, labels, 3)
    for run, answers in enumerate(predicted):
        for index in range(3):
            own = [answer == index for answer, label in zip(answers, labels, strict=True) if label == index]
            claimed = [label == index for answer, label in zip(answers, labels, strict=True) if answer == index]
            for values, array in ((own, found[0]), (claimed, found[1])):
                assert array[run, index] == pytest.approx(np.mean(values) if values else np.nan, nan_ok=True)


def test_changes_are_paired_and_without_bounds_for_one_run() -> None:
    labels = np.repeat([0, 1], 10)
    plain = np.stack([labels, labels])
    other = plain.copy()
    other[0, :4] = 1
    found = recall_change(plain, other, labels, 3, 0.95)
    assert found.value[:2].tolist() == [-0.2, 0.0]
    assert found.low[0] < -0.2 < found.high[0]
    assert -0.3 < found.low[1] < 0 < found.high[1] < 0.3
    assert np.isnan([found.value[2], found.low[2]]).all()
    one = recall_change(plain[:1], other[:1], labels, 3, 0.95)
    assert one.value[0] == -0.4
    assert np.isnan([one.low[0], one.high[0]]).all()


def test_the_gain_of_the_lowest_recall_is_paired_over_seeds_whichever_class_it_is() -> None:
    """Lowest recalls 0.5 and 0.6 become 0.8 and 0.7, in another class each time; class 2 has no images."""
    labels = np.repeat([0, 1], 10)
    reference, other = np.stack([labels, labels]), np.stack([labels, labels])
    reference[0, :5], reference[1, 10:14] = 1, 0
    other[0, 10:12], other[1, :3] = 0, 1
    gain, error = lowest_recall_gain(reference, other, labels, 3)
    assert gain == pytest.approx(0.2)
    assert error == pytest.approx(np.std([0.3, 0.1], ddof=1) / np.sqrt(2))
    assert lowest_recall_gain(reference[:1], other[:1], labels, 3) == (pytest.approx(0.3), None)


def test_intervals_hold_the_true_change_over_seeds_and_images() -> None:
    """Every seed shifts the class, every image has its own difficulty; both are drawn anew each time."""
    random, runs, images, hits = np.random.default_rng(0), 4, 40, 0
    labels, truth = np.zeros(images, dtype=int), -0.1
    for _ in range(1000):
        difficulty = random.normal(0, 0.05, images)
        shift = random.normal(0, 0.15, (runs, 1))
        plain = (random.random((runs, images)) < np.clip(0.6 + difficulty, 0, 1)).astype(int) - 1
        other = (random.random((runs, images)) < np.clip(0.5 + difficulty + shift, 0, 1)).astype(int) - 1
        found = recall_change(plain, other, labels, 1, 0.95)
        hits += bool(found.low[0] <= truth <= found.high[0])
    assert hits / 1000 >= 0.93


def test_means_over_runs_have_students_interval() -> None:
    values = np.array([[1.0, 0.5, np.nan], [2.0, 0.5, np.nan], [3.0, np.nan, np.nan]])
    found = over_runs(values, 0.95)
    assert found.value[:2].tolist() == [2.0, 0.5]
    assert found.high[0] - 2.0 == pytest.approx(4.302653 * 1 / np.sqrt(3), rel=1e-5)
    assert np.isnan([found.low[1], found.high[1]]).all()
    assert np.isnan(found.value[2])
    assert np.isnan(over_runs(values[:1], 0.95).low).all()


def test_a_leak_is_what_other_classes_images_become() -> None:
    labels = np.array([0, 0, 1, 1, 2, 2])
    clean = np.array([[0, 0, 1, 1, 2, 0], [0, 0, 1, 1, 2, 2]])
    probed = np.array([[1, 0, 0, 1, 0, 0], [0, 0, 1, 1, 2, 2]])
    assert leak(clean, probed, labels, 0).tolist() == [0.5, 0.0]


@given(st.lists(st.tuples(st.floats(-0.5, 1), st.floats(-0.5, 1)), min_size=4, max_size=40))
def test_agreement_is_what_plain_loops_and_scipy_say(pairs: list[tuple[float, float]]) -> None:
    forecast, real = np.array(pairs).round(2).T
    found = agreement(forecast, real, 0.05)
    assert found.pairs == len(pairs)
    assert found.error == pytest.approx(np.mean([abs(a - b) for a, b in zip(forecast, real, strict=True)]))
    if np.ptp(forecast) == 0 or np.ptp(real) == 0:
        assert found.spearman is None
        return
    assert found.spearman == pytest.approx(spearmanr(forecast, real)[0])
    centered = forecast - forecast.mean()
    assert found.slope == pytest.approx((centered * (real - real.mean())).sum() / (centered**2).sum(), abs=1e-6)
    losers, others = forecast[real > 0.05], forecast[real <= 0.05]
    if not len(losers) or not len(others):
        assert found.auroc is None
        return
    wins = [(a > b) + 0.5 * (a == b) for a in losers for b in others]
    assert found.auroc == pytest.approx(np.mean(wins))


def test_unknown_losses_are_left_out_of_the_agreement() -> None:
    found = agreement(np.array([0.1, 0.2, 0.3, np.nan]), np.array([0.1, 0.2, 0.3, 0.9]), 0.25)
    assert (found.pairs, found.spearman, found.slope, found.auroc) == pytest.approx((3, 1.0, 1.0, 1.0))
    assert agreement(np.array([0.1]), np.array([0.3]), 0.05).error == pytest.approx(0.2)
    assert agreement(np.array([]), np.array([]), 0.05).error is None
    assert auroc(np.array([0.1, 0.2]), np.array([False, False])) is None


@pytest.mark.parametrize(("pairs", "ranked"), [(2, False), (3, True)])
def test_fewer_than_three_pairs_have_no_rank_correlation(pairs: int, ranked: bool) -> None:
    found = agreement(np.array([0.1, 0.2, 0.3])[:pairs], np.array([0.0, 0.2, 0.1])[:pairs], 0.05)
    assert (found.spearman is not None) == ranked
    assert (found.slope is not None) == ranked
    assert found.error is not None


def test_a_loss_at_the_tolerance_is_accepted() -> None:
    assert auroc(np.array([0.1, 0.2]), np.array([True, True])) is None
    assert agreement(np.array([0.1, 0.2, 0.3]), np.array([0.05, 0.04, 0.03]), 0.05).auroc is None
    assert agreement(np.array([0.1, 0.2, 0.3]), np.array([0.06, 0.04, 0.03]), 0.05).auroc == 0.0


@pytest.mark.parametrize("scores", [[1.0, 1.0, 1.0], [0.3, 0.1, 0.2]])
def test_auroc_counts_ties_as_one_half(scores: list[float]) -> None:
    wins = [(scores[0] > other) + 0.5 * (scores[0] == other) for other in scores[1:]]
    assert auroc(np.array(scores), np.array([True, False, False])) == pytest.approx(np.mean(wins))


numbers = st.one_of(st.floats(-1, 1).map(lambda value: round(value, 3)), st.just(float("nan")))
TABLES = st.integers(1, 6).flatmap(
    lambda runs: st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=runs, max_size=runs)
)


@settings(max_examples=40)
@given(TABLES, st.sampled_from([0.8, 0.95]))
def test_means_over_runs_are_those_of_a_plain_loop(rows: list[list[float]], confidence: float) -> None:
    found = over_runs(np.array(rows), confidence)
    for index in range(3):
        own = [row[index] for row in rows if row[index] == row[index]]
        mean = sum(own) / len(own) if own else float("nan")
        assert found.value[index] == pytest.approx(mean, nan_ok=True)
        squares = sum((value - mean) ** 2 for value in own)
        if len(set(own)) < 2:
            # Rounding may leave equal runs a width of the last digits, never more.
            assert not found.high[index] - found.low[index] > 1e-9
            continue
        half = student.ppf((1 + confidence) / 2, len(own) - 1) * (squares / (len(own) - 1) / len(own)) ** 0.5
        assert (found.low[index], found.high[index]) == pytest.approx((mean - half, mean + half), abs=1e-9)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_means_follow_a_shift_a_sign_and_the_order_of_runs_and_classes(seed: int, runs: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(runs, 4))
    found = over_runs(values, 0.95)
    order, shuffle = rng.permutation(4), rng.permutation(runs)
    moved = over_runs(values[shuffle][:, order] + 2, 0.95)
    turned = over_runs(-values, 0.95)
    for name in ("value", "low", "high"):
        np.testing.assert_allclose(getattr(moved, name), getattr(found, name)[order] + 2)
    np.testing.assert_allclose([turned.low, turned.high], [-found.high, -found.low])
    wider = over_runs(values, 0.99)
    assert (wider.low < found.low).all()
    assert (wider.high > found.high).all()


def test_students_interval_holds_the_mean_as_often_as_it_says() -> None:
    """Ten thousand times three runs, drawn from a normal distribution around 0.1."""
    found = over_runs(np.random.default_rng(0).normal(0.1, 0.3, (3, 10_000)), 0.9)
    assert ((found.low <= 0.1) & (found.high >= 0.1)).mean() == pytest.approx(0.9, abs=0.01)


def changes(seed: int, runs: int = 3, images: int = 30, classes: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    plain, other = rng.integers(0, classes, (2, runs, images))
    return plain, other, np.sort(np.append(np.repeat(np.arange(classes), 2), rng.integers(0, classes, images - 6)))


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_changes_of_recall_are_those_of_a_plain_loop(seed: int, runs: int) -> None:
    """The variances over runs and over images, with one image more that changes, by Satterthwaite's formula."""
    plain, other, labels = changes(seed, runs)
    found = recall_change(plain, other, labels, 3, 0.9)
    for index in range(3):
        images = [image for image, label in enumerate(labels) if label == index]
        table = [
            [int(other[run, image] == index) - int(plain[run, image] == index) for image in images]
            for run in range(runs)
        ]
        n, mean = len(images), float(np.mean(table))
        by_run = [sum(row) / n for row in table]
        by_image = [sum(column) / runs for column in zip(*table, strict=True)]
        seeds = sum((value - mean) ** 2 for value in by_run) / (runs - 1) / runs
        pictures = ((sum(value**2 for value in by_image) + 1) / (n + 1) - mean**2) / n
        freedom = (seeds + pictures) ** 2 / (seeds**2 / (runs - 1) + pictures**2 / (n - 1))
        half = student.ppf(0.95, freedom) * (seeds + pictures) ** 0.5
        assert found.value[index] == pytest.approx(mean)
        assert (found.low[index], found.high[index]) == pytest.approx((mean - half, mean + half))


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_changes_of_recall_mirror_and_follow_their_classes(seed: int) -> None:
    plain, other, labels = changes(seed)
    found, back = recall_change(plain, other, labels, 3, 0.9), recall_change(other, plain, labels, 3, 0.9)
    np.testing.assert_allclose([back.value, back.low, back.high], [-found.value, -found.high, -found.low], atol=1e-12)
    order = np.random.default_rng(seed).permutation(3)
    renamed = recall_change(order[plain], order[other], order[labels], 3, 0.9)
    for name in ("value", "low", "high"):
        np.testing.assert_allclose(getattr(renamed, name)[order], getattr(found, name), atol=1e-12)


def test_seeds_that_repeat_each_other_leave_the_change_and_narrow_its_interval() -> None:
    plain, other, labels = changes(3)
    once = recall_change(plain, other, labels, 3, 0.9)
    twice = recall_change(np.tile(plain, (2, 1)), np.tile(other, (2, 1)), labels, 3, 0.9)
    np.testing.assert_allclose(twice.value, once.value)
    assert (twice.high - twice.low < once.high - once.low).all()


def test_a_single_image_gives_a_change_without_bounds_and_two_give_bounds() -> None:
    plain, other = np.array([[1, 1, 1], [1, 1, 1]]), np.array([[0, 1, 1], [1, 1, 0]])
    found = recall_change(plain, other, np.array([0, 1, 1]), 2, 0.9)
    assert found.value.tolist() == [0.5, -0.25]
    assert np.isnan(found.low).tolist() == np.isnan(found.high).tolist() == [True, False]


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_leaks_are_those_of_a_plain_loop(seed: int, runs: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.append([0, 1, 2], rng.integers(0, 3, 12))
    clean, probed = rng.integers(0, 3, (2, runs, 15))
    for index in range(3):
        others = [image for image, label in enumerate(labels) if label != index]
        for run, found in enumerate(leak(clean, probed, labels, index)):
            gained = sum(int(probed[run, image] == index) - int(clean[run, image] == index) for image in others)
            assert found == pytest.approx(gained / len(others))


def test_predictions_that_are_no_class_of_the_dataset_are_wrong_and_claim_nothing() -> None:
    labels, predicted = np.array([0, 0, 1, 1]), np.array([[0, 7, 1, 0]])
    assert recall(predicted, labels, 2).tolist() == [[0.5, 0.5]]
    assert precision(predicted, labels, 2).tolist() == [[0.5, 1.0]]
    assert precision(np.array([[7, 7, 7, 7]]), labels, 2) == pytest.approx(np.full((1, 2), np.nan), nan_ok=True)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_forecasts_rank_the_same_in_other_units_and_the_slope_is_theirs(seed: int) -> None:
    forecast, real = np.random.default_rng(seed).normal(0.05, 0.1, (2, 12))
    found, halved = agreement(forecast, real, 0.05), agreement(forecast / 2 + 0.1, real, 0.05)
    assert halved.spearman == pytest.approx(found.spearman)
    assert halved.auroc == (None if found.auroc is None else pytest.approx(found.auroc))
    assert found.slope is not None
    assert halved.slope == pytest.approx(2 * found.slope)
    turned = agreement(-forecast, real, 0.05)
    assert turned.spearman == pytest.approx(-(found.spearman or 0))
    assert turned.auroc == (None if found.auroc is None else pytest.approx(1 - found.auroc))


@pytest.mark.parametrize("equal", ["forecast", "real"])
def test_equal_losses_have_an_error_and_no_rank(equal: str) -> None:
    flat, rising = np.full(4, 0.2), np.array([0.1, 0.2, 0.3, 0.4])
    found = agreement(*((flat, rising) if equal == "forecast" else (rising, flat)), 0.05)
    assert (found.spearman, found.slope, found.auroc, found.pairs) == (None, None, None, 4)
    assert found.error == pytest.approx(0.1)
