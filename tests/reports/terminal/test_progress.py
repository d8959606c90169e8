"""The progress bar: silent where stderr is no terminal, begun anew where a second job follows."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from rich.console import Console

from cuesense.reports.terminal import progress


def test_it_is_silent_where_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.progress_bar() as advance:
        advance(1, 2)
    assert capsys.readouterr().err == ""


def test_it_shows_what_is_done_and_begins_anew_for_another_total(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "Console", lambda **_: Console(stderr=True, force_terminal=True, width=100))
    with progress.progress_bar("training", "steps") as advance:
        for done in (4, 9):
            advance(done, 9)
        advance(0, 30)
        advance(30, 30)
    shown = capsys.readouterr().err
    assert "training" in shown
    assert "30/30" in shown
    assert "steps/s" in shown
    assert "-" not in shown.split("30/30")[1].split("steps/s")[0]


class Shown:
    """A notebook's output: what was displayed and what it was updated to."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, data: dict[str, str], **_: bool) -> Shown:
        self.texts.append(data["text/plain"])
        return self

    update = __call__


def test_in_a_notebook_the_time_left_is_told_a_few_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, clock = Shown(), iter([0.0, 0.0, 0.1, 10.0, 10.1])
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=shown))
    monkeypatch.setattr(progress, "monotonic", lambda: next(clock))
    with progress.notebook_bar() as advance:
        for done in (100, 150, 200, 1000):
            advance(done, 1000)
    assert shown.texts == [
        "analyzing ...",
        "analyzing: 100 of 1,000 images",
        # 100 images in 10 s: the 100 of an earlier run do not count.
        "analyzing: 200 of 1,000 images, about 80 s left",
        "analyzing: 1,000 of 1,000 images",
    ]


def test_in_a_notebook_a_second_job_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, clock = Shown(), iter([0.0, 0.0, 500.0, 500.0, 1000.0])
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=shown))
    monkeypatch.setattr(progress, "monotonic", lambda: next(clock))
    with progress.notebook_bar("training", "steps") as advance:
        advance(0, 10)
        advance(10, 10)
        advance(0, 20)
        advance(10, 20)
    assert shown.texts[-2:] == ["training: 0 of 20 steps", "training: 10 of 20 steps, about 8 min left"]
