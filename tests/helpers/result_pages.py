"""What every page of results does in a real browser: both themes, desktop and phone, sort, filter, print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.helpers import browser
from tests.helpers.browser import DESKTOP, PHONE, Viewer

# The boxes that hide a part of what they hold.
CUT = """all => all.filter((box) => box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX !== "visible")
  .map((box) => box.getAttribute("aria-label"))"""


def check_every_view(viewer: Viewer, path: Path) -> None:
    """Assert that axe finds nothing and nothing is wider than the screen, whatever the theme and the size."""
    for size in (DESKTOP, PHONE):
        for theme in ("light", "dark"):
            page = viewer.open(path, size=size, theme=theme)
            assert browser.violations(page) == [], (size, theme)
            assert browser.overflow(page) == 0, (size, theme)
            viewer.close()


def check_prints_every_row(page: Any) -> None:
    """Assert that paper has all rows of the table and no controls, and that its columns fit on A4."""
    size = page.viewport_size
    # Between margins of 12 mm at 96 pixels an inch.
    page.set_viewport_size({"width": 703, "height": 1000})
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("#table > tbody > tr:visible").count() == page.locator("#table > tbody > tr").count()
    assert not page.locator(".controls").is_visible()
    assert not page.locator("nav").is_visible()
    assert browser.overflow(page) <= 0
    # A box that would scroll loses columns on paper, and makes the page no wider.
    assert page.locator(".wide").evaluate_all(CUT) == []
    page.emulate_media(media="screen")
    page.set_viewport_size(size)


def column(page: Any, number: int) -> list[str]:
    """Return the cells of a column, counted from 0, in the rows that are shown."""
    found: list[str] = page.locator(f"#table > tbody > tr:visible > :nth-child({number + 1})").all_inner_texts()
    return [text.strip() for text in found]
