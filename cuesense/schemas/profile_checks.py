"""What no profile can say, field by field: see ``impossible``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cuesense.schemas.free_fields import policy_problems, preprocessing_problems
from cuesense.schemas.graded_checks import graded_problems
from cuesense.schemas.impossible import (
    counts,
    disordered,
    lengths,
    open_fraction,
    outside,
    repeated,
    shares,
    strangers,
)
from cuesense.schemas.pipeline_checks import pipeline_problems

if TYPE_CHECKING:
    from cuesense.schemas.profile import ClassModel, CurveModel, ForecastModel, LossModel, Profile, VerifiedModel
    from cuesense.schemas.profile_budgets import BudgetModel
    from cuesense.schemas.profile_curves import Counts
    from cuesense.schemas.profile_training import TrainedBudget

# More repeats than any configuration allows; a table of predictions may have more than a run.
_MOST_REPEATS = 1_000_000


def profile_problems(profile: Profile) -> Iterator[str]:
    """Yield a clause for everything in a profile that cannot be."""
    if not profile.classes:
        yield "no class in 'classes'"
        return
    yield from preprocessing_problems("provenance.model.preprocessing", profile.provenance.model.preprocessing)
    yield from shares("summary", profile.summary.clean_accuracy, profile.summary.worst_class_accuracy)
    yield from counts("summary.labels", list(profile.summary.labels.values()))
    yield from _classes(profile.classes)
    yield from graded_problems(profile.summary.graded, profile.classes)
    for number, curve in enumerate(profile.curves):
        yield from _curve(f"curves.{number}", curve, len(profile.classes))
    yield from _names(profile)
    yield from _rules(profile)
    if profile.forecast is not None:
        yield from _forecast(profile.forecast, [entry.name for entry in profile.classes])
    if profile.verified is not None:
        yield from _verified(profile.verified, len(profile.classes))
    if profile.pipeline is not None:
        yield from pipeline_problems(profile.pipeline, [entry.name for entry in profile.classes])


def _rules(profile: Profile) -> Iterator[str]:
    """Yield a clause for every tolerance or level that is out of its range."""
    yield from open_fraction("policy.tolerance", profile.policy.tolerance)
    yield from open_fraction("policy.confidence", profile.policy.confidence, low=0.5)
    if not 0 < profile.policy.risk <= 0.5:
        yield f"{profile.policy.risk:g} in 'policy.risk', which lies in (0, 0.5]"
    if profile.labeling is not None:
        yield from open_fraction("labeling.confidence", profile.labeling.confidence, low=0.5)
        yield from shares("labeling", profile.labeling.certainty, profile.labeling.false_discovery)


def _classes(entries: Sequence[ClassModel]) -> Iterator[str]:
    yield from repeated("classes.name", [entry.name for entry in entries])
    for position, entry in enumerate(entries):
        if entry.index != position:
            yield f"{entry.index} in 'classes.{position}.index', where classes are numbered from 0 in their order"
        yield from _class(f"classes.{position}", entry)


def _curve(field: str, curve: CurveModel, classes: int) -> Iterator[str]:
    severities = len(curve.values)
    if not severities:
        yield f"no value in '{field}.values'"
        return
    wrong = list(_curve_lengths(field, curve, classes))
    yield from wrong
    if wrong:
        # Counts can only be compared where they belong to each other.
        return
    yield from outside(f"{field}.repeats", [curve.repeats], 1, _MOST_REPEATS, rounding=0)
    yield from counts(f"{field}.n", curve.n)
    for severity, row in enumerate(curve.seen or []):
        yield from counts(f"{field}.seen.{severity}", row, curve.n)
    yield from _part(field, curve, curve)
    yield from _part(f"{field}.corrected", curve.corrected, curve)
    for severity, row in enumerate(curve.squared or []):
        most = [curve.repeats * (a + b) for a, b in zip(curve.lost[severity], curve.gained[severity], strict=True)]
        yield from counts(f"{field}.squared.{severity}", row, most)
    if curve.unpaired is not None:
        for seen, correct in zip(curve.unpaired.n, curve.unpaired.correct, strict=True):
            yield from counts(f"{field}.unpaired.n", seen)
            yield from counts(f"{field}.unpaired.correct", correct, seen)


def _curve_lengths(field: str, curve: CurveModel, classes: int) -> Iterator[str]:
    severities = len(curve.values)
    yield from lengths(f"{field}.pixels", curve.pixels, severities, f"values in '{field}.values'")
    for name in ("n", "clean_correct"):
        yield from lengths(f"{field}.{name}", getattr(curve, name), classes, "classes")
    yield from lengths(f"{field}.corrected.clean_correct", curve.corrected.clean_correct, classes, "classes")
    tables = [("lost", curve.lost), ("gained", curve.gained)]
    tables += [("corrected.lost", curve.corrected.lost), ("corrected.gained", curve.corrected.gained)]
    tables += [(name, table) for name in ("squared", "seen") if (table := getattr(curve, name)) is not None]
    if curve.unpaired is not None:
        tables += [("unpaired.n", curve.unpaired.n), ("unpaired.correct", curve.unpaired.correct)]
    for name, table in tables:
        yield from _table(f"{field}.{name}", table, severities, classes)


def _table(field: str, rows: Sequence[Sequence[object]], severities: int, classes: int) -> Iterator[str]:
    """Yield a clause where a table is not of one row a severity and one column a class."""
    yield from lengths(field, rows, severities, "severities")
    for severity, row in enumerate(rows):
        yield from lengths(f"{field}.{severity}", row, classes, "classes")


def _part(field: str, part: CurveModel | Counts, curve: CurveModel) -> Iterator[str]:
    """Yield a clause for counts, raw or corrected, that are no parts of the images."""
    yield from counts(f"{field}.clean_correct", part.clean_correct, curve.n)
    right = [curve.repeats * count for count in part.clean_correct]
    wrong = [curve.repeats * n - count for n, count in zip(curve.n, right, strict=True)]
    for severity, (lost, gained) in enumerate(zip(part.lost, part.gained, strict=True)):
        seen = [curve.repeats * count for count in curve.images_at(severity + 1)]
        yield from counts(f"{field}.lost.{severity}", lost, list(map(min, right, seen)))
        left = [count - taken for count, taken in zip(seen, lost, strict=True)]
        yield from counts(f"{field}.gained.{severity}", gained, list(map(min, wrong, left)))


def _class(field: str, entry: ClassModel) -> Iterator[str]:
    yield from counts(f"{field}.images", [entry.images])
    yield from shares(f"{field}.clean_accuracy", entry.clean_accuracy)
    yield from shares(f"{field}.probabilities", *entry.probabilities.values())
    for cue, found in entry.reliance.items():
        where = f"{field}.reliance.{cue.value}"
        yield from disordered(where, found)
        yield from disordered(f"{where}.sufficiency", found.sufficiency)
        yield from disordered(f"{where}.second", found.second)
        yield from shares(f"{where}.q", found.q)
    for rival in entry.rivals:
        yield from shares(f"{field}.rivals.share", rival.share)
    for name, budget in entry.budgets.items():
        yield from outside(f"{field}.budgets.{name}", [budget.drop, budget.low, budget.high], -1, 1)
        drops = [*budget.expected, *budget.expected_low, *budget.expected_high]
        yield from outside(f"{field}.budgets.{name}", drops, -1, 1)
        yield from _budget_lengths(f"{field}.budgets.{name}", budget)
        yield from shares(f"{field}.budgets.{name}.risks", budget.risk, *budget.risks)


def _budget_lengths(field: str, budget: BudgetModel) -> Iterator[str]:
    """Yield a clause where a budget's lists are of other severities; older files lack some of them."""
    tables = {"expected": budget.expected, "expected_low": budget.expected_low, "risks": budget.risks}
    severities = max(map(len, tables.values()))
    for name, values in tables.items():
        if values:
            yield from lengths(f"{field}.{name}", values, severities, "severities")
    low = len(budget.expected_low)
    yield from lengths(f"{field}.expected_high", budget.expected_high, low, f"values in '{field}.expected_low'")


