"""What a gate prints and its JUnit file, parsed back."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from cuesense.reports.terminal.gate import junit, lines, notes
from cuesense.schemas.gate import ClassFinding, GateResult, RuleResult


def finding(name: str | None, loss: float, low: float = 0.05, images: int = 50) -> ClassFinding:
    return ClassFinding(name=name, loss=loss, low=low, high=0.4, images=images, reference_images=50)


def result(
    rule: str = "max-worst-class-loss", *, augmentation: str | None = None, **found: list[ClassFinding]
) -> RuleResult:
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


def test_what_holds_is_one_line() -> None:
    found = checked(
        result("max-drop", uncertain=[]),
        result(augmentation="hue"),
        result(augmentation="color_jitter", uncertain=[finding("bee", 0.2, -0.1)]),
    )
    (line,) = lines(found)
    assert line.startswith("Holds: max-drop: zebra lost 1.2")
    assert "max-worst-class-loss under color jitter 0.8: bee lost 20.0" in line
    assert "hue" not in line


def test_every_violated_rule_is_one_line_with_its_numbers() -> None:
    many = [finding(f"class {index}", 0.3 - index / 100, images=40) for index in range(9)]
    found = checked(result("max-drop", violations=[finding(None, 0.2)]), result(violations=many), result())
    first, second = lines(found)
    assert first == "max-drop: lost 20.0\N{NO-BREAK SPACE}pp [5.0, 40.0] of 10.0 allowed (n = 50)."
    assert second.startswith("max-worst-class-loss: class 0 lost 30.0")
    assert "(n = 40 against 50); likewise class 1, class 2, class 3, class 4, class 5 and 3 more." in second


def test_losses_that_may_be_chance_are_notes() -> None:
    found = checked(result(uncertain=[finding("bee", 0.2, -0.1), finding("ant", 0.15, 0)]), notes=["not\x1b[1m judged"])
    first, second = notes(found)
    assert first == "not\ufffd[1m judged"
    assert "bee lost 20.0\N{NO-BREAK SPACE}pp [−10.0, 40.0]" in second
    assert second.endswith("which may be chance; likewise ant.")


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
