"""Which class weights repair an augmentation better: by the recall that it costs, or by how low a recall is?

In ``benchmarks``: ``PYTHONPATH=.. python rival_designs.py WORLD --seeds 2`` (WORLD as in ``budget_worlds.py``;
photographs need ``--photos``) trains, for the usual default and for a crop to 0.4, no augmentation, the policy, the
policy with either kind of class weights, and the policy with milder values for the classes that intrude. Weights and
intruders come from one training each with a seed of its own, judged on the images to analyze; the table is of other
seeds, on the images to test. The network is a smaller one than in ``budget_worlds.py``, a fifth of its time.
"""

import argparse
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from budget_worlds import RECIPE, USUAL, parts

from cuesense.models.compact import build
from cuesense.policies.policy import Policy, uniform
from cuesense.policies.rivals import class_weights, intruders, relaxed
from cuesense.stats.over_seeds import lowest_recall_gain, recall
from cuesense.stats.training_loss import leaks
from cuesense.training.augmentation import PolicyAugmentation
from cuesense.training.fit import Images, fit, log_probabilities

POLICIES = {"usual": USUAL, "crop to 0.4": {"random_resized_crop": 0.4}}
SEARCH_SEED, FIRST_SEED = 1999, 2000


@dataclass
class World:
    """Images to train on, to analyze and to test, and what networks trained on them predict."""

    train: Images
    analyzed: Images
    test: Images
    names: tuple[str, ...]
    done: dict[tuple[str, int], tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def predicted(self, policy: Policy, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the classes predicted for the images to analyze and to test; equal trainings are done once."""
        key = str(policy.content), seed
        if key not in self.done:
            torch.manual_seed(seed)
            network = build(len(self.names), 128, (16, 32, 64))
            train = self.train.weighted(policy.class_weights)
            fit(network, train, RECIPE, PolicyAugmentation(policy), seed=seed)
            analyzed, tested = (log_probabilities(network, images).argmax(1) for images in (self.analyzed, self.test))
            self.done[key] = analyzed, tested
        return self.done[key]

    def arms(self, base: Policy) -> dict[str, Policy]:
        """Return what is compared, by name."""
        labels, classes, plain = self.analyzed.labels.numpy(), len(self.names), uniform({}, self.names)
        without, with_it = (self.predicted(policy, SEARCH_SEED)[0][None] for policy in (plain, base))
        before, after = (recall(run, labels, classes)[0] for run in (without, with_it))
        taken = leaks(without, with_it, labels, classes)
        by_harm, by_deficit = class_weights(before, after), class_weights(before, after, "deficit")
        print(f"weights by harm {by_harm}, by deficit {by_deficit}")
        print(f"intruders: {[self.names[index] for index in intruders(taken)]}")
        return {
            "none": plain,
            "policy": base,
            "weights by harm": replace(base, class_weights=by_harm),
            "weights by deficit": replace(base, class_weights=by_deficit),
            "relaxed": relaxed(base, taken),
        }


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("world")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--photos", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    world = World(*parts(options.world, options.photos))
    labels, classes = world.test.labels.numpy(), len(world.names)
    for title, values in POLICIES.items():
        found = {
            name: np.stack([world.predicted(policy, FIRST_SEED + seed)[1] for seed in range(options.seeds)])
            for name, policy in world.arms(uniform(values, world.names)).items()
        }
        for name, runs in found.items():
            recalls = recall(runs, labels, classes)
            gain, error = lowest_recall_gain(found["policy"], runs, labels, classes)
            print(
                f"{options.world}, {title}, {name}: mean {100 * recalls.mean():.1f}, lowest recall of a class "
                f"{100 * recalls.min(axis=1).mean():.1f}, against the policy {100 * gain:+.1f} "
                f"(standard error {100 * (error or np.nan):.1f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
