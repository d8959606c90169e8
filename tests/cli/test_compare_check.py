"""compare and check as a user meets them: exit codes, JSON alone on stdout, files, one sentence for every mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from cuesense.cli.app import app
from tests.helpers.model_pairs import labels_of, simple
from tests.helpers.profiles import profile

LABELS = labels_of(40)
GOOD = np.arange(120) % 40 < 36


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def one_sentence(result: Result, said: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("cuesense: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders: in the second, the model fails at fifteen images of one class."""
    worse = GOOD & ~((LABELS == 1) & (np.arange(120) % 40 < 15))
    return simple(tmp_path / "a", LABELS, GOOD), simple(tmp_path / "b", LABELS, worse)


def test_two_profiles_are_shown_and_nothing_is_written(pair: tuple[Path, Path], tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    result = run("compare", *pair)
    assert result.exit_code == 0, result.output
    assert "the same images, paired" in result.stdout
    assert result.stdout.index("bee") < result.stdout.index("ant")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_comparison_is_written_where_it_is_wanted(pair: tuple[Path, Path], tmp_path: Path) -> None:
    result = run("compare", pair[0] / "profile.json", pair[1], "--output", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    assert result.stdout == (tmp_path / "out" / "compare.json").read_text(encoding="utf-8")
    assert json.loads(result.stdout)["classes"][1]["accuracy"]["lost"] == 15
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"compare.json", "compare.csv"}


def test_two_profiles_need_no_torch(pair: tuple[Path, Path]) -> None:
    code = "import sys; from cuesense.cli.app import app\ntry: app()\nexcept SystemExit: pass\n"
    code += "assert 'torch' not in sys.modules"
    for job in (["compare", *pair], ["check", pair[1], "--baseline", pair[0], "--max-drop", "0.5"]):
        command = [sys.executable, "-c", code, *map(str, job)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
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
    one_sentence(run("compare", pair[0], other), "classes without ant")
    one_sentence(run("compare", broken, pair[0]), "schema_version 1")
    one_sentence(run("compare", old, pair[0]), "schema_version 1")
    one_sentence(run("compare", pair[0], "model.pt"), "Give a --dataset")
    one_sentence(run("compare", pair[0], tmp_path / "none.json"), "no file at")
    one_sentence(run("compare", *pair, "--dataset", "photos"), "--dataset to be left out for two profiles")
    (tmp_path / "taken" / "compare.json").mkdir(parents=True)
    one_sentence(run("compare", *pair, "--output", tmp_path / "taken"), "a file, but got a folder")
    one_sentence(run("compare", pair[0], "nowhere.pt", "--dataset", tmp_path / "none"), "none")


def test_a_gate_that_holds_says_so_in_one_line(pair: tuple[Path, Path]) -> None:
    result = run("check", pair[0], "--baseline", pair[1], "--max-drop", 0, "--max-worst-class-loss", 0)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Holds: max-drop: lost ")
    assert result.stdout.count("\n") == 1
    assert result.stderr == ""


def test_a_gate_that_does_not_hold_names_rule_and_class(pair: tuple[Path, Path], tmp_path: Path) -> None:
    flags = ["--baseline", pair[0], "--max-drop", "0.2", "--max-worst-class-loss", "0.2"]
    result = run("check", pair[1], *flags, "--junit", tmp_path / "made" / "check.xml")
    assert result.exit_code == 1, result.output
    (line,) = result.stdout.splitlines()
    assert line.startswith("max-worst-class-loss: bee lost 37.5")
    assert "of 20.0 allowed (n = 40)." in line
    suite = ElementTree.parse(tmp_path / "made" / "check.xml").getroot()[0]
    assert [case.get("name") for case in suite] == ["max-drop", "max-worst-class-loss"]
    assert [failure.text for failure in suite.iter("failure")] == [line]
    printed = run("check", pair[1], *flags, "--json")
    assert printed.exit_code == 1
    found = json.loads(printed.stdout)
    assert [part["holds"] for part in found["results"]] == [True, False]
    assert found["results"][1]["violations"][0]["name"] == "bee"


def test_a_loss_that_may_be_chance_is_a_note(tmp_path: Path) -> None:
    a = simple(tmp_path / "a", LABELS, GOOD)
    b = simple(tmp_path / "b", LABELS, GOOD & ~((LABELS == 2) & (np.arange(120) % 40 < 5)))
    result = run("check", b, "--baseline", a, "--max-worst-class-loss", "0.1", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["holds"]
    assert result.stderr.startswith("note: max-worst-class-loss: cow lost 12.5")


def test_wrong_checks_are_one_sentence(pair: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(profile(4).to_json(), encoding="utf-8")
    (tmp_path / "folder").mkdir()
    one_sentence(run("check", pair[0]), "Give --max-drop, --max-worst-class-loss or both")
    one_sentence(run("check", pair[0], "--max-drop", "1"), "at least 0 and below 1, but got 1")
    one_sentence(run("check", pair[0], "--max-drop", "nan"), "but got nan")
    one_sentence(run("check", tmp_path / "none", "--max-drop", "0.1"), "a profile.json or its folder")
    one_sentence(run("check", pair[0], "--baseline", tmp_path / "other.json", "--max-drop", "0.1"), "classes without")
    one_sentence(run("check", pair[0], "--max-drop", "0.5", "--junit", tmp_path / "folder"), "a file, but got a folder")
