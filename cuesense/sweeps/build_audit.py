"""From a sweep to its audit: harm, choices, rivals and cues in one result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from scipy.special import stdtrit

from cuesense.schemas.audit import Audit, ClassAudit, CueHarm, Price, RivalResult
from cuesense.stats.confusions import sinks
from cuesense.sweeps.losses import ClassLosses, class_losses
from cuesense.sweeps.rivals import taken
from cuesense.sweeps.strength_choice import Choices, choose
from cuesense.sweeps.sweep import Floats, PerImagePredictions, Sweep, format_strength
from cuesense.types import CueVerdict

_ONE_SEED = (
    "No strength has two runs: how accuracies vary over seeds is not known, so no loss can be told from chance. "
    "Train each strength with two seeds or more, better five."
)
_FEW_SEEDS = "Strengths have {runs} runs or fewer: bounds are wide. Five seeds or more tell smaller losses."
_ENOUGH = 3
_MANY = 5
_LISTED = 8
_UNSTABLE = 4.0
_SINK = 1.5


def build_audit(
    sweep: Sweep,
    *,
    tolerance: float,
    confidence: float,
    source: Mapping[str, Any],
    cues: Mapping[str, CueVerdict] | None = None,
    similarity: Floats | None = None,
) -> Audit:
    """Say who pays for the average.

    Args:
        sweep: The runs.
        tolerance: Accuracy that a class may lose against its own best strength, a fraction in (0, 1).
        confidence: Level of intervals and bounds, in (0.5, 1).
        source: What the runs are, as JSON values.
        cues: What a model relies on for each class, by name, from a profile.
        similarity: Cosines between the answers' directions, (K, K), for what rivals are.
    """
    found = class_losses(sweep, confidence)
    chosen = choose(sweep, found, tolerance, confidence)
    classes = [_class(sweep, found, chosen, index, cues or {}, similarity) for index in range(len(sweep.class_names))]
    worst = np.nanargmin(found.accuracy, axis=1)
    named = [entry.harmed for entry in classes if entry.harmed is not None]
    gaining = [entry.gains for entry in classes if entry.gains is not None]
    return Audit(
        regularizer=sweep.regularizer,
        strengths=list(sweep.strengths),
        runs=sweep.runs.tolist(),
        tolerance=tolerance,
        confidence=confidence,
        chosen_by_mean=sweep.strengths[chosen.by_mean],
        chosen_by_worst_class=sweep.strengths[chosen.by_worst_class],
        chosen_unharmed=_strength(sweep, chosen.unharmed),
        chosen_safe=_strength(sweep, chosen.safe),
        safety=list(chosen.safety),
        seeds_needed=chosen.seeds_needed,
        mean_accuracy=_rounded(found.mean),
        mean_low=_numbers(np.maximum(found.mean - found.mean_spread, 0)),
        mean_high=_numbers(np.minimum(found.mean + found.mean_spread, 1)),
        worst_class_accuracy=_rounded(np.nanmin(found.accuracy, axis=1)),
        worst_class=[sweep.class_names[index] for index in worst],
        price=Price(
            by_worst_class=_price(found, chosen, chosen.by_worst_class),
            unharmed=_price(found, chosen, chosen.unharmed),
            safe=_price(found, chosen, chosen.safe),
        ),
        harmed=sum(named) if named else None,
        gaining=sum(gaining) if gaining else None,
        classes=classes,
        cues=_by_cue(classes, confidence),
        source={"cuesense": version("cuesense"), **source},
        warnings=_warnings(sweep, found, chosen) + _sinks(sweep, classes),
    )


def _class(
    sweep: Sweep,
    found: ClassLosses,
    chosen: Choices,
    index: int,
    cues: Mapping[str, CueVerdict],
    similarity: Floats | None,
) -> ClassAudit:
    at, losses, name = chosen.by_mean, found.losses, sweep.class_names[index]
    present = bool(np.isfinite(found.accuracy[:, index]).all())
    known = present and bool(np.isfinite(losses.low[at, index]))
    best = int(found.compared[np.argmax(found.accuracy[found.compared, index])]) if present else None
    center, half = found.accuracy[:, index], found.spread[:, index]
    return ClassAudit(
        index=index,
        name=name,
        n=int(np.median(sweep.images[:, index])),
        seeds=int(sweep.runs[at]),
        harmed=bool(losses.low[at, index] > 0) if known else None,
        loss=_number(losses.value[at, index]),
        low=_number(losses.low[at, index]),
        high=_number(min(losses.high[at, index], 1.0)),
        detectable=_number(losses.detectable[at, index]),
        best_strength=_strength(sweep, best),
        loss_at_strongest=_number(losses.value[-1, index]),
        gains=bool(found.gains[at, index]) if known else None,
        gain=_number(found.gain[at, index]),
        loss_accepted=None if best is None else _loss_accepted(sweep, index, at, best),
        cue=cues.get(name),
        harmed_at=[sweep.strengths[place] for place in np.flatnonzero(np.nan_to_num(losses.low[:, index]) > 0)],
        rivals=[] if best is None else _rivals(sweep, index, at, best, similarity),
        accuracy=_numbers(center),
        accuracy_low=_numbers(np.maximum(center - half, 0)),
        accuracy_high=_numbers(np.minimum(center + half, 1)),
    )


def _rivals(sweep: Sweep, index: int, at: int, best: int, similarity: Floats | None) -> list[RivalResult]:
    if sweep.pictures is None or best == at:
        return []
    before, after = (np.flatnonzero(sweep.strength_of == place) for place in (best, at))
    return [
        RivalResult(
            rival=sweep.pictures.answers[entry.rival],
            share=round(entry.share, 6),
            kind=entry.kind,
            similarity=None if entry.similarity is None else round(entry.similarity, 4),
            both=None if entry.both is None else round(entry.both, 6),
        )
        for entry in taken(sweep.pictures, index, before, after, similarity)
    ]


def _loss_accepted(sweep: Sweep, index: int, at: int, best: int) -> float | None:
    """Return the loss where every accepted label counts as right, None without annotations."""
    pictures = sweep.pictures
    if pictures is None or pictures.accepted is None:
        return None
    own = np.flatnonzero(pictures.labels == index)
    right = [_accepted(pictures, own, np.flatnonzero(sweep.strength_of == place)) for place in (best, at)]
    return round(right[0] - right[1], 6)


def _accepted(pictures: PerImagePredictions, images: np.ndarray, runs: np.ndarray) -> float:
    answers = pictures.predicted[np.ix_(runs, images)]
    return float(np.asarray(pictures.accepted)[images[None], answers].mean())


def _by_cue(classes: Sequence[ClassAudit], confidence: float) -> list[CueHarm]:
    """Return the mean loss of the classes that rely on each cue, with Student's interval over classes."""
    found = []
    for cue in CueVerdict:
        own = [entry for entry in classes if entry.cue is cue and entry.loss is not None]
        if own:
            losses = np.array([[entry.loss or 0.0, entry.loss_at_strongest or 0.0] for entry in own])
            mean, half = losses.mean(axis=0), _half(losses, confidence)
            low, high = np.maximum(mean - half, 0), np.minimum(mean + half, 1)
            found.append(
                CueHarm(
                    cue=cue,
                    classes=len(own),
                    harmed=sum(bool(entry.harmed) for entry in own),
                    loss=round(float(mean[0]), 6),
                    low=_number(low[0]),
                    high=_number(high[0]),
                    loss_at_strongest=round(float(mean[1]), 6),
                    strongest_low=_number(low[1]),
                    strongest_high=_number(high[1]),
                )
            )
    return found


