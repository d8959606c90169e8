"""The JUnit file of a gate, parsed back."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from cuesense.reports.junit import junit
from tests.helpers.gate_results import checked, finding, result


@pytest.mark.parametrize("name", ['<bee> & "ant"', "tab\there \x1b\x00", "last \ufffe\uffff one", "ok \U0001f41d é"])
def test_junit_is_read_back(name: str) -> None:
    bad = result(augmentation="color_jitter", violations=[finding(name, 0.3)])
    text = junit(checked(bad, result("max-drop")))
    root = ElementTree.fromstring(text.encode())
    assert root.tag == "testsuites"
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failed, passed = suite
    assert failed.get("name") == "max-worst-class-loss under color jitter 0.8"
    assert passed.get("name") == "max-drop"
    assert list(passed) == []
    (failure,) = failed
    assert failure.get("type") == "max-worst-class-loss"
    assert failure.get("message") == failure.text
    assert failure.text is not None
    assert "lost 30.0" in failure.text
    kept = [letter for letter in name if letter not in "\t\x1b\x00\ufffe\uffff"]
    assert "".join(kept) in failure.text.replace("\ufffd", "")


def test_without_violations_no_case_fails() -> None:
    (suite,) = ElementTree.fromstring(junit(checked(result(), result("max-drop"))).encode())
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "0", "0")
    assert [list(case) for case in suite] == [[], []]
