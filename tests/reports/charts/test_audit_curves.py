"""The chart of all classes: what is named, dense and marked; where lines stand is tested with the page."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from cuesense.reports.audit_view import view
from cuesense.reports.charts import audit_curves as module
from cuesense.reports.charts.audit_curves import audit_curves
from cuesense.reports.charts.axes import Plot
from cuesense.schemas.audit import Audit
from tests.helpers import audits


def parsed(audit: Audit) -> ElementTree.Element:
    return ElementTree.fromstring(audit_curves(view(audit)))


def having(drawing: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return [part for part in drawing.iter() if kind in (part.get("class") or "").split()]


def lines(drawing: ElementTree.Element, kind: str) -> ElementTree.Element:
    (group,) = [part for part in drawing if part.tag == "g" and (part.get("class") or "").split()[0] == kind]
    return group


@pytest.mark.parametrize(("classes", "labels"), [(12, 13), (13, 8)])
def test_every_line_is_named_up_to_twelve_classes(classes: int, labels: int) -> None:
    audit = audits.audit(audits.sweep(classes, planted={0: 0.3}, images=20_000))
    assert (audit.harmed, audit.gaining) == (1, classes - 1)
    assert len(having(parsed(audit), "label")) == labels


@pytest.mark.parametrize(("lines_of_a_kind", "dense"), [(40, False), (41, True)])
def test_above_forty_lines_of_one_kind_are_dense(lines_of_a_kind: int, dense: bool) -> None:
    base = audits.audit(audits.sweep(41))
    kinds = [{"harmed": False, "gains": False}] * lines_of_a_kind + [{"harmed": True, "gains": False}] * 41
    classes = [e.model_copy(update=kind) for e, kind in zip(base.classes, kinds, strict=False)]
    drawing = parsed(base.model_copy(update={"classes": classes}))
    assert ("dense" in (lines(drawing, "rest").get("class") or "")) == dense


def test_only_named_harmed_classes_have_a_dot() -> None:
    audit = audits.audit(audits.sweep(300, planted=dict.fromkeys(range(30), 0.3)))
    drawing = parsed(audit)
    named = [part for part in lines(drawing, "harmed") if part.get("class") == "named"]
    assert len(named) == len(having(drawing, "at")) == 14
    assert len(lines(drawing, "harmed")) == 30


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.5, 0.75, ["50", "55", "60", "65", "70", "75\N{NO-BREAK SPACE}%"]),
        (0.5, 0.8, ["50", "60", "70", "80\N{NO-BREAK SPACE}%"]),
        (0.2, 0.9, ["20", "30", "40", "50", "60", "70", "80", "90\N{NO-BREAK SPACE}%"]),
        (0.1, 0.9, ["20", "40", "60", "80\N{NO-BREAK SPACE}%"]),
    ],
)
def test_steps_of_the_accuracy_axis_grow_with_its_extent(low: float, high: float, labels: list[str]) -> None:
    assert [label for _, label in module._accuracy_ticks(Plot(0, 1, 0, 1, low, high, 2))] == labels


def test_it_is_described_in_words_for_screen_readers() -> None:
    drawing = parsed(audits.audit())
    assert drawing[0].text == "Accuracy of 12 classes against random_resized_crop"
    assert "Mean accuracy: 1 " in (drawing[1].text or "")
    assert not np.any([part.text == "None" for part in drawing.iter()])