def _names(profile: Profile) -> Iterator[str]:
    """Yield a clause for every name of a class or augmentation that the profile refers to and does not have."""
    classes = {entry.name for entry in profile.classes}
    measured = {curve.perturbation for curve in profile.curves}
    policy = profile.policy
    yield from strangers("policy.global", list(policy.global_), measured, "augmentation")
    yield from strangers("policy.per_class", list(policy.per_class), classes, "class")
    for name, of_class in policy.per_class.items():
        yield from strangers(f"policy.per_class.{name}", list(of_class), measured, "augmentation")
    for number, entry in enumerate(profile.classes):
        yield from strangers(f"classes.{number}.budgets", list(entry.budgets), measured, "augmentation")
    for number, group in enumerate(profile.groups):
        yield from counts(f"groups.{number}", [group.classes, group.images])
        yield from strangers(f"groups.{number}.members", list(group.members), classes, "class")
        for found in group.shares.values():
            yield from disordered(f"groups.{number}.shares", found)


def _forecast(forecast: ForecastModel, names: Sequence[str]) -> Iterator[str]:
    if not 0 < forecast.probability <= 1:
        yield f"{forecast.probability:g} in 'forecast.probability', which lies in (0, 1]"
    yield from outside("forecast.runs", [forecast.runs], 1, float("inf"), rounding=0)
    yield from lengths("forecast.accuracy", forecast.accuracy, len(names), "classes")
    yield from shares("forecast.accuracy", *forecast.accuracy)
    for name, found in forecast.augmentations.items():
        yield from _losses(f"forecast.augmentations.{name}", found, names)
    yield from strangers("forecast.budgets", list(forecast.budgets), set(names), "class")
    for name, budgets in forecast.budgets.items():
        yield from _trained(f"forecast.budgets.{name}", budgets, forecast)


