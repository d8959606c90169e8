"""The profile's tables for pandas and its contract's fields."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest

from cuesense.errors import OutputError
from cuesense.schemas.base import UNKNOWN, Estimate
from cuesense.schemas.profile import CueModel, Profile
from cuesense.types import Cue
from tests.helpers import profiles
from tests.helpers.contract_documents import OLD, real
from tests.helpers.graded_profiles import graded


def old() -> Profile:
    return Profile.model_validate(OLD["profile"])


def test_what_old_files_lack_has_defaults() -> None:
    profile = old()
    (entry,) = profile.classes
    assert (profile.groups, profile.labeling, profile.forecast, profile.verified) == ([], None, None, None)
    assert (entry.probabilities, entry.flags) == ({}, {})
    assert profile.curves[0].unpaired is None
    assert entry.budgets["hue"].severity is None
    assert profile.policy.global_["hue"].severity is None
    assert entry.reliance[Cue.COLOR] == CueModel(value=0.5, low=0.1, high=0.9)
    assert entry.reliance[Cue.COLOR].sufficiency == entry.reliance[Cue.COLOR].second == UNKNOWN
    assert entry.reliance[Cue.COLOR].necessary is False


def test_python_s_keywords_are_keys_of_the_json_alone() -> None:
    profile = old()
    content = json.loads(profile.to_json())
    assert content["policy"]["global"]["hue"]["limited_by_class"] == profile.policy.global_["hue"].limited_by_class
    assert content["classes"][0]["rivals"][0]["class"] == profile.classes[0].rivals[0].rival == "lime"
    leak = json.loads(real("profile").to_json())["forecast"]["augmentations"]["hue"]["leaks"][0]
    assert list(leak) == ["of", "class", "share"]


def test_the_table_of_classes_has_a_row_a_class() -> None:
    frame = old().to_frame()
    assert frame.index.tolist() == [0]
    assert frame.index.name == "index"
    assert frame.iloc[0].dropna().to_dict() == {
        "name": "lemon",
        "images": 4,
        "clean_accuracy": 0.75,
        "cue": "color",
        "color_value": 0.5,
        "color_low": 0.1,
        "color_high": 0.9,
        "color_necessary": False,
        "flags": "",
        "hue_value": 0.1,
        "hue_status": "limited",
        "hue_drop": 0.0,
        "hue_low": 0.0,
        "hue_high": 0.04,
        "why": "lemon loses half of its images under grayscale.",
    }
    assert frame.columns[[0, 4, -1]].tolist() == ["name", "probability", "why"]
    assert frame["color_sufficiency"].isna().all()


def test_the_table_names_the_likeliest_verdict_s_probability_and_all_flags() -> None:
    (entry,) = old().classes
    more = {
        "probabilities": {"color": 0.7, "shape": 0.3},
        "flags": {"sink": "draws others", "few_images": "4 images"},
        "reliance": {Cue.COLOR: CueModel(value=0.5, low=0.1, high=0.9, sufficiency=Estimate(value=0.8, low=0, high=1))},
    }
    (row,) = old().model_copy(update={"classes": [entry.model_copy(update=more)]}).to_frame().to_dict("records")
    assert (row["probability"], row["flags"], row["color_sufficiency"]) == (0.7, "sink few_images", 0.8)


def test_the_table_of_curves_has_a_row_a_perturbation_severity_and_class() -> None:
    profile = profiles.profile(3, empty=1, seed=1)
    frame = profile.curves_frame()
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    number = 0
    for curve in profile.curves:
        for severity, value in enumerate(curve.values, start=1):
            for index, entry in enumerate(profile.classes):
                lost, gained = curve.lost[severity - 1][index], curve.gained[severity - 1][index]
                images = curve.n[index] * curve.repeats
                drop = (lost - gained) / images if images else None
                assert rows[number] == {
                    "perturbation": curve.perturbation,
                    "role": curve.role.value,
                    "cue": curve.cue,
                    "parameter": curve.parameter,
                    "unit": curve.unit,
                    "severity": severity,
                    "value": value,
                    "class": entry.name,
                    "n": curve.n[index],
                    "seen": curve.n[index],
                    "repeats": curve.repeats,
                    "clean_correct": curve.clean_correct[index],
                    "lost": lost,
                    "gained": gained,
                    "accuracy_drop": pytest.approx(drop) if images else None,
                }
                number += 1
    assert number == len(rows)


def test_the_contract_s_fields_are_there() -> None:
    content = json.loads(real("profile").to_json())
    assert {"provenance", "summary", "curves", "classes", "groups", "labeling", "policy"} <= content.keys()
    assert {"forecast", "verified"} <= content.keys()
    entry = content["classes"][0]
    assert set(entry["reliance"]) == {"shape", "texture", "color"}
    assert {"severity", "risk", "certified", "risks", "expected"} <= next(iter(entry["budgets"].values())).keys()
    assert "severity" in next(iter(content["policy"]["global"].values()))
    assert content["policy"]["risk"] == 0.2


def test_every_column_of_the_frame_is_explained_and_no_other() -> None:
    source = graded(12)
    doc = inspect.getdoc(Profile.to_frame) or ""
    cells = re.findall(r"^\| (\w+(?:, \w+)*) \|", doc.partition("|---")[2], re.MULTILINE)
    explained = [name for cell in cells for name in cell.split(", ")]
    names = {"CUE": [cue.value for cue in Cue], "AUGMENTATION": list(source.classes[0].budgets)}
    columns = {
        name.replace(word, value)
        for name in explained
        for word, values in names.items()
        if word in name
        for value in values
    } | {name for name in explained if not any(word in name for word in names)}
    assert set(source.to_frame().columns) == columns


def test_a_profile_writes_its_page_and_other_formats(tmp_path: Path) -> None:
    source = graded(3)
    assert source.report(tmp_path / "a.html") == tmp_path / "a.html"
    assert (tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert Profile.read(source.report(tmp_path / "a.json", "json")) == source
    with pytest.raises(OutputError):
        source.report(tmp_path)


def test_numbers_of_which_none_is_known_are_numbers() -> None:
    source = profiles.profile(4)
    classes = [
        entry.model_copy(
            update={
                "budgets": {name: part.model_copy(update={"certified": None}) for name, part in entry.budgets.items()}
            }
        )
        for entry in source.classes
    ]
    frame = source.model_copy(update={"classes": classes}).to_frame()
    (name, *_) = [column for column in frame if column.endswith("_certified")]
    assert frame[name].dtype == float
    assert len(frame.nlargest(2, name)) <= 2
    assert frame["name"].tolist() == [entry.name for entry in source.classes]


def test_the_table_may_have_any_number_of_columns() -> None:
    """Of more than a hundred that lie apart, pandas warns once one is added; warnings are errors in tests."""
    source = profiles.profile(4)
    classes = [
        entry.model_copy(
            update={
                "budgets": {f"{name}_{copy}": part for name, part in entry.budgets.items() for copy in range(20)},
                "clean_accuracy": None,
            }
        )
        for entry in source.classes
    ]
    frame = source.model_copy(update={"classes": classes}).to_frame()
    assert len(frame.columns) > 100
    assert frame.reset_index()["index"].tolist() == [entry.index for entry in classes]
