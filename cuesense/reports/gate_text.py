"""The lines of a gate's results, for the terminal and for JUnit files."""

from __future__ import annotations

from collections.abc import Sequence

from cuesense.reports.text import bracketed, listed, points, points_with_unit, printable, readable_name
from cuesense.schemas.gate import ClassFinding, RuleResult

# A violated rule stays one line of a CI log: the worst class with its numbers, and the names of five more.
_LISTED = 5


def rule_title(result: RuleResult) -> str:
    """Return a rule and the augmentation it was tested under, for instance ``"max-drop under color jitter 0.8"``."""
    if result.augmentation is None or result.value is None:
        return result.rule
    return f"{result.rule} under {printable(readable_name(result.augmentation))} {result.value:g}"


def violation(result: RuleResult) -> str:
    """Return the line of a violated rule: its largest certain loss with the numbers, then other classes' names."""
    return f"{rule_title(result)}: {loss_line(result, result.violations[0])}{others(result.violations)}."


def loss_line(result: RuleResult, finding: ClassFinding) -> str:
    """Return one loss with its bounds, the limit and the number of images."""
    name = "" if finding.name is None else f"{printable(finding.name)} "
    images = f"{finding.images:,}"
    if finding.images != finding.reference_images:
        images += f" against {finding.reference_images:,}"
    loss = f"{points_with_unit(finding.loss)} {bracketed(finding.low, finding.high, points)}"
    return f"{name}lost {loss} of {points(result.limit)} allowed (n = {images})"


def others(findings: Sequence[ClassFinding]) -> str:
    """Return the classes after the first of several findings, for instance ``"; likewise ant, bee and 3 more"``."""
    names = [printable(finding.name or "") for finding in findings[1:]]
    return f"; likewise {listed(names, _LISTED)}" if names else ""
