"""The audit of a sweep: losses, chosen strengths, rivals and cues in one result, with warnings and rounded numbers.

``losses``, ``strength_choice`` and ``rivals`` compute; this module puts their numbers into the fields of
``schemas.audit`` and says in words what limits them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from scipy.special import stdtrit

from cuesense.arrays import Floats, Ints
from cuesense.schemas.audit import Audit, ClassAudit, CueHarm, Price, RivalResult, StrengthDirection
from cuesense.stats.confusions import sinks
from cuesense.sweeps.direction import Direction
from cuesense.sweeps.losses import ClassLosses, class_losses
from cuesense.sweeps.rivals import find_rivals
from cuesense.sweeps.strength_choice import Choices, choose
from cuesense.sweeps.sweep import PerImagePredictions, Sweep, format_strength
from cuesense.types import CueVerdict

_ONE_SEED = (
    "No strength has two runs: how accuracies vary over seeds is not known, so no loss can be told from chance. "
    "Train each strength with two seeds or more, better five."
)
_FEW_SEEDS = "Strengths have {runs} runs or fewer: bounds are wide. Five seeds or more tell smaller losses."
# With two runs a strength has one degree of freedom of its own. Chosen by hand; not tuned.
_ENOUGH_RUNS = 3
# Below five seeds an unstable strength makes bounds too narrow: of such sweeps 26 % name a class falsely with two
# seeds, 14 % with three, 8 % with five (benchmarks/audits.py few; docs/method.md, section 6).
_MANY_RUNS = 5
# A strength is unstable where accuracies vary over seeds at least four times as much (in variance, that is twice in
# standard deviation) as at the median strength. In the benchmark's hard cases seeds add 25 to 100 times the
# variance. Chosen by hand; not tuned.
_UNSTABLE = 4.0
# A class predicted 1.5 times as often as it occurs owes its recall in part to other classes' images. Chosen by hand;
# the sinks of docs/method.md, predictions under a perturbation, start at 5.
_SINK = 1.5
# Names that a warning lists, and decimal places of all fractions in the JSON. Chosen by hand, for reading.
_LISTED = 8
_DECIMALS = 6


def build_audit(
    sweep: Sweep,
    *,
    tolerance: float,
    confidence: float,
    source: Mapping[str, Any],
    cues: Mapping[str, CueVerdict] | None = None,
    similarity: Floats | None = None,
) -> Audit:
    """Report which classes lose accuracy at the strength with the best mean accuracy, and which strengths are safe.

    Args:
        sweep: The runs.
        tolerance: Accuracy that a class may lose against its own best strength, a fraction in (0, 1).
        confidence: Level of intervals and bounds, in (0.5, 1).
        source: Where the runs come from, as JSON values.
        cues: The cue that a model relies on for each class, by class name, from a profile.
        similarity: Cosines between the directions of the K outputs, (K, K), for the kinds of rivals.

    Returns:
        The audit, with fractions rounded to six decimal places.
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
        direction=_direction(sweep.direction),
        runs=sweep.runs.tolist(),
        tolerance=tolerance,
        confidence=confidence,
        chosen_by_mean=sweep.strengths[chosen.by_mean],
        chosen_by_worst_class=sweep.strengths[chosen.by_worst_class],
        chosen_unharmed=_strength(sweep, chosen.unharmed),
        chosen_safe=_strength(sweep, chosen.safe),
        safety=list(chosen.safety),
        seeds_needed=chosen.seeds_needed,
        mean_accuracy=[_rounded(value) for value in found.mean],
        mean_low=_numbers(np.maximum(found.mean - found.mean_spread, 0)),
        mean_high=_numbers(np.minimum(found.mean + found.mean_spread, 1)),
        worst_class_accuracy=[_rounded(value) for value in np.nanmin(found.accuracy, axis=1)],
        worst_class=[sweep.class_names[index] for index in worst],
        price=Price(
            by_worst_class=_accuracy_cost(found, chosen, chosen.by_worst_class),
            unharmed=_accuracy_cost(found, chosen, chosen.unharmed),
            safe=_accuracy_cost(found, chosen, chosen.safe),
        ),
        harmed=sum(named) if named else None,
        gaining=sum(gaining) if gaining else None,
        classes=classes,
        cues=_by_cue(classes, confidence),
        source={"cuesense": version("cuesense"), **source},
        warnings=_warnings(sweep, found, chosen, classes),
    )


