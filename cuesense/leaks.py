"""Who is mistaken for whom: where the images of a class go when a perturbation loses them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cuesense.scoring import Bools, Ints
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
