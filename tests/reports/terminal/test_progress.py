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
        advance.phase("loading model")
        with advance.paused():
            pass
    assert capsys.readouterr().err == ""


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make stderr a terminal for rich."""
    monkeypatch.setattr(progress, "Console", lambda **_: Console(stderr=True, force_terminal=True, width=100))


@pytest.mark.usefixtures("terminal")
def test_phases_stand_before_the_numbers_and_give_way_to_them(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.progress_bar() as advance:
        advance.phase("loading model")
        advance.shown.refresh()  # type: ignore[attr-defined]
        loading = capsys.readouterr().err
        advance(0, 40)
        advance(10, 40)
        advance.shown.refresh()  # type: ignore[attr-defined]
        counting = capsys.readouterr().err
        advance.phase("writing")
        advance.shown.refresh()  # type: ignore[attr-defined]
        writing = capsys.readouterr().err
    assert "loading model" in loading
    assert "/" not in loading
    assert "loading" not in counting.rpartition("analyzing")[2]
    assert "10/40" in counting
    assert "40" not in writing.rpartition("writing")[2]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "monotonic", made)
    return made


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("first", "said"), [(0, "30/40, 0.3 images/s, about 33 s"), (20, "30/40, 0.1 images/s, about 2 min")]
)
def test_the_time_that_is_left_follows_from_what_this_run_did(
    first: int, said: str, capsys: pytest.CaptureFixture[str], clock: Clock
) -> None:
    with progress.progress_bar() as advance:
        advance(first, 40)
        clock.now = 100.0
        advance(30, 40)
        advance.shown.refresh()  # type: ignore[attr-defined]
        shown = capsys.readouterr().err
    assert said in shown


@pytest.mark.usefixtures("terminal")
def test_the_bar_is_off_the_screen_for_a_question(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.progress_bar() as advance:
        advance(3, 40)
        with advance.paused():
            assert not advance.shown.live.is_started  # type: ignore[attr-defined]
        assert advance.shown.live.is_started  # type: ignore[attr-defined]
    capsys.readouterr()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.0, "about 1 s"), (89, "about 89 s"), (90, "about 2 min"), (250, "about 4 min"), (5400, "about 2 h")],
)
def test_times_are_said_in_one_unit(seconds: float, said: str) -> None:
    assert progress.about(seconds) == said


@pytest.mark.usefixtures("terminal")
def test_it_shows_what_is_done_and_begins_anew_for_another_total(
    capsys: pytest.CaptureFixture[str], clock: Clock
) -> None:
    with progress.progress_bar("training", "steps") as advance:
        for done in (4, 9):
            advance(done, 9)
        advance(0, 30)
        clock.now = 10.0
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


def test_in_a_notebook_the_time_left_is_told_a_few_times_a_second(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    shown = Shown()
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=shown))
    with progress.notebook_bar() as advance:
        for now, done in ((0.0, 100), (0.1, 150), (10.1, 250), (10.2, 300), (10.3, 1000)):
            clock.now = now
            advance(done, 1000)
    assert shown.texts == [
        "analyzing ...",
        "analyzing: 100 of 1,000 images",
        # 100 images in 10 s: neither the 100 of an earlier run count nor the first 50.
        "analyzing: 250 of 1,000 images, about 75 s left",
        "analyzing: 1,000 of 1,000 images",
    ]


def test_in_a_notebook_a_second_job_starts_anew(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    shown = Shown()
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=shown))
    with progress.notebook_bar("training", "steps") as advance:
        for now, done, total in ((0.0, 0, 10), (500.0, 10, 10), (500.0, 0, 20), (1000.0, 10, 20)):
            clock.now = now
            advance(done, total)
    assert shown.texts[-2:] == ["training: 0 of 20 steps", "training: 10 of 20 steps, about 8 min left"]


@pytest.mark.parametrize(
    ("times", "said"),
    [
        # A slow first part is left out, and the next ones decide once they took three seconds.
        ([0, 5, 6, 7, 8, 9, 10, 11, 12], "analyzing 960 images, about 2 min left\n"),
        ([0, 1, 3.9], ""),
        ([0, 1, 3.9, 4.1], "analyzing 960 images, about 2 min left\n"),
        # One that took ten seconds is no start-up.
        ([0, 9.9], ""),
        ([0, 10], "analyzing 960 images, about 16 min left\n"),
        # Less than ten seconds are not worth a line.
        ([0, *(0.11 * part for part in range(1, 96))], ""),
    ],
)
def test_without_a_terminal_one_line_says_how_long_it_still_takes(
    times: list[float], said: str, capsys: pytest.CaptureFixture[str], clock: Clock
) -> None:
    with progress.progress_bar() as advance:
        advance.phase("loading model")
        for part, now in enumerate(times):
            clock.now = now
            advance(10 * part, 960)
    assert capsys.readouterr().err == said


def test_it_is_said_again_only_where_more_come(capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    with progress.progress_bar("training", "steps") as advance:
        for total in (960, 900, 990):
            for part in range(6):
                advance(100 + part, total)
                clock.now += 2
    assert capsys.readouterr().err == "training 960 steps, about 29 min left\ntraining 990 steps, about 30 min left\n"
