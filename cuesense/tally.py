"""From stored outcomes to counts: raw and prior-corrected curves, leaks, and the images behind the labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cuesense.leaks import rivals, strongest, takers
from cuesense.outcomes import ConditionOutcomes, OutcomeStore
from cuesense.reliance import DECISIVE
from cuesense.scoring import Bools, count, prior_corrected, sinks
from cuesense.types import Condition, Cue, Curve, Perturbation, Rival, Role

SINK_RATIO = 5.0


@dataclass(frozen=True)
class Tally:
    """Everything that is counted; all that follows is derived from it.

    Attributes:
        labels: Class of each image, (N,).
        clean_predicted: Output predicted for each clean image, (N,).
        raw: Curve per perturbation over the network's own predictions.
        corrected: The same after the prior correction, over the dataset's classes only.
        takers: Per perturbation, severity and class, the output that takes at least half of the lost images, or None.
        rivals: Per class, the outputs that take most of its images.
        decisive_correct: Per cue, whether each image is right (corrected) under the decisive suppression, (N,).
        sinks: Per perturbation at its strongest dose, predicted share over prior of each class, (C,).
    """

    labels: NDArray[np.int64]
    clean_predicted: NDArray[np.int32]
    raw: dict[str, Curve]
    corrected: dict[str, Curve]
    takers: dict[str, list[list[str | None]]]
    rivals: list[tuple[Rival, ...]]
    decisive_correct: dict[Cue, Bools]
    sinks: dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class _Answers:
    """Predictions under every condition, (M, N) each."""

    predicted: NDArray[np.int32]
    right: Bools
    corrected_right: Bools


def tally(
    store: OutcomeStore,
    shards: int,
    perturbations: Sequence[Perturbation],
    conditions: Sequence[Condition],
    outputs: Sequence[int],
    output_names: tuple[str, ...],
) -> Tally:
    """Count a store of outcomes.

    Args:
        store: The outcomes.
        shards: How many shards there are.
        perturbations: What was applied, each with its ladder.
        conditions: What was applied in detail, the clean condition first.
        outputs: The network's output of each of the dataset's classes, length C.
        output_names: A name for each of the network's outputs.

    Returns:
        The counts.
    """
    labels, classes = store.labels(shards), len(outputs)
    answers = _answers(store, shards, len(conditions), labels, np.asarray(outputs))
    rows = {condition.key: row for row, condition in enumerate(conditions)}
    repeats = 1 + max(condition.repeat for condition in conditions)

    def curve(perturbation: Perturbation, right: Bools) -> Curve:
        ladder = perturbation.ladder
        changed = np.stack(
            [
                np.stack([right[rows[Condition(perturbation, value, repeat).key]] for value in ladder])
                for repeat in range(repeats)
            ]
        )
        return count(perturbation, right[0], changed, labels, classes)

    def leaks(perturbation: Perturbation) -> list[list[str | None]]:
        chosen = [rows[Condition(perturbation, value).key] for value in perturbation.ladder]
        return [
            takers(answers.predicted[row], answers.right[0], answers.right[row], labels, classes, output_names)
            for row in chosen
        ]

    def rivals_at(row: int, name: str) -> list[Rival | None]:
        right = answers.right
        return rivals(answers.predicted[row], right[0], right[row], labels, classes, output_names, name)

    strongest_row = {p.name: rows[Condition(p, p.ladder[-1]).key] for p in perturbations}
    return Tally(
        labels=labels,
        clean_predicted=answers.predicted[0],
        raw={p.name: curve(p, answers.right) for p in perturbations},
        corrected={p.name: curve(p, answers.corrected_right) for p in perturbations},
        takers={p.name: leaks(p) for p in perturbations if p.role is Role.AUGMENTATION},
        rivals=strongest([rivals_at(row, name) for name, row in strongest_row.items()]),
        decisive_correct=_decisive(rows, answers.corrected_right),
        sinks={name: _sink_ratios(answers.predicted[row], labels, outputs) for name, row in strongest_row.items()},
    )


def _answers(
    store: OutcomeStore, shards: int, conditions: int, labels: NDArray[np.int64], outputs: NDArray[np.int64]
) -> _Answers:
    prior = np.bincount(labels, minlength=len(outputs)) / max(1, len(labels))
    predicted, corrected = [], []
    for outcome in store.conditions(shards, range(conditions)):
        predicted.append(outcome.predicted)
        corrected.append(_corrected(outcome, prior) == labels)
    all_predicted = np.stack(predicted)
    return _Answers(all_predicted, all_predicted == outputs[labels], np.stack(corrected))


def _corrected(outcome: ConditionOutcomes, prior: NDArray[np.float64]) -> NDArray[np.int64]:
    return prior_corrected(outcome.scores, outcome.classes, prior)


def _decisive(rows: dict[str, int], corrected_right: Bools) -> dict[Cue, Bools]:
    keys = {cue: f"{name}={value}#0" for cue, (name, value) in DECISIVE.items()}
    return {cue: corrected_right[rows[key]] for cue, key in keys.items() if key in rows}


def _sink_ratios(
    predicted: NDArray[np.int32], labels: NDArray[np.int64], outputs: Sequence[int]
) -> NDArray[np.float64]:
    counts = np.bincount(predicted, minlength=max(outputs) + 1)[list(outputs)]
    prior = np.bincount(labels, minlength=len(outputs)) / max(1, len(labels))
    return sinks(counts, prior)
