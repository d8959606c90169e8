"""Orders of classes by an uncertain number: who exceeds whom, who is at the top, and whether the order is stable."""

from __future__ import annotations

import numpy as np
from scipy.special import fdtrc, ndtr, ndtri

from cuesense.arrays import Floats, Ints

# Halvings of an interval that is 2 wide: 50 leave 2e-15.
_HALVINGS = 50
# Rows of classes that are compared with all others at once: a few megabytes for 1,000 classes.
_ROWS = 100
# Two classes always have a rank correlation of -1 or 1, whatever they are.
_FEWEST_RANKED = 3
# Part of a correlation between columns that is taken off, because it is estimated: as of a few classes more that have
# none. Chosen by hand; not tuned.
_TOWARD_NONE = 0.05


def exceeded(values: Floats, variances: Floats, probability: float) -> tuple[Ints, Ints]:
    """Count for every class the others that it exceeds, and those that exceed it.

    Args:
        values: Posterior means, (C,); NaN for classes that are not compared.
        variances: Posterior variances, independent between classes, (C,).
        probability: The probability that every single comparison must have.

    Returns:
        Classes below and classes above each, (C,) each; 0 for those that are not compared.
    """
    needed = float(ndtri(probability))
    below, above = np.zeros((2, len(values)), dtype=np.int64)
    for start in range(0, len(values), _ROWS):
        rows = slice(start, start + _ROWS)
        difference = values[rows, None] - values
        limit = needed * np.sqrt(variances[rows, None] + variances)
        # NaN is neither above nor below. Equal classes of no variance do not exceed each other.
        below[rows] = ((difference >= limit) & (difference > 0)).sum(axis=1)
        above[rows] = ((-difference >= limit) & (difference < 0)).sum(axis=1)
    return below, above


def among_top(values: Floats, variances: Floats, part: float) -> Floats:
    """Return the probability of every class to be among the part of the classes with the largest values.

    The probability to exceed the value that as many classes as belong to that part are expected to exceed (Lin, Louis,
    Paddock, Ridgeway 2006, Bayesian Analysis 1:915): the probabilities add up to that number of classes.

    Args:
        values: Posterior means, (C,); NaN for classes of which nothing is known.
        variances: Posterior variances, (C,).
        part: The part of the classes, in (0, 1); at least one class.

    Returns:
        Probabilities, (C,); NaN where values are.
    """
    known = ~np.isnan(values)
    if not known.any():
        return np.full(len(values), np.nan)
    places = max(1, round(part * int(known.sum())))
    deviations = np.sqrt(np.maximum(variances, 1e-12))
    margin = 9 * float(deviations[known].max())
    low, high = float(values[known].min()) - margin, float(values[known].max()) + margin
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        many = ndtr((values[known] - middle) / deviations[known]).sum() > places
        low, high = (middle, high) if many else (low, middle)
    return np.asarray(ndtr((values - (low + high) / 2) / deviations))


def rank_reliability(halves: Floats) -> float:
    """Return how well the order of the classes repeats itself: rank correlation of halves, stepped up to all images.

    The mean of Spearman's correlation (1904) over the halvings, as r to 2 r / (1 + r) (Spearman 1910 and Brown 1910,
    British Journal of Psychology 3:271 and 3:296).

    Args:
        halves: The number of each class in both halves of H halvings, (H, 2, C); NaN where a half has no images.

    Returns:
        The reliability in [-1, 1]; NaN for fewer than three classes, or where all are equal.
    """
    from scipy.stats import rankdata

    known = ~np.isnan(halves).any(axis=(0, 1))
    if known.sum() < _FEWEST_RANKED or not len(halves):
        return np.nan
    ranks = rankdata(halves[..., known], axis=-1)
    ranks -= ranks.mean(axis=-1, keepdims=True)
    size = np.sqrt((ranks**2).sum(axis=-1)).prod(axis=1)
    if not size.all():
        return np.nan
    correlation = float(((ranks[:, 0] * ranks[:, 1]).sum(axis=-1) / size).mean())
    return max(-1.0, 2 * correlation / (1 + correlation)) if correlation > -1 else -1.0


def told_apart(
    values: Floats, variances: Floats, correlation: Floats, images: Floats, false_discovery: float
) -> tuple[int, int]:
    """Count the pairs of classes that differ in some of several numbers.

    One test a pair: the squared distance of the two classes over all numbers, each in units of its noise and free of
    their correlation (Mahalanobis 1936), has Hotelling's distribution (1931, Annals of Mathematical Statistics 2:360)
    where they do not differ, because the noise is known from as few images as the shares. The false discovery rate over
    all pairs is controlled (Benjamini, Hochberg 1995, JRSS B 57:289).

    Args:
        values: Normal estimates, (P, C); NaN where one is not known.
        variances: Their variances, (P, C).
        correlation: Of the noise of the P numbers, (P, P).
        images: Images of each class, (C,); a pair with P + 1 or fewer cannot be told apart.
        false_discovery: The false discovery rate.

    Returns:
        Pairs that differ, and pairs that were compared: those of classes of which all numbers are known.
    """
    known = ~np.isnan(values).any(axis=0)
    found, noise, seen = values[:, known].T, variances[:, known].T, images[known]
    classes, numbers = found.shape
    if classes < 2 or not numbers:
        return 0, 0
    inverse = np.linalg.inv((1 - _TOWARD_NONE) * correlation + _TOWARD_NONE * np.eye(numbers))
    p = []
    for row in range(classes - 1):
        apart = (found[row] - found[row + 1 :]) / np.sqrt(noise[row] + noise[row + 1 :])
        distance = np.einsum("ij,jk,ik->i", apart, inverse, apart).clip(min=0)
        freedom = seen[row] + seen[row + 1 :] - 2
        rest = np.maximum(freedom - numbers + 1, 0)
        p.append(
            np.where(
                rest > 0, fdtrc(numbers, np.maximum(rest, 1), distance * rest / np.maximum(freedom, 1) / numbers), 1
            )
        )
    from scipy.stats import false_discovery_control

    every = np.concatenate(p)
    return int((false_discovery_control(every) <= false_discovery).sum()), len(every)
