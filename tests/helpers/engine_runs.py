"""Runs of the engine on the images of small_networks, with a few conditions whose outcomes tests compare."""

from __future__ import annotations

from collections.abc import Sequence

from cuesense.inference.engine import predict
from cuesense.inference.options import RunOptions
from cuesense.predictions.shards import ConditionOutcomes, OutcomeStore
from cuesense.registry import get
from cuesense.types import Classifier, Condition, Dataset
from tests.helpers.small_networks import classifier

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
) -> tuple[OutcomeStore, int]:
    store = store or OutcomeStore()
    settings = RunOptions(**({"batch_size": 8, "seed": 5} | engine))  # type: ignore[arg-type]
    return store, predict(model or classifier(), dataset, outputs, conditions, store, settings)


def read(store: OutcomeStore, shards: int, conditions: int = len(CONDITIONS)) -> list[ConditionOutcomes]:
    return list(store.conditions(shards, range(conditions)))
