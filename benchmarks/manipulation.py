"""How much of each cue can still be read at each value.

``python benchmarks/manipulation.py --output assets/readable.csv`` writes what ``cuesense list perturbations`` shows.

For each cue a network learns to name one of eight hues, outlines or textures of a planted world (64 px), while every
batch of its training images is perturbed in another way: it reads what is still there, not what it is used to. What it
reads of fresh images above chance, relative to clean ones, is the readable share. Ten minutes on one core.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from networks import BATCH, RATES, build, descend
from torch import Tensor, nn

from cuesense import registry
from cuesense.models.compact import MEAN, STD
from cuesense.perturbations.apply import perturb
from cuesense.planted.world import PlantedWorld
from cuesense.types import Cue, Perturbation

CLASSES, TRAIN_IMAGES, TEST_IMAGES, EPOCHS = 8, 300, 60, 24
OTHERS = dict.fromkeys(("color", "shape", "texture", "redundant", "mixed", "context", "null"), 0)

Dose = tuple[Perturbation, float]


def doses() -> list[Dose]:
    """Return every value of every registered perturbation."""
    every = (registry.get("perturbations", name) for name in registry.names("perturbations"))
    return [(perturbation, value) for perturbation in every for value in perturbation.ladder]


def pixels(world: PlantedWorld) -> Tensor:
    """Return all images in [0, 1], (N, 3, H, W)."""
    images = np.stack([world[index].image for index in range(len(world))])
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255


def normal(images: Tensor) -> Tensor:
    """Normalize pixels."""
    return (images - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def learn(world: PlantedWorld, seed: int) -> nn.Module:
    """Train a reader on images of which a fifth is clean and the others are perturbed, a batch at a time."""
    torch.manual_seed(seed)
    random, every = np.random.default_rng(seed), doses()
    images, labels, ids = pixels(world), torch.tensor(world.labels), np.array(world.sample_ids)
    network = build("residual", CLASSES, world.size).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATES["residual"], weight_decay=0.02)
    steps = EPOCHS * (len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATES["residual"], total_steps=steps)
    for step in range(steps):
        batch = random.choice(len(images), BATCH, replace=False)
        shown = images[batch]
        if random.random() < 0.8:
            perturbation, value = every[random.integers(len(every))]
            shown = perturb(perturbation, shown, ids[batch].tolist(), value, seed=step)
        descend(network, normal(shown), labels[batch], optimizer)
        schedule.step()
    return network.eval()


@torch.inference_mode()
def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the share of images that the reader gets right."""
    return float((torch.cat([network(normal(part)).argmax(1) for part in images.split(128)]) == labels).float().mean())


def readable(cue: Cue, seed: int) -> list[float]:
    """Return the readable share of a cue at every value."""
    counts = OTHERS | {cue.value: CLASSES}
    network = learn(PlantedWorld(seed=seed, split="train", images_per_class=TRAIN_IMAGES, counts=counts), seed)
    world = PlantedWorld(seed=seed, images_per_class=TEST_IMAGES, counts=counts)
    images, labels = pixels(world), torch.tensor(world.labels)
    clean, chance = accuracy(network, images, labels), 1 / CLASSES
    print(f"{cue}: {clean:.3f} of clean images", flush=True)
    return [
        (accuracy(network, perturb(perturbation, images, list(world.sample_ids), value), labels) - chance)
        / (clean - chance)
        for perturbation, value in doses()
    ]


def main() -> None:
    """Train three readers and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="the .csv file to write")
    parser.add_argument("--seed", type=int, default=0, help="the planted world, and the readers' first weights")
    options = parser.parse_args()
    table = pd.DataFrame({"perturbation": [p.name for p, _ in doses()], "value": [value for _, value in doses()]})
    for cue in Cue:
        table[cue.value] = np.clip(readable(cue, options.seed), 0, 1).round(2)
    table.to_csv(options.output, index=False)


if __name__ == "__main__":
    main()
