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


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("first", "said"), [(0, "30/40, 0.3 images/s, about 33 s"), (20, "30/40, 0.1 images/s, about 2 min")]
)
def test_the_time_that_is_left_follows_from_what_this_run_did(
    first: int, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with progress.progress_bar() as advance:
        advance(first, 40)
        task = advance.shown.tasks[0]  # type: ignore[attr-defined]
        # 100 seconds for the images up to the thirtieth.
        monkeypatch.setattr(type(task), "elapsed", property(lambda _: 100.0))
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


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(2.0, "analyzing 960 images, about 3 min\n"), (0.11, "analyzing 960 images, about 10 s\n"), (0.1, "")],
)
def test_without_a_terminal_one_line_says_how_long_it_takes(
    seconds: float, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(progress, "monotonic", lambda: now)
    with progress.progress_bar() as advance:
        advance.phase("loading model")
        for done in range(0, 961, 10):
            # The first batch decides; later ones are as fast as they like.
            advance(done, 960)
            now += seconds if done == 0 else 1000.0
    assert capsys.readouterr().err == said
