"""The profile and its JSON (schema_version 1): the only module that knows the format."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cuesense import registry
from cuesense.errors import SettingsError, expected
from cuesense.stats.training_loss import Forecast
from cuesense.types import (
    Budget,
    BudgetStatus,
    Cue,
    CueVerdict,
    Curve,
    Perturbation,
    Role,
    Unpaired,
)

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION: Literal[1] = 1


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ModelInfo(_Model):
    """Which model was analyzed and how its images were prepared."""

    spec: str
    sha256: str | None
    architecture: str
    preprocessing: dict[str, Any]


class DatasetInfo(_Model):
    """Which images were analyzed."""

    spec: str
    images: int
    classes: int
    fingerprint: str


class Provenance(_Model):
    """Where the numbers come from: enough to repeat the run."""

    cuesense: str
    created: str
    model: ModelInfo
    dataset: DatasetInfo
    config: dict[str, Any]
    seed: int
    device: str
    versions: dict[str, str]


class Summary(_Model):
    """The whole model in a few numbers."""

    clean_accuracy: float | None
    worst_class_accuracy: float | None
    labels: dict[CueVerdict, int]
    warnings: list[str]


class Counts(_Model):
    """Counts over the dataset's classes after the prior correction (see docs/method.md), shaped as in CurveModel."""

    clean_correct: list[int]
    lost: list[list[int]]
    gained: list[list[int]]


class UnpairedCounts(_Model):
    """Image-repeats of perturbed images that are not the clean ones, and how many are right, shaped as ``lost``."""

    n: list[list[int]]
    correct: list[list[int]]


class CurveModel(_Model):
    """The dose-response of one perturbation: integer counts, per severity (outer) and class (inner).

    ``lost`` and ``gained`` count image-repeats: divide by ``n * repeats`` for a rate. Where ``unpaired`` is given, the
    perturbed images are other images than the clean ones, and lost and gained are the rounded difference of the rates.
    """

    perturbation: str
    cue: Cue | None
    suppresses: list[Cue]
    role: Role
    parameter: str
    unit: str
    values: list[float]
    pixels: list[float] | None = Field(description="the values in pixels, where they are fractions of the shorter side")
    repeats: int
    n: list[int]
    clean_correct: list[int]
    lost: list[list[int]]
    gained: list[list[int]]
    unpaired: UnpairedCounts | None = None
    corrected: Counts

    def to_curve(self) -> Curve:
        """Return the counts as scoring takes them (the raw ones, without the prior correction)."""
        entry: Perturbation = registry.get("perturbations", self.perturbation)
        unpaired = self.unpaired
        return Curve(
            perturbation=replace(entry, ladder=tuple(self.values)),
            n=np.array(self.n),
            clean_correct=np.array(self.clean_correct),
            lost=np.array(self.lost),
            gained=np.array(self.gained),
            repeats=self.repeats,
            unpaired=None if unpaired is None else Unpaired(np.array(unpaired.n), np.array(unpaired.correct)),
        )


class IntervalModel(_Model):
    """An estimate and its confidence bounds, null where unknown."""

    value: float | None
    low: float | None
    high: float | None


UNKNOWN = IntervalModel(value=None, low=None, high=None)


class BudgetModel(_Model):
    """The strongest dose of one augmentation that is shown to be safe for one class."""

    parameter: str
    unit: str
    value: float | None
    status: BudgetStatus
    drop: float | None
    low: float | None
    high: float | None
    limited_by: str | None


