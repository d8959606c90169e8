"""The page of a comparison in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from cuesense.comparison.compare import compare
from cuesense.reports.comparison_text import cue_changed, ranked
from cuesense.reports.html.comparison import render
from cuesense.schemas.comparison import Comparison
from tests.helpers.browser import Viewer
from tests.helpers.profiles import profile
from tests.helpers.result_pages import check_every_view, check_prints_every_row, column


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compare(profile(12, images=100), profile(12, images=100, seed=1))


@pytest.fixture(scope="module")
def path(found: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compared") / "compare.html"
    path.write_text(render(found), encoding="utf-8")
    return path


def test_it_is_accessible_and_fits_every_screen(viewer: Viewer, path: Path) -> None:
    check_every_view(viewer, path)


def test_the_table_sorts_filters_and_opens_budgets_by_keyboard(viewer: Viewer, found: Comparison, path: Path) -> None:
    page = viewer.open(path)
    assert column(page, 0) == [entry.name for entry in ranked(found)]
    page.get_by_role("button", name="Difference").click()
    changes = sorted((entry.accuracy.value or 0.0, entry.name) for entry in found.classes)
    assert column(page, 0)[0] == changes[0][1]
    page.get_by_role("button", name="Difference").press("Enter")
    assert column(page, 0)[0] == changes[-1][1]
    page.get_by_role("button", name="other cue").click()
    assert set(column(page, 0)) == {entry.name for entry in found.classes if cue_changed(entry)}
    summary = page.locator("#table summary:visible").first
    summary.press("Enter")
    assert "→" in page.locator("#table details[open] li").first.inner_text()


def test_links_lead_to_parts_and_classes_and_paper_has_all_rows(viewer: Viewer, path: Path) -> None:
    page = viewer.open(path, fragment="#class-3")
    assert page.locator("#class-3").is_visible()
    for link in page.locator("nav a").all():
        assert page.locator(link.get_attribute("href") or "").count() == 1
    check_prints_every_row(page)
