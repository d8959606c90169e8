"""Synthetic profiles with graded answers: what the classes keep and to which cue they lean, with plausible numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from cuesense.schemas.base import UNKNOWN, Estimate
from cuesense.schemas.profile import (
    ClassModel,
    ColumnModel,
    KeptModel,
    LeanModel,
    LeanSummary,
    PairsModel,
    Profile,
    SharpenModel,
)
from cuesense.types import Cue
from tests.helpers import profiles

COLUMNS = (
    *((f"without_{cue.value}", cue, False) for cue in Cue),
    *((f"{cue.value}_alone", cue, True) for cue in Cue),
)


def graded(classes: int = 12, *, half: float = 0.13, seed: int = 0, **options: Any) -> Profile:
    """Return a profile with graded answers; classes without images have none.

    Args:
        classes: Number of classes.
        half: Half of the width of every interval.
        seed: Seed of all numbers.
        options: As of profiles.profile.
    """
    source = profiles.profile(classes, seed=seed, **options)
    shares = np.random.default_rng(seed).random((len(COLUMNS), classes)).round(2)
    reliance = (1 - shares[:3] + shares[3:]) / 2
    present = [entry.index for entry in source.classes if entry.images]
    leans = (reliance - (reliance[:, present].mean(axis=1, keepdims=True) if present else 0)).round(3)
    others = len(present) - 1
    classes_with_answers = [
        _answered(entry, shares[:, entry.index], leans[:, entry.index], half, others) if entry.images else entry
        for entry in source.classes
    ]
    return with_summary(
        source.model_copy(update={"classes": classes_with_answers}),
        columns={name: _column(name, cue, alone=alone) for name, cue, alone in COLUMNS},
        lean={cue: _order(cue) for cue in Cue},
        pairs=PairsModel(pairs=max(others * (others + 1) // 2, 0), sentence="None of the pairs differ."),
        sharpen=_sharpen(source) if others > 0 else [],
    )


def with_summary(source: Profile, **changes: Any) -> Profile:
    """Return a profile with other fields in its graded summary."""
    graded_summary = source.summary.graded.model_copy(update=changes)
    return source.model_copy(update={"summary": source.summary.model_copy(update={"graded": graded_summary})})


def _column(name: str, cue: Cue, *, alone: bool) -> ColumnModel:
    mean = Estimate(value=0.5, low=0.45, high=0.55)
    return ColumnModel(cue=cue, alone=alone, mean=mean, reliability=0.9, sentence=f"Sentence of {name}.")


def _order(cue: Cue) -> LeanSummary:
    return LeanSummary(mean=Estimate(value=0.5, low=0.4, high=0.6), rank_reliability=0.9, sentence=f"By {cue.value}.")


def _sharpen(source: Profile) -> list[SharpenModel]:
    first, second = (entry.name for entry in source.classes[:2])
    sentence = f"30 more images a class would separate {first} from {second} in color."
    return [SharpenModel(cue=Cue.COLOR, first=first, second=second, more_images=30, sentence=sentence)]


def _answered(entry: ClassModel, shares: Any, leans: Any, half: float, others: int) -> ClassModel:
    kept = {
        name: KeptModel(value=share, low=max(share - half, 0), high=min(share + half, 1), images=entry.images)
        for (name, _, _), share in zip(COLUMNS, shares.tolist(), strict=True)
    }
    unknown = LeanModel(**UNKNOWN.model_dump())
    lean = {
        cue: LeanModel(value=value, low=value - half, high=value + half, of=others, reliance=_known(part, half / 4))
        if others > 0
        else unknown
        for cue, value, part in zip(Cue, leans.tolist(), ((1 - shares[:3] + shares[3:]) / 2).tolist(), strict=True)
    }
    return entry.model_copy(update={"kept": kept, "lean": lean})


def _known(value: float, half: float) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half)
