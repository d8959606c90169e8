"""What a notebook and a debugger show of a policy and of an advice."""

from __future__ import annotations

from cuesense.policies.advice import advise
from cuesense.policies.policy import Policy, sparing, uniform
from tests.helpers.planted_profiles import limited_profile

NAMES = ("a", "b", "c")


def test_a_policy_for_all_classes_lists_its_values() -> None:
    found = uniform({"random_resized_crop": 0.4, "color_jitter": 0.2}, NAMES)
    words = "random resized crop to 0.4, color jitter to 0.2 for 80.0\N{NO-BREAK SPACE}% of the views"
    assert repr(found) == str(found) == f"<Policy for 3 classes, all alike: {words}>"
    assert repr(uniform({}, NAMES)) == "<Policy for 3 classes, all alike: no augmentation>"


def test_policies_by_class_and_group_and_weights_say_so() -> None:
    assert "3 classes, by class: color jitter to 0.1" in repr(sparing({"color_jitter": 0.1}, NAMES, ["a"]))
    values = ({"color_jitter": 0.1}, {"color_jitter": 0.2})
    assert "2 groups of 3 classes: 2 sets of values" in repr(Policy("grouped", 0.8, NAMES, (0, 0, 1), values))
    assert repr(Policy("global", 0.8, NAMES, (0, 0, 0), ({},), (0.5, 1.0, 1.5))).endswith(", with class weights>")


def test_a_thousand_classes_are_one_line() -> None:
    names = tuple(f"class {at}" for at in range(1000))
    values = tuple({"color_jitter": 0.1 + at / 10_000} for at in range(1000))
    assert len(repr(Policy("per_class", 0.8, names, tuple(range(1000)), values))) < 200


def test_an_advice_shows_each_forecast_in_a_line() -> None:
    found = advise(limited_profile())
    first, *rest = repr(found).splitlines()
    assert first.startswith("<Advice: ")
    assert [line.split(":")[0].strip() for line in rest] == list(found.outlooks)
    assert all("on average, worst" in line for line in rest)
