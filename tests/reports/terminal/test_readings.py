"""The table of readings in a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from cuesense.reports.terminal.readings import render
from cuesense.schemas.readings import ReadingRow, ReadingTable


def shown(*rows: ReadingRow, remarks: tuple[str, ...] = ()) -> list[str]:
    table = ReadingTable(model="m", dataset="d", images=64, classes=4, readings=list(rows), remarks=list(remarks))
    console = Console(file=io.StringIO(), width=200)
    console.print(render(table))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def row(number: int, **changes: object) -> ReadingRow:
    values = {"reading": f"reading {number}", "recognized": 64 - number, "images": 64, "log_loss": 0.25}
    return ReadingRow.model_validate(values | {"options": f"--mean {number} --std 1"} | changes)


def test_the_best_come_first_and_what_is_taken_is_always_there() -> None:
    lines = shown(*(row(number, taken=number == 20) for number in range(30)))
    table = [line for line in lines if "reading" in line]
    assert [line.split("reading ")[1] for line in table] == [*map(str, range(12)), "20"]
    assert [line.lstrip().startswith("*") for line in table] == [False] * 12 + [True]
    assert "64 of 64" in table[0]
    assert "0.250" in table[0]
    assert lines[-1] == "* is --mean 20 --std 1"


def test_a_row_says_of_how_many_images_and_why_it_failed() -> None:
    lines = shown(
        row(1, recognized=3, images=16),
        row(2, images=None, log_loss=None, failed="needs 96\x1b"),
        remarks=("Look out.",),
    )
    assert any("3 of 16" in line and "reading 1" in line for line in lines)
    (failed,) = (line for line in lines if "reading 2" in line)
    assert "62 of 64" in failed
    assert "reading 2: needs 96" in failed
    assert "\x1b" not in failed
    assert any("Look out." in line for line in lines)
