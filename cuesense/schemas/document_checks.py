"""What no audit, comparison, gate or verification can say: see ``impossible``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cuesense.schemas.impossible import counts, disordered, lengths, open_fraction, outside, repeated, shares, strangers
from cuesense.schemas.json_text import quoted

if TYPE_CHECKING:
    from cuesense.schemas.audit import Audit, ClassAudit, Strength
    from cuesense.schemas.comparison import Comparison
    from cuesense.schemas.gate import GateResult
    from cuesense.schemas.verification import ArmResult, Verification


def audit_problems(audit: Audit) -> Iterator[str]:
    """Yield a clause for everything in an audit that cannot be."""
    strengths = audit.strengths
    if not strengths:
        yield "no strength in 'strengths'"
        return
    yield from repeated("strengths", strengths)
    for name in ("runs", "safety", "mean_accuracy", "mean_low", "mean_high", "worst_class_accuracy", "worst_class"):
        yield from lengths(name, getattr(audit, name), len(strengths), "strengths")
    yield from open_fraction("tolerance", audit.tolerance)
    yield from open_fraction("confidence", audit.confidence, low=0.5)
    yield from counts("runs", audit.runs)
    yield from shares("mean_accuracy", *audit.mean_accuracy)
    yield from shares("worst_class_accuracy", *audit.worst_class_accuracy)
    for name in ("chosen_by_mean", "chosen_by_worst_class", "chosen_unharmed", "chosen_safe"):
        yield from _unknown_strengths(name, [getattr(audit, name)], strengths)
    yield from repeated("classes.name", [entry.name for entry in audit.classes])
    yield from strangers("worst_class", audit.worst_class, {entry.name for entry in audit.classes}, "class")
    for number, entry in enumerate(audit.classes):
        yield from _audited_class(f"classes.{number}", entry, strengths)


def _audited_class(field: str, entry: ClassAudit, strengths: Sequence[Strength]) -> Iterator[str]:
    for name in ("accuracy", "accuracy_low", "accuracy_high"):
        yield from lengths(f"{field}.{name}", getattr(entry, name), len(strengths), "strengths")
    yield from shares(f"{field}.accuracy", *entry.accuracy)
    yield from counts(f"{field}.n", [entry.n])
    yield from _unknown_strengths(f"{field}.best_strength", [entry.best_strength], strengths)
    yield from _unknown_strengths(f"{field}.harmed_at", entry.harmed_at, strengths)


def _unknown_strengths(field: str, found: Sequence[Strength | None], strengths: Sequence[Strength]) -> Iterator[str]:
    for strength in found:
        if strength is not None and strength not in strengths:
            yield f"the strength {quoted(str(strength))} in '{field}', which is none of 'strengths'"


def comparison_problems(comparison: Comparison) -> Iterator[str]:
    """Yield a clause for everything in a comparison that cannot be."""
    yield from open_fraction("confidence", comparison.confidence, low=0.5)
    yield from disordered("accuracy", comparison.accuracy)
    yield from repeated("classes.name", [entry.name for entry in comparison.classes])
    for number, entry in enumerate(comparison.classes):
        yield from counts(f"classes.{number}", [entry.images_a, entry.images_b])
        yield from disordered(f"classes.{number}.accuracy", entry.accuracy)
        yield from strangers(f"classes.{number}.under", list(entry.under), set(comparison.doses), "augmentation")


def gate_problems(gate: GateResult) -> Iterator[str]:
    """Yield a clause for everything in a gate's result that cannot be."""
    yield from open_fraction("confidence", gate.confidence, low=0.5)
    for number, result in enumerate(gate.results):
        if not 0 <= result.limit < 1:
            yield f"{result.limit:g} in 'results.{number}.limit', which lies in [0, 1)"
        if result.holds == bool(result.violations):
            yield f"{len(result.violations)} violations in 'results.{number}', which says that it {_held(result.holds)}"
        for finding in (result.worst, *result.violations, *result.uncertain):
            yield from outside(f"results.{number}.loss", [finding.loss], -1, 1)
            yield from counts(f"results.{number}.images", [finding.images, finding.reference_images])


def _held(holds: bool) -> str:
    return "holds" if holds else "does not hold"


def verification_problems(verification: Verification) -> Iterator[str]:
    """Yield a clause for everything in a verification that cannot be."""
    yield from open_fraction("tolerance", verification.tolerance)
    yield from open_fraction("confidence", verification.confidence, low=0.5)
    yield from counts("images", [verification.images])
    if verification.baseline is not None:
        known = verification.baseline
        yield from shares("baseline", known.accuracy, known.by_chance, known.model_accuracy)
    for number, arm in enumerate(verification.arms):
        yield from _arm(f"arms.{number}", arm)


def _arm(field: str, arm: ArmResult) -> Iterator[str]:
    yield from shares(field, arm.mean, arm.worst)
    yield from outside(f"{field}.lowest_gain", [arm.lowest_gain], -1, 1)
    yield from disordered(f"{field}.mean_change", arm.mean_change)
    for number, entry in enumerate(arm.classes):
        yield from counts(f"{field}.classes.{number}.images", [entry.images])
        yield from shares(f"{field}.classes.{number}", entry.recall, entry.precision)
        yield from disordered(f"{field}.classes.{number}.recall_change", entry.recall_change)
