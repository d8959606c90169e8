"""The accuracy loss of each class at each strength of a regularizer against its own best strength, with bounds.

``class_losses`` compares every strength with every other (``Differences``), with noise over seeds that is pooled over
classes and strengths (``Noise``) and noise over images that is measured or, from a table alone, assumed. A loss is the
largest of these differences (``Losses``). ``safety_bounds`` bounds the largest loss of any class, for the choice of a
strength. docs/method.md, section 6, has the method and how often its bounds hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import digamma, polygamma, stdtrit

from cuesense.arrays import Bools, Floats, Ints
from cuesense.sweeps.sweep import PerImagePredictions, Sweep

# From a table: images that change from right to wrong or back between two strengths while their class's accuracy stays,
# as a share of the variance of two independent samples. Together with d (1 - d) for a difference of d it was above what
# was measured image by image in our own sweeps (docs/class-dependence.md, benchmarks/class_dependence.py images).
_CHURN = 0.1
# Keeps logarithms and divisions finite where all runs agree; three decades below what coin flips vary by.
_LEAST_RATIO = 1e-3
# A variance of variances is estimated from three at least; with fewer each is left as it is. Chosen by hand.
_FEWEST = 3
# Alternations between the factors of strengths and of classes. Chosen by hand; not tuned.
_ROUNDS = 3


@dataclass(frozen=True)
class Noise:
    """How accuracies vary over seeds, in units of the variance of as many independent images; (S, C) each.

    Attributes:
        unit: p (1 - p) / n, with one image more that is right and one that is wrong, so that it is never 0.
        ratio: Variance of the accuracy over seeds, in these units; NaN where a strength has one run.
        freedom: Degrees of freedom of the ratio.
    """

    unit: Floats
    ratio: Floats
    freedom: Floats


@dataclass(frozen=True)
class Losses:
    """Accuracy losses at each strength (first axis) against each class's own best one, as fractions of its images.

    Strengths of one run are not taken for a class's best where others have more: their noise is not known.

    Attributes:
        value: Highest mean accuracy over strengths minus that at this one, (S, C), 0 or more; the best is the best of
            noisy means, so that the value is too high rather than too low.
        low: Lower bound of the true loss, (S, C), 0 or more; NaN where unknown; those of one strength hold together.
        high: Upper bound, likewise.
        detectable: The smallest loss that would be shown, whichever strength is the class's best, (S, C).
    """

    value: Floats
    low: Floats
    high: Floats
    detectable: Floats


@dataclass(frozen=True)
class Differences:
    """Every strength (second axis) against every other (first axis), (S, S, C).

    Attributes:
        value: Mean accuracy of the second minus that of the first.
        over_images: Variance of it over images where its true value is 0.
        each: Factor of d (1 - d) that a true difference d adds to that variance: 1 / n where single images are not
            known, else 0.
    """

    value: Floats
    over_images: Floats
    each: Floats

    def deviation(self, noise: Noise, runs: NDArray[Any]) -> Floats:
        """Return the standard deviation where nothing differs, for given numbers of runs of each strength, (S,)."""
        seeds = noise.ratio * noise.unit / runs[:, None]
        variance = seeds[None] + seeds[:, None] + self.over_images
        # A strength does not differ from itself, unless its noise is not known: NaN must then stay NaN.
        single = np.isnan(noise.ratio)
        found: Floats = np.sqrt(np.where(_same(len(runs)) & ~single, 0, variance))
        return found

    def upper(self, noise: Noise, runs: NDArray[Any], quantile: Floats) -> Floats:
        """Return the largest differences that a score test does not reject, (S, S, C), for quantiles of that shape."""
        return _upper(self.value, quantile * self.deviation(noise, runs), quantile**2 * self.each)

    def lower(self, noise: Noise, runs: NDArray[Any], quantile: Floats) -> Floats:
        """Return the smallest differences that a score test does not reject; arguments and shape as in ``upper``."""
        return -_upper(-self.value, quantile * self.deviation(noise, runs), quantile**2 * self.each)


def _upper(value: Floats, margin: Floats, growth: Floats) -> Floats:
    """Solve (u - value)^2 = margin^2 + growth |u| (1 - |u|) for the larger u."""
    # u has the sign of value + margin, so that |u| is sign * u and the equation is quadratic.
    sign = np.where(value >= -margin, 1.0, -1.0)
    linear = 2 * value + sign * growth
    root = np.sqrt(np.maximum(linear**2 - 4 * (1 + growth) * (value**2 - margin**2), 0))
    found: Floats = (linear + root) / (2 * (1 + growth))
    return found


def _both(freedom: Floats) -> Floats:
    """Return the smaller degrees of freedom of every two strengths, (S, S, C)."""
    return np.minimum(freedom[None], freedom[:, None])


def _same(strengths: int) -> Bools:
    """Return where a strength meets itself, (S, S, 1)."""
    return np.eye(strengths, dtype=bool)[..., None]


@dataclass(frozen=True)
class ClassLosses:
    """Accuracies and losses of a sweep of S strengths and C classes, with the noise behind their bounds.

    Attributes:
        accuracy: Mean accuracy over runs, (S, C).
        spread: Half of its two-sided interval over seeds and images, (S, C); NaN where unknown.
        mean: Accuracy over all images, (S,).
        mean_spread: Half of its interval, (S,).
        as_good: Whether the mean at each strength is not shown to be below the best one's, (S,).
        losses: Accuracy losses of the classes against their own best strengths.
        gain: Accuracy minus that at the mildest strength, (S, C).
        gains: Whether that is shown to be above 0, simultaneously, (S, C).
        compared: Indices of the strengths that may be a class's best.
        noise: Variation over seeds, on which the bounds rest.
        differences: The differences between strengths, of which a loss is the largest.
    """

    accuracy: Floats
    spread: Floats
    mean: Floats
    mean_spread: Floats
    as_good: Bools
    losses: Losses
    gain: Floats
    gains: Bools
    compared: Ints
    noise: Noise
    differences: Differences


def class_losses(sweep: Sweep, confidence: float) -> ClassLosses:
    """Return the accuracy loss of every class at every strength.

    The variance of a difference between two strengths has two parts. Over seeds: the variance of a class's accuracy
    between runs of one strength, as a multiple of p (1 - p) / n that is a class's times a strength's (``_ratios``,
    after Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3:3). Over images, where they are known: the variance over images of
    the difference of the shares of runs that recognize them, without what seeds alone put into it. Where they are not
    known: d (1 - d) / n for a difference of d (each image is lost or is not), and a tenth of what two samples of
    images would give, for images that change sides while the class does not; both are above what we measured in sweeps
    of our own (docs/class-dependence.md). Bounds are those of the score test with Student's quantiles at the degrees of
    freedom over seeds.

    Args:
        sweep: The runs.
        confidence: Two-sided level of the intervals of accuracies; one-sided level of all lower bounds on losses
            at one strength together, and of all upper ones (Bonferroni over classes and the other strengths); in
            (0.5, 1).

    Returns:
        The losses; their bounds are NaN for strengths of one run and for classes without images.
    """
    accuracy, images = _means(sweep, sweep.accuracy), _means(sweep, sweep.images.astype(float))
    noise = _noise(sweep, accuracy, images)
    differences = _differences(sweep, accuracy, images, noise)
    error, strengths = 1 - confidence, len(accuracy)
    known = max(int(np.isfinite(accuracy[0]).sum()), 1)
    quantile = _quantile(error / (known * (strengths - 1)), _both(noise.freedom))
    lower, upper = (bound(noise, sweep.runs, quantile) for bound in (differences.lower, differences.upper))
    best = sweep.compared
    share = np.nan_to_num(images) / np.nan_to_num(images).sum(axis=1, keepdims=True)
    mean, mean_noise = np.nansum(share * accuracy, axis=1), _mean_noise(sweep, share)
    # Seeds average out over runs; the images are the same in all of them and do not (hence the + 1).
    own = noise.unit * (noise.ratio / sweep.runs[:, None] + 1)
    return ClassLosses(
        accuracy=accuracy,
        spread=_quantile(error / 2, noise.freedom) * np.sqrt(own),
        mean=mean,
        mean_spread=_mean_spread(sweep, noise, share, mean_noise, error / 2),
        as_good=_as_good(mean, differences, share, mean_noise, _mean_quantile(sweep, error / (strengths - 1))),
        losses=Losses(
            value=differences.value[:, best].max(axis=1),
            low=lower[:, best].max(axis=1),
            high=upper[:, best].max(axis=1),
            detectable=(quantile * differences.deviation(noise, sweep.runs))[:, best].max(axis=1),
        ),
        gain=differences.value[0],
        gains=np.nan_to_num(lower[0]) > 0,
        compared=best,
        noise=noise,
        differences=differences,
    )


def safety_bounds(found: ClassLosses, runs: NDArray[Any], confidence: float) -> Floats:
    """Return an upper bound of the largest loss of any class at each strength, for given numbers of runs.

    A strength is called safe where no class loses more than a tolerance, which is wrong where one class does: each
    class is bounded by itself (intersection-union test, Berger 1982, Technometrics 24:295), and the error is shared
    among the strengths, one of which is chosen.

    Args:
        found: The losses of the sweep.
        runs: Number of runs of each strength, (S,): the sweep's own, or more, to predict the bounds with more seeds.
        confidence: One-sided level, in (0.5, 1).

    Returns:
        The bounds as fractions, (S,); NaN where a class with images has no bound.
    """
    noise = found.noise
    freedom = np.maximum(noise.freedom, (runs - 1)[:, None])
    quantile = _quantile((1 - confidence) / len(runs), _both(freedom))
    bounds = found.differences.upper(noise, runs, quantile)[:, found.compared].max(axis=1)
    known = np.isfinite(found.accuracy)
    worst: Floats = np.where(known, np.where(np.isnan(bounds), np.inf, bounds), -np.inf).max(axis=1)
    return np.where(np.isinf(worst), np.nan, worst)


def _means(sweep: Sweep, values: Floats) -> Floats:
    """Return the means over the runs of each strength, (S, ...)."""
    weights = np.eye(len(sweep.strengths))[:, sweep.strength_of] / sweep.runs[:, None]
    found: Floats = weights @ values
    return found


def _noise(sweep: Sweep, accuracy: Floats, images: Floats) -> Noise:
    """Return the noise over seeds from mean accuracies and numbers of images, (S, C) each."""
    smoothed = (accuracy * images + 1) / (images + 2)
    unit = smoothed * (1 - smoothed) / np.where(images > 0, images, np.nan)
    squares = (sweep.accuracy - accuracy[sweep.strength_of]) ** 2 / unit[sweep.strength_of]
    freedom = (sweep.runs - 1).astype(float)
    if not freedom.any():
        nothing = np.full(accuracy.shape, np.nan)
        return Noise(unit, nothing, nothing)
    sums = np.stack([squares[sweep.strength_of == index].sum(axis=0) for index in range(len(freedom))])
    return Noise(unit, *_ratios(sums, freedom))


def _ratios(sums: Floats, freedom: Floats) -> tuple[Floats, Floats]:
    """Return the variance ratio of each strength and class and its degrees of freedom, (S, C) each.

    The ratio is a product of three factors: one for the class, shrunk toward the other classes' as far as they agree;
    one for the strength; and one for the cell, shrunk toward 1 as far as the first two explain the cells.

    Args:
        sums: Sums of squared deviations from the mean of a strength and class, in units, (S, C).
        freedom: Degrees of freedom of each strength, (S,).
    """
    several = freedom > 0
    strength = np.ones(len(freedom))
    for _ in range(_ROUNDS):
        of_class = np.maximum((sums / strength[:, None]).sum(axis=0) / freedom.sum(), _LEAST_RATIO)
        strength[several] = np.nanmean(sums / of_class, axis=1)[several] / freedom[several]
        strength = np.maximum(strength, _LEAST_RATIO)
    of_class, shared = moderate_variances(
        (sums / strength[:, None]).sum(axis=0) / freedom.sum(), np.array(freedom.sum())
    )
    smooth = strength[:, None] * of_class
    each = np.broadcast_to(freedom[:, None], sums.shape)
    own, left = moderate_variances(np.where(each > 0, sums / np.maximum(each, 1), np.nan) / smooth, each)
    # The product is no more certain than its less certain factor.
    return np.where(each > 0, smooth * own, np.nan), np.minimum(shared, left)


def moderate_variances(ratio: Floats, freedom: Floats) -> tuple[Floats, Floats]:
    """Shrink variances toward each other as far as they agree (Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3:3, sec. 6).

    Args:
        ratio: Variances, of any shape; NaN where unknown.
        freedom: Degrees of freedom of each; broadcasts.

    Returns:
        The moderated variances and their degrees of freedom, never more than all have together, of the same shape.
        An unknown variance becomes the one that the others are shrunk toward. Fewer than three stay as they are.
    """
    freedom = np.where(np.isfinite(ratio), np.broadcast_to(freedom, ratio.shape), 0.0)
    known = freedom > 0
    if known.sum() < _FEWEST:
        return np.where(known, np.maximum(ratio, _LEAST_RATIO), np.nan), np.where(known, freedom, np.nan)
    least = max(_LEAST_RATIO, float(np.median(ratio[known])) * _LEAST_RATIO)
    degrees, values = freedom[known], np.maximum(ratio[known], least)
    logs = np.log(values) - digamma(degrees / 2) + np.log(degrees / 2)
    excess = float(logs.var(ddof=1) - polygamma(1, degrees / 2).mean())
    # Variances that agree entirely would have infinitely many degrees of freedom; all together have no more than these.
    most = float(degrees.sum() - degrees.max())
    prior = most if excess <= 0 else min(most, 2 * _trigamma_inverse(excess))
    center = float(np.exp(logs.mean() + digamma(prior / 2) - np.log(prior / 2)))
    own = np.where(known, np.maximum(ratio, least), 0.0)
    return (prior * center + freedom * own) / (prior + freedom), freedom + prior


def _trigamma_inverse(value: float) -> float:
    """Return x with trigamma(x) = value, found on the logarithm of x, along which it is smooth."""
    found: float = brentq(lambda log: float(polygamma(1, np.exp(log))) - value, -15.0, 25.0)
    return float(np.exp(found))


def _quantile(tail: float, freedom: Floats) -> Floats:
    """Return Student's upper quantile at a tail probability, in the shape of the degrees of freedom."""
    found: Floats = np.asarray(stdtrit(freedom, 1 - tail), dtype=np.float64)
    return found


