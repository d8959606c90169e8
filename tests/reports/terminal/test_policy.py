"""The lines beside a recommended policy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cuesense.policies.advice import FOR_ALL, NEXT, NONE, RECOMMENDED, USUAL, Advice
from cuesense.policies.losses_by_lean import LeanLosses
from cuesense.policies.policy import ClassAtRisk, Limit, Outlook, Policy, sparing, uniform
from cuesense.reports.terminal.policy import lines
from cuesense.schemas.profile import TrainedModel, VerifiedModel
from cuesense.types import Cue

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
    assert said(found)[:6] == [
        "Recommended: hue to 0.1, for 80.0 % of the views.",
        "forecast for the recommended policy: 90.0 % on average, worst class 70.0 % ('lemon')",
        "forecast for no augmentation: 80.0 % on average, worst class 60.0 % ('lemon')",
        "forecast for the usual default (color jitter to 0.4): 50.0 % on average, worst class 40.0 % ('bus')",
        "forecast for the next best policy (hue to 0.2): 70.0 % on average, worst class 30.0 % ('bus'); without "
        "horizontal flip, of which nothing is known",
        "  over the risk for: 'bus' loses 21 points [10, 34] (risk 98.7 %)",
    ]


@pytest.mark.parametrize(
    ("loss", "low", "high", "sentence"),
    [
        (0.014, -0.3, 0.34, "'bus' loses 1 point [−30, 34] (risk 41.5 %)"),
        (-0.001, -0.08, 0.08, "'bus' loses 0 points [−8, 8] (risk 41.5 %)"),
        (-0.01, -0.22, 0.19, "'bus' gains 1 point, but may lose 19 (risk 41.5 %)"),
    ],
)
def test_losses_are_whole_points_and_gains_are_called_so(loss: float, low: float, high: float, sentence: str) -> None:
    seen = Outlook(0.7, 0.3, "bus", (ClassAtRisk("bus", loss, low, high, 0.4151),))
    assert f"  over the risk for: {sentence}" in said(advice(other=uniform({"hue": 0.2}, NAMES), seen=seen))


@pytest.mark.parametrize(("count", "end"), [(3, "(risk 90.0 %)"), (4, "; and 1 more"), (12, "; and 9 more")])
def test_three_classes_at_risk_are_named_and_the_rest_counted(count: int, end: str) -> None:
    at_risk = tuple(ClassAtRisk(f"c{index}", 0.2, 0.1, 0.3, 0.9) for index in range(count))
    found = said(advice(other=uniform({"hue": 0.2}, NAMES), seen=Outlook(0.7, 0.3, "bus", at_risk)))
    (line,) = (line for line in found if line.startswith("  over the risk"))
    assert line.count("loses") == 3
    assert line.endswith(end)


@pytest.mark.parametrize(("worst", "better"), [(0.75, True), (0.5, False)])
def test_a_better_policy_over_the_risk_is_said_to_be_so(worst: float, better: bool) -> None:
    seen = Outlook(0.92, worst, "bus", (ClassAtRisk("bus", 0.2, 0.1, 0.3, 0.9),))
    found = said(advice(other=uniform({"hue": 0.2}, NAMES), seen=seen))
    assert any(line.startswith("  better than recommended, but over the risk for: 'bus'") for line in found) == better


PER_CLASS = Policy("per_class", 0.5, NAMES, (0, 1), ({"hue": 0.1}, {"hue": 0.2}))


def by_class(policy: Policy, own: Outlook, for_all: Outlook | None = None) -> list[str]:
    found = advice(policy, scope="per_class")
    policies, outlooks = dict(found.policies), {**found.outlooks, RECOMMENDED: own}
    if for_all is not None:
        policies[FOR_ALL], outlooks[FOR_ALL] = EVERY, for_all
    return said(replace(found, policies=policies, outlooks=outlooks))


def test_a_policy_by_class_that_is_worse_is_first_of_all_said_to_be_so() -> None:
    risky = ClassAtRisk("bus", 0.1, 0.0, 0.2, 0.509)
    found = by_class(PER_CLASS, Outlook(0.797, 0.55, "bus", (risky,)), Outlook(0.9, 0.6, "bus"))
    assert found[:2] == [
        "With --per-class: 2 sets of values, by class, for 50.0 % of the views; forecast to be worse than no "
        "augmentation, which gives 0.3 points more on average and 5 points more in the worst class, and than the "
        "policy for all classes (hue to 0.1), which gives 10.3 points more on average and 5 points more in the worst "
        "class: leave out --per-class.",
        "Each augmentation is considered by itself, by its forecast. Together they are over the accepted risk (20.0 % "
        "of losing over 5 points) for 1 class.",
    ]
    better = by_class(PER_CLASS, Outlook(0.95, 0.7, "bus"), Outlook(0.9, 0.6, "bus"))
    assert better[0] == "Recommended: 2 sets of values, by class, for 50.0 % of the views."
    assert better[1] == "Each augmentation is considered by itself, by its forecast."


def test_where_no_class_bears_an_augmentation_the_policy_for_all_may_be_better() -> None:
    start = "Recommended: train without augmentation: none is within the risk for any class"
    assert by_class(NOTHING, PLAIN)[0] == f"{start}."
    assert by_class(NOTHING, PLAIN, Outlook(0.805, 0.6, "bus"))[0] == (
        f"{start}; but that is forecast to be worse than the policy for all classes (hue to 0.1), which gives 0.5 "
        "points more on average and about the same in the worst class: leave out --per-class."
    )


def test_spared_classes_and_weights_are_part_of_the_headline() -> None:
    spared = sparing({"hue": 0.1}, NAMES, ["bus"], 0.5)
    assert "of the views, but not of 'bus'." in said(advice(spared, spared=("bus",)))[0]
    weighted = replace(EVERY, class_weights=(0.5, 1.5))
    assert said(advice(weighted))[0].endswith("of the views, and class weights in the loss.")


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (Outlook(0.79, 0.5, "bus"), "forecast to give 1 point less on average and 10 points less in the worst class."),
        (Outlook(0.802, 0.6, "bus"), "0.2 points more on average and about the same in the worst class, too little to"),
        (Outlook(0.804, 0.561, "bus"), "give 0.4 points more on average and 3.9 points less in the worst class."),
        (Outlook(0.8, 0.6, "bus"), "The next best (hue to 0.2) is forecast to give about the same."),
        (Outlook(0.7998, 0.6004, "bus"), "The next best (hue to 0.2) is forecast to give about the same."),
        (
            Outlook(0.83, 0.6, "bus", (ClassAtRisk("bus", 0.2, 0.1, 0.3, 0.9),)),
            "3 points more on average and about the same in the worst class, and is over the accepted risk (20.0 % of "
            "losing over 5 points) for 1 class: 'bus'.",
        ),
    ],
)
def test_no_augmentation_is_recommended_with_what_was_turned_down(seen: Outlook, sentence: str) -> None:
    found = said(advice(NOTHING, uniform({"hue": 0.2}, NAMES), seen))
    start = (
        "Recommended: train without augmentation: no policy within the accepted risk is forecast to be clearly better."
    )
    assert found[0].startswith(start)
    assert sentence in found[0]
    assert not any(line.startswith("forecast for the recommended") for line in found)
    assert said(advice(NOTHING))[0] == "Recommended: train without augmentation; nothing else was measured."


def test_what_stops_each_augmentation_is_a_line() -> None:
    limits = (
        Limit("random_resized_crop", 0.4, "bus", 0.313),
        Limit("color_jitter", None, "lemon", 0.99),
        Limit("horizontal_flip", 1.0, is_last=True),
        Limit("random_rotation", None),
        Limit("random_erasing", None),
        Limit("hue", 0.1),
    )
    assert said(advice(limits=limits))[4:10] == [
        "random resized crop: to 0.4; one step further, the risk that 'bus' loses over 5 points is 31.3 %",
        "color jitter: left out; one step further, the risk that 'lemon' loses over 5 points is 99.0 %",
        "horizontal flip: to 1, the end of its ladder",
        "random rotation, random erasing: left out, more is forecast to give no more",
        "hue: to 0.1, more is forecast to give no more",
        "Budgets, as in the report, are about accuracy drops on augmented test images; this advice is about what "
        'training with an augmentation costs on clean ones: one with the budget "any" may be left out.',
    ]


def test_of_classes_that_lose_by_their_lean_three_are_named() -> None:
    lean = LeanLosses("random_rotation", Cue.SHAPE, ("ant", "none", "cow", "dog"))
    start = "Classes that rely on shape more than the average class lose by random rotation here"
    assert f"{start}: 'ant', 'none', 'cow' and 1 more." in said(advice(leans=(lean,)))


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
    assert "forecast for no augmentation: unknown, no class has two images" in said(advice(outlooks=nowhere))


@pytest.mark.parametrize("scope", ["global", "per_class"])
def test_where_nothing_is_forecast_there_are_no_limits_and_no_next_best(scope: str) -> None:
    nowhere = dict.fromkeys((RECOMMENDED, NONE, USUAL, NEXT), Outlook(float("nan"), float("nan"), ""))
    found = advice(NOTHING, EVERY, limits=(Limit("hue", None),), scope=scope)
    text = said(replace(found, outlooks=nowhere))
    assert text[0] == "Recommended: train without augmentation; nothing is forecast, since no class has two images."
    assert [line.partition(":")[0] for line in text[1:-1]] == [
        "forecast for no augmentation",
        "forecast for the usual default (color jitter to 0.4)",
    ]
    assert any(line.startswith("hue: left out") for line in said(found))