class RivalModel(_Model):
    """A class that takes over lost images."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

    rival: str = Field(alias="class")
    perturbation: str
    share: float


class CueModel(IntervalModel):
    """What speaks for one cue; value, low and high are its necessity: the share that is lost without it.

    Shares are of the class's explainable images: recognized clean, and not when all cues are removed.
    """

    sufficiency: IntervalModel = Field(default=UNKNOWN, description="share that is kept when this cue alone is left")
    second: IntervalModel = Field(
        default=UNKNOWN, description="share that is lost under an independent suppression of the cue"
    )
    agree: bool | None = Field(default=None, description="whether both suppressions say the same")
    raw: float | None = Field(default=None, description="necessity without the prior correction")
    q: float | None = Field(
        default=None, description="false discovery rate at which the suppression costs more than a sham"
    )
    images: float | None = Field(default=None, description="explainable images that the necessity is a share of")
    sufficiency_images: float | None = Field(default=None, description="those that the sufficiency is a share of")
    shapley: float | None = Field(
        default=None, description="share of what is kept without guessing that this cue carries (Shapley)"
    )
    necessary: bool = Field(default=False, description="whether q is at most labeling.false_discovery")


class GroupModel(_Model):
    """The answer for several classes together: the estimated share of each label among them, with its interval."""

    name: str
    classes: int
    images: int
    cue: CueVerdict
    shares: dict[CueVerdict, IntervalModel]
    members: dict[str, CueVerdict]


class Labeling(_Model):
    """How labels were given."""

    certainty: float
    false_discovery: float
    confidence: float
    rule: str


class ClassModel(_Model):
    """Everything known about one class."""

    index: int
    name: str
    images: int
    clean_accuracy: float | None
    cue: CueVerdict
    probabilities: dict[CueVerdict, float] = Field(default={}, description="of every label but undetermined")
    reliance: dict[Cue, CueModel]
    flags: dict[str, str] = Field(default={}, description="sink, confused_with, by_elimination, weak_class, few_images")
    why: str
    budgets: dict[str, BudgetModel]
    rivals: list[RivalModel]


class GlobalBudget(_Model):
    """One augmentation's strongest dose that is safe for every class."""

    value: float | None
    status: BudgetStatus
    limited_by_class: str | None


class PolicyModel(_Model):
    """The budgets as a training run would use them: each augmentation samples from (value, identity)."""

    tolerance: float
    confidence: float
    global_: dict[str, GlobalBudget] = Field(alias="global")
    per_class: dict[str, dict[str, float | None]]

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)


