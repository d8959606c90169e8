"""Advice: never silent, with figures, within the risk."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.errors import SettingsError
from cuesense.policies import advice as advice_module
from cuesense.policies import recommend as recommend_module
from cuesense.policies.advice import FOR_ALL, NEXT, NONE, RECOMMENDED, USUAL, advise, reason
from cuesense.policies.expected_losses import ExpectedLosses, expected_losses
from cuesense.policies.losses_by_lean import LeanLosses
from cuesense.policies.policy import Limit, Policy, PolicyOptions, uniform
from cuesense.policies.recommend import propose, recommend
from cuesense.reports.terminal.policy import lines
from cuesense.schemas.profile import Profile, TrainedModel, VerifiedModel
from cuesense.types import Cue
from tests.helpers.profiles import NAMES, profile
from tests.helpers.profiles_with_forecasts import CROP, CROPPED, JITTER, forecast


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([2, 10, 50]), st.sampled_from([0, 1, 3]), st.sampled_from([0.05, 0.2]))
def test_there_is_always_a_recommendation_with_figures(seed: int, images: int, empty: int, risk: float) -> None:
    found = profile(5, images=images, empty=empty, seed=seed)
    policy = recommend(found, risk=risk)
    advice = advise(found, PolicyOptions(risk=risk))
    said = lines(advice, found.summary.clean_accuracy)
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
    advice = advise(forecast({CROP: gaining}, runs=2))
    (limit,) = advice.limits
    assert limit == Limit(CROP, 0.7, NAMES[1], pytest.approx(1.0))
    assert advice.to_dict()["limits"] == [
        {
            "augmentation": CROP,
            "value": 0.7,
            "reason": "over the risk one step further",
            "limiting_class": NAMES[1],
            "risk": 1.0,
        }
    ]
    strongest = advise(forecast({CROP: [[0.0] * 3] * 3 + [[-0.1] * 3]}, runs=2))
    assert strongest.limits == (Limit(CROP, 0.08, is_last=True),)
    assert strongest.to_dict()["limits"][0]["reason"] == "the end of its ladder"
    assert reason(Limit(CROP, 0.7)) == "more is forecast to give no more"


def test_beside_policies_by_class_stands_the_policy_for_all() -> None:
    found = forecast({CROP: CROPPED, JITTER: [[-0.1, -0.1, -0.1]] * 4}, runs=2)
    for scope in ("grouped", "per_class"):
        advice = advise(found, PolicyOptions(scope=scope))
        assert advice.scope == scope
        assert advice.policies[FOR_ALL] == recommend(found)
        assert advice.outlooks[FOR_ALL] == advise(found).outlooks[RECOMMENDED]
    assert FOR_ALL not in advise(found).policies


def test_who_loses_by_its_lean_is_part_of_the_json(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = LeanLosses("random_rotation", Cue.SHAPE, ("ant", "bee"))
    monkeypatch.setattr(advice_module, "losses_by_lean", lambda _: [entry])
    assert advise(profile(3, images=20)).to_dict()["leans"] == [
        {
            "augmentation": "random_rotation",
            "cue": "shape",
            "classes": ["ant", "bee"],
            "sentence": "Classes that lean on shape lose by random rotation here: ant, bee.",
        }
    ]


def test_a_profile_may_be_named_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_text(forecast({CROP: CROPPED}).to_json(), encoding="utf-8")
    assert advise(tmp_path) == advise(str(tmp_path / "profile.json")) == advise(Profile.read(tmp_path), PolicyOptions())
    with pytest.raises(SettingsError, match="Expected profile to be a Profile, a profile"):
        advise(3)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="Expected options to be PolicyOptions, but got dict"):
        advise(tmp_path, {"scope": "global"})  # type: ignore[arg-type]


def verified(found: Profile, winner: Policy, **others: Policy) -> Profile:
    """Return a profile for which five trainings showed a policy to be better than the one that was forecast best."""
    proposed = propose(found, PolicyOptions(weights=False))

    def trained(policy: Policy, worst: float) -> TrainedModel:
        listed = policy.to_dict() if policy.content is not None else None
        return TrainedModel(
            policy=listed, mean=0.8, worst=worst, over_tolerance=0, lowest_gain=worst - 0.4, lowest_gain_error=0.01
        )

    policies = {"global": trained(proposed, 0.4), "weighted": trained(winner, 0.5)}
    policies |= {name: trained(policy, 0.3) for name, policy in others.items()}
    return found.model_copy(update={"verified": VerifiedModel(tolerance=0.05, seeds=5, policies=policies)})


@pytest.mark.parametrize("value", [0.55, 0.01])
def test_a_verified_winner_may_have_values_between_severities(value: float) -> None:
    found = forecast({CROP: CROPPED}, runs=2)
    limits = advise(verified(found, uniform({CROP: value}, NAMES[:3])), PolicyOptions()).limits
    assert [limit.value for limit in limits] == [value]
    by_class = Policy("per_class", 0.8, NAMES[:3], (0, 1, 1), ({CROP: value}, {CROP: 0.7}))
    assert advise(verified(found, by_class), PolicyOptions()).limits == ()


def test_a_verified_winner_is_advised_as_it_is_recommended_with_what_its_trainings_showed() -> None:
    found = forecast({CROP: CROPPED}, runs=2)
    plain = uniform({CROP: 0.7}, NAMES[:3])
    known = verified(found, replace(plain, class_weights=(0.8, 1.2, 1.0)), none=uniform({}, NAMES[:3]))
    advice = advise(known, PolicyOptions())
    assert advice.policy == recommend(known) == replace(plain, class_weights=(0.8, 1.2, 1.0))
    assert advice.verified is not None
    assert {name: found.worst for name, found in advice.verified.policies.items()} == {
        "policy": 0.5,
        "none": 0.3,
        "global": 0.4,
    }
    assert advice.to_dict()["verified"]["policies"]["policy"]["worst"] == 0.5
    assert advice.policies[NEXT] == propose(known, PolicyOptions())
    said = [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines(advice, None)]
    assert (
        "verified by training (5 seeds): 80.0 % on average, worst class 50.0 %; without augmentation 80.0 % and 30.0 "
        "%; with the policy for all classes that was forecast to be best 80.0 % and 40.0 %"
    ) in said
    assert not any("cuesense verify" in line for line in said)


def test_a_verified_winner_replaces_an_empty_recommendation() -> None:
    found = forecast({CROP: [[0.3] * 3] * 4}, runs=2)
    assert recommend(found).names == ()
    winner = uniform({CROP: 0.4}, NAMES[:3])
    assert advise(verified(found, winner), PolicyOptions()).policy == winner


def test_losses_are_estimated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def counted(*arguments: object) -> ExpectedLosses:
        asked.append(arguments)
        return expected_losses(*arguments)  # type: ignore[arg-type]

    for place in (advice_module, recommend_module):
        monkeypatch.setattr(place, "expected_losses", counted)
    advise(profile(3, images=20), PolicyOptions())
    assert len(asked) == 1
