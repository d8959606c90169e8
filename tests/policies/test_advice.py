"""Advice: never silent, with figures, within the risk."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.policies.advice import LAST, NEXT, NONE, RECOMMENDED, USUAL, advise
from cuesense.policies.policy import Limit, Policy, PolicyOptions, uniform
from cuesense.policies.recommend import recommend
from cuesense.reports.terminal.policy import lines
from tests.helpers.profiles import NAMES, profile
from tests.helpers.profiles_with_forecasts import CROP, CROPPED, forecast


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([2, 10, 50]), st.sampled_from([0, 1, 3]), st.sampled_from([0.05, 0.2]))
def test_there_is_always_a_recommendation_with_figures(seed: int, images: int, empty: int, risk: float) -> None:
    found = profile(5, images=images, empty=empty, seed=seed)
    policy = recommend(found, risk=risk)
    advice = advise(found, PolicyOptions(risk=risk), policy)
    said = lines(advice, found.summary.clean_accuracy, {})
    assert advice.policy == policy
    assert said[0].startswith("Recommended: ")
    assert " 0 classes" not in said[0]
    for name in (NONE, USUAL):
        assert any(line.startswith(f"forecast for {name}") and "on average, worst class" in line for line in said)
    assert advice.outlooks[RECOMMENDED].at_risk == ()
    assert policy.names or NEXT in advice.outlooks
    assert "NaN" not in json.dumps(advice.to_dict())


def test_what_stops_an_augmentation_is_named_with_its_risk() -> None:
    gaining = [[-0.1] * 3, [-0.12, 0.2, -0.1], [0.3] * 3, [0.3] * 3]
    assert advise(forecast({CROP: gaining}, runs=2), PolicyOptions()).limits == (Limit(CROP, 0.7, NAMES[1], "100%"),)
    strongest = advise(forecast({CROP: [[0.0] * 3] * 3 + [[-0.1] * 3]}, runs=2), PolicyOptions())
    assert strongest.limits == (Limit(CROP, 0.08, None, LAST),)


@pytest.mark.parametrize("value", [0.55, 0.01])
def test_a_verified_winner_may_have_values_between_severities(value: float) -> None:
    found = forecast({CROP: CROPPED}, runs=2)
    limits = advise(found, PolicyOptions(), uniform({CROP: value}, NAMES[:3])).limits
    assert [limit.value for limit in limits] == [value]
    by_class = Policy("per_class", 0.8, NAMES[:3], (0, 1, 1), ({CROP: value}, {CROP: 0.7}))
    assert advise(found, PolicyOptions(), by_class).limits == ()
