"""The policies of a verification and their rivals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cuesense.policies.baselines import candidates, describe, joined, matched, permuted
from cuesense.policies.policy import Policy, uniform
from tests.helpers.profiles_with_forecasts import CROP, JITTER

NAMES = ("a", "b", "c", "d")
LADDERS = {CROP: (0.7, 0.4, 0.2, 0.08), JITTER: (0.1, 0.2, 0.4, 0.8)}
BY_CLASS = Policy("per_class", 0.8, NAMES, (0, 1, 2, 2), ({CROP: 0.08}, {CROP: 0.4, JITTER: 0.2}, {}))


def test_every_dose_is_a_candidate_and_so_is_none() -> None:
    found = candidates(LADDERS, NAMES, 0.5)
    assert [policy.values[0] for policy in found] == [
        {},
        *({CROP: value} for value in LADDERS[CROP]),
        *({JITTER: value} for value in LADDERS[JITTER]),
    ]
    assert {policy.probability for policy in found} == {0.5}


def test_what_raised_the_average_by_itself_is_joined_at_its_best() -> None:
    tried = candidates(LADDERS, NAMES, 0.8)
    means = [0.5, 0.6, 0.7, 0.65, 0.4, 0.5, 0.49, 0.3, 0.2]
    assert joined(tried, means).values == ({CROP: 0.4},)
    assert joined(tried, [*means[:8], 0.51]).values == ({CROP: 0.4, JITTER: 0.8},)
    assert joined(tried, [0.9, *means[1:]]).values == ({},)


def test_a_permuted_policy_gives_the_doses_of_other_classes() -> None:
    found = permuted(BY_CLASS)
    assert [dict(found.of_class(index)) for index in range(4)] == [{}, {}, {CROP: 0.08}, {CROP: 0.4, JITTER: 0.2}]
    assert permuted(Policy("per_class", 0.8, ("a",), (0,), ({CROP: 0.2},))).of_class(0) == {CROP: 0.2}


def test_a_matched_policy_has_the_mean_rung() -> None:
    """Crop has the rungs 4, 2, 0, 0, jitter 0, 2, 0, 0: means 1.5 and 0.5, between two doses of the ladder."""
    found = matched(BY_CLASS, LADDERS)
    assert found.scope == "global"
    assert found.values[0] == pytest.approx({CROP: 0.55, JITTER: 0.05})
    assert matched(uniform({CROP: 0.2}, NAMES), LADDERS).values[0] == {CROP: 0.2}


def test_policies_are_named_by_their_doses() -> None:
    assert describe(uniform({CROP: 0.4, JITTER: 0.1}, NAMES)) == "random resized crop 0.4, color jitter 0.1"
    assert describe(uniform({}, NAMES)) == "no augmentation"
    weighted = replace(uniform({CROP: 0.4}, NAMES), class_weights=(0.5, 0.5, 1.25, 1.75))
    assert describe(weighted) == "random resized crop 0.4, class weights 0.50 to 1.75"
    assert describe(replace(weighted, values=({},))) == "class weights 0.50 to 1.75"
    assert describe(BY_CLASS) == "3 different sets of values"
    assert describe(Policy("per_class", 0.8, NAMES, (0, 1, 0, 1), ({JITTER: 0.1}, {JITTER: 0.1}))) == "color jitter 0.1"
