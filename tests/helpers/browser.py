"""A real Chromium without a window: opens a page from a file, and notes what a reader would complain about."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Set in CI, where a machine without a browser must not pass for one whose pages work.
REQUIRE = "CUESENSE_REQUIRE_CHROMIUM"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# As root, in a container, Chromium has no sandbox of its own; the others keep it from calling home.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
DESKTOP, PHONE = (1280, 900), (360, 740)


def missing() -> str:
    """Return why pages cannot be opened in a browser; empty where they can."""
    if program() is None:
        return f"No Chromium on PATH ({', '.join(PROGRAMS)}). Install one, for instance: apt-get install chromium"
    try:
        import axe_playwright_python
        import playwright
    except ModuleNotFoundError as error:
        return f"{error.name} is not installed. Install it: pip install playwright axe-playwright-python"
    del axe_playwright_python, playwright
    return ""


def is_required() -> bool:
    return os.environ.get(REQUIRE) == "1"


def program() -> str | None:
    """Return the first Chromium on PATH."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class Viewer:
    """Opens pages in one browser. A page must write no error to the console and ask the network for nothing.

    Attributes:
        problems: What pages did that they must not, as sentences; the fixture checks that there are none.
    """

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.problems: list[str] = []
        self._contexts: list[Any] = []

    def open(
        self,
        path: Path,
        *,
        size: tuple[int, int] = DESKTOP,
        theme: str = "light",
        scripts: bool = True,
        fragment: str = "",
    ) -> Any:
        """Return a page of playwright that has loaded a file, in a context of its own.

        Args:
            path: The HTML file.
            size: Width and height of the window in CSS pixels.
            theme: "light" or "dark".
            scripts: Whether scripts run.
            fragment: What follows the path in the address, such as ``"#classes"``.
        """
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=theme,
            java_script_enabled=scripts,
            has_touch=size[0] < DESKTOP[0],
            reduced_motion="reduce",
        )
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: self._note_console(message))
        page.on("pageerror", lambda error: self.problems.append(f"Uncaught: {error}"))
        page.on("request", lambda request: self._note_request(request.url))
        page.goto(f"{path.resolve().as_uri()}{fragment}")
        return page

    def close(self) -> None:
        """Close what was opened."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()

    def _note_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"Console: {message.text}")

    def _note_request(self, url: str) -> None:
        if not url.startswith(("file:", "data:")):
            self.problems.append(f"Request: {url}")


@contextmanager
def chromium() -> Iterator[Any]:
    """Start Chromium, and end it and its driver afterwards."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program(), args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def violations(page: Any, within: str | None = None) -> list[str]:
    """Return what axe-core finds on a page, or within a selector: rule, impact, and where, one line an element."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, within).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {' '.join(map(str, node['target']))} {node['html'][:160]}"
        for rule in found
        for node in rule["nodes"]
    ]


def overflow(page: Any) -> int:
    """Return by how many pixels the page is wider than the window; 0 where nothing is."""
    script = "() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
    return int(page.evaluate(script))
