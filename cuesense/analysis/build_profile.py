"""From predictions to the profile: the analysis, and where each of its numbers stands in the JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from cuesense.analysis.contradictions import contradiction
from cuesense.analysis.counts import ClassCounts, count_predictions
from cuesense.analysis.cues import FALSE_DISCOVERY, RULE, SINK_RATIO, certainty, name_cues, usable
from cuesense.analysis.evidence import gather
from cuesense.analysis.graded import Graded, grade
from cuesense.analysis.graded_profile import class_kept, class_leans, graded_summary
from cuesense.analysis.groups import ALL, GroupCues, group_cues
from cuesense.analysis.hypotheses import VERDICTS
from cuesense.analysis.shape_scale import ShapeScale, shape_scales
from cuesense.arrays import Floats
from cuesense.errors import listed, readable_name
from cuesense.policies.budgets import Levels, as_certified, budget, shared_budget
from cuesense.predictions.predictions import Predictions
from cuesense.schemas.base import Estimate
from cuesense.schemas.profile import (
    SINK_WARNING,
    ClassModel,
    Counts,
    CueModel,
    CurveModel,
    GlobalBudget,
    GradedSummary,
    GroupModel,
    PolicyModel,
    Profile,
    Provenance,
    RivalModel,
    ShapeScaleModel,
    Summary,
    UnpairedCounts,
    VerdictRule,
    budget_model,
)
from cuesense.types import Budget, ClassCue, CueEvidence, CueVerdict, Curve, Interval, Perturbation, Role

# Names that a warning lists before it counts the rest.
_LISTED = 10


def build_profile(
    provenance: Provenance,
    class_names: Sequence[str],
    result: AnalysisResult,
    *,
    levels: Levels,
    side: int | None,
    warnings: Sequence[str],
) -> Profile:
    """Put a profile together.

    Args:
        provenance: Where the numbers come from.
        class_names: Readable names of the C classes.
        result: What the predictions show.
        levels: The accepted accuracy drop, the level of intervals, and the risk of a budget.
        side: Shorter side of the network's input in pixels, or None where it is not known.
        warnings: What the user should know, in sentences.

    Returns:
        The profile.
    """
    counts, cues, budgets = result.counts, result.cues, result.budgets
    first = next(iter(counts.raw.values()))
    tested = zip(first.clean_correct.tolist(), first.n.tolist(), strict=True)
    accuracy = [correct / n if n else None for correct, n in tested]
    leans = class_leans(result.graded, len(class_names))
    return Profile(
        provenance=provenance,
        summary=_summary(first, accuracy, cues, warnings, graded_summary(result.graded, class_names, first.n)),
        curves=[_curve(curve, counts.corrected[name], side) for name, curve in counts.raw.items()],
        classes=[
            ClassModel(
                index=index,
                name=name,
                images=int(first.n[index]),
                clean_accuracy=accuracy[index],
                cue=cues[index].cue,
                probabilities={verdict: round(p, 6) for verdict, p in cues[index].probabilities.items()},
                reliance={cue: _cue(found) for cue, found in cues[index].evidence.items()},
                flags=cues[index].flags,
                why=f"{name} {cues[index].why}.",
                budgets={augmentation: budget_model(of_class[index]) for augmentation, of_class in budgets.items()},
                rivals=[
                    RivalModel(rival=rival.rival, perturbation=rival.perturbation, share=rival.share)
                    for rival in counts.rivals[index]
                ],
                kept=class_kept(result.graded, index),
                lean=leans[index],
                shape_scale=ShapeScaleModel(**asdict(scale.tile), sentence=scale.sentence),
            )
            for index, (name, scale) in enumerate(zip(class_names, result.shape_scales, strict=True))
        ],
        groups=[_group(group, class_names, first.n) for group in result.groups],
        labeling=VerdictRule(
            certainty=float(result.certain.min()),
            false_discovery=FALSE_DISCOVERY,
            confidence=levels.confidence,
            rule=RULE,
        ),
        policy=PolicyModel(
            tolerance=levels.tolerance,
            confidence=levels.confidence,
            risk=levels.risk,
            global_={name: _global(of_class, counts.raw[name], class_names) for name, of_class in budgets.items()},
            per_class={
                name: {augmentation: of_class[index].value for augmentation, of_class in budgets.items()}
                for index, name in enumerate(class_names)
            },
        ),
    )


def data_warnings(
    known: Sequence[str],
    class_names: Sequence[str],
    images_per_class: Sequence[int],
    skipped: Sequence[tuple[str, str]],
    ratios: Mapping[str, np.ndarray],
    *,
    corrected: bool = True,
) -> list[str]:
    """Return what the user should know about model and data.

    Args:
        known: What is known already; it comes first.
        class_names: Readable names of the C classes.
        images_per_class: Readable images of each class.
        skipped: Id and reason of every image that could not be decoded.
        ratios: Per perturbation at its strongest severity, predicted share over prior of each class.
        corrected: Whether the cue verdicts are corrected for sink classes.

    Returns:
        Sentences.
    """
    warnings = list(known)
    if skipped:
        reasons = "; ".join(f"{name} ({reason})" for name, reason in skipped[:_LISTED])
        more = f"; and {len(skipped) - _LISTED} more" if len(skipped) > _LISTED else ""
        were = "1 unreadable image was" if len(skipped) == 1 else f"{len(skipped)} unreadable images were"
        warnings.append(f"{were} skipped: {reasons}{more}.")
    empty = [name for name, images in zip(class_names, images_per_class, strict=True) if images < 2]
    if empty:
        warnings.append(f"Classes with fewer than two images have no budgets and no cue: {listed(empty, _LISTED)}.")
    return warnings + _sink_warnings(class_names, ratios, corrected)


def _sink_warnings(class_names: Sequence[str], ratios: Mapping[str, np.ndarray], corrected: bool) -> list[str]:
    sinks = [
        f"{class_names[int(np.nanargmax(ratio))]} under {readable_name(name)} ({np.nanmax(ratio):.1f} times as often "
        "as it occurs)"
        for name, ratio in ratios.items()
        if not np.isnan(ratio).all() and np.nanmax(ratio) >= SINK_RATIO
    ]
    if not sinks:
        return []
    what = "are corrected for it" if corrected else "are not corrected for it"
    which = listed(sinks, _LISTED)
    return [f"{SINK_WARNING}, as which perturbed images of other classes are predicted (cues {what}): {which}."]


def _summary(
    curve: Curve,
    accuracy: Sequence[float | None],
    cues: Sequence[ClassCue],
    warnings: Sequence[str],
    graded: GradedSummary,
) -> Summary:
    images = int(curve.n.sum())
    known = [value for value in accuracy if value is not None]
    return Summary(
        clean_accuracy=int(curve.clean_correct.sum()) / images if images else None,
        worst_class_accuracy=min(known, default=None),
        labels={verdict: sum(of_class.cue is verdict for of_class in cues) for verdict in CueVerdict},
        warnings=list(warnings),
        graded=graded,
    )


def _curve(raw: Curve, corrected: Curve, side: int | None) -> CurveModel:
    perturbation = raw.perturbation
    return CurveModel(
        perturbation=perturbation.name,
        cue=perturbation.cue,
        suppresses=list(perturbation.suppresses),
        role=perturbation.role,
        parameter=perturbation.parameter,
        unit=perturbation.unit,
        values=list(perturbation.ladder),
        pixels=_pixels(perturbation, side),
        repeats=raw.repeats,
        n=raw.n.tolist(),
        clean_correct=raw.clean_correct.tolist(),
        lost=raw.lost.tolist(),
        gained=raw.gained.tolist(),
        unpaired=None
        if raw.unpaired is None
        else UnpairedCounts(n=raw.unpaired.n.tolist(), correct=raw.unpaired.correct.tolist()),
        squared=None if raw.squared is None else raw.squared.tolist(),
        seen=None if raw.seen is None else raw.seen.tolist(),
        corrected=Counts(
            clean_correct=corrected.clean_correct.tolist(),
            lost=corrected.lost.tolist(),
            gained=corrected.gained.tolist(),
        ),
    )


def _pixels(perturbation: Perturbation, side: int | None) -> list[float] | None:
    if side is None or not perturbation.relative:
        return None
    return [round(value * side, 2) for value in perturbation.ladder]


def _interval(interval: Interval) -> Estimate:
    return Estimate(value=interval.value, low=interval.low, high=interval.high)


def _cue(found: CueEvidence) -> CueModel:
    return CueModel(
        **_interval(found.necessity).model_dump(),
        sufficiency=_interval(found.sufficiency),
        second=_interval(found.second),
        agree=found.agree,
        raw=found.raw.value,
        q=found.q,
        necessary=found.necessary,
        images=found.images,
        sufficiency_images=found.sufficiency_images,
        shapley=found.shapley,
    )


def _group(group: GroupCues, class_names: Sequence[str], images: np.ndarray) -> GroupModel:
    return GroupModel(
        name=group.name,
        classes=len(group.classes),
        images=int(images[list(group.classes)].sum()),
        cue=group.cue,
        shares={verdict: _interval(interval) for verdict, interval in group.shares.items()},
        members={class_names[index]: verdict for index, verdict in group.members.items()},
    )


def _global(budgets: Sequence[Budget], curve: Curve, class_names: Sequence[str]) -> GlobalBudget:
    shared = shared_budget(budgets, curve.n)
    limited_by = None if shared.limiting is None else class_names[shared.limiting]
    certified = shared_budget([as_certified(entry) for entry in budgets], curve.n)
    return GlobalBudget(
        value=shared.value,
        status=shared.status,
        limited_by_class=limited_by,
        severity=shared.severity,
        certified=certified.value,
        certified_severity=certified.severity,
    )


@dataclass(frozen=True)
class AnalysisResult:
    """What the predictions show.

    Attributes:
        counts: The counts.
        cues: The verdict on each class, with its evidence.
        budgets: Per augmentation, one a class.
        groups: One for all classes, then one a group.
        certain: The probability from which on a verdict on each class was given, (C,).
        graded: What every class keeps, and to which cue it leans.
        shape_scales: On which shuffled tiles half of each class is kept.
    """

    counts: ClassCounts
    cues: list[ClassCue]
    budgets: dict[str, list[Budget]]
    groups: list[GroupCues]
    certain: Floats
    graded: Graded
    shape_scales: list[ShapeScale]


def analyze_predictions(
    predictions: Predictions, *, levels: Levels, groups: Mapping[str, Sequence[int]]
) -> AnalysisResult:
    """Find the cue and the budgets of every class.

    Args:
        predictions: What every image was taken for.
        levels: The accuracy drop that a class may suffer, the level of intervals, and the risk of a budget.
        groups: Indices of the classes of every group.

    Returns:
        Counts, cues, budgets and groups.
    """
    confidence = levels.confidence
    predictions = predictions.in_order_of_outcomes()
    counts, evidence = count_predictions(predictions), gather(predictions, confidence)
    cues = name_cues(evidence, predictions.class_names)
    likely = np.array([list(entry.probabilities.values()) for entry in cues]).T.reshape(len(VERDICTS), -1)
    certain = certainty(evidence)
    fit = set(np.flatnonzero(usable(evidence)).tolist())
    every = {ALL: range(len(cues)), **groups}
    return AnalysisResult(
        counts=counts,
        cues=cues,
        budgets={
            name: budget(curve, levels, counts.takers[name])
            for name, curve in counts.raw.items()
            if curve.perturbation.role is Role.AUGMENTATION
        },
        groups=[
            _without_contradictions(
                group_cues(name, [index for index in members if index in fit], VERDICTS, likely, confidence, certain),
                cues,
            )
            for name, members in every.items()
        ],
        certain=certain,
        graded=grade(predictions, confidence),
        shape_scales=shape_scales(predictions, confidence),
    )


def _without_contradictions(group: GroupCues, cues: Sequence[ClassCue]) -> GroupCues:
    """Withhold a member's verdict in the light of its group where the member's own shares contradict it."""
    return replace(
        group,
        members={
            index: CueVerdict.UNDETERMINED if contradiction(verdict, cues[index].evidence) else verdict
            for index, verdict in group.members.items()
        },
    )
