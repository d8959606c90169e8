"""Who is mistaken for whom: where the images of a class go when a perturbation loses them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cuesense.arrays import Bools, Floats, Ints
from cuesense.stats.intervals import _known
from cuesense.types import Rival


def rivals(
    predicted: NDArray[np.integer],
    clean_correct: Bools,
    correct: Bools,
    labels: NDArray[np.integer],
    classes: int,
    output_names: tuple[str, ...],
    perturbation: str,
    minimum_share: float = 0.05,
) -> list[Rival | None]:
    """Return for each class the output that takes most of the images it loses.

    Args:
        predicted: Output predicted at the perturbation's strongest dose, shape (N,), in [0, K).
        clean_correct: Whether each image is right when clean, shape (N,).
        correct: Whether that prediction is right, shape (N,).
        labels: Class of each image, shape (N,), in [0, classes).
        classes: Number of classes C.
        output_names: Names of the K outputs.
        perturbation: The perturbation's name.
        minimum_share: Smallest share of a class's images that is worth a name, in (0, 1].

    Returns:
        One Rival a class, of the lowest output on ties; None where no output takes minimum_share of its images.
    """
    taker, taken = _largest(predicted, clean_correct & ~correct, labels, classes)
    images = np.bincount(labels, minlength=classes)
    share = taken / np.maximum(images, 1)
    return [
        Rival(output_names[output], perturbation, float(part)) if part > 0 and part >= minimum_share else None
        for output, part in zip(taker, share, strict=True)
    ]


def takers(
    predicted: NDArray[np.integer],
    clean_correct: Bools,
    correct: Bools,
    labels: NDArray[np.integer],
    classes: int,
    output_names: tuple[str, ...],
) -> list[str | None]:
    """Return for each class the output that takes at least half of the images it loses under one condition.

    Args:
        predicted: Output predicted under the condition, shape (N,), in [0, K).
        clean_correct: Whether each image is right when clean, shape (N,).
        correct: Whether that prediction is right, shape (N,).
        labels: Class of each image, shape (N,), in [0, classes).
        classes: Number of classes C.
        output_names: Names of the K outputs.

    Returns:
        One output name a class, of the lowest output on ties; None where nothing is lost or no output takes half.
    """
    lost = clean_correct & ~correct
    taker, taken = _largest(predicted, lost, labels, classes)
    total = np.bincount(labels[lost], minlength=classes)
    leaks = (total > 0) & (2 * taken >= total)
    return [output_names[output] if leak else None for output, leak in zip(taker, leaks, strict=True)]


def strongest(
    rivals_by_perturbation: Sequence[Sequence[Rival | None]], classes: int, limit: int = 5
) -> list[tuple[Rival, ...]]:
    """Return each class's rivals in the order of the profile.

    Args:
        rivals_by_perturbation: The answers of ``rivals``, one a perturbation.
        classes: Number of classes C.
        limit: How many rivals a class keeps.

    Returns:
        Per class the rivals with the largest shares, largest first; on ties the earlier perturbation first.
    """
    return [
        tuple(sorted(filter(None, of_class), key=lambda rival: -rival.share)[:limit])
        for of_class in ([answers[index] for answers in rivals_by_perturbation] for index in range(classes))
    ]


def _largest(
    predicted: NDArray[np.integer], lost: Bools, labels: NDArray[np.integer], classes: int
) -> tuple[Ints, Ints]:
    """Return per class the output that takes most of its lost images, and how many; 0 and 0 where none is lost."""
    taker, taken = np.zeros(classes, dtype=np.int64), np.zeros(classes, dtype=np.int64)
    if not lost.any():
        return taker, taken
    outputs = int(predicted[lost].max()) + 1
    pairs, counts = np.unique(labels[lost].astype(np.int64) * outputs + predicted[lost], return_counts=True)
    order = np.lexsort((-pairs, counts))
    taker[pairs[order] // outputs], taken[pairs[order] // outputs] = pairs[order] % outputs, counts[order]
    return taker, taken


_FEWEST = 10


def top_false_positive_rate(
    predicted: NDArray[np.integer], labels: NDArray[np.integer], classes: int
) -> tuple[Floats, Ints]:
    """Return how often each class is seen where it is not, in the one other class where that is most often.

    Args:
        predicted: Class predicted for each image, shape (N,); negative where it is none.
        labels: Class of each image, shape (N,), in [0, classes).
        classes: Number of classes C.

    Returns:
        The largest share of another class's images that is predicted as this class, and that other class (0 where
        there is none), each of shape (C,). Classes of fewer than ten images count as if they had ten, so that a single
        image is no rival.
    """
    pairs, _, shares = _mistakes(predicted, labels, classes)
    order = np.lexsort((-pairs, shares))
    rate, rival = np.zeros(classes), np.zeros(classes, dtype=np.int64)
    rate[pairs[order] // classes], rival[pairs[order] // classes] = shares[order], pairs[order] % classes
    return rate, rival


def mutual_confusion(predicted: NDArray[np.integer], labels: NDArray[np.integer], classes: int) -> Floats:
    """Return how much of what a class is recognized by may be guessing between it and one other class.

    Guessing is mutual: the other's images are taken for the class, and the class's lost images for the other. A class
    that merely attracts the images of others, which have lost what told them, loses its own to none of them.

    Args:
        predicted: Class predicted for each image, shape (N,); negative where it is none.
        labels: Class of each image, shape (N,), in [0, classes).
        classes: Number of classes C.

    Returns:
        The share of the other's images that is predicted as this class, times the share of this class's lost images
        that is predicted as the other (one more lost image is added to both, so that a class without losses is not
        excused); of the other class for which that is most, (C,), in [0, 1].
    """
    pairs, counts, shares = _mistakes(predicted, labels, classes)
    attracting, other = pairs // classes, pairs % classes
    back = other * classes + attracting
    place = np.minimum(np.searchsorted(pairs, back), max(len(pairs) - 1, 0))
    returned = np.where(pairs[place] == back, counts[place], 0)
    lost = np.bincount(labels[predicted != labels], minlength=classes)
    found = np.zeros(classes)
    np.maximum.at(found, attracting, shares * (returned + 1) / (lost[attracting] + 1))
    return found


def _mistakes(predicted: NDArray[np.integer], labels: NDArray[np.integer], classes: int) -> tuple[Ints, Ints, Floats]:
    """Return predicted * classes + label in rising order, its images, and their share of the label's images."""
    wrong = (predicted >= 0) & (predicted != labels)
    pairs, counts = np.unique(predicted[wrong].astype(np.int64) * classes + labels[wrong], return_counts=True)
    images = np.maximum(np.bincount(labels, minlength=classes), _FEWEST)
    return pairs, counts, counts / images[pairs % classes]


def sinks(predicted_counts: NDArray[np.integer], prior: Floats) -> Floats:
    """Return how much too often each class is predicted; a sink is far above 1.

    Args:
        predicted_counts: How often each class was predicted, shape (C,).
        prior: Share of each class among the images, shape (C,).

    Returns:
        Predicted share over prior, shape (C,); NaN where the prior is 0 or nothing was predicted.
    """
    total = _known(predicted_counts.sum(), at_least=1)
    return predicted_counts / (total * np.where(prior > 0, prior, np.nan))
