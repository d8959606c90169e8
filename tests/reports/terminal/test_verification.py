"""What a terminal and a picture show of a verification, and what is said beside a policy."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

from rich.console import Console

from cuesense.policies.policy import Limit, Outlook, Policy, uniform
from cuesense.reports.charts.forecast_outcome import scatter
from cuesense.reports.terminal.policy import lines
from cuesense.reports.terminal.verification import render
from cuesense.schemas.base import Estimate
from cuesense.schemas.profile import TrainedModel
from cuesense.schemas.verification import AgreementResult, ArmResult, ClassResult, Leak, Verification

NARROW = "\N{NO-BREAK SPACE}%"
EVERY = uniform({"hue": 0.1}, ("lemon", "bus"))
NOTHING = Estimate(value=0.0, low=0.0, high=0.0)


def arm(name: str, changes: list[float], forecasts: list[float | None], **more: object) -> ArmResult:
    classes = [
        ClassResult(
            name=f"<class {index}>",
            images=50,
            recall=0.8 + change,
            recall_change=Estimate(value=change, low=change - 0.03, high=change + 0.03),
            precision=0.8,
            precision_change=NOTHING,
            forecast_loss=forecast,
        )
        for index, (change, forecast) in enumerate(zip(changes, forecasts, strict=True))
    ]
    known: dict[str, object] = {
        "name": name,
        "doses": "random_resized_crop 0.08",
        "policy": {"scope": "global"},
        "same_as": None,
        "mean": 0.75,
        "mean_change": Estimate(value=-0.05, low=-0.07, high=-0.03),
        "worst": 0.5,
        "worst_change": -0.2,
        "worst_class": "<class 1>",
        "forecast_mean": 0.7,
        "forecast_worst": 0.45,
        "harmed": 1,
        "over_tolerance": ["<class 1>"],
        "surely_over": [],
        "classes": classes,
    }
    return ArmResult.model_validate(known | more)


def found(*arms: ArmResult, spearman: float | None = 0.9) -> Verification:
    return Verification(
        tolerance=0.05,
        confidence=0.95,
        seeds=[1, 2],
        recipe={},
        train={},
        images=1234,
        arms=list(arms),
        agreement=AgreementResult(spearman=spearman, slope=0.8, error=0.04, auroc=None, pairs=4),
        warnings=["Beware."],
    )


PLAIN = arm("none", [0.0, 0.0], [None, None], policy=None, over_tolerance=[])
USUAL = arm("usual", [0.02, -0.2], [0.0, 0.3])
BY_CLASS = arm(
    "per_class",
    [0.0, -0.1],
    [0.0, 0.1],
    leaks=[
        Leak(name="<class 0>", share=0.3, control=0.1, excess=Estimate(value=0.2, low=0.1, high=0.3)),
        Leak(name="<class 1>", share=0.3, control=0.3, excess=Estimate(value=0.0, low=-0.1, high=0.1)),
    ],
)
SAME = arm("global", [0.0, 0.0], [0.0, 0.0], same_as="none")


def shown(verification: Verification, width: int = 100) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width).print(render(verification))
    return stream.getvalue()


def test_a_terminal_shows_every_policy_in_eighty_columns() -> None:
    said = shown(found(PLAIN, USUAL, SAME, BY_CLASS), 80)
    assert "…" not in said
    assert "2 seeds, 1,234 test images" in said
    for words in (
        "none",
        "usual",
        "as none",
        "-5.0 ±2.0",
        "-20.0",
        "70.0\N{NO-BREAK SPACE}% / 45.0\N{NO-BREAK SPACE}%",
    ):
        assert words in said
    assert "rank correlation 0.90" in " ".join(said.split())
    assert "warning: Beware." in said


def test_it_names_the_harmed_and_what_leaks() -> None:
    said = shown(found(PLAIN, USUAL, BY_CLASS), 200)
    assert "usual (random_resized_crop 0.08): more than 5 points lost by <class 1> (0 of them for certain)" in said
    assert "Classes recognized by their augmentation, per class: <class 0> 20.0\N{NO-BREAK SPACE}pp" in said
    assert "no two losses differ" in shown(found(PLAIN, spearman=None))


def test_the_picture_has_a_dot_a_class_and_policy_and_escapes_names() -> None:
    picture = scatter(found(PLAIN, USUAL, SAME, BY_CLASS))
    root = ET.fromstring(picture)
    titles = [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[0] == "Forecast and real loss of recall: 4 dots, one a class and policy"
    assert titles[2] == "<class 1>, usual: forecast 30.0, real 20.0 points"
    dots = [element for element in root.iter("{http://www.w3.org/2000/svg}circle") if len(element)]
    heights = [float(dot.attrib["cy"]) for dot in dots]
    assert heights[1] < heights[3] < heights[2] < heights[0]
    assert float(dots[0].attrib["cx"]) == float(dots[2].attrib["cx"]) < float(dots[3].attrib["cx"])


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
        "forecast for none: 90.0 % on average without gains, worst class 70.0 % (lemon)".replace(" %", NARROW),
        "forecast for usual: 80.0 % on average without gains, worst class 40.0 % (lemon)".replace(" %", NARROW),
    ]
    underfit = lines(limits, {"none": none}, 1.01, {}, EVERY)
    assert underfit[3].startswith("warning: trained without augmentation, the networks of the forecast reach 90.0")
    assert lines(limits[1:2], {}, None, {}, EVERY)[1:] == [
        "No augmentation is shown to be safe for every class: the policy for all classes is empty.",
        lines([], {}, None, {}, EVERY)[-1],
    ]


def test_what_was_verified_is_said_with_a_warning_where_it_harmed() -> None:
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
