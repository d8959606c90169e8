"""The page of a verification in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from cuesense.reports.html.verification import render
from tests.helpers.browser import Viewer
from tests.helpers.result_pages import check_every_view, check_prints_every_row, column
from tests.helpers.verifications import many


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("verified") / "verify.html"
    path.write_text(render(many()), encoding="utf-8")
    return path


def test_it_is_accessible_and_fits_every_screen(viewer: Viewer, path: Path) -> None:
    check_every_view(viewer, path)


def test_the_recommended_policy_is_shown_first_and_the_table_filters_sorts_and_searches(
    viewer: Viewer, path: Path
) -> None:
    found = many()
    page = viewer.open(path)
    arm = next(arm for arm in found.arms if arm.name == "global")
    changes = sorted((entry.recall_change.value, entry.name) for entry in arm.classes)
    assert column(page, 0) == [name for _, name in changes]
    assert set(column(page, 1)) == {"global"}
    page.get_by_role("button", name="Class", exact=True).click()
    assert column(page, 0) == sorted(entry.name for entry in arm.classes)
    assert page.locator("th[aria-sort=ascending]").inner_text().strip() == "Class"
    page.get_by_role("button", name="all", exact=True).click()
    assert page.locator("#shown").inner_text() == "72 of 72 shown"
    page.get_by_role("button", name="▼ loses").click()
    over = sum(len(arm.over_tolerance) for arm in found.arms if arm.same_as is None)
    assert len(column(page, 0)) == over > 0
    page.get_by_label("Search classes").fill("lemon")
    assert set(column(page, 0)) <= {"lemon"}


def test_links_of_the_page_lead_to_its_parts_and_paper_has_all_rows(viewer: Viewer, path: Path) -> None:
    page = viewer.open(path)
    for link in page.locator("nav a").all():
        target = (link.get_attribute("href") or "").removeprefix("#")
        link.click()
        assert page.locator(f"#{target}").is_visible()
    row = viewer.open(path, fragment="#row-5")
    assert row.locator("#row-5").is_visible()
    page.get_by_role("button", name="all", exact=True).click()
    check_prints_every_row(page)
    assert page.locator(".forecast svg circle").count() > 60


def test_without_scripts_everything_is_there(viewer: Viewer, path: Path) -> None:
    page = viewer.open(path, scripts=False)
    assert page.locator("#table > tbody > tr:visible").count() == 72
    assert not page.locator(".controls").is_visible()
