"""What the images can decide, before a network is run: a terminal is asked, a script goes on."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from cuesense.cli import terminal
from cuesense.cli.terminal import confirm_or_say, verbosity
from cuesense.reports.terminal.progress import Bar
from tests.conftest import make_folder
from tests.helpers.command_line import SMALL_IMAGES, analyze

LITTLE = "4 images a class decide little: no cue is named below 10. To certify that a class loses at most 5 points"


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Three class folders of four images."""
    make_folder(tmp_path / "few", 4)
    return tmp_path / "few"


def test_a_script_goes_on_and_is_told(model_file: Path, few: Path, tmp_path: Path) -> None:
    done = analyze(model_file, few, tmp_path / "out")
    assert done.exit_code == 0, done.output
    said = " ".join(done.stderr.split())
    assert LITTLE in said
    assert "Going on, since this is no terminal to ask in" in said
    assert said.index(LITTLE) < said.index("Of the clean images")


def test_with_yes_nothing_is_asked_or_said(model_file: Path, few: Path, tmp_path: Path) -> None:
    done = analyze(model_file, few, tmp_path / "out", "--yes")
    assert (done.exit_code, "decide little" in done.stderr) == (0, False)
    assert analyze(model_file, few, tmp_path / "out", quiet=True).stderr == ""


def test_enough_images_are_no_question(model_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    assert "decide little" not in analyze(model_file, photos_folder, tmp_path / "out").stderr


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Answers of a person at a terminal, taken from the end."""
    given: list[bool] = []

    def answer(question: str, *, err: bool) -> bool:
        assert "--yes" in question
        assert err
        return given.pop()

    monkeypatch.setattr(typer, "confirm", answer)
    monkeypatch.setattr(terminal, "_can_ask", lambda: True)
    return given


def test_a_person_is_asked_once_and_may_stop(capsys: pytest.CaptureFixture[str], answers: list[bool]) -> None:
    answers += [False, True]
    confirm_or_say(Bar(), yes=False)("Little.")
    with pytest.raises(KeyboardInterrupt):
        confirm_or_say(Bar(), yes=False)("Little.")
    assert answers == []
    assert capsys.readouterr().err == "Little.\nLittle.\n"
    confirm_or_say(Bar(), yes=True)("Little.")
    with verbosity(verbose=False, quiet=True):
        confirm_or_say(Bar(), yes=False)("Little.")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("answer", "code", "measured"), [(b"n\n", 130, False), (b"y\n", 0, True)])
def test_at_a_terminal_the_answer_decides(
    answer: bytes, code: int, measured: bool, model_file: Path, few: Path, tmp_path: Path
) -> None:
    leader, follower = pty.openpty()
    given = ["analyze", model_file, "--dataset", few, "--output", tmp_path / "out", "--config", "quick", *SMALL_IMAGES]
    command = [sys.executable, "-m", "cuesense", *map(str, given)]
    with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower) as process:
        os.close(follower)
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(leader, 1 << 16)
        os.write(leader, answer)
        while True:
            try:
                shown += os.read(leader, 1 << 16)
            except OSError:
                # What a terminal says whose other end is closed.
                break
        assert process.wait() == code, shown.decode()
    os.close(leader)
    text = shown.decode()
    assert "loading model" in text
    assert LITTLE in " ".join(text.split())
    assert (tmp_path / "out" / "profile.json").is_file() is measured
    assert ("Clean accuracy" in text) is measured
    if not measured:
        assert "cuesense: not started; nothing was written." in text
        assert not (tmp_path / "out").exists()
