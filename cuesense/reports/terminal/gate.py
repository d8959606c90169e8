"""The lines and the JUnit file of a gate."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from cuesense.reports import text
from cuesense.schemas.gate import ClassFinding, GateResult, RuleResult

_LISTED = 5
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def lines(found: GateResult) -> list[str]:
    """Return one line for each rule that is violated, or one line that says what was lost at most.

    Args:
        found: What the gate found.

    Returns:
        The lines; losses are in percentage points with their bounds.
    """
    if not found.holds:
        return [_violation(result) for result in found.results if not result.holds]
    rules = dict.fromkeys(result.rule for result in found.results)
    worst = [max((r for r in found.results if r.rule == rule), key=lambda r: r.worst.loss) for rule in rules]
    return ["Holds: " + "; ".join(f"{_title(result)}: {_said(result, result.worst)}" for result in worst) + "."]


def notes(found: GateResult) -> list[str]:
    """Return a line for everything that was not judged, and for losses beyond a limit that may be chance."""
    doubts = [
        f"{_title(result)}: {_said(result, result.uncertain[0])}, which may be chance{_more(result.uncertain)}."
        for result in found.results
        if result.uncertain
    ]
    return [text.plain(note) for note in found.notes] + doubts


def junit(found: GateResult) -> str:
    """Return the results as JUnit XML: one test case a rule and augmentation, and its line where it is violated.

    Args:
        found: What the gate found.

    Returns:
        A document that every JUnit reader takes; characters that XML does not allow become U+FFFD.
    """
    failures = sum(not result.holds for result in found.results)
    counts = {"tests": str(len(found.results)), "failures": str(failures), "errors": "0"}
    suites = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(suites, "testsuite", {"name": "cuesense check", **counts, "skipped": "0"})
    for result in found.results:
        case = ElementTree.SubElement(
            suite, "testcase", {"classname": "cuesense.check", "name": _clean(_title(result))}
        )
        if not result.holds:
            line = _clean(_violation(result))
            ElementTree.SubElement(case, "failure", {"type": result.rule, "message": line}).text = line
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(suites, encoding="unicode")}\n'


def _clean(line: str) -> str:
    return _NOT_XML.sub("\ufffd", line)


def _title(result: RuleResult) -> str:
    if result.augmentation is None or result.value is None:
        return result.rule
    return f"{result.rule} under {text.plain(text.words(result.augmentation))} {result.value:g}"


def _violation(result: RuleResult) -> str:
    return f"{_title(result)}: {_said(result, result.violations[0])}{_more(result.violations)}."


def _said(result: RuleResult, finding: ClassFinding) -> str:
    who = "" if finding.name is None else f"{text.plain(finding.name)} "
    n = f"{finding.images:,}"
    if finding.images != finding.reference_images:
        n += f" against {finding.reference_images:,}"
    between = f"[{_number(finding.low)}, {_number(finding.high)}]"
    return f"{who}lost {text.points(finding.loss)} {between} of {_number(result.limit)} allowed (n = {n})"


def _number(share: float) -> str:
    return f"{100 * share:z.1f}".replace("-", "−")


def _more(findings: list[ClassFinding]) -> str:
    others = [text.plain(finding.name or "") for finding in findings[1:]]
    if not others:
        return ""
    rest = f" and {len(others) - _LISTED} more" if len(others) > _LISTED else ""
    return f"; likewise {', '.join(others[:_LISTED])}{rest}"
