"""Who pays for the average: what each class loses at each strength of a regularizer, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import digamma, polygamma, stdtrit

from cuesense.sweeps.sweep import Floats, PerImagePredictions, Sweep

Bools = NDArray[np.bool_]

_CHURN = 0.1
_LEAST_RATIO = 1e-3
_FEWEST = 3
_ROUNDS = 3


@dataclass(frozen=True)
class Noise:
    """How accuracies vary over seeds, in units of what images that are flips of a coin would give; (S, C) each.

    Attributes:
        unit: p (1 - p) / n, with one image more that is right and one that is wrong.
        ratio: Variance of the accuracy over seeds, in these units; NaN where a strength has one run.
        freedom: Degrees of freedom behind the ratio.
    """

    unit: Floats
    ratio: Floats
    freedom: Floats


@dataclass(frozen=True)
class Losses:
    """What classes lose at each strength (first axis) against their own best one, as fractions of their images.

    Strengths of one run are not taken for a class's best where others have more: their noise is not known.

    Attributes:
        value: Highest mean accuracy over strengths minus that at this one, (S, C), 0 or more; the best is the best of
            noisy means, so that the value is too high rather than too low.
        low: Lower bound of the true loss, (S, C), 0 or more; NaN where unknown; those of one strength hold together.
        high: Upper bound, likewise.
        detectable: A loss from which on a class is named, whichever strength is its best, (S, C).
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
        each: What it is to be multiplied with d (1 - d) of a true difference d, to be added to that variance: 1 / n
            where the images are not known, else 0.
    """

    value: Floats
    over_images: Floats
    each: Floats

    def deviation(self, noise: Noise, runs: NDArray[Any]) -> Floats:
        """Return the standard deviation where nothing differs, for given numbers of runs of each strength, (S,)."""
        seeds = noise.ratio * noise.unit / runs[:, None]
        variance = seeds[None] + seeds[:, None] + self.over_images
        single = np.isnan(noise.ratio)
        found: Floats = np.sqrt(np.where(_same(len(runs)) & ~single, 0, variance))
        return found

    def upper(self, noise: Noise, runs: NDArray[Any], quantile: Floats) -> Floats:
        """Return the largest differences that a score test does not reject, (S, S, C); as is the quantile."""
        return _upper(self.value, quantile * self.deviation(noise, runs), quantile**2 * self.each)

    def lower(self, noise: Noise, runs: NDArray[Any], quantile: Floats) -> Floats:
        """Return the smallest ones."""
        return -_upper(-self.value, quantile * self.deviation(noise, runs), quantile**2 * self.each)


def _upper(value: Floats, margin: Floats, growth: Floats) -> Floats:
    """Solve (u - value)^2 = margin^2 + growth |u| (1 - |u|) for the larger u."""
    sign = np.where(value >= -margin, 1.0, -1.0)
    linear = 2 * value + sign * growth
    root = np.sqrt(np.maximum(linear**2 - 4 * (1 + growth) * (value**2 - margin**2), 0))
    found: Floats = (linear + root) / (2 * (1 + growth))
    return found


def _both(freedom: Floats) -> Floats:
    """Return the fewer degrees of freedom of every two strengths, (S, S, C)."""
    return np.minimum(freedom[None], freedom[:, None])


def _same(strengths: int) -> Bools:
    return np.eye(strengths, dtype=bool)[..., None]


@dataclass(frozen=True)
class ClassLosses:
    """What a sweep shows; S strengths, C classes.

    Attributes:
        accuracy: Mean accuracy over runs, (S, C).
        spread: Half of its two-sided interval over seeds and images, (S, C); NaN where unknown.
        mean: Accuracy over all images, (S,).
        mean_spread: Half of its interval, (S,).
        as_good: Whether the mean at each strength is not shown to be below the best one's, (S,).
        losses: What classes lose, against their own best.
        gain: Accuracy minus that at the mildest strength, (S, C).
        gains: Whether that is shown to be above 0, simultaneously, (S, C).
        compared: Places of the strengths that may be a class's best.
        noise: What the bounds rest on.
        differences: What the losses are the largest of.
    """

    accuracy: Floats
    spread: Floats
    mean: Floats
    mean_spread: Floats
    as_good: Bools
    losses: Losses
    gain: Floats
    gains: Bools
    compared: NDArray[np.int64]
    noise: Noise
    differences: Differences


def class_losses(sweep: Sweep, confidence: float) -> ClassLosses:
    """Return what every class loses at every strength.

    The variance of a difference between two strengths has two parts. Over seeds: the variance of a class's accuracy
    between runs of one strength, as a multiple of p (1 - p) / n that is a class's times a strength's (``_ratios``,
    after Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3:3). Over images, where they are known: the variance over images of
    the difference of the shares of runs that recognize them, without what seeds alone put into it. Where they are not
    known: d (1 - d) / n for a difference of d (each image is harmed or is not), and a tenth of what two samples of
    images would give, for images that change sides while the class does not; both are above what we measured in sweeps
    of our own (docs/class-dependence.md). Bounds are those of the score test with Student's quantiles at the degrees of
    freedom over seeds.

    Args:
        sweep: The runs.
        confidence: Two-sided level of the intervals of accuracies; one-sided level of all lower bounds on losses
            at one strength together, and of all upper ones (Bonferroni over classes and the other strengths); in
            (0.5, 1).
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