def _differences(sweep: Sweep, accuracy: Floats, images: Floats, noise: Noise) -> Differences:
    """Return all differences between strengths, with variances over images measured or, from a table, assumed."""
    value = accuracy - accuracy[:, None]
    if sweep.per_image is not None:
        return Differences(value, _measured(sweep, sweep.per_image), np.zeros(value.shape))
    each = np.where(_same(len(accuracy)), 0, 1 / np.where(images > 0, images, np.nan)[None])
    return Differences(value, _CHURN * (noise.unit[None] + noise.unit[:, None]), each)


def _measured(sweep: Sweep, per_image: PerImagePredictions) -> Floats:
    """Return the variance of differences over images, (S, S, C), without the part that comes from seeds.

    One image more that differs is added, so that no difference is certain.
    """
    labels, classes = per_image.labels, len(sweep.class_names)
    images = np.bincount(labels, minlength=classes)
    recognized = _means(sweep, (per_image.predicted == labels).astype(float))
    within = recognized * (1 - recognized) / np.maximum(sweep.runs - 1, 1)[:, None]

    def over_class(values: Floats) -> Floats:
        return np.stack([np.bincount(labels, weights=row, minlength=classes) for row in values])

    rows = []
    with np.errstate(invalid="ignore", divide="ignore"):
        for share, own in zip(recognized, within, strict=True):
            change = recognized - share
            square = (over_class(change**2 - within - own) + 1) / (images + 1)
            rows.append(np.maximum(square - (over_class(change) / images) ** 2, 0) / images)
    return np.stack(rows)


