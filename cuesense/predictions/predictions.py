"""The predicted class of every image under every condition, whether predicted just now or read from a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cuesense.arrays import Bools, Floats
from cuesense.datasets.value_range import range_remarks
from cuesense.predictions.copies import copy_remarks, counted_once
from cuesense.predictions.outcomes import ConditionOutcomes, Outcomes
from cuesense.stats.prior_correction import prior_corrected
from cuesense.types import Condition, Perturbation

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class ConditionPredictions:
    """The predictions under one condition.

    Attributes:
        labels: Class of each image, (N,).
        predicted: Output that was predicted for it, (N,).
        corrected: Class that is predicted after the prior correction, (N,), or None where it is not known.
        seen: Which images were predicted, (N,), None where all were; -1 stands for the predictions of the others.
    """

    labels: Indices
    predicted: Indices
    corrected: Indices | None = None
    seen: Bools | None = None

    def ordered(self, labels: Indices, order: Indices) -> ConditionPredictions:
        """Return the predictions of some of the images, whose labels are given, in an order."""
        corrected = None if self.corrected is None else self.corrected[order]
        return ConditionPredictions(
            labels, self.predicted[order], corrected, None if self.seen is None else self.seen[order]
        )

    def spread(self, labels: Indices, places: Indices) -> ConditionPredictions:
        """Return these predictions of a part of the images as predictions of all.

        Args:
            labels: Class of every image, (M,).
            places: Where each of the part is among them, rising, (N,).
        """
        if len(places) == len(labels):
            return replace(self, labels=labels)

        def everywhere(values: Indices) -> Indices:
            found = np.full(len(labels), -1)
            found[places] = values
            return found

        seen = np.zeros(len(labels), dtype=np.bool_)
        seen[places] = True
        corrected = None if self.corrected is None else everywhere(self.corrected)
        return ConditionPredictions(labels, everywhere(self.predicted), corrected, seen)


@dataclass(frozen=True)
class Predictions:
    """All predictions for one dataset.

    Attributes:
        class_names: Readable names of the C classes.
        output_names: Readable names of the K outputs.
        outputs: The output of each class, length C.
        sample_ids: The id of every image of the clean condition.
        perturbations: What was applied, each with the ladder that was measured.
        conditions: What was applied in detail, the clean condition first.
        per_condition: The predictions under each condition, of the same length as conditions.
        paired: True where every condition has the same images in the same order.
        side: Shorter side of the network's input in pixels, or None where it is not known.
        remarks: What the user should know of how images were read and counted, in sentences.
        fingerprint: The fingerprint of the dataset that the images are from; None where a table gives only their names.
    """

    class_names: tuple[str, ...]
    output_names: tuple[str, ...]
    outputs: tuple[int, ...]
    sample_ids: Sequence[str]
    perturbations: tuple[Perturbation, ...]
    conditions: tuple[Condition, ...]
    per_condition: tuple[ConditionPredictions, ...]
    paired: bool = True
    side: int | None = None
    remarks: tuple[str, ...] = ()
    fingerprint: str | None = None

    @property
    def corrected(self) -> bool:
        """Whether prior-corrected predictions are known."""
        return all(found.corrected is not None for found in self.per_condition)

    @property
    def partial(self) -> bool:
        """Whether some images were not predicted under some conditions, as in an adaptive run."""
        return any(found.seen is not None for found in self.per_condition)

    @property
    def rows(self) -> dict[tuple[str, int], list[int]]:
        """The rows of every perturbation's name and severity among the conditions, in the order of the repeats."""
        found: dict[tuple[str, int], list[int]] = {}
        for row, condition in enumerate(self.conditions):
            if condition.perturbation is not None:
                found.setdefault((condition.name, condition.severity), []).append(row)
        return found

    def seen(self, row: int) -> Bools:
        """Return which images were predicted under a condition, (N,): of an adaptive run not all."""
        found = self.per_condition[row]
        return np.ones(len(found.labels), dtype=np.bool_) if found.seen is None else found.seen

    def weights(self, row: int) -> Floats | None:
        """Return how many images of its class each image counts for under a condition, (N,): 0 those not predicted.

        None where all images were predicted, so that each counts for itself.
        """
        found, classes = self.per_condition[row], len(self.class_names)
        if found.seen is None:
            return None
        images, seen = (np.bincount(part, minlength=classes) for part in (found.labels, found.labels[found.seen]))
        return np.asarray(found.seen * (images / np.maximum(seen, 1))[found.labels])

    def right(self, row: int) -> Bools:
        """Return which images of a condition are recognized by the network itself, (N,); none that it did not see."""
        found = self.per_condition[row]
        return np.asarray(found.predicted == np.asarray(self.outputs)[found.labels])

    def corrected_right(self, row: int) -> Bools:
        """Return which images are recognized after the prior correction, (N,); without one, by the network itself."""
        found = self.per_condition[row]
        return self.right(row) if found.corrected is None else np.asarray(found.corrected == found.labels)

    def in_order_of_outcomes(self) -> Predictions:
        """Return them with the images in an order that depends on what they were taken for, and not on their ids.

        Images that were taken for the same under every condition are interchangeable, so that sums and random halves
        over this order are the same, to the last bit, whatever the images are called. Unpaired predictions, whose
        images are others under every condition, stay as they are.
        """
        if not self.paired:
            return self
        columns = [self.per_condition[0].labels]
        for found in self.per_condition:
            columns += [found.predicted] if found.corrected is None else [found.predicted, found.corrected]
        order = np.lexsort(columns[::-1])
        labels = self.per_condition[0].labels[order]
        return replace(
            self,
            sample_ids=[self.sample_ids[row] for row in order],
            per_condition=tuple(found.ordered(labels, order) for found in self.per_condition),
        )


