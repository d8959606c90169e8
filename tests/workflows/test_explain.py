"""One class of a profile: found by name, beginning or index, and written as JSON."""

from __future__ import annotations

import json

import pytest

from cuesense.analysis.pipeline_costs import pipeline_costs
from cuesense.errors import SettingsError
from cuesense.schemas.profile import ClassModel, Profile, TrainedModel, VerifiedModel
from cuesense.workflows.explain import Explanation, explain, find_class
from tests.helpers.graded_profiles import graded
from tests.helpers.partly_seen import ACCURACIES, partly_seen
from tests.helpers.pipeline_predictions import pipeline, predictions, some_profile, step
from tests.helpers.profiles import profile
from tests.helpers.profiles_with_forecasts import forecast


def named(*names: str) -> list[ClassModel]:
    """Return classes with these names and the indices 10, 11, ..."""
    entries = profile(len(names)).classes
    return [
        entry.model_copy(update={"name": name, "index": 10 + at})
        for at, (entry, name) in enumerate(zip(entries, names, strict=True))
    ]


@pytest.mark.parametrize(
    ("wanted", "at"),
    [
        ("Lemon", 0),
        ("lemon", 1),
        ("LEMON TREE", 2),
        ("lemon t", 2),
        (" o", 3),
        ("13", 3),
        ("14", 4),
        ("11", 5),
        ("1", 5),
    ],
)
def test_a_class_is_found_by_its_name_its_beginning_or_its_index(wanted: str, at: int) -> None:
    classes = named("Lemon", "lemon", "lemon tree", "orange", "7", "11")
    assert find_class(classes, wanted) == at


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("le", "Expected CLASS to be the name of one class, but got 'le', which fits 2: 'lemon' (index 10), 'leek'"),
        ("LEMON ", None),
        ("lemom", "Unknown class 'lemom'. Did you mean 'lemon'?"),
        ("truck", "Unknown class 'truck'. Did you mean 'garbage truck' or 'Tow Truck'?"),
        ("", "Unknown class ''. The 4 classes are 'lemon', 'leek', 'garbage truck' and 1 more"),
        ("  ", "The 4 classes are"),
        ("14", "The 4 classes are"),
        ("-1", "The 4 classes are"),
        ("\x1b[31m", "Unknown class '\ufffd[31m'"),
    ],
)
def test_another_name_is_one_sentence_with_the_nearest(wanted: str, said: str | None) -> None:
    classes = named("lemon", "leek", "garbage truck", "Tow Truck")
    if said is None:
        assert find_class(classes, wanted) == 0
        return
    with pytest.raises(SettingsError) as failed:
        find_class(classes, wanted)
    assert said in failed.value.for_command_line


def test_two_classes_of_one_name_are_told_apart_by_their_index() -> None:
    classes = named("crane", "crane")
    with pytest.raises(SettingsError, match="which fits 2: 'crane' \\(index 10\\), 'crane' \\(index 11\\)"):
        find_class(classes, "crane")
    assert find_class(classes, "11") == 1


def part(source: Profile, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(explain(source, name).to_json())
    return found


def test_the_json_has_the_class_as_in_the_profile_and_its_accuracies() -> None:
    source = graded(4)
    found = part(source, source.classes[2].name)
    whole = json.loads(source.to_json())
    assert found["class"] == whole["classes"][2]
    assert (found["forecast"], found["verified"], found["pipeline"]) == (None, None, None)
    for curve, drawn in zip(whole["curves"], found["curves"], strict=True):  # type: ignore[call-overload]
        n, right, times = curve["n"][2], curve["clean_correct"][2], curve["repeats"]
        changes = [(gained[2] - lost[2]) / times for gained, lost in zip(curve["gained"], curve["lost"], strict=True)]
        assert drawn["accuracy"] == pytest.approx([right / n, *((right + change) / n for change in changes)])
        assert drawn["values"] == curve["values"]
        assert drawn["perturbation"] == curve["perturbation"]


def test_the_json_has_the_forecast_of_the_class_alone() -> None:
    source = forecast({"color_jitter": [[0.0, 0.1, 0.2], [0.0, 0.1, 0.3], [0.0, 0.1, 0.4], [0.0, 0.1, 0.5]]})
    found = part(source, source.classes[2].name)["forecast"]
    assert list(found) == ["color_jitter"]  # type: ignore[call-overload]
    assert found["color_jitter"]["loss"] == [0.2, 0.3, 0.4, 0.5]  # type: ignore[index]
    assert len(found["color_jitter"]["flags"]) == 4  # type: ignore[index]


def test_the_json_has_what_trainings_showed_of_the_class_alone() -> None:
    known = TrainedModel(policy=None, mean=0.9, worst=0.5, over_tolerance=0, gain=[0.1, 0.2, 0.3, 0.4])
    source = graded(4).model_copy(
        update={"verified": VerifiedModel(tolerance=0.05, seeds=1, policies={"usual": known})}
    )
    found = part(source, source.classes[2].name)["verified"]["policies"]["usual"]  # type: ignore[index]
    assert (found["gain"], found["gain_margin"], found["worst"]) == (0.3, None, 0.5)


def test_the_json_has_what_each_step_of_a_training_transform_costs_the_class() -> None:
    measured = pipeline(step("RandomErasing"), step("ColorJitter"))
    known = some_profile()
    lost = {"RandomErasing": (0, 0, 0, 25), "pipeline": (0, 0, 0, 30)}
    costs = pipeline_costs(measured, predictions(measured, lost, known), known)
    source = known.model_copy(update={"pipeline": costs})
    erasing, jitter = part(source, source.classes[3].name)["pipeline"]  # type: ignore[misc]
    assert (erasing["step"], jitter["step"]) == ("RandomErasing", "ColorJitter")
    assert erasing["drop"] == costs.steps[0].alone.drop[3] > 0


def test_a_class_without_images_has_no_accuracies() -> None:
    source = profile(3, empty=1)
    curves = part(source, source.classes[2].name)["curves"]
    assert {value for curve in curves for value in curve["accuracy"]} == {None}  # type: ignore[attr-defined]


def test_the_json_says_how_many_images_each_severity_was_measured_on() -> None:
    found = {curve["perturbation"]: curve for curve in json.loads(Explanation(partly_seen(), 1).to_json())["curves"]}
    assert found["color_jitter"]["accuracy"] == pytest.approx(ACCURACIES[1])
    assert found["color_jitter"]["seen"] == [80, 40, 20, 10]
    assert "seen" not in found["grayscale"]
