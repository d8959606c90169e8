"""The lines that a gate prints."""

from __future__ import annotations

from cuesense.reports.gate_text import loss_line, others, rule_title, violation
from cuesense.reports.text import printable
from cuesense.schemas.gate import GateResult


def lines(found: GateResult) -> list[str]:
    """Return one line for each rule that is violated, or one line with the largest loss under each rule.

    Args:
        found: What the gate found.

    Returns:
        The lines; losses are in percentage points with their bounds.
    """
    if not found.holds:
        return [violation(result) for result in found.results if not result.holds]
    rules = dict.fromkeys(result.rule for result in found.results)
    worst = [max((r for r in found.results if r.rule == rule), key=lambda r: r.worst.loss) for rule in rules]
    return ["Holds: " + "; ".join(f"{rule_title(result)}: {loss_line(result, result.worst)}" for result in worst) + "."]


def notes(found: GateResult) -> list[str]:
    """Return a line for everything that was not tested, and for losses beyond a limit that may be chance."""
    uncertain = [
        f"{rule_title(result)}: {loss_line(result, result.uncertain[0])}, which may be chance"
        f"{others(result.uncertain)}."
        for result in found.results
        if result.uncertain
    ]
    return [printable(note) for note in found.notes] + uncertain
