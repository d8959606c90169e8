"""One real document of every JSON contract, one as the first files of it looked, and strategies for any other."""

from __future__ import annotations

from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from hypothesis import strategies as st

from cuesense.comparison.compare import compare
from cuesense.comparison.gate import check
from cuesense.schemas.base import Document, Estimate, JsonModel
from cuesense.schemas.by_name import ByName
from cuesense.schemas.cost import CostEstimate, CostRow
from cuesense.schemas.profile import (
    ForecastModel,
    LeakModel,
    LossModel,
    Profile,
    TrainedBudget,
    TrainedModel,
    VerifiedModel,
)
from cuesense.schemas.readings import ReadingRow, ReadingTable
from cuesense.schemas.verification import AgreementResult, ArmResult, ClassResult, Leak, Verification
from tests.helpers import audits, profiles

Model = TypeVar("Model", bound=JsonModel)

JSON_VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers(), max_size=2)
LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    float: st.floats(allow_nan=False, allow_infinity=False),
    int: st.integers(),
    bool: st.booleans(),
    str: st.text(max_size=5),
    NoneType: st.none(),
    Any: JSON_VALUES,
}

# The documents of schema_version 1 as they were first written: only the fields that were there from the start, and no
# schema_version where its absence is allowed.
OLD: dict[str, dict[str, Any]] = {
    "profile": {
        "schema_version": 1,
        "provenance": {
            "cuesense": "0.1.0",
            "created": "2026-11-24T06:00:00+00:00",
            "model": {"spec": "m.pt", "sha256": None, "architecture": "resnet18", "preprocessing": {}},
            "dataset": {"spec": "photos", "images": 4, "classes": 1, "fingerprint": "ab"},
            "config": {},
            "seed": 0,
            "device": "cpu",
            "versions": {},
        },
        "summary": {"clean_accuracy": 0.75, "worst_class_accuracy": 0.75, "labels": {"color": 1}, "warnings": []},
        "curves": [
            {
                "perturbation": "hue",
                "cue": None,
                "suppresses": [],
                "role": "augmentation",
                "parameter": "shift",
                "unit": "turns",
                "values": [0.1, 0.2],
                "pixels": None,
                "repeats": 1,
                "n": [4],
                "clean_correct": [3],
                "lost": [[0], [2]],
                "gained": [[0], [1]],
                "corrected": {"clean_correct": [3], "lost": [[0], [2]], "gained": [[0], [1]]},
            }
        ],
        "classes": [
            {
                "index": 0,
                "name": "lemon",
                "images": 4,
                "clean_accuracy": 0.75,
                "cue": "color",
                "reliance": {"color": {"value": 0.5, "low": 0.1, "high": 0.9}},
                "why": "lemon loses half of its images under grayscale.",
                "budgets": {
                    "hue": {
                        "parameter": "shift",
                        "unit": "turns",
                        "value": 0.1,
                        "status": "limited",
                        "drop": 0.0,
                        "low": 0.0,
                        "high": 0.04,
                        "limited_by": "own accuracy",
                    }
                },
                "rivals": [{"class": "lime", "perturbation": "hue", "share": 0.5}],
            }
        ],
        "policy": {
            "tolerance": 0.05,
            "confidence": 0.95,
            "global": {"hue": {"value": 0.1, "status": "limited", "limited_by_class": "lemon"}},
            "per_class": {"lemon": {"hue": 0.1}},
        },
    },
    "audit": {
        "regularizer": "mixup",
        "strengths": [0.1, "heavy"],
        "runs": [2, 2],
        "tolerance": 0.05,
        "confidence": 0.95,
        "chosen_by_mean": "heavy",
        "chosen_by_worst_class": 0.1,
        "chosen_unharmed": None,
        "chosen_safe": None,
        "safety": ["undetermined", "unsafe"],
        "seeds_needed": None,
        "mean_accuracy": [0.7, 0.8],
        "mean_low": [0.6, None],
        "mean_high": [0.8, None],
        "worst_class_accuracy": [0.7, 0.4],
        "worst_class": ["lemon", "lemon"],
        "price": {"by_worst_class": 0.1, "unharmed": None, "safe": None},
        "harmed": 1,
        "gaining": 0,
        "classes": [
            {
                "index": 0,
                "name": "lemon",
                "n": 50,
                "seeds": 2,
                "harmed": True,
                "loss": 0.3,
                "low": 0.1,
                "high": 0.5,
                "detectable": 0.2,
                "best_strength": 0.1,
                "loss_at_strongest": 0.3,
                "gains": False,
                "gain": -0.3,
                "loss_accepted": None,
                "cue": None,
                "harmed_at": ["heavy"],
                "rivals": [{"class": "lime", "share": 0.2, "kind": None, "similarity": None, "both": None}],
                "accuracy": [0.7, 0.4],
                "accuracy_low": [0.6, 0.3],
                "accuracy_high": [0.8, None],
            }
        ],
        "cues": [],
        "source": {"accuracies": "runs.csv"},
        "warnings": [],
    },
    "comparison": {
        "a": {
            "model": "a.pt",
            "dataset": "photos",
            "fingerprint": "ab",
            "images": 4,
            "clean_accuracy": 0.75,
            "worst_class_accuracy": 0.75,
            "labels": {"color": 1},
        },
        "b": {
            "model": "b.pt",
            "dataset": "photos",
            "fingerprint": "ab",
            "images": 4,
            "clean_accuracy": 1.0,
            "worst_class_accuracy": 1.0,
            "labels": {"shape": 1},
        },
        "paired": False,
        "confidence": 0.95,
        "accuracy": {
            "a": 0.75,
            "b": 1.0,
            "value": 0.25,
            "low": -0.2,
            "high": 0.6,
            "lost": None,
            "gained": None,
            "p": 1.0,
            "q": None,
        },
        "worst_class_change": 0.25,
        "labels_changed": 1,
        "doses": {"hue": {"parameter": "shift", "unit": "turns", "value": 0.2}},
        "classes": [
            {
                "name": "lemon",
                "images_a": 4,
                "images_b": 4,
                "accuracy": {
                    "a": 0.75,
                    "b": 1.0,
                    "value": 0.25,
                    "low": -0.2,
                    "high": 0.6,
                    "lost": None,
                    "gained": None,
                    "p": 1.0,
                    "q": 1.0,
                },
                "under": {},
                "reliance": {"color": {"a": 0.5, "b": None, "value": None, "low": None, "high": None}},
                "label": {"a": "color", "b": "shape", "changed": True},
                "budgets": {
                    "hue": {"a": 0.1, "b": None, "status_a": "limited", "status_b": "none", "change": "weaker"}
                },
            }
        ],
        "warnings": [],
    },
    "gate": {
        "profile": "new/profile.json",
        "baseline": None,
        "confidence": 0.95,
        "holds": True,
        "results": [
            {
                "rule": "max-drop",
                "augmentation": "hue",
                "value": 0.2,
                "limit": 0.1,
                "holds": True,
                "paired": True,
                "tested": 1,
                "confidence": 0.95,
                "worst": {
                    "name": None,
                    "loss": 0.02,
                    "low": -0.1,
                    "high": 0.2,
                    "images": 4,
                    "reference_images": 4,
                },
                "violations": [],
                "uncertain": [],
            }
        ],
        "notes": [],
    },
    "cost": {
        "schema_version": 1,
        "model": "m.pt",
        "dataset": "photos",
        "device": "cpu",
        "planned": {
            "config": "quick",
            "images_per_class": None,
            "images": 4,
            "conditions": 13,
            "forward_passes": 52,
            "seconds": 1.5,
        },
    },
    "readings": {
        "schema_version": 1,
        "model": "m.pt",
        "dataset": "photos",
        "images": 4,
        "classes": 2,
    },
    "verification": {
        "tolerance": 0.05,
        "confidence": 0.95,
        "seeds": [2000],
        "recipe": {},
        "train": {},
        "images": 4,
        "arms": [
            {
                "name": "none",
                "doses": "none",
                "policy": None,
                "same_as": None,
                "mean": 0.75,
                "mean_change": {"value": 0.0, "low": None, "high": None},
                "worst": 0.75,
                "worst_change": 0.0,
                "worst_class": "lemon",
                "forecast_mean": None,
                "forecast_worst": None,
                "harmed": 0,
                "over_tolerance": [],
                "surely_over": [],
                "classes": [
                    {
                        "name": "lemon",
                        "images": 4,
                        "recall": 0.75,
                        "recall_change": {"value": 0.0, "low": None, "high": None},
                        "precision": 1.0,
                        "precision_change": {"value": 0.0, "low": None, "high": None},
                        "forecast_loss": None,
                    }
                ],
            }
        ],
        "agreement": {"spearman": None, "slope": None, "error": None, "auroc": None, "pairs": 0},
        "warnings": [],
    },
}


