"""Accuracies from the counts of a stored curve, for each class and over the whole dataset."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from cuesense.arrays import Floats
from cuesense.schemas.profile import CurveModel
from cuesense.stats.intervals import wilson

# The middle 80 % of the classes: their extremes have a line of their own, the worst class.
_SPREAD = (0.1, 0.9)


@dataclass(frozen=True)
class Overview:
    """One perturbation over the whole dataset; index 0 of every array is the clean image, S severities follow.

    Attributes:
        mean: Mean accuracy of the classes, shape (S + 1,), in [0, 1].
        spread: The 10 % and 90 % quantiles of the classes' accuracies, shape (2, S + 1).
        worst_class: Position of the class with the lowest accuracy on average over the severities.
        worst: That class's accuracies, shape (S + 1,).
        worst_bounds: Their Wilson limits, shape (2, S + 1).
    """

    mean: Floats
    spread: Floats
    worst_class: int
    worst: Floats
    worst_bounds: Floats


def z_score(confidence: float) -> float:
    """Return the two-sided standard normal quantile of a confidence in (0, 1)."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def correct_counts(curve: CurveModel) -> Floats:
    """Return how many of ``image_counts`` are recognized, on average over the repeats.

    Args:
        curve: Counts of S severities and C classes.

    Returns:
        Shape (S + 1, C); row 0 is the clean image.
    """
    return np.vstack([curve.clean_correct, curve.recognized])


def image_counts(curve: CurveModel) -> Floats:
    """Return the images that accuracies are measured on: at a severity of an adaptive run a part of all.

    Args:
        curve: Counts of S severities and C classes.

    Returns:
        Shape (S + 1, C); row 0 is the clean image.
    """
    return np.vstack([curve.n, curve.images]).astype(np.float64)


def dataset_overview(curve: CurveModel, confidence: float) -> Overview | None:
    """Return a curve over the whole dataset.

    Args:
        curve: Counts of S severities and C classes.
        confidence: Two-sided level of the worst class's interval, in (0, 1).

    Returns:
        The overview over the classes that have images at every severity; None where no class has any, or nothing was
        measured.
    """
    if not curve.values:
        return None
    images = image_counts(curve)
    present = np.flatnonzero(images.all(axis=0))
    if not len(present):
        return None
    correct, images = correct_counts(curve)[:, present], images[:, present]
    accuracy = correct / images
    worst = int(accuracy[1:].mean(axis=0).argmin())
    return Overview(
        mean=accuracy.mean(axis=1),
        spread=np.quantile(accuracy, _SPREAD, axis=1),
        worst_class=int(present[worst]),
        worst=accuracy[:, worst],
        worst_bounds=np.stack(wilson(correct[:, worst], images[:, worst], confidence)),
    )


def class_accuracies(curve: CurveModel, at: int) -> list[float | None]:
    """Return the accuracies of one class, clean to strongest, on average over the repeats.

    Args:
        curve: Counts of S severities and C classes.
        at: Position of the class.

    Returns:
        S + 1 fractions, the clean image first; None where the class has no images.
    """
    counts = zip(correct_counts(curve)[:, at].tolist(), image_counts(curve)[:, at].tolist(), strict=True)
    return [correct / images if images else None for correct, images in counts]
