"""The progress bar: silent where stderr is no terminal, begun anew where a second job follows."""

from __future__ import annotations

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
