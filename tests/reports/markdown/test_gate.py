"""A gate as markdown: the outcome, a row a rule, its classes, and names as text."""

from __future__ import annotations

from cuesense.reports.gate_text import loss_line, rule_title
from cuesense.reports.markdown.gate import render
from tests.helpers.gate_results import checked, finding, result
from tests.helpers.markdown_page import check_is_plain, page_of, rows_of, visible


def test_a_gate_that_does_not_hold_names_rules_and_classes() -> None:
    worst = [finding("a|b @octocat", 0.3), finding("bee", 0.2, images=40)]
    failed = result(violations=worst, uncertain=[finding("cow", 0.15, -0.1)])
    found = checked(failed, result("max-drop", augmentation="color_jitter"), notes=["Warning in '<b>': x"])
    page = page_of(render(found))
    check_is_plain(page)
    assert page.find("h2")[0].text == "❌ cuesense check: 1 of 2 rules is violated"
    assert rows_of(page) == [
        ["❌", "max-worst-class-loss", "30.0 [5.0, 40.0]", "a|b @octocat", "10.0", "50"],
        ["✅", "max-drop under color jitter 0.8", "1.2 [−10.0, 40.0]", "zebra", "10.0", "50"],
    ]
    items = [visible(node.text) for node in page.find("li")]
    assert items == [*(loss_line(failed, entry) for entry in (*worst, failed.uncertain[0])), "Warning in '<b>': x"]
    assert [visible(node.text) for node in page.find("summary")] == [
        f"{rule_title(failed)}: classes that lost too much",
        f"{rule_title(failed)}: losses that may be chance",
        "Notes: 1",
    ]
    assert visible(page.find("p")[0].text) == "b against a, on clean images."


def test_a_gate_that_holds_says_so_in_its_heading() -> None:
    both = checked(result(), result("max-drop", violations=[]))
    page = page_of(render(both.model_copy(update={"baseline": None, "profile": "/home/me/out/profile.json"})))
    assert page.find("h2")[0].text == "✅ cuesense check: every rule holds"
    assert "out/profile.json: accuracy under each augmentation" in page.text
    assert "/home" not in page.text
    assert not page.find("details")
    two = checked(result(violations=[finding("a", 0.3)]), result("max-drop", violations=[finding(None, 0.3)]))
    page = page_of(render(two))
    assert "2 of 2 rules are violated" in page.text
    assert rows_of(page)[1][3] == "all images"
    assert len(page.find("details")) == 1
