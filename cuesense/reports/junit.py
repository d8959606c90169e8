"""A gate's results as JUnit XML, which CI servers show as tests."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from cuesense.reports.gate_text import rule_title, violation
from cuesense.schemas.gate import GateResult

# Everything outside the production "Char" of XML 1.0 (section 2.2). ElementTree writes such characters as they are,
# and no parser accepts the file then.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(found: GateResult) -> str:
    """Return the results as JUnit XML: one test case for each rule and augmentation, a failure where it is violated.

    Args:
        found: What the gate found.

    Returns:
        An XML document; characters that XML does not allow become U+FFFD.
    """
    failures = sum(not result.holds for result in found.results)
    counts = {"tests": str(len(found.results)), "failures": str(failures), "errors": "0"}
    suites = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(suites, "testsuite", {"name": "cuesense check", **counts, "skipped": "0"})
    for result in found.results:
        name = _valid_xml(rule_title(result))
        case = ElementTree.SubElement(suite, "testcase", {"classname": "cuesense.check", "name": name})
        if not result.holds:
            line = _valid_xml(violation(result))
            ElementTree.SubElement(case, "failure", {"type": result.rule, "message": line}).text = line
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(suites, encoding="unicode")}\n'


def _valid_xml(line: str) -> str:
    return _NOT_XML.sub("\ufffd", line)
