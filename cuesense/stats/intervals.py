"""Confidence intervals and exact tests for proportions, their differences and their ratios.

One proportion: ``wilson``. Difference of two proportions on the same images: ``newcombe`` (two-sided) and ``tango``
(one-sided), with the test ``sign_test`` on ``discordant_counts``. On other images: ``independent``. Difference of any
two independent estimates: ``mover_interval``. Ratio of two proportions above a floor: ``ratio_interval``.

All work on arrays, one element a class or a class and severity, and give NaN where there are too few images.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtrc, ndtri

from cuesense.arrays import Bools, Floats, Ints
from cuesense.types import Interval

# Every halving gains one binary digit. The bound of a drop starts from a bracket of at most 2: 45 halvings leave 6e-14,
# rounding error. A ratio starts from a bracket of 1: 30 leave 1e-9, far below what any number of images can tell.
_DROP_HALVINGS = 45
_RATIO_HALVINGS = 30


def wilson(k: ArrayLike, n: ArrayLike, confidence: float) -> tuple[Floats, Floats]:
    """Return Wilson's two-sided score interval for a proportion (Wilson 1927, JASA 22:209).

    Args:
        k: Successes in [0, n]; real values are allowed.
        n: Trials, of a shape that broadcasts with k.
        confidence: Two-sided level in (0, 1).

    Returns:
        Lower and upper limit in [0, 1]; NaN where n is 0.
    """
    z = float(ndtri((1 + confidence) / 2))
    successes, trials = np.asarray(k, dtype=np.float64), nan_below(n, at_least=1)
    center = successes + z * z / 2
    half = z * np.sqrt(successes * (trials - successes) / trials + z * z / 4)
    scale = trials + z * z
    low, high = np.clip((center - half) / scale, 0, 1), np.clip((center + half) / scale, 0, 1)
    # Rounding may put a limit on the wrong side of the rate by a few ulp, at 0 and n successes above all.
    return np.minimum(low, successes / trials), np.maximum(high, successes / trials)


def newcombe(
    clean_correct: ArrayLike, lost: ArrayLike, gained: ArrayLike, n: ArrayLike, confidence: float
) -> tuple[Floats, Floats]:
    """Return Newcombe's two-sided interval for the accuracy drop of paired images.

    Method 10 of Newcombe 1998, Statistics in Medicine 17:2635: the Wilson limits of the two accuracies, joined by the
    continuity-corrected correlation phi of the 2x2 table. All arguments broadcast; lost and gained may be real (means
    over repeats).

    Args:
        clean_correct: Images right when clean.
        lost: Images right when clean and wrong when perturbed.
        gained: Images wrong when clean and right when perturbed.
        n: Images.
        confidence: Two-sided level in (0, 1).

    Returns:
        Lower and upper limit of (lost - gained) / n, in [-1, 1]; NaN where n <= 1.
    """
    images = nan_below(n, at_least=2)
    clean, b, c = (np.asarray(part, dtype=np.float64) for part in (clean_correct, lost, gained))
    perturbed = clean - b + c
    (clean_low, clean_high), (low, high) = wilson(clean, images, confidence), wilson(perturbed, images, confidence)
    phi = _phi(clean - b, b, c, images - clean - c)
    p, q = clean / images, perturbed / images
    below = _joined(p - clean_low, high - q, phi)
    above = _joined(clean_high - p, q - low, phi)
    return np.clip(p - q - below, -1, 1), np.clip(p - q + above, -1, 1)


def _phi(a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """Return the correlation of a 2x2 table, 0 where a margin is empty."""
    excess = a * d - b * c
    # Newcombe corrects a positive correlation alone: it narrows the interval, which must not be overdone.
    excess = np.where(excess > 0, np.maximum(excess - (a + b + c + d) / 2, 0), excess)
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    return np.where(margins > 0, excess / np.sqrt(np.where(margins > 0, margins, 1)), 0)


def _joined(first: Floats, second: Floats, phi: Floats) -> Floats:
    """Return the distance of a limit of a difference from the distances of its two parts and their correlation."""
    return np.sqrt(np.maximum(first**2 - 2 * phi * first * second + second**2, 0))


def tango(lost: ArrayLike, gained: ArrayLike, n: ArrayLike, confidence: float) -> tuple[Floats, Floats]:
    """Return one-sided score bounds for the accuracy drop of paired images.

    The score statistic of Tango 1998, Statistics in Medicine 17:891, with a continuity correction of half an image,
    inverted by bisection. All arguments broadcast; lost and gained may be real (means over repeats).

    Args:
        lost: Images right when clean and wrong when perturbed.
        gained: Images wrong when clean and right when perturbed.
        n: Images.
        confidence: One-sided level of each bound, in (0.5, 1).

    Returns:
        Lower and upper bound of (lost - gained) / n, in [-1, 1]; NaN where n <= 1.
    """
    z = float(ndtri(confidence))
    b, c, images = np.broadcast_arrays(
        np.asarray(lost, dtype=np.float64), np.asarray(gained, dtype=np.float64), nan_below(n, at_least=2)
    )
    return -_upper(c, b, images, z), _upper(b, c, images, z)


def _upper(b: Floats, c: Floats, n: Floats, z: float) -> Floats:
    """Bisect for the largest drop that the score test does not reject.

    The chance of a gain, given the drop, is its maximum-likelihood value: the larger root of a quadratic (Tango 1998).
    """
    # Not scipy.optimize.elementwise.find_root: it differs in the last digits (5e-14), which profile.json prints, needs
    # a sign change, which is missing where no drop is rejected (two images), and took three to five times as long for
    # 10 and 1,000 bounds.
    inside, outside = (b - c) / n, np.ones_like(n)
    for _ in range(_DROP_HALVINGS):
        drop = (inside + outside) / 2
        linear = (2 * n - b + c) * drop - b - c
        root = np.sqrt(np.maximum(linear**2 + 8 * n * c * drop * (1 - drop), 0))
        variance = np.maximum(n * ((root - linear) / (2 * n) + drop * (1 - drop)), 0)
        # Half an image: the continuity correction, without which few images call a drop excluded too often.
        held = b - c - n * drop + 0.5 >= -z * np.sqrt(variance)
        inside, outside = np.where(held, drop, inside), np.where(held, outside, drop)
    return np.where(np.isnan(n), np.nan, outside)


def independent(k: ArrayLike, n: ArrayLike, j: ArrayLike, m: ArrayLike, confidence: float) -> tuple[Floats, Floats]:
    """Return the two-sided interval of k / n - j / m, the difference of two independent proportions.

    Method 11 of Newcombe 1998, Statistics in Medicine 17:873: continuity-corrected Wilson limits, joined.

    Args:
        k: Successes of the first in [0, n]; all arguments broadcast, real values are allowed.
        n: Trials of the first.
        j: Successes of the second in [0, m].
        m: Trials of the second.
        confidence: Two-sided level in (0, 1).

    Returns:
        Lower and upper limit in [-1, 1]; NaN where n or m is below 2.
    """
    first, second = ((np.asarray(part, np.float64), nan_below(size, at_least=2)) for part, size in ((k, n), (j, m)))
    return mover_interval(
        *((part / size, *_wilson_corrected(part, size, confidence)) for part, size in (first, second))
    )


def mover_interval(first: Sequence[Floats], second: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Return the limits of a difference from the limits of its parts (Zou, Donner 2008, Stat. Med. 27:1693).

    Args:
        first: Estimate, lower and upper limit, each (C,), where the two are independent, at one level.
        second: The same of what is subtracted.

    Returns:
        Lower and upper limit of first - second at that level, (C,); NaN where a part is.
    """
    (a, a_low, a_high), (b, b_low, b_high) = first, second
    return a - b - np.hypot(a - a_low, b_high - b), a - b + np.hypot(a_high - a, b - b_low)


