"""Whether trained networks recognize their test images at all, or no more of them than guessing would."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cuesense.predictions.label_order import BEYOND_CHANCE
from cuesense.stats.label_order import accuracy_and_chance

# With many images chance alone explains little, and networks that recognize hardly more than guessing would pass for
# trained ones: a twentieth of what guessing leaves wrong is asked for besides (Cohen's kappa of 0.05), at most as much
# as the usual tolerance is, so that a class could lose it at all. Chosen by hand; not tuned.
_LEAST_KAPPA = 0.05


@dataclass(frozen=True)
class Recognition:
    """How many images some networks recognize, against guessing.

    Attributes:
        accuracy: Share of the images that are recognized, mean over the networks, in [0, 1].
        by_chance: The same for their predictions dealt out to the images at random: for networks that always name one
            class, just the share of its images.
        is_guessing: Whether the two are not told apart.
    """

    accuracy: float
    by_chance: float
    is_guessing: bool


def recognition(predicted: NDArray[np.integer], labels: NDArray[np.integer], classes: int) -> Recognition:
    """Return how many images networks recognize, and whether that is more than guessing gives.

    Args:
        predicted: Predicted output of N images by R networks, (R, N); an output from C on is none of the classes.
        labels: Class of each image, (N,), at least two images.
        classes: Number of classes C.
    """
    confusion = np.zeros((classes, max(classes, int(predicted.max()) + 1)), np.int64)
    np.add.at(confusion, (np.broadcast_to(labels, predicted.shape), predicted), 1)
    accuracy, by_chance, deviation = accuracy_and_chance(confusion, range(classes))
    least = by_chance + max(BEYOND_CHANCE * deviation, _LEAST_KAPPA * (1 - by_chance))
    return Recognition(float(accuracy), float(by_chance), bool(accuracy <= least))