@dataclass(frozen=True)
class ClassMap:
    """How a dataset's classes and a network's outputs belong together.

    Attributes:
        class_names: A name for each of the dataset's C classes.
        output_names: A name for each of the network's K outputs.
        outputs: The network's output of each class, length C.
    """

    class_names: Sequence[str]
    output_names: Sequence[str]
    outputs: Sequence[int]


def from_outcomes(
    outcomes: Outcomes,
    perturbations: Sequence[Perturbation],
    conditions: Sequence[Condition],
    classes: ClassMap,
    sample_ids: Sequence[str],
    side: int | None,
) -> Predictions:
    """Return the predictions of stored outcomes, of copies of an image under one label only the first.

    Args:
        outcomes: The outcomes.
        perturbations: What was applied, each with its ladder.
        conditions: What was applied in detail, the clean condition first.
        classes: The dataset's classes and the network's outputs.
        sample_ids: Every id of the dataset, in sorted order: the stored positions index it.
        side: Shorter side of the network's input in pixels, or None where it takes images as they come.

    Returns:
        The predictions, in the order of the ids.
    """
    images = outcomes.images
    ids = [sample_ids[position] for position in images.positions]
    counted = np.flatnonzero(counted_once(images.digests, images.labels))
    labels = images.labels[counted]
    count = np.bincount(labels, minlength=len(classes.outputs))
    per_condition = tuple(
        of_condition(outcome, counted, labels, count) for outcome in outcomes.conditions(range(len(conditions)))
    )
    return Predictions(
        class_names=tuple(classes.class_names),
        output_names=tuple(classes.output_names),
        outputs=tuple(classes.outputs),
        sample_ids=[ids[row] for row in counted],
        perturbations=tuple(perturbations),
        conditions=tuple(conditions),
        per_condition=per_condition,
        side=side,
        remarks=(
            *copy_remarks(images.digests, images.labels, ids, classes.class_names),
            *range_remarks(images.largest, images.white),
        ),
    )


def of_condition(
    outcome: ConditionOutcomes, counted: Indices, labels: Indices, images: Indices
) -> ConditionPredictions:
    """Return the predictions of outcomes under one condition, corrected for the share of each class among the images.

    Args:
        outcome: The outcomes.
        counted: Which of its images count, rising, (N,).
        labels: Class of each of these, (N,).
        images: How many of each class they are, (C,).
    """
    seen = np.arange(len(counted)) if outcome.seen is None else np.flatnonzero(outcome.seen[counted])
    rows, of = counted[seen], labels[seen]
    stands_for = None
    if len(rows) < len(counted):
        # Of a class seen in part each image counts as several, so that classes keep their shares.
        stands_for = images[of] / np.bincount(of, minlength=len(images))[of]
    corrected = prior_corrected(outcome.scores[rows], outcome.classes[rows], images / max(1, images.sum()), stands_for)
    return ConditionPredictions(of, outcome.predicted[rows].astype(np.int64), corrected).spread(labels, seen)
