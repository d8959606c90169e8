"""score as a user meets it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import cuesense
from cuesense.errors import SettingsError
from tests.helpers.command_line import analyze, assert_one_sentence, run
from tests.helpers.prediction_tables import rows, saved


def test_score_labels_again_from_the_table_that_analyze_wrote(
    model_file: Path, photos_folder: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "out", tmp_path / "again"
    assert analyze(model_file, photos_folder, first).exit_code == 0
    done = run("score", first / "predictions.parquet", "--output", second)
    assert done.exit_code == 0, done.output
    before, after = (json.loads((folder / "profile.json").read_text()) for folder in (first, second))
    for name in ("classes", "groups", "labeling", "policy"):
        assert after[name] == before[name]
    assert after["summary"]["labels"] == before["summary"]["labels"]
    names = {"profile.json", "report.html", "classes.csv", "curves.csv", "predictions.parquet"}
    assert {path.name for path in second.iterdir()} == names
    kept = (first / "profile.json").read_bytes()
    assert_one_sentence(run("score", first / "predictions.parquet", "--output", first), "one of an analysis")
    assert (first / "profile.json").read_bytes() == kept


def test_what_was_scored_from_a_tables_own_predictions_is_compared_image_by_image(
    model_file: Path, photos_folder: Path, tmp_path: Path
) -> None:
    first, other = tmp_path / "out", tmp_path / "other.csv"
    assert analyze(model_file, photos_folder, first).exit_code == 0
    # Another program knows the images by their names alone.
    pd.read_parquet(first / "predictions.parquet").to_csv(other, index=False)
    for table, name in ((first / "predictions.parquet", "own"), (other, "named")):
        assert run("score", table, "--output", tmp_path / name).exit_code == 0
        done = run("compare", first, tmp_path / name, "--json")
        found = json.loads(done.stdout)
        assert found["paired"], found["warnings"]
        assert not any("independent samples" in warning for warning in found["warnings"])
        changes = [entry["accuracy"] for entry in (found, *found["classes"])]
        changes += [change for entry in found["classes"] for change in entry["under"].values()]
        assert {(change["value"], change["lost"], change["gained"]) for change in changes} == {(0.0, 0.0, 0.0)}


def test_images_of_other_names_or_of_another_dataset_are_not_paired(
    model_file: Path, photos_folder: Path, tmp_path: Path
) -> None:
    first, table = tmp_path / "out", tmp_path / "other.csv"
    assert analyze(model_file, photos_folder, first).exit_code == 0
    frame = pd.read_parquet(first / "predictions.parquet")
    frame.assign(sample_id="other/" + frame.sample_id.astype(str)).to_csv(table, index=False)
    assert run("score", table, "--output", tmp_path / "named").exit_code == 0
    known = cuesense.Profile.read(first)
    images = known.provenance.dataset.model_copy(update={"fingerprint": "of other images"})
    changed = known.model_copy(update={"provenance": known.provenance.model_copy(update={"dataset": images})})
    shutil.copytree(first, tmp_path / "changed")
    (tmp_path / "changed" / "profile.json").write_text(changed.to_json(), encoding="utf-8")
    for name, why in (("named", "the images or their labels differ"), ("changed", "the datasets differ")):
        found = json.loads(run("compare", first, tmp_path / name, "--json").stdout)
        assert not found["paired"]
        sentence = f"Images are compared as independent samples, because {why}: intervals are wider."
        assert found["warnings"][0] == sentence


def test_a_table_in_the_output_folder_stays_as_it_is_and_predictions_of_an_older_one_do_not(tmp_path: Path) -> None:
    """Under grayscale the last table has other images than clean, so that none can be compared one by one."""
    table = saved(rows(), tmp_path / "predictions.parquet")
    before = table.read_bytes()
    assert run("score", table, "--output", tmp_path).exit_code == 0
    assert table.read_bytes() == before
    assert run("score", table, "--output", tmp_path / "again").exit_code == 0
    assert (tmp_path / "again" / "predictions.parquet").is_file()
    frame = rows()
    frame.loc[frame.severity > 0, "sample_id"] += "x"
    assert run("score", saved(frame, tmp_path / "other.csv"), "--output", tmp_path / "again").exit_code == 0
    assert not (tmp_path / "again" / "predictions.parquet").exists()


def test_score_answers_for_groups_and_refuses_a_table_of_something_else(tmp_path: Path) -> None:
    groups, wrong = tmp_path / "groups.csv", tmp_path / "wrong.csv"
    wrong.write_text("path,label\na.jpg,cat\n")
    groups.write_text("class,group\ncat,pets\n")
    done = run("score", wrong, "--groups", groups, "--output", tmp_path / "out")
    assert_one_sentence(done, "sample_id")
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_where_one_of_the_files_cannot_be(
    model_file: Path, photos_folder: Path, tmp_path: Path
) -> None:
    assert analyze(model_file, photos_folder, tmp_path / "out").exit_code == 0
    (tmp_path / "again" / "profile.json").mkdir(parents=True)
    done = run("score", tmp_path / "out" / "predictions.parquet", "--output", tmp_path / "again")
    assert done.exit_code == 2
    assert [path.name for path in (tmp_path / "again").iterdir()] == ["profile.json"]


@pytest.mark.parametrize("size", ["0", "-5", "99999"])
def test_score_refuses_impossible_sizes(tmp_path: Path, size: str) -> None:
    done = run("score", tmp_path / "none.csv", "--image-size", size)
    assert_one_sentence(done, "Expected --image-size to be a whole number")


@pytest.fixture(scope="module")
def table(model_file: Path, photos_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Predictions that analyze wrote."""
    folder = tmp_path_factory.mktemp("analyzed")
    assert analyze(model_file, photos_folder, folder).exit_code == 0
    return folder / "predictions.parquet"


