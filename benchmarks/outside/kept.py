"""Predictions on a set of photographs, kept in the layout of ``label_worlds.py`` so that rules can be tried on them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.outside.networks import Condition
from cuesense.stats.prior_correction import prior_corrected

# Begins the names of conditions that are manipulations of outside.battery.
OUTSIDE = "outside:"


def keep(
    path: Path,
    *,
    names: Sequence[str],
    truth: str,
    labels: NDArray[np.int64],
    conditions: Sequence[Condition],
    scores: NDArray[np.float32],
) -> None:
    """Write the predictions of one network.

    The arrays: ``names`` (C,), ``truth`` (C,) the only right cue, ``labels`` (N,), ``doses`` (1 + D, 2) name and value
    of each condition, the clean one first, and for each of them and each image ``predicted``, ``corrected`` (for the
    known class prior), ``p_true`` (the probability of the true class in 1/255) and ``scores`` (log-probabilities).

    Args:
        path: The file, .npz.
        names: Names of the C classes.
        truth: The cue that the images have, or ``"undetermined"`` for photographs.
        labels: Class of each image, (N,).
        conditions: The D conditions after the clean one.
        scores: Log-probabilities, (1 + D, N, C).
    """
    classes = scores.shape[2]
    prior = np.bincount(labels, minlength=classes) / len(labels)
    every = np.tile(np.arange(classes), (len(labels), 1))
    doses = np.array([("clean", "0.0"), *((name, str(float(value))) for name, value in conditions)])
    probability = np.exp(scores[:, np.arange(len(labels)), labels])
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        names=np.array(names),
        truth=np.array([truth] * classes),
        labels=labels,
        doses=doses,
        predicted=scores.argmax(axis=2).astype(np.int16),
        corrected=np.stack([prior_corrected(part, every, prior) for part in scores]).astype(np.int16),
        p_true=np.round(255 * probability).astype(np.uint8),
        scores=scores.astype(np.float16),
    )
