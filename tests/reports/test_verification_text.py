"""Sentences about a verification."""

from __future__ import annotations

import pytest

from cuesense.reports.verification_text import (
    effect,
    headline,
    held,
    nothing_learned,
    rival_sentences,
    trained,
    weaker,
    within,
)
from cuesense.schemas.base import Estimate
from tests.helpers.verifications import PLAIN, SAME, USUAL, arm, many, of_accuracy, verification


def test_the_headline_says_what_the_recommended_and_the_usual_policy_did() -> None:
    own = arm("global", [0.0, 0.0], [0.0, 0.0], over_tolerance=[], doses="<crop> 0.4", worst=0.6)
    assert headline(verification(PLAIN, USUAL, own)) == [
        "The recommended policy (<crop> 0.4) changed the mean recall by −5.0 [−7.0, −3.0] points and the lowest by "
        "−20.0; no class lost more than 5 points.",
        "The usual default (random resized crop 0.08) changed the mean recall by −5.0 [−7.0, −3.0] points and the "
        "lowest by −20.0; more than 5 points lost by <class 1>.",
        "The best worst class: global, 60.0\N{NO-BREAK SPACE}% (<class 1>).",
    ]


def test_a_policy_like_another_is_said_to_be_the_same() -> None:
    assert headline(verification(PLAIN, SAME)) == [
        "The recommended policy (random resized crop 0.08) is the same as no augmentation."
    ]
    assert [entry.name for entry in trained(verification(PLAIN, SAME, USUAL))] == ["none", "usual"]


@pytest.mark.parametrize(
    ("lost", "inside"), [(-0.04, True), (0.04, True), (0.041, False), (-0.041, False), (None, None)]
)
def test_an_outcome_is_within_the_range_up_to_its_ends(lost: float | None, inside: bool | None) -> None:
    change = Estimate(value=None if lost is None else -lost, low=None, high=None)
    entry = USUAL.classes[0].model_copy(update={"recall_change": change, "forecast_low": -0.04, "forecast_high": 0.04})
    assert within(entry) is inside
    assert within(entry.model_copy(update={"forecast_high": None})) is None


@pytest.mark.parametrize(
    ("value", "low", "word"),
    [(-0.0501, -0.1, "loses"), (-0.05, -0.1, ""), (0.02, 0.001, "gains"), (0.02, 0.0, ""), (None, None, "")],
)
def test_a_class_loses_beyond_the_tolerance_and_gains_for_certain(
    value: float | None, low: float | None, word: str
) -> None:
    change = Estimate(value=value, low=low, high=None)
    assert effect(USUAL.classes[0].model_copy(update={"recall_change": change}), 0.05) == word


def test_outcomes_within_their_range_are_counted_where_there_are_ranges() -> None:
    assert held(verification(PLAIN, USUAL)) == ""
    assert held(many()).startswith("60 of 60 outcomes lie within the forecast range")


def test_of_networks_that_guess_nothing_is_said_but_that() -> None:
    found = of_accuracy(many(), 0.094, guessing=True)
    assert nothing_learned(found) == (
        "The networks trained without augmentation recognize 9.4\N{NO-BREAK SPACE}% of the test images, which is not "
        "clearly more than guessing gets (8.3\N{NO-BREAK SPACE}%): nothing can be said about any policy, and a profile "
        "keeps nothing of these trainings. To find out, train longer (--epochs), on more images, or from a checkpoint "
        "(--from)."
    )
    assert headline(found) == list(rival_sentences(found)) == []
    better = of_accuracy(many(), 0.094)
    assert nothing_learned(better) == nothing_learned(many()) == ""
    assert headline(better) == headline(many()) != []
    assert list(rival_sentences(better))


@pytest.mark.parametrize(("accuracy", "said"), [(0.4, True), (0.69, True), (0.71, False), (0.95, False)])
def test_networks_far_below_the_model_are_called_weaker(accuracy: float, said: bool) -> None:
    text = weaker(of_accuracy(many(), accuracy))
    assert text.startswith("These networks are weaker than the analyzed model: without augmentation they ") is said
    assert (f"{100 * accuracy:.1f}\N{NO-BREAK SPACE}% of the test images" in text) is said
    assert weaker(many()) == ""