def _mean_noise(sweep: Sweep, share: Floats) -> Floats:
    """Return the variance over seeds of the accuracy over all images, (S,); classes of a run vary together."""
    own = np.nansum(share[sweep.strength_of] * np.nan_to_num(sweep.accuracy), axis=1)
    freedom = (sweep.runs - 1).sum()
    squares = ((own - _means(sweep, own)[sweep.strength_of]) ** 2).sum()
    found: Floats = squares / freedom / sweep.runs if freedom else np.full(len(sweep.strengths), np.nan)
    return found


def _mean_spread(sweep: Sweep, noise: Noise, share: Floats, over_seeds: Floats, tail: float) -> Floats:
    """Return half of the interval of the accuracy over all images, (S,), over seeds and images."""
    deviation = np.sqrt(over_seeds + np.nansum(share**2 * noise.unit, axis=1))
    return np.where(sweep.runs > 1, _mean_quantile(sweep, tail) * deviation, np.nan)


def _mean_quantile(sweep: Sweep, tail: float) -> float:
    """Return Student's upper quantile at the degrees of freedom over seeds of all strengths; NaN if there are none."""
    freedom = float((sweep.runs - 1).sum())
    return float(stdtrit(freedom, 1 - tail)) if freedom else float("nan")


def _as_good(means: Floats, differences: Differences, share: Floats, noise: Floats, quantile: float) -> Bools:
    """Return which means are not shown to be below the best, (S,); images count as in the classes' differences."""
    best = int(means.argmax())
    size = np.abs(differences.value[best])
    over_images = differences.over_images[best] + differences.each[best] * size * (1 - size)
    deviation = np.sqrt(noise + noise[best] + np.nansum(share**2 * over_images, axis=1))
    found: Bools = ~(means[best] - means > quantile * deviation)
    return found