@cache
def real(name: str) -> Document:
    """Return a document of a contract with every block that it can have, made by the functions that make it."""
    return {
        "profile": _profile,
        "audit": _audit,
        "comparison": lambda: compare(profiles.profile(4, seed=1), profiles.profile(4, empty=1, seed=2)),
        "gate": lambda: check(profiles.profile(4, seed=1), max_drop=0.01, max_worst_class_loss=0.02),
        "cost": _cost,
        "readings": _readings,
        "verification": _verification,
    }[name]()


def any_of(model: type[Model]) -> st.SearchStrategy[Model]:
    """Return a strategy for a model with any values of its fields' types; fields with defaults come and go."""
    given = {name: (_values(field.annotation), field.is_required()) for name, field in model.model_fields.items()}
    return st.fixed_dictionaries(
        {name: values for name, (values, required) in given.items() if required},
        optional={name: values for name, (values, required) in given.items() if not required},
    ).map(lambda fields: model(**fields))


@cache
def _values(annotation: Any) -> st.SearchStrategy[Any]:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return st.sampled_from(inner)
    if origin in (Union, UnionType):
        return st.one_of(*map(_values, inner))
    if origin in (list, ByName):
        return st.lists(_values(inner[0]), max_size=2)
    if origin is dict:
        return st.dictionaries(*map(_values, inner), max_size=2)
    if annotation in LEAVES:
        return LEAVES[annotation]
    return st.sampled_from(annotation) if issubclass(annotation, Enum) else any_of(annotation)


