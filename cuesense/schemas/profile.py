"""profile.json: which cue each class relies on, and how far each may be augmented.

The whole document is ``Profile``. Its larger parts stand in ``profile_provenance``, ``profile_curves``,
``profile_budgets``, ``profile_pipeline`` and ``profile_training``; all of them are imported from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from cuesense.schemas.base import UNKNOWN, Document, Estimate, JsonModel
from cuesense.schemas.by_name import ByName
from cuesense.schemas.profile_budgets import BudgetModel, GlobalBudget, PolicyModel, budget_model
from cuesense.schemas.profile_checks import profile_problems
from cuesense.schemas.profile_curves import Counts, CurveModel, UnpairedCounts, curves_frame
from cuesense.schemas.profile_graded import (
    ColumnModel,
    GradedSummary,
    KeptModel,
    LeanModel,
    LeanSummary,
    PairsModel,
    RankedClass,
    ShapeScaleModel,
    SharpenModel,
    certain,
    graded_row,
    in_order_of_lean,
    ranked,
)
from cuesense.schemas.profile_pipeline import CostModel, PipelineModel, StepModel, TakenModel, TrainingModel
from cuesense.schemas.profile_provenance import AdaptiveInfo, DatasetInfo, ModelInfo, Provenance
from cuesense.schemas.profile_training import (
    ForecastModel,
    LeakModel,
    LossModel,
    TrainedBudget,
    TrainedModel,
    VerifiedModel,
)
from cuesense.types import Cue, CueVerdict, LazyFunction

if TYPE_CHECKING:
    import pandas as pd

    from cuesense.reports.plots.profile import ProfilePlots

# What draws a profile lies in rooms above this one, which read profiles: they are imported when they are asked.
_CLASS_SUMMARY = LazyFunction("cuesense.reports.summaries:class_summary")
_SUMMARY = LazyFunction("cuesense.reports.summaries:profile_summary")
_NOTEBOOK = LazyFunction("cuesense.reports.html.notebook:profile_html")
_PLOTS = LazyFunction("cuesense.reports.plots.profile:ProfilePlots")
_PAGE = LazyFunction("cuesense.workflows.profile_files:report")
_FIFTYONE = LazyFunction("cuesense.reports.loggers.fiftyone:to_fiftyone")

# How the warning begins that names the classes onto which predictions collapse.
SINK_WARNING = "Sink classes"

__all__ = [
    "SINK_WARNING",
    "AdaptiveInfo",
    "BudgetModel",
    "ClassModel",
    "ColumnModel",
    "CostModel",
    "Counts",
    "CueModel",
    "CurveModel",
    "DatasetInfo",
    "ForecastModel",
    "GlobalBudget",
    "GradedSummary",
    "GroupModel",
    "KeptModel",
    "LeakModel",
    "LeanModel",
    "LeanSummary",
    "LossModel",
    "ModelInfo",
    "PairsModel",
    "PipelineModel",
    "PolicyModel",
    "Profile",
    "Provenance",
    "RankedClass",
    "RivalModel",
    "ShapeScaleModel",
    "SharpenModel",
    "StepModel",
    "Summary",
    "TakenModel",
    "TrainedBudget",
    "TrainedModel",
    "TrainingModel",
    "UnpairedCounts",
    "VerdictRule",
    "VerifiedModel",
    "budget_model",
]


class Summary(JsonModel):
    """The whole model in a few numbers."""

    clean_accuracy: float | None = Field(description="share of all images that are recognized; null without images")
    worst_class_accuracy: float | None = Field(description="lowest clean accuracy of a class; null without images")
    labels: dict[CueVerdict, int] = Field(description="number of classes with each verdict")
    warnings: list[str] = Field(description="what to know before trusting the numbers, in sentences")
    graded: GradedSummary = Field(
        default=GradedSummary(), description="what the shares kept and the leans of the classes are worth"
    )


class RivalModel(JsonModel):
    """A class that takes images which this class loses under a perturbation at its strongest value."""

    rival: str = Field(alias="class", description="the class that takes them")
    perturbation: str = Field(description="name of the perturbation")
    share: float = Field(description="share of the losing class's images, in [0, 1]")


class CueModel(Estimate):
    """The evidence for one cue; value, low and high are its necessity: the share that is lost without the cue.

    Shares are of the class's explainable images: recognized clean, and not when all cues are removed.
    """

    sufficiency: Estimate = Field(default=UNKNOWN, description="share that is kept when this cue alone is left")
    second: Estimate = Field(
        default=UNKNOWN, description="share that is lost under a second, independent suppression of the cue"
    )
    agree: bool | None = Field(
        default=None, description="whether both suppressions lead to the same verdict; null where one was not measured"
    )
    raw: float | None = Field(default=None, description="necessity without the prior correction")
    q: float | None = Field(
        default=None, description="false discovery rate at which the suppression costs more images than a sham"
    )
    images: float | None = Field(default=None, description="explainable images that the necessity is a share of")
    sufficiency_images: float | None = Field(default=None, description="those that the sufficiency is a share of")
    shapley: float | None = Field(
        default=None, description="Shapley share of this cue in what the class keeps beyond guessing"
    )
    necessary: bool = Field(default=False, description="whether q is at most labeling.false_discovery")


class ClassModel(JsonModel):
    """Everything known about one class."""

    index: int = Field(description="index of the class in the dataset, from 0")
    name: str = Field(description="readable name")
    images: int = Field(description="number of its images")
    clean_accuracy: float | None = Field(description="share of them that is recognized; null without images")
    cue: CueVerdict = Field(description="what the model relies on to recognize the class")
    probabilities: dict[CueVerdict, float] = Field(
        default={}, description="probability of every verdict but fine detail and undetermined; they add up to 1"
    )
    reliance: dict[Cue, CueModel] = Field(description="the evidence for each cue")
    flags: dict[str, str] = Field(
        default={},
        description="what to know beside the verdict, each explained: sink, confused_with, by_elimination, weak_class, "
        "few_images, texture_unconfirmed",
    )
    why: str = Field(description="a sentence that can be checked against the curves")
    budgets: dict[str, BudgetModel] = Field(description="by augmentation")
    rivals: list[RivalModel] = Field(
        description="classes that take its images, the largest share first: under each augmentation the one that takes "
        "most, and the five largest under any perturbation"
    )
    kept: dict[str, KeptModel] = Field(
        default={},
        description="share that stays recognized, by column: without_shape, without_texture, without_color, "
        "shape_alone, texture_alone, color_alone",
    )
    lean: dict[Cue, LeanModel] = Field(
        default={}, description="how much more it relies on each cue than the average class"
    )
    shape_scale: ShapeScaleModel = Field(
        default=ShapeScaleModel(value=None, low=None, high=None),
        description="on which tiles half of the class is kept when they are shuffled",
    )

    @property
    def leans_to(self) -> Cue | None:
        """The cue with the largest lean, where that is certainly above the average class's; else None."""
        return certain(self.lean)

    def __repr__(self) -> str:
        """Return the class in one line: images, accuracy, cue and budgets."""
        return str(_CLASS_SUMMARY(self))

    def __str__(self) -> str:
        """Return the same line."""
        return repr(self)


