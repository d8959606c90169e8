"""Mean losses by cue on one scale."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from cuesense.reports.charts.audit_cues import loss_interval
from cuesense.schemas.audit import CueHarm
from cuesense.types import CueVerdict


def part(loss: float, low: float | None, high: float | None, strongest: float = 0.0) -> CueHarm:
    return CueHarm(
        cue=CueVerdict.SHAPE,
        classes=4,
        harmed=1,
        loss=loss,
        low=low,
        high=high,
        loss_at_strongest=strongest,
        strongest_low=None,
        strongest_high=None,
    )


def test_all_cues_share_the_scale_from_zero_to_the_largest_bound() -> None:
    first, second = part(0.1, 0.0, 0.2), part(0.05, None, None)
    drawing = ElementTree.fromstring(loss_interval(first, [first, second], with_strongest=False))
    zero, line, dot = drawing
    assert (zero.get("d"), line.get("d")) == ("M6 0V36", "M6 18H194")
    assert (dot.get("class"), dot.get("cx")) == ("now", "100")
    other = ElementTree.fromstring(loss_interval(second, [first, second], with_strongest=False))
    assert [child.get("cx") for child in other] == [None, "53"]


def test_the_loss_at_the_strongest_is_a_second_dot() -> None:
    one = part(0.1, None, None, strongest=0.2)
    drawing = ElementTree.fromstring(loss_interval(one, [one], with_strongest=True))
    dots = [(child.get("class"), child.get("cx"), child.get("cy")) for child in drawing if child.tag == "circle"]
    assert dots == [("now", "100", "11"), ("end", "194", "25")]


@pytest.mark.parametrize("loss", [0.0, 0.005])
def test_losses_below_a_point_do_not_fill_the_scale(loss: float) -> None:
    one = part(loss, None, None)
    drawing = ElementTree.fromstring(loss_interval(one, [one], with_strongest=False))
    assert float(drawing[1].get("cx", "")) == pytest.approx(6 + 188 * loss / 0.01)


def test_a_cue_of_two_words_has_one_class() -> None:
    one = part(0.1, None, None).model_copy(update={"cue": CueVerdict.FINE_DETAIL})
    drawing = ElementTree.fromstring(loss_interval(one, [one], with_strongest=False))
    assert drawing.get("class") == "interval fine-detail"
