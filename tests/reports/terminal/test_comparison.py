"""A comparison on the terminal: who differs most stands in front."""

from __future__ import annotations

import io

from rich.console import Console

from cuesense import compare
from cuesense.reports.comparison_text import changed_cues
from cuesense.reports.terminal.comparison import render
from cuesense.schemas.comparison import Comparison
from tests.helpers.profiles import profile


def shown(found: Comparison, width: int = 140, **how: int) -> str:
    console = Console(width=width, file=io.StringIO())
    console.print(render(found, **how))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def found(classes: int = 12) -> Comparison:
    return compare(profile(classes, images=100), profile(classes, images=100, seed=1))


def rows(text: str, classes: int) -> list[str]:
    lines = text.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("Class"))
    return lines[start + 1 : start + 1 + classes]


def test_marked_classes_stand_in_front_and_then_those_that_differ_most() -> None:
    comparison = found()
    listed = rows(shown(comparison), 12)
    by_name = {entry.name: entry for entry in comparison.classes}
    starred = ["*" in line for line in listed]
    assert starred == sorted(starred, reverse=True)
    largest = []
    for line in listed:
        entry = next(entry for name, entry in by_name.items() if line.startswith(name[:15]))
        every = (entry.accuracy, *entry.under.values())
        assert ("*" in line) == any((change.q or 0) <= 0.05 for change in every)
        largest.append(max(abs(change.value or 0) for change in every))
    marked = sum(starred)
    assert largest[:marked] == sorted(largest[:marked], reverse=True)
    assert largest[marked:] == sorted(largest[marked:], reverse=True)


def test_the_summary_says_how_both_do_and_how_they_are_compared() -> None:
    comparison = found()
    text = shown(comparison)
    for words in ("A torchvision:resnet18: accuracy", "B minus A: accuracy", "classes changed", "independent samples"):
        assert words in text
    cues = f"the cue of {changed_cues(comparison)} of 12 classes changed, not known in B for 1"
    assert cues in " ".join(text.split())
    assert "Warning: Images are compared as independent samples" in text
    paired = shown(comparison.model_copy(update={"paired": True, "warnings": []}))
    assert "pairs of the same image" in paired
    assert "Warning" not in paired


def test_eighty_columns_show_every_number() -> None:
    comparison = found()
    text = shown(comparison, width=80)
    for entry in comparison.classes:
        assert f"{100 * (entry.accuracy.a or 0):.1f} → {100 * (entry.accuracy.b or 0):.1f}" in text
        assert entry.accuracy.low is not None
        assert f"[{100 * entry.accuracy.low:z.1f}, ".replace("-", "−") in text


def test_a_long_list_is_cut_and_says_so() -> None:
    comparison = found(40)
    text = shown(comparison, limit=5)
    assert "5 of 40 classes, those that differ most" in text
    assert len([line for line in text.splitlines() if "→" in line and "[" in line]) == 5


def test_classes_without_images_have_dashes() -> None:
    text = shown(compare(profile(3, empty=1), profile(3, empty=1, seed=1)))
    assert "– → –" in text


def test_names_command_no_terminal() -> None:
    base = profile(3)
    names = [base.classes[0].model_copy(update={"name": "[bold]x\x1b[2J"}), *base.classes[1:]]
    evil = base.model_copy(update={"classes": names})
    text = shown(compare(evil, evil))
    assert "[bold]x\ufffd[2J" in text
