"""Full runs whose answers are clear: classes that rely on one cue each, and crops that ruin some of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cuesense.perturbations.catalog import RANDOM_RESIZED_CROP
from cuesense.predictions.predictions import ConditionPredictions, Predictions
from cuesense.types import Condition
from tests.helpers.cue_predictions import predictions, recognized_with, shares_kept

CUES = ("color", "shape", "texture")
# What each severity of the crop costs a class that it does not ruin, and one that it ruins.
HARMLESS, RUINOUS = (0.0, 0.0, 0.01, 0.02), (0.3, 0.5, 0.7, 0.9)


def full_run(images: int = 80, *, each: int = 2, repeats: int = 1, seed: int = 0) -> Predictions:
    """Return a run in which every cue is that of so many classes, and every second class is ruined by crops."""
    rng = np.random.default_rng(seed)
    found = predictions([shares_kept(recognized_with(cue), 0.95, 0.02) for cue in CUES for _ in range(each)], images)
    labels, clean = found.per_condition[0].labels, found.right(0)
    # In a random order: the images of a class are lost one after the other in those predictions.
    order = np.lexsort((rng.random(len(labels)), labels))
    per_condition = [
        ConditionPredictions(
            labels, given.predicted[order], None if given.corrected is None else given.corrected[order]
        )
        for given in found.per_condition
    ]
    conditions, clean = list(found.conditions), clean[order]
    for severity in RANDOM_RESIZED_CROP.severities:
        cost = np.where(labels % 2, RUINOUS[severity - 1], HARMLESS[severity - 1])
        for repeat in range(repeats):
            right = clean & (rng.random(len(labels)) >= cost)
            other = len(found.class_names)
            per_condition.append(
                ConditionPredictions(labels, np.where(right, labels, other), np.where(right, labels, -1))
            )
            conditions.append(Condition(RANDOM_RESIZED_CROP, severity, repeat))
    return replace(
        found,
        perturbations=(*found.perturbations, RANDOM_RESIZED_CROP),
        conditions=tuple(conditions),
        per_condition=tuple(per_condition),
    )
