"""Remarks on stderr: above a progress bar that is shown there, and without what a class name may do to a terminal."""

from __future__ import annotations

import io
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from rich.console import Console, Group
from rich.constrain import Constrain
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from cuesense.cli.terminal import print_rich, remark, remark_on_data, remark_wrapped, show_profile, verbosity
from cuesense.reports.headline import headline
from tests.helpers import profiles
from tests.helpers.command_line import COMMANDS, run
from tests.helpers.graded_profiles import graded


def test_a_remark_stands_above_the_progress_bar_and_not_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # As stderr is: a stream of text upon one of bytes, which is what typer.echo looks for.
    screen = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    monkeypatch.setattr(sys, "stderr", screen)
    with Progress(console=Console(file=screen, force_terminal=True, width=80)) as bar:
        bar.add_task("images", total=10)
        bar.refresh()
        remark("With 50 images of a class")
    shown = screen.buffer.getvalue().decode()  # type: ignore[attr-defined]
    before = shown[: shown.index("With 50 images of a class")]
    # The line of the bar is erased first.
    assert before.endswith("\x1b[2K")


def test_remarks_are_left_out_where_they_are_not_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    remark("said")
    with verbosity(verbose=False, quiet=True):
        remark("not said")
        remark_on_data("not said")
    assert capsys.readouterr().err == "said\n"


def test_names_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    remark_on_data("fewest: \x1b[31mred\u202e")
    assert capsys.readouterr().err == "fewest: \ufffd[31mred\ufffd\n"


@pytest.mark.parametrize(("columns", "widest"), [("60", 60), ("300", 100), ("3", 20)])
def test_sentences_are_wrapped_with_their_names_whole(
    columns: str, widest: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    remark_wrapped("  over the risk for: " + "'dog-2' loses, " * 20 + "y" * 150 + "\x1b")
    lines = capsys.readouterr().err.splitlines()
    assert all(len(line) <= widest for line in lines[:-1])
    assert lines[0].startswith("  over")
    assert all(line.startswith("    ") for line in lines[1:])
    assert lines[-1].strip() == "y" * 150 + "\ufffd"
    assert "".join(lines).count("'dog-2'") == 20


@pytest.mark.parametrize(("terminal", "times"), [(True, 0), (False, 1)])
def test_what_stands_on_the_terminal_already_is_not_said_again(
    terminal: bool, times: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = profiles.profile(4, seed=3)
    warnings = ["Short one.", "Short two."]
    profile = profile.model_copy(update={"summary": profile.summary.model_copy(update={"warnings": warnings})})
    with verbosity(verbose=False, quiet=False):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
        remark_on_data("Short one.")
        show_profile(profile, tmp_path, as_json=False)
    said = capsys.readouterr()
    assert said.err.startswith("Short one.\n")
    assert (said.out.count("Short one."), said.out.count("Short two.")) == (times, 1)


def test_what_stands_in_the_same_file_already_is_not_said_again(tmp_path: Path) -> None:
    profile = profiles.profile(4, seed=3)
    profile = profile.model_copy(update={"summary": profile.summary.model_copy(update={"warnings": ["Short one."]})})
    both = tmp_path / "both.txt"
    with both.open("w") as file, redirect_stdout(file), redirect_stderr(file), verbosity(verbose=False, quiet=False):
        remark_on_data("Short one.")
        show_profile(profile, tmp_path, as_json=False)
    assert both.read_text().count("Short one.") == 1


def test_no_line_ends_in_a_blank_and_nothing_else_changes(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("name", "", "value"):
        table.add_column(title)
    table.add_row("a", "b\N{NO-BREAK SPACE}", "")
    table.add_row("longer", "", Text("c ", "bold"))
    long = "x" * 60
    print_rich(
        Group(table, Text(), Constrain(Text("several words that are wrapped"), 12), Text(long, no_wrap=True)), 40
    )
    lines = capsys.readouterr().out.split("\n")
    assert [line for line in lines if line.endswith(" ")] == []
    assert lines[:4] == ["name        value", "a       b\N{NO-BREAK SPACE}", "longer      c", ""]
    assert lines[4:7] == ["several", "words that", "are wrapped"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("list", "perturbations"),
        ("explain", "DIR", "lemon"),
        ("compare", "DIR", "DIR"),
        ("check", "DIR", "--max-drop", "0.9"),
        ("recommend", "DIR"),
        ("analyze",),
        *((command, "--help") for command in COMMANDS),
    ],
)
def test_no_line_of_a_command_ends_in_a_blank(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_text(graded(4, seed=3).to_json(), encoding="utf-8")
    result = run(*(tmp_path if argument == "DIR" else argument for argument in arguments))
    assert result.output
    assert [line for line in result.output.splitlines() if line.endswith(" ")] == []


def test_a_profile_ends_in_commands_for_its_own_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profile, folder = graded(6, seed=3), tmp_path / "my out"
    show_profile(profile, folder, as_json=False, remarks=["Remarked."], then=[("cuesense demo", "more")])
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        f"Report: {folder / 'report.html'}  Profile: {folder / 'profile.json'}",
        "Remarked.",
    ]
    *_, first, second, last = [line.strip() for line in said.out.splitlines()]
    named = next(entry for entry in profile.classes if f"'{entry.name}'" in headline(profile).findings[0])
    assert first.startswith(f"Next: cuesense explain '{folder}' {shlex.quote(named.name)}")
    assert second.startswith(headline(profile, folder=f"'{folder}'").command)
    assert last.startswith("cuesense demo")
    show_profile(profile, folder, as_json=True, remarks=["Remarked."], then=[("cuesense demo", "more")])
    assert capsys.readouterr().out == profile.to_json()


@pytest.mark.parametrize("name", ["\x1b[31m", "-lemon"])
def test_a_class_that_cannot_be_typed_is_named_by_its_index(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = graded(6, seed=3)
    classes = [entry.model_copy(update={"name": name}) for entry in profile.classes]
    show_profile(profile.model_copy(update={"classes": classes}), tmp_path, as_json=False)
    assert f"Next: cuesense explain {tmp_path} 0" in capsys.readouterr().out


def test_a_sentence_stands_once_on_the_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profile = graded(6, seed=3)
    (sentence,) = headline(profile).surer[-1:]
    show_profile(profile, tmp_path, as_json=False)
    assert " ".join(capsys.readouterr().out.split()).count(" ".join(sentence.split())) == 1
