"""How predictions change with the severity of each perturbation: the counts from which all else in a profile follows.

Counts are whole numbers, so that parts of a run add up exactly and every rate can be computed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from cuesense import registry
from cuesense.arrays import Floats, Ints
from cuesense.schemas.base import JsonModel
from cuesense.stats.intervals import nan_below
from cuesense.types import Cue, Curve, Perturbation, Role, Unpaired

if TYPE_CHECKING:
    import pandas as pd


class Counts(JsonModel):
    """Counts after the prior correction (docs/method.md), shaped as those of the curve that holds them."""

    clean_correct: list[int] = Field(description="images recognized without perturbation, one number a class")
    lost: list[list[int]] = Field(description="as in the curve, after the correction")
    gained: list[list[int]] = Field(description="as in the curve, after the correction")


class UnpairedCounts(JsonModel):
    """Counts of perturbed images where these are other images than the clean ones, per severity and class."""

    n: list[list[int]] = Field(description="perturbed images times repeats")
    correct: list[list[int]] = Field(description="how many of them are recognized")


class CurveModel(JsonModel):
    """The counts under one perturbation, per severity (outer list, mild to strong) and class (inner list).

    ``lost`` and ``gained`` count images times repeats: divide by ``n * repeats`` for a rate, and by ``seen * repeats``
    where ``seen`` is given. Where ``unpaired`` is given, the perturbed images are other images than the clean ones, and
    the two are the rounded difference of rates.
    """

    perturbation: str = Field(description="name of the perturbation")
    cue: Cue | None = Field(description="the one cue it suppresses; null where it suppresses none or several")
    suppresses: list[Cue] = Field(description="every cue it suppresses")
    role: Role = Field(description="why it is applied")
    parameter: str = Field(description="what the values are, for instance sigma")
    unit: str = Field(description="unit of the values")
    values: list[float] = Field(description="physical strength at severity 1, 2, ..., mild to strong, in the unit")
    pixels: list[float] | None = Field(
        description="the values in pixels; null where they are not fractions of the image's shorter side"
    )
    repeats: int = Field(description="how often each image was perturbed at each severity, with new random draws")
    n: list[int] = Field(description="images of each class")
    clean_correct: list[int] = Field(description="images of each class that are recognized without perturbation")
    lost: list[list[int]] = Field(description="images times repeats recognized clean and not when perturbed")
    gained: list[list[int]] = Field(description="images times repeats recognized when perturbed and not clean")
    unpaired: UnpairedCounts | None = Field(
        default=None, description="the perturbed images' own counts; null where they are the clean images"
    )
    squared: list[list[int]] | None = Field(
        default=None,
        description="per severity and class: each image's wrong repeats minus right ones, counted against the clean "
        "image, squared and added up over the images; it says what the repeats tell; null for one repeat, and in older "
        "files",
    )
    seen: list[list[int]] | None = Field(
        default=None,
        description="images of each class that were looked at, per severity, where these are not all of them (an "
        "adaptive run): lost, gained and squared count these; null where all were",
    )
    corrected: Counts = Field(description="the counts after correcting for classes that draw too many predictions")

    def images_at(self, severity: int) -> list[int]:
        """Return the images of each class that lost and gained count at a severity, from 1."""
        return self.n if self.seen is None else self.seen[severity - 1]

    @property
    def images(self) -> Ints:
        """Images that lost and gained count, (S, C)."""
        return np.array(self.seen if self.seen is not None else [self.n] * len(self.values))

    @property
    def recognized(self) -> Floats:
        """How many of ``images`` are recognized, on average over the repeats, real numbers, (S, C).

        Divided by ``images`` they are accuracies. Where a severity was measured on a part of the images, its accuracy
        is the clean accuracy of all images minus ``drop``, within [0, 1].
        """
        clean = np.array(self.clean_correct) * self.images / np.maximum(self.n, 1)
        change = np.array(self.gained) - np.array(self.lost)
        return np.asarray(np.clip(clean + change / self.repeats, 0, self.images))

    @property
    def drop(self) -> Floats:
        """Accuracy drops as they were counted, fractions, (S, C); NaN where there are no images."""
        return np.asarray(
            (np.array(self.lost) - np.array(self.gained)) / (nan_below(self.images, at_least=1) * self.repeats)
        )

    def to_curve(self) -> Curve:
        """Return the counts as budgets are computed from them: the raw ones, without the prior correction.

        Raises:
            SettingsError: The perturbation is not registered in this installation.
        """
        entry: Perturbation = registry.get("perturbations", self.perturbation)
        unpaired = self.unpaired
        return Curve(
            # The profile's own values count: a configuration may have measured others than the registered ladder.
            perturbation=replace(entry, ladder=tuple(self.values)),
            n=np.array(self.n),
            clean_correct=np.array(self.clean_correct),
            lost=np.array(self.lost),
            gained=np.array(self.gained),
            repeats=self.repeats,
            unpaired=None if unpaired is None else Unpaired(np.array(unpaired.n), np.array(unpaired.correct)),
            squared=None if self.squared is None else np.array(self.squared),
            seen=None if self.seen is None else np.array(self.seen),
        )


def curves_frame(curves: Sequence[CurveModel], class_names: Sequence[str]) -> pd.DataFrame:
    """Return one row a perturbation, severity and class; the columns are those of ``Profile.curves_frame``.

    Args:
        curves: At least one curve over C classes.
        class_names: The C names.
    """
    import pandas as pd

    parts = [
        _severity_frame(curve, severity, class_names)
        for curve in curves
        for severity in range(1, len(curve.values) + 1)
    ]
    frame = pd.concat(parts, ignore_index=True)
    # A class without images has no rate: a missing value, not a division by zero.
    images = (frame["seen"] * frame["repeats"]).replace(0, float("nan"))
    frame["accuracy_drop"] = (frame["lost"] - frame["gained"]) / images
    return frame


def _severity_frame(curve: CurveModel, severity: int, class_names: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "perturbation": curve.perturbation,
            "role": curve.role.value,
            "cue": curve.cue and curve.cue.value,
            "parameter": curve.parameter,
            "unit": curve.unit,
            "severity": severity,
            "value": curve.values[severity - 1],
            "class": class_names,
            "n": curve.n,
            "seen": curve.images[severity - 1],
            "repeats": curve.repeats,
            "clean_correct": curve.clean_correct,
            "lost": curve.lost[severity - 1],
            "gained": curve.gained[severity - 1],
        }
    )
