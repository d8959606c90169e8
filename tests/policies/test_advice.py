"""Advice: never silent, with figures, within the risk."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cuesense
from cuesense.errors import SettingsError
from cuesense.policies import advice as advice_module
from cuesense.policies import recommend as recommend_module
from cuesense.policies.advice import FOR_ALL, LEFT_OUT, NEXT, NONE, RECOMMENDED, USUAL, advise, reason
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
            "sentence": "Classes that rely on shape more than the average class lose by random rotation here: "
            "ant, bee.",
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
    measured = (
        "`cuesense verify` trained 3 policies with 5 seeds; the policy with class weights was best: 80.0 % on average "
        "and 50.0 % in the worst class; the policy that was forecast to be best: 80.0 % and 40.0 %; no augmentation: "
        "80.0 % and 30.0 %."
    )
    assert said[0].startswith("Recommended: random resized crop to 0.7")
    assert said[1] == measured
    # Forecasts, which trainings proved wrong, do not argue against what these showed.
    assert not any("forecast for" in line or "at risk" in line for line in said)
    listed = advice.to_dict()["verified"]
    assert (listed["best"], listed["trained"], listed["seeds"]) == ("weighted", 3, 5)
    assert listed["conclusion"] == measured


def test_a_verified_winner_replaces_an_empty_recommendation() -> None:
    found = forecast({CROP: [[0.3] * 3] * 4}, runs=2)
    assert recommend(found).names == ()
    winner = uniform({CROP: 0.4}, NAMES[:3])
    advice = advise(verified(found, winner), PolicyOptions())
    assert advice.policy == winner
    assert "no augmentation, which was forecast to be best: 80.0 % and 40.0 %." in lines(advice, None)[1]


@pytest.mark.parametrize(
    ("options", "taken"),
    [
        (PolicyOptions(augmentations=(CROP,)), True),
        (PolicyOptions(augmentations=(JITTER,)), False),
        (PolicyOptions(probability=0.8), True),
        (PolicyOptions(probability=0.7), False),
    ],
)
def test_a_verified_winner_that_the_options_exclude_is_not_recommended(options: PolicyOptions, taken: bool) -> None:
    found = forecast({CROP: [[0.3] * 3] * 4, JITTER: [[0.3] * 3] * 4}, runs=2)
    winner = uniform({CROP: 0.4}, NAMES[:3])
    advice = advise(verified(found, winner), options)
    assert (advice.policy == winner) is taken


def test_no_augmentation_that_trainings_chose_is_not_argued_for_by_forecasts() -> None:
    found = forecast({CROP: CROPPED}, runs=2)
    assert recommend(found).names
    advice = advise(verified(found, uniform({}, NAMES[:3])), PolicyOptions())
    said = lines(advice, None)
    assert said[0] == "Recommended: train without augmentation."
    assert not any("forecast for" in line or "worth it" in line for line in said)


def test_a_verification_of_other_policies_is_said_to_say_nothing() -> None:
    found = forecast({CROP: CROPPED}, runs=2)
    known = verified(found, uniform({CROP: 0.5}, NAMES[:3]))
    other = advise(known, PolicyOptions(probability=0.5))
    assert (other.verdict, other.verified) == (None, None)
    assert "trained other policies than this one" in lines(other, None)[1]
    assert other.to_dict()["verified"] == {"conclusion": other.trainings}
    assert advise(found, PolicyOptions()).to_dict()["verified"] is None


# Of ten classes one is put at risk by any crop, the others gain.
SPARED = [[-0.1] * 9 + [0.3]] * 4


def ten_classes() -> Profile:
    known = forecast({CROP: CROPPED}, runs=2)
    assert known.forecast is not None
    crop = known.forecast.augmentations[CROP]
    tens = [[0.01] * 10 for _ in SPARED]
    wide = crop.model_copy(update={"loss": SPARED, "low": SPARED, "high": SPARED, "spread": tens, "flags": []})
    block = known.forecast.model_copy(update={"accuracy": [0.8] * 10, "augmentations": {CROP: wide}})
    return profile(10, images=200).model_copy(update={"forecast": block})


def test_the_example_of_the_package_works_where_classes_would_be_left_out() -> None:
    found = ten_classes()
    with pytest.raises(SettingsError, match=r"one that leaves out .* and spares=False"):
        cuesense.export(recommend(found), found, "torchvision")
    example = [
        line.strip()
        for line in (cuesense.__doc__ or "").splitlines()
        if "= cuesense.recommend(" in line or "print(cuesense.export(" in line
    ]
    assert len(example) == 2
    exec("\n".join(example), {"cuesense": cuesense, "profile": found})


def test_what_is_better_with_classes_left_out_is_said_where_none_may_be() -> None:
    found = ten_classes()
    best = recommend(found)
    assert best.left_out == (NAMES[9],)
    assert not any("--format yaml" in line for line in lines(advise(found, PolicyOptions()), None))
    advice = advise(found, PolicyOptions(spares=False))
    assert advice.policy.names == ()
    (said,) = [line for line in lines(advice, None, library="timm") if "--format yaml" in line]
    assert f"of the views of all but '{NAMES[9]}', is forecast to be better (" in said
    assert "timm cannot treat classes differently: `--format yaml` has it." in said
    assert LEFT_OUT in [entry["name"] for entry in advice.to_dict()["compared"]]


def test_trainings_with_classes_left_out_count_where_none_may_be() -> None:
    """What won against the policy with a class left out is better than training without, too."""
    found, winner = ten_classes(), uniform({CROP: 0.2}, NAMES[:10])
    known = verified(found, winner)
    advice = advise(known, PolicyOptions(spares=False))
    assert advice.policy == recommend(known, spares=False) == winner
    by_class = verified(found, recommend(found, scope="per_class"))
    unbeaten = advise(by_class, PolicyOptions(spares=False))
    assert unbeaten.policy.names == ()
    assert recommend(by_class, spares=False).names == ()


def test_losses_are_estimated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def counted(*arguments: object) -> ExpectedLosses:
        asked.append(arguments)
        return expected_losses(*arguments)  # type: ignore[arg-type]

    for place in (advice_module, recommend_module):
        monkeypatch.setattr(place, "expected_losses", counted)
    advise(profile(3, images=20), PolicyOptions())
    assert len(asked) == 1
