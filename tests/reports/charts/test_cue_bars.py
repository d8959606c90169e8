import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.reports.charts.cue_bars import cue_counts_bar, evidence_bars
from cuesense.schemas.base import Estimate
from cuesense.types import Cue, CueVerdict

NUMBER = st.none() | st.floats(-2, 2)


def parsed(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(markup)


def interval(value: float | None, low: float | None = None, high: float | None = None) -> Estimate:
    return Estimate(value=value, low=low, high=high)


def bar_length(drawing: ElementTree.Element, cue: str) -> float:
    path = next(part for part in drawing if part.get("class") == cue)
    return float(re.search(r"h([\d.e-]+)v", path.get("d", "")).group(1))


def test_bars_are_as_long_as_the_evidence():
    drawing = parsed(evidence_bars({Cue.SHAPE: interval(0.25), Cue.TEXTURE: interval(0.5), Cue.COLOR: interval(1.0)}))
    shape, texture, color = (bar_length(drawing, cue) for cue in ("shape", "texture", "color"))
    assert texture == pytest.approx(2 * shape)
    assert color == pytest.approx(4 * shape)


@given(value=NUMBER, low=NUMBER, high=NUMBER)
def test_everything_stays_inside_the_graphic(value, low, high):
    drawing = parsed(evidence_bars({Cue.COLOR: interval(value, low, high)}))
    _, _, width, height = map(float, drawing.get("viewBox", "").split())
    for path in (part for part in drawing if part.get("class") == "whisker"):
        for x in re.findall(r"[MH]([\d.]+)", path.get("d", "")):
            assert 13 <= float(x) <= width
    if value is not None:
        assert 0 <= bar_length(drawing, "color") <= width - 13
    assert (value is None) == all(part.get("class") != "color" for part in drawing)
    whiskers = [part for part in drawing if part.get("class") == "whisker"]
    assert len(whiskers) == (None not in (value, low, high))
    assert height == 36


def test_the_numbers_are_in_the_title_in_a_fixed_order():
    drawing = parsed(evidence_bars({Cue.COLOR: interval(0.8, 0.7, 0.9), Cue.SHAPE: interval(0.1, 0.0, 0.2)}))
    assert drawing[0].text == "shape 0.10 [0.00, 0.20], color 0.80 [0.70, 0.90]"
    assert [part.text for part in drawing if part.tag == "text"] == ["S", "C"]


@given(st.lists(st.integers(0, 1000), min_size=8, max_size=8))
def test_the_stacked_bar_is_proportional_and_full(counts):
    drawing = parsed(cue_counts_bar(dict(zip(CueVerdict, counts, strict=True))))
    widths = {part.get("class"): float(part.get("width", "").rstrip("%")) for part in drawing if part.tag == "rect"}
    # A class of two words would be two classes.
    assert not any(" " in name for name in widths if name)
    names = {cue: cue.value.replace(" ", "-") for cue in CueVerdict}
    assert set(widths) == {names[cue] for cue, count in zip(CueVerdict, counts, strict=True) if count}
    for cue, count in zip(CueVerdict, counts, strict=True):
        if count:
            assert widths[names[cue]] == pytest.approx(100 * count / sum(counts), rel=1e-3)
    starts = [float(part.get("x", "").rstrip("%")) for part in drawing if part.tag == "rect"]
    assert starts == sorted(starts)


def test_a_bar_without_classes_is_empty_and_named():
    drawing = parsed(cue_counts_bar({}))
    assert drawing[0].text == "no classes"
    assert not [part for part in drawing if part.tag == "rect"]


def test_unknown_evidence_is_an_empty_track_with_its_letter():
    drawing = parsed(evidence_bars({Cue.TEXTURE: interval(None)}))
    assert drawing[0].text == "texture –"
    assert [part.get("class") for part in drawing if part.tag == "path"] == ["track"]
