"""The picture of a verification."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from cuesense.reports.charts.forecast_outcome import scatter
from tests.helpers.verifications import BY_CLASS, PLAIN, SAME, USUAL, arm, verification

SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_has_a_dot_a_class_and_policy_and_escapes_names() -> None:
    picture = scatter(verification(PLAIN, USUAL, SAME, BY_CLASS))
    root = ET.fromstring(picture)
    titles = [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[0] == "Forecast and real loss of recall: 4 dots, one a class and policy"
    assert titles[2] == "<class 1>, usual: forecast 30.0, real 20.0 points"
    dots = [element for element in root.iter("{http://www.w3.org/2000/svg}circle") if len(element)]
    heights = [float(dot.attrib["cy"]) for dot in dots]
    assert heights[1] < heights[3] < heights[2] < heights[0]
    assert float(dots[0].attrib["cx"]) == float(dots[2].attrib["cx"]) < float(dots[3].attrib["cx"])


def test_without_a_forecast_there_are_no_dots() -> None:
    root = ET.fromstring(scatter(verification(PLAIN)))
    assert root[0].text == "Forecast and real loss of recall: no forecast to compare with"
    assert not list(root.iter(f"{SVG}circle"))


@pytest.mark.parametrize(("loss", "highest"), [(0.19, 30), (0.25, 30), (0.31, 40)])
def test_axes_go_in_tens_beyond_the_largest_loss(loss: float, highest: int) -> None:
    root = ET.fromstring(scatter(verification(arm("usual", [-loss], [0.0]))))
    ticks = [int(part.text or "") for part in root.iter(f"{SVG}text") if part.get("text-anchor") == "end"]
    assert ticks == list(range(0, highest + 1, 10))


def test_dots_on_the_diagonal_are_forecasts_that_came_true() -> None:
    root = ET.fromstring(scatter(verification(arm("usual", [-0.1, -0.2], [0.1, 0.2]))))
    dots = [part for part in root.iter(f"{SVG}circle") if len(part)]
    offsets = [float(dot.attrib["cx"]) - 64 - (444 - float(dot.attrib["cy"])) for dot in dots]
    assert offsets == pytest.approx([0, 0], abs=0.11)


def test_policies_with_class_weights_are_left_out_and_all_others_have_colors_of_their_own() -> None:
    """No forecast is about class weights."""
    weighted = arm("weighted", [0.0], [None], policy={"scope": "global", "class_weights": {"<class 0>": 1.0}})
    picture = scatter(verification(USUAL, weighted))
    assert "weighted" not in picture
    names = ("usual", "best_uniform", "global", "grouped", "per_class", "permuted", "matched", "relaxed")
    root = ET.fromstring(scatter(verification(*(arm(name, [-0.1], [0.1]) for name in names))))
    assert len({part.attrib["fill"] for part in root.iter(f"{SVG}circle")}) == len(names)
