"""What trainings show, against plain loops and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from cuesense.stats.over_seeds import agreement, auroc, leak, over_runs, precision, recall, recall_change

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
