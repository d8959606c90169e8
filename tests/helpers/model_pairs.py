"""Two models that saw the same images: folders with profile.json and predictions.parquet, from given predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cuesense import registry
from cuesense.predictions.predictions import ConditionPredictions, Predictions
from cuesense.predictions.write_table import write
from cuesense.types import Condition, Perturbation
from cuesense.workflows.score import score

JITTER = "color_jitter"
CLASSES = ("ant", "bee", "cow")

Right = NDArray[np.bool_]


def labels_of(images: int, classes: Sequence[str] = CLASSES) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(classes)), images)


def predictions(
    labels: NDArray[np.int64],
    clean: Right,
    jittered: Mapping[float, Sequence[Right]],
    classes: Sequence[str] = CLASSES,
    order: NDArray[np.int64] | None = None,
) -> Predictions:
    """Return predictions of which these are right, (N,) clean and by value and repeat; wrong ones name no class.

    The ids belong to the images, in whatever order these stand.
    """
    positions = np.arange(len(labels)) if order is None else order
    ladder = tuple(sorted(jittered))
    kind: Perturbation = replace(registry.get("perturbations", JITTER), ladder=ladder)
    conditions = [
        Condition(kind, severity, repeat)
        for severity, value in enumerate(ladder, start=1)
        for repeat in range(len(jittered[value]))
    ]
    found = [clean, *(right for value in ladder for right in jittered[value])]
    per_condition = [
        ConditionPredictions(
            labels[positions], np.where(right, labels, len(classes))[positions], np.where(right, labels, -1)[positions]
        )
        for right in found
    ]
    return Predictions(
        class_names=tuple(classes),
        output_names=(*classes, "other"),
        outputs=tuple(range(len(classes))),
        sample_ids=[f"{position:05d}" for position in positions],
        perturbations=(kind,),
        conditions=(Condition(), *conditions),
        per_condition=tuple(per_condition),
        side=64,
    )


def folder(path: Path, found: Predictions, *, table: bool = True, confidence: float = 0.95) -> Path:
    """Write the profile of predictions and, if wanted, the predictions beside it; return the folder."""
    path.mkdir(parents=True)
    write(found, path / "predictions.parquet")
    profile = score(path / "predictions.parquet", confidence=confidence)
    (path / "profile.json").write_text(profile.to_json(), encoding="utf-8")
    if not table:
        (path / "predictions.parquet").unlink()
    return path


def simple(path: Path, labels: NDArray[np.int64], clean: Right, jittered: Right | None = None, **how: bool) -> Path:
    """Write a folder in which jitter at 0.8, once, does as given or nothing."""
    changed = clean if jittered is None else jittered
    return folder(path, predictions(labels, clean, {0.8: [changed]}), **how)
