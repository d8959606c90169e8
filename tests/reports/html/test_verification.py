"""The page of a verification: every policy and class, the forecast, and hostile names as text."""

from __future__ import annotations

from cuesense.reports import text, verification_text
from cuesense.reports.html.verification import render
from cuesense.schemas.verification import Verification
from tests.helpers import page_checks as checks
from tests.helpers.html_tree import Node, parse
from tests.helpers.page_checks import HOSTILE
from tests.helpers.verifications import BY_CLASS, PLAIN, SAME, USUAL, arm, many, of_accuracy, verification


def cells(row: Node) -> list[str]:
    return [child.text.strip() for child in row.children if isinstance(child, Node)]


def rows(page: Node, table: str) -> list[Node]:
    return page.find("table", id=table)[0].find("tbody")[0].find("tr")


def checked(found: Verification) -> Node:
    page = parse(render(found))
    checks.check_nothing_is_fetched_and_only_hashed_code_runs(page)
    checks.check_links_and_references_have_targets(page)
    checks.check_controls_and_graphics_have_names(page)
    checks.check_the_script_finds_its_elements(page)
    checks.check_nothing_reads_like_a_missing_value(page.find("main")[0].text.replace(checks.script_of(page), ""))
    return page


def test_every_policy_and_every_class_has_a_row_with_its_numbers() -> None:
    found = many()
    page = checked(found)
    arms = {cells(row)[0]: cells(row)[1:] for row in rows(page, "arms")}
    assert len(arms) == len(found.arms) == 8
    shown = {(row[1], row[0]): row for row in map(cells, rows(page, "table"))}
    policies = [arm for arm in verification_text.trained(found) if arm.policy is not None]
    assert len(shown) == 12 * len(policies)
    for known in policies:
        for entry in known.classes:
            row, change = shown[text.readable_name(known.name), entry.name], entry.recall_change
            assert row[4] == text.percent(entry.recall)
            assert row[5] == f"{text.points(change.value)} [{text.points(change.low)}, {text.points(change.high)}]"
            assert (row[6] == "▼ loses") == (entry.name in known.over_tolerance)
            if entry.forecast_low is None or entry.forecast_high is None:
                assert row[7:9] == ["–", "–"]
            else:
                low, high = text.points(-entry.forecast_high), text.points(-entry.forecast_low)
                assert row[7] == f"{text.points(-(entry.forecast_loss or 0.0))} [{low}, {high}]"
                assert row[8] == ("yes" if verification_text.within(entry) else "no")
            assert row[9].split("\N{NO-BREAK SPACE}")[0].startswith(entry.taken_by or "–")


def test_the_chart_stands_in_the_page_and_only_where_something_was_forecast() -> None:
    page = checked(many())
    assert page.find(id="forecast")[0].find("svg")[0].find("circle")
    assert "of 60 outcomes lie within the forecast range" in page.find(id="forecast")[0].text
    without = checked(verification(PLAIN, arm("usual", [0.0, -0.1], [None, None])))
    assert not without.find(id="forecast")
    assert not without.find("a", href="#forecast")
    assert "Most taken by" not in without.text


def test_equal_policies_and_leaks_are_said() -> None:
    page = checked(verification(PLAIN, USUAL, SAME, BY_CLASS))
    assert cells(rows(page, "arms")[2])[1] == "the same as none"
    assert "Recognized by the augmentation" in page.text
    assert page.find("p")[1].text == verification_text.headline(verification(PLAIN, USUAL, SAME, BY_CLASS))[0]


def test_no_name_is_markup() -> None:
    base = many(len(HOSTILE))
    arms = []
    for known in base.arms:
        classes = [
            entry.model_copy(update={"name": HOSTILE[index], "taken_by": HOSTILE[0]})
            for index, entry in enumerate(known.classes)
        ]
        arms.append(known.model_copy(update={"classes": classes, "doses": HOSTILE[1], "worst_class": HOSTILE[2]}))
    page = checked(base.model_copy(update={"arms": arms, "warnings": list(HOSTILE)}))
    assert {cells(row)[0] for row in rows(page, "table")} == {name.strip() for name in HOSTILE}


def test_networks_that_guess_are_the_first_thing_on_the_page() -> None:
    page = checked(of_accuracy(many(), 0.09, guessing=True))
    main = page.find("main")[0].text
    assert main.split("These trainings show nothing")[0].split() == ["Summary"]
    for words in ("▼ loses", "▲ gains", "against the recommended", "fares best"):
        assert words not in "".join(cell for row in rows(page, "table") for cell in cells(row))
        assert words not in page.find("section", id="summary")[0].text
    assert "Beware." in main
    weak = checked(of_accuracy(many(), 0.4)).find("section", id="summary")[0].text
    assert "These networks are weaker than the analyzed model" in weak
    assert "show nothing" not in weak
