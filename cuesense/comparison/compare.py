"""Compare two profiles: accuracy of each class, cues, and budgets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from cuesense import registry
from cuesense.arrays import Floats
from cuesense.comparison.pairing import Pair, Source, augmentations
from cuesense.errors import readable_name
from cuesense.schemas.base import UNKNOWN, Estimate
from cuesense.schemas.comparison import (
    AccuracyChange,
    BudgetChange,
    ClassComparison,
    ComparedModel,
    ComparedSeverity,
    Comparison,
    CueChange,
    Difference,
)
from cuesense.schemas.profile import BudgetModel, ClassModel, Profile
from cuesense.stats.intervals import mover_interval
from cuesense.stats.model_difference import Contrast, q_values
from cuesense.types import BudgetStatus, Cue


def compare(a: Profile | Path | str, b: Profile | Path | str) -> Comparison:
    """Compare two models class by class; every difference is B minus A.

    Accuracies are compared image by image (Newcombe's paired interval, McNemar's exact test) where
    ``predictions.parquet`` lies beside both profiles and holds the same images, else as independent proportions
    (Newcombe's interval, Fisher's test). Intervals of reliance come from the two intervals (intervals.mover_interval);
    as both models saw the same images, they are rather too wide.

    Args:
        a: A profile, or its file or folder: the reference.
        b: The other one, of the same classes in any order.

    Returns:
        The comparison, its classes in the order of A.

    Raises:
        CuesenseError: A profile cannot be read, or the two have other classes or another confidence.
    """
    return _comparison(Pair(Source.of(a), Source.of(b)))


def _comparison(pair: Pair) -> Comparison:
    a, b = pair.a.profile, pair.b.profile
    clean = pair.contrast()
    classes = _classes(pair, _accuracies(clean, pair.confidence))
    return Comparison(
        a=_side(a),
        b=_side(b),
        paired=pair.unpaired is None,
        confidence=pair.confidence,
        accuracy=_accuracies(clean.total(), pair.confidence)[0].model_copy(update={"q": None}),
        worst_class_change=_minus(b.summary.worst_class_accuracy, a.summary.worst_class_accuracy),
        labels_changed=sum(entry.label.changed for entry in classes),
        doses=_doses(pair),
        classes=classes,
        warnings=_warnings(pair),
    )


def _classes(pair: Pair, accuracies: Sequence[AccuracyChange]) -> list[ClassComparison]:
    of_a = pair.a.profile.classes
    of_b = [pair.b.profile.classes[index] for index in pair.order]
    under = {name: _accuracies(pair.contrast(name), pair.confidence) for name in pair.strongest}
    reliance = {cue: _reliance(of_a, of_b, cue) for cue in Cue}
    comparable = pair.a.profile.policy.tolerance == pair.b.profile.policy.tolerance
    identities = _identities({name for entry in of_a for name in entry.budgets})
    return [
        ClassComparison(
            name=a.name,
            images_a=a.images,
            images_b=b.images,
            accuracy=accuracies[index],
            under={name: found[index] for name, found in under.items()},
            reliance={cue: found[index] for cue, found in reliance.items()},
            label=CueChange(a=a.cue, b=b.cue, changed=a.cue != b.cue),
            budgets={
                name: _budget(budget, b.budgets[name], identities[name] if comparable else None)
                for name, budget in a.budgets.items()
                if name in b.budgets
            },
        )
        for index, (a, b) in enumerate(zip(of_a, of_b, strict=True))
    ]


def _accuracies(contrast: Contrast, confidence: float) -> list[AccuracyChange]:
    """Return the change of every class: a contrast counts losses, so that signs and bounds are swapped."""
    low, high = contrast.interval(confidence)
    # A contrast counts what is lost from A to B; a change is what is gained, so that the bounds swap, too.
    p = contrast.p_difference()
    columns = {
        **dict(zip("ab", contrast.accuracies(), strict=True)),
        "value": -contrast.loss(),
        "low": -high,
        "high": -low,
        "lost": _unknown(p) if contrast.pairs is None else contrast.pairs.lost,
        "gained": _unknown(p) if contrast.pairs is None else contrast.pairs.gained,
        "p": p,
        "q": q_values(p),
    }
    return [AccuracyChange(**{name: _known(part[index]) for name, part in columns.items()}) for index in range(len(p))]


def _reliance(first: Sequence[ClassModel], second: Sequence[ClassModel], cue: Cue) -> list[Difference]:
    a, b = (_triples([entry.reliance.get(cue, UNKNOWN) for entry in entries]) for entries in (first, second))
    low, high = mover_interval(b, a)
    columns = {"a": a[0], "b": b[0], "value": b[0] - a[0], "low": low, "high": high}
    return [Difference(**{name: _known(part[index]) for name, part in columns.items()}) for index in range(len(low))]


def _triples(found: Sequence[Estimate]) -> list[Floats]:
    """Return value, low and high as arrays, NaN where they are not known."""
    rows = [(part.value, part.low, part.high) for part in found]
    return list(np.array(rows, np.float64).reshape(-1, 3).T)


def _identities(augmentations: Iterable[str]) -> dict[str, float | None]:
    """Return the value of each augmentation that changes nothing; None for one that is not installed here."""
    known = {name for name in augmentations if registry.known("perturbations", name)}
    return {name: registry.get("perturbations", name).identity if name in known else None for name in augmentations}


def _budget(a: BudgetModel, b: BudgetModel, identity: float | None) -> BudgetChange:
    change = "unknown" if identity is None else _strength(identity, a, b)
    return BudgetChange(a=a.value, b=b.value, status_a=a.status, status_b=b.status, change=change)


def _strength(identity: float, a: BudgetModel, b: BudgetModel) -> Literal["stronger", "weaker", "same", "unknown"]:
    """Return whether B's value is stronger than A's: farther from the value that changes nothing.

    What is unlimited is safe to the end of its ladder; whether a stronger value of another ladder is, is not known.
    """
    if BudgetStatus.UNDETERMINED in (a.status, b.status):
        return "unknown"
    first, second = (0.0 if part.value is None else abs(part.value - identity) for part in (a, b))
    if first == second:
        return "same"
    milder = a if first < second else b
    if milder.status is BudgetStatus.UNLIMITED:
        return "unknown"
    return "stronger" if milder is a else "weaker"


def _side(profile: Profile) -> ComparedModel:
    dataset, summary = profile.provenance.dataset, profile.summary
    return ComparedModel(
        model=profile.provenance.model.spec,
        dataset=dataset.named,
        fingerprint=dataset.fingerprint,
        images=sum(entry.images for entry in profile.classes),
        clean_accuracy=summary.clean_accuracy,
        worst_class_accuracy=summary.worst_class_accuracy,
        labels=summary.labels,
    )


def _doses(pair: Pair) -> dict[str, ComparedSeverity]:
    curves = {curve.perturbation: curve for curve in augmentations(pair.a.profile)}
    return {
        name: ComparedSeverity(parameter=curves[name].parameter, unit=curves[name].unit, value=common.value)
        for name, common in pair.strongest.items()
    }


def _warnings(pair: Pair) -> list[str]:
    a, b = pair.a.profile, pair.b.profile
    found = []
    if pair.unpaired is not None:
        found.append(f"Images are compared as independent samples, because {pair.unpaired}: intervals are wider.")
    if pair.partly_seen:
        names = ", ".join(map(readable_name, pair.partly_seen))
        found.append(
            f"Under {names}, images are compared as independent samples, because an adaptive run did not look at all "
            "of them: intervals are wider."
        )
    measured = {curve.perturbation for profile in (a, b) for curve in augmentations(profile)}
    alone = sorted(measured - pair.strongest.keys())
    if alone:
        found.append(f"Left out, because the two measured no common value: {', '.join(map(readable_name, alone))}.")
    if a.policy.tolerance != b.policy.tolerance:
        found.append(
            f"Budgets are not compared: they are for drops of {a.policy.tolerance:g} and {b.policy.tolerance:g}."
        )
    return found + _carried(pair.a.profile, pair.b.profile)


def _carried(a: Profile, b: Profile) -> list[str]:
    """Return the warnings of the two profiles, each with the model that it is about."""
    of_a, of_b = a.warnings_to_repeat, b.warnings_to_repeat
    both = [warning for warning in of_a if warning in of_b]
    return [
        *(f"In both: {warning}" for warning in both),
        *(f"A ('{a.provenance.model.spec}'): {warning}" for warning in of_a if warning not in both),
        *(f"B ('{b.provenance.model.spec}'): {warning}" for warning in of_b if warning not in both),
    ]


def _minus(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second


def _unknown(like: Floats) -> Floats:
    return np.full_like(like, np.nan)


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)
