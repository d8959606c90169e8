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

CROPPED = arm("global", [0.1, 0.0], [0.0, 0.0], over_tolerance=[], doses="<crop> 0.4", worst=0.6)
LUCK = "Next: run it again with --seeds 5, since 2 seeds cannot tell a better policy from luck."
SAID_OF_USUAL = (
    "changed the mean recall by −5.0 [−7.0, −3.0] points; no class gained for certain, <class 1> lost more than 5 "
    "points."
)


def test_the_headline_says_who_gained_and_lost_by_the_recommended_policy_and_what_is_next() -> None:
    assert headline(verification(PLAIN, USUAL, CROPPED)) == [
        "The recommended policy (<crop> 0.4) changed the mean recall by −5.0 [−7.0, −3.0] points; <class 0> gained for "
        f"certain, none lost more than 5 points. {LUCK}",
        f"The usual default (random resized crop 0.08) {SAID_OF_USUAL}",
        "The worst class fares best with the recommended policy: 60.0\N{NO-BREAK SPACE}% (<class 1>).",
    ]


def test_where_no_augmentation_is_recommended_the_usual_default_is_what_it_stands_against() -> None:
    assert headline(verification(PLAIN, SAME)) == [f"Training without augmentation is recommended. {LUCK}"]
    assert headline(verification(PLAIN, USUAL, SAME))[0] == (
        f"Training without augmentation is recommended: the usual default {SAID_OF_USUAL} {LUCK}"
    )
    assert [entry.name for entry in trained(verification(PLAIN, SAME, USUAL))] == ["none", "usual"]


@pytest.mark.parametrize(
    ("gain", "mean", "low", "high", "start", "end"),
    [
        (0.0, 0.02, 0.01, 0.03, "The recommended policy (", "`cuesense recommend PROFILE` gives the code"),
        (0.0, -0.02, -0.03, -0.01, "The recommended policy (", "without augmentation, since this costs more than it"),
        (0.0, -0.02, -0.03, 0.01, "The recommended policy (", "`cuesense recommend PROFILE` gives the code"),
        (0.1, 0.02, 0.01, 0.03, "The policy with class weights (<w>) was better than the recomm", "now gives this"),
    ],
)
def test_what_is_next_follows_from_what_was_shown(
    gain: float, mean: float, low: float, high: float, start: str, end: str
) -> None:
    change = Estimate(value=mean, low=low, high=high)
    own = CROPPED.model_copy(update={"mean_change": change, "worst": 0.5})
    rival = arm("weighted", [0.0, 0.0], [0.0, 0.0], doses="<w>", worst=0.7, lowest_gain=gain, lowest_gain_error=0.01)
    found = verification(PLAIN, own, rival).model_copy(update={"seeds": list(range(5))})
    first = headline(found)[0]
    assert first.startswith(start)
    assert end in first.partition("Next: ")[2]
    plain = PLAIN.model_copy(update={"lowest_gain": gain, "lowest_gain_error": 0.01, "worst": 0.7})
    found = verification(plain, own).model_copy(update={"seeds": list(range(5))})
    better = "Training without augmentation was better than the recommended policy."
    assert headline(found)[0].startswith(better) == (gain > 0)


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
