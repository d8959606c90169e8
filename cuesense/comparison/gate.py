"""A gate: whether a model keeps its accuracy, over all images and in every class, beyond what chance explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cuesense.comparison.pairing import Pair, Source, augmentations, perturbed_counts
from cuesense.errors import SettingsError, expected, listed
from cuesense.schemas.gate import ClassFinding, GateResult, Rule, RuleResult
from cuesense.schemas.profile import CurveModel, Profile
from cuesense.stats.model_difference import Contrast, from_counts
from cuesense.validation import is_number

# A loss of exactly the limit is allowed, whatever rounding makes of it: losses are ratios of counts, which differ by
# more than this for any number of images below a billion.
_ROUNDING = 1e-9
# Names that a message lists before it counts the rest.
_LISTED = 5


@dataclass(frozen=True)
class _Test:
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
) -> GateResult:
    """Return whether a model is at most so much worse than a reference.

    The reference is the baseline's clean accuracy, or without a baseline the profile's own clean accuracy, against
    which its accuracy is tested under each augmentation at its strongest measured value. A rule is violated where the
    observed loss is larger than allowed and certain: the lower bound of the loss is above 0 (Contrast.bounds), at a
    level that shares 1 - confidence of the profile among all rules, augmentations and classes (Bonferroni). A model
    that is as good as the reference is therefore refused with a chance of at most 1 - confidence. Of an adaptive run
    the images that were looked at count; over all images each class then counts by all its images.

    Args:
        profile: The profile to check, or its file or folder.
        baseline: The reference, of the same classes. Images are compared one by one where ``predictions.parquet``
            lies in the folders of both and holds the same images, else as independent samples.
        max_drop: How much lower the accuracy over all images may be, a fraction in [0, 1); None tests nothing.
        max_worst_class_loss: How much lower the accuracy of any class may be, likewise.

    Returns:
        The results; notes name what could not be tested.

    Raises:
        CuesenseError: No rule is given, a limit is out of range, a profile cannot be read, the two do not fit, or
            there is nothing to compare.
    """
    rules = _rules(max_drop, max_worst_class_loss)
    source, reference = Source.of(profile), None if baseline is None else Source.of(baseline)
    notes: list[str] = []
    tests = _own(source) if reference is None else [_against(reference, source, notes)]
    alpha = (1 - source.profile.policy.confidence) / (len(rules) * len(tests))
    results = [_result(rule, limit, test, alpha) for rule, limit in rules.items() for test in tests]
    return GateResult(
        profile=source.name,
        baseline=None if reference is None else reference.name,
        confidence=source.profile.policy.confidence,
        holds=all(result.holds for result in results),
        results=results,
        notes=notes + _too_few(tests) + _carried(source, reference),
    )


def _carried(source: Source, reference: Source | None) -> list[str]:
    """Return the warnings of the profiles: a loss may come from what they tell, and so may that none is found."""
    sources = [source] if reference is None else [source, reference]
    found = {
        f"Warning in '{each.name}': {warning}": None for each in sources for warning in each.profile.warnings_to_repeat
    }
    return list(found)


def _rules(max_drop: float | None, max_worst_class_loss: float | None) -> dict[Rule, float]:
    given: dict[Rule, float | None] = {"max-drop": max_drop, "max-worst-class-loss": max_worst_class_loss}
    rules = {rule: limit for rule, limit in given.items() if limit is not None}
    if not rules:
        do = "Give --max-drop, --max-worst-class-loss or both"
        raise SettingsError(expected("the gate", "one with a rule", "none", do))
    for rule, limit in rules.items():
        if not is_number(limit) or not 0 <= limit < 1:
            do, got = "Choose a number inside", f"{limit:g}" if is_number(limit) else repr(limit)
            raise SettingsError(expected(f"--{rule}", "a fraction, at least 0 and below 1", got, do))
    return rules


def _own(source: Source) -> list[_Test]:
    """Return a test of each augmentation against the clean images."""
    names = [entry.name for entry in source.profile.classes]
    curves = augmentations(source.profile)
    if not curves:
        do = "Name a --baseline, or analyze with augmentations"
        raise SettingsError(expected(f"{source.name}", "a profile with augmentations", "none", do))
    return [_Test(names, _strongest(curve), curve.perturbation, curve.values[-1]) for curve in curves]


def _strongest(curve: CurveModel) -> Contrast:
    if curve.unpaired is None:
        seen = None if curve.seen is None else curve.seen[-1]
        return from_counts(curve.n, curve.clean_correct, curve.lost[-1], curve.gained[-1], curve.repeats, seen)
    images, right = perturbed_counts(curve, len(curve.values))
    return Contrast(np.array(curve.n, np.float64), images, np.array(curve.clean_correct, np.float64), right)


def _against(baseline: Source, source: Source, notes: list[str]) -> _Test:
    pair = Pair(baseline, source)
    if pair.unpaired is not None:
        notes.append(f"Images are compared as independent samples, because {pair.unpaired}: losses are less certain.")
    return _Test([entry.name for entry in baseline.profile.classes], pair.contrast())


def _result(rule: Rule, limit: float, test: _Test, alpha: float) -> RuleResult:
    overall = rule == "max-drop"
    contrast = test.contrast.total() if overall else test.contrast
    tested = np.flatnonzero(contrast.known)
    if not len(tested):
        raise SettingsError(expected("the profile", "one of at least two images", "fewer", "Analyze more images"))
    confidence = 1 - alpha / len(tested)
    low, high = contrast.bounds(confidence)
    loss = contrast.loss()
    ranked = tested[np.argsort(-loss[tested], kind="stable")]
    names = [None] if overall else test.names
    a, b = ([part.sum()] if overall else part for part in (test.contrast.n_a, test.contrast.n_b))
    findings = {
        index: _finding(names[index], (loss[index], low[index], high[index]), int(b[index]), int(a[index]))
        for index in ranked.tolist()
    }
    beyond = [finding for finding in findings.values() if finding.loss > limit + _ROUNDING]
    violations = [finding for finding in beyond if finding.low > 0]
    return RuleResult(
        rule=rule,
        augmentation=test.augmentation,
        value=test.value,
        limit=limit,
        holds=not violations,
        paired=contrast.pairs is not None,
        tested=len(tested),
        confidence=confidence,
        worst=findings[int(ranked[0])],
        violations=violations,
        uncertain=[finding for finding in beyond if finding.low <= 0],
    )


def _finding(name: str | None, found: tuple[float, float, float], images: int, reference_images: int) -> ClassFinding:
    loss, low, high = map(float, found)
    return ClassFinding(name=name, loss=loss, low=low, high=high, images=images, reference_images=reference_images)


def _too_few(tests: Sequence[_Test]) -> list[str]:
    """Return a note of the classes with too few images, once for all tests."""
    known = np.all([test.contrast.known for test in tests], axis=0)
    names = [name for name, enough in zip(tests[0].names, known, strict=True) if not enough]
    if not names:
        return []
    return [f"Classes of fewer than two images are not tested: {listed(names, _LISTED)}."]
