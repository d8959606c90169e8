"""The JSON contract: a schema that is kept true, equal bytes, and clear words for foreign files."""

import json
from pathlib import Path

import jsonschema
import pytest

from cuesense import package_files
from cuesense.errors import SettingsError
from cuesense.schemas.profile import Profile
from tests.helpers import profiles


def test_the_schema_in_assets_is_the_model_s() -> None:
    """Write it again with the line in CONTRIBUTING.md where this fails."""
    stored = json.loads((package_files.folder("assets") / "profile.schema.json").read_text(encoding="utf-8"))
    assert stored == Profile.model_json_schema(by_alias=True)


def test_profiles_fulfill_the_schema_and_come_back_equal(tmp_path: Path) -> None:
    profile = profiles.profile(5, empty=1, seed=3)
    content = json.loads(profile.to_json())
    jsonschema.validate(content, Profile.model_json_schema(by_alias=True))
    (tmp_path / "profile.json").write_text(profile.to_json(), encoding="utf-8")
    assert Profile.read(tmp_path / "profile.json") == profile
    assert Profile.read(tmp_path).to_json() == profile.to_json()


def test_the_contract_s_fields_are_there() -> None:
    content = json.loads(profiles.profile(3, empty=0, seed=1).to_json())
    assert content["schema_version"] == 1
    assert {"cuesense", "created", "model", "dataset", "config", "seed", "device", "versions"} <= content[
        "provenance"
    ].keys()
    assert {"clean_accuracy", "worst_class_accuracy", "labels", "warnings"} <= content["summary"].keys()
    fields = {"perturbation", "cue", "role", "parameter", "unit", "values", "n", "clean_correct", "lost", "gained"}
    assert fields <= content["curves"][0].keys()
    entry = content["classes"][0]
    fields = {"index", "name", "images", "clean_accuracy", "cue", "reliance", "why", "budgets", "rivals"}
    assert fields <= entry.keys()
    assert set(entry["reliance"]) == {"shape", "texture", "color"}
    assert {"parameter", "value", "status", "drop", "low", "high", "limited_by"} <= next(
        iter(entry["budgets"].values())
    ).keys()
    assert {"tolerance", "confidence", "global", "per_class"} <= content["policy"].keys()
    rivals = [rival for each in content["classes"] for rival in each["rivals"]]
    assert all(set(rival) == {"class", "perturbation", "share"} for rival in rivals)


@pytest.mark.parametrize(
    ("content", "said"),
    [("{}", "schema_version 1"), ("not json", "schema_version 1"), ('{"schema_version": 2}', "schema_version")],
)
def test_foreign_files_are_one_sentence(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "profile.json"
    path.write_text(content)
    with pytest.raises(SettingsError, match=said):
        Profile.read(path)


def test_a_missing_profile_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no file at"):
        Profile.read(tmp_path / "none.json")
    with pytest.raises(SettingsError, match="no file at"):
        Profile.read(tmp_path)
