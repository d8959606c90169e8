"""Predictions whose truth is known: classes that keep what a Boolean function of the cues says they keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cuesense import registry
from cuesense.analysis.hypotheses import CUES_LEFT, Hypothesis
from cuesense.perturbations.ablations import ABLATIONS, SHAM, Ablation
from cuesense.predictions.predictions import ConditionPredictions, Predictions
from cuesense.types import Condition, Cue, Perturbation

IMAGES = 60
EVERY = (*ABLATIONS, *dict.fromkeys(SHAM.values()))
OTHER = 5


def recognized_with(*subsets: str) -> Hypothesis:
    """Return the hypothesis that any of these sets of cues suffices, such as ``recognized_with("color shape")``."""
    wanted = [frozenset(Cue(name) for name in subset.split()) for subset in subsets]
    every = [*CUES_LEFT.values(), frozenset(Cue)]
    return frozenset(left for left in every if any(subset <= left for subset in wanted))


def shares_kept(hypothesis: Hypothesis, high: float = 0.95, low: float = 0.05) -> dict[Ablation, float]:
    """Return the share that a class of which this hypothesis is true keeps at every ablation."""
    return {
        ablation: high if ablation not in CUES_LEFT or CUES_LEFT[ablation] in hypothesis else low for ablation in EVERY
    }


def rungs(ablations: Iterable[Ablation]) -> dict[Ablation, tuple[Perturbation, int]]:
    """Return the perturbation and the severity of every ablation; those of one perturbation share its ladder."""
    values: dict[str, list[float]] = {}
    for name, value in ablations:
        values.setdefault(name, []).append(value)
    ladders = {
        name: replace(registry.get("perturbations", name), ladder=tuple(ladder)) for name, ladder in values.items()
    }
    return {
        Ablation(name, value): (ladders[name], ladder.index(value) + 1)
        for name, ladder in values.items()
        for value in ladder
    }


def predictions(
    shares: Sequence[Mapping[Ablation, float]],
    images: int = IMAGES,
    clean: float = 0.95,
    ablations: Sequence[Ablation] = EVERY,
    seed: int = 0,
    side: int | None = 64,
) -> Predictions:
    """Return predictions of classes that keep these shares; lost images go to other outputs, evenly."""
    rng = np.random.default_rng(seed)
    classes = len(shares)
    labels = np.repeat(np.arange(classes), images)
    number = np.tile(np.arange(images), classes)
    recognized = number < round(clean * images)
    elsewhere = classes + rng.integers(OTHER, size=len(labels))
    per_condition = [
        ConditionPredictions(labels, np.where(recognized, labels, elsewhere), np.where(recognized, labels, -1))
    ]
    for ablation in ablations:
        share = np.array([kept.get(ablation, 1.0) for kept in shares])[labels]
        right = recognized & (number < np.round(share * clean * images))
        per_condition.append(
            ConditionPredictions(labels, np.where(right, labels, elsewhere), np.where(right, labels, -1))
        )
    names = tuple(f"class {index}" for index in range(classes))
    found = rungs(ablations)
    return Predictions(
        class_names=names,
        output_names=(*names, *(f"other {index}" for index in range(OTHER))),
        outputs=tuple(range(classes)),
        sample_ids=[f"{label}/{index}" for label, index in zip(labels, number, strict=True)],
        perturbations=tuple({kind.name: kind for kind, _ in found.values()}.values()),
        conditions=(Condition(), *(Condition(*found[ablation]) for ablation in ablations)),
        per_condition=tuple(per_condition),
        side=side,
    )
