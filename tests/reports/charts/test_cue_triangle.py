import re
from math import hypot

import numpy as np
import pytest

from cuesense.reports.charts.cue_triangle import MOST_TICKS, Dot, strips, triangle
from cuesense.reports.cue_map import CueMap, Spot, cue_map
from cuesense.types import CueVerdict
from tests.helpers.graded_profiles import graded
from tests.helpers.html_tree import Node, parse
from tests.helpers.page_checks import HOSTILE


def spot(*reliance: float, sure: bool = True) -> Spot:
    total = sum(reliance)
    return Spot(reliance, tuple(part / total for part in reliance), sure)


def drawn(found: CueMap, names: tuple[str, ...]) -> Node:
    return parse(triangle(found, [Dot(name, CueVerdict.SHAPE) for name in names]))


def dots(page: Node) -> dict[int, Node]:
    return {int(node.attributes["data-at"]): node for node in page.find("circle") if "data-at" in node.attributes}


CORNERS = CueMap((spot(1, 0, 0), spot(0, 1, 0), spot(0, 0, 1), None), spot(1, 1, 1), (0.0, 0.0, 0.0), 1.0, True)


def test_corners_and_the_mean_stand_where_they_belong():
    page = drawn(CORNERS, ("s", "t", "c", "nothing"))
    found = {at: (float(n.attributes["cx"]), float(n.attributes["cy"])) for at, n in dots(page).items()}
    assert sorted(found) == [0, 1, 2]
    (top, left, right) = (found[at] for at in range(3))
    assert top[1] < left[1] == right[1]
    assert left[0] < top[0] < right[0]
    # The sides of a triangle of equal sides.
    assert hypot(top[0] - left[0], top[1] - left[1]) == pytest.approx(right[0] - left[0], abs=0.2)
    cross = next(node for node in page.find("path") if node.classes == ["model"])
    x, y = map(float, re.match(r"M(\S+) (\S+?)h", cross.attributes["d"]).groups())
    assert (x + 8, y) == pytest.approx(tuple(np.mean([top, left, right], axis=0)), abs=0.2)
    assert "100\N{NO-BREAK SPACE}%" in page.text


def test_a_part_of_the_triangle_says_what_its_corners_weigh():
    part = CueMap((spot(0.8, 0.1, 0.1), spot(0.5, 0.25, 0.25)), None, (0.4, 0.05, 0.1), 0.45, True)
    page = drawn(part, ("a", "b"))
    corners = [node.text for node in page.find("text") if node.classes == ["corner"]]
    assert corners == [f"{name}\N{NO-BREAK SPACE}%" for name in ("shape 85", "texture 50", "color 55")]


def test_unsure_places_are_smaller_and_hollow():
    page = drawn(CueMap((spot(1, 1, 1), spot(1, 1, 2, sure=False)), None, (0, 0, 0), 1.0, True), ("a", "b"))
    sure, unsure = dots(page)[0], dots(page)[1]
    assert unsure.classes == ["shape", "unsure"]
    assert float(unsure.attributes["r"]) < float(sure.attributes["r"])


def test_names_do_not_cover_each_other_and_are_text():
    found = cue_map(graded(30, half=0.05, names=HOSTILE))
    names = tuple(HOSTILE[at % len(HOSTILE)] for at in range(30))
    page = drawn(found, names)
    tags = [node for node in page.find("text") if node.classes == ["tag"]]
    assert 3 <= len(tags) <= 24
    boxes = [(float(t.attributes["x"]), float(t.attributes["y"]), len(t.text) * 6.2) for t in tags]
    for at, (x, y, width) in enumerate(boxes):
        assert x >= 0
        assert x + width <= 560
        for other_x, other_y, other_width in boxes[:at]:
            assert abs(y - other_y) >= 12 or x >= other_x + other_width or other_x >= x + width
    assert {node.tag for node in page} == {"svg", "path", "text", "tspan", "g", "circle"}


@pytest.mark.parametrize(("classes", "radius"), [(40, 5.5), (41, 4.2), (201, 3.0)])
def test_dots_are_smaller_the_more_there_are(classes, radius):
    found = CueMap((spot(1, 1, 1),) * classes, None, (0, 0, 0), 1.0, True)
    assert float(dots(drawn(found, ("a",) * classes))[0].attributes["r"]) == radius


def test_strips_have_a_tick_a_class_and_a_letter_each():
    page = parse(strips(CORNERS))
    rows = page.find("g")
    assert [row.classes[0] for row in rows] == ["shape", "texture", "color"]
    assert [row.find("text")[0].text for row in rows] == ["S", "T", "C"]
    ticks = [next(n for n in row.find("path") if n.classes == ["ticks"]).attributes["d"] for row in rows]
    places = [[float(x) for x in re.findall(r"M(\S+) ", d)] for d in ticks]
    assert places == [[392, 96, 96], [96, 392, 96], [96, 96, 392]]
    assert "shape 100 %, texture 100 %, color 100 %" in page.find("svg")[0].attributes["aria-label"]
    assert all(d.count("v22") == 3 for d in ticks)
    unknown = parse(strips(CueMap((None,), None, (0, 0, 0), 1.0, False)))
    assert "unknown" in unknown.find("svg")[0].attributes["aria-label"]


def test_classes_of_the_same_percentage_share_a_tick_as_high_as_they_are_many():
    rare, common = spot(0.5, 0.301, 0.2), spot(0.5, 0.702, 0.2)
    found = CueMap((rare, *(common,) * MOST_TICKS), None, (0, 0, 0), 1.0, True)
    texture = next(n for n in parse(strips(found)).find("g")[1].find("path") if n.classes == ["ticks"])
    heights = re.findall(r"M(\S+) \S+v(\S+?)(?=M|$)", texture.attributes["d"])
    assert heights == [("184.8", "0.2"), ("303.2", "22")]
