"""Predictions of which an adaptive run has seen a part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cuesense.predictions.predictions import Predictions


def part_of(found: Predictions, seen: NDArray[np.bool_]) -> Predictions:
    """Return predictions of which only these images were seen, (N,), but for the clean ones."""
    clean, *others = found.per_condition
    rows = np.flatnonzero(seen)
    parts = [other.ordered(other.labels[rows], rows).spread(clean.labels, rows) for other in others]
    return replace(found, per_condition=(clean, *parts))


def alone(found: Predictions, seen: NDArray[np.bool_]) -> Predictions:
    """Return predictions of these images, (N,), as if there were no others."""
    rows = np.flatnonzero(seen)
    parts = [given.ordered(given.labels[rows], rows) for given in found.per_condition]
    return replace(found, sample_ids=[found.sample_ids[row] for row in rows], per_condition=tuple(parts))


def first_of_class(found: Predictions, number: int) -> NDArray[np.bool_]:
    """Return the first images of each class, (N,)."""
    labels = found.per_condition[0].labels
    place = np.array([(labels[:row] == label).sum() for row, label in enumerate(labels)])
    return place < number
