"""The costs of a training transform as text."""

from __future__ import annotations

from cuesense.analysis.pipeline_costs import pipeline_costs
from cuesense.reports.pipeline_text import caption, forecast_text, safe_text, worst_text
from cuesense.schemas.profile import Profile
from tests.helpers.pipeline_predictions import pipeline, predictions, some_profile, step


def with_costs() -> Profile:
    known = some_profile()
    measured = pipeline(step("Erase"), step("Crop", augmentation="random_resized_crop", value=0.3))
    lost = {"Erase": (0, 0, 0, 25), "pipeline": (0, 0, 0, 30)}
    return known.model_copy(update={"pipeline": pipeline_costs(measured, predictions(measured, lost, known), known)})


def test_cells() -> None:
    profile = with_costs()
    assert profile.pipeline is not None
    erase, crop = profile.pipeline.steps
    names = [entry.name for entry in profile.classes]
    assert worst_text(profile, erase).startswith(f"{names[3]} ")
    assert worst_text(profile, erase).endswith(f" to {names[0]}")
    assert not worst_text(profile, erase, taker=False).endswith(names[0])
    assert worst_text(profile, crop) == "–"
    assert (safe_text(crop), safe_text(crop.model_copy(update={"safe_probability": 0.0}))) == ("any", "none")
    assert safe_text(erase) == f"{erase.safe_probability:g}"
    assert forecast_text(erase) == "unknown"
    assert crop.training is not None
    gain = -100 * crop.training.mean
    assert forecast_text(crop).startswith(crop.verdict)
    assert f"{abs(gain):.1f}" in forecast_text(crop)


def test_the_caption_says_what_the_columns_mean_and_what_was_left_out() -> None:
    profile = with_costs()
    assert profile.pipeline is not None
    text = caption(profile, profile.pipeline)
    assert "from what trainings on other images cost such classes" in text
    assert "Taken as preparation, which costs nothing: ToTensor." in text
    unknown = profile.pipeline.model_copy(update={"steps": profile.pipeline.steps[:1], "preparation": []})
    assert "none of the steps is of a kind whose trainings are known" in caption(profile, unknown)
    assert "preparation" not in caption(profile, unknown)
