"""A gate: whether a model keeps its accuracy, over all images and in every class, beyond what chance explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cuesense.arrays import Floats
from cuesense.comparison.pairing import Pair, Source, augmentations, perturbed_counts
from cuesense.errors import SettingsError, expected
from cuesense.schemas.gate import Check, Finding, Result, Rule
from cuesense.schemas.profile import CurveModel, Profile
from cuesense.stats.model_difference import Contrast, from_counts

_ROUNDING = 1e-9
_LISTED = 5


@dataclass(frozen=True)
class _Question:
    """One comparison with the reference: its classes, and what was applied, if anything."""

    names: Sequence[str]
    contrast: Contrast
    augmentation: str | None = None
    value: float | None = None


def check(
    profile: Profile | Path | str,
    *,
    baseline: Profile | Path | str | None = None,
    max_drop: float | None = None,
    max_worst_class_loss: float | None = None,
) -> Check:
    """Say whether a model is at most so much worse than a reference.

    The reference is the baseline's clean accuracy, or without a baseline the profile's own clean accuracy, against
    which stands its accuracy under each augmentation at its strongest measured dose. A rule is violated where the
    observed loss is larger than allowed and certain: the lower bound of the loss is above 0 (Contrast.bounds), at a
    level that shares 1 - confidence of the profile among all rules, augmentations and classes (Bonferroni). A model
    that is as good as the reference is therefore refused with a chance of at most 1 - confidence.

    Args:
        profile: The profile to check, or its file or folder.
        baseline: The reference, of the same classes. Images are compared one by one where ``predictions.parquet``
            lies beside both and holds the same images, else as independent samples.
        max_drop: How much lower the accuracy over all images may be, a fraction in [0, 1); None asks nothing.
        max_worst_class_loss: How much lower the accuracy of any class may be, likewise.

    Returns:
        The results; notes say what could not be judged.

    Raises:
        CuesenseError: No rule is given, a limit is out of range, a profile cannot be read, the two do not fit, or
            there is nothing to compare.
    """
    rules = _rules(max_drop, max_worst_class_loss)
    source, reference = Source.of(profile), None if baseline is None else Source.of(baseline)
    notes: list[str] = []
    questions = _own(source) if reference is None else [_against(reference, source, notes)]
    alpha = (1 - source.profile.policy.confidence) / (len(rules) * len(questions))
    results = [_result(rule, limit, question, alpha) for rule, limit in rules.items() for question in questions]
    return Check(
        profile=source.name,
        baseline=None if reference is None else reference.name,
        confidence=source.profile.policy.confidence,
        holds=all(result.holds for result in results),
        results=results,
        notes=notes + _unjudged(questions),
    )


def _rules(max_drop: float | None, max_worst_class_loss: float | None) -> dict[Rule, float]:
    given: dict[Rule, float | None] = {"max-drop": max_drop, "max-worst-class-loss": max_worst_class_loss}
    rules = {rule: limit for rule, limit in given.items() if limit is not None}
    if not rules:
        do = "Give --max-drop, --max-worst-class-loss or both"
        raise SettingsError(expected("the gate", "one with a rule", "none", do))
    for rule, limit in rules.items():
        if not 0 <= limit < 1:
            do = "Choose a number inside"
            raise SettingsError(expected(f"--{rule}", "a fraction, at least 0 and below 1", f"{limit:g}", do))
    return rules


def _own(source: Source) -> list[_Question]:
    """Ask what each augmentation costs."""
    names = [entry.name for entry in source.profile.classes]
    curves = augmentations(source.profile)
    if not curves:
        do = "Name a --baseline, or analyze with augmentations"
        raise SettingsError(expected(f"{source.name}", "a profile with augmentations", "none", do))
    return [_Question(names, _strongest(curve), curve.perturbation, curve.values[-1]) for curve in curves]


def _strongest(curve: CurveModel) -> Contrast:
    if curve.unpaired is None:
        return from_counts(curve.n, curve.clean_correct, curve.lost[-1], curve.gained[-1], curve.repeats)
    images, right = perturbed_counts(curve, len(curve.values))
    return Contrast(np.array(curve.n, np.float64), images, np.array(curve.clean_correct, np.float64), right)


def _against(baseline: Source, source: Source, notes: list[str]) -> _Question:
    pair = Pair(baseline, source)
    if pair.unpaired is not None:
        notes.append(f"Images are compared as independent samples, because {pair.unpaired}: losses are less certain.")
    return _Question([entry.name for entry in baseline.profile.classes], pair.contrast())


def _result(rule: Rule, limit: float, question: _Question, alpha: float) -> Result:
    overall = rule == "max-drop"
    contrast = question.contrast.total() if overall else question.contrast
    asked = np.flatnonzero(contrast.known)
    if not len(asked):
        raise SettingsError(expected("the profile", "one of at least two images", "fewer", "Analyze more images"))
    confidence = 1 - alpha / len(asked)
    low, high = contrast.bounds(confidence)
    loss = contrast.loss()
    ranked = asked[np.argsort(-loss[asked], kind="stable")]
    names = [None] if overall else question.names
    findings = {place: _finding(names[place], place, contrast, (loss, low, high)) for place in ranked.tolist()}
    beyond = [finding for finding in findings.values() if finding.loss > limit + _ROUNDING]
    violations = [finding for finding in beyond if finding.low > 0]
    return Result(
        rule=rule,
        augmentation=question.augmentation,
        value=question.value,
        limit=limit,
        holds=not violations,
        paired=contrast.pairs is not None,
        tested=len(asked),
        confidence=confidence,
        worst=findings[int(ranked[0])],
        violations=violations,
        uncertain=[finding for finding in beyond if finding.low <= 0],
    )


def _finding(name: str | None, place: int, contrast: Contrast, found: tuple[Floats, Floats, Floats]) -> Finding:
    loss, low, high = (float(part[place]) for part in found)
    return Finding(
        name=name,
        loss=loss,
        low=low,
        high=high,
        images=int(contrast.n_b[place]),
        reference_images=int(contrast.n_a[place]),
    )


def _unjudged(questions: Sequence[_Question]) -> list[str]:
    """Say which classes have too few images, once."""
    known = np.all([question.contrast.known for question in questions], axis=0)
    names = [name for name, judged in zip(questions[0].names, known, strict=True) if not judged]
    if not names:
        return []
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return [f"Classes of fewer than two images are not judged: {', '.join(names[:_LISTED])}{more}."]
