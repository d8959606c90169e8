"""Small verifications: one policy that costs recall, one that leaks, one that equals another."""

from __future__ import annotations

import numpy as np

from cuesense.reports.verification_text import nothing_learned
from cuesense.schemas.verification import (
    AgreementResult,
    ArmResult,
    BaselineResult,
    ClassResult,
    Estimate,
    Leak,
    Verification,
)
from tests.helpers.profiles import NAMES

NOTHING = Estimate(value=0.0, low=0.0, high=0.0)


def of_accuracy(found: Verification, accuracy: float, *, guessing: bool = False) -> Verification:
    """Return a verification whose networks recognize this share of the images, and whose model 90 % of them."""
    known = BaselineResult(accuracy=accuracy, by_chance=0.083, better_than_guessing=not guessing, model_accuracy=0.9)
    first = [nothing_learned(found.model_copy(update={"baseline": known}))] if guessing else []
    return found.model_copy(update={"baseline": known, "warnings": [*first, *found.warnings]})


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
        "doses": "random resized crop 0.08",
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


def verification(*arms: ArmResult, spearman: float | None = 0.9) -> Verification:
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


def many(classes: int = 12, seed: int = 0) -> Verification:
    """Return a verification of every policy over so many classes, with forecast ranges and takers."""
    random = np.random.default_rng(seed)
    names = [NAMES[index] if index < len(NAMES) else f"class {index:04d}" for index in range(classes)]
    plain = _named(arm("none", [0.0] * classes, [None] * classes, policy=None, over_tolerance=[]), names, random)
    trained = [plain]
    for name in ("usual", "best_uniform", "global", "per_class", "weighted", "relaxed"):
        changes = random.normal(-0.02, 0.05, classes).round(3).tolist()
        foreseen: list[float | None] = [None if name == "weighted" else -change + 0.01 for change in changes]
        over = [names[index] for index, change in enumerate(changes) if change < -0.05]
        known = {"over_tolerance": over, "surely_over": over[:1], "worst_class": names[1], "lowest_gain": 0.02}
        trained.append(_named(arm(name, changes, foreseen, **known), names, random))
    return verification(*trained, arm("grouped", [], [], same_as="global")).model_copy(
        update={"seeds": [1, 2, 3, 4, 5]}
    )


def _named(known: ArmResult, names: list[str], random: np.random.Generator) -> ArmResult:
    classes = []
    for index, entry in enumerate(known.classes):
        more: dict[str, object] = {"name": names[index]}
        if entry.forecast_loss is not None:
            more |= {"forecast_low": entry.forecast_loss - 0.04, "forecast_high": entry.forecast_loss + 0.04}
        if known.policy is not None and index % 3:
            more |= {"taken_by": names[(index + 1) % len(names)], "taken": round(float(random.uniform(0, 0.2)), 3)}
        classes.append(entry.model_copy(update=more))
    return known.model_copy(update={"classes": classes})
