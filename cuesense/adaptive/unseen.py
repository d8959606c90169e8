"""What a full run may predict, given a part of it: images not seen yet are like those seen.

An image that was not seen takes the answers of one that was, of the same class and as well recognized clean. Which one
is drawn with random weights (Bayesian bootstrap, Rubin 1981, Annals of Statistics 9:130), so that simulated runs differ
as much as the part leaves open. A part in which every image is kept does not show that all are: of n images seen, an
answer that none of them gave has a chance of Beta(1, n + 1), as after n failures under a uniform prior, and under every
condition some answers are exchanged with that chance.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cuesense.arrays import Bools, Ints
from cuesense.predictions.predictions import ConditionPredictions, Predictions


def simulated(predictions: Predictions, seen: Bools, rng: np.random.Generator) -> Predictions:
    """Return what a full run may predict.

    Args:
        predictions: Paired ones, the clean condition first, of which all N images are known. Under the others, what
            stands at images that were not seen does not matter.
        seen: Which images were seen under all conditions, (N,); at least one of every class with images.
        rng: Draws.

    Returns:
        Predictions of all N images, the same as given for those that were seen.
    """
    clean, classes = predictions.per_condition[0], len(predictions.class_names)
    donors = _donors(clean.labels, predictions.corrected_right(0), seen, rng)
    number = np.bincount(clean.labels[seen], minlength=classes)
    outputs = np.asarray(predictions.outputs)
    found = [clean]
    for given in predictions.per_condition[1:]:
        exchange = _Exchange(clean.labels, ~seen, number, rng)
        found.append(
            ConditionPredictions(
                clean.labels,
                exchange(given.predicted[donors], outputs),
                None if given.corrected is None else exchange(given.corrected[donors], np.arange(classes)),
            )
        )
    return replace(predictions, per_condition=tuple(found))


def _donors(labels: NDArray[np.integer], right: Bools, seen: Bools, rng: np.random.Generator) -> Ints:
    """Return for every image the seen one whose answers it takes, (N,): itself if it was seen."""
    strata = 2 * labels + right
    # A class may have no seen image that is recognized, or none that is not.
    strata = np.where(np.isin(strata, strata[seen]), strata, 2 * labels + ~right)
    able = np.flatnonzero(seen)
    able = able[np.argsort(strata[able], kind="stable")]
    first, last = (np.searchsorted(strata[able], strata, side) for side in ("left", "right"))
    # Exponential weights, normed, are evenly distributed over all weights that add up to 1.
    weights = np.concatenate([[0.0], rng.exponential(size=len(able)).cumsum()])
    drawn = weights[first] + rng.random(len(labels)) * (weights[last] - weights[first])
    chosen = np.clip(np.searchsorted(weights, drawn, "right") - 1, first, last - 1)
    return np.where(seen, np.arange(len(labels)), able[chosen])


class _Exchange:
    """Exchange right and wrong answers of some images under one condition, with the chances of one simulated run."""

    def __init__(self, labels: NDArray[np.integer], unseen: Bools, number: Ints, rng: np.random.Generator) -> None:
        lose, gain = rng.beta(1, number + 1, size=(2, len(number)))
        chance = rng.random(len(labels))
        self.labels, self.lose, self.gain = labels, unseen & (chance < lose[labels]), unseen & (chance < gain[labels])
        classes = len(number)
        self.other = (labels + 1 + rng.integers(max(classes - 1, 1), size=len(labels))) % classes

    def __call__(self, answers: Ints, right_answers: Ints) -> Ints:
        """Return answers, (N,), some of them exchanged; the right answer of each class is given, (C,)."""
        right = answers == right_answers[self.labels]
        changed = np.where(right & self.lose, right_answers[self.other], answers)
        return np.where(~right & self.gain, right_answers[self.labels], changed)
