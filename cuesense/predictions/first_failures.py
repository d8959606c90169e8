"""For every image whether it is recognized, and the first condition under which it is not: predictions by image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cuesense.errors import DatasetError, SettingsError, expected, unknown
from cuesense.predictions.predictions import Predictions
from cuesense.types import Role


def first_failures(predictions: Predictions, perturbations: Sequence[str] | None = None) -> pd.DataFrame:
    """Return one row an image: its answer when clean, and the mildest condition under which it is lost.

    Of several conditions with the same severity the first in the order of the measurement counts, and of several
    repeats the first that is wrong. Conditions under which an adaptive run did not look at an image do not count for
    it.

    Args:
        predictions: Paired predictions of N images.
        perturbations: Names of perturbations that count; None counts every augmentation.

    Returns:
        Columns: sample_id; label (the image's class); predicted (when clean); correct (whether that is right);
        first_failure (name of the perturbation; empty where the image is wrong when clean, or never lost); severity
        (from 1; 0 where there is no failure); value (the perturbation's, in its unit; missing where there is none); and
        rival (what it is taken for there, or when clean where that is wrong; else empty).

    Raises:
        SettingsError: A perturbation was not measured.
        DatasetError: The predictions under the conditions are of different images.
    """
    if not predictions.paired:
        to_be, do = "of the same images under every condition", "Analyze again with this version of cuesense"
        raise DatasetError(expected("the predictions", to_be, "others", do))
    clean = predictions.per_condition[0]
    correct, names = predictions.right(0), np.array(predictions.output_names, dtype=object)
    images = len(correct)
    failure, severity, value = np.full(images, "", object), np.zeros(images, int), np.full(images, np.nan)
    rival = np.where(correct, "", names[clean.predicted])
    open_ones = correct.copy()
    for row in _mildest_first(predictions, perturbations):
        condition = predictions.conditions[row]
        lost = open_ones & predictions.seen(row) & ~predictions.right(row)
        failure[lost], severity[lost], value[lost] = condition.name, condition.severity, condition.value
        rival[lost] = names[predictions.per_condition[row].predicted[lost]]
        open_ones &= ~lost
    return pd.DataFrame(
        {
            "sample_id": list(predictions.sample_ids),
            "label": np.array(predictions.class_names, dtype=object)[clean.labels],
            "predicted": names[clean.predicted],
            "correct": correct,
            "first_failure": failure,
            "severity": severity,
            "value": value,
            "rival": rival,
        }
    )


def _mildest_first(predictions: Predictions, perturbations: Sequence[str] | None) -> list[int]:
    """Return the rows of the conditions that count, the mildest severities first."""
    known = {entry.name: entry for entry in predictions.perturbations}
    for name in perturbations or ():
        if name not in known:
            raise SettingsError(unknown(f"perturbation '{name}'", name, known))
    chosen = (
        {name for name, entry in known.items() if entry.role is Role.AUGMENTATION}
        if perturbations is None
        else set(perturbations)
    )
    rows = [row for row, condition in enumerate(predictions.conditions) if condition.name in chosen]
    return sorted(rows, key=lambda row: predictions.conditions[row].severity)
