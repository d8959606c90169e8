"""What the steps of five libraries' usual training transforms cost each class: ``python benchmarks/pipelines.py``.

The network is the demo's, on planted images whose cues are known. Needs albumentations and ultralytics beside the
package's own dependencies. Writes ``results/pipelines.csv``, one row a step.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

import cuesense
from cuesense import package_files
from cuesense.models.compact import MEAN, STD
from cuesense.models.load import load_classifier
from cuesense.models.preprocessing import ImageOptions
from cuesense.schemas.base import Estimate
from cuesense.schemas.profile import StepModel
from cuesense.tables.write_csv import csv_text
from cuesense.types import Classifier, ClassNames
from cuesense.workflows.demo import WEIGHTS, WORLD

RESULTS = Path(__file__).parent / "results" / "pipelines.csv"
SIDE = 64


def albumentations() -> dict[str, Any]:
    """A Compose with what its documentation recommends for classification."""
    import albumentations as A  # noqa: N812 - its usual name
    from albumentations.pytorch import ToTensorV2

    steps = [
        A.RandomResizedCrop((SIDE, SIDE), scale=(0.3, 1.0)),
        A.HorizontalFlip(p=0.5),
        A.ColorJitter(0.2, 0.2, 0.2, 0.1, p=0.8),
        A.OneOf([A.GaussianBlur(), A.MotionBlur()], p=0.2),
        A.CoarseDropout(p=0.5),
        A.Normalize(),
        ToTensorV2(),
    ]
    return {"pipeline": A.Compose(steps)}


def kornia() -> dict[str, Any]:
    """An AugmentationSequential for batches on the device."""
    import kornia.augmentation as K  # noqa: N812 - its usual name

    steps = [
        K.RandomResizedCrop((SIDE, SIDE), scale=(0.3, 1.0)),
        K.RandomHorizontalFlip(p=0.5),
        K.ColorJitter(0.2, 0.2, 0.2, 0.1, p=0.8),
        K.RandomPerspective(0.3, p=0.3),
        K.RandomErasing(p=0.25),
        K.Normalize(torch.tensor(MEAN), torch.tensor(STD)),
    ]
    return {"pipeline": K.AugmentationSequential(*steps)}


def ultralytics() -> dict[str, Any]:
    """The transform that Ultralytics itself makes of its default hyperparameters."""
    from ultralytics.cfg import get_cfg
    from ultralytics.data.augment import classify_augmentations

    cfg = get_cfg()
    transform = classify_augmentations(
        SIDE,
        scale=(1 - cfg.scale, 1.0),
        hflip=cfg.fliplr,
        vflip=cfg.flipud,
        erasing=cfg.erasing,
        auto_augment=cfg.auto_augment,
        hsv_h=cfg.hsv_h,
        hsv_s=cfg.hsv_s,
        hsv_v=cfg.hsv_v,
    )
    return {"pipeline": transform}


PIPELINES: dict[str, Callable[[], dict[str, Any]]] = {
    "torchvision": lambda: {"torchvision_args": "--auto-augment ta_wide --random-erase 0.1"},
    "timm": lambda: {"timm_args": "--aa rand-m9-mstd0.5 --scale .08 1 --color-jitter .4 --reprob 0.25"},
    "albumentations": albumentations,
    "kornia": kornia,
    "ultralytics": ultralytics,
}


def main() -> None:
    """Measure all five and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images-per-class", type=int, default=30)
    options = parser.parse_args()
    world = replace(WORLD, split="test", images_per_class=options.images_per_class)
    network = demo_network(world.class_names)
    rows = []
    for library, arguments in PIPELINES.items():
        start = time.perf_counter()
        profile = cuesense.analyze(network, world, config="quick", **arguments())
        found = profile.pipeline
        if found is None:
            raise RuntimeError(f"no costs of {library}")
        print(f"{library} ({time.perf_counter() - start:.0f} s): {found.headline}", flush=True)
        mean = found.whole[-1].mean
        rows.append({"pipeline": library, "step": "all together"} | mean_of(mean))
        rows += [row(library, step, [entry.name for entry in profile.classes]) for step in found.steps]
    RESULTS.write_text(csv_text(pd.DataFrame(rows).round(4)))


def demo_network(names: tuple[str, ...]) -> Classifier:
    """Return the demo's network with the names of its classes."""
    return load_classifier(
        str(package_files.folder("assets") / WEIGHTS),
        arch="python:cuesense.models.compact:build",
        class_names=ClassNames(names),
        images=ImageOptions(SIDE, SIDE, MEAN, STD),
    )


def mean_of(mean: Estimate) -> dict[str, Any]:
    """Return the mean drop of the classes with its bounds."""
    return {"drop": mean.value, "low": mean.low, "high": mean.high}


def row(library: str, step: StepModel, names: list[str]) -> dict[str, Any]:
    """Return a step as a row of the table."""
    at = None if step.worst_class is None else names.index(step.worst_class)
    taken = None if at is None else step.taken[at]
    beside = None if step.left_out is None else step.left_out.mean.value
    return {
        "pipeline": library,
        "step": step.name,
        "augmentation": step.augmentation,
        "value": step.value,
        "p": step.probability,
        **mean_of(step.alone.mean),
        "beside_others": beside,
        "classes_beyond": len(step.beyond),
        "worst_class": step.worst_class,
        "worst_drop": None if at is None else step.alone.drop[at],
        "taken_by": None if taken is None else taken.rival,
        "safe_p": step.safe_probability,
        "training": None if step.training is None else -step.training.mean,
        "verdict": step.verdict,
    }


if __name__ == "__main__":
    main()
