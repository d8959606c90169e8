"""What a network makes of a few images that are prepared in one way, and whether another way is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cuesense.stats.intervals import sign_test
from cuesense.types import Preprocessing

# A reading is far better where it recognizes a twentieth of the images more, and a signed-rank test of the losses says
# that this is no chance: over all readings that were tried on the first images, or over the finalists on further ones.
# Each of the two tests has half of the usual level of 5 %. By counts three networks on 120 images stayed at 51, 52 and
# 55 % where 67 to 71 % could be had, by losses all three were found. Chosen by hand; not tuned.
FAR, LEVEL = 0.05, 0.025
# Another order of the classes explains what a network predicts better than any reading where it explains half as many
# images again: the best order is chosen on these very images. Chosen by hand; not tuned.
OTHER_ORDER = 1.5


@dataclass(frozen=True)
class Tried:
    """What a network makes of the images under one reading.

    Attributes:
        reading: How the images were prepared.
        right: Which of the images are recognized, (N,); none where the network fails on such input. N is smaller where
            the first images told that another reading is as good.
        losses: -log p of the right class of each image, at the temperature that is best for all, (N,); empty where
            outputs are not finite.
        failed: What the network said where it fails on such input.
        predicted: The output that is predicted for each image, (N,); empty where the network fails.
    """

    reading: Preprocessing
    right: NDArray[np.bool_]
    losses: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    failed: str | None = None
    predicted: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def surprise(self) -> float:
        """Mean of the losses; what tells readings apart that recognize equally many images."""
        return float(self.losses.mean()) if len(self.losses) else float("inf")

    @property
    def count(self) -> int:
        """How many images are recognized."""
        return int(self.right.sum())


def p_of_guessing(tried: Tried, classes: int) -> float:
    """Return the probability that guessing recognizes so many images or more."""
    from scipy.stats import binom

    return float(binom.sf(tried.count - 1, len(tried.right), 1 / classes))


def far_better(one: Tried, other: Tried, tests: int = 1) -> bool:
    """Return whether the second of two readings is far better on the same images.

    Args:
        one: The first, on N images.
        other: The second, on the same.
        tests: How many readings the second was chosen from (Bonferroni).
    """
    gain = other.count - one.count
    return gain > 0 and gain >= FAR * len(one.right) and _p_of_gain(one, other) * max(tests, 1) <= LEVEL


def _p_of_gain(one: Tried, other: Tried) -> float:
    """Return the probability that readings which are equally good differ so much, or more."""
    if len(one.losses) != len(one.right) or len(other.losses) != len(other.right):
        return float(sign_test(int((other.right & ~one.right).sum()), int((one.right & ~other.right).sum())))
    from scipy.stats import wilcoxon

    return float(wilcoxon(one.losses, other.losses, alternative="greater").pvalue)


def in_another_order(tried: Tried, truth: NDArray[np.int64], outputs: Sequence[int]) -> int:
    """Return how many images would be recognized with the classes in the order that suits them best.

    Args:
        tried: What a network makes of N images.
        truth: The output of the class of each image, (N,).
        outputs: The output of each of C classes.

    Returns:
        The number, or 0 where guessing may reach it under the best of all orders (Bonferroni).
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.stats import binom

    if len(tried.predicted) != len(truth):
        return 0
    classes = {output: index for index, output in enumerate(outputs)}
    confusion = np.zeros((len(outputs), max(*outputs, int(tried.predicted.max())) + 1), np.int64)
    np.add.at(confusion, (np.array([classes[output] for output in truth.tolist()]), tried.predicted), 1)
    count = int(confusion[linear_sum_assignment(confusion, maximize=True)].sum())
    orders = math.lgamma(confusion.shape[1] + 1) - math.lgamma(confusion.shape[1] - len(outputs) + 1)
    by_chance = float(binom.logsf(count - 1, len(truth), 1 / len(outputs)))
    return count if by_chance + orders <= math.log(LEVEL) else 0


def rank(tried: Tried) -> tuple[float, float]:
    """Return what readings are ranked by, the best highest: the losses, and on equal terms the count.

    Losses tell neighboring sizes apart where the number of recognized images does not: among the networks of
    benchmarks/readings.py they named the training's own reading first where the number named a neighbor.
    """
    return -tried.surprise, tried.count


def together(one: Tried, other: Tried) -> Tried:
    """Return what a network makes of two sets of images under one reading."""
    losses = np.concatenate([one.losses, other.losses])
    return Tried(one.reading, np.concatenate([one.right, other.right]), losses)


def rank_of_both(one: Tried, other: Tried) -> tuple[float, float]:
    """Return the rank of a reading over two sets of images."""
    weight = len(one.right), len(other.right)
    return -float(np.average([one.surprise, other.surprise], weights=weight)), one.count + other.count
