"""Where each number of the graded answer stands in the profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from cuesense.analysis.cue_sentences import ablation_name
from cuesense.analysis.graded import Graded, GradedColumn, GradedCue
from cuesense.analysis.graded_sentences import (
    column_sentence,
    cue_sentence,
    lean_sentence,
    left,
    pairs_sentence,
    sharpen_sentence,
)
from cuesense.analysis.sharpen import sharpenings
from cuesense.arrays import Floats, Ints
from cuesense.perturbations.ablations import COLUMNS, CUES, Ablation, Column
from cuesense.schemas.base import UNKNOWN, Estimate
from cuesense.schemas.profile import (
    ColumnModel,
    GradedSummary,
    KeptModel,
    LeanModel,
    LeanSummary,
    PairsModel,
    SharpenModel,
)
from cuesense.schemas.profile_graded import order_of_lean
from cuesense.types import Cue, Interval

# Digits that are kept: one more image of a thousand changes the third. More would print rounding errors, which differ
# between machines.
_DIGITS = 6
_NOTHING = UNKNOWN.model_dump()


def graded_summary(found: Graded, class_names: Sequence[str], images: Ints) -> GradedSummary:
    """Return the graded answer over all classes.

    Args:
        found: The answer.
        class_names: Names of the C classes.
        images: Clean images of each class, (C,).
    """
    order = order_of_lean(class_leans(found, len(class_names)))
    sharper = sharpenings(list(found.cues.values()), images)
    return GradedSummary(
        columns={column.name: _column(column, found.columns.get(column.name), found.guessing) for column in COLUMNS},
        lean={cue: _cue(cue, found.cues.get(cue)) for cue in CUES},
        guessing=_number(found.guessing),
        pairs=PairsModel(pairs=found.pairs, told_apart=found.told_apart, sentence=pairs_sentence(found)),
        sharpen=[
            SharpenModel(
                cue=entry.cue,
                first=class_names[entry.first],
                second=class_names[entry.second],
                more_images=entry.more_images,
                sentence=sharpen_sentence(entry, class_names[entry.first], class_names[entry.second]),
            )
            for entry in sharper
        ],
        order=[class_names[at] for at in order],
    )


def class_kept(found: Graded, index: int) -> dict[str, KeptModel]:
    """Return what one class keeps, in every column; null where the column was not measured.

    Args:
        found: The answer.
        index: Which class, from 0.
    """
    return {column.name: _kept(found.columns.get(column.name), index) for column in COLUMNS}


def class_leans(found: Graded, classes: int) -> list[dict[Cue, LeanModel]]:
    """Return to which cues every class leans; null for a cue of which nothing was measured.

    Args:
        found: The answer.
        classes: Number of classes C.
    """
    unknown = [LeanModel(**_NOTHING)] * classes
    by_cue = {cue: _leans(found.cues[cue]) if cue in found.cues else unknown for cue in CUES}
    return [{cue: leans[index] for cue, leans in by_cue.items()} for index in range(classes)]


def _kept(column: GradedColumn | None, index: int) -> KeptModel:
    if column is None:
        return KeptModel(**_NOTHING)
    shares, kept = column.shares, column.kept
    best = None
    if kept.column.combined == "best" and len(kept.mechanisms) > 1 and not np.isnan(kept.share[index]):
        best = _named(kept.mechanisms[int(np.argmax(kept.weights[:, index]))])
    return KeptModel(
        **_estimate(shares.value, shares.low, shares.high, index),
        observed=_number(kept.share[index]),
        images=int(np.rint(np.nan_to_num(kept.images[index]))),
        mechanism=best,
    )


def _leans(found: GradedCue) -> list[LeanModel]:
    ranks = {index: rank for rank, index in enumerate(found.order, start=1)}
    lean, reliance = found.lean, found.bounded_reliance
    return [
        LeanModel(
            **_estimate(*lean, index),
            reliance=Estimate(**_estimate(*reliance, index)),
            rank=ranks.get(index) if found.of else None,
            above=int(found.above[index]),
            below=int(found.below[index]),
            of=found.of if index in ranks else 0,
            top_fifth=_number(found.top_fifth[index]) if found.of else None,
            sentence=lean_sentence(found, index),
        )
        for index in range(len(found.seen))
    ]


def _column(column: Column, found: GradedColumn | None, guessing: float) -> ColumnModel:
    if found is None:
        needed = " or ".join(map(ablation_name, column.mechanisms))
        sentence = f"What is kept {left(column)} was not measured: it needs {needed}."
        return ColumnModel(cue=column.cue, alone=column.alone, combined=column.combined, sentence=sentence)
    return ColumnModel(
        cue=column.cue,
        alone=column.alone,
        mechanisms=[_named(ablation) for ablation in found.kept.mechanisms],
        combined=column.combined,
        mean=Estimate(
            **{name: value if value is None else round(value, _DIGITS) for name, value in vars(found.mean).items()}
        ),
        spread=_number(found.spread),
        reliability=_number(found.reliability),
        alike=found.alike,
        sentence=column_sentence(found, guessing),
    )


def _cue(cue: Cue, found: GradedCue | None) -> LeanSummary:
    if found is None:
        return LeanSummary(sentence=f"Nothing was measured without {cue} or on {cue} alone.")
    center, half = found.reliance.mean, found.half * np.sqrt(found.reliance.mean_variance)
    bounds = np.clip([center, center - half, center + half], 0, 1)
    return LeanSummary(
        mean=Estimate(value=_number(bounds[0]), low=_number(bounds[1]), high=_number(bounds[2])),
        spread=_number(found.spread),
        rank_reliability=_number(found.rank_reliability),
        sentence=cue_sentence(found),
    )


def _bounded(found: Interval) -> Estimate:
    return Estimate(**{name: None if part is None else round(part, _DIGITS) for name, part in asdict(found).items()})


def _named(ablation: Ablation) -> str:
    return f"{ablation.perturbation} {ablation.value:g}"


def _estimate(value: Floats, low: Floats, high: Floats, index: int) -> dict[str, float | None]:
    return {"value": _number(value[index]), "low": _number(low[index]), "high": _number(high[index])}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), _DIGITS)
