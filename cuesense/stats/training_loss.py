"""What each class loses by training with an augmentation: a forecast for all its severities from few trainings.

A network that trains with a perturbation learns to use the cues that it leaves, so that a drop at test time overstates
the loss. What counts is the change in clean accuracy against the same training without the augmentation. Fine-tuning a
trained network predicts it badly, and so does a short training from scratch; one whole training at the strongest
severity predicts it (``forecast_from_trainings``), and milder severities cost a share of its loss
(``severity_shares``). Heads refitted on frozen features add a little (``forecast_from_heads``, ``combine``).
docs/budgets.md compares the ways to forecast.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from cuesense.arrays import Bools, Floats
from cuesense.stats.shrinkage import shrunken
from cuesense.types import Curve

# Weight of the trainings, the rest being that of the heads. A least-squares fit on the worlds for choosing gave 0.76
# and 0.20; with heads at 0.4 and 0.6 the rank correlation fell from .78 to .74 and .71 (docs/budgets.md, "How a
# forecast is made", step 3).
TRAINED_WEIGHT = 0.8
# Variance of a class's loss between training runs, in units of the squared share of its images whose predictions
# differ: 0.12 on the planted world for choosing, 0.04 on the photographs, and 0.08 between (docs/budgets.md, step 4).
RUN_SPREAD = 0.08
# How many observed variances (one a class and further run) RUN_SPREAD counts as much as. Chosen by hand; not tuned.
RUN_TRUST = 10
# Standard deviation that a milder severity adds, as a share of the loss that interpolation takes off (docs/budgets.md,
# step 4). Chosen on the same worlds.
INTERPOLATION_SPREAD = 0.2
# Standard deviation of the error of a head's forecast beside the images'. Origin not recorded; the mean absolute error
# of refitted heads is .13 on the prototype's planted worlds and .05 to .14 in docs/budgets.md.
HEAD_SPREAD = 0.12
# With fewer classes little is known of the spread between them: each counts by itself. Chosen by hand; not tuned.
_POOLED_CLASSES = 3
# The largest spread between classes that is tried: half of all recall. Chosen by hand; not tuned.
_LARGEST_SPREAD = 0.5
# A class is flagged "likely loses" from this probability on. Chosen by hand; 68 to 100 % of the flagged cells really
# lost more than the tolerance (docs/budgets.md).
LIKELY = 0.8

# Equal steps count as one image in a hundred, so that a severity without any drop at test time is not certain to cost
# nothing in training. Chosen by hand; not tuned.
_PRIOR_DROP = 0.01


class Flag(StrEnum):
    """Verdict of a forecast on one class and severity."""

    LOSES = "likely loses"
    UNCLEAR = "unclear"
    SAFE = "likely safe"
    GAINS = "likely gains"


@dataclass(frozen=True)
class Forecast:
    """The recall that classes lose by training with one augmentation, D severities and C classes.

    Attributes:
        loss: Expected loss, a fraction, (D, C); below 0 it is a gain.
        spread: Standard deviation of the error of that, (D, C), 0 where it is certain; infinite where a class has fewer
            than two images, or is recognized no better than by chance, so that it has nothing to lose.
    """

    loss: Floats
    spread: Floats

    def risk(self, tolerance: float) -> Floats:
        """Return the probability that a class loses more than the tolerance, (D, C)."""
        # The smallest number stands for no spread: the chance is then 0 or 1.
        above: Floats = ndtr((self.loss - tolerance) / np.maximum(self.spread, np.finfo(float).tiny))
        return above

    def bounds(self, confidence: float) -> tuple[Floats, Floats]:
        """Return the range of the loss, (D, C) each, within [-1, 1].

        Args:
            confidence: Two-sided level, in (0, 1).
        """
        half = ndtri((1 + confidence) / 2) * self.spread
        return np.clip(self.loss - half, -1, 1), np.clip(self.loss + half, -1, 1)

    def flags(self, tolerance: float, confidence: float, gaining: Bools | None = None) -> list[list[Flag]]:
        """Return one flag for each severity and class.

        Args:
            tolerance: The accepted loss, a fraction in (0, 1).
            confidence: Level at which a class is called safe, in (0.5, 1).
            gaining: Whether a gain of each class may be shown as such, (C,): from ``gains_agree``; None: of none.

        Returns:
            D lists of C flags: likely safe where the risk is at most 1 - confidence, likely loses where it is at least
            0.8, else unclear; likely gains where a class may gain and does so with a probability of at least 0.8.
        """
        gain = (1 - self.risk(0.0) >= LIKELY) & (np.zeros(self.loss.shape[1], bool) if gaining is None else gaining)
        pairs = zip(self.risk(tolerance).tolist(), gain.tolist(), strict=True)
        return [[_flag(*cell, confidence) for cell in zip(*rows, strict=True)] for rows in pairs]


def _flag(risk: float, gains: bool, confidence: float) -> Flag:
    if gains:
        return Flag.GAINS
    if risk <= 1 - confidence:
        return Flag.SAFE
    return Flag.LOSES if risk >= LIKELY else Flag.UNCLEAR


def severity_shares(curve: Curve) -> Floats:
    """Return which share of the strongest severity's loss each severity costs, estimated from a model's own drops.

    The accuracy drop over all images at each severity is divided by that at the strongest; both are first moved toward
    equal steps by one image in a hundred. Drops of single classes at test time say little about training; the drop
    over all classes together does.

    Args:
        curve: The counts of a trained model under the augmentation, S severities from mild to strong.

    Returns:
        Shares in (0, 1], (S,), never falling, the last of them 1; equal steps where the strongest severity costs
        nothing.
    """
    drop = curve.net_lost.sum(axis=1)
    steps = np.arange(1, len(drop) + 1) / len(drop)
    if drop[-1] <= 0:
        return steps
    prior = _PRIOR_DROP * max(1, int(curve.n.sum()) * curve.repeats)
    moved = np.maximum(drop, 0) + prior * steps
    shares: Floats = np.maximum.accumulate(np.minimum(moved / moved[-1], 1))
    return shares


def forecast_from_trainings(
    plain: Bools, strong: Bools, labels: NDArray[np.integer], shares: Floats, classes: int
) -> Forecast:
    """Forecast all severities from whole trainings without the augmentation and with its strongest severity.

    Classes are pooled in part: the loss of each at the strongest severity is drawn toward the mean of all, the more the
    larger its error is beside the spread between classes (``stats/shrinkage.shrunken``). Milder severities cost a share
    of it. The variance of a loss has two parts, over the images that happened to be drawn and over the networks that
    happened to be trained. The second is taken as k times the squared share of the class's images whose predictions
    differ, divided by R. k starts at 0.08, from trainings on planted worlds and photographs, and is corrected by the
    variance that the runs themselves show: the start counts as much as ten classes for one further run.

    Args:
        plain: Whether each of N clean images is right after each of R trainings without the augmentation, (R, N).
        strong: The same after R trainings with the strongest severity.
        labels: Class of each image, (N,), in [0, classes).
        shares: Share of the loss at each of D severities, (D,), as from severity_shares.
        classes: Number of classes C.

    Returns:
        The forecast, (D, C); a loss below 0 is a gain.
    """
    n = np.bincount(labels, minlength=classes).astype(float)
    before, after = _rates(plain, labels, classes), _rates(strong, labels, classes)
    spread = _spread(strong.astype(float) - plain, labels, classes)
    loss, spread = _pooled(before - after, spread, n)
    part = shares[:, None]
    interpolated = INTERPOLATION_SPREAD * (1 - part) * np.abs(loss)
    return _known(Forecast(loss=part * loss, spread=np.hypot(part * spread, interpolated)), before, n)


def _pooled(loss: Floats, spread: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Return losses drawn toward their mean and their standard deviations, (C,) each, of classes with two images."""
    seen = np.where(n >= 2, loss, np.nan)
    if np.isfinite(seen).sum() < _POOLED_CLASSES:
        return loss, spread
    found = shrunken(seen, spread**2, _LARGEST_SPREAD)
    known = np.isfinite(found.value)
    return np.where(known, found.value, loss), np.where(known, np.sqrt(found.variance), spread)


