"""What the script of a profile's page draws from: counts and texts of every class, embedded as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cuesense.reports.charts.curve_accuracies import correct_counts, image_counts, z_score
from cuesense.reports.cue_map import Spot, cue_map
from cuesense.reports.cue_text import relies_on, relies_on_remark
from cuesense.reports.graded_text import kept_title, largest_lean
from cuesense.reports.policy_view import PolicyView
from cuesense.reports.profile_text import (
    FULL_BUDGET_WORDS,
    axis_title,
    budget_risk,
    curve_values,
    flag_texts,
    tick_labels,
    value_text,
)
from cuesense.reports.text import CUE_LETTERS, readable_name
from cuesense.reports.usual_losses import UsualLoss, usual_losses
from cuesense.schemas.profile import BudgetModel, ClassModel, CurveModel, ForecastModel, Profile
from cuesense.types import BudgetStatus, Cue, CueVerdict, Role

ROLE_TITLES = {
    Role.SUPPRESSION: "Cue suppressions",
    Role.AUGMENTATION: "Augmentations",
    Role.CONTROL: "Controls: should cost nothing",
}

# How "none" and "undetermined" sort in a column of budgets, where a limited one sorts by its severity, 1 or more.
_NONE_RANK, _UNDETERMINED_RANK = -1, 0


def page_data(profile: Profile, policy: PolicyView | None = None) -> dict[str, Any]:
    """Return what the page's script draws from: counts, not rates, so that it can give intervals too.

    Args:
        profile: The profile.
        policy: What is recommended; None where nothing is.

    Returns:
        Lists, dicts, numbers, texts and None. Lists of classes and curves are in the profile's order; a class's
        ``relies`` is what it relies on and a remark on it, its ``evidence`` [value, low, high, sufficiency] by cue, its
        ``budgets`` as in ``_budget``, its ``rivals`` [class, perturbation, share]; its ``kept`` is [column, value, low,
        high] of every column that is known, its ``lean`` the largest of its leans or None, its ``leans`` a clause for
        each cue and one for its shape scale; its ``place`` is its reliance by cue, its ``usual`` [drop, augmentation,
        rival], its ``forecast`` as in ``_forecast``, its ``policy`` [loss, low, high, risk] of the recommended policy
        and of the usual default.
    """
    augmentations = list(dict.fromkeys(name for entry in profile.classes for name in entry.budgets))
    curves = {curve.perturbation: curve for curve in profile.curves}
    found = [_class(entry, augmentations, curves) for entry in profile.classes]
    places, losses = cue_map(profile), usual_losses(profile)
    gains = policy.gains if policy is not None else ()
    for at, entry in enumerate(found):
        entry["place"] = _place(places.spots[at])
        entry["usual"] = _usual(losses[at])
        entry["forecast"] = [] if profile.forecast is None else _forecast(profile.forecast, at)
        entry["policy"] = _policy(policy, entry["name"])
        entry["verified"] = [[_short(known.gain[at]), _short(known.margin[at])] for known in gains]
    return {
        "z": z_score(profile.policy.confidence),
        "letters": {cue.value: CUE_LETTERS[cue] for cue in CueVerdict},
        "cues": [cue.value for cue in Cue],
        "words": {status.value: word for status, word in FULL_BUDGET_WORDS.items()},
        "roles": {role.value: title for role, title in ROLE_TITLES.items()},
        "verified": [[known.title, known.forecast] for known in gains],
        "augmentations": [{"name": name, "title": readable_name(name)} for name in augmentations],
        "curves": [_curve(curve) for curve in profile.curves],
        "classes": found,
    }


def pixels_at(curve: CurveModel | None, severity: int) -> float | None:
    """Return the value of a severity, 1 for the mildest, in pixels; None where the profile does not know it."""
    if curve is None or not curve.pixels or not 1 <= severity <= len(curve.pixels):
        return None
    return curve.pixels[severity - 1]


def _curve(curve: CurveModel) -> dict[str, Any]:
    images = image_counts(curve)
    present = images.all(axis=0)
    accuracies = correct_counts(curve)[:, present] / images[:, present]
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
        **({} if curve.seen is None else {"seen": curve.seen}),
        # Four decimals draw the line exactly and keep pages of 1,000 classes small.
        "mean": accuracies.mean(axis=1).round(4).tolist() if present.any() else None,
        "raw": raw,
        "corrected": None if corrected == raw else corrected,
    }


def _class(entry: ClassModel, augmentations: list[str], curves: Mapping[str, CurveModel]) -> dict[str, Any]:
    evidence = [entry.reliance.get(cue) for cue in Cue]
    budgets = [(name, entry.budgets.get(name)) for name in augmentations]
    leaning = largest_lean(entry)
    return {
        "name": entry.name,
        "images": entry.images,
        "accuracy": _short(entry.clean_accuracy),
        "cue": entry.cue.value,
        "relies": [relies_on(entry), relies_on_remark(entry)],
        "why": entry.why,
        "flags": flag_texts(entry.flags),
        "evidence": [
            part and [*map(_short, (part.value, part.low, part.high, part.sufficiency.value))] for part in evidence
        ],
        "budgets": [part and _budget(part, curves.get(name)) for name, part in budgets],
        "keptTitle": kept_title(entry),
        "kept": [
            [readable_name(name), *map(_short, (part.value, part.low, part.high))]
            for name, part in entry.kept.items()
            if part.value is not None
        ],
        "lean": None if leaning is None else _short(leaning[1].value),
        "leans": [
            said for said in (*(part.sentence for part in entry.lean.values()), entry.shape_scale.sentence) if said
        ],
        "rivals": [[rival.rival, readable_name(rival.perturbation), _short(rival.share)] for rival in entry.rivals],
    }


def _short(share: float | None) -> float | None:
    """Return a share with five decimals: a tenth of a point and more is exact, and large pages stay small."""
    return None if share is None else round(share, 5)


def _budget(entry: BudgetModel, curve: CurveModel | None) -> list[Any]:
    """Return rank for sorting, status, value as text, accuracy drop with bounds, what limits it, and its risk."""
    if entry.value is None:
        rank, value = (_NONE_RANK if entry.status is BudgetStatus.NONE else _UNDETERMINED_RANK), None
    else:
        rank = _severity(entry.value, curve)
        value = value_text(entry.value, entry.unit, pixels_at(curve, rank))
    drop = map(_short, (entry.drop, entry.low, entry.high))
    return [rank, entry.status.value, value, *drop, entry.limited_by, budget_risk(entry)]


def _severity(value: float, curve: CurveModel | None) -> int:
    """Return the severity of a budget, 0 where the profile has no curve of it.

    profile.json names a budget by its value alone, copied from the curve's values, which therefore are its keys.
    """
    severities = {known: severity for severity, known in enumerate(curve.values if curve else (), start=1)}
    return severities.get(value, 0)


def _place(spot: Spot | None) -> list[float | None] | None:
    return None if spot is None else [_short(part) for part in spot.reliance]


def _usual(loss: UsualLoss | None) -> list[Any] | None:
    return None if loss is None else [_short(loss.drop), readable_name(loss.augmentation), loss.rival]


def _forecast(forecast: ForecastModel, at: int) -> list[list[Any]]:
    """Return augmentation, strongest value, loss with its range, risk and verdict for one class."""
    found = []
    for name, known in forecast.augmentations.items():
        if known.values:
            risk = known.risk[-1][at] if known.risk else None
            numbers = map(_short, (known.loss[-1][at], known.low[-1][at], known.high[-1][at], risk))
            found.append([readable_name(name), value_text(known.values[-1], known.unit), *numbers, known.flags[-1][at]])
    return found


def _policy(policy: PolicyView | None, name: str) -> list[list[float | None] | None] | None:
    if policy is None or name not in policy.risks:
        return None
    return [
        None if part is None else [_short(part.loss), _short(part.low), _short(part.high), _short(part.risk)]
        for part in policy.risks[name]
    ]