def _half(values: Floats, confidence: float) -> Floats:
    count = len(values)
    if count < 2:
        return np.full(values.shape[1], np.nan)
    found: Floats = stdtrit(count - 1, (1 + confidence) / 2) * values.std(axis=0, ddof=1) / np.sqrt(count)
    return found


def _warnings(sweep: Sweep, found: ClassLosses, chosen: Choices) -> list[str]:
    """Return what keeps the audit from being what it seems."""
    warnings = list(sweep.remarks)
    most = int(sweep.runs.max())
    if most < 2:
        warnings.append(_ONE_SEED)
    elif sweep.runs.min() < 2:
        names = ", ".join(format_strength(sweep.strengths[place]) for place in np.flatnonzero(sweep.runs < 2)[:_LISTED])
        warnings.append(f"Strengths of one run ({names}) are not compared: how their accuracies vary is not known.")
    elif most < _ENOUGH:
        warnings.append(_FEW_SEEDS.format(runs=most))
    empty = [name for name, images in zip(sweep.class_names, sweep.images.max(axis=0), strict=True) if images == 0]
    if empty:
        total = len(sweep.class_names)
        warnings.append(f"No test images for {len(empty)} of {total} classes, the first of them '{empty[0]}'.")
    rivals = [place for place in np.flatnonzero(found.as_good).tolist() if place != chosen.by_mean]
    if rivals and most > 1:
        tied = [format_strength(sweep.strengths[place]) for place in rivals]
        more = f" and {len(tied) - _LISTED} more" if len(tied) > _LISTED else ""
        others = ", ".join(tied[:_LISTED]) + more
        warnings.append(
            f"The average does not tell {others} from the chosen {format_strength(sweep.strengths[chosen.by_mean])}."
        )
    return warnings + _unstable(sweep, found)