class LeakModel(_Model):
    """A class that takes another's images in a network trained with an augmentation at its strongest dose."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

    of: str = Field(description="the class that loses images")
    rival: str = Field(alias="class")
    share: float = Field(description="share of the losing class's images, more than without the augmentation")


class LossModel(_Model):
    """What every class loses by training with one augmentation; rows are doses, columns classes.

    Losses are fractions of a class's images, against the same training without the augmentation.
    """

    parameter: str
    unit: str
    values: list[float]
    loss: list[list[float]] = Field(description="expected loss of recall; below 0 it is a gain, which is not promised")
    spread: list[list[float | None]] = Field(description="standard deviation of its error; null: too few images")
    low: list[list[float]] = Field(description="lower end of the range at the policy's confidence, gains cut off")
    high: list[list[float]]
    flags: list[list[Literal["likely loses", "unclear", "likely safe"]]]
    augmented: list[float | None] = Field(
        default=[], description="recall of each class under the strongest dose, by the network adapted to it"
    )
    leaks: list[LeakModel] = []

    def to_forecast(self) -> Forecast:
        """Return the numbers as recoverability takes them."""
        spread = [[np.inf if value is None else value for value in row] for row in self.spread]
        return Forecast(np.array(self.loss), np.array(spread))


class TrainedBudget(BudgetModel):
    """The strongest dose of one augmentation that training with it is forecast to be safe for one class."""

    alternatives: dict[str, float | None] = Field(
        description="doses at less confidence (confidence_0.8, confidence_0.55), and by the test-time curve (test_time)"
    )


class ForecastModel(_Model):
    """What training with the augmentations would cost, forecast by adapting a network to them."""

    method: Literal["trained", "head", "trained and head"]
    probability: float = Field(description="share of the views that are augmented")
    runs: int = Field(description="trainings without and with each augmentation")
    recipe: dict[str, Any] = Field(description="how networks were trained; empty for refitted heads")
    train: DatasetInfo | None = Field(description="the images they were trained on; null for refitted heads")
    accuracy: list[float | None] = Field(description="clean accuracy of each class, adapted without augmentation")
    augmentations: dict[str, LossModel]
    budgets: dict[str, dict[str, TrainedBudget]] = Field(
        default={}, description="by class and augmentation, at the policy's tolerance and confidence"
    )


class TrainedModel(_Model):
    """What training with one policy showed, as means over seeds."""

    policy: dict[str, Any] | None = Field(description="the policy; null for no augmentation")
    mean: float = Field(description="mean of the classes' recalls")
    worst: float = Field(description="the lowest of them")
    over_tolerance: int = Field(description="classes that lost more than the tolerance")


class VerifiedModel(_Model):
    """What ``cuesense verify`` found last."""

    tolerance: float
    seeds: int
    policies: dict[str, TrainedModel]


class Profile(_Model):
    """What a model relies on, class by class; read and written as JSON.

    The field names are a contract; the JSON Schema is in ``assets/profile.schema.json``.
    """

    schema_version: Literal[1] = 1
    provenance: Provenance
    summary: Summary
    curves: list[CurveModel]
    classes: list[ClassModel]
    groups: list[GroupModel] = []
    labeling: Labeling | None = None
    policy: PolicyModel
    forecast: ForecastModel | None = None
    verified: VerifiedModel | None = None

    def to_json(self) -> str:
        """Return the profile as indented JSON with a final newline; equal profiles give equal bytes."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=1, allow_nan=False) + "\n"

    @staticmethod
    def file(path: Path | str) -> Path:
        """Return the path of a profile.json that is named by itself or by its folder."""
        path = Path(path)
        return path / "profile.json" if path.is_dir() else path

    @classmethod
    def read(cls, path: Path | str) -> Profile:
        """Read a profile from a file.

        Args:
            path: A profile.json, or the output folder that holds one.

        Returns:
            The profile.

        Raises:
            SettingsError: There is no such file, or it is no profile of this schema version.
        """
        path = cls.file(path)
        if not path.is_file():
            raise SettingsError(
                expected(
                    "PROFILE", "a profile.json or its folder", f"no file at {path}", "Run `cuesense analyze` first"
                )
            )
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the file"
            raise SettingsError(
                expected(
                    str(path),
                    f"a profile of schema_version {SCHEMA_VERSION}",
                    f"'{first['msg']}' at {place}",
                    "Analyze again with this version of cuesense",
                )
            ) from None

    def to_frame(self) -> pd.DataFrame:
        """Return one row a class for pandas.

        Returns:
            Columns: name, images, clean_accuracy, cue, probability (of the likeliest label);
            ``{shape,texture,color}_{value,low,high,necessary,sufficiency}``; flags, separated by spaces;
            ``{augmentation}_{value,status,drop,low,high}`` for every augmentation; why.
        """
        import pandas as pd

        rows = []
        for entry in self.classes:
            row: dict[str, Any] = {
                "name": entry.name,
                "images": entry.images,
                "clean_accuracy": entry.clean_accuracy,
                "cue": entry.cue.value,
                "probability": max(entry.probabilities.values(), default=None),
            }
            for cue, found in entry.reliance.items():
                row |= {f"{cue.value}_{key}": getattr(found, key) for key in ("value", "low", "high", "necessary")}
                row[f"{cue.value}_sufficiency"] = found.sufficiency.value
            row["flags"] = " ".join(entry.flags)
            for name, budget in entry.budgets.items():
                fields = ("value", "status", "drop", "low", "high")
                row |= {f"{name}_{key}": budget.model_dump(mode="json")[key] for key in fields}
            rows.append(row | {"why": entry.why})
        return pd.DataFrame(rows, index=pd.Index([entry.index for entry in self.classes], name="index"))

    def curves_frame(self) -> pd.DataFrame:
        """Return one row a perturbation, severity and class for pandas.

        Returns:
            Columns: perturbation, role, cue, parameter, unit, severity (from 1), value, class, n, repeats,
            clean_correct, lost, gained, accuracy_drop (fraction; missing where the class has no images).
        """
        import pandas as pd

        names = [entry.name for entry in self.classes]
        parts = [
            pd.DataFrame(
                {
                    "perturbation": curve.perturbation,
                    "role": curve.role.value,
                    "cue": curve.cue and curve.cue.value,
                    "parameter": curve.parameter,
                    "unit": curve.unit,
                    "severity": severity + 1,
                    "value": value,
                    "class": names,
                    "n": curve.n,
                    "repeats": curve.repeats,
                    "clean_correct": curve.clean_correct,
                    "lost": curve.lost[severity],
                    "gained": curve.gained[severity],
                }
            )
            for curve in self.curves
            for severity, value in enumerate(curve.values)
        ]
        frame = pd.concat(parts, ignore_index=True)
        images = (frame["n"] * frame["repeats"]).replace(0, float("nan"))
        frame["accuracy_drop"] = (frame["lost"] - frame["gained"]) / images
        return frame


def budget_model(budget: Budget) -> BudgetModel:
    """Return a budget as the profile keeps it."""
    return BudgetModel(
        parameter=budget.perturbation.parameter,
        unit=budget.perturbation.unit,
        value=budget.value,
        status=budget.status,
        drop=budget.drop.value,
        low=budget.drop.low,
        high=budget.drop.high,
        limited_by=budget.limited_by,
    )
