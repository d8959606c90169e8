"""What the system refuses ends in one sentence and exit code 2, and a closed stdout in silence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from cuesense.cli.errors import user_errors
from cuesense.cli.signals import NotStartedError
from tests.helpers.command_line import assert_one_sentence, run
from tests.helpers.profiles import profile


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """A profile's file."""
    file = tmp_path / "profile.json"
    file.write_text(profile(3).to_json(), encoding="utf-8")
    return file


def ended(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Return the exit code and what stands on stderr where a command raises an error."""
    with pytest.raises(typer.Exit) as caught, user_errors():
        raise error
    return caught.value.exit_code, capsys.readouterr().err


def test_a_file_that_cannot_be_used_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = ended(PermissionError(13, "Permission denied", "model.pt"), capsys)
    assert code == 2
    assert said == (
        "cuesense: Expected 'model.pt' to be a file that can be used, but got 'Permission denied'. "
        "Change its permissions or name another.\n"
    )


def test_an_error_without_a_file_is_of_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = ended(OSError(28, "No space left on device"), capsys)
    assert (code, said) == (2, "cuesense: The result could not be printed or written: No space left on device.\n")


@pytest.mark.parametrize(("error", "words"), [(MemoryError(), "too little memory"), (RecursionError(), "too deeply")])
def test_limits_of_the_machine_are_one_sentence(
    error: Exception, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = ended(error, capsys)
    assert code == 2
    assert words in said
    assert said.count("\n") == 1


def test_a_closed_stdout_is_no_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(BrokenPipeError(32, "Broken pipe"), capsys) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["list", "--json"],
        ["recommend", "PROFILE", "--tolerance", "0.3"],
        ["check", "PROFILE", "--max-drop", "0.9", "--json"],
    ],
)
def test_a_full_stdout_is_one_sentence_and_python_adds_nothing(arguments: list[str], known: Path) -> None:
    given = [str(known) if part == "PROFILE" else part for part in arguments]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        command = [sys.executable, "-m", "cuesense", "-q", *given]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "cuesense: The result could not be printed or written: No space left on device.\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["list"], 0), (["check", "PROFILE", "--max-drop", "0.9"], 0), (["check", "PROFILE", "--max-drop", "0"], 1)],
)
def test_a_reader_that_has_enough_changes_neither_the_exit_code_nor_stderr(
    arguments: list[str], code: int, known: Path
) -> None:
    """The exit code of check is its result."""
    given = [str(known) if part == "PROFILE" else part for part in arguments]
    command = [sys.executable, "-m", "cuesense", "-q", *given]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        said = running.stderr.read()
        assert (running.wait(), said) == (code, "")


@pytest.mark.parametrize("command", ["recommend", "report"])
def test_a_profile_is_not_replaced_by_what_is_made_from_it(command: str, known: Path) -> None:
    before = known.read_bytes()
    (known.parent / "link.json").symlink_to(known)
    for output in (known, known.parent / "link.json"):
        for source in (known, known.parent):
            result = run(command, source, "--output", output)
            assert_one_sentence(result, "another file than the input, but got the same file")
    assert known.read_bytes() == before


def test_the_junit_file_does_not_replace_a_profile(known: Path) -> None:
    result = run("check", known, "--max-drop", "0.1", "--junit", known)
    assert_one_sentence(result, "another file than the input")
    json.loads(known.read_text(encoding="utf-8"))


def test_an_output_below_a_file_or_that_is_full_is_one_sentence(known: Path) -> None:
    assert_one_sentence(run("report", known, "--output", "/dev/full"), "No space left on device")
    assert_one_sentence(
        run("-q", "compare", known, known, "--output", known), "--output to be a folder, but got the file"
    )
    assert_one_sentence(run("report", known, "--output", known / "page.html"), "to be writable")


@pytest.mark.parametrize(("error", "what"), [(NotStartedError(), "not started"), (KeyboardInterrupt(), "interrupted")])
def test_an_answer_of_no_is_no_interruption(
    error: BaseException, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(error, capsys) == (130, f"cuesense: {what}; nothing was written.\n")
