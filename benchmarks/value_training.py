"""Train the networks of ``value.py`` and ``training_costs.py``, and keep what each predicts.

``python benchmarks/value_training.py WORLD... --folder FOLDER`` trains what every comparison needs in each world: no
augmentation, the usual default, each augmentation at its strongest value and some milder ones. What is there already
is kept, so that the same command goes on where it stopped. One training takes 10 to 20 s on one core.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from budget_worlds import joined
from value_worlds import MEASURING, WIDTHS, World, network, world

from cuesense.policies.policy import Policy, uniform
from cuesense.training.fit import Recipe
from cuesense.training.trials import TrainingTask, Trial, TrialStore, run

RECIPE = Recipe(epochs=16, rate=4e-3)
# Seeds of the trainings from which policies are chosen, and of those that are reported.
CHOICE_SEEDS = (1000, 1001)
REPORTED_SEEDS = (2000, 2001, 2002, 2003, 2004)
USUAL: Mapping[str, float] = {"random_resized_crop": 0.08, "color_jitter": 0.4, "horizontal_flip": 0.5}
STRONGEST = ({"random_resized_crop": 0.08}, {"color_jitter": 0.8}, {"horizontal_flip": 0.5})
MILDER = (
    *({"random_resized_crop": 0.7}, {"random_resized_crop": 0.4}),
    *({"color_jitter": 0.1}, {"color_jitter": 0.4}),
)


@dataclass(frozen=True)
class Trainings:
    """The trainings of one world.

    Attributes:
        name: The world.
        folder: Where predictions are kept; drawn images are kept there as well.
        photos: Folder of photographs with train/ and val/, for worlds of photographs.
    """

    name: str
    folder: Path
    photos: Path | None = None

    @cached_property
    def images(self) -> World:
        """The images to train on, to analyze and to test on, and the class names."""
        return world(self.name, self.folder / "images", self.photos)

    @property
    def names(self) -> tuple[str, ...]:
        """The class names."""
        return self.images[3]

    @property
    def place(self) -> Path:
        """The folder of this world's files."""
        return self.folder / self.name.replace(":", "-")

    @cached_property
    def store(self) -> TrialStore:
        """Where predictions are kept."""
        settings = {"world": self.name, "widths": list(WIDTHS), **asdict(RECIPE)}
        return TrialStore.open(self.place, settings)

    def policy(self, values: Mapping[str, float]) -> Policy:
        """Return the policy that gives every class these values."""
        return uniform(values, self.names)

    def run(self, policies: Iterable[Policy | Mapping[str, float]], seeds: Iterable[int]) -> None:
        """Train with each policy and each seed what is not there yet."""
        trials = [Trial(self._policy(policy), seed) for policy in policies for seed in seeds]
        train, analyzed, test, names = self.images
        task = TrainingTask(lambda seed: network(len(names), seed), RECIPE, train, joined(analyzed, test))
        for trial in trials:
            began, new = time.perf_counter(), trial not in self.store
            run([trial], task, self.store)
            if new:
                print(f"{self.name} {trial.policy and dict(trial.policy.values[0])} {trial.seed} "
                      f"{time.perf_counter() - began:.0f} s", flush=True)  # fmt: skip

    def predicted(self, policy: Policy | Mapping[str, float], seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the predicted classes of the analyzed and of the test images."""
        found = self.store.read(Trial(self._policy(policy), seed)).predicted
        analyzed = len(self.images[1])
        return found[:analyzed], found[analyzed:]

    def recall(self, policy: Policy | Mapping[str, float], seeds: Iterable[int], *, test: bool = True) -> np.ndarray:
        """Return the recall of every class in the trainings of each seed, (seeds, C), on test or analyzed images."""
        labels = self.images[2 if test else 1].labels.numpy()
        right = np.stack([self.predicted(policy, seed)[int(test)] == labels for seed in seeds])
        images = np.bincount(labels)
        return np.stack([np.bincount(labels, weights=row) / images for row in right])

    def _policy(self, policy: Policy | Mapping[str, float]) -> Policy:
        return policy if isinstance(policy, Policy) else self.policy(policy)


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("worlds", nargs="*", default=MEASURING)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--photos", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.worlds:
        own = Trainings(name, options.folder, options.photos)
        own.run([{}, *STRONGEST], CHOICE_SEEDS)
        own.run(MILDER, CHOICE_SEEDS[:1])
        own.run([{}, USUAL], REPORTED_SEEDS)


if __name__ == "__main__":
    main()
