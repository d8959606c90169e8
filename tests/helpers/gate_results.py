"""Results of a gate, built from a few numbers."""

from __future__ import annotations

from cuesense.schemas.gate import ClassFinding, GateResult, RuleResult


def finding(name: str | None, loss: float, low: float = 0.05, images: int = 50) -> ClassFinding:
    return ClassFinding(name=name, loss=loss, low=low, high=0.4, images=images, reference_images=50)


def result(
    rule: str = "max-worst-class-loss", *, augmentation: str | None = None, **found: list[ClassFinding]
) -> RuleResult:
    """Return a result; it holds where no ``violations`` are given, and ``uncertain`` losses do not change that."""
    every = [*found.get("violations", []), *found.get("uncertain", [])] or [finding("zebra", 0.012, -0.1)]
    return RuleResult(
        rule=rule,  # type: ignore[arg-type]
        augmentation=augmentation,
        value=0.8 if augmentation else None,
        limit=0.1,
        holds=not found.get("violations"),
        paired=True,
        tested=3,
        confidence=0.99,
        worst=max(every, key=lambda entry: entry.loss),
        violations=found.get("violations", []),
        uncertain=found.get("uncertain", []),
    )


def checked(*results: RuleResult, notes: list[str] | None = None) -> GateResult:
    holds = all(entry.holds for entry in results)
    return GateResult(profile="b", baseline="a", confidence=0.95, holds=holds, results=list(results), notes=notes or [])
