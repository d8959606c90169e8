"""recommend from a profile's file: when it forecasts first, what it checks before, and what it writes."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from cuesense.errors import CuesenseError
from cuesense.policies.policy import PolicyOptions
from cuesense.policies.recommend import export, recommend
from cuesense.schemas.profile import Profile
from cuesense.types import no_progress
from cuesense.workflows import forecast as forecasts
from cuesense.workflows.recommend import Export, Recommendation, recommend_from_file
from tests.helpers.planted_profiles import limited_profile

NO_FORECAST: dict[str, Any] = {
    "train": None,
    "head": False,
    "start": None,
    "epochs": None,
    "seeds": None,
    "image_size": None,
    "images_per_class": None,
    "engine": "local",
    "ray_address": None,
    "ray_workers": None,
    "gpus_per_worker": None,
}
CROP = PolicyOptions(augmentations=["random_resized_crop"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "profile.json"
    file.write_text(limited_profile().to_json(), encoding="utf-8")
    return file


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The arguments of every forecast; the forecast itself is the profile as it was."""
    calls: list[dict[str, Any]] = []

    def forecast(profile: Path, **options: Any) -> Profile:
        calls.append(options)
        return Profile.read(profile)

    monkeypatch.setattr(forecasts, "forecast", forecast)
    return calls


def recommended(path: Path, choice: PolicyOptions = CROP, target: Export = Export(), **options: Any) -> Recommendation:  # noqa: B008
    return recommend_from_file(
        path, choice, target, forecast=NO_FORECAST | options, watch=lambda: nullcontext(no_progress)
    )


def test_the_text_is_that_of_the_policy(path: Path) -> None:
    profile = limited_profile()
    policy = recommend(profile, augmentations=["random_resized_crop"])
    assert recommended(path).text == export(policy, profile, "yaml")


@pytest.mark.parametrize(
    "option",
    [
        {"train": "photos"},
        {"head": True},
        {"start": "timm:resnet18"},
        {"epochs": 0.0},
        {"seeds": 3},
        {"image_size": 0},
        {"images_per_class": 0},
        {"engine": "ray"},
        {"ray_workers": 2},
    ],
)
def test_each_option_of_training_asks_for_a_forecast(
    option: dict[str, Any], path: Path, asked: list[dict[str, Any]]
) -> None:
    recommended(path, **option)
    (call,) = asked
    assert call == NO_FORECAST | option | {
        "augmentations": ["random_resized_crop"],
        "probability": 0.8,
        "progress": no_progress,
    }


@pytest.mark.parametrize("option", [{}, {"device": "cpu"}, {"restart": True}, {"model": "m.pt"}])
def test_other_options_do_not(option: dict[str, Any], path: Path, asked: list[dict[str, Any]]) -> None:
    recommended(path, **option)
    assert asked == []


@pytest.mark.parametrize(
    ("choice", "target"),
    [
        (PolicyOptions(tolerance=2), Export()),
        (PolicyOptions(risk=0.6), Export()),
        (PolicyOptions(all_but=1.0), Export()),
        (PolicyOptions(probability=0), Export()),
        (PolicyOptions(scope="per_class"), Export("kornia")),
        (CROP, Export("jsn")),
        (CROP, Export("kornia", image_size=0)),
        (CROP, Export(output=Path("/"))),
    ],
)
def test_mistakes_are_found_before_networks_are_trained(
    choice: PolicyOptions, target: Export, path: Path, asked: list[dict[str, Any]]
) -> None:
    with pytest.raises(CuesenseError):
        recommended(path, choice, target, head=True)
    assert asked == []


def test_a_file_holds_the_same_text(path: Path, tmp_path: Path) -> None:
    output = tmp_path / "made" / "policy.yaml"
    found = recommended(path, CROP, Export(output=output))
    assert output.read_text(encoding="utf-8") == found.text


def test_remarks_begin_with_the_recommendation_and_end_with_the_warnings(path: Path) -> None:
    known = limited_profile()
    summary = known.summary.model_copy(update={"warnings": ["Names seem exchanged.", "Sink classes, onto which: a."]})
    path.write_text(known.model_copy(update={"summary": summary}).to_json(), encoding="utf-8")
    found = recommended(path).remarks
    assert found[0].startswith("Recommended: ")
    assert any(line.startswith("random resized crop: ") for line in found)
    assert found[-1] == "Warning: Names seem exchanged."
    assert not any("Sink" in remark for remark in found)


def test_the_json_is_the_policy_with_the_advice(path: Path) -> None:
    found = recommended(path)
    listed = json.loads(found.json)
    assert listed.pop("advice") == found.advice.to_dict()
    assert listed == found.advice.policy.to_dict()
