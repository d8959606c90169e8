"""What a gate prints."""

from __future__ import annotations

from cuesense.reports.terminal.gate import lines, notes
from tests.helpers.gate_results import checked, finding, result


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
