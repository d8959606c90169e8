"""The page of an audit in a real browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cuesense.reports.html.audit import render
from cuesense.schemas.audit import Audit
from tests.helpers import audits
from tests.helpers.browser import Viewer
from tests.helpers.result_pages import check_every_view, check_prints_every_row, column


@pytest.fixture(scope="module")
def audit() -> Audit:
    similarity = np.full((12, 12), 0.1)
    sweep = audits.with_pictures(audits.sweep(planted={0: 0.3, 4: 0.12}))
    return audits.audit(sweep, cues=audits.cues(), similarity=similarity)


@pytest.fixture(scope="module")
def path(audit: Audit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audited") / "audit.html"
    path.write_text(render(audit), encoding="utf-8")
    return path


def test_it_is_accessible_and_fits_every_screen(viewer: Viewer, path: Path) -> None:
    check_every_view(viewer, path)


def test_the_table_sorts_and_filters_and_links_lead_to_classes(viewer: Viewer, audit: Audit, path: Path) -> None:
    page = viewer.open(path)
    page.get_by_role("button", name="Loss", exact=True).click()
    known = sorted(((entry.loss or 0.0), entry.name) for entry in audit.classes)
    assert column(page, 0)[0] == known[-1][1]
    page.locator("[data-filter=harmed]").click()
    assert set(column(page, 0)) == {entry.name for entry in audit.classes if entry.harmed}
    page.locator("#harmed figcaption a").first.click()
    assert page.locator("#table tr:target").is_visible()
    page.locator("[data-filter='']").click()
    check_prints_every_row(page)


def test_a_class_of_the_address_is_shown(viewer: Viewer, path: Path) -> None:
    page = viewer.open(path, fragment="#class-7")
    assert page.locator("#class-7").is_visible()
