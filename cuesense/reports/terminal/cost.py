"""What the terminal shows of an analysis that was not begun: what it would take, and what would be cheaper."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from cuesense.reports.cost_text import duration, gigabytes
from cuesense.reports.terminal.parts import borderless_table
from cuesense.reports.text import printable
from cuesense.schemas.cost import CostEstimate, CostRow

_COLUMNS = (("", "left"), ("images", "right"), ("conditions", "right"), ("to compute", "right"), ("time", "left"))


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
    return name + fewer, *counts, duration(row.seconds)


def _lines(cost: CostEstimate) -> list[str]:
    said = [f"Forward passes and time on {printable(cost.device)}{_share(cost.part)}; nothing was measured or written."]
    if cost.done:
        said.append(f"{cost.done:,} forward passes are done and kept in the output folder.")
    if cost.memory_bytes is not None:
        of_device = "" if cost.device_memory_bytes is None else f", {gigabytes(cost.device_memory_bytes)} on the GPU"
        said.append(f"Memory: {gigabytes(cost.memory_bytes)}{of_device}.")
    return said


def _share(part: str) -> str:
    return "" if part == "1/1" else f", of part {part} alone"