def _wilson_corrected(k: Floats, n: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Return Wilson's interval with a continuity correction (Newcombe 1998, Stat. Med. 17:857, method 4)."""
    z, rate = float(ndtri((1 + confidence) / 2)), k / n
    scale, center = 2 * (n + z * z), 2 * k + z * z
    low = center - 1 - z * np.sqrt(np.maximum(z * z - 2 - 1 / n + 4 * rate * (n * (1 - rate) + 1), 0))
    high = center + 1 + z * np.sqrt(np.maximum(z * z + 2 - 1 / n + 4 * rate * (n * (1 - rate) - 1), 0))
    return np.where(k > 0, np.clip(low / scale, 0, 1), 0.0), np.where(k < n, np.clip(high / scale, 0, 1), 1.0)


def interval(value: float, low: float, high: float) -> Interval:
    """Return an Interval in which every NaN has become None.

    Args:
        value: The estimate.
        low: Its lower bound.
        high: Its upper bound.

    Returns:
        The interval, of plain Python floats.
    """
    # Not NumPy's isnan, which takes ten times as long for one number: a profile has a hundred thousand of them.
    return Interval(*(None if math.isnan(number) else float(number) for number in (value, low, high)))


def discordant_counts(
    correct_a: Bools, correct_b: Bools, labels: NDArray[np.integer], classes: int
) -> tuple[Ints, Ints]:
    """Count the images that only one of two conditions gets right.

    Args:
        correct_a: Whether each image is right under A, shape (N,).
        correct_b: Whether each image is right under B, shape (N,).
        labels: Class of each image, shape (N,), in [0, classes).
        classes: Number of classes C.

    Returns:
        Images right under A alone and under B alone, each of shape (C,).
    """
    only_a = np.bincount(labels[correct_a & ~correct_b], minlength=classes)
    only_b = np.bincount(labels[correct_b & ~correct_a], minlength=classes)
    return only_a, only_b


def sign_test(only_a: ArrayLike, only_b: ArrayLike) -> Floats:
    """Return the one-sided exact p-value that A is right more often than B (McNemar 1947, Psychometrika 12:153).

    Args:
        only_a: Images right under A alone, integers of any shape.
        only_b: Images right under B alone, of the same shape.

    Returns:
        P(X >= only_a) for X ~ Binomial(only_a + only_b, 1/2); 1 where both are 0.
    """
    a, b = np.asarray(only_a, dtype=np.float64), np.asarray(only_b, dtype=np.float64)
    # scipy.special's binomial tail takes arrays; scipy.stats.binomtest takes one table at a time.
    return np.asarray(bdtrc(a - 1, (a + b).astype(np.int64), 0.5), dtype=np.float64)


def ratio_interval(
    part: Floats,
    n_part: Floats,
    whole: Floats,
    n_whole: Floats,
    floor: Floats,
    n_floor: Floats,
    confidence: float,
) -> tuple[Floats, Floats, Floats]:
    """Return (part - floor) / (whole - floor) for three independent proportions, with its two-sided interval.

    A ratio is in the interval where the interval of part - ratio * whole - (1 - ratio) * floor has 0 in it (Fieller
    1954), which is recovered from Wilson's limits of the three (Zou, Donner 2008, Statistics in Medicine 27:1693).

    Args:
        part: The proportion above, in [0, 1], shape (C,).
        n_part: Its images.
        whole: The proportion below, in [0, 1].
        n_whole: Its images.
        floor: What is subtracted from both, in [0, 1].
        n_floor: Its images; infinite where the floor is known.
        confidence: Two-sided level in (0, 1).

    Returns:
        Ratio, lower and upper limit, each in [0, 1] and of shape (C,); NaN where the whole is not above the floor.
    """
    p, w = wilson(part * n_part, n_part, confidence), wilson(whole * n_whole, n_whole, confidence)
    # A floor that is known has no images of its own and therefore limits that are the floor itself.
    counted = np.where(np.isfinite(n_floor), n_floor, 1.0)
    f = [np.where(np.isfinite(n_floor), limit, floor) for limit in wilson(floor * counted, counted, confidence)]

    def reaches(ratio: Floats, side: int) -> Floats:
        """Return the upper (side 1) or lower (side 0) limit of the difference at a ratio."""
        near, far = (side, 1 - side)
        spread = (p[near] - part) ** 2 + (ratio * (w[far] - whole)) ** 2 + ((1 - ratio) * (f[far] - floor)) ** 2
        return np.asarray(part - ratio * whole - (1 - ratio) * floor + (2 * side - 1) * np.sqrt(spread))

    inside = np.where(whole > floor, whole - floor, np.nan)
    value = np.clip((part - floor) / inside, 0, 1)
    lower, upper = _crossing(lambda ratio: reaches(ratio, 0), value), _crossing(lambda ratio: reaches(ratio, 1), value)
    return value, np.minimum(lower, value), np.maximum(upper, value)


def _crossing(difference: Callable[[Floats], Floats], like: Floats) -> Floats:
    """Return where a falling function on [0, 1] crosses 0, by bisection to 1e-9; NaN where like is.

    A function that is positive on all of [0, 1] gives 1, a negative one 0.
    """
    # Not scipy.optimize.elementwise.find_root, which gives NaN without a sign change: see _upper.
    low, high = np.zeros_like(like), np.ones_like(like)
    for _ in range(_RATIO_HALVINGS):
        middle = (low + high) / 2
        above = difference(middle) > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where(np.isnan(like), np.nan, (low + high) / 2)


def nan_below(n: ArrayLike, *, at_least: int) -> Floats:
    """Return counts as floats, with NaN in place of counts that are too small to divide by.

    Args:
        n: Counts, of any shape.
        at_least: The smallest count that is kept.

    Returns:
        The counts, in the same shape.
    """
    images = np.asarray(n, dtype=np.float64)
    return np.where(images >= at_least, images, np.nan)
