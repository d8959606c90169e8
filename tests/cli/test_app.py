"""What all commands have alike: help, version, completion, how much they print, and that they start quickly."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.helpers.command_line import COMMANDS, assert_one_sentence, run, run_in_process, run_python, without

HEAVY = {"torch", "kornia", "torchvision", "timm"}
# Words of the authors that a reader would have to translate.
PRIVATE_WORDS = r"\b(doses?|rungs?|pays?|judged?|judges|answers|asked|befall|told)\b"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_examples_in_plain_words(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"  cuesense {command}" in result.stdout.partition("Examples:\n")[2]
    assert re.findall(PRIVATE_WORDS, result.stdout) == []


def test_help_names_every_command_once_in_one_line() -> None:
    shown = run("--help").stdout.partition("Commands:\n")[2]
    assert tuple(line.split()[0] for line in shown.splitlines()) == COMMANDS


def test_without_a_command_there_is_help() -> None:
    assert "Commands:" in run().output


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["list"], ["list", "perturbations"], ["list", "presets"]]
)
def test_help_and_list_import_nothing_heavy(arguments: list[str]) -> None:
    done = run_python(without(HEAVY), *arguments)
    assert done.returncode == 0, done.stderr


def test_the_version_is_that_of_the_distribution() -> None:
    assert run("--version").stdout == f"cuesense {version('cuesense')}\n"


@pytest.mark.parametrize(("typed", "found"), [("ana", ["analyze"]), ("re", ["recommend", "report"]), ("x", [])])
def test_a_shell_completes_the_name_of_a_command(typed: str, found: list[str]) -> None:
    words = {"_CUESENSE_COMPLETE": "complete_bash", "COMP_WORDS": f"cuesense {typed}", "COMP_CWORD": "1"}
    done = run_python("import sys; sys.argv = ['cuesense']; " + without(HEAVY), env=os.environ | words)
    assert done.stdout.split() == found, done.stderr


def test_a_shell_completes_the_name_of_an_option() -> None:
    words = {"_CUESENSE_COMPLETE": "complete_bash", "COMP_WORDS": "cuesense score --conf", "COMP_CWORD": "2"}
    done = run_python("import sys; sys.argv = ['cuesense']; " + without(HEAVY), env=os.environ | words)
    assert done.stdout.split() == ["--confidence"], done.stderr


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("list p", ["perturbations", "presets"]),
        ("recommend x --format k", ["kornia"]),
        ("analyze x --device c", ["cpu", "cuda"]),
        ("analyze x --config s", ["standard"]),
        ("analyze x --precision b", ["bfloat16"]),
    ],
)
def test_a_shell_completes_values(typed: str, found: list[str]) -> None:
    count = str(len(typed.split()))
    words = {"_CUESENSE_COMPLETE": "complete_bash", "COMP_WORDS": f"cuesense {typed}", "COMP_CWORD": count}
    done = run_python("import sys; sys.argv = ['cuesense']; " + without(HEAVY), env=os.environ | words)
    assert done.stdout.split() == found, done.stderr


def test_completion_can_be_installed() -> None:
    assert "--install-completion" in run("--help").stdout


@pytest.fixture
def scored(tmp_path: Path) -> list[object]:
    """A command that is done at once: a table with one image of each of two classes and one perturbation."""
    table = tmp_path / "predictions.csv"
    rows = ("a,cat,clean,0,cat", "b,dog,clean,0,dog", "a,cat,grayscale,1,cat", "b,dog,grayscale,1,cat")
    table.write_text("sample_id,label,perturbation,severity,predicted\n" + "".join(f"{row}\n" for row in rows))
    return ["score", table, "--output", tmp_path / "out"]


def test_quiet_leaves_the_result_alone(scored: list[object], tmp_path: Path) -> None:
    usual = run(*scored)
    assert usual.exit_code == 0, usual.output
    *said, last = usual.stderr.splitlines()
    assert said[0].startswith("With 1 image a class")
    assert last == f"Report: {tmp_path / 'out' / 'report.html'}  Profile: {tmp_path / 'out' / 'profile.json'}"
    for flag in ("-q", "--quiet"):
        quiet = run(flag, *scored)
        assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, usual.stdout, "")
    assert run(*scored).stderr == usual.stderr


def test_quiet_still_shows_errors(scored: list[object]) -> None:
    assert_one_sentence(run("-q", *scored, "--tolerance", "2"), "Expected --tolerance")


def test_verbose_shows_what_is_done_and_how_long_it_took(scored: list[object]) -> None:
    for flag in ("-v", "--verbose"):
        result = run_in_process(flag, *scored)
        assert result.returncode == 0, result.stderr
        assert f"cuesense {version('cuesense')}" in result.stderr
        assert re.search(r"^\d\d:\d\d:\d\d cuesense\.cli\.errors: done in \d+\.\d s$", result.stderr, re.MULTILINE)
    assert "done in" not in run_in_process(*scored).stderr


def test_verbose_shows_the_traceback_above_the_sentence(scored: list[object]) -> None:
    result = run("-v", *scored, "--tolerance", "2")
    assert result.exit_code == 2
    traceback, _, sentence = result.stderr.rpartition("cuesense: ")
    assert "Traceback (most recent call last):" in traceback
    assert "in check_fraction" in traceback
    assert sentence.startswith("Expected --tolerance to be between 0 and 1, but got 2")
    assert sentence.count("\n") == 1


def test_a_command_leaves_the_logger_as_it_was(scored: list[object]) -> None:
    logger = logging.getLogger("cuesense")
    before = (logger.level, list(logger.handlers))
    run("-v", *scored)
    assert (logger.level, list(logger.handlers)) == before


def test_verbose_and_quiet_exclude_each_other(scored: list[object], tmp_path: Path) -> None:
    assert_one_sentence(run("-v", "-q", *scored), "verbose or quiet, but got -v and -q")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_printed_is_one_sentence(scored: list[object]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        command = [sys.executable, "-m", "cuesense", *map(str, scored), "--json"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "The result could not be printed or written: No space left on device." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_without_unicode_shows_a_table_and_no_traceback(scored: list[object]) -> None:
    done = run_in_process(*scored, env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"})
    assert done.returncode == 0, done.stderr
    assert "Clean accuracy" in done.stdout
    assert done.stdout.isascii()


def test_the_program_is_called_cuesense_however_it_is_started() -> None:
    done = run_in_process("--help")
    assert "Usage: cuesense [OPTIONS] COMMAND" in done.stdout