def _unstable(sweep: Sweep, found: ClassLosses) -> list[str]:
    """Say where seeds matter much more at one strength than elsewhere and are few."""
    if sweep.runs.max() < 2 or sweep.runs.min() >= _MANY:
        return []
    spread = np.exp(np.nanmean(np.log(found.noise.ratio[found.compared]), axis=1))
    worst, usual = int(spread.argmax()), float(np.median(spread))
    if spread[worst] < _UNSTABLE * usual:
        return []
    strength = format_strength(sweep.strengths[found.compared[worst]])
    times = f"{spread[worst] / usual:.0f} times as much at {strength} as elsewhere"
    return [f"Accuracies vary over seeds {times}: with fewer than {_MANY} seeds its bounds may be too narrow."]


def _sinks(sweep: Sweep, classes: Sequence[ClassAudit]) -> list[str]:
    """Name harmed classes that are best where a network takes too much for them: that best is others' loss."""
    pictures = sweep.pictures
    if pictures is None:
        return []
    names, count = [], len(pictures.answers)
    prior = np.bincount(pictures.labels, minlength=count) / len(pictures.labels)
    for entry in classes:
        if entry.harmed and entry.best_strength is not None:
            runs = sweep.strength_of == sweep.strengths.index(entry.best_strength)
            times = sinks(np.bincount(pictures.predicted[runs].ravel(), minlength=count), prior)[entry.index]
            if times >= _SINK:
                names.append(f"{entry.name} ({times:.1f} times at {format_strength(entry.best_strength)})")
    if not names:
        return []
    what = "Harmed classes that are predicted much more often than they occur where they are best"
    return [f"{what}, so that their best is in part other classes' loss: {', '.join(names[:_LISTED])}."]


def _price(found: ClassLosses, chosen: Choices, place: int | None) -> float | None:
    return None if place is None else round(float(found.mean[chosen.by_mean] - found.mean[place]), 6)


def _strength(sweep: Sweep, place: int | None) -> float | str | None:
    return None if place is None else sweep.strengths[place]


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), 6) for value in values]


def _numbers(values: Floats) -> list[float | None]:
    return [_number(value) for value in values]


def _number(value: float) -> float | None:
    return round(float(value), 6) + 0.0 if np.isfinite(value) else None
