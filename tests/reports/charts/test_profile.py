import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.reports.charts import profile as charts
from cuesense.reports.charts.curves import overview
from cuesense.schemas.base import Estimate
from cuesense.types import Cue, CueVerdict
from tests.helpers import profiles

NUMBER = st.none() | st.floats(-2, 2)


def parsed(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(markup)


def interval(value: float | None, low: float | None = None, high: float | None = None) -> Estimate:
    return Estimate(value=value, low=low, high=high)


def bar_length(drawing: ElementTree.Element, cue: str) -> float:
    path = next(part for part in drawing if part.get("class") == cue)
    return float(re.search(r"h([\d.e-]+)v", path.get("d", "")).group(1))


def test_bars_are_as_long_as_the_evidence():
    drawing = parsed(charts.evidence({Cue.SHAPE: interval(0.25), Cue.TEXTURE: interval(0.5), Cue.COLOR: interval(1.0)}))
    shape, texture, color = (bar_length(drawing, cue) for cue in ("shape", "texture", "color"))
    assert texture == pytest.approx(2 * shape)
    assert color == pytest.approx(4 * shape)


@given(value=NUMBER, low=NUMBER, high=NUMBER)
def test_everything_stays_inside_the_graphic(value, low, high):
    drawing = parsed(charts.evidence({Cue.COLOR: interval(value, low, high)}))
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


def test_the_numbers_are_said_in_a_fixed_order():
    drawing = parsed(charts.evidence({Cue.COLOR: interval(0.8, 0.7, 0.9), Cue.SHAPE: interval(0.1, 0.0, 0.2)}))
    assert drawing[0].text == "shape 0.10 [0.00, 0.20], color 0.80 [0.70, 0.90]"
    assert [part.text for part in drawing if part.tag == "text"] == ["S", "C"]


@given(st.lists(st.integers(0, 1000), min_size=7, max_size=7))
def test_the_stacked_bar_is_proportional_and_full(counts):
    drawing = parsed(charts.label_bar(dict(zip(CueVerdict, counts, strict=True))))
    widths = {part.get("class"): float(part.get("width", "").rstrip("%")) for part in drawing if part.tag == "rect"}
    assert set(widths) == {label.value for label, count in zip(CueVerdict, counts, strict=True) if count}
    for label, count in zip(CueVerdict, counts, strict=True):
        if count:
            assert widths[label.value] == pytest.approx(100 * count / sum(counts), rel=1e-3)
    starts = [float(part.get("x", "").rstrip("%")) for part in drawing if part.tag == "rect"]
    assert starts == sorted(starts)


def test_the_panel_draws_accuracy_upwards_and_doses_rightwards():
    profile = profiles.profile(12, seed=2)
    numbers = overview(profile.curves[0], 0.95)
    assert numbers is not None
    drawing = parsed(charts.panel(numbers, ["a", "b", "c", "d"], 'said "aloud" <b>'))
    circles = [part for part in drawing if part.tag == "circle"]
    x = np.array([float(part.get("cx", "")) for part in circles])
    y = np.array([float(part.get("cy", "")) for part in circles])
    assert len(circles) == 5
    assert (np.diff(x) > 0).all()
    np.testing.assert_allclose(y, 8 + 100 * (1 - numbers.worst), atol=0.051)
    ticks = [part.text for part in drawing if part.get("text-anchor") == "middle"]
    assert ticks == ["clean", "a", "b", "c", "d"]
    assert drawing.get("aria-label") == 'said "aloud" <b>'


def test_the_band_encloses_the_middle_classes():
    profile = profiles.profile(12, seed=2)
    numbers = overview(profile.curves[4], 0.95)
    assert numbers is not None
    drawing = parsed(charts.panel(numbers, ["2", "3", "4", "6", "8"], ""))
    path = next(part for part in drawing if part.get("class") == "band").get("d", "")
    y = np.array([float(pair.split()[1]) for pair in re.findall(r"[\d.]+ [\d.]+", path)])
    shares = 1 - (y - 8) / 100
    np.testing.assert_allclose(shares[:6], numbers.spread[1], atol=0.001)
    np.testing.assert_allclose(shares[6:], numbers.spread[0][::-1], atol=0.001)
