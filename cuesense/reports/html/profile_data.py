"""What the script of a profile's page draws from: counts and texts of every class, embedded as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from cuesense.reports.charts.curve_accuracies import correct_counts, z_score
from cuesense.reports.graded_text import largest_lean
from cuesense.reports.profile_text import (
    BUDGET_WORDS,
    axis_title,
    budget_risk,
    curve_values,
    flag_texts,
    tick_labels,
    value_text,
)
from cuesense.reports.text import CUE_LETTERS, readable_name
from cuesense.schemas.profile import BudgetModel, ClassModel, CurveModel, Profile
from cuesense.types import BudgetStatus, Cue, CueVerdict, Role

ROLE_TITLES = {
    Role.SUPPRESSION: "Cue suppressions",
    Role.AUGMENTATION: "Augmentations",
    Role.CONTROL: "Controls: should cost nothing",
}

# How "none" and "undetermined" sort in a column of budgets, where a limited one sorts by its severity, 1 or more.
_NONE_RANK, _UNDETERMINED_RANK = -1, 0


def page_data(profile: Profile) -> dict[str, Any]:
    """Return what the page's script draws from: counts, not rates, so that it can give intervals too.

    Args:
        profile: The profile.

    Returns:
        Lists, dicts, numbers, texts and None. Lists of classes and curves are in the profile's order; a class's
        ``evidence`` is [value, low, high, sufficiency] by cue, its ``budgets`` as in ``_budget``, its ``rivals``
        [class, perturbation, share]; its ``kept`` is [column, value, low, high] of every column that is known, its
        ``lean`` the largest of its leans or None, its ``leans`` a clause for each cue and one for its shape scale.
    """
    augmentations = list(dict.fromkeys(name for entry in profile.classes for name in entry.budgets))
    curves = {curve.perturbation: curve for curve in profile.curves}
    return {
        "z": z_score(profile.policy.confidence),
        "letters": {cue.value: CUE_LETTERS[cue] for cue in CueVerdict},
        "cues": [cue.value for cue in Cue],
        "words": {status.value: word for status, word in BUDGET_WORDS.items()},
        "roles": {role.value: title for role, title in ROLE_TITLES.items()},
        "augmentations": [{"name": name, "title": readable_name(name)} for name in augmentations],
        "curves": [_curve(curve) for curve in profile.curves],
        "classes": [_class(entry, augmentations, curves) for entry in profile.classes],
    }


def pixels_at(curve: CurveModel | None, severity: int) -> float | None:
    """Return the value of a severity, 1 for the mildest, in pixels; None where the profile does not know it."""
    if curve is None or not curve.pixels or not 1 <= severity <= len(curve.pixels):
        return None
    return curve.pixels[severity - 1]


def _curve(curve: CurveModel) -> dict[str, Any]:
    images = np.asarray(curve.n, dtype=np.float64)
    present = images > 0
    accuracies = correct_counts(curve)[:, present] / images[present]
    raw = {"correct": curve.clean_correct, "lost": curve.lost, "gained": curve.gained}
    counts = curve.corrected
    corrected = {"correct": counts.clean_correct, "lost": counts.lost, "gained": counts.gained}
    return {
        "title": readable_name(curve.perturbation),
        "role": curve.role.value,
        "suppresses": [cue.value for cue in curve.suppresses],
        "axis": axis_title(curve.parameter, curve.unit),
        "ticks": tick_labels(curve),
        "values": curve_values(curve),
        "repeats": curve.repeats,
        "n": curve.n,
        # Four decimals draw the line exactly and keep pages of 1,000 classes small.
        "mean": accuracies.mean(axis=1).round(4).tolist() if present.any() else None,
        "raw": raw,
        "corrected": None if corrected == raw else corrected,
    }


def _class(entry: ClassModel, augmentations: Iterable[str], curves: Mapping[str, CurveModel]) -> dict[str, Any]:
    evidence = [entry.reliance.get(cue) for cue in Cue]
    budgets = [(name, entry.budgets.get(name)) for name in augmentations]
    leaning = largest_lean(entry)
    return {
        "name": entry.name,
        "images": entry.images,
        "accuracy": entry.clean_accuracy,
        "cue": entry.cue.value,
        "why": entry.why,
        "flags": flag_texts(entry.flags),
        "evidence": [part and [part.value, part.low, part.high, part.sufficiency.value] for part in evidence],
        "budgets": [part and _budget(part, curves.get(name)) for name, part in budgets],
        "kept": [
            [readable_name(name), part.value, part.low, part.high]
            for name, part in entry.kept.items()
            if part.value is not None
        ],
        "lean": None if leaning is None else leaning[1].value,
        "leans": [
            said for said in (*(part.sentence for part in entry.lean.values()), entry.shape_scale.sentence) if said
        ],
        "rivals": [[rival.rival, readable_name(rival.perturbation), rival.share] for rival in entry.rivals],
    }


def _budget(entry: BudgetModel, curve: CurveModel | None) -> list[Any]:
    """Return rank for sorting, status, value as text, accuracy drop with bounds, what limits it, and its risk."""
    if entry.value is None:
        rank, value = (_NONE_RANK if entry.status is BudgetStatus.NONE else _UNDETERMINED_RANK), None
    else:
        rank = _severity(entry.value, curve)
        value = value_text(entry.value, entry.unit, pixels_at(curve, rank))
    return [rank, entry.status.value, value, entry.drop, entry.low, entry.high, entry.limited_by, budget_risk(entry)]


def _severity(value: float, curve: CurveModel | None) -> int:
    """Return the severity of a budget, 0 where the profile has no curve of it.

    profile.json names a budget by its value alone, copied from the curve's values, which therefore are its keys.
    """
    severities = {known: severity for severity, known in enumerate(curve.values if curve else (), start=1)}
    return severities.get(value, 0)
