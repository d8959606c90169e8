"""explain as a user meets it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cuesense.schemas.profile import Profile
from tests.helpers.command_line import assert_one_sentence, run, run_in_process, run_python, without
from tests.helpers.graded_profiles import graded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a profile of twelve classes."""
    (tmp_path / "profile.json").write_text(graded(12, seed=3).to_json(), encoding="utf-8")
    return tmp_path


def test_a_class_is_shown_by_its_name_its_beginning_and_its_index(folder: Path) -> None:
    shown = [run("explain", folder, name) for name in ("school bus", "SCHOOL", "3")]
    assert {result.exit_code for result in shown} == {0}
    assert len({result.stdout for result in shown}) == 1
    for words in ("school bus (index 3)", "Relies on", "random resized crop", "patch shuffle"):
        assert words in shown[0].stdout
    assert shown[0].stderr == ""


def test_json_is_printed_alone(folder: Path) -> None:
    result = run("explain", folder / "profile.json", "lemon", "--json")
    found = json.loads(result.stdout)
    assert found["class"]["name"] == "lemon"
    assert len(found["curves"]) == len(Profile.read(folder).curves)


def test_wrong_input_is_one_sentence(folder: Path) -> None:
    assert_one_sentence(run("explain", folder, "lemons"), "Unknown class 'lemons'. Did you mean 'lemon'?")
    assert_one_sentence(run("explain", folder, "b"), "'b', which fits 2: 'barn spider' (index 1), 'brain coral'")
    assert_one_sentence(run("explain", folder / "none", "lemon"), "Run `cuesense analyze` first")


def test_it_imports_nothing_heavy(folder: Path) -> None:
    done = run_python(without({"torch", "kornia", "torchvision", "timm"}), "explain", str(folder), "lemon")
    assert done.returncode == 0, done.stderr


def test_a_terminal_without_blocks_shows_the_curves_in_plain_characters(folder: Path) -> None:
    plain = run_in_process("explain", folder, "lemon", env=os.environ | {"PYTHONIOENCODING": "ascii", "COLUMNS": "80"})
    blocks = run_in_process("explain", folder, "lemon", env=os.environ | {"PYTHONIOENCODING": "utf-8", "COLUMNS": "80"})
    assert plain.returncode == 0, plain.stderr
    assert plain.stdout.isascii()
    # Nothing was lost: the question mark is that of the caption.
    assert plain.stdout.count("?") == blocks.stdout.count("?") == 1
    same = str.maketrans("▁▂▃▄▅▆▇█\N{MINUS SIGN}–…±\N{NO-BREAK SPACE}", "_.:-=+*#--.~ ")
    assert blocks.stdout.translate(same) == plain.stdout
    assert blocks.stdout != plain.stdout


def test_a_shell_completes_the_classes_of_the_profile(folder: Path) -> None:
    words = {"_CUESENSE_COMPLETE": "complete_bash", "COMP_WORDS": f"cuesense explain {folder} z", "COMP_CWORD": "3"}
    program = "import sys; sys.argv = ['cuesense']; " + without({"torch"})
    assert run_python(program, env=os.environ | words).stdout.split() == ["zebra"]
    nowhere = words | {"COMP_WORDS": f"cuesense explain {folder}/none z"}
    assert run_python(program, env=os.environ | nowhere).stdout.split() == []
