"""Audits of small simulated sweeps, with classes whose harm is planted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cuesense.schemas.audit import Audit
from cuesense.sweeps.build_audit import build_audit
from cuesense.sweeps.sweep import PerImagePredictions, Strength, Sweep
from cuesense.types import CueVerdict

NAMES = (
    "teapot", "zebra", "cup", "lemon", "bus", "kettle", "espresso", "tench", "coho", "sturgeon", "goldfish", "penguin",
)  # fmt: skip
STRENGTHS = (1.0, 0.5, 0.2, 0.08)

# Fields of audit.json that its readers rely on, and those of each of its classes.
FIELDS = {"regularizer", "strengths", "chosen_by_mean", "chosen_by_worst_class", "chosen_safe", "mean_accuracy"}
CLASS_FIELDS = {"name", "harmed", "loss", "low", "high", "best_strength", "loss_at_strongest", "gains", "n", "seeds"}


def sweep(
    classes: int = 12,
    *,
    runs: int = 5,
    images: int = 400,
    strengths: Sequence[Strength] = STRENGTHS,
    names: Sequence[str] = NAMES,
    planted: Mapping[int, float] = {0: 0.3},
    empty: Sequence[int] = (),
    regularizer: str = "random_resized_crop",
    seed: int = 0,
) -> Sweep:
    """Return runs in which every class gains with the strength, but the planted ones lose so much at the end."""
    random = np.random.default_rng(seed)
    along = np.linspace(0, 1, len(strengths))
    truth = np.linspace(0.5, 0.75, classes)[None] + 0.08 * along[:, None]
    for index, loss in planted.items():
        truth[:, index] = 0.8 - loss * along**2
    strength_of = np.repeat(np.arange(len(strengths)), runs)
    n = np.full((len(strength_of), classes), images)
    n[:, list(empty)] = 0
    right = random.binomial(n, np.clip(truth[strength_of] + random.normal(0, 0.004, n.shape), 0, 1))
    called = [names[index] if index < len(names) else f"class {index:04d}" for index in range(classes)]
    return Sweep(
        regularizer=regularizer,
        strengths=tuple(strengths),
        class_names=tuple(called),
        strength_of=strength_of,
        seeds=tuple(str(run % runs) for run in range(len(strength_of))),
        accuracy=np.where(n > 0, right / np.maximum(n, 1), np.nan),
        images=n,
    )


def with_pictures(known: Sweep, *, accepted: bool = False, seed: int = 0) -> Sweep:
    """Return the sweep with a prediction for every image; lost images are predicted as the class after the next one."""
    random = np.random.default_rng(seed)
    classes, images = len(known.class_names), int(known.images.max())
    labels = np.repeat(np.arange(classes), images)
    right = random.random((len(known.strength_of), len(labels))) < np.repeat(known.accuracy, images, axis=1)
    predicted = np.where(right, labels, (labels + 2) % classes).astype(np.int32)
    accuracy = right.reshape(len(right), classes, images).mean(axis=2)
    allowed = np.eye(classes, dtype=bool)[labels]
    if accepted:
        allowed[np.arange(len(labels)) % 5 == 0, (labels[::5] + 2) % classes] = True
    pictures = PerImagePredictions(labels, predicted, known.class_names, allowed if accepted else None)
    return replace(known, accuracy=accuracy, per_image=pictures)


def audit(known: Sweep | None = None, *, tolerance: float = 0.05, **more: Any) -> Audit:
    """Return the audit of a sweep."""
    given = {"source": {"accuracies": "runs.csv", "images": 400}} | more
    return build_audit(known or sweep(), tolerance=tolerance, confidence=0.95, **given)


def cues(names: Sequence[str] = NAMES) -> dict[str, CueVerdict]:
    """Return a cue for every class: the first of three relies on shape, the next on texture, the last on color."""
    verdicts = (CueVerdict.SHAPE, CueVerdict.TEXTURE, CueVerdict.COLOR)
    return {name: verdicts[index % 3] for index, name in enumerate(names)}
