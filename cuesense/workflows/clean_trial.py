"""Classify a few clean images of each class before the analysis, so that it can say what to expect of this model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cuesense.datasets.subset import subset
from cuesense.errors import DatasetError
from cuesense.inference.engine import predict
from cuesense.inference.options import RunOptions
from cuesense.predictions.shards import OutcomeStore
from cuesense.types import Classifier, Condition, Dataset, Progress, no_progress

# A batch passes through all conditions before the next one begins, so that clean accuracies of all classes are known
# only when everything is. Of 50 images under the 50 conditions of the standard preset 20 clean ones are 0.8 % more.
# Chosen by hand; not tuned.
FIRST_IMAGES = 20


def try_clean(
    classifier: Classifier,
    dataset: Dataset,
    outputs: Sequence[int],
    clean: Condition,
    options: RunOptions,
    progress: Progress = no_progress,
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Classify up to 20 images of each class, the same ones whatever the order of the files.

    Args:
        classifier: The network and how it wants its images.
        dataset: The images.
        outputs: The network's output of each of the C classes.
        clean: The clean condition.
        options: Device, batch size, precision, workers and seed.
        progress: Called with (images done, images in all).

    Returns:
        Images tried and recognized, (C,) each; None where more of these images cannot be decoded than an analysis
        allows: whether all images do, only all of them show.

    Raises:
        ModelError: The network failed, or gave NaN or another shape than (N, K).
    """
    store = OutcomeStore()
    # Compiling takes longer than so few images.
    options = replace(options, compile=False)
    try:
        outcomes = predict(classifier, subset(dataset, FIRST_IMAGES), outputs, [clean], store, options, progress)
    except DatasetError:
        return None
    labels = outcomes.images.labels
    (found,) = outcomes.conditions([0])
    right = found.predicted == np.array(outputs)[labels]
    return np.bincount(labels, minlength=len(outputs)), np.bincount(labels[right], minlength=len(outputs))
