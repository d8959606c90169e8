"""The progress of a long command, on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress_bar(doing: str = "analyzing", unit: str = "images") -> Iterator[Callable[[int, int], None]]:
    """Show what is done, how fast, and the time left on stderr, where that is a terminal."""
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
        resumed: list[int] = []

        def advance(done: int, total: int) -> None:
            if total != bar.tasks[0].total:
                bar.reset(task)
                resumed.clear()
            resumed.append(done)
            elapsed = bar.tasks[0].elapsed or 0.0
            bar.update(task, completed=done, total=total, speed=(done - resumed[0]) / elapsed if elapsed else 0.0)

        yield advance
