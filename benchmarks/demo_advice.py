"""Does training confirm the advice of the demo? ``python benchmarks/demo_advice.py DEMO`` trains and tells.

DEMO is the folder that ``cuesense demo`` wrote. Networks like the demo's are trained on fresh images of its world with
what is recommended and with every alternative that the advice names, five seeds each, and tested on 100 other images of
every class. Some 20 s a training on one core.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from budget_worlds import RECIPE, images

import cuesense
from cuesense.models.compact import build
from cuesense.training.augmentation import PolicyAugmentation
from cuesense.training.fit import fit, log_probabilities
from cuesense.workflows.demo import WORLD

SEEDS, TRAIN, TESTED = range(5), 100, 100


def main() -> None:
    """Train and print mean and lowest recall of every compared policy, in percent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demo", type=Path, help="the folder of the demo's profile")
    advice = cuesense.advise(cuesense.Profile.read(parser.parse_args().demo), cuesense.PolicyOptions())
    torch.set_num_threads(1)
    train = images(replace(WORLD, split="train", images_per_class=TRAIN))
    test = images(replace(WORLD, split="test", images_per_class=TESTED + 100))
    # The profile was made of the first test images of every class.
    fresh = torch.cat([torch.where(test.labels == label)[0][100:] for label in range(len(WORLD.class_names))])
    test = test.take(fresh)
    labels = test.labels.numpy()
    done: dict[str, str] = {}
    for name, policy in advice.policies.items():
        if (key := repr(policy.to_dict())) in done:
            print(f"{name}: the same as {done[key]}")
            continue
        done[key] = name
        found = []
        for seed in SEEDS:
            torch.manual_seed(seed)
            augment = PolicyAugmentation(policy) if policy.names else None
            network = fit(build(len(WORLD.class_names)), train, RECIPE, augment, seed=seed)
            right = log_probabilities(network, test).argmax(axis=1) == labels
            found.append(np.bincount(labels, weights=right) / np.bincount(labels))
        recall = np.array(found)
        error = recall.mean(axis=1).std(ddof=1) / len(SEEDS) ** 0.5
        worst = recall.mean(axis=0)
        print(
            f"{name}: mean {recall.mean():.1%} (standard error {error:.1%}), worst class {worst.min():.1%}"
            f" ({WORLD.class_names[int(worst.argmin())]})",
            flush=True,
        )


if __name__ == "__main__":
    main()
