"""What a notebook and a debugger show of the results: a few lines, whatever their size and names."""

from __future__ import annotations

import pytest

from cuesense.comparison.compare import compare
from tests.helpers.audits import audit
from tests.helpers.graded_profiles import graded
from tests.helpers.profiles import profile
from tests.helpers.verifications import SAME, USUAL, verification

HOSTILE = ("red\x1b[31m", "a\nb", "\u202eevil")


def test_a_profile_is_shown_in_three_lines() -> None:
    source = graded(12)
    shown = repr(source)
    assert shown.startswith("<Profile of torchvision:resnet18 on photos/val: 600 images of 12 classes, ")
    assert len(shown.splitlines()) <= 3
    assert len(shown) < 700
    assert str(source) == shown
    assert "loses" in shown or "safe" in shown.lower()


def test_the_size_of_a_profile_does_not_change_that() -> None:
    assert len(repr(graded(1000))) < 700
    assert "0 images of 1 class, – recognized" in repr(profile(1, empty=1))


def test_a_class_is_one_line_with_its_budgets() -> None:
    shown = repr(graded(12).classes["zebra"])
    assert shown.startswith("<Class 'zebra': 50 images, ")
    assert "relies on: " in shown
    assert "budgets: crop " in shown
    assert "\n" not in shown
    assert str(graded(12).classes["zebra"]) == shown


@pytest.mark.parametrize("make", [lambda: profile(3, names=HOSTILE), lambda: profile(3, names=HOSTILE).classes[0]])
def test_names_command_no_terminal(make) -> None:
    shown = repr(make())
    assert not {"\x1b", "\u202e", "\r"} & set(shown)


def test_an_audit_says_which_strength_and_who_is_harmed() -> None:
    first, second = repr(audit()).splitlines()
    assert first == "<Audit of random_resized_crop: 20 runs at 1, 0.5, 0.2, 0.08>"
    assert "harmed by it: teapot loses" in second


def test_a_comparison_shows_both_models_and_their_difference() -> None:
    shown = repr(compare(profile(6), profile(6, seed=1)))
    assert len(shown.splitlines()) == 2
    assert shown.startswith("<Comparison of torchvision:resnet18 (A) and torchvision:resnet18 (B) on 6 classes>")
    assert "B minus A" in shown


def test_a_verification_has_a_line_for_every_policy_that_was_trained() -> None:
    shown = repr(verification(USUAL, SAME)).splitlines()
    assert shown[0] == "<Verification of 2 policies with 2 seeds on 1,234 test images>"
    assert [line.split(":")[0].strip() for line in shown[1:]] == [USUAL.name]
    assert "(−5.0)" in shown[1]
    assert "1 class over the tolerance" in shown[1]