def weighted(first: Forecast, second: Forecast) -> Forecast:
    """Return two independent forecasts of the same losses as one: their mean, weighted by precision.

    Where the first has an infinite spread, so has the result: what a class cannot lose stays so.

    Args:
        first: A forecast, (D, C).
        second: Another one, (D, C), with a spread above 0.
    """
    weights = [1 / np.maximum(found.spread, np.finfo(float).eps) ** 2 for found in (first, second)]
    loss = (weights[0] * first.loss + weights[1] * second.loss) / (weights[0] + weights[1])
    spread = np.where(np.isfinite(first.spread), 1 / np.sqrt(weights[0] + weights[1]), np.inf)
    return Forecast(np.where(np.isfinite(loss), loss, first.loss), spread)


def gains_agree(plain: Bools, strong: Bools, labels: NDArray[np.integer], classes: int) -> Bools:
    """Return whether two or more trainings, and all of them, show a gain of each class, (C,).

    Args:
        plain: Whether each of N clean images is right after each of R trainings without the augmentation, (R, N).
        strong: The same after R trainings with it.
        labels: Class of each image, (N,).
        classes: Number of classes C.
    """
    pairs = zip(plain, strong, strict=True)
    changes = [_rates(after[None], labels, classes) - _rates(before[None], labels, classes) for before, after in pairs]
    agree: Bools = np.logical_and.reduce(np.stack(changes) > 0)
    return agree if len(plain) > 1 else np.zeros(classes, dtype=bool)


