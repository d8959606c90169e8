"""When another way to prepare images is far better than the one taken."""

from __future__ import annotations

import numpy as np
from scipy.stats import wilcoxon

from cuesense.inference.tried_readings import Tried, far_better
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
