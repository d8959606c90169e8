"""The forecast in a profile, and how it becomes numbers again."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cuesense.schemas.profile import ForecastModel, LossModel, Profile, TrainedBudget, VerifiedModel
from cuesense.stats.training_loss import Flag
from tests.helpers.contract_documents import OLD, real

# A forecast as it was first written: without augmented recalls and budgets.
OLD_FORECAST: dict[str, Any] = {
    "method": "head",
    "probability": 0.8,
    "runs": 1,
    "recipe": {},
    "train": None,
    "accuracy": [0.9],
    "augmentations": {
        "hue": {
            "parameter": "shift",
            "unit": "turns",
            "values": [0.1],
            "loss": [[0.02]],
            "spread": [[None]],
            "low": [[0.0]],
            "high": [[1.0]],
            "flags": [["unclear"]],
        }
    },
}


def test_old_forecasts_read() -> None:
    profile = Profile.model_validate_json(json.dumps(OLD["profile"] | {"forecast": OLD_FORECAST}))
    assert profile.forecast is not None
    losses = profile.forecast.augmentations["hue"]
    assert (losses.augmented, losses.leaks, losses.risk, profile.forecast.budgets) == ([], [], [], {})


def test_an_unknown_error_is_unbounded() -> None:
    profile = real("profile")
    assert isinstance(profile, Profile)
    assert isinstance(profile.forecast, ForecastModel)
    losses: LossModel = profile.forecast.augmentations["hue"]
    found = losses.to_forecast()
    np.testing.assert_array_equal(found.loss, losses.loss)
    assert found.spread.tolist() == [[0.02, 0.03, np.inf], [0.02, 0.03, np.inf]]
    assert found.risk(0.05)[:, 2].tolist() == [0.5, 0.5]


def losses(**more: object) -> LossModel:
    return LossModel.model_validate(OLD_FORECAST["augmentations"]["hue"] | more)


SPREADS = st.lists(st.lists(st.none() | st.floats(0.001, 1), min_size=3, max_size=3), min_size=1, max_size=4)


@given(SPREADS)
def test_a_forecast_comes_back_with_its_infinite_errors(spread: list[list[float | None]]) -> None:
    loss = [[0.1 * index - 0.05 for index in range(3)] for _ in spread]
    model = LossModel.model_validate_json(losses(loss=loss, spread=spread).model_dump_json())
    found = model.to_forecast()
    assert found.loss.tolist() == loss
    for row, known in zip(found.spread.tolist(), spread, strict=True):
        assert row == [float("inf") if value is None else value for value in known]


def test_what_is_not_known_is_flagged_unclear() -> None:
    found = losses(loss=[[0.5, 0.0, 0.2]], spread=[[None, 0.001, 0.001]]).to_forecast()
    assert found.flags(0.05, 0.95) == [["unclear", "likely safe", "likely loses"]]
    low, high = found.bounds(0.95)
    assert (low[0, 0], high[0, 0]) == (-1, 1)


@pytest.mark.parametrize("method", ["trained", "head", "trained and head"])
def test_a_forecast_names_one_of_three_methods(method: str) -> None:
    assert ForecastModel.model_validate(OLD_FORECAST | {"method": method}).method == method
    with pytest.raises(ValidationError, match="Input should be 'trained', 'head' or 'trained and head'"):
        ForecastModel.model_validate(OLD_FORECAST | {"method": method.title()})


@pytest.mark.parametrize("flag", list(Flag))
def test_flags_are_those_of_the_forecasts(flag: Flag) -> None:
    assert losses(flags=[[flag.value]]).flags == [[flag]]
    with pytest.raises(
        ValidationError, match="Input should be 'likely loses', 'unclear', 'likely safe' or 'likely gains'"
    ):
        losses(flags=[[flag.name]])


@pytest.mark.parametrize(
    "change", [{"spread": [[float("inf")]]}, {"spread": [[float("nan")]]}, {"loss": [[None]]}, {"low": [[None]]}]
)
def test_an_infinite_error_is_null_and_a_loss_is_always_known(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        losses(**change)


def test_a_trained_budget_is_a_budget_with_alternatives() -> None:
    known = OLD["profile"]["classes"][0]["budgets"]["hue"]
    found = TrainedBudget.model_validate(known | {"alternatives": {"confidence_0.8": 0.2, "test_time": None}})
    shown = found.model_dump(mode="json")
    assert {name: shown[name] for name in known} == known
    assert found.alternatives == {"confidence_0.8": 0.2, "test_time": None}
    with pytest.raises(ValidationError, match="alternatives"):
        TrainedBudget.model_validate(known)


def test_what_verify_found_has_a_policy_or_none() -> None:
    plain = {"policy": None, "mean": 0.8, "worst": 0.5, "over_tolerance": 0}
    content = {"tolerance": 0.05, "seeds": 3, "policies": {"none": plain, "usual": plain | {"policy": {"hue": 0.1}}}}
    found = VerifiedModel.model_validate_json(json.dumps(content))
    assert [part.policy for part in found.policies.values()] == [None, {"hue": 0.1}]
    unknown = {"lowest_gain": None, "lowest_gain_error": None, "gain": [], "gain_margin": []}
    policies = {name: part | unknown for name, part in content["policies"].items()}  # type: ignore[attr-defined]
    assert json.loads(found.model_dump_json()) == content | {"policies": policies}
    with pytest.raises(ValidationError, match="over_tolerance"):
        VerifiedModel.model_validate(content | {"policies": {"none": plain | {"over_tolerance": ["lemon"]}}})
