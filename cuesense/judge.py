"""From predictions to everything that is said about them: what analyze and score share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cuesense.budgets import budget
from cuesense.evidence import gather
from cuesense.groups import ALL, GroupAnswer, group_answer
from cuesense.needs import LABELS
from cuesense.predictions import Predictions
from cuesense.reliance import CERTAIN, label_classes, usable
from cuesense.tally import Tally, tally
from cuesense.types import Budget, CueReliance, Role


@dataclass(frozen=True)
class Verdict:
    """What the predictions say.

    Attributes:
        tally: The counts.
        reliances: One a class.
        budgets: Per augmentation, one a class.
        groups: One for all classes, then one a group.
    """

    tally: Tally
    reliances: list[CueReliance]
    budgets: dict[str, list[Budget]]
    groups: list[GroupAnswer]


def judge(
    predictions: Predictions, *, tolerance: float, confidence: float, groups: Mapping[str, Sequence[int]]
) -> Verdict:
    """Label every class and find its budgets.

    Args:
        predictions: The answers.
        tolerance: The accuracy drop that a class may suffer, a fraction in (0, 1).
        confidence: Level of intervals and bounds, in (0.5, 1).
        groups: Indices of the classes of every group.

    Returns:
        The verdict.
    """
    counts, evidence = tally(predictions), gather(predictions, confidence)
    reliances = label_classes(evidence, predictions.class_names)
    likely = np.array([list(reliance.probabilities.values()) for reliance in reliances]).T.reshape(len(LABELS), -1)
    fit = set(np.flatnonzero(usable(evidence)).tolist())
    every = {ALL: range(len(reliances)), **groups}
    return Verdict(
        tally=counts,
        reliances=reliances,
        budgets={
            name: budget(curve, tolerance=tolerance, confidence=confidence, leak_to=counts.takers[name])
            for name, curve in counts.raw.items()
            if curve.perturbation.role is Role.AUGMENTATION
        },
        groups=[
            group_answer(name, [index for index in members if index in fit], LABELS, likely, confidence, CERTAIN)
            for name, members in every.items()
        ],
    )
