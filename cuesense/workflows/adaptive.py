"""Predict growing parts of the images until all answers are settled, and say what that saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cuesense.adaptive.cues import cue_conditions
from cuesense.adaptive.looks import places
from cuesense.adaptive.plan import VERSIONS, Plan, first_plan, generator, next_plan, seen_under, weights
from cuesense.arrays import Bools, Ints
from cuesense.inference.engine import carry_out
from cuesense.inference.units import Identities, Run
from cuesense.policies.budgets import Levels
from cuesense.predictions.copies import counted_once
from cuesense.predictions.outcomes import ConditionOutcomes, Outcomes
from cuesense.predictions.predictions import ConditionPredictions, Predictions
from cuesense.predictions.shards import OutcomeStore
from cuesense.schemas.profile_provenance import AdaptiveInfo
from cuesense.stats.prior_correction import prior_corrected
from cuesense.types import Perturbation, Progress


def predict_adaptively(
    run: Run, perturbations: Sequence[Perturbation], store: OutcomeStore, levels: Levels, progress: Progress
) -> tuple[Outcomes, AdaptiveInfo]:
    """Predict images under conditions until the answers of all classes are settled (``adaptive.plan``).

    All images are predicted clean, and then growing parts of each class under the other conditions. The same images
    give the same parts, whatever the order of the dataset, and a run that was interrupted goes on from what is kept.

    Args:
        run: The network, the images and the conditions, the clean one first.
        perturbations: What is applied, each with its ladder.
        store: Where the outcomes go.
        levels: What a budget may risk, and the level of intervals.
        progress: Called with (images done, images in all); a run that has saved work jumps to its end.

    Returns:
        The outcomes that were wanted, and how many they are.

    Raises:
        CuesenseError: As for ``predict``.
    """
    identities = Identities(run, store)

    def predicted(cells: Bools) -> Outcomes:
        part = replace(run, cells=cells)
        return carry_out(part, identities.of_cells(part), store, progress)

    clean = np.zeros((len(run.conditions), len(run.dataset)), dtype=np.bool_)
    clean[0] = True
    images = _Counted.of(run, perturbations, predicted(clean))
    plan = first_plan(run.conditions, perturbations, images.of_class)
    while True:
        cells = clean.copy()
        # A copy of an image, and one that cannot be read, counts for nothing.
        cells[1:, images.positions] = seen_under(plan, images.labels, images.places)[1:]
        outcomes = predicted(cells)
        if plan.finished:
            break
        plan = next_plan(plan, images.versions(outcomes, plan), images.places, levels, run.options.seed)
    progress(len(run.dataset), len(run.dataset))
    return outcomes, _saved(plan, cells, images)


def _saved(plan: Plan, cells: Bools, images: _Counted) -> AdaptiveInfo:
    every = len(cells) * len(images.labels)
    # Copies are predicted clean, as in every run, to be found.
    forwards = int(cells[1:].sum()) + len(images.labels)
    return AdaptiveInfo(forward_passes=forwards, of=every, looks=plan.look)


@dataclass(frozen=True)
class _Counted:
    """The images that count: those that can be read, without copies.

    Attributes:
        base: Predictions of no image yet, with names, conditions and perturbations.
        rows: Which of the outcomes' images they are, (N,).
        positions: Where they are in the order of the ids, (N,).
        labels: Class of each, (N,).
        places: Place of each in its class (``looks.places``), (N,).
        of_class: Images of each class, (C,).
        seed: Seed of the run.
        whole: Predictions under the conditions that all images were seen under, by condition: they stay the same.
    """

    base: Predictions
    rows: Ints
    positions: Ints
    labels: Ints
    places: Ints
    of_class: Ints
    seed: int
    whole: dict[int, ConditionPredictions] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Run, perturbations: Sequence[Perturbation], clean: Outcomes) -> _Counted:
        """Find them, once all images are predicted clean."""
        images = clean.images
        rows = np.flatnonzero(counted_once(images.digests, images.labels))
        positions, labels = images.positions[rows], images.labels[rows]
        ids = sorted(run.dataset.sample_ids)
        names = [ids[position] for position in positions.tolist()]
        classes = run.dataset.class_names
        base = Predictions(
            class_names=tuple(classes),
            output_names=tuple(map(str, range(run.output_count))),
            outputs=run.outputs,
            sample_ids=names,
            perturbations=tuple(perturbations),
            conditions=run.conditions,
            per_condition=(),
        )
        of_class = np.bincount(labels, minlength=len(classes))
        return cls(base, rows, positions, labels, places(names, labels), of_class, run.options.seed)

    def versions(self, outcomes: Outcomes, plan: Plan) -> list[Predictions]:
        """Return the predictions so far, with as many corrections as ``next_plan`` takes."""
        rng = generator(self.seed, plan.look)
        every = range(len(self.base.conditions))
        corrected = set(cue_conditions(self.base))
        found = [
            self._of_condition(row, outcome, rng, corrected=row in corrected)
            for row, outcome in zip(every, outcomes.conditions(every), strict=True)
        ]
        return [replace(self.base, per_condition=tuple(version)) for version in zip(*found, strict=True)]

    def _of_condition(
        self, row: int, outcome: ConditionOutcomes, rng: np.random.Generator, *, corrected: bool
    ) -> list[ConditionPredictions]:
        """Return the versions of the predictions under a condition; they differ where cues rest on a part of it."""
        if row in self.whole:
            return [self.whole[row]] * VERSIONS
        seen = np.ones(len(self.rows), dtype=np.bool_) if outcome.seen is None else outcome.seen[self.rows]
        number = VERSIONS if corrected and not seen.all() else 1
        draws = [None, *[rng] * (number - 1)]
        versions = [self._version(outcome, seen, draw, corrected=corrected) for draw in draws]
        if seen.all():
            self.whole[row] = versions[0]
        return versions * (VERSIONS // number)

    def _version(
        self, outcome: ConditionOutcomes, seen: Bools, rng: np.random.Generator | None, *, corrected: bool
    ) -> ConditionPredictions:
        part = np.flatnonzero(seen)
        rows, found = self.rows[part], None
        if corrected:
            stands_for, prior = weights(self.labels, seen, self.of_class, rng), self.of_class / self.of_class.sum()
            found = prior_corrected(outcome.scores[rows], outcome.classes[rows], prior, stands_for)
        predicted = outcome.predicted[rows].astype(np.int64)
        return ConditionPredictions(self.labels[part], predicted, found).spread(self.labels, part)