def _trained(field: str, budgets: dict[str, TrainedBudget], forecast: ForecastModel) -> Iterator[str]:
    yield from strangers(field, list(budgets), set(forecast.augmentations), "augmentation")


def _losses(field: str, found: LossModel, names: Sequence[str]) -> Iterator[str]:
    severities = len(found.values)
    if not severities:
        yield f"no value in '{field}.values'"
        return
    tables: tuple[tuple[str, Sequence[Sequence[object]]], ...] = (
        ("loss", found.loss),
        ("spread", found.spread),
        ("low", found.low),
        ("high", found.high),
        ("flags", found.flags),
    )
    for name, table in tables:
        yield from _table(f"{field}.{name}", table, severities, len(names))
    for row in found.spread:
        yield from outside(f"{field}.spread", row, 0, float("inf"), rounding=0)
    if found.augmented:
        yield from lengths(f"{field}.augmented", found.augmented, len(names), "classes")
    yield from shares(f"{field}.augmented", *found.augmented)
    for leak in found.leaks:
        yield from strangers(f"{field}.leaks", [leak.of, leak.rival], set(names), "class")
        yield from outside(f"{field}.leaks.share", [leak.share], -1, 1)


def _verified(found: VerifiedModel, classes: int) -> Iterator[str]:
    yield from open_fraction("verified.tolerance", found.tolerance)
    yield from outside("verified.seeds", [found.seeds], 1, float("inf"), rounding=0)
    for name, trained in found.policies.items():
        yield from shares(f"verified.policies.{name}", trained.mean, trained.worst)
        yield from outside(f"verified.policies.{name}.lowest_gain", [trained.lowest_gain], -1, 1)
        for field, known, low in (("gain", trained.gain, -1), ("gain_margin", trained.gain_margin, 0)):
            yield from lengths(f"verified.policies.{name}.{field}", known or None, classes, "classes")
            yield from outside(f"verified.policies.{name}.{field}", known, low, float("inf") if low == 0 else 1)
        yield from policy_problems(f"verified.policies.{name}.policy", trained.policy)
        yield from counts(f"verified.policies.{name}.over_tolerance", [trained.over_tolerance])
