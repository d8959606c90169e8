"""A planted world of three classes with training and test images, and a profile of its classes."""

from __future__ import annotations

from cuesense.planted.world import PlantedWorld
from cuesense.schemas.profile import Profile
from tests.helpers.profiles import profile as made

COUNTS = {"color": 2, "shape": 0, "texture": 1, "redundant": 0, "mixed": 0, "context": 0, "null": 0}
TRAIN = PlantedWorld(0, "train", 8, 32, counts=COUNTS)
TEST = PlantedWorld(0, "test", 5, 32, counts=COUNTS)


def profile(preprocessing: dict[str, object] | None = None) -> Profile:
    """Return a profile of the world's three classes, whose model took images of 32 pixels."""
    found = made(3, images=100, names=TRAIN.class_names)
    known = {"image_size": [32, 32], "resize": 32, "mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bilinear"}
    model = found.provenance.model.model_copy(update={"preprocessing": preprocessing or known})
    return found.model_copy(update={"provenance": found.provenance.model_copy(update={"model": model})})
