"""Predictions of classes whose true shares kept are known, of images that are drawn at random."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

from cuesense.arrays import Floats
from cuesense.perturbations.ablations import COLUMNS, SHAM, TILED, Ablation
from cuesense.predictions.predictions import ConditionPredictions, Predictions
from cuesense.types import Condition, Cue
from tests.helpers.cue_predictions import rungs

MECHANISMS = tuple(dict.fromkeys(ablation for column in COLUMNS for ablation in column.mechanisms))


def sampled(
    shares: Mapping[Ablation, Floats],
    images: int | Floats,
    rng: np.random.Generator,
    *,
    repeats: int = 1,
    paired: bool = True,
    clean: float = 0.94,
    sham: float = 1.0,
) -> Predictions:
    """Return predictions in which each image that is recognized clean stays with the share of its class.

    Args:
        shares: True share kept of every class, (C,), by ablation.
        images: Images of each class.
        rng: Draws the images; an image that stays under one ablation rather stays under the others as well.
        repeats: Draws of each ablation.
        paired: Whether every condition has the same images.
        clean: Share recognized clean.
        sham: Share of these that is recognized under the sham of tiles.
    """
    classes = len(next(iter(shares.values())))
    labels = np.repeat(np.arange(classes), images)
    tiles = SHAM[Cue.SHAPE]
    kinds = rungs(dict.fromkeys((tiles, *shares)))

    def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return rng.random(len(labels)) < clean, rng.random(len(labels)) < sham, rng.standard_normal(len(labels))

    def found(right: np.ndarray) -> ConditionPredictions:
        return ConditionPredictions(labels, np.where(right, labels, classes), np.where(right, labels, -1))

    recognized, survives, strength = drawn()
    conditions, parts = [Condition()], [found(recognized)]
    for ablation, (kind, severity) in kinds.items():
        for repeat in range(repeats):
            if not paired:
                recognized, survives, strength = drawn()
            own = (strength + rng.standard_normal(len(labels))) / np.sqrt(2)
            stays = ndtr(own) < shares[ablation][labels] if ablation in shares else np.ones(len(labels), dtype=bool)
            here = survives if ablation == tiles or ablation in TILED else True
            conditions.append(Condition(kind, severity, repeat))
            parts.append(found(recognized & here & stays))
    names = tuple(f"class {index}" for index in range(classes))
    return Predictions(
        class_names=names,
        output_names=(*names, "other"),
        outputs=tuple(range(classes)),
        sample_ids=[str(number) for number in range(len(labels))],
        perturbations=tuple({kind.name: kind for kind, _ in kinds.values()}.values()),
        conditions=tuple(conditions),
        per_condition=tuple(parts),
        paired=paired,
        side=64,
    )


def true_columns(shares: Mapping[Ablation, Floats]) -> dict[str, Floats]:
    """Return the true share of every class, (C,), in every column."""
    return {
        column.name: (np.max if column.combined == "best" else np.mean)(
            [shares[ablation] for ablation in column.mechanisms], axis=0
        )
        for column in COLUMNS
    }
