"""The table of a training transform fits the terminal, and hostile names do not command it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cuesense.analysis.pipeline_costs import pipeline_costs
from cuesense.reports.terminal.pipeline import pipeline_lines
from cuesense.schemas.profile import Profile
from tests.helpers.pipeline_predictions import pipeline, predictions, some_profile, step


def shown(profile: Profile, width: int) -> str:
    console = Console(width=width, file=io.StringIO())
    for line in pipeline_lines(profile, width):
        console.print(line)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return str(text)


def with_costs(name: str = "RandomErasing") -> Profile:
    known, measured = some_profile(), pipeline(step(name), step("ColorJitter"))
    lost = {name: (0, 0, 0, 25), "pipeline": (0, 0, 0, 30)}
    return known.model_copy(update={"pipeline": pipeline_costs(measured, predictions(measured, lost, known), known)})


@pytest.mark.parametrize("width", [80, 140])
def test_the_table_has_a_row_a_step_and_one_for_all(width: int) -> None:
    text = shown(with_costs(), width)
    lines = text.splitlines()
    assert all(len(line) <= width for line in lines)
    rows = [line.split() for line in lines]
    (erasing,) = [row for row in rows if row[:1] == ["RandomErasing"] and row[1] != "costs"]
    assert erasing[1] == "12.5"
    assert any(row[:3] == ["all", "together", "15.0"] for row in rows)
    assert "A remark." in text
    assert ("Beside others " in text.partition("ColorJitter")[0]) == (width > 100)


def test_a_profile_without_one_shows_nothing() -> None:
    assert shown(some_profile(), 80) == ""


def test_names_do_not_command_the_terminal() -> None:
    assert "\x1b" not in shown(with_costs("Evil\x1b[31m"), 140)
