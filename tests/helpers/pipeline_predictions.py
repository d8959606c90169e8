"""Predictions under a training transform of two steps, with just the losses that a test wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from cuesense.analysis.pipeline_costs import MeasuredPipeline
from cuesense.analysis.pipeline_sentences import MeasuredStep
from cuesense.perturbations.wrapped import wrapped
from cuesense.predictions.predictions import ConditionPredictions, Predictions
from cuesense.schemas.profile import Profile
from cuesense.types import Condition, Perturbation
from tests.helpers.profiles import profile

CLASSES, IMAGES = 4, 50
SHARES = (0.25, 0.5, 0.75, 1.0)


def some_profile() -> Profile:
    """Return a profile of as many classes and images."""
    return profile(CLASSES, images=IMAGES)


def changing(name: str, ladder: Sequence[float] = (1.0,)) -> Perturbation:
    # Names of steps come from the user's code, and may be such as a registered perturbation may not have.
    return replace(wrapped("step", lambda image: image, form="tensor"), name=name, ladder=tuple(ladder))


def step(name: str, **changes: object) -> MeasuredStep:
    plain = MeasuredStep(
        name=name,
        settings=f"{name}()",
        probability=1.0,
        adjustable=False,
        augmentation=None,
        value=None,
        note="",
        alone=changing(name),
        without=changing(f"without {name}"),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def pipeline(*steps: MeasuredStep) -> MeasuredPipeline:
    return MeasuredPipeline("train.py:transform", changing("pipeline", SHARES), steps, ("ToTensor",), ("A remark.",))


def predictions(
    measured: MeasuredPipeline, lost: Mapping[str, Sequence[int]], known: Profile, taker: int = 0
) -> Predictions:
    """Return predictions in which each class loses so many images to one class, in both repeats.

    Args:
        measured: The transform.
        lost: Images that each class loses under a perturbation, by its name; of the whole at the largest share.
        known: The profile; its classes are all recognized clean.
        taker: The class that takes them; its own go to the next one.
    """
    names = tuple(entry.name for entry in known.classes)
    labels = np.repeat(np.arange(len(names)), IMAGES)
    applied = [measured.whole]
    for part in measured.steps:
        applied += [part.alone, *([] if part.without is None else [part.without])]
    conditions = [Condition()] + [
        Condition(perturbation, severity, repeat)
        for perturbation in applied
        for severity in perturbation.severities
        for repeat in range(2)
    ]
    return Predictions(
        class_names=names,
        output_names=names,
        outputs=tuple(range(len(names))),
        sample_ids=[f"{index:04d}" for index in range(len(labels))],
        perturbations=tuple(applied),
        conditions=tuple(conditions),
        per_condition=tuple(
            ConditionPredictions(labels, _predicted(labels, lost.get(condition.name, ()), condition.value, taker))
            for condition in conditions
        ),
    )


def _predicted(labels: np.ndarray, lost: Sequence[int], share: float, taker: int) -> np.ndarray:
    predicted = labels.copy()
    for index, images in enumerate(lost):
        members = np.flatnonzero(labels == index)[: round(images * share)]
        predicted[members] = taker if taker != index else (index + 1) % len(lost)
    return predicted
