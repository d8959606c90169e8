"""The lines beside a recommended policy."""

from __future__ import annotations

import pytest

from cuesense.policies.policy import Limit, Outlook, Policy, uniform
from cuesense.reports.terminal.policy import lines
from cuesense.schemas.profile import TrainedModel

NARROW = "\N{NO-BREAK SPACE}%"
EVERY = uniform({"hue": 0.1}, ("lemon", "bus"))


def test_beside_a_policy_stands_what_stops_it_and_what_it_is_forecast_to_give() -> None:
    limits = [
        Limit("random_resized_crop", 0.4, "bus", "leak into truck"),
        Limit("color_jitter", None, "lemon", "too few images"),
        Limit("horizontal_flip", 1.0, None, None, ("cup", "pen")),
    ]
    none, usual = Outlook(0.9, 0.7, "lemon"), Outlook(0.8, 0.4, "lemon")
    assert lines(limits, {"none": none, "usual": usual}, 0.92, {}, EVERY) == [
        "random resized crop: to 0.4, because of bus (leak into truck)",
        "color jitter: left out, because of lemon (too few images)",
        "horizontal flip: to 1, the end of its ladder; not shown to be safe for cup, pen",
        "forecast for none: 90.0 % on average, not counting gains, worst class 70.0 % (lemon)".replace(" %", NARROW),
        "forecast for usual: 80.0 % on average, not counting gains, worst class 40.0 % (lemon)".replace(" %", NARROW),
    ]
    assert lines(limits[1:2], {}, None, {}, EVERY)[1:] == [
        "No augmentation is shown to be safe for every class: the policy for all classes is empty.",
        lines([], {}, None, {}, EVERY)[-1],
    ]


def test_what_was_verified_is_a_line_with_a_warning_where_it_harmed() -> None:
    def trained(worst: float) -> TrainedModel:
        return TrainedModel(policy=None, mean=0.8, worst=worst, over_tolerance=0)

    worse = lines([], {}, None, {"policy": trained(0.4), "none": trained(0.6)}, EVERY)
    better = lines([], {}, None, {"policy": trained(0.7), "none": trained(0.6)}, EVERY)
    assert worse[1].startswith("warning: verified by training: 80.0\N{NO-BREAK SPACE}% on average, worst class 40.0")
    assert better[1].startswith("verified by training: ")


def test_a_policy_by_class_with_few_clean_views_is_warned_of() -> None:
    by_class = Policy("per_class", 0.8, ("lemon", "bus"), (0, 1), ({"hue": 0.1}, {}))
    assert any("--probability 0.5" in line for line in lines([], {}, None, {}, by_class))
    guarded = Policy("per_class", 0.5, ("lemon", "bus"), (0, 1), ({"hue": 0.1}, {}))
    assert not any("--probability" in line for line in lines([], {}, None, {}, guarded))


@pytest.mark.parametrize(("analyzed", "warned"), [(None, False), (0.9, False), (1.0, False), (1.001, True)])
def test_a_forecast_by_much_weaker_networks_is_warned_of(analyzed: float | None, warned: bool) -> None:
    found = lines([], {"none": Outlook(0.9, 0.7, "lemon")}, analyzed, {}, EVERY)
    expected = "warning: trained without augmentation, the networks of the forecast reach 90.0"
    assert any(line.startswith(expected) for line in found) == warned


@pytest.mark.parametrize(("worst", "warning"), [(0.599, True), (0.6, False)])
def test_a_verified_policy_is_warned_of_where_its_worst_class_is_worse(worst: float, warning: bool) -> None:
    def trained(lowest: float) -> TrainedModel:
        return TrainedModel(policy=None, mean=0.8, worst=lowest, over_tolerance=0)

    found = lines([], {}, None, {"policy": trained(worst), "none": trained(0.6)}, EVERY)
    assert found[1].startswith("warning: verified by training: " if warning else "verified by training: ")
    assert len(lines([], {}, None, {"policy": trained(worst)}, EVERY)) == len(found) - 1