def test_the_confidence_reaches_the_profile(table: Path, tmp_path: Path) -> None:
    wide, narrow = (
        json.loads(run("score", table, "--output", tmp_path, "--json", "--confidence", confidence).stdout)
        for confidence in ("0.99", "0.51")
    )
    assert (wide["policy"]["confidence"], narrow["policy"]["confidence"]) == (0.99, 0.51)
    wider, narrower = (found["classes"][0]["reliance"]["color"] for found in (wide, narrow))
    assert wider["high"] - wider["low"] > narrower["high"] - narrower["low"]


@pytest.mark.parametrize("confidence", ["0.5", "1", "-1", "nan"])
def test_other_confidences_are_refused(table: Path, tmp_path: Path, confidence: str) -> None:
    done = run("score", table, "--output", tmp_path / "out", "--confidence", confidence)
    assert_one_sentence(done, "Expected --confidence to be between 0.5 and 1")
    assert not (tmp_path / "out").exists()


def test_classes_can_be_named(table: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("brick\ngrass\nwater\n")
    done = run("score", table, "--output", tmp_path / "out", "--class-names", names, "--json")
    assert [entry["name"] for entry in json.loads(done.stdout)["classes"]] == ["brick", "grass", "water"]
    assert_one_sentence(run("score", table, "--class-names", tmp_path / "none.txt"), "none.txt")


def test_class_names_may_be_a_file_in_python_too(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    assert analyze(model_file, photos_folder, tmp_path / "out").exit_code == 0
    (tmp_path / "names.txt").write_text("water\nbrick\ngrass\n")
    table = tmp_path / "out" / "predictions.parquet"
    for given in (tmp_path / "names.txt", str(tmp_path / "names.txt"), ["water", "brick", "grass"]):
        assert [entry.name for entry in cuesense.score(table, class_names=given).classes] == ["water", "brick", "grass"]


def test_an_unknown_size_of_the_images_is_said(tmp_path: Path) -> None:
    cue_table = saved(rows(images=6, perturbations={"opening_closing": 4, "brightness": 4}), tmp_path / "p.csv")
    unknown, known = cuesense.score(cue_table), cuesense.score(cue_table, image_size=64)
    assert any("size of the images is not known" in warning for warning in unknown.summary.warnings)
    assert not any("size of the images" in warning for warning in known.summary.warnings)
    other = saved(rows(images=6, perturbations={"brightness": 4}), tmp_path / "q.csv")
    assert not any("size of the images" in warning for warning in cuesense.score(other).summary.warnings)


@pytest.mark.parametrize("given", [rows(), 3, None])
def test_what_is_no_file_is_one_sentence(given: object) -> None:
    with pytest.raises(SettingsError, match="Expected the table to be the name of a file, but got a"):
        cuesense.score(given)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="Expected profile to be a Profile"):
        cuesense.report(given)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="Expected profile to be a Profile"):
        cuesense.audit(accuracies="a.csv", profile=[given])  # type: ignore[arg-type]


def test_what_the_images_can_decide_is_said_unless_quiet(table: Path, tmp_path: Path) -> None:
    loud = run("score", table, "--output", tmp_path / "loud", "--json")
    assert "images a class, the share of a class that stays recognized without a cue is known within" in loud.stderr
    assert "Of the clean images, " in loud.stderr
    assert json.loads(loud.stdout)["summary"]
    assert run("-q", "score", table, "--output", tmp_path / "quiet").stderr == ""


def test_names_cannot_command_the_terminal_in_what_is_said(tmp_path: Path) -> None:
    frame = rows().replace("ant", "\x1b[31mant")
    # The class with the fewest images is named.
    frame = frame[frame["sample_id"] != "ant/3"]
    result = run("score", saved(frame, tmp_path / "table.csv"), "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "\ufffd[31mant" in result.stderr
    assert "\x1b" not in result.output
