"""What an analysis takes, in a sentence and in a table."""

from __future__ import annotations

import io

from rich.console import Console

from cuesense.reports.terminal.cost import cost_sentence, render
from cuesense.schemas.cost import CostEstimate, CostRow


def row(config: str, forward_passes: int, seconds: float | None, images_per_class: int | None = None) -> CostRow:
    return CostRow(
        config=config,
        images_per_class=images_per_class,
        images=1000,
        conditions=62,
        forward_passes=forward_passes,
        seconds=seconds,
    )


def shown(**fields: object) -> list[str]:
    rows = [row("quick", 0, 0.0), row("standard", 6200, None, 25)]
    planned = row("standard", 62_000, 240.0)
    cost = CostEstimate.model_validate(
        {"model": "m", "dataset": "d", "device": "cpu", "planned": planned, "others": rows} | fields
    )
    console = Console(file=io.StringIO(), width=100)
    console.print(render(cost))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_a_sentence_says_passes_time_and_memory() -> None:
    said = "12,400 forward passes are still to be computed: about 4 min and 1.5 GB of memory, without the report."
    assert cost_sentence(12_400, 240.0, 1_500_000_000) == said
    assert cost_sentence(1, 0.1, None) == "1 forward pass is still to be computed: about 1 s, without the report."
    shared = cost_sentence(12_400, 60.0, 1_500_000_000, 4)
    assert shared.endswith(": about 60 s with 4 Ray workers and 1.5 GB of memory each, without the report.")


def test_a_table_compares_what_was_asked_for_with_what_is_cheaper() -> None:
    head, *lines = shown(memory_bytes=10**9)
    assert head.split() == ["images", "conditions", "to", "compute", "time"]
    assert lines[0].split() == ["standard", "1,000", "62", "62,000", "about", "4", "min"]
    assert lines[1].split() == ["quick", "1,000", "62", "0", "done"]
    assert lines[2].split() == ["standard,", "25", "images", "a", "class", "1,000", "62", "6,200", "–"]
    assert lines[3:] == [
        "Time of the forward passes on cpu; nothing was measured or written.",
        "Start and report take some seconds more, half a minute with 4.5 million passes.",
        "Memory: 1.0 GB.",
    ]


def test_what_is_done_the_part_and_the_gpu_are_said() -> None:
    lines = shown(part="2/8", device="cuda", done=1240, memory_bytes=10**9, device_memory_bytes=6 * 10**9)
    assert lines[4].startswith("Time of the forward passes on cuda for part 2/8; ")
    assert "1,240 forward passes are done and kept in the output folder." in lines
    assert lines[-1] == "Memory: 1.0 GB, 6.0 GB on the GPU."


def test_what_is_assumed_of_workers_is_said() -> None:
    on_cores = "This is for 4 Ray workers that share the work evenly, on cores as fast as those of this machine."
    assert on_cores in shown(workers=4)
    assert on_cores.replace("cores", "GPUs") in shown(workers=4, device="cuda")
    assert on_cores.replace("4 Ray workers that share the work evenly", "1 Ray worker") in shown(workers=1)
    elsewhere = "4 Ray workers have GPUs, and this machine has none: ask on one of theirs."
    unknown = row("standard", 62_000, None)
    assert elsewhere in shown(workers=4, device="cuda", planned=unknown)
    for fields in ({"device": "cpu", "planned": unknown}, {"planned": row("standard", 0, 0.0)}):
        assert not any("workers" in line for line in shown(workers=4, **fields))
