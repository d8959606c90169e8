"""The lines beside a recommended policy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cuesense.policies.advice import LAST, NEXT, NONE, RECOMMENDED, USUAL, Advice
from cuesense.policies.policy import ClassAtRisk, Limit, Outlook, Policy, sparing, uniform
from cuesense.reports.terminal.policy import lines
from cuesense.schemas.profile import TrainedModel, VerifiedModel

NAMES = ("lemon", "bus")
EVERY = uniform({"hue": 0.1}, NAMES)
NOTHING = uniform({}, NAMES)
PLAIN = Outlook(0.8, 0.6, "lemon")


def advice(policy: Policy = EVERY, other: Policy | None = None, seen: Outlook = PLAIN, **more: object) -> Advice:
    policies = {RECOMMENDED: policy, NONE: NOTHING, USUAL: uniform({"color_jitter": 0.4}, NAMES)}
    outlooks = {RECOMMENDED: Outlook(0.9, 0.7, "lemon"), NONE: PLAIN, USUAL: Outlook(0.5, 0.4, "bus")}
    if other is not None:
        policies[NEXT], outlooks[NEXT] = other, seen
    return replace(Advice(policy, "trained", 0.05, 0.2, outlooks, policies), **more)


def said(found: Advice, analyzed: float | None = None) -> list[str]:
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines(found, analyzed)]


def test_a_policy_stands_first_with_what_it_and_the_others_are_forecast_to_give() -> None:
    entry = ClassAtRisk("bus", 0.21, 0.1, 0.34, 0.987)
    found = advice(other=uniform({"hue": 0.2}, NAMES), seen=Outlook(0.7, 0.3, "bus", (entry,), ("horizontal_flip",)))
    assert said(found)[:5] == [
        "Recommended: hue to 0.1, for 80.0 % of the views.",
        "forecast for recommended: 90.0 % on average, worst class 70.0 % (lemon)",
        "forecast for no augmentation: 80.0 % on average, worst class 60.0 % (lemon)",
        "forecast for the usual default (color jitter to 0.4): 50.0 % on average, worst class 40.0 % (bus)",
        "forecast for next best (hue to 0.2): 70.0 % on average, worst class 30.0 % (bus); without horizontal "
        "flip, of which nothing is known; at risk: bus loses 21 points [10, 34], risk 98.7 %",
    ]


def test_spared_classes_and_weights_are_part_of_the_headline() -> None:
    spared = sparing({"hue": 0.1}, NAMES, ["bus"], 0.5)
    assert "of the views, but not of bus." in said(advice(spared, spared=("bus",)))[0]
    weighted = replace(EVERY, class_weights=(0.5, 1.5))
    assert said(advice(weighted))[0].endswith("of the views, and class weights in the loss.")


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (Outlook(0.79, 0.5, "bus"), "better than the next best (hue to 0.2) by 1 point on average and 10 points"),
        (Outlook(0.802, 0.6, "bus"), "change the average by 0.2 points and the worst class by 0 points, too little"),
        (
            Outlook(0.83, 0.6, "bus", (ClassAtRisk("bus", 0.2, 0.1, 0.3, 0.9),)),
            "by 3 points and the worst class by 0 points, but puts 1 class at more than 20.0 % risk of losing over "
            "5 points: bus.",
        ),
    ],
)
def test_no_augmentation_is_recommended_with_what_was_turned_down(seen: Outlook, sentence: str) -> None:
    found = said(advice(NOTHING, uniform({"hue": 0.2}, NAMES), seen))
    assert found[0].startswith("Recommended: train without augmentation. ")
    assert sentence in found[0]
    assert not any(line.startswith("forecast for recommended") for line in found)
    assert said(advice(NOTHING))[0] == "Recommended: train without augmentation; nothing else was measured."


def test_what_stops_each_augmentation_is_a_line() -> None:
    limits = (
        Limit("random_resized_crop", 0.4, "bus", "31%"),
        Limit("color_jitter", None, "lemon", "99%"),
        Limit("horizontal_flip", 1.0, None, LAST),
        Limit("hue", 0.1, None, None),
    )
    assert said(advice(limits=limits))[4:8] == [
        "random resized crop: to 0.4; one step further, bus loses over 5 points at a risk of 31%",
        "color jitter: left out; one step further, lemon loses over 5 points at a risk of 99%",
        "horizontal flip: to 1, the end of its ladder",
        "hue: to 0.1, more is forecast to give no more",
    ]


@pytest.mark.parametrize(("probability", "warned"), [(0.8, True), (0.51, True), (0.5, False)])
def test_a_policy_by_class_with_few_clean_views_is_warned_of(probability: float, warned: bool) -> None:
    by_class = Policy("per_class", probability, NAMES, (0, 1), ({"hue": 0.1}, {}))
    assert any("--probability 0.5" in line for line in said(advice(by_class))) == warned
    assert not any("--probability" in line for line in said(advice()))


@pytest.mark.parametrize(("analyzed", "warned"), [(None, False), (0.8, False), (0.9, False), (0.901, True)])
def test_a_forecast_by_much_weaker_networks_is_warned_of(analyzed: float | None, warned: bool) -> None:
    expected = "warning: trained without augmentation, the networks of the forecast reach 80.0 %"
    assert any(line.startswith(expected) for line in said(advice(), analyzed)) == warned
    without = said(advice(basis="no training"), analyzed)
    assert not any(line.startswith(expected) for line in without)


@pytest.mark.parametrize(("worst", "warning"), [(0.599, True), (0.6, False)])
def test_a_verified_policy_is_warned_of_where_its_worst_class_is_worse(worst: float, warning: bool) -> None:
    own = TrainedModel(policy=EVERY.to_dict(), mean=0.8, worst=worst, over_tolerance=0)
    plain = TrainedModel(policy=None, mean=0.7, worst=0.6, over_tolerance=0)

    def shown(seeds: int = 3, **others: TrainedModel) -> list[str]:
        block = VerifiedModel(tolerance=0.05, seeds=seeds, policies={"policy": own, **others})
        return [line for line in said(advice(verified=block)) if "verified by training" in line]

    line = f"verified by training (3 seeds): 80.0 % on average, worst class {100 * worst:.1f} %"
    both = f"{line}; without augmentation 70.0 % and 60.0 %"
    assert shown() == [line]
    assert shown(none=plain) == [f"warning: {both}" if warning else both]
    assert shown(1, **{"global": own}) == [line.replace("3 seeds", "1 seed")]
    best = f"{both}; with the policy for all classes that was forecast to be best 70.0 % and 60.0 %"
    assert shown(none=plain, **{"global": plain}) == [f"warning: {best}" if warning else best]


def test_classes_without_images_are_said_to_be_unknown() -> None:
    nowhere = dict.fromkeys((RECOMMENDED, NONE, USUAL), Outlook(float("nan"), float("nan"), ""))
    assert "forecast for no augmentation: unknown, no class has images" in said(advice(outlooks=nowhere))