def _profile() -> Profile:
    known = profiles.profile(3, empty=1, seed=3)
    names = [entry.name for entry in known.classes]
    losses = LossModel(
        parameter="shift",
        unit="turns",
        values=[0.1, 0.2],
        loss=[[0.0, 0.1, 0.0], [0.0, 0.2, 0.0]],
        spread=[[0.02, 0.03, None], [0.02, 0.03, None]],
        low=[[0.0, 0.05, 0.0], [0.0, 0.1, 0.0]],
        high=[[0.04, 0.15, 1.0], [0.04, 0.3, 1.0]],
        flags=[["likely safe", "unclear", "unclear"], ["likely safe", "likely loses", "unclear"]],
        augmented=[0.9, 0.7, None],
        leaks=[LeakModel(of=names[1], rival=names[0], share=0.1)],
    )
    budget = next(iter(known.classes[0].budgets.values())).model_dump()
    forecast = ForecastModel(
        method="trained",
        probability=0.8,
        runs=1,
        recipe={"epochs": 2},
        train=known.provenance.dataset,
        accuracy=[0.9, 0.8, None],
        augmentations={"hue": losses},
        budgets={names[0]: {"hue": TrainedBudget(**budget, alternatives={"confidence_0.8": 0.2, "test_time": None})}},
    )
    trained = TrainedModel(policy=None, mean=0.8, worst=0.6, over_tolerance=0)
    verified = VerifiedModel(tolerance=0.05, seeds=3, policies={"none": trained})
    return known.model_copy(update={"forecast": forecast, "verified": verified})


def _audit() -> Document:
    pictures = audits.with_pictures(audits.sweep(6, images=60), accepted=True)
    return audits.audit(pictures, cues=audits.cues())


def _cost() -> Document:
    row = CostRow(config="quick", images_per_class=None, images=4, conditions=13, forward_passes=40, seconds=1.5)
    fewer = row.model_copy(update={"images_per_class": 1, "seconds": None})
    return CostEstimate(
        model="m.pt", dataset="photos", device="cuda", planned=row, done=12, memory_bytes=10**9, others=[fewer]
    )


def _readings() -> Document:
    best = ReadingRow(reading="64 of 64 px", recognized=3, log_loss=0.5, options="--image-size 64", taken=True)
    failed = ReadingRow(reading="224 of 256 px", recognized=0, failed="sizes differ", options="--image-size 224")
    return ReadingTable(
        model="m.pt", dataset="photos", images=4, classes=2, readings=[best, failed], remarks=["3 of 4 are recognized."]
    )


def _verification() -> Verification:
    change = Estimate(value=-0.05, low=-0.07, high=-0.03)
    result = ClassResult(
        name="lemon",
        images=50,
        recall=0.8,
        recall_change=change,
        precision=None,
        precision_change=change,
        forecast_loss=0.04,
    )
    arm = ArmResult(
        name="per_class",
        doses="hue 0.1",
        policy={"scope": "per_class"},
        same_as=None,
        mean=0.75,
        mean_change=change,
        worst=0.5,
        worst_change=-0.2,
        worst_class="lemon",
        forecast_mean=0.7,
        forecast_worst=0.45,
        harmed=1,
        over_tolerance=["lemon"],
        surely_over=[],
        classes=[result],
        leaks=[Leak(name="lemon", share=0.3, control=0.1, excess=change)],
    )
    return Verification(
        tolerance=0.05,
        confidence=0.95,
        seeds=[2000, 2001],
        recipe={"epochs": 2},
        train={"spec": "photos"},
        images=50,
        arms=[arm],
        agreement=AgreementResult(spearman=0.9, slope=0.8, error=0.04, auroc=None, pairs=4),
        warnings=["Beware."],
    )
