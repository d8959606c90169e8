"""What the terminal shows of what an analysis takes: a sentence before it begins, or a table in its place."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from cuesense.reports.terminal.parts import borderless_table
from cuesense.reports.terminal.progress import about
from cuesense.reports.text import DASH, printable
from cuesense.schemas.cost import CostEstimate, CostRow

_GIGABYTE = 1e9
_COLUMNS = (("", "left"), ("images", "right"), ("conditions", "right"), ("to compute", "right"), ("time", "left"))


# What one process takes after the last forward pass: 30 s for 4.5 million, 1,000 classes (benchmarks/README.md).
_NOT_COUNTED = "Start and report take some seconds more, half a minute with 4.5 million passes."


def cost_sentence(
    forward_passes: int, seconds: float, memory: int | None, workers: int | None = None, *, at_most: bool = False
) -> str:
    """Return in one sentence what is still to be computed, and what it takes.

    Args:
        forward_passes: Images times conditions, at least 1.
        seconds: The time for them.
        memory: Bytes of memory of a process at the peak; None where it is not known.
        workers: How many workers share the time; None for this process.
        at_most: Whether the run may end earlier.
    """
    passes = "1 forward pass is" if forward_passes == 1 else f"{forward_passes:,} forward passes are"
    shared = "" if workers is None else f" with {_workers(workers)}"
    peak = "" if memory is None else f" and {_gigabytes(memory)} of memory{'' if workers is None else ' each'}"
    most = "At most " if at_most else ""
    return f"{most}{passes} still to be computed: {about(seconds)}{shared}{peak}, without the report."


def render(cost: CostEstimate) -> RenderableType:
    """Return what an analysis would take beside what others would, and the memory."""
    table = borderless_table()
    for name, side in _COLUMNS:
        table.add_column(name, justify=side)  # type: ignore[arg-type]
    for row in (cost.planned, *cost.others):
        table.add_row(*_cells(row), style="bold" if row is cost.planned else None)
    return Group(table, *map(Text, _lines(cost)))


def _cells(row: CostRow) -> tuple[str, str, str, str, str]:
    name = printable(row.config)
    fewer = "" if row.images_per_class is None else f", {row.images_per_class} images a class"
    counts = f"{row.images:,}", f"{row.conditions:,}", f"{row.forward_passes:,}"
    return name + fewer, *counts, _duration(row)


def _lines(cost: CostEstimate) -> list[str]:
    said = [
        f"Time of the forward passes on {printable(cost.device)}{_share(cost.part)}; nothing was measured or written."
    ]
    if cost.workers is not None and cost.planned.forward_passes:
        said += _on_workers(cost)
    if cost.adaptive:
        said.append("With --adaptive this is the most that is computed; most runs end earlier.")
    said.append(_NOT_COUNTED)
    if cost.done:
        said.append(f"{cost.done:,} forward passes are done and kept in the output folder.")
    if cost.memory_bytes is not None:
        of_device = "" if cost.device_memory_bytes is None else f", {_gigabytes(cost.device_memory_bytes)} on the GPU"
        each = "" if cost.workers is None else " of each worker"
        said.append(f"Memory{each}: {_gigabytes(cost.memory_bytes)}{of_device}.")
    return said


def _on_workers(cost: CostEstimate) -> list[str]:
    """Return what the time takes for granted of the workers of Ray, or where it would be known."""
    count, device = _workers(cost.workers or 0), "core" if cost.device == "cpu" else "GPU"
    if cost.planned.seconds is not None:
        shared = " that share the work evenly" if cost.workers != 1 else ""
        return [f"This is for {count}{shared}, on {device}s as fast as those of this machine."]
    return [] if cost.device == "cpu" else [f"{count} have GPUs, and this machine has none: ask on one of theirs."]


def _workers(count: int) -> str:
    return f"{count:,} Ray worker{'' if count == 1 else 's'}"


def _share(part: str) -> str:
    return "" if part == "1/1" else f" for part {part}"


def _duration(row: CostRow) -> str:
    if not row.forward_passes:
        return "done"
    return DASH if row.seconds is None else about(row.seconds)


def _gigabytes(count: int) -> str:
    """Return a number of bytes in gigabytes of 10^9, with one decimal."""
    return f"{count / _GIGABYTE:.1f} GB"
