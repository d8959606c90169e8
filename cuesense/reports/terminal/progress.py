"""The progress of something long: a bar on stderr, or in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from time import monotonic
from typing import Any

from markupsafe import Markup
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

_MINUTE, _HOUR = 60, 3600
# Columns of the bar, beside which the numbers of a million images fit into 80. Chosen by hand.
_BAR = 20
# Seconds between two updates of a notebook's output, each of which is a message to the browser. Chosen by hand.
_PAUSE = 0.25
# Seconds from which on a log has a line that says how long it takes, and a first part is as fast as the others. Chosen
# by hand.
_LONG = 10
# Seconds of work after which its pace is known well enough: of trainings of a compact network 1.1 to 1.6 s each, the
# first steps alone took three times as long. Chosen by hand.
_MEASURED = 3


class _Pace:
    """How fast things get done in this run, and so how long the rest takes.

    The first part is slow, since a network's first batch fills caches: it is left out unless it takes long itself.

    Attributes:
        speed: How many get done in a second; 0 while too little was measured.
    """

    def __init__(self) -> None:
        self.speed = 0.0
        self.of = -1

    def left(self, done: int, total: int) -> float | None:
        """Return the seconds that the rest takes; None while too little was measured since the total was another."""
        now = monotonic()
        if total != self.of:
            self.of, self.is_first, self.speed = total, True, 0.0
            self._measure_from(now, done)
        elapsed = now - self.since
        if done <= self.before:
            return None
        if self.is_first:
            self.is_first = False
            if elapsed < _LONG:
                self._measure_from(now, done)
                return None
        if elapsed >= _MEASURED:
            self.speed = (done - self.before) / elapsed
        return (total - done) / self.speed if self.speed else None

    def _measure_from(self, now: float, done: int) -> None:
        # What an earlier run did, or a slow first part, would falsify the speed.
        self.since, self.before = now, done


class Bar:
    """What a long command calls with its progress; where nothing is shown, nothing happens."""

    def __call__(self, done: int, total: int) -> None:
        """Show how many are done and of how many; another total starts the bar anew."""

    def phase(self, text: str) -> None:
        """Show what is done before there is anything to count, such as ``"loading model"``."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the bar from the screen, for a question."""
        yield


class _Left(ProgressColumn):
    """How many are done and how fast, and about how long the rest takes; nothing before there is anything to count."""

    def __init__(self, unit: str) -> None:
        super().__init__(Column(no_wrap=True))
        self.unit = unit

    def render(self, task: Task) -> Text:
        """Return the text right of the bar."""
        if task.total is None:
            return Text("")
        speed, left = task.fields["speed"], task.fields["left"]
        known = f", {speed:.1f} {self.unit}/s" if speed else ""
        return Text(f"{task.completed:,.0f}/{task.total:,.0f}{known}{f', {about(left)}' if left else ''}")


class _Shown(Bar):
    """A bar of rich."""

    def __init__(self, shown: Progress, doing: str, unit: str) -> None:
        self.shown, self.doing = shown, doing
        self.task = shown.add_task(doing, total=None, speed=0.0, left=None)
        self.unit, self.pace = unit, _Pace()

    def __call__(self, done: int, total: int) -> None:
        if total != self.shown.tasks[0].total:
            self.shown.reset(self.task, description=self.doing)
        left = self.pace.left(done, total)
        self.shown.update(self.task, completed=done, total=total, speed=self.pace.speed, left=left)

    def phase(self, text: str) -> None:
        self.shown.reset(self.task, description=text, speed=0.0, left=None)
        # rich takes None for "as before".
        self.shown.tasks[0].total = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        self.shown.stop()
        try:
            yield
        finally:
            self.shown.start()


class _Told(Bar):
    """What is said once where stderr is no terminal: how many there are, and about how long they still take.

    It is said again only where more come to be done than were known.
    """

    def __init__(self, doing: str, unit: str) -> None:
        self.doing, self.unit = doing, unit
        self.pace, self.told = _Pace(), 0

    def __call__(self, done: int, total: int) -> None:
        left = self.pace.left(done, total)
        if total > self.told and left is not None and left >= _LONG:
            self.told = total
            # A line that nobody can read must not stop the command.
            with suppress(OSError):
                sys.stderr.write(f"{self.doing} {total:,} {self.unit}, {about(left)} left\n")
                sys.stderr.flush()


@contextmanager
def progress_bar(doing: str = "analyzing", unit: str = "images") -> Iterator[Bar]:
    """Show what is done, how fast, and the time left on stderr; where that is no terminal, one line.

    Args:
        doing: What the command does, in front of the bar.
        unit: What is counted.

    Yields:
        A function of how many are done and of how many, which also takes the names of phases.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Told(doing, unit)
        return
    # Gone when the command is done: what stands on the screen then is its result.
    columns = (TextColumn("{task.description}"), BarColumn(_BAR), _Left(unit))
    with Progress(*columns, console=console, transient=True) as shown:
        yield _Shown(shown, doing, unit)


def about(seconds: float) -> str:
    """Return a time as a person says it, for instance ``"about 4 min"``.

    Args:
        seconds: The time, at least 0.
    """
    if seconds < 1.5 * _MINUTE:
        return f"about {max(round(seconds), 1)} s"
    if seconds < 1.5 * _HOUR:
        return f"about {round(seconds / _MINUTE)} min"
    return f"about {round(seconds / _HOUR)} h"


@contextmanager
def notebook_bar(doing: str = "analyzing", unit: str = "images") -> Iterator[Callable[[int, int], None]]:
    """Show what is done and the time left below the cell of a notebook that runs.

    rich's own bar needs ipywidgets in a notebook; this one needs no more than IPython.

    Args:
        doing: What is done, in front of the bar.
        unit: What is counted.

    Yields:
        A function of how many are done and of how many.
    """
    # Of every notebook; nothing else needs it.
    show: Any = import_module("IPython.display").display
    handle = show(_shown(doing, unit, 0, 0, 0.0), raw=True, display_id=True)
    pace, last, of = _Pace(), monotonic(), -1

    def advance(done: int, total: int) -> None:
        nonlocal last, of
        now, left = monotonic(), pace.left(done, total)
        if total == of and now - last < _PAUSE and done < total:
            return
        last, of = now, total
        handle.update(_shown(doing, unit, done, total, left or 0.0), raw=True)

    yield advance


def _shown(doing: str, unit: str, done: int, total: int, left: float) -> dict[str, Any]:
    """Return the state of a bar as a notebook's output."""
    time_left = f", {about(left)} left" if left else ""
    text = f"{doing}: {done:,} of {total:,} {unit}{time_left}" if total else f"{doing} ..."
    bar = Markup('<progress value="%s" max="%s"></progress> %s') % (done, max(total, 1), text)
    return {"text/plain": text, "text/html": bar}
