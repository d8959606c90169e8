"""What a notebook shows of a profile."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

import pytest

from cuesense.reports.cue_map import cue_map
from cuesense.reports.headline import headline
from tests.helpers.graded_profiles import graded
from tests.helpers.planted_profiles import limited_profile
from tests.helpers.profiles import profile

HOSTILE = ("</svg><script>alert(1)</script>", "a & b", '" onload="x', "\x1b[31mred")


def tree(text: str) -> Xml.Element:
    """Parse the fragment, which has every element closed as XML has."""
    return Xml.fromstring(text.replace("&nbsp;", " "))


def test_it_holds_the_headline_the_map_and_the_worst_ten() -> None:
    source = graded(30)
    shown = tree(source._repr_html_())
    assert [item.text for item in shown.iter("li")] == [*headline(source).findings, headline(source).advice]
    svg = shown.find(".//svg")
    assert svg is not None
    assert len(svg.findall("circle")) == sum(spot is not None for spot in cue_map(source).spots)
    assert len(shown.findall(".//tbody/tr")) == 10


def test_the_class_that_loses_most_stands_first_with_what_it_loses() -> None:
    source = limited_profile()
    budgets = {"color_jitter": source.classes[2].budgets["color_jitter"]}
    losing = budgets["color_jitter"].model_copy(update={"expected": [0.1, 0.2, 0.9, 0.95]})
    last = source.classes[2].model_copy(update={"budgets": {"color_jitter": losing}})
    source = source.model_copy(update={"classes": [*source.classes[:2], last]})
    first = tree(source._repr_html_()).find(".//tbody/tr")
    assert first is not None
    cells = ["".join(cell.itertext()) for cell in first]
    assert cells[0] == last.name
    # The usual strength of color jitter is 0.4, the third severity.
    assert cells[4:6] == ["90.0 points", "color jitter 0.4"]


def test_where_no_loss_is_known_the_least_accurate_classes_stand_there() -> None:
    source = graded(30).model_copy(update={"curves": []})
    names = ["".join(row[0].itertext()) for row in tree(source._repr_html_()).iter("tr")][1:]
    accuracy = [source.classes[name].clean_accuracy for name in names]
    assert accuracy == sorted(entry.clean_accuracy or 0 for entry in source.classes)[:10]


def test_names_are_text_and_nothing_is_fetched_or_run() -> None:
    shown = graded(4, names=HOSTILE)._repr_html_()
    assert {element.tag for element in tree(shown).iter()}.isdisjoint({"script", "style", "link", "img", "iframe"})
    assert "a &amp; b" in shown
    assert "\x1b" not in shown
    assert not re.search(r"https?:|url\(|@import| on\w+=\"", shown.replace("&#34; onload=&#34;", ""))


def test_text_takes_the_color_of_the_notebook() -> None:
    colors = set(re.findall(r"[;\"]color:([^;\"]+)", graded(4)._repr_html_()))
    assert "inherit" in colors
    assert not {"black", "white", "#000", "#fff"} & colors


@pytest.mark.parametrize("source", [profile(1, empty=1), profile(3, empty=3), graded(2, empty=1)])
def test_profiles_of_almost_nothing_are_shown(source) -> None:
    assert tree(source._repr_html_()).tag == "div"


def test_a_thousand_classes_stay_small() -> None:
    assert len(graded(1000)._repr_html_()) < 200_000


def test_labels_of_the_map_are_whole_and_do_not_cover_each_other() -> None:
    names = ("English Springer Spaniel", "Great Pyrenees dog", "church", "chain saw", "French horn")
    source = graded(20, seed=1, names=names)
    svg = tree(source._repr_html_()).find(".//svg")
    width = float(svg.attrib["width"])
    boxes = []
    for label in svg.findall("text"):
        x, y, size = float(label.attrib["x"]), float(label.attrib["y"]), float(label.get("font-size", "11"))
        extent = 0.6 * size * len(label.text)
        left = x - {"start": 0.0, "middle": extent / 2, "end": extent}[label.get("text-anchor", "start")]
        boxes.append((left, y - size, left + extent, y))
    assert all(left >= 0 and right <= width for left, _, right, _ in boxes)
    assert not any(
        a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for i, a in enumerate(boxes) for b in boxes[:i]
    )
    assert len(boxes) > 6
