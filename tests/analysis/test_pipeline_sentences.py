"""The sentences about a step say what it costs, what training with it gives, and what to do."""

from __future__ import annotations

import pytest

from cuesense.analysis.pipeline_costs import pipeline_costs
from cuesense.analysis.pipeline_sentences import headline, milder_setting, points
from cuesense.schemas.base import Estimate
from cuesense.schemas.profile import CostModel, Profile, StepModel, TrainingModel
from tests.helpers.pipeline_predictions import pipeline, predictions, some_profile, step

NAMES = [entry.name for entry in some_profile().classes]


def found(lost: tuple[int, ...], profile: Profile | None = None, **changes: object) -> StepModel:
    known, measured = profile or some_profile(), pipeline(step("Erase", **changes))
    return pipeline_costs(measured, predictions(measured, {"Erase": lost}, known), known).steps[0]


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.18, "18 points"),
        (0.046, "4.6 points"),
        (0.05, "5 points"),
        (0.01, "1 point"),
        (-0.02, "-2 points"),
        (0, "0 points"),
    ],
)
def test_points(share: float, text: str) -> None:
    assert points(share) == text


def test_an_unknown_kind_says_so() -> None:
    sentence = found((0, 0, 0, 20)).sentence
    assert sentence.startswith(f"Erase costs {NAMES[3]} ")
    assert (
        f"points at test time, most of them to {NAMES[0]}; what training with it gives is not known: try " in sentence
    )


def test_nobody_gains() -> None:
    entry = found((20, 20, 20, 20), augmentation="random_erasing", value=0.33, adjustable=True, probability=0.5)
    assert "and nobody gains by it in the forecast of training: leave it out, or take p = " in entry.sentence


def test_what_costs_nothing_needs_no_advice() -> None:
    assert found((0, 0, 0, 0)).sentence == (
        "Erase costs no class anything at test time; what training with it gives is not known."
    )


def test_flips_are_left_out_for_the_classes_that_lose() -> None:
    entry = found((0, 0, 0, 45), augmentation="horizontal_flip", value=0.5, probability=0.5, adjustable=True)
    assert entry.sentence.endswith(f": leave it out for {NAMES[3]} alone.")
    # A crop that differs by class would tell the classes apart.
    assert " alone" not in found((0, 0, 0, 45), augmentation="random_resized_crop", value=0.08).sentence


def test_a_milder_setting_is_a_budget_or_a_probability() -> None:
    profile = some_profile()
    budget = profile.policy.global_["random_resized_crop"].model_copy(update={"value": 0.4})
    policy = profile.policy.model_copy(update={"global_": {"random_resized_crop": budget}})
    profile = profile.model_copy(update={"policy": policy})
    crop = step("Crop", augmentation="random_resized_crop", value=0.08)
    assert milder_setting(crop, 0.2, profile) == "scale 0.4 or RandomApply with p = 0.2"
    assert milder_setting(crop, 0.0, profile) == "scale 0.4"
    # A budget that is no milder is none.
    assert milder_setting(step("Crop", augmentation="random_resized_crop", value=0.5), 0.0, profile) is None
    assert milder_setting(step("Erase", adjustable=True, probability=0.5), 0.1, profile) == "p = 0.1"
    assert milder_setting(step("Erase", adjustable=True, probability=0.5), 0.5, profile) is None


def whole(value: float) -> CostModel:
    return CostModel(mean=Estimate(value=value, low=value, high=value), drop=[], low=[], high=[])


def test_the_headline_is_about_what_costs_and_gives_nothing() -> None:
    none = TrainingModel(basis="no training", mean=0.1, loss=[0.1] * 4, at_risk=[])
    gives = none.model_copy(update={"mean": -0.1, "loss": [-0.1] * 4})

    def told(images: int, training: TrainingModel, verdict: str) -> StepModel:
        changes = {"training": training, "verdict": verdict, "sentence": f"{verdict} {images}"}
        return found((0, 0, 0, images)).model_copy(update=changes)

    costly, useless, worse = told(40, gives, "pays"), told(20, none, "does not pay"), told(30, none, "does not pay")
    assert headline([costly, useless], whole(0.3), 0.05) == "does not pay 20"
    assert headline([useless, worse], whole(0.3), 0.05) == "does not pay 30"
    assert headline([costly], whole(0.3), 0.05) == "pays 40"


def test_the_headline_of_a_harmless_transform() -> None:
    assert headline([found((0, 0, 0, 0))], whole(0.021), 0.05) == (
        "No step alone costs any class more than 5 points at test time; the whole costs 2.1 points on average."
    )
