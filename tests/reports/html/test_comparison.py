"""The page of a comparison: both models, every class, and hostile names as text."""

from __future__ import annotations

from cuesense.comparison.compare import compare
from cuesense.reports import comparison_text, text
from cuesense.reports.html.comparison import render
from cuesense.schemas.comparison import Comparison
from tests.helpers import page_checks as checks
from tests.helpers.html_tree import Node, parse
from tests.helpers.page_checks import HOSTILE
from tests.helpers.profiles import profile


def cells(row: Node) -> list[str]:
    return [child.text.strip() for child in row.children if isinstance(child, Node)]


def rows(page: Node, table: str) -> list[Node]:
    return page.find("table", id=table)[0].find("tbody")[0].find("tr")


def checked(found: Comparison) -> Node:
    page = parse(render(found))
    checks.check_nothing_is_fetched_and_only_hashed_code_runs(page)
    checks.check_links_and_references_have_targets(page)
    checks.check_controls_and_graphics_have_names(page)
    checks.check_the_script_finds_its_elements(page)
    checks.check_nothing_reads_like_a_missing_value(page.find("main")[0].text.replace(checks.script_of(page), ""))
    return page


def test_every_class_has_its_accuracies_cue_and_budgets() -> None:
    found = compare(profile(12, images=100), profile(12, images=100, seed=1))
    page = checked(found)
    ranked = comparison_text.ranked(found)
    for row, entry in zip(rows(page, "table"), ranked, strict=True):
        shown, change = cells(row), entry.accuracy
        assert shown[0] == entry.name
        assert shown[2:4] == [text.points(change.a), text.points(change.b)]
        star = "*" if comparison_text.is_significant(change) else ""
        assert shown[4] == f"{text.points(change.value)}{star} [{text.points(change.low)}, {text.points(change.high)}]"
        assert entry.label.b.value in shown[5]
        assert ("→" in shown[5]) == entry.label.changed
        kinds = [change.change for change in entry.budgets.values()]
        assert (f"▼\N{NO-BREAK SPACE}{kinds.count('weaker')}" in shown[6]) == ("weaker" in kinds)
        assert (f"▲\N{NO-BREAK SPACE}{kinds.count('stronger')}" in shown[6]) == ("stronger" in kinds)
        for cell, name in zip(shown[7:], found.doses, strict=True):
            assert cell.rstrip("*") == text.points(entry.under[name].value)
    said = [sentence.replace("`", "") for sentence in comparison_text.headline(found)]
    assert [node.text for node in page.find("p") if "headline" in node.classes] == said


def test_counts_of_cues_and_budgets_stand_side_by_side() -> None:
    found = compare(profile(12), profile(12, seed=1))
    page = checked(found)
    for row, (name, counts) in zip(rows(page, "budget-counts"), comparison_text.budget_counts(found), strict=True):
        assert cells(row) == [
            text.readable_name(name),
            *(str(counts[kind]) for kind in ("stronger", "weaker", "same", "unknown")),
        ]
    sheet = page.find(id="cues")[0].find("tbody")[0].find("tr")
    assert sum(int(cells(row)[1]) for row in sheet) == sum(int(cells(row)[2]) for row in sheet) == 12


def test_no_name_is_markup_and_classes_without_images_are_dashes() -> None:
    a, b = (profile(len(HOSTILE), names=HOSTILE, empty=1, seed=seed) for seed in (0, 1))
    found = compare(a, b)
    side = found.a.model_copy(update={"model": "/home/me/<b>x</b>.pt2", "dataset": HOSTILE[0]})
    page = checked(found.model_copy(update={"a": side, "warnings": list(HOSTILE)}))
    assert {cells(row)[0] for row in rows(page, "table")} == {name.strip() for name in HOSTILE}
    assert cells(rows(page, "table")[-1])[2:5] == ["–", "–", "–"]
    assert "<b>x" not in render(found)
    assert page.find("title")[0].text.startswith("cuesense · torchvision:resnet18 against ")
