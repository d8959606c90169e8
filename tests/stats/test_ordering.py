"""Orders of classes against plain loops and against draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import f, spearmanr

from cuesense.stats.ordering import among_top, exceeded, rank_reliability, told_apart

VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=15)


def test_who_exceeds_whom_is_counted_pair_by_pair() -> None:
    rng = np.random.default_rng(0)
    values, variances = rng.random(230), rng.random(230) * 0.05
    values[7] = np.nan
    below, above = exceeded(values, variances, 0.95)
    for i in (0, 7, 99, 100, 229):
        chances = [
            float(ndtr((values[i] - values[j]) / np.sqrt(variances[i] + variances[j]))) for j in range(230) if j != i
        ]
        assert below[i] == sum(chance >= 0.95 for chance in chances)
        assert above[i] == sum(chance <= 0.05 for chance in chances)
    assert below.sum() == above.sum()


def test_the_probability_to_exceed_has_two_sides() -> None:
    for gap, count in ((1.6, 0), (1.7, 1)):
        below, above = exceeded(np.array([gap, 0.0]), np.array([0.5, 0.5]), 0.95)
        assert (below.tolist(), above.tolist()) == ([count, 0], [0, count])
    assert exceeded(np.array([0.5, 0.5]), np.zeros(2), 0.95)[0].tolist() == [0, 0]


def test_the_top_is_that_of_draws() -> None:
    rng = np.random.default_rng(4)
    values, deviations = rng.random(20), 0.05 + 0.1 * rng.random(20)
    draws = rng.normal(values, deviations, (20000, 20))
    often = np.mean(np.argsort(np.argsort(-draws, axis=1), axis=1) < 4, axis=0)
    assert among_top(values, deviations**2, 0.2) == pytest.approx(often, abs=0.06)


@settings(max_examples=50)
@given(VALUES)
def test_places_at_the_top_add_up(values: list[float]) -> None:
    found = among_top(np.array([*values, np.nan]), np.full(len(values) + 1, 0.01), 0.2)
    assert np.isnan(found[-1])
    assert found[:-1].sum() == pytest.approx(max(1, round(0.2 * len(values))), abs=1e-6)
    assert np.isnan(among_top(np.array([np.nan]), np.array([np.nan]), 0.2)).all()


def test_rank_reliability_is_spearman_s_stepped_up() -> None:
    rng = np.random.default_rng(5)
    truth = rng.random(12)
    halves = truth + rng.normal(0, 0.2, (7, 2, 12))
    mean = np.mean([spearmanr(*pair).statistic for pair in halves])
    assert rank_reliability(halves) == pytest.approx(2 * mean / (1 + mean))
    halves[3, 1, 4] = np.nan
    kept = np.delete(halves, 4, axis=2)
    assert rank_reliability(halves) == pytest.approx(rank_reliability(kept))


@pytest.mark.parametrize("classes", [1, 2])
def test_two_classes_have_no_rank_reliability(classes: int) -> None:
    assert np.isnan(rank_reliability(np.random.default_rng(0).random((4, 2, classes))))


def test_equal_classes_have_none_and_opposite_halves_the_least() -> None:
    assert np.isnan(rank_reliability(np.ones((4, 2, 5))))
    assert np.isnan(rank_reliability(np.ones((0, 2, 5))))
    assert rank_reliability(np.stack([[np.arange(5.0), -np.arange(5.0)]])) == -1
    assert rank_reliability(np.stack([[np.arange(5.0), np.arange(5.0)]])) == pytest.approx(1)


def test_pairs_are_told_apart_as_a_plain_loop_says() -> None:
    rng = np.random.default_rng(6)
    values, variances = rng.normal(0, 0.3, (3, 8)), rng.uniform(0.01, 0.03, (3, 8))
    correlation = np.array([[1, 0.5, 0], [0.5, 1, 0.2], [0, 0.2, 1]])
    mixed, images = 0.95 * correlation + 0.05 * np.eye(3), rng.integers(5, 60, 8)
    p = []
    for i in range(8):
        for j in range(i + 1, 8):
            noise = np.sqrt(variances[:, i] + variances[:, j])
            gap = values[:, i] - values[:, j]
            distance = gap @ np.linalg.inv(mixed * np.outer(noise, noise)) @ gap
            freedom = images[i] + images[j] - 2
            p.append(float(f.sf(distance * (freedom - 2) / (freedom * 3), 3, freedom - 2)))
    p.sort()
    within = [rank for rank, chance in enumerate(p, start=1) if chance <= 0.05 * rank / len(p)]
    assert told_apart(values, variances, correlation, images, 0.05) == (max(within, default=0), 28)
    assert 0 < max(within) < 28


@pytest.mark.parametrize("images", [3, 5, 10, 50])
def test_pairs_that_do_not_differ_are_seldom_told_apart(images: int) -> None:
    """The noise is known from the same few images as the values."""
    rng, found = np.random.default_rng(7), []
    for _ in range(200):
        seen = rng.normal(0, 1, (6, 10, images))
        found.append(told_apart(seen.mean(2), seen.var(2, ddof=1) / images, np.eye(6), np.full(10, images), 0.05)[0])
    assert np.mean(np.array(found) > 0) <= 0.08


def test_a_pair_needs_more_images_than_numbers() -> None:
    values, noise = np.array([[0.0, 1.0], [0.0, 1.0]]), np.full((2, 2), 1e-6)
    assert told_apart(values, noise, np.eye(2), np.array([2, 1]), 0.05) == (0, 1)
    assert told_apart(values, noise, np.eye(2), np.array([2, 3]), 0.05) == (1, 1)


def test_classes_that_lack_a_number_are_not_compared() -> None:
    values = np.array([[0.0, 1.0, np.nan], [0.0, 1.0, 0.0]])
    assert told_apart(values, np.full((2, 3), 0.001), np.eye(2), np.full(3, 50), 0.05) == (1, 1)
    assert told_apart(values[:, 1:], np.full((2, 2), 0.001), np.eye(2), np.full(2, 50), 0.05) == (0, 0)
    assert told_apart(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 0)), np.full(3, 50), 0.05) == (0, 0)
