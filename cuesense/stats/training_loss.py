"""What a class loses by training with an augmentation, forecast from one training a ladder and refitted heads.

A network that trains with a perturbation recovers what still carries the label, so that a drop at test time overstates
the loss. What counts is the change in clean accuracy against the same training without the augmentation. Fine-tuning a
trained network tells little about it, and neither does a short training from scratch; one whole training at the
strongest dose does, and milder doses cost a share of its loss (docs/budgets.md has the comparison).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from cuesense.types import Curve

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.integer]

TRAINED_WEIGHT = 0.8
RUN_SPREAD = 0.08
RUN_TRUST = 10
SHAPE_SPREAD = 0.2
HEAD_SPREAD = 0.12
LIKELY = 0.8

_PRIOR_DROP = 0.01


class Flag(StrEnum):
    """What a forecast says about one class and dose."""

    LOSES = "likely loses"
    UNCLEAR = "unclear"
    SAFE = "likely safe"


@dataclass(frozen=True)
class Forecast:
    """The recall that classes lose by training with one augmentation, D doses and C classes.

    Attributes:
        loss: Expected loss, a fraction, (D, C); below 0 it is a gain, which is never promised.
        spread: Standard deviation of the error of that, (D, C); infinite where a class has fewer than two images, or is
            recognized no better than by chance, so that it has nothing to lose.
    """

    loss: Floats
    spread: Floats

    def risk(self, tolerance: float) -> Floats:
        """Return the probability that a class loses more than the tolerance, (D, C)."""
        above: Floats = ndtr((self.loss - tolerance) / self.spread)
        return above

    def bounds(self, confidence: float) -> tuple[Floats, Floats]:
        """Return the range of the loss, (D, C) each, within [0, 1]: gains are not forecast.

        Args:
            confidence: Two-sided level, in (0, 1).
        """
        half = ndtri((1 + confidence) / 2) * self.spread
        return np.clip(self.loss - half, 0, 1), np.clip(self.loss + half, 0, 1)

    def flags(self, tolerance: float, confidence: float) -> list[list[Flag]]:
        """Return one flag a dose and class: safe at the confidence, losing with a probability of 0.8, or unclear.

        Args:
            tolerance: The accepted loss, a fraction in (0, 1).
            confidence: Level at which a class is called safe, in (0.5, 1).
        """
        return [[_flag(risk, confidence) for risk in row] for row in self.risk(tolerance).tolist()]


def _flag(risk: float, confidence: float) -> Flag:
    if risk <= 1 - confidence:
        return Flag.SAFE
    return Flag.LOSES if risk >= LIKELY else Flag.UNCLEAR


def dose_shape(curve: Curve) -> Floats:
    """Return how much of the strongest dose's loss each dose of a ladder costs, as the model's own drops say.

    The accuracy drop over all images at each dose is divided by that at the strongest; both are first moved toward
    equal steps by one image in a hundred. What single classes lose at test time says little about training; how the
    dose acts on all of them together does.

    Args:
        curve: The counts of a trained model under the augmentation, S doses from mild to strong.

    Returns:
        Shares in (0, 1], (S,), never falling, the last of them 1; equal steps where the strongest dose costs nothing.
    """
    drop = (curve.lost - curve.gained).sum(axis=1)
    steps = np.arange(1, len(drop) + 1) / len(drop)
    if drop[-1] <= 0:
        return steps
    prior = _PRIOR_DROP * max(1, int(curve.n.sum()) * curve.repeats)
    moved = np.maximum(drop, 0) + prior * steps
    shares: Floats = np.maximum.accumulate(np.minimum(moved / moved[-1], 1))
    return shares


def trained(plain: Bools, strong: Bools, labels: Ints, shape: Floats, classes: int) -> Forecast:
    """Forecast a ladder from whole trainings without the augmentation and with its strongest dose.

    The doubt about a loss has two parts, which add up in variance: which images happened to be asked about, and which
    networks happened to be trained. The second is taken as k times the squared share of the class's images whose
    answers differ, divided by R; k starts at 0.08, from trainings on planted worlds and photographs, and is corrected
    by what the runs themselves show, which counts as much as 10 classes do for each further run.

    Args:
        plain: Whether each of N clean images is right after each of R trainings without the augmentation, (R, N).
        strong: The same after R trainings with the strongest dose.
        labels: Class of each image, (N,).
        shape: Share of the loss at each of D doses, (D,), as in dose_shape.
        classes: Number of classes C.

    Returns:
        The forecast, (D, C).
    """
    n = np.bincount(labels, minlength=classes).astype(float)
    before, after = _rates(plain, labels, classes), _rates(strong, labels, classes)
    spread = _spread(strong.astype(float) - plain, labels, classes)
    loss = before - after
    return _known(
        Forecast(
            loss=shape[:, None] * loss,
            spread=np.hypot(shape[:, None] * spread, SHAPE_SPREAD * (1 - shape[:, None]) * np.maximum(loss, 0)),
        ),
        before,
        n,
    )


def refitted(plain: Bools, heads: Bools, labels: Ints, classes: int) -> Forecast:
    """Forecast a ladder from heads that were refitted on frozen features.

    Args:
        plain: Whether each of N clean images is right under the head refitted on clean images, (N,).
        heads: The same under the head refitted on images augmented with each of D doses, (D, N).
        labels: Class of each image, (N,).
        classes: Number of classes C.

    Returns:
        The forecast, (D, C).
    """
    n = np.bincount(labels, minlength=classes).astype(float)
    before = _rates(plain[None], labels, classes)
    after = np.stack([_rates(head[None], labels, classes) for head in heads])
    doubt = _doubt(before, n) + np.stack([_doubt(row, n) for row in after])
    return _known(Forecast(before - after, np.sqrt(doubt / np.maximum(n, 1) + HEAD_SPREAD**2)), before, n)


def combined(whole: Forecast, head: Forecast) -> Forecast:
    """Return the weighted forecast of trainings and refitted heads: 0.8 to 0.2, with the spread of the trainings."""
    return Forecast(TRAINED_WEIGHT * whole.loss + (1 - TRAINED_WEIGHT) * head.loss, whole.spread)


def leaks(plain: Ints, strong: Ints, labels: Ints, classes: int) -> Floats:
    """Return which class takes the images that another loses by training.

    Args:
        plain: Class that each of N clean images is taken for after each of R trainings without augmentation, (R, N).
        strong: The same after R trainings with it.
        labels: Class of each image, (N,).
        classes: Number of classes C.

    Returns:
        The share of each class's images (row) that the trainings with the augmentation take for another class
        (column) and those without do not, less the share of which it is the other way round, (C, C), 0 on the diagonal.
    """
    table = np.zeros((classes, classes))
    for sign, predicted in ((1, strong), (-1, plain)):
        for run in predicted:
            np.add.at(table, (labels, run), sign)
    np.fill_diagonal(table, 0)
    images = np.maximum(np.bincount(labels, minlength=classes), 1) * len(plain)
    shares: Floats = table / images[:, None]
    return shares


def _spread(change: Floats, labels: Ints, classes: int) -> Floats:
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


def _one_more(share: Floats, n: Ints) -> Floats:
    """Return shares of n images with one image added, so that none is 0."""
    more: Floats = (share * n + 1) / (n + 1)
    return more


def _rates(right: Bools, labels: Ints, classes: int) -> Floats:
    n = np.bincount(labels, minlength=classes)
    counts = np.bincount(labels, weights=right.mean(axis=0), minlength=classes)
    rates: Floats = counts / np.maximum(n, 1)
    return rates


def _doubt(rate: Floats, n: Floats) -> Floats:
    """Return p (1 - p) with half an image added on both sides, so that no rate is certain."""
    p = (rate * n + 0.5) / (n + 1)
    doubt: Floats = p * (1 - p)
    return doubt


def _known(forecast: Forecast, before: Floats, n: Floats) -> Forecast:
    chance = 1 / len(n) if len(n) > 1 else 0.0
    return Forecast(forecast.loss, np.where((n >= 2) & (before > chance), forecast.spread, np.inf))