def forecast_from_heads(plain: Bools, heads: Bools, labels: NDArray[np.integer], classes: int) -> Forecast:
    """Forecast all severities from heads that were refitted on frozen features.

    Args:
        plain: Whether each of N clean images is right under the head refitted on clean images, (N,).
        heads: The same under the head refitted on images augmented with each of D severities, (D, N).
        labels: Class of each image, (N,).
        classes: Number of classes C.

    Returns:
        The forecast, (D, C).
    """
    n = np.bincount(labels, minlength=classes).astype(float)
    before = _rates(plain[None], labels, classes)
    after = np.stack([_rates(head[None], labels, classes) for head in heads])
    # As if independent, which overstates the variance: both heads predict the same images.
    variance = _smoothed_variance(before, n) + np.stack([_smoothed_variance(row, n) for row in after])
    return _known(Forecast(before - after, np.sqrt(variance / np.maximum(n, 1) + HEAD_SPREAD**2)), before, n)


def combine(whole: Forecast, head: Forecast) -> Forecast:
    """Return the weighted forecast of trainings and refitted heads: 0.8 to 0.2, with the spread of the trainings."""
    # The spread is not made smaller: trainings and heads share images and their errors are not independent.
    return Forecast(TRAINED_WEIGHT * whole.loss + (1 - TRAINED_WEIGHT) * head.loss, whole.spread)


def leaks(plain: NDArray[np.integer], strong: NDArray[np.integer], labels: NDArray[np.integer], classes: int) -> Floats:
    """Return which class takes the images that another loses by training.

    Args:
        plain: Class predicted for each of N clean images after each of R trainings without augmentation, (R, N).
        strong: The same after R trainings with it.
        labels: Class of each image, (N,).
        classes: Number of classes C.

    Returns:
        The share of each class's images (row) that is predicted as another class (column) after training with the
        augmentation, minus the share after training without it, (C, C), in [-1, 1], 0 on the diagonal.
    """
    table = np.zeros((classes, classes))
    for sign, predicted in ((1, strong), (-1, plain)):
        for run in predicted:
            np.add.at(table, (labels, run), sign)
    np.fill_diagonal(table, 0)
    images = np.maximum(np.bincount(labels, minlength=classes), 1) * len(plain)
    shares: Floats = table / images[:, None]
    return shares


def _spread(change: Floats, labels: NDArray[np.integer], classes: int) -> Floats:
    """Return the standard deviation of each class's mean change, (C,), from changes in R runs of N images, (R, N)."""
    runs, n = len(change), np.bincount(labels, minlength=classes)

    def by_class(values: Floats) -> Floats:
        means: Floats = np.bincount(labels, weights=values, minlength=classes) / np.maximum(n, 1)
        return means

    mean = by_class(change.mean(axis=0))
    over_images = _one_more(by_class(change.mean(axis=0) ** 2), n) - mean**2
    differing = _one_more(by_class(np.abs(change).mean(axis=0)), n)
    return np.sqrt(over_images / np.maximum(n, 1) + _run_spread(change, by_class, differing) * differing**2 / runs)


def _run_spread(change: Floats, by_class: Callable[[Floats], Floats], differing: Floats) -> float:
    """Return the variance between runs in units of the squared share of differing images."""
    between = np.stack([by_class(run) for run in change])
    seen = len(differing) * (len(change) - 1)
    found = between.var(axis=0, ddof=1).sum() / (differing**2).sum() if seen else 0.0
    return float((RUN_TRUST * RUN_SPREAD + seen * found) / (RUN_TRUST + seen))


def _one_more(share: Floats, n: NDArray[np.integer]) -> Floats:
    """Return shares of n images with one image added, so that none is 0."""
    more: Floats = (share * n + 1) / (n + 1)
    return more


def _rates(right: Bools, labels: NDArray[np.integer], classes: int) -> Floats:
    """Return the recall of each class, mean over runs, (C,), 0 without images, from (R, N)."""
    n = np.bincount(labels, minlength=classes)
    counts = np.bincount(labels, weights=right.mean(axis=0), minlength=classes)
    rates: Floats = counts / np.maximum(n, 1)
    return rates


def _smoothed_variance(rate: Floats, n: Floats) -> Floats:
    """Return p (1 - p) with half an image added on both sides, so that no rate is certain."""
    p = (rate * n + 0.5) / (n + 1)
    variance: Floats = p * (1 - p)
    return variance


def _known(forecast: Forecast, before: Floats, n: Floats) -> Forecast:
    """Return the forecast with infinite spread where a class has under two images or no recall above chance."""
    # Of a lone class nothing can be mistaken, and its chance, 1, would hide every loss.
    chance = 1 / len(n) if len(n) > 1 else 0.0
    return Forecast(forecast.loss, np.where((n >= 2) & (before > chance), forecast.spread, np.inf))
