"""A profile as markdown: the worst classes open, the rest closed, hostile names as text."""

from __future__ import annotations

from cuesense.reports import profile_text
from cuesense.reports.markdown.profile import render
from cuesense.reports.text import percent, points
from cuesense.reports.usual_losses import worst_first
from cuesense.schemas.profile import Profile
from tests.helpers.markdown_page import check_is_plain, page_of, rows_of, visible
from tests.helpers.page_checks import HOSTILE
from tests.helpers.profiles import profile
from tests.helpers.usual_drops import with_expected

TRICKY = (*HOSTILE, "a|b", "`c`", "@octocat", "x\n## y", "#1 :tada:", "<details>", "</details>", "[a](http://b.c)")


def test_the_worst_ten_classes_stand_in_the_open_table() -> None:
    known = with_expected(profile(14))
    page = page_of(render(known))
    check_is_plain(page)
    shown = rows_of(page)
    assert len(shown) == 10
    for cells, (entry, loss) in zip(shown, worst_first(known), strict=False):
        assert loss is not None
        assert cells[:4] == [entry.name, f"{entry.images:,}", percent(entry.clean_accuracy), entry.cue.value]
        assert cells[4].startswith(f"{points(loss.drop)} [{points(loss.low)}, ")
        assert cells[6] == (loss.rival or "–")
    assert "The 10 of 14 classes that lose most." in page.text
    assert page.text.count(known.provenance.cuesense) == 1


def test_budgets_warnings_and_provenance_are_closed_and_whole() -> None:
    known = with_expected(profile(4))
    page = page_of(render(known))
    titles = [node.text for node in page.find("summary")]
    assert titles == ["Budgets of 4 classes", "What would make it surer", "Warnings: 1", "Where the numbers come from"]
    budgets = {cells[0]: cells[1:] for cells in rows_of(page, 1)}
    columns = profile_text.augmentation_columns(known, 5)
    for entry in known.classes:
        assert budgets[entry.name] == [profile_text.budget_text(entry.budgets[name]) for name in columns]
    assert f"A budget is {profile_text.budget_meaning(known.policy)}" in page.text
    assert dict(rows_of(page, 2))["Dataset"] == "photos/val"
    assert "All classes. Drop" in page.text


def test_no_name_makes_markup_or_mentions_and_no_path_is_told() -> None:
    source = with_expected(profile(len(TRICKY), names=TRICKY))
    model = source.provenance.model.model_copy(update={"spec": "/home/me/secret/<b>|`x`.pt2"})
    data = source.provenance.dataset.model_copy(update={"spec": "/home/me/secret/photos/val", "split": "@val"})
    evil = source.model_copy(
        update={"provenance": source.provenance.model_copy(update={"model": model, "dataset": data})}
    )
    page = page_of(render(evil))
    check_is_plain(page)
    shown = [cells[0] for cells in rows_of(page, 1)]
    for entry, _ in worst_first(evil):
        assert shown.pop(0) == visible(_printable(entry.name))
    assert "secret" not in page.text
    assert page.find("h2")[0].text.startswith("cuesense: <b>|`x`.pt2, clean accuracy")


def _printable(name: str) -> str:
    cut = name if len(name) <= 80 else f"{name[:79]}…"
    return "".join("\ufffd" if c in "\n\u202e" else c for c in cut.strip(" \u2028"))


def test_many_classes_are_cut_and_profiles_without_budgets_or_images_have_no_table_of_them() -> None:
    many = render(with_expected(profile(250)))
    assert "Budgets of 200 of 250 classes" in many
    assert len(many) < 65_536
    bare = profile(3, empty=3)
    without = bare.model_copy(update={"classes": [entry.model_copy(update={"budgets": {}}) for entry in bare.classes]})
    page = page_of(render(without))
    assert [cells[4:] for cells in rows_of(page)] == [["–", "–", "–"]] * 3
    assert "Budgets of" not in page.text
    assert "cuesense" in render(Profile.model_validate(bare.model_dump() | {"classes": [], "curves": []}))
