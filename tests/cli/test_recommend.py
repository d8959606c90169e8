"""recommend as a user meets it: policies printed or written, forecasts kept, one sentence for every mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from cuesense.errors import SettingsError
from cuesense.policies.policy import PolicyOptions, uniform
from cuesense.schemas.profile import TrainedModel, VerifiedModel
from tests.helpers.command_line import assert_one_sentence, run
from tests.helpers.planted_profiles import ANALYZED, TEST, TRAIN, limited_profile, write_trainable_profile
from tests.helpers.profiles import NAMES
from tests.helpers.profiles_with_forecasts import CROP, forecast, planted


@pytest.fixture
def profile_file(tmp_path: Path) -> Path:
    path = tmp_path / "profile.json"
    path.write_text(limited_profile().to_json(), encoding="utf-8")
    return path


@pytest.fixture
def small_profile(tmp_path: Path) -> Path:
    return write_trainable_profile(tmp_path)


@pytest.mark.parametrize("name", ["json", "yaml", "torchvision", "kornia", "albumentations", "timm"])
def test_recommendations_are_printed_or_written(name: str, profile_file: Path, tmp_path: Path) -> None:
    flags = ["--format", name, "--augmentations", "random_resized_crop, color_jitter", "--image-size", "48"]
    printed = run("recommend", profile_file, *flags)
    assert printed.exit_code == 0, printed.output
    assert printed.stderr.startswith("Recommended: ")
    written = run("recommend", profile_file, *flags, "--output", tmp_path / "made" / "policy.txt")
    assert written.exit_code == 0
    assert (tmp_path / "made" / "policy.txt").read_text(encoding="utf-8") == printed.stdout


@pytest.mark.parametrize("flag", ["--grouped", "--per-class"])
def test_policies_by_class_are_compared_with_the_one_for_all(flag: str, profile_file: Path) -> None:
    result = run("recommend", profile_file, flag, "--json")
    assert "Each augmentation is considered by itself, by its budgets at test time." in result.stderr
    assert "nothing else was measured" not in result.stderr
    compared = {entry["name"]: entry for entry in json.loads(result.stdout)["advice"]["compared"]}
    alone = json.loads(run("recommend", profile_file, "--json").stdout)["advice"]["compared"][0]
    assert compared["the policy for all classes"]["policy"] == alone["policy"]
    assert "can put classes at more than the accepted" in " ".join(run("recommend", "--help").stdout.split())


def test_recommendations_by_class_name_every_class(profile_file: Path) -> None:
    result = run("recommend", profile_file, "--per-class", "--format", "json")
    assert [group["classes"] for group in json.loads(result.stdout)["groups"]] == [[name] for name in NAMES[:3]]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--tolerance", "1.5"], "--tolerance"),
        (["--augmentations", "hue"], "one that the profile measured"),
        (["--format", "torchvison"], "Did you mean 'torchvision'"),
        (["--format", "kornia", "--per-class"], "the same for all classes"),
        (["--grouped", "--per-class"], "one of --grouped and --per-class"),
        (["--probability", "0"], "Expected --probability to be in (0, 1]"),
        (["--image-size", "0", "--format", "kornia"], "--image-size"),
    ],
)
def test_wrong_recommendations_are_one_sentence(arguments: list[str], sentence: str, profile_file: Path) -> None:
    assert_one_sentence(run("recommend", profile_file, *arguments), sentence)


def test_a_profile_of_another_version_is_refused(profile_file: Path) -> None:
    text = profile_file.read_text(encoding="utf-8").replace('"schema_version": 1', '"schema_version": 2')
    profile_file.write_text(text, encoding="utf-8")
    assert_one_sentence(run("recommend", profile_file), "schema_version 1")


def test_a_forecast_is_made_kept_and_used(small_profile: Path) -> None:
    flags = ["--augmentations", "random_resized_crop", "--dataset", TEST]
    model = ["--head", "--model", ANALYZED]
    made = run("recommend", small_profile.parent, "--train", TRAIN, "--epochs", "1", *model, *flags)
    assert made.exit_code == 0, made.output
    forecast = json.loads(small_profile.read_text(encoding="utf-8"))["forecast"]
    assert forecast["method"] == "trained and head"
    assert "forecast for the usual default" in made.stderr
    assert "Forecast from trainings and refitted heads." in made.stderr
    again = run("recommend", small_profile, "--augmentations", "random_resized_crop")
    assert again.stdout == made.stdout
    assert "forecast for no augmentation: " in again.stderr


@pytest.mark.parametrize("names", ["random_resized_crop", "color_jitter", "random_resized_crop,color_jitter"])
def test_without_a_forecast_there_is_advice_with_figures_for_every_alternative(names: str, profile_file: Path) -> None:
    result = run("recommend", profile_file, "--augmentations", names)
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("Recommended: ")
    for words in ("forecast for no augmentation: ", "forecast for the usual default (", "Forecast without training: "):
        assert words in result.stderr
    for name in names.split(","):
        assert f"{name.replace('_', ' ')}: " in result.stderr
    strict = run("recommend", profile_file, "--augmentations", names, "--risk", "0.01")
    assert strict.stderr.startswith("Recommended: ")


@pytest.mark.parametrize("risk", ["0", "0.51", "nan"])
def test_a_risk_out_of_range_is_one_sentence(risk: str, profile_file: Path) -> None:
    assert_one_sentence(run("recommend", profile_file, "--risk", risk), "--risk")


@pytest.mark.parametrize(("name", "spares"), [("json", True), ("yaml", True), ("timm", False), ("torchvision", False)])
def test_only_formats_that_know_classes_may_leave_some_out(
    name: str, spares: bool, profile_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def seen(_path: Path, options: PolicyOptions, *_: object, **__: object) -> None:
        asked.append(options.spares)
        raise SettingsError("enough seen")

    monkeypatch.setattr("cuesense.workflows.recommend.recommend_from_file", seen)
    run("recommend", profile_file, "--format", name)
    assert asked == [spares]


@pytest.mark.parametrize("name", ["yaml", "torchvision", "kornia", "timm"])
def test_files_begin_with_what_trainings_showed(name: str, tmp_path: Path) -> None:
    known = forecast({CROP: [[0.3] * 3] * 4}, runs=2)
    policy = uniform({CROP: 0.4}, NAMES[:3]).to_dict()
    worse = TrainedModel(policy=None, mean=0.8, worst=0.5, over_tolerance=0, lowest_gain=0.0, lowest_gain_error=0.01)
    better = worse.model_copy(update={"policy": policy, "worst": 0.7, "lowest_gain": 0.2})
    block = VerifiedModel(tolerance=0.05, seeds=5, policies={"global": worse, "best_uniform": better})
    path = tmp_path / "profile.json"
    path.write_text(known.model_copy(update={"verified": block}).to_json(), encoding="utf-8")
    result = run("recommend", path, "--format", name, "--image-size", "48")
    measured = result.stdout.splitlines()[0].removeprefix("# ")
    assert measured.startswith("`cuesense verify` trained 2 policies with 5 seeds; the policy with the best average")
    # Remarks are broken into lines, as wide as the terminal.
    assert measured in " ".join(result.stderr.split())


@pytest.mark.parametrize("name", ["json", "yaml", "torchvision", "kornia", "albumentations", "timm"])
def test_class_weights_are_part_of_the_recommendation_in_every_format(name: str, tmp_path: Path) -> None:
    path, output = tmp_path / "profile.json", tmp_path / "policy"
    path.write_text(forecast({CROP: [[-0.1, 0.03, -0.1]] * 4}, runs=2).to_json(), encoding="utf-8")
    result = run("recommend", path, "--format", name, "--image-size", "48", "--json", "--output", output)
    assert result.exit_code == 0, result.output
    weights = json.loads(result.stdout)["class_weights"]
    assert weights[NAMES[1]] > 1
    written = output.read_text(encoding="utf-8")
    assert ("class weights in the loss" if name == "timm" else "class_weights") in written
    assert (str(weights[NAMES[1]]) in written) is (name != "timm")


def test_confidence_is_no_option_of_a_recommendation(profile_file: Path) -> None:
    assert run("recommend", profile_file, "--confidence", "0.9").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--train", "planted:0,size=32", "--dataset", TEST], "a dataset of the same 3 classes"),
        (["--train", TRAIN], "photos/val"),
        (["--train", TRAIN, "--format", "jsn"], "Did you mean 'json'"),
        (
            ["--train", TRAIN, "--dataset", TEST, "--augmentations", "hue"],
            "one that the profile measured, but got 'hue'",
        ),
        (
            ["--train", TRAIN, "--dataset", TEST, "--train-size", "8"],
            "--train-size to be a whole number",
        ),
        (["--train", TRAIN, "--dataset", TEST, "--from", "nothing.pt"], "nothing.pt"),
        (["--all-but", "1"], "--all-but"),
        (["--train", TRAIN, "--dataset", TRAIN], "24 of 24 images that are among those of --train"),
        (["--train", TRAIN, "--dataset", TEST, "--tolerance", "2"], "--tolerance"),
        (["--train", TRAIN, "--dataset", TEST, "--grouped", "--format", "kornia"], "the same for all"),
        (["--train", TRAIN, "--dataset", TEST, "--device", "foo"], "--device"),
        (["--train", TRAIN, "--dataset", TEST, "--output", "/"], "a file, but got a folder"),
        (["--epochs", "2"], "Add --train DATASET"),
        (["--seeds", "3"], "Add --train DATASET"),
        (["--head", "--model", ANALYZED, "--dataset", TEST, "--seeds", "3"], "Add --train DATASET"),
    ],
)
def test_wrong_trainings_are_one_sentence(
    arguments: list[str], sentence: str, small_profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small_profile.parent)
    before = small_profile.read_bytes()
    assert_one_sentence(run("recommend", small_profile, *arguments), sentence)
    assert small_profile.read_bytes() == before
    assert [path.name for path in small_profile.parent.iterdir()] == ["profile.json"]


def test_json_is_printed_beside_a_file_in_another_format(profile_file: Path, tmp_path: Path) -> None:
    plain = run("recommend", profile_file, "--format", "json")
    assert json.loads(plain.stdout)["scope"] == "global"
    advised = run("recommend", profile_file, "--json").stdout
    found = json.loads(advised)
    compared = [entry["name"] for entry in found.pop("advice")["compared"]]
    assert compared[:3] == ["recommended", "no augmentation", "the usual default"]
    assert found == json.loads(plain.stdout)
    both = run("recommend", profile_file, "--json", "--format", "torchvision", "--output", tmp_path / "transform.py")
    assert both.stdout == advised
    assert "transform" in (tmp_path / "transform.py").read_text(encoding="utf-8")
    wrong = run("recommend", profile_file, "--json", "--format", "timm")
    assert_one_sentence(wrong, "--format to be left out or json with --json, but got 'timm'")


def test_no_augmentation_is_an_advice_and_no_empty_answer(tmp_path: Path) -> None:
    harmful = planted({curve.perturbation: [[150] * 3 for _ in curve.values] for curve in planted({}).curves})
    (tmp_path / "profile.json").write_text(harmful.to_json(), encoding="utf-8")
    done = run("recommend", tmp_path)
    assert done.exit_code == 0, done.output
    assert yaml.safe_load(done.stdout)["augmentations"] == []
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("augmentations")]
    assert line.startswith("augmentations: []  # none, on purpose: ")
    assert "# Train without augmentation." in done.stdout
    assert done.stderr.startswith("Recommended: train without augmentation")
