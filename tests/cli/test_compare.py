"""compare as a user meets it: JSON alone on stdout, files, one sentence for every mistake."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cuesense.stores.lock import locked
from tests.helpers.command_line import assert_one_sentence, run, run_python, without
from tests.helpers.model_pairs import labels_of, simple
from tests.helpers.profiles import profile

LABELS = labels_of(40)
GOOD = np.arange(120) % 40 < 36


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders: in the second, the model fails at fifteen images of one class."""
    worse = GOOD & ~((LABELS == 1) & (np.arange(120) % 40 < 15))
    return simple(tmp_path / "a", LABELS, GOOD), simple(tmp_path / "b", LABELS, worse)


def test_two_profiles_are_shown_and_nothing_is_written(pair: tuple[Path, Path], tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    result = run("compare", *pair)
    assert result.exit_code == 0, result.output
    assert "from pairs of the same image." in " ".join(result.stdout.split())
    assert result.stdout.index("bee") < result.stdout.index("ant")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_comparison_is_written_where_it_is_wanted(pair: tuple[Path, Path], tmp_path: Path) -> None:
    result = run("compare", pair[0] / "profile.json", pair[1], "--output", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    assert result.stdout == (tmp_path / "out" / "compare.json").read_text(encoding="utf-8")
    assert json.loads(result.stdout)["classes"][1]["accuracy"]["lost"] == 15
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"compare.html", "compare.json", "compare.csv"}
    assert f"Report: {tmp_path / 'out' / 'compare.html'}" in result.stderr


def test_two_profiles_need_no_torch(pair: tuple[Path, Path]) -> None:
    done = run_python(without({"torch"}), "compare", *pair)
    assert done.returncode == 0, done.stderr


def test_models_are_analyzed_first_and_kept(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pt2"
    other.write_bytes(model_file.read_bytes())
    job = ["compare", model_file, other, "--dataset", photos_folder, "--config", "quick", "--output", tmp_path / "out"]
    result = run(*job)
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "out" / "compare.json").read_text(encoding="utf-8"))
    assert found["paired"]
    assert (found["a"]["model"], found["b"]["model"]) == (str(model_file), str(other))
    assert [entry["accuracy"]["value"] for entry in found["classes"]] == [0, 0, 0]
    assert [entry["reliance"]["color"]["value"] for entry in found["classes"]] == [0, 0, 0]
    shard = next((tmp_path / "out" / "a").glob("outcomes/shard-*.npz"))
    kept = shard.stat().st_mtime_ns
    again = run(*job, "--json")
    assert again.exit_code == 0, again.output
    assert shard.stat().st_mtime_ns == kept
    mixed = run("compare", tmp_path / "out" / "a", *job[2:], "--json")
    assert json.loads(mixed.stdout)["classes"] == found["classes"]


def test_wrong_comparisons_are_one_sentence(pair: tuple[Path, Path], tmp_path: Path) -> None:
    other, broken, old = tmp_path / "other.json", tmp_path / "broken.json", tmp_path / "renamed"
    other.write_text(profile(4).to_json(), encoding="utf-8")
    broken.write_text("{", encoding="utf-8")
    text = (pair[0] / "profile.json").read_text(encoding="utf-8")
    old.write_text(text.replace('"schema_version": 1', '"schema_version": 2'), encoding="utf-8")
    assert_one_sentence(run("compare", pair[0], other), "classes without ant")
    assert_one_sentence(run("compare", broken, pair[0]), "schema_version 1")
    assert_one_sentence(run("compare", old, pair[0]), "schema_version 1")
    assert_one_sentence(run("compare", pair[0], "model.pt"), "Give a --dataset")
    assert_one_sentence(run("compare", pair[0], tmp_path / "none.json"), "no file at")
    assert_one_sentence(run("compare", *pair, "--dataset", "photos"), "--dataset to be left out for two profiles")
    (tmp_path / "taken" / "compare.json").mkdir(parents=True)
    assert_one_sentence(run("compare", *pair, "--output", tmp_path / "taken"), "a file, but got a folder")
    assert_one_sentence(run("compare", pair[0], "nowhere.pt", "--dataset", tmp_path / "none"), "none")


def test_a_folder_that_another_run_holds_is_refused(
    pair: tuple[Path, Path], model_file: Path, photos_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the folder that is taken without --output where models are analyzed; two profiles alone are only printed."""
    monkeypatch.chdir(tmp_path)
    with locked(tmp_path / "out"), locked(Path("cuesense-compared")):
        assert_one_sentence(run("compare", *pair, "--output", tmp_path / "out"), "one run at a time")
        assert_one_sentence(run("compare", pair[0], model_file, "--dataset", photos_folder), "one run at a time")
        assert run("compare", *pair).exit_code == 0