class GroupModel(JsonModel):
    """The verdict on several classes together, where single classes have too little evidence."""

    name: str = Field(description="name of the group")
    classes: int = Field(description="classes whose evidence counts")
    images: int = Field(description="images of these classes")
    cue: CueVerdict = Field(description="verdict on most of its classes; undetermined where no majority is shown")
    shares: dict[CueVerdict, Estimate] = Field(description="estimated share of each verdict among its classes")
    members: dict[str, CueVerdict] = Field(description="verdict on each class in the light of the others")


class VerdictRule(JsonModel):
    """How verdicts were given."""

    certainty: float = Field(description="least probability of a verdict; below it stands undetermined")
    false_discovery: float = Field(description="largest q at which a cue counts as necessary")
    confidence: float = Field(description="level of the intervals, in (0.5, 1)")
    rule: str = Field(description="the rule in sentences")


class Profile(Document):
    """What a model relies on, class by class; read and written as JSON.

    The field names are a contract; the JSON Schema is in ``assets/profile.schema.json``. ``classes`` is a list that
    also finds a class by its name: ``profile.classes["lemon"]``.
    """

    NOUN: ClassVar[str] = "profile"
    FILE_NAME: ClassVar[str] = "profile.json"
    COMMAND: ClassVar[str] = "cuesense analyze"

    provenance: Provenance = Field(description="where the numbers come from")
    summary: Summary = Field(description="the whole model in a few numbers")
    curves: list[CurveModel] = Field(description="the counts under every perturbation")
    classes: ByName[ClassModel] = Field(description="every class, in the order of the counts")
    groups: list[GroupModel] = Field(default=[], description="all classes together, then every group")
    labeling: VerdictRule | None = Field(default=None, description="how verdicts were given")
    policy: PolicyModel = Field(description="the budgets as a training run would use them")
    forecast: ForecastModel | None = Field(default=None, description="what training would cost; null if not forecast")
    verified: VerifiedModel | None = Field(default=None, description="what training did cost; null if not verified")
    pipeline: PipelineModel | None = Field(
        default=None, description="what the training transform costs, step by step; null if none was named"
    )

    def __repr__(self) -> str:
        """Return the model, the images, the accuracy and what was found, in a few lines."""
        return str(_SUMMARY(self))

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the headline, the cue map, and the ten classes that lose most."""
        return str(_NOTEBOOK(self))

    @property
    def plot(self) -> ProfilePlots:
        """Charts as axes of matplotlib: ``cue_map()``, ``curves(class_name)``, ``confusions()`` and ``budgets()``.

        Raises:
            SettingsError: matplotlib is not installed (``pip install 'cuesense[plot]'``).
        """
        plots: ProfilePlots = _PLOTS(self)
        return plots

    def report(self, path: str | Path = "report.html", format: str | None = None) -> Path:
        """Write the profile as a page, or in another format.

        The page has the example images of the folder that the profile was read from or written to.

        Args:
            path: The file to write.
            format: ``"html"``, ``"markdown"``, ``"json"`` or ``"model-card"``; None takes the one that the file's
                ending stands for (``.html``, ``.md``, ``.json``).

        Returns:
            The written file.

        Raises:
            SettingsError: There is no such format, or the ending stands for none.
            OutputError: The file cannot be written.
        """
        written: Path = _PAGE.resolve()(self, path, format=format)
        return written

    def to_fiftyone(
        self,
        dataset: Any,
        predictions: str | Path | None = None,
        perturbations: Sequence[str] | None = None,
        prefix: str = "cuesense",
    ) -> int:
        """Write what happens to every image into a FiftyOne dataset, or a CSV file that FiftyOne imports.

        The fields: ``cuesense_correct`` (whether the clean image is recognized), ``cuesense_predicted`` (what it is
        taken for), ``cuesense_first_failure`` (the mildest condition under which it no longer is, such as
        ``"color_jitter 0.2"``) and ``cuesense_rival`` (what it is taken for there, or when clean where that is wrong).

        Args:
            dataset: A ``fiftyone.Dataset`` with the analyzed images, which are found by their paths below one folder:
                the one that ends in the analyzed dataset's name, else the one with most of them. Samples elsewhere get
                no values. Or the name of a CSV file to write, such as ``"images.csv"``, in which ``filepath`` is
                relative to the analyzed folder (``fiftyone.types.CSVDataset`` with ``data_path``).
            predictions: The output folder of ``analyze``, or its predictions.parquet: a profile knows no single images.
                None takes the folder that the profile was read from or written to.
            perturbations: Names of perturbations that count as conditions; None counts every augmentation.
            prefix: What the names of the fields begin with.

        Returns:
            How many images were written.

        Raises:
            SettingsError: There are no such predictions, they are of other classes or images, two folders have as many
                images of their names, or the dataset is neither FiftyOne's nor a name that ends in ``.csv``.
        """
        return int(_FIFTYONE(self, dataset, predictions, perturbations, prefix))

    @property
    def warnings_to_repeat(self) -> list[str]:
        """The warnings that hold for whatever is made of the profile: about model and images, not sink classes."""
        return [warning for warning in self.summary.warnings if not warning.startswith(SINK_WARNING)]

    def problems(self) -> Iterator[str]:
        """Yield a clause for everything in the profile that cannot be."""
        return profile_problems(self)

    def ranking(self, cue: Cue | str) -> list[RankedClass]:
        """Return the classes in the order of one cue, the one that relies on it most first.

        Args:
            cue: ``"shape"``, ``"texture"`` or ``"color"``.

        Returns:
            For every class its name, lean with bounds, reliance, how many classes it certainly exceeds, and the
            probability that it is among the top fifth; classes whose lean is not known come last.

        Raises:
            SettingsError: There is no such cue, or the profile knows nothing of it (an old file, for instance).
        """
        return ranked(self.classes, cue)

    @property
    def classes_by_lean(self) -> list[ClassModel]:
        """The classes grouped by the cue to which each leans most, the strongest lean first."""
        return in_order_of_lean(self.classes)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a class for pandas.

        CUE stands for shape, texture and color, AUGMENTATION for every augmentation that was measured, such as
        ``color_jitter``. Bounds hold at ``policy.confidence``. Unknown numbers are NaN.

        | Column | Meaning | Unit | Range |
        |---|---|---|---|
        | name | name of the class | text | |
        | images | images that it has | images | 0 .. |
        | clean_accuracy | share of them that is recognized | fraction | 0 .. 1 |
        | cue | what the model relies on | text | a ``CueVerdict`` |
        | probability | probability of the likeliest verdict | fraction | 0 .. 1 |
        | CUE_value, CUE_low, CUE_high | share lost without the cue | fraction of the explainable | 0 .. 1 |
        | CUE_necessary | whether it is shown to be needed | true or false | |
        | CUE_sufficiency | share kept on this cue alone | fraction | 0 .. 1 |
        | leans_to | cue with the largest lean, where it is certainly above 0 | text | a ``Cue`` |
        | CUE_lean, CUE_lean_low, CUE_lean_high | reliance minus the average class's | fraction | -1 .. 1 |
        | CUE_lean_rank | 1 for the class that relies on the cue most | rank | 1 .. |
        | CUE_lean_top_fifth | chance to be in the fifth that relies on it most | fraction | 0 .. 1 |
        | without_CUE, without_CUE_low, without_CUE_high | share kept without the cue | fraction | 0 .. 1 |
        | CUE_alone, CUE_alone_low, CUE_alone_high | share kept on the cue alone | fraction | 0 .. 1 |
        | flags | what to beware of, names with spaces between | text | keys of ``ClassModel.flags`` |
        | AUGMENTATION_value | budget: the strongest value within the risk | its own | |
        | AUGMENTATION_status | how far it may go | text | a ``BudgetStatus`` |
        | AUGMENTATION_drop | expected accuracy drop there, else at the mildest | fraction | -1 .. 1 |
        | AUGMENTATION_low, AUGMENTATION_high | bounds of the drop | fraction | -1 .. 1 |
        | AUGMENTATION_risk | chance of a drop above ``policy.tolerance`` there | fraction | 0 .. 1 |
        | AUGMENTATION_certified | strongest value that this class alone shows safe | its own | |
        | shape_tile, shape_tile_low, shape_tile_high | tiles on which half is kept | fraction of the side | 0 .. 1 |
        | why | a sentence that can be checked against the curves | text | |

        A status is ``unlimited`` (the report calls it any), ``limited`` (up to the value), ``none`` or
        ``undetermined``; the unit of a value is ``classes[i].budgets[name].unit``. Columns of the graded answer
        (leans_to, lean, without, alone) are left out where the profile has none.

        Returns:
            The table; its index is the class's index in the dataset.
        """
        import pandas as pd

        rows = [_class_row(entry) for entry in self.classes]
        frame = pd.DataFrame(rows, index=pd.Index([entry.index for entry in self.classes], name="index"))
        # Of a column in which no number is known pandas makes one of objects, which cannot be sorted.
        unknown = [name for name in frame.columns if name != "leans_to" and frame[name].isna().all()]
        # Copied, so that columns lie together: of more than a hundred that do not, pandas warns.
        return frame.astype(dict.fromkeys(unknown, float)).copy()

    def curves_frame(self) -> pd.DataFrame:
        """Return one row a perturbation, severity and class for pandas.

        Returns:
            Columns: perturbation, role, cue, parameter, unit, severity (from 1), value, class, n, seen (images looked
            at: all n but in an adaptive run), repeats, clean_correct, lost, gained, accuracy_drop (fraction of those
            looked at; missing where the class has no images).
        """
        return curves_frame(self.curves, [entry.name for entry in self.classes])


_BUDGET_COLUMNS = {"value", "status", "drop", "low", "high", "risk", "certified"}
_SCALE_COLUMNS = {"": "value", "_low": "low", "_high": "high"}


def _class_row(entry: ClassModel) -> dict[str, Any]:
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
    row |= graded_row(entry)
    row["flags"] = " ".join(entry.flags)
    for name, budget in entry.budgets.items():
        row |= {
            f"{name}_{key}": value for key, value in budget.model_dump(mode="json", include=_BUDGET_COLUMNS).items()
        }
    row |= {f"shape_tile{end}": getattr(entry.shape_scale, key) for end, key in _SCALE_COLUMNS.items()}
    return row | {"why": entry.why}
