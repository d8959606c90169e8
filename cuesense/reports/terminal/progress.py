"""The progress of a long command, on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


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
