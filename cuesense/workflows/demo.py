"""The demo: analyze a shipped network on synthetic images whose class cues are known, and count how many are found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cuesense import package_files
from cuesense.models.compact import MEAN, STD
from cuesense.models.load import load_classifier
from cuesense.models.preprocessing import ImageOptions
from cuesense.planted.world import PlantedWorld
from cuesense.schemas.profile import Profile
from cuesense.types import ClassNames, Notify, Progress
from cuesense.workflows.analyze import analyze

# As many as a run of under a minute on two CPU cores allows.
IMAGES_PER_CLASS = 80
# The world that benchmarks/train_demo.py trains the shipped network on; other seeds are other classes.
COUNTS = {"color": 4, "shape": 4, "texture": 4, "redundant": 0, "mixed": 0, "context": 0, "null": 0}
WORLD = PlantedWorld(seed=4, cluttered=True, counts=COUNTS)
WEIGHTS = "demo.safetensors"


def run(
    output: Path, progress: Progress | None = None, notify: Notify | None = None, phase: Notify | None = None
) -> tuple[Profile, int]:
    """Analyze the shipped network on synthetic images that it was not trained on.

    Args:
        output: Folder for the results.
        progress: Called with (images done, images in all).
        notify: Called with sentences on what so many images can decide.
        phase: Called with what begins, until there are images to count.

    Returns:
        The profile, and for how many of the 12 classes its cue is the one that the images were made with.
    """
    world = replace(WORLD, split="test", images_per_class=IMAGES_PER_CLASS)
    classifier = load_classifier(
        str(package_files.folder("assets") / WEIGHTS),
        arch="python:cuesense.models.compact:build",
        class_names=ClassNames(world.class_names),
        images=ImageOptions(world.size, world.size, MEAN, STD),
    )
    given = replace(classifier, spec=WEIGHTS)
    profile = analyze(given, world, output=output, progress=progress, notify=notify, phase=phase)
    recovered = sum(entry.cue == truth for entry, truth in zip(profile.classes, world.truth, strict=True))
    return profile, recovered
