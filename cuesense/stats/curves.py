"""Counts per class and severity, and the accuracy drops that follow from them.

``count`` and ``count_unpaired`` reduce correct and wrong predictions to integers (a ``Curve``); parts of a dataset add
up exactly. ``drops`` and ``one_sided_drops`` turn a curve into accuracy drops with two kinds of bounds. Newcombe's
two-sided interval is for reading. Tango's continuity-corrected score bounds are for decisions: summed over every
outcome for 20 to 130, 200 and 300 images, the one-sided 95 % bound lies below a true drop of 2, 5 or 10 points with a
chance of at most .046; the upper limit of Newcombe's two-sided 90 % interval does so with up to .13, where few images
change.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cuesense.arrays import Bools, Floats, Ints
from cuesense.stats.intervals import independent, nan_below, newcombe, tango
from cuesense.types import Curve, Perturbation, Unpaired


def count(
    perturbation: Perturbation,
    clean_correct: Bools,
    perturbed_correct: Bools,
    labels: NDArray[np.integer],
    classes: int,
    seen: Bools | None = None,
) -> Curve:
    """Count per class what one perturbation changes.

    Args:
        perturbation: What was applied, with a ladder of S severities.
        clean_correct: Whether the unperturbed image is right, shape (N,).
        perturbed_correct: The same per repeat and severity, shape (R, S, N).
        labels: Class of each image, shape (N,), in [0, classes).
        classes: Number of classes C.
        seen: Which images were perturbed at each severity, shape (S, N); None where all were. Of the others the
            perturbed ones count as nothing.

    Returns:
        The counts; integers only, so that parts of a dataset add up exactly.
    """
    if seen is not None:
        # An image that was not perturbed has not changed.
        perturbed_correct = np.where(seen, perturbed_correct, clean_correct)
    return Curve(
        perturbation=perturbation,
        n=np.bincount(labels, minlength=classes),
        clean_correct=np.bincount(labels[clean_correct], minlength=classes),
        lost=_count_by_severity(clean_correct & ~perturbed_correct, labels, classes),
        gained=_count_by_severity(~clean_correct & perturbed_correct, labels, classes),
        repeats=len(perturbed_correct),
        squared=_squared(clean_correct, perturbed_correct, labels, classes),
        seen=None if seen is None else _count_by_severity(seen[None], labels, classes),
    )


def count_unpaired(
    perturbation: Perturbation,
    clean: tuple[NDArray[np.integer], Bools],
    perturbed: Sequence[Sequence[tuple[NDArray[np.integer], Bools]]],
    classes: int,
) -> Curve:
    """Count per class how often clean images are right, and how often other, perturbed ones are.

    Args:
        perturbation: What was applied, with a ladder of S severities.
        clean: Class and correctness of every clean image, shape (N,) each.
        perturbed: The same per repeat and severity, R lists of S pairs.
        classes: Number of classes C.

    Returns:
        The counts, with ``unpaired``; lost and gained are the difference of the two rates in clean image-repeats,
        rounded to whole ones.
    """
    n, clean_correct = (np.bincount(part, minlength=classes) for part in (clean[0], clean[0][clean[1]]))
    images = np.array([[np.bincount(labels, minlength=classes) for labels, _ in part] for part in perturbed])
    right = np.array([[np.bincount(labels[ok], minlength=classes) for labels, ok in part] for part in perturbed])
    repeats, seen = len(perturbed), images.sum(axis=0)
    correct = np.where(seen > 0, right.sum(axis=0) / np.maximum(seen, 1), clean_correct / np.maximum(n, 1))
    # Without pairs, who lost and who gained is not known; only the net change is, and a count must be whole.
    net = np.rint(repeats * (clean_correct - n * correct)).astype(np.int64)
    return Curve(
        perturbation=perturbation,
        n=n,
        clean_correct=clean_correct,
        lost=np.maximum(net, 0),
        gained=np.maximum(-net, 0),
        repeats=repeats,
        unpaired=Unpaired(n=seen, correct=right.sum(axis=0)),
    )


def _count_by_severity(flags: Bools, labels: NDArray[np.integer], classes: int) -> Ints:
    """Count flags, (R, S, N), per severity and class over repeats and images, (S, C)."""
    severities = flags.shape[1]
    _, severity, image = np.nonzero(flags)
    cells = np.bincount(severity * classes + labels[image], minlength=severities * classes)
    return cells.reshape(severities, classes)


def _squared(clean: Bools, perturbed: Bools, labels: NDArray[np.integer], classes: int) -> Ints | None:
    """Return the squared net changes of the images over repeats, added up, (S, C), or None for one repeat.

    Integers, so that parts of a dataset add up exactly. With one repeat they would be lost + gained.
    """
    repeats = len(perturbed)
    if repeats == 1:
        return None
    changes = repeats * clean.astype(np.int64) - perturbed.sum(axis=0)
    return np.array([np.bincount(labels, weights=row**2, minlength=classes) for row in changes]).astype(np.int64)


def drops(curve: Curve, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Return the accuracy drops of a curve with Newcombe's two-sided intervals.

    Repeats enter as the mean of lost and gained over them, with the image as the unit: they never shrink n, which is
    conservative, because a mean over repeats varies less than the single draw that the interval allows for.

    Args:
        curve: The counts of S severities and C classes.
        confidence: Two-sided level in (0, 1).

    Returns:
        Drop, lower and upper limit as fractions, each of shape (S, C); the drop is NaN where n is 0, the limits are
        NaN where n <= 1.
    """
    if curve.unpaired is not None:
        return _unpaired_drops(curve, curve.unpaired, confidence)
    lost, gained = curve.lost / curve.repeats, curve.gained / curve.repeats
    # Of a part of the images as many are taken to be right as of all, and no fewer or more than its counts allow.
    clean = np.clip(curve.clean_correct * curve.images / np.maximum(curve.n, 1), lost, curve.images - gained)
    low, high = newcombe(clean, lost, gained, curve.images, confidence)
    return (lost - gained) / nan_below(curve.images, at_least=1), low, high


def _unpaired_drops(curve: Curve, other: Unpaired, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Return drops between two independent samples, with two-sided limits; NaN where either has fewer than two."""
    # The images of all repeats may be the same ones, so that they count once: their mean number is the sample's size.
    n, m = nan_below(curve.n, at_least=2), nan_below(other.n / curve.repeats, at_least=2)
    right = other.correct / curve.repeats
    return curve.clean_correct / n - right / m, *independent(curve.clean_correct, n, right, m, confidence)


def one_sided_drops(curve: Curve, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Return the accuracy drops of a curve with Tango's one-sided bounds; repeats enter as in ``drops``.

    Args:
        curve: The counts of S severities and C classes.
        confidence: One-sided level of each bound, in (0.5, 1).

    Returns:
        Drop, lower and upper bound as fractions, each of shape (S, C); the drop is NaN where n is 0, the bounds are
        NaN where n <= 1.
    """
    if curve.unpaired is not None:
        # A two-sided level of 2c - 1 leaves 1 - c on each side.
        return _unpaired_drops(curve, curve.unpaired, 2 * confidence - 1)
    lost, gained = curve.lost / curve.repeats, curve.gained / curve.repeats
    low, high = tango(lost, gained, curve.images, confidence)
    return (lost - gained) / nan_below(curve.images, at_least=1), low, high
