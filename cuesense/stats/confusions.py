"""Who is mistaken for whom, counted per class from predictions and labels.

``rivals``, ``takers`` and ``strongest`` follow the images that a perturbation loses: which output takes them.
``top_false_positive_rate`` and ``mutual_confusion`` ask how far the images that a class keeps may be kept by mistaking
other classes for it. ``sinks`` finds classes onto which the predictions of a network collapse.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from cuesense.arrays import Bools, Floats, Ints
from cuesense.stats.intervals import nan_below
from cuesense.types import Rival

# The smallest share of a class's images, lost to one output, that the profile reports: 5 %. With 50 images a class,
# the usual number, it takes three images. Chosen by hand; not tuned.
_LEAST_SHARE = 0.05
# The profile lists this many rivals of a class beside those under augmentations. Chosen by hand, for reading.
_LISTED_RIVALS = 5
# A class with fewer images counts as if it had ten, so that one mistaken image is a share of at most 0.1, below the 0.2
# from which on cuesense.analysis calls two classes confused. Chosen by hand; ten images are also the fewest for a cue.
_FEWEST = 10


def rivals(
    predicted: NDArray[np.integer],
    lost: Bools,
    labels: NDArray[np.integer],
    classes: int,
    output_names: tuple[str, ...],
    perturbation: str,
    minimum_share: float = _LEAST_SHARE,
) -> list[Rival | None]:
    """Return for each class the output that takes most of the images it loses.

    Args:
        predicted: Output predicted at the perturbation's strongest severity, shape (N,), in [0, K).
        lost: Whether each image is right when clean and wrong at that severity, shape (N,).
        labels: Class of each image, shape (N,), in [0, classes).
        classes: Number of classes C.
        output_names: Names of the K outputs.
        perturbation: The perturbation's name.
        minimum_share: Smallest share of a class's images that makes an output a rival, in (0, 1].

    Returns:
        One Rival a class, of the lowest output on ties; None where no output takes minimum_share of its images.
    """
    taker, taken = _largest(predicted, lost, labels, classes)
    images = np.bincount(labels, minlength=classes)
    share = taken / np.maximum(images, 1)
    return [
        Rival(output_names[output], perturbation, float(part)) if part > 0 and part >= minimum_share else None
        for output, part in zip(taker, share, strict=True)
    ]


def takers(
    predicted: NDArray[np.integer],
    lost: Bools,
    labels: NDArray[np.integer],
    classes: int,
    output_names: tuple[str, ...],
) -> list[str | None]:
    """Return for each class the output that takes at least half of the images it loses under one condition.

    Args:
        predicted: Output predicted under the condition, shape (N,), in [0, K).
        lost: Whether each image is right when clean and wrong under the condition, shape (N,).
        labels: Class of each image, shape (N,), in [0, classes).
        classes: Number of classes C.
        output_names: Names of the K outputs.

    Returns:
        One output name a class, of the lowest output on ties; None where nothing is lost or no output takes half.
    """
    taker, taken = _largest(predicted, lost, labels, classes)
    total = np.bincount(labels[lost], minlength=classes)
    # In whole images, so that exactly half counts whatever the number.
    majority = (total > 0) & (2 * taken >= total)
    return [output_names[output] if most else None for output, most in zip(taker, majority, strict=True)]


def strongest(
    rivals_by_perturbation: Sequence[Sequence[Rival | None]],
    classes: int,
    limit: int = _LISTED_RIVALS,
    always: Collection[str] = (),
) -> list[tuple[Rival, ...]]:
    """Return each class's rivals in the order of the profile.

    Args:
        rivals_by_perturbation: What ``rivals`` returns, one list a perturbation.
        classes: Number of classes C.
        limit: How many rivals a class keeps.
        always: Perturbations whose rivals are kept beyond the limit: what an augmentation confuses must not be hidden
            by what the removal of a cue confuses more.

    Returns:
        Per class the rivals with the largest shares, largest first; on ties the earlier perturbation first.
    """
    by_class = ([found[index] for found in rivals_by_perturbation] for index in range(classes))
    ordered = (sorted(filter(None, own), key=lambda rival: -rival.share) for own in by_class)
    return [
        tuple(rival for place, rival in enumerate(own) if place < limit or rival.perturbation in always)
        for own in ordered
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
    # The last of each class wins the assignment: the most images, on ties the lowest output.
    order = np.lexsort((-pairs, counts))
    taker[pairs[order] // outputs], taken[pairs[order] // outputs] = pairs[order] % outputs, counts[order]
    return taker, taken


def top_false_positive_rate(
    predicted: NDArray[np.integer], labels: NDArray[np.integer], classes: int
) -> tuple[Floats, Ints]:
    """Return each class's largest false positive rate among the images of one other class.

    Args:
        predicted: Class predicted for each image, shape (N,); negative where it is none.
        labels: Class of each image, shape (N,), in [0, classes).
        classes: Number of classes C.

    Returns:
        The largest share of another class's images that is predicted as this class, and that other class (-1 where
        there is none), each of shape (C,). Classes of fewer than ten images count as if they had ten, so that a single
        mistaken image is a small share.
    """
    pairs, _, shares = _mistakes(predicted, labels, classes)
    order = np.lexsort((-pairs, shares))
    rate, rival = np.zeros(classes), np.full(classes, -1, dtype=np.int64)
    rate[pairs[order] // classes], rival[pairs[order] // classes] = shares[order], pairs[order] % classes
    return rate, rival


def mutual_confusion(predicted: NDArray[np.integer], labels: NDArray[np.integer], classes: int) -> Floats:
    """Return the share of a class's recognized images that may be guesses between it and one other class.

    Guessing is mutual: the other's images are predicted as the class, and the class's lost images as the other. A class
    that merely attracts other classes' images, because these have lost their cues, loses none of its own to them.

    Args:
        predicted: Class predicted for each image, shape (N,); negative where it is none.
        labels: Class of each image, shape (N,), in [0, classes).
        classes: Number of classes C.

    Returns:
        The share of the other's images that is predicted as this class, times the share of this class's lost images
        that is predicted as the other; of the other class for which that is most, (C,), in [0, 1]. One more lost image
        is added to both counts: where a network always predicts the same one of two classes it cannot tell apart,
        that class loses nothing and is guessed all the same.
    """
    pairs, counts, shares = _mistakes(predicted, labels, classes)
    attracting, other = pairs // classes, pairs % classes
    back = other * classes + attracting
    position = np.minimum(np.searchsorted(pairs, back), max(len(pairs) - 1, 0))
    returned = np.where(pairs[position] == back, counts[position], 0)
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
    """Return how much more often each class is predicted than it occurs; a sink is far above 1.

    Args:
        predicted_counts: How often each class was predicted, shape (C,).
        prior: Share of each class among the images, shape (C,).

    Returns:
        Predicted share over prior, shape (C,); NaN where the prior is 0 or nothing was predicted.
    """
    total = nan_below(predicted_counts.sum(), at_least=1)
    return predicted_counts / (total * np.where(prior > 0, prior, np.nan))
