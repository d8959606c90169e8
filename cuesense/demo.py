"""The demo: the main job on planted images, where the right answers are known."""

from __future__ import annotations

from pathlib import Path

from cuesense import resources
from cuesense.pipeline import analyze
from cuesense.planted.network import MEAN, STD
from cuesense.planted.world import PlantedWorld
from cuesense.predict import Progress
from cuesense.profile import Profile

IMAGES_PER_CLASS = 80


def run(output: Path, progress: Progress | None = None) -> tuple[Profile, int]:
    """Analyze the shipped network on planted images of its test split.

    Args:
        output: Folder for the results.
        progress: Called with (images done, images in all).

    Returns:
        The profile, and how many of the planted labels it recovered.
    """
    world = PlantedWorld(seed=0, split="test", images_per_class=IMAGES_PER_CLASS)
    profile = analyze(
        resources.folder("assets") / "demo.safetensors",
        world,
        arch="python:cuesense.planted.network:build",
        class_names=world.class_names,
        output=output,
        image_size=world.size,
        resize=world.size,
        mean=MEAN,
        std=STD,
        progress=progress,
    )
    recovered = sum(entry.cue == truth for entry, truth in zip(profile.classes, world.truth, strict=True))
    return profile, recovered
