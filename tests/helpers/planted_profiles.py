"""Profiles for commands that read one: of planted losses, and of planted images on which networks can be trained."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from cuesense.models.compact import build
from cuesense.planted.world import PlantedWorld
from cuesense.schemas.profile import Profile
from tests.helpers.profiles import profile

_WORLD = "planted:0,size=32,color=2,shape=0,texture=1,redundant=0,mixed=0,context=0,null=0"
_COUNTS = {"color": 2, "shape": 0, "texture": 1, "redundant": 0, "mixed": 0, "context": 0, "null": 0}
TRAIN, TEST = f"{_WORLD},split=train,images=8", f"{_WORLD},images=5"
ANALYZED = "python:tests.helpers.planted_profiles:analyzed_network"

# Images lost under an augmentation, by severity and class: the second class bears half the crop, the third no jitter.
_LOST = {
    "random_resized_crop": [[0, 0, 0], [0, 0, 0], [0, 60, 0], [0, 150, 90]],
    "color_jitter": [[0, 0, 90], [0, 0, 90], [0, 0, 90], [0, 0, 90]],
}


def analyzed_network() -> nn.Module:
    """Return the network of the trainable profile."""
    torch.manual_seed(0)
    return build(3, 32)


def limited_profile(images: int = 200) -> Profile:
    """Return a profile of three classes, all recognized, that lose just the images above."""
    base = profile(3, images=images)
    nothing = {curve.perturbation: [[0] * 3 for _ in curve.values] for curve in base.curves}
    curves = [
        curve.model_copy(
            update={
                "clean_correct": [images] * 3,
                "lost": _LOST.get(curve.perturbation, nothing[curve.perturbation]),
                "gained": nothing[curve.perturbation],
                "repeats": 1,
            }
        )
        for curve in base.curves
    ]
    classes = [entry.model_copy(update={"rivals": []}) for entry in base.classes]
    return base.model_copy(update={"curves": curves, "classes": classes})


def write_trainable_profile(folder: Path) -> Path:
    """Write a profile of the three planted classes, whose model took images of 32 pixels, and return its file."""
    found = profile(3, images=100, names=PlantedWorld(0, "train", 8, 32, counts=_COUNTS).class_names)
    known = {"image_size": [32, 32], "resize": 32, "mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bilinear"}
    model = found.provenance.model.model_copy(update={"preprocessing": known})
    provenance = found.provenance.model_copy(update={"model": model})
    path = folder / "small" / "profile.json"
    path.parent.mkdir()
    path.write_text(found.model_copy(update={"provenance": provenance}).to_json(), encoding="utf-8")
    return path
