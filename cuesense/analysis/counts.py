"""From predictions to counts: raw and prior-corrected curves, and who is mistaken for whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cuesense.arrays import Bools
from cuesense.predictions.predictions import Predictions
from cuesense.stats.confusions import rivals, sinks, strongest, takers
from cuesense.stats.curves import count, count_unpaired
from cuesense.types import Curve, Perturbation, Rival, Role


@dataclass(frozen=True)
class ClassCounts:
    """Everything that is counted of the curves.

    Attributes:
        raw: Curve per perturbation over the network's own predictions.
        corrected: The same after the prior correction, over the dataset's classes only.
        takers: Per perturbation, severity and class, the output that takes at least half of the lost images, or None.
        rivals: Per class, the outputs that take most of its images: the five largest, and all under augmentations.
        sinks: Per perturbation at its strongest severity, predicted share over prior of each class, (C,).
    """

    raw: dict[str, Curve]
    corrected: dict[str, Curve]
    takers: dict[str, list[list[str | None]]]
    rivals: list[tuple[Rival, ...]]
    sinks: dict[str, NDArray[np.float64]]


def count_predictions(predictions: Predictions) -> ClassCounts:
    """Count predictions.

    Args:
        predictions: What every image was taken for.

    Returns:
        The counts.
    """
    return _Counter(predictions).count()


class _Counter:
    def __init__(self, predictions: Predictions) -> None:
        self.predictions, self.classes = predictions, len(predictions.class_names)
        self.rows = predictions.rows

    def count(self) -> ClassCounts:
        applied = self.predictions.perturbations
        strongest_row = {p.name: self.rows[p.name, len(p.ladder)][0] for p in applied}
        return ClassCounts(
            raw={p.name: self.curve(p, self.predictions.right) for p in applied},
            corrected={p.name: self.curve(p, self.predictions.corrected_right) for p in applied},
            takers={p.name: self.takers(p) for p in applied if p.role is Role.AUGMENTATION},
            rivals=strongest(
                [self.rivals(row, name) for name, row in strongest_row.items()],
                self.classes,
                always={p.name for p in applied if p.role is Role.AUGMENTATION},
            ),
            sinks={name: self.sinks(row) for name, row in strongest_row.items()},
        )

    def curve(self, perturbation: Perturbation, right: Callable[[int], Bools]) -> Curve:
        rows = np.array([self.rows[perturbation.name, severity] for severity in perturbation.severities]).T
        labels = self.predictions.per_condition[0].labels
        if self.predictions.paired:
            changed = np.stack([np.stack([right(row) for row in repeat]) for repeat in rows])
            return count(perturbation, right(0), changed, labels, self.classes, self.seen(rows))
        perturbed = [[(self.predictions.per_condition[row].labels, right(row)) for row in repeat] for repeat in rows]
        return count_unpaired(perturbation, (labels, right(0)), perturbed, self.classes)

    def seen(self, rows: NDArray[np.int64]) -> Bools | None:
        """Return which images were predicted in all repeats of each severity, (S, N), None where all were."""
        every = np.stack([np.all([self.predictions.seen(row) for row in repeats], axis=0) for repeats in rows.T])
        return None if every.all() else every

    def takers(self, perturbation: Perturbation) -> list[list[str | None]]:
        rows = [self.rows[perturbation.name, severity][0] for severity in perturbation.severities]
        return [takers(*self._lost(row), self.classes, self.predictions.output_names) for row in rows]

    def rivals(self, row: int, name: str) -> list[Rival | None]:
        return rivals(*self._lost(row), self.classes, self.predictions.output_names, name)

    def _lost(self, row: int) -> tuple[NDArray[np.int64], Bools, NDArray[np.int64]]:
        """Return predictions, which images are lost, and labels; unpaired images count as right when clean."""
        found, right = self.predictions.per_condition[row], self.predictions.right(row)
        seen = self.predictions.seen(row)
        clean = self.predictions.right(0) if self.predictions.paired else np.ones(len(right), dtype=np.bool_)
        return found.predicted[seen], (clean & ~right)[seen], found.labels[seen]

    def sinks(self, row: int) -> NDArray[np.float64]:
        found, outputs = self.predictions.per_condition[row], list(self.predictions.outputs)
        seen, weights = self.predictions.seen(row), self.predictions.weights(row)
        counts = np.bincount(
            found.predicted[seen], None if weights is None else weights[seen], minlength=max(outputs) + 1
        )[outputs]
        prior = np.bincount(found.labels, minlength=self.classes) / max(1, len(found.labels))
        return sinks(counts, prior)