def _direction(known: Direction | None) -> StrengthDirection | None:
    return None if known is None else StrengthDirection(order=known.order, because=known.because)


def _class(
    sweep: Sweep,
    found: ClassLosses,
    chosen: Choices,
    index: int,
    cues: Mapping[str, CueVerdict],
    similarity: Floats | None,
) -> ClassAudit:
    """Return one class: its loss at the strength with the best mean accuracy, its rivals, its accuracies."""
    at, losses, name = chosen.by_mean, found.losses, sweep.class_names[index]
    present = bool(np.isfinite(found.accuracy[:, index]).all())
    known = present and bool(np.isfinite(losses.low[at, index]))
    # Only strengths whose noise is known may be the best: one lucky run would make every other strength a loss.
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
        harmed_at=[sweep.strengths[shown] for shown in np.flatnonzero(np.nan_to_num(losses.low[:, index]) > 0)],
        rivals=[] if best is None else _rivals(sweep, index, at, best, similarity),
        accuracy=_numbers(center),
        accuracy_low=_numbers(np.maximum(center - half, 0)),
        accuracy_high=_numbers(np.minimum(center + half, 1)),
    )


def _rivals(sweep: Sweep, index: int, at: int, best: int, similarity: Floats | None) -> list[RivalResult]:
    """Return the rivals of a class from its best strength to the chosen one; none where images are not known."""
    if sweep.per_image is None or best == at:
        return []
    before, after = (np.flatnonzero(sweep.strength_of == strength) for strength in (best, at))
    return [
        RivalResult(
            rival=sweep.per_image.output_names[entry.rival],
            share=_rounded(entry.share),
            kind=entry.kind,
            similarity=None if entry.similarity is None else round(entry.similarity, 4),
            both=None if entry.both is None else _rounded(entry.both),
        )
        for entry in find_rivals(sweep.per_image, index, before, after, similarity)
    ]


def _loss_accepted(sweep: Sweep, index: int, at: int, best: int) -> float | None:
    """Return the loss where every accepted label counts as right, None without annotations."""
    per_image = sweep.per_image
    if per_image is None or per_image.accepted is None:
        return None
    own = np.flatnonzero(per_image.labels == index)
    right = [_accepted(per_image, own, np.flatnonzero(sweep.strength_of == strength)) for strength in (best, at)]
    return _rounded(right[0] - right[1])


def _accepted(per_image: PerImagePredictions, images: Ints, runs: Ints) -> float:
    """Return the share of predictions of some runs for some images that are an accepted label."""
    predicted = per_image.predicted[np.ix_(runs, images)]
    return float(np.asarray(per_image.accepted)[images[None], predicted].mean())


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
                    loss=_rounded(mean[0]),
                    low=_number(low[0]),
                    high=_number(high[0]),
                    loss_at_strongest=_rounded(mean[1]),
                    strongest_low=_number(low[1]),
                    strongest_high=_number(high[1]),
                )
            )
    return found


def _half(values: Floats, confidence: float) -> Floats:
    """Return half of Student's interval of the means over rows; NaN for one row."""
    count = len(values)
    if count < 2:
        return np.full(values.shape[1], np.nan)
    found: Floats = stdtrit(count - 1, (1 + confidence) / 2) * values.std(axis=0, ddof=1) / np.sqrt(count)
    return found


def _warnings(sweep: Sweep, found: ClassLosses, chosen: Choices, classes: Sequence[ClassAudit]) -> list[str]:
    """Return what limits the audit, one sentence each, in the order of the page."""
    return [
        *sweep.remarks,
        *_few_runs(sweep),
        *_without_images(sweep),
        *_as_good(sweep, found, chosen),
        *_unstable(sweep, found),
        *_best_as_sink(sweep, classes),
    ]


