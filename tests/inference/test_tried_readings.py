"""When another way to prepare images is far better than the one taken."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import wilcoxon

from cuesense.inference.tried_readings import Tried, far_better, in_another_order
from cuesense.models.preprocessing import IMAGENET


def counted(images: int, right: range, losses: np.ndarray | None = None) -> Tried:
    """Return a reading under which the images of a range are recognized, with the losses of all."""
    return Tried(IMAGENET, np.isin(np.arange(images), right), np.zeros(0) if losses is None else losses)


def test_far_better_without_losses_means_a_twentieth_more_and_beyond_chance() -> None:
    # One-sided P(X >= 6) of 6 fair coins is 0.0156, of 5 coins 0.031; the level is 0.025.
    assert far_better(counted(120, range(0)), counted(120, range(6)))
    assert not far_better(counted(100, range(0)), counted(100, range(5)))
    assert not far_better(counted(121, range(0)), counted(121, range(6)))  # less than a twentieth
    assert not far_better(counted(120, range(0)), counted(120, range(6)), tests=2)
    assert far_better(counted(120, range(0)), counted(120, range(7)), tests=2)
    assert not far_better(counted(60, range(16)), counted(60, range(6, 22)))
    assert not far_better(counted(0, range(0)), counted(0, range(0)))


def test_losses_tell_what_counts_do_not() -> None:
    def pair(lower: int, more: int = 4) -> tuple[Tried, Tried]:
        """Two readings, of which the second recognizes some images more and has a lower loss on some of 20."""
        gains = np.where(np.arange(20) < lower, 1.0, -1.0) * (1 + np.arange(20) / 100)
        return counted(20, range(10), np.full(20, 3.0)), counted(20, range(10 + more), 3.0 - gains)

    def p(lower: int) -> float:
        return float(wilcoxon(*(tried.losses for tried in pair(lower)), alternative="greater").pvalue)

    assert p(18) < 0.025 / 4 < 0.025 < p(17)
    assert far_better(*pair(18), tests=4)
    assert not far_better(*pair(18), tests=5)
    assert not far_better(*pair(17))
    assert not far_better(*pair(18, more=0))
    assert far_better(*pair(18, more=1))


def predicting(predicted: np.ndarray) -> Tried:
    return Tried(IMAGENET, np.zeros(len(predicted), bool), predicted=predicted)


def test_another_order_is_counted_as_by_trying_all() -> None:
    rng = np.random.default_rng(3)
    truth = np.repeat([5, 0, 2], 12)
    moved = np.select([truth == 5, truth == 0], [2, 1], 5)
    predicted = np.where(rng.random(36) < 0.8, moved, rng.integers(0, 6, 36))
    most = max(
        sum(int((predicted[truth == own] == other).sum()) for own, other in zip((5, 0, 2), order, strict=True))
        for order in itertools.permutations(range(6), 3)
    )
    assert in_another_order(predicting(predicted), truth, (5, 0, 2)) == most > 20


# Of 48 images at 1/4, P(X >= 22) is 0.0014 and P(X >= 23) 0.0005; four classes have 24 orders, and the level is 0.025.
@pytest.mark.parametrize(("right", "found"), [(22, 0), (23, 23)])
def test_what_guessing_reaches_in_the_best_order_is_no_order(right: int, found: int) -> None:
    places = np.arange(48)
    truth = places % 4
    predicted = np.where(places < right, truth + 1, truth + np.array([0, 2, 3])[places // 4 % 3]) % 4
    assert in_another_order(predicting(predicted), truth, range(4)) == found
    assert in_another_order(predicting(np.zeros(0, np.int64)), truth, range(4)) == 0
