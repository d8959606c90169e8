"""check as a user meets it: exit codes, one line for every rule, JUnit, one sentence for every mistake."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

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


def test_two_profiles_need_no_torch(pair: tuple[Path, Path]) -> None:
    job = ["check", pair[1], "--baseline", pair[0], "--max-drop", "0.5"]
    done = run_python(without({"torch"}), *job)
    assert done.returncode == 0, done.stderr


def test_a_gate_that_holds_says_so_in_one_line(pair: tuple[Path, Path]) -> None:
    result = run("check", pair[0], "--baseline", pair[1], "--max-drop", 0, "--max-worst-class-loss", 0)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Holds: max-drop: lost ")
    assert result.stdout.count("\n") == 1
    assert all(line.startswith("note: Warning in '") for line in result.stderr.splitlines())


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


def test_a_run_of_ci_gets_annotations_or_a_summary(pair: tuple[Path, Path]) -> None:
    flags = ["check", pair[1], "--baseline", pair[0], "--max-worst-class-loss", "0.2"]
    annotated = run(*flags, "--format", "github")
    assert (annotated.exit_code, annotated.stderr) == (1, "")
    first = annotated.stdout.splitlines()[0]
    assert first.startswith("::error title=cuesense check%3A max-worst-class-loss::max-worst-class-loss: bee lost 37.5")
    summary = run(*flags, "--format", "markdown")
    assert (summary.exit_code, summary.stderr) == (1, "")
    assert summary.stdout.startswith("## ❌ cuesense check: 1 of 1 rules is violated\n")
    assert "| ❌ | max-worst-class-loss | 37.5 [" in summary.stdout
    held = run("check", pair[0], "--baseline", pair[1], "--max-drop", 0, "--format", "github")
    assert held.exit_code == 0
    assert held.stdout.startswith("::notice title=cuesense check::Every rule holds")
    assert_one_sentence(run(*flags, "--format", "xml"), "--format to be text, markdown or github")
    assert_one_sentence(run(*flags, "--format", "github", "--json"), "--json to be given without another --format")


def test_a_loss_that_may_be_chance_is_a_note(tmp_path: Path) -> None:
    a = simple(tmp_path / "a", LABELS, GOOD)
    b = simple(tmp_path / "b", LABELS, GOOD & ~((LABELS == 2) & (np.arange(120) % 40 < 5)))
    result = run("check", b, "--baseline", a, "--max-worst-class-loss", "0.1", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["holds"]
    assert "note: max-worst-class-loss: cow lost 12.5" in result.stderr
    quiet = run("-q", "check", b, "--baseline", a, "--max-worst-class-loss", "0.1", "--json")
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, result.stdout, "")


def test_wrong_checks_are_one_sentence(pair: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(profile(4).to_json(), encoding="utf-8")
    (tmp_path / "folder").mkdir()
    assert_one_sentence(run("check", pair[0]), "Give --max-drop, --max-worst-class-loss or both")
    assert_one_sentence(run("check", pair[0], "--max-drop", "1"), "at least 0 and below 1, but got 1")
    assert_one_sentence(run("check", pair[0], "--max-drop", "nan"), "but got nan")
    assert_one_sentence(run("check", tmp_path / "none", "--max-drop", "0.1"), "a profile.json or its folder")
    other = run("check", pair[0], "--baseline", tmp_path / "other.json", "--max-drop", "0.1")
    assert_one_sentence(other, "classes without")
    taken = run("check", pair[0], "--max-drop", "0.5", "--junit", tmp_path / "folder")
    assert_one_sentence(taken, "a file, but got a folder")


def test_warnings_of_the_profiles_are_noted_and_leave_the_exit_code(pair: tuple[Path, Path]) -> None:
    for place, warning in zip(pair, ("Names seem exchanged.", "200 of 240 are copies."), strict=True):
        document = json.loads((place / "profile.json").read_text())
        document["summary"]["warnings"] = [
            warning,
            "Sink classes, as which others are predicted: ant.",
        ]
        (place / "profile.json").write_text(json.dumps(document))
    result = run("check", pair[0], "--baseline", pair[1], "--max-drop", "0")
    assert result.exit_code == 0, result.output
    said = " ".join(result.stderr.split())
    assert f"note: Warning in '{pair[0] / 'profile.json'}': Names seem exchanged." in said
    assert f"note: Warning in '{pair[1] / 'profile.json'}': 200 of 240 are copies." in said
    assert "Sink" not in said
