"""Lines of a gate's results."""

from __future__ import annotations

import pytest

from cuesense.reports.gate_text import loss_line, others, rule_title, violation
from tests.helpers.gate_results import finding, result

NBSP = "\N{NO-BREAK SPACE}"


def test_a_rule_is_named_with_its_augmentation_and_value() -> None:
    assert rule_title(result("max-drop")) == "max-drop"
    assert rule_title(result(augmentation="color_jitter")) == "max-worst-class-loss under color jitter 0.8"


def test_a_loss_has_its_bounds_its_limit_and_its_images() -> None:
    line = loss_line(result(), finding("bee\x1b", 0.2, -0.1))
    assert line == f"bee\ufffd lost 20.0{NBSP}pp [−10.0, 40.0] of 10.0 allowed (n = 50)"
    assert loss_line(result(), finding(None, 0.2, images=1040)).endswith("(n = 1,040 against 50)")


@pytest.mark.parametrize(
    ("classes", "line"),
    [
        (1, ""),
        (2, "; likewise class 1"),
        (6, "; likewise class 1, class 2, class 3, class 4, class 5"),
        (7, "; likewise class 1, class 2, class 3, class 4, class 5 and 1 more"),
    ],
)
def test_five_other_classes_are_named(classes: int, line: str) -> None:
    assert others([finding(f"class {index}", 0.3) for index in range(classes)]) == line


def test_a_violation_ends_with_a_full_stop() -> None:
    bad = result(violations=[finding("bee", 0.3), finding("ant", 0.2)])
    assert violation(bad).startswith("max-worst-class-loss: bee lost 30.0")
    assert violation(bad).endswith("; likewise ant.")