def conservative(found: ClassLosses, runs: NDArray[Any], confidence: float) -> Floats:
    """Return an upper bound of what the class with the largest bound loses at each strength, for numbers of runs.

    A strength is called safe where no class loses more than a tolerance, which is wrong where one class does: each
    class is bounded by itself (Berger 1982, Technometrics 24:295), and the error is shared among the strengths, one of
    which is chosen.

    Args:
        found: What the sweep shows.
        runs: Number of runs of each strength, (S,): the sweep's, or others to foresee what more seeds would tell.
        confidence: One-sided level, in (0.5, 1).

    Returns:
        (S,); NaN where it is not known.
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
    smoothed = (accuracy * images + 1) / (images + 2)
    unit = smoothed * (1 - smoothed) / np.where(images > 0, images, np.nan)
    squares = (sweep.accuracy - accuracy[sweep.strength_of]) ** 2 / unit[sweep.strength_of]
    freedom = (sweep.runs - 1).astype(float)
    if not freedom.any():
        nothing = np.full(accuracy.shape, np.nan)
        return Noise(unit, nothing, nothing)
    sums = np.stack([squares[sweep.strength_of == place].sum(axis=0) for place in range(len(freedom))])
    return Noise(unit, *_ratios(sums, freedom))


def _ratios(sums: Floats, freedom: Floats) -> tuple[Floats, Floats]:
    """Return the variance ratio of each strength and class and its degrees of freedom, (S, C) each.

    The ratio is a class's, drawn toward the other classes', times a strength's, times what is left of the cell's own,
    drawn toward 1: as far as these agree.

    Args:
        sums: Sums of squared deviations from the mean of a strength and class, in units, (S, C).
        freedom: Degrees of freedom of each strength's, (S,).
    """
    several = freedom > 0
    strength = np.ones(len(freedom))
    for _ in range(_ROUNDS):
        of_class = np.maximum((sums / strength[:, None]).sum(axis=0) / freedom.sum(), _LEAST_RATIO)
        strength[several] = np.nanmean(sums / of_class, axis=1)[several] / freedom[several]
        strength = np.maximum(strength, _LEAST_RATIO)
    of_class, shared = moderated((sums / strength[:, None]).sum(axis=0) / freedom.sum(), np.array(freedom.sum()))
    smooth = strength[:, None] * of_class
    each = np.broadcast_to(freedom[:, None], sums.shape)
    own, left = moderated(np.where(each > 0, sums / np.maximum(each, 1), np.nan) / smooth, each)
    return np.where(each > 0, smooth * own, np.nan), np.minimum(shared, left)


def moderated(ratio: Floats, freedom: Floats) -> tuple[Floats, Floats]:
    """Draw variances toward each other as far as they agree (Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3:3, section 6).

    Args:
        ratio: Variances, of any shape; NaN where unknown.
        freedom: Degrees of freedom of each; broadcasts.

    Returns:
        The moderated variances and their degrees of freedom, never more than all have together, of the same shape.
        What is not known is what the others agree on.
    """
    freedom = np.where(np.isfinite(ratio), np.broadcast_to(freedom, ratio.shape), 0.0)
    known = freedom > 0
    if known.sum() < _FEWEST:
        return np.where(known, np.maximum(ratio, _LEAST_RATIO), np.nan), np.where(known, freedom, np.nan)
    least = max(_LEAST_RATIO, float(np.median(ratio[known])) * _LEAST_RATIO)
    degrees, values = freedom[known], np.maximum(ratio[known], least)
    logs = np.log(values) - digamma(degrees / 2) + np.log(degrees / 2)
    excess = float(logs.var(ddof=1) - polygamma(1, degrees / 2).mean())
    most = float(degrees.sum() - degrees.max())
    prior = most if excess <= 0 else min(most, 2 * _trigamma_inverse(excess))
    center = float(np.exp(logs.mean() + digamma(prior / 2) - np.log(prior / 2)))
    own = np.where(known, np.maximum(ratio, least), 0.0)
    return (prior * center + freedom * own) / (prior + freedom), freedom + prior


def _trigamma_inverse(value: float) -> float:
    found: float = brentq(lambda log: float(polygamma(1, np.exp(log))) - value, -15.0, 25.0)
    return float(np.exp(found))


def _quantile(tail: float, freedom: Floats) -> Floats:
    found: Floats = np.asarray(stdtrit(freedom, 1 - tail), dtype=np.float64)
    return found


def _differences(sweep: Sweep, accuracy: Floats, images: Floats, noise: Noise) -> Differences:
    value = accuracy - accuracy[:, None]
    if sweep.pictures is not None:
        return Differences(value, _measured(sweep, sweep.pictures), np.zeros(value.shape))
    each = np.where(_same(len(accuracy)), 0, 1 / np.where(images > 0, images, np.nan)[None])
    return Differences(value, _CHURN * (noise.unit[None] + noise.unit[:, None]), each)


def _measured(sweep: Sweep, pictures: PerImagePredictions) -> Floats:
    """Return the variance of differences over images, without what seeds put into it.

    One image more that differs is added, so that no difference is certain.
    """
    labels, classes = pictures.labels, len(sweep.class_names)
    images = np.bincount(labels, minlength=classes)
    recognized = _means(sweep, (pictures.predicted == labels).astype(float))
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
    deviation = np.sqrt(over_seeds + np.nansum(share**2 * noise.unit, axis=1))
    return np.where(sweep.runs > 1, _mean_quantile(sweep, tail) * deviation, np.nan)


def _mean_quantile(sweep: Sweep, tail: float) -> float:
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