def _few_runs(sweep: Sweep) -> list[str]:
    """Return a warning where strengths have too few runs for bounds, or for narrow ones."""
    most = int(sweep.runs.max())
    if most < 2:
        return [_ONE_SEED]
    if sweep.runs.min() < 2:
        names = _strengths(sweep, np.flatnonzero(sweep.runs < 2))
        return [f"Strengths of one run ({_first(names)}) are not compared: how their accuracies vary is not known."]
    return [_FEW_SEEDS.format(runs=most)] if most < _ENOUGH_RUNS else []


def _without_images(sweep: Sweep) -> list[str]:
    """Return a warning where classes have no test images."""
    empty = [name for name, images in zip(sweep.class_names, sweep.images.max(axis=0), strict=True) if images == 0]
    total = len(sweep.class_names)
    return [f"No test images for {len(empty)} of {total} classes, the first of them '{empty[0]}'."] if empty else []


def _as_good(sweep: Sweep, found: ClassLosses, chosen: Choices) -> list[str]:
    """Return a warning where other strengths' mean accuracies are not shown to be below the chosen one's."""
    tied = _strengths(sweep, np.setdiff1d(np.flatnonzero(found.as_good), chosen.by_mean))
    if not tied or sweep.runs.max() < 2:
        return []
    more = f" and {len(tied) - _LISTED} more" if len(tied) > _LISTED else ""
    best = format_strength(sweep.strengths[chosen.by_mean])
    return [f"The average does not distinguish {_first(tied)}{more} from the chosen {best}."]


def _unstable(sweep: Sweep, found: ClassLosses) -> list[str]:
    """Return a warning where accuracies vary over seeds much more at one strength than elsewhere and seeds are few."""
    if sweep.runs.max() < 2 or sweep.runs.min() >= _MANY_RUNS:
        return []
    # Geometric means: ratios of variances are skewed, and one class must not decide.
    spread = np.exp(np.nanmean(np.log(found.noise.ratio[found.compared]), axis=1))
    worst, usual = int(spread.argmax()), float(np.median(spread))
    if spread[worst] < _UNSTABLE * usual:
        return []
    strength = format_strength(sweep.strengths[found.compared[worst]])
    times = f"{spread[worst] / usual:.0f} times as much at {strength} as elsewhere"
    return [f"Accuracies vary over seeds {times}: with fewer than {_MANY_RUNS} seeds its bounds may be too narrow."]


def _best_as_sink(sweep: Sweep, classes: Sequence[ClassAudit]) -> list[str]:
    """Return a warning that names harmed classes whose best recall comes with too many predictions of the class."""
    per_image = sweep.per_image
    if per_image is None:
        return []
    names, count = [], len(per_image.output_names)
    prior = np.bincount(per_image.labels, minlength=count) / len(per_image.labels)
    for entry in classes:
        if entry.harmed and entry.best_strength is not None:
            runs = sweep.strength_of == sweep.strengths.index(entry.best_strength)
            times = sinks(np.bincount(per_image.predicted[runs].ravel(), minlength=count), prior)[entry.index]
            if times >= _SINK:
                names.append(f"{entry.name} ({times:.1f} times at {format_strength(entry.best_strength)})")
    if not names:
        return []
    what = "Harmed classes that are predicted much more often than they occur where they are best"
    return [f"{what}, so that part of their accuracy there is taken from other classes: {_first(names)}."]


def _accuracy_cost(found: ClassLosses, chosen: Choices, index: int | None) -> float | None:
    """Return the mean accuracy that another choice gives up against the best mean accuracy."""
    return None if index is None else _rounded(found.mean[chosen.by_mean] - found.mean[index])


def _strength(sweep: Sweep, index: int | None) -> float | str | None:
    return None if index is None else sweep.strengths[index]


def _strengths(sweep: Sweep, indices: Ints) -> list[str]:
    return [format_strength(sweep.strengths[index]) for index in indices]


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:_LISTED])


def _numbers(values: Floats) -> list[float | None]:
    return [_number(value) for value in values]


def _number(value: float) -> float | None:
    """Return a JSON number, None for NaN and infinity; the sum turns a rounded -0.0 into 0.0."""
    return _rounded(value) + 0.0 if np.isfinite(value) else None


def _rounded(value: float) -> float:
    return round(float(value), _DECIMALS)
