"""The curves of a class in a browser, where severities were measured on a part of the images."""

import re
from pathlib import Path
from typing import Any

import pytest

from cuesense.reports.html.profile import render
from cuesense.stats.intervals import wilson
from tests.helpers.browser import Viewer
from tests.helpers.partly_seen import ACCURACIES, CORRECTED, partly_seen


def test_curves_of_a_part_of_the_images_are_drawn_and_explained_as_a_part(viewer: Viewer, tmp_path: Path) -> None:
    """Of the first class 7 of 20 images are recognized at the strongest value, with the prior correction 9."""
    path = tmp_path / "report.html"
    path.write_text(render(partly_seen()), encoding="utf-8")
    page = viewer.open(path, fragment="#class=tench")
    figure = page.locator("#panel figure", has_text="color jitter")
    said = plain(figure.locator("svg.panel").get_attribute("aria-label"))
    assert said == "Accuracy: clean 75.0 %, 0.1 72.5 %, 0.2 70.0 %, 0.4 55.0 %, 0.8 35.0 %"
    low, high = wilson(7, 20, 0.95)
    *_, strongest = figure.locator("rect.hover title").all_text_contents()
    assert plain(strongest).splitlines() == [
        f"0.8: 35.0 % [{100 * low:.1f}, {100 * high:.1f}]",
        "all classes: 32.5 %",
        "lost 16, gained 0 in 2 repeats",
        "measured on 20 of 80 images",
    ]
    mean = [sum(pair) / 2 for pair in zip(*ACCURACIES, strict=True)]
    for kind, shares in (("own", ACCURACIES[0]), ("corrected", CORRECTED), ("average", mean)):
        # 100 units of height are 100 points, below a margin of 8.
        assert heights(figure, kind) == pytest.approx([8 + 100 * (1 - share) for share in shares], abs=0.06)
    other = page.locator("#panel figure", has_text="tile jitter").locator("rect.hover title").last.text_content()
    assert other.startswith("7")
    assert "measured on" not in other
    whole = page.locator("body").inner_text()
    assert "Each severity was measured on 30 to 160 of the 160 images (adaptive run)." in whole


def test_a_class_that_was_not_seen_at_a_severity_has_no_chart_of_it(viewer: Viewer, tmp_path: Path) -> None:
    known = partly_seen()
    curves = [
        curve.model_copy(update={"seen": [*curve.seen[:3], [0, 10]], "lost": [*curve.lost[:3], [0, 6]]})
        if curve.seen
        else curve
        for curve in known.curves
    ]
    path = tmp_path / "report.html"
    path.write_text(render(known.model_copy(update={"curves": curves})), encoding="utf-8")
    page = viewer.open(path, fragment="#class=tench")
    assert page.locator("#panel svg.panel").count() == len(curves) - 1
    page = viewer.open(path, fragment="#class=barn%20spider")
    assert page.locator("#panel svg.panel").count() == len(curves)


def heights(figure: Any, kind: str) -> list[float]:
    """Return the vertical positions of a line of a chart."""
    points = re.split("[ML]", figure.locator(f"path.{kind}").get_attribute("d"))[1:]
    return [float(point.split()[1]) for point in points]


def plain(text: str) -> str:
    """Return a text with usual spaces."""
    return text.replace("\N{NO-BREAK SPACE}", " ")
