"""The progress of something long: a bar on stderr, or in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from time import monotonic
from typing import Any

from markupsafe import Markup
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

# Seconds between two updates of a notebook's output, each of which is a message to the browser. Chosen by hand.
_PAUSE = 0.25


@contextmanager
def progress_bar(doing: str = "analyzing", unit: str = "images") -> Iterator[Callable[[int, int], None]]:
    """Show what is done, how fast, and the time left on stderr, where that is a terminal.

    Args:
        doing: What the command does, in front of the bar.
        unit: What is counted.

    Yields:
        A function of how many are done and of how many; another total starts the bar anew.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn(doing),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(f"{{task.fields[speed]:.1f}} {unit}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(unit, total=None, speed=0.0)
        first_done = 0

        def advance(done: int, total: int) -> None:
            nonlocal first_done
            if total != bar.tasks[0].total:
                bar.reset(task)
                # A resumed run starts with what was done before; counting that would overstate the speed.
                first_done = done
            elapsed = bar.tasks[0].elapsed or 0.0
            bar.update(task, completed=done, total=total, speed=(done - first_done) / elapsed if elapsed else 0.0)

        yield advance


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
    started = last = monotonic()
    first_done, of = 0, -1

    def advance(done: int, total: int) -> None:
        nonlocal last, started, first_done, of
        now = monotonic()
        if total != of:
            started, first_done, of = now, done, total
        elif now - last < _PAUSE and done < total:
            return
        last = now
        left = (total - done) * (now - started) / (done - first_done) if done > first_done else 0.0
        handle.update(_shown(doing, unit, done, total, left), raw=True)

    yield advance


def _shown(doing: str, unit: str, done: int, total: int, left: float) -> dict[str, Any]:
    """Return the state of a bar as a notebook's output."""
    time_left = f", about {_time(left)} left" if left else ""
    text = f"{doing}: {done:,} of {total:,} {unit}{time_left}" if total else f"{doing} ..."
    bar = Markup('<progress value="%s" max="%s"></progress> %s') % (done, max(total, 1), text)
    return {"text/plain": text, "text/html": bar}


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
