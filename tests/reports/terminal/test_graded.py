"""The table of graded answers: it fits, agrees with the profile, and is sorted by lean."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cuesense.reports import text
from cuesense.reports.cue_text import cue_percent, relies_on
from cuesense.reports.graded_text import in_percent, lean_text
from cuesense.reports.terminal.graded import layout
from cuesense.reports.terminal.profile import render
from cuesense.schemas.profile import Profile
from cuesense.types import CueVerdict
from tests.helpers import profiles
from tests.helpers.graded_profiles import COLUMNS, graded

SOURCE = graded(12, empty=1, seed=3)
WIDTHS = [60, 79, 80, 86, 100, 120, 135, 140, 160]


def printed(profile: Profile, width: int, **options: int) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False, color_system=None)
    console.print(render(profile, **options))  # type: ignore[arg-type]
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def rows_of(said: str, source: Profile) -> list[str]:
    start = next(at for at, line in enumerate(said.splitlines()) if line.startswith("Class"))
    return said.splitlines()[start + 1 : start + 1 + len(source.classes)]


@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_and_every_row_agrees_with_the_profile(width: int) -> None:
    said = printed(SOURCE, width)
    found = layout(SOURCE, min(width, 140))
    assert max(len(line.rstrip()) for line in said.splitlines()) <= min(width, 140)
    for line, entry in zip(rows_of(said, SOURCE), SOURCE.classes_by_lean, strict=True):
        assert line.startswith(entry.name[:13])
        assert text.percent(entry.clean_accuracy) in line
        cells = [in_percent(entry.kept.get(name), bounds=found.bounds) for name, _, _ in COLUMNS]
        assert " ".join(cells) in " ".join(line.split())
        if found.lean:
            assert f" {lean_text(entry)} " in line
        chance = cue_percent(entry)
        assert f" {relies_on(entry)} " in line
        assert not chance or f" {relies_on(entry)} {chance} " in line or len(relies_on(entry)) > 9


@pytest.mark.parametrize(
    ("width", "heading"),
    [
        (60, "Class Clean Relies on −S −T −C S T C"),
        (80, "Class Clean Relies on Lean −S −T −C S T C"),
        (87, "Class Images Clean Relies on Lean −S −T −C S T C"),
        (120, "Class Images Clean Relies on Lean −S −T −C S T C crop jitter blur"),
        (140, "Class Images Clean Relies on Lean −S −T −C S T C crop jitter"),
    ],
)
def test_wide_terminals_get_more(width: int, heading: str) -> None:
    (found,) = (line for line in printed(SOURCE, width).splitlines() if line.startswith("Class"))
    assert " ".join(found.split()) == heading
    assert layout(SOURCE, width).bounds == {60: "", 140: "full"}.get(width, "short")


def test_leans_and_intervals_are_shown_from_the_width_on_that_holds_them() -> None:
    shown = {width: (layout(SOURCE, width).lean, layout(SOURCE, width).bounds) for width in (78, 79)}
    assert shown == {78: (False, ""), 79: (True, "short")}
    assert max(len(line.rstrip()) for line in rows_of(printed(SOURCE, 79), SOURCE)) <= 79


def test_three_images_a_class_give_shares_with_wide_intervals() -> None:
    few = graded(4, images=3, half=0.37)
    undecided = [entry.model_copy(update={"cue": CueVerdict.UNDETERMINED}) for entry in few.classes]
    said = printed(few.model_copy(update={"classes": undecided}), 80)
    for line in rows_of(said, few):
        assert line.count("±37") == 6
        assert "undetermined" in line or "leans " in line


def test_the_average_class_is_the_last_row() -> None:
    said = printed(SOURCE, 80).splitlines()
    (line,) = (line for line in said if line.startswith("average"))
    assert line.split() == ["average", *["50±5"] * 6]
    assert said.index(line) == said.index(next(line for line in said if line.startswith("king"))) + 1


def test_the_caption_explains_the_columns() -> None:
    words = " ".join(printed(SOURCE, 80).split())
    assert "−S, −T, −C: percent of its recognized images that a class keeps without shape, texture, color" in words
    assert "S, T, C: on shape, texture, color alone (±: 95 % interval)" in words
    assert "Lean, by which rows are sorted" in words
    assert "Budgets" not in words
    assert "Rows are sorted by lean" in " ".join(printed(SOURCE, 60).split())
    assert "[ ]: 95 % interval" in " ".join(printed(SOURCE, 140).split())


def test_what_the_numbers_are_worth_stands_below() -> None:
    said = printed(SOURCE, 80)
    assert said.index("None of the pairs differ.") > said.index("Lean, by which")


def test_of_many_classes_those_that_lean_most_are_shown() -> None:
    source = graded(1000, empty=3, seed=1)
    said = printed(source, 100, limit=20)
    assert "20 of 1,000 classes, strongest leans; classes.csv has all 1,000." in " ".join(said.split())
    leans = sorted((max(part.value for part in e.lean.values()) for e in source.classes if e.lean), reverse=True)  # type: ignore[type-var]
    start = next(at for at, line in enumerate(said.splitlines()) if line.startswith("Class"))
    shown = said.splitlines()[start + 1 : start + 22]
    assert shown[-1].startswith("average")
    by_name = {entry.name: entry for entry in source.classes}
    found = [by_name[next(n for n in by_name if line.startswith(f"{n} "))] for line in shown[:-1]]
    assert sorted((max(p.value for p in e.lean.values()) for e in found), reverse=True) == leans[:20]  # type: ignore[type-var]
    order = [entry.name for entry in source.classes_by_lean]
    assert [order.index(entry.name) for entry in found] == sorted(order.index(entry.name) for entry in found)


@pytest.mark.parametrize("source", [graded(1), graded(2), graded(2, empty=1), graded(2, empty=2)])
@pytest.mark.parametrize("width", [80, 140])
def test_small_and_empty_profiles(source: Profile, width: int) -> None:
    said = printed(source, width)
    assert sum(line.startswith("tench") for line in said.splitlines()) == 1
    assert "nan" not in said
    assert "None " not in said.replace("None of the pairs", "")
    assert ("average" in said.splitlines()[-1] or "\naverage" in said) is (
        len(source.classes) > 1 and any(entry.images for entry in source.classes)
    )


def test_profiles_of_earlier_versions_keep_their_table() -> None:
    said = printed(profiles.profile(12, empty=1, seed=3), 140)
    assert "average" not in said
    assert "Lean" not in said


def test_hostile_names_stay_inert() -> None:
    names = ("[red]tench[/red]", "\x1b[31mred\nline", "x" * 300)
    source = graded(3, names=names)
    said = printed(source, 140)
    assert "[red]tench[/red]" in said
    assert "\x1b" not in said
    assert "\ufffd[31mred\ufffdline" in said
    assert "xxx…" in said


def test_colors_are_used_where_the_terminal_has_them() -> None:
    console = Console(width=100, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(render(SOURCE))
    assert "\x1b[1;34mshape" in console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b[34mleans shape" in console.file.getvalue()  # type: ignore[attr-defined]
