"""A gate's results as markdown, for the summary of a job or a comment on a pull request."""

from __future__ import annotations

from cuesense.reports.gate_text import loss_line, rule_title
from cuesense.reports.markdown.text import bullets, details, document, escaped, line, name, table
from cuesense.reports.spec_text import short_spec
from cuesense.reports.text import bracketed, points
from cuesense.schemas.gate import ClassFinding, GateResult, RuleResult

# Classes of a violated rule that its closed block names; check.json has all.
_MOST_NAMED = 100


def render(found: GateResult) -> str:
    """Return the results as markdown.

    Args:
        found: What the gate found.

    Returns:
        A heading with the outcome, one row a rule, and the classes that a rule names in closed blocks.
    """
    failed = sum(not result.holds for result in found.results)
    outcome = "✅ cuesense check: every rule holds" if found.holds else f"❌ cuesense check: {_failed(failed, found)}"
    rows = [_row(result) for result in found.results]
    headings = ("", "Rule", "Largest loss, points", "Class", "Allowed", "Images")
    return document(
        [
            [f"## {outcome}"],
            [line(_compared(found))],
            table(headings, rows, numbers=(2, 4, 5)),
            *(
                _classes(f"{rule_title(result)}: classes that lost too much", result, result.violations)
                for result in found.results
            ),
            *(
                _classes(f"{rule_title(result)}: losses that may be chance", result, result.uncertain)
                for result in found.results
            ),
            details(f"Notes: {len(found.notes)}", bullets(found.notes)),
        ]
    )


def _failed(failed: int, found: GateResult) -> str:
    return f"{failed} of {len(found.results)} rules {'is' if failed == 1 else 'are'} violated"


def _compared(found: GateResult) -> str:
    checked = short_spec(found.profile, 2)
    if found.baseline is None:
        return f"{checked}: accuracy under each augmentation against its own clean accuracy."
    return f"{checked} against {short_spec(found.baseline, 2)}, on clean images."


def _row(result: RuleResult) -> tuple[str, ...]:
    worst = result.worst
    return (
        "✅" if result.holds else "❌",
        escaped(rule_title(result)),
        f"{points(worst.loss)} {bracketed(worst.low, worst.high, points)}".rstrip(),
        "all images" if worst.name is None else name(worst.name),
        points(result.limit),
        f"{worst.images:,}",
    )


def _classes(title: str, result: RuleResult, findings: list[ClassFinding]) -> list[str]:
    named = [finding for finding in findings if finding.name is not None]
    return details(title, [f"- {escaped(loss_line(result, finding))}" for finding in named[:_MOST_NAMED]])
