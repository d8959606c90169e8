"""Runs of the engine on the images of small_networks, with a few conditions whose outcomes tests compare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from cuesense.datasets.images import pixel_digest
from cuesense.inference.engine import predict
from cuesense.inference.options import RunOptions
from cuesense.predictions.outcomes import ConditionOutcomes, Outcomes
from cuesense.predictions.shards import OutcomeStore, image_identity
from cuesense.registry import get
from cuesense.types import Classifier, Condition, Dataset
from tests.helpers.small_networks import classifier, picture

GRAY = get("perturbations", "grayscale")
SHUFFLE = get("perturbations", "patch_shuffle")
CONDITIONS = [Condition(), Condition(GRAY, 2), Condition(SHUFFLE, 3), Condition(SHUFFLE, 3, repeat=1)]


def run(
    dataset: Dataset,
    model: Classifier | None = None,
    store: OutcomeStore | None = None,
    conditions: Sequence[Condition] = CONDITIONS,
    outputs: Sequence[int] = (0, 1, 2),
    **engine: object,
) -> Outcomes:
    settings = RunOptions(**({"batch_size": 8, "seed": 5} | engine))  # type: ignore[arg-type]
    return predict(model or classifier(), dataset, outputs, conditions, store or OutcomeStore(), settings)


def read(outcomes: Outcomes, conditions: int = len(CONDITIONS)) -> list[ConditionOutcomes]:
    return list(outcomes.conditions(range(conditions)))


def remove(store: OutcomeStore, *numbers: int) -> None:
    """Delete the files of shards by their number in the order of the images of small_networks."""
    assert store.files is not None
    position = {image_identity(name, content, label): int(name) for name, content, label in _small_images()}
    names = sorted(store.names, key=lambda name: min(position[int(image)] for image in store.held(name).images))
    for number in numbers:
        (store.files.folder / names[number]).unlink()


def _small_images() -> Iterator[tuple[str, str, int]]:
    for number in range(40):
        label = number % 3
        pixels = np.ascontiguousarray(picture(number, label).transpose(2, 0, 1))
        yield from ((f"{number:05d}", content, label) for content in (f"{pixel_digest(pixels):016x}", "unreadable"))
