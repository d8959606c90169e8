"""Which cue a full run would name for every class, given a part of its predictions, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cuesense.adaptive.answers import SIMULATED_RUNS, Answers, most_frequent
from cuesense.adaptive.unseen import simulated
from cuesense.analysis.cues import name_cues
from cuesense.analysis.evidence import gather
from cuesense.arrays import Bools, Ints
from cuesense.perturbations.ablations import measured
from cuesense.predictions.predictions import Predictions
from cuesense.types import CueVerdict

# What an answer's number stands for.
VERDICTS = tuple(CueVerdict)


def cue_conditions(predictions: Predictions) -> list[int]:
    """Return the rows of the conditions that verdicts on cues rest on, the clean one first."""
    rows = predictions.rows
    read = (rows[entry.perturbation, severity] for entry, severity in measured(predictions.perturbations).items())
    return sorted({0, *(row for of_ablation in read for row in of_ablation)})


def likely_cues(
    versions: Sequence[Predictions], seen: Bools, classes: Sequence[int], confidence: float, rng: np.random.Generator
) -> Answers:
    """Return the cue that most simulated full runs name, and how many agree on it.

    Args:
        versions: Predictions as for unseen.simulated, alike but for the prior correction, whose biases are known as far
            as the versions agree; the simulated runs take them in turn.
        seen: Which images were seen under all of ``cue_conditions``, (N,); at least one of every class with images.
        classes: The classes that are asked for.
        confidence: Level of the intervals that verdicts rest on, in (0, 1).
        rng: Draws the simulated runs.

    Returns:
        For each of these classes, the place of its verdict in VERDICTS.
    """
    known = [_of_cues(version) for version in versions]
    runs = [
        _verdicts(simulated(known[run % len(known)], seen, rng), classes, confidence) for run in range(SIMULATED_RUNS)
    ]
    return most_frequent(np.array(runs).reshape(SIMULATED_RUNS, -1))


def cues_now(predictions: Predictions, seen: Bools, classes: Sequence[int], confidence: float) -> Ints:
    """Return the cue that the images seen lead to, for some classes, as its place in VERDICTS.

    Args:
        predictions: As for ``likely_cues``.
        seen: Likewise.
        classes: Likewise.
        confidence: Likewise.
    """
    known, rows = _of_cues(predictions), np.flatnonzero(seen)
    clean, *others = known.per_condition
    parts = [given.ordered(given.labels[rows], rows).spread(given.labels, rows) for given in others]
    return np.array(_verdicts(replace(known, per_condition=(clean, *parts)), classes, confidence))


def _of_cues(predictions: Predictions) -> Predictions:
    """Return the predictions under the conditions that verdicts on cues rest on alone."""
    rows = cue_conditions(predictions)
    return replace(
        predictions,
        conditions=tuple(predictions.conditions[row] for row in rows),
        per_condition=tuple(predictions.per_condition[row] for row in rows),
    )


def _verdicts(predictions: Predictions, classes: Sequence[int], confidence: float) -> list[int]:
    found = name_cues(gather(predictions, confidence), predictions.class_names, classes)
    return [VERDICTS.index(entry.cue) for entry in found]
