"""The fixture itself: it must notice what pages must not do, or the other tests prove nothing."""

import pytest

from tests.helpers import browser


def test_errors_and_requests_of_a_page_are_noticed(viewer, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<!DOCTYPE html><html lang="en"><title>t</title><main><h1>t</h1><img src="http://127.0.0.1:9/x.png">'
        '<script>missing()</script><p id="wide"></p></main></html>',
        encoding="utf-8",
    )
    opened = viewer.open(page)
    assert any("missing is not defined" in problem for problem in viewer.problems)
    assert "Request: http://127.0.0.1:9/x.png" in viewer.problems
    viewer.problems.clear()
    assert [line.split()[0] for line in browser.violations(opened)] == ["image-alt"]
    assert browser.overflow(opened) == 0
    opened.evaluate("Object.assign(document.getElementById('wide').style, {width: '1400px', height: '1px'})")
    assert browser.overflow(opened) > 100


def test_without_a_browser_the_reason_is_said(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert "No Chromium on PATH" in browser.missing()
    assert "apt-get install chromium" in browser.missing()


@pytest.mark.parametrize(("value", "required"), [("1", True), ("0", False), ("", False)])
def test_ci_requires_a_browser_by_a_variable(monkeypatch, value, required):
    monkeypatch.setenv(browser.REQUIRE, value)
    assert browser.is_required() is required
