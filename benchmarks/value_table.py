"""What every class got right in the trainings of ``value.py``: written to a table, and read back as arrays."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from value_policies import chosen
from value_training import REPORTED_SEEDS, Trainings

from cuesense.arrays import Floats
from cuesense.policies.policy import PROBABILITY, Policy
from cuesense.training.trials import Trial

_SHORT = {
    "random_resized_crop": "crop",
    "color_jitter": "jitter",
    "horizontal_flip": "flip",
    "random_erasing": "erasing",
    "random_rotation": "rotation",
}
_COLUMNS = ("world", "policy", "values", "seed", "class", "images", "right")


@dataclass(frozen=True)
class Outcome:
    """What trainings with one policy gave in one world.

    Attributes:
        values: The policy in words.
        classes: The class names.
        recall: Recall of each class with each seed, a fraction, (S, C).
    """

    values: str
    classes: tuple[str, ...]
    recall: Floats


# By world and policy.
Table = dict[str, dict[str, Outcome]]


def described(policy: Policy) -> str:
    """Return a policy in words: values, chance where it is not the usual one, who gets other values, class weights."""
    kinds: dict[str, list[str]] = {}
    for index, name in enumerate(policy.class_names):
        kinds.setdefault(_values(policy.of_class(index)), []).append(name)
    usual, *others = sorted(kinds, key=lambda text: -len(kinds[text]))
    parts = [usual, *(f"{text} for {', '.join(kinds[text])}" for text in others)]
    if policy.names and policy.probability != PROBABILITY:
        parts.append(f"{policy.probability:.0%} of the views")
    if policy.class_weights:
        parts.append(f"class weights {min(policy.class_weights):.2f} to {max(policy.class_weights):.2f}")
    return "; ".join(parts)


def _values(values: Mapping[str, float]) -> str:
    return ", ".join(f"{_SHORT.get(name, name)} {value:g}" for name, value in values.items()) or "nothing"


def write(path: Path, worlds: Iterable[Trainings]) -> None:
    """Write the counts of every policy of which all reported seeds are there."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_COLUMNS)
        for own in worlds:
            images = np.bincount(own.images[2].labels.numpy())
            for name, policy in chosen(own).items():
                if any(Trial(policy, seed) not in own.store for seed in REPORTED_SEEDS):
                    continue
                found = own.recall(policy, REPORTED_SEEDS)
                for seed, recalls in zip(REPORTED_SEEDS, found, strict=True):
                    for label, n, recall in zip(own.names, images, recalls, strict=True):
                        rows.writerow((own.name, name, described(policy), seed, label, n, round(recall * n)))


def read(path: Path) -> Table:
    """Return the counts as recalls by world and policy."""
    rows: dict[tuple[str, str], list[dict[str, str]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows.setdefault((row["world"], row["policy"]), []).append(row)
    table: Table = {}
    for (world, policy), own in rows.items():
        seeds = len({row["seed"] for row in own})
        recall = np.array([int(row["right"]) / int(row["images"]) for row in own]).reshape(seeds, -1)
        classes = tuple(row["class"] for row in own[: recall.shape[1]])
        table.setdefault(world, {})[policy] = Outcome(own[0]["values"], classes, recall)
    return table
