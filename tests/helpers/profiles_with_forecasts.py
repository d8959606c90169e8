"""Profiles whose losses are given: under augmentations at test time, or forecast for training with them."""

from __future__ import annotations

from collections.abc import Sequence

from cuesense.schemas.profile import ForecastModel, LeakModel, LossModel, Profile, RivalModel
from tests.helpers.profiles import NAMES, profile

CROP, JITTER = "random_resized_crop", "color_jitter"

# Images lost by each of three classes, mild to strong: crops harm the second most, any jitter harms the third.
LOST = {
    CROP: [[0, 0, 0], [0, 0, 0], [0, 60, 0], [0, 150, 90]],
    JITTER: [[0, 0, 90], [0, 0, 90], [0, 0, 90], [0, 0, 90]],
}
# Recall that training with an augmentation is forecast to cost each of three classes, mild to strong.
CLEAN = [[0.0] * 3] * 4
CROPPED = [[0.0, 0.0, -0.2], [0.0, 0.02, -0.2], [0.0, 0.2, -0.2], [0.0, 0.4, -0.2]]


def planted(lost: dict[str, list[list[int]]], images: int = 200, rivals: dict[int, list[tuple[int, str, float]]] = {}):  # noqa: B006
    """Return a profile of three classes, all recognized, that loses just these images (severities by classes)."""
    base = profile(3, images=images)
    curves = []
    for curve in base.curves:
        nothing = [[0] * 3 for _ in curve.values]
        found = lost.get(curve.perturbation, nothing)
        counts = {"clean_correct": [images] * 3, "lost": found, "gained": nothing, "repeats": 1}
        curves.append(curve.model_copy(update=counts))
    classes = [
        entry.model_copy(
            update={
                "rivals": [
                    RivalModel(rival=NAMES[other], perturbation=name, share=share)
                    for other, name, share in rivals.get(entry.index, [])
                ]
            }
        )
        for entry in base.classes
    ]
    return base.model_copy(update={"curves": curves, "classes": classes})


def forecast(
    losses: dict[str, list[list[float]]], spread: float = 0.01, leaks: Sequence[LeakModel] = (), runs: int = 1
) -> Profile:
    """Return a profile of three classes that are forecast to lose just this; gains count from two runs on."""
    base = planted({})
    found = {}
    for curve in base.curves:
        if curve.perturbation in losses:
            loss = losses[curve.perturbation]
            doubt = [[spread] * 3 for _ in loss]
            found[curve.perturbation] = LossModel(
                parameter=curve.parameter,
                unit=curve.unit,
                values=curve.values,
                loss=loss,
                spread=doubt,
                low=loss,
                high=loss,
                flags=[["unclear"] * 3 for _ in loss],
                leaks=list(leaks),
            )
    block = ForecastModel(
        method="trained",
        probability=0.8,
        runs=runs,
        recipe={},
        train=None,
        accuracy=[0.9, 0.8, 0.7],
        augmentations=found,
    )
    return base.model_copy(update={"forecast": block})
