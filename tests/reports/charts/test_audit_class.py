"""The charts of one class of an audit."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from cuesense.reports.audit_view import view
from cuesense.reports.charts.audit_class import class_panel, panel_extent, sparkline, sparkline_extent
from cuesense.schemas.audit import Audit, ClassAudit
from tests.helpers import audits


@pytest.fixture(scope="module")
def audit() -> Audit:
    return audits.audit(audits.sweep(planted={0: 0.3}))


def drawn(entry: ClassAudit, accuracy: list[float | None]) -> ClassAudit:
    return entry.model_copy(update={"accuracy": accuracy, "accuracy_low": accuracy, "accuracy_high": accuracy})


def test_the_panel_falls_from_the_best_strength_to_the_best_mean_accuracy(audit: Audit) -> None:
    entry = audit.classes[0]
    drawing = ElementTree.fromstring(class_panel(view(audit), entry, 0.4))
    marks = {part.get("class"): part for part in drawing if part.tag == "circle"}
    low = min(float(part.text or "") for part in drawing if part.get("text-anchor") == "end") / 100
    y = [128 - 118 * (entry.accuracy[at] - low) / 0.4 for at in (0, 3)]
    assert [float(marks[kind].get("cy", "")) for kind in ("best", "now")] == pytest.approx(y, abs=0.06)
    assert float(marks["best"].get("cx", "")) == 30
    assert float(marks["now"].get("cx", "")) == 252
    assert (drawing.get("aria-label") or "").startswith("teapot loses ")


def test_a_class_without_a_best_strength_has_no_fall(audit: Audit) -> None:
    bare = audit.classes[0].model_copy(update={"best_strength": None})
    other = view(audit.model_copy(update={"classes": [bare, *audit.classes[1:]]}))
    assert "fall" in class_panel(view(audit), audit.classes[0], 0.4)
    assert "fall" not in class_panel(other, bare, 0.4)


@pytest.mark.parametrize(
    ("accuracy", "extent"),
    [([0.5, 0.5], 0.2), ([0.5, 0.7], 0.2), ([0.5, 0.71], 0.3), ([0.0, 1.0], 1.0), ([0.04, 0.2], 0.2)],
)
def test_panels_show_tenths_and_at_least_two_of_them(audit: Audit, accuracy: list[float], extent: float) -> None:
    assert panel_extent([drawn(audit.classes[0], accuracy)]) == pytest.approx(extent)


def test_without_panels_the_extent_is_the_least() -> None:
    assert panel_extent([]) == pytest.approx(0.2)


@pytest.mark.parametrize(("accuracy", "extent"), [([0.5, 0.55], 0.1), ([0.5, 0.61], 0.11), ([None, None], 0.1)])
def test_small_curves_share_a_scale_of_a_tenth_or_more(audit: Audit, accuracy: list, extent: float) -> None:
    assert sparkline_extent([drawn(audit.classes[0], accuracy)]) == pytest.approx(extent)


def test_a_small_curve_is_centered_and_marks_the_best_mean_accuracy(audit: Audit) -> None:
    found = view(audit)
    drawing = ElementTree.fromstring(sparkline(found, audit.classes[0], sparkline_extent(audit.classes)))
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", drawing[0].get("d", ""))]
    assert (min(heights) + max(heights)) / 2 == pytest.approx(12, abs=0.1)
    assert float(drawing[1].get("cy", "")) == heights[found.best]
    assert sparkline(found, drawn(audit.classes[0], [None] * 4), 0.1) == ""
