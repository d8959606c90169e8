"""verify as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers.command_line import assert_one_sentence, run
from tests.helpers.planted_profiles import TEST, TRAIN, write_trainable_profile


@pytest.fixture
def small_profile(tmp_path: Path) -> Path:
    return write_trainable_profile(tmp_path)


def test_trainings_show_what_happened(small_profile: Path, tmp_path: Path) -> None:
    command = ["verify", small_profile, "--train", TRAIN, "--test", TEST, "--epochs", "4", "--seeds", "2"]
    command += ["--augmentations", "random_resized_crop", "--output", tmp_path / "out"]
    result = run(*command)
    assert result.exit_code == 0, result.output
    for words in ("best uniform", "2 seeds, 15 test images", "Forecast against outcome", "holds no forecast"):
        assert words in result.stdout
    assert "Warning: The profile holds no forecast from trainings" in result.stderr
    assert f"Report: {tmp_path / 'out' / 'verify.html'}" in result.stderr
    kept = json.loads(small_profile.read_text(encoding="utf-8"))["verified"]
    assert kept["seeds"] == 2
    assert kept["policies"]["usual"]["policy"]["probability"] == 0.8
    printed = run(*command, "--json")
    assert printed.stdout == (tmp_path / "out" / "verify.json").read_text(encoding="utf-8")
    assert_one_sentence(run(*command, "--epochs", "2"), "other recipe")


def test_networks_that_guess_are_the_first_thing_said(small_profile: Path, tmp_path: Path) -> None:
    before = small_profile.read_bytes()
    result = run(
        *("verify", small_profile, "--train", TRAIN, "--test", TEST, "--epochs", "1", "--seeds", "1"),
        *("--augmentations", "random_resized_crop", "--output", tmp_path / "out"),
    )
    assert result.exit_code == 0, result.output
    said = " ".join(result.stdout.split())
    assert said.startswith("Warning: The networks trained without augmentation recognize 33.3 % of the test images, ")
    assert "or from a checkpoint (--from). 1 seed, 15 test images" in said
    assert "against the recommended policy" not in said
    assert "Warning: The first network, trained without augmentation" in result.stderr
    assert small_profile.read_bytes() == before


def test_help_says_that_recommend_takes_the_winner() -> None:
    said = " ".join(run("verify", "--help").output.replace("│", " ").split())
    assert "from then on recommend takes the winner, where over at least five seeds" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--train", TRAIN, "--test", TEST, "--device", "foo"], "--device"),
        (["--train", TRAIN, "--test", "nowhere"], "nowhere"),
        (["--train", TRAIN, "--test", TEST, "--tolerance", "0"], "--tolerance"),
        (["--train", "planted:0,size=32", "--test", TEST], "--train to be a dataset"),
    ],
)
def test_wrong_trainings_are_one_sentence(
    arguments: list[str], sentence: str, small_profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small_profile.parent)
    before = small_profile.read_bytes()
    assert_one_sentence(run("verify", small_profile, *arguments), sentence)
    assert small_profile.read_bytes() == before
    assert [path.name for path in small_profile.parent.iterdir()] == ["profile.json"]
