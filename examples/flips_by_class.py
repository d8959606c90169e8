"""Flips for all, for none, and only for the classes that bear them: ``python examples/flips_by_class.py``.

Hands of two kinds differ by nothing but a mirror; eight other figures look either way. Few images of each are there to
learn from, so that flips help the figures and ruin the hands. cuesense finds out which are which from a network that
was trained without flips.
"""

import argparse
from collections.abc import Collection

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from torchvision.transforms import v2

import cuesense

SIDE, FIGURES = 32, 8
NAMES = ("left hand", "right hand", *(f"figure {number}" for number in range(FIGURES)))
MEAN, STD = (0.5,) * 3, (0.25,) * 3


def outlines(world: int) -> Tensor:
    """Return a pattern of 6 x 6 cells for each class, (C, 6, 6); the second one is the first in a mirror."""
    cells = np.random.default_rng(world).random((1 + FIGURES, 6, 6)) < 0.5
    hand = torch.from_numpy(cells[:1])
    return torch.cat([hand, hand.flip(2), torch.from_numpy(cells[1:])])


def draw(world: int, images: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return so many images of each class, (N, 3, 32, 32) in [0, 1], and their labels."""
    rng, patterns = torch.Generator().manual_seed(seed), outlines(world)
    labels = torch.arange(len(patterns)).repeat_interleave(images)
    found = patterns[labels].float()
    # Figures look to either side; which side a hand looks to is all that tells it from the other.
    either = (torch.arange(len(labels)) % 2 == 0) & (labels > 1)
    found = torch.where(either[:, None, None], found.flip(2), found)
    found = nn.functional.interpolate(found[:, None], (24, 24))
    placed = torch.zeros(len(labels), 1, SIDE, SIDE)
    shifts = torch.randint(0, SIDE - 23, (len(labels), 2), generator=rng).tolist()
    for row, (top, left) in enumerate(shifts):
        placed[row, :, top : top + 24, left : left + 24] = found[row]
    light, dark = torch.rand((2, len(labels), 3, 1, 1), generator=rng)
    colored = 0.25 * dark + placed * (0.3 + 0.45 * light)
    noise = 0.1 * torch.randn(colored.shape, generator=rng)
    return (colored + noise).clamp(0, 1), labels


def train(images: Tensor, labels: Tensor, flipped: Collection[int], steps: int, seed: int) -> nn.Module:
    """Return a small network, trained with flips of half of the images of the classes that are named."""
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(3, 24, 5, 2, 2), nn.BatchNorm2d(24), nn.ReLU(),
        nn.Conv2d(24, 48, 3, 2, 1), nn.BatchNorm2d(48), nn.ReLU(),
        nn.Conv2d(48, 64, 3, 2, 1), nn.BatchNorm2d(64), nn.ReLU(),
        nn.Flatten(), nn.Dropout(0.3), nn.Linear(64 * 16, len(NAMES)),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    may_flip = torch.tensor([index in flipped for index in range(len(NAMES))])
    for _ in range(steps):
        chosen = torch.randint(len(labels), (64,))
        batch, truth = images[chosen], labels[chosen]
        flip = may_flip[truth] & (torch.rand(64) < 0.5)
        batch = torch.where(flip[:, None, None, None], batch.flip(3), batch)
        loss = nn.functional.cross_entropy(network((batch - MEAN[0]) / STD[0]), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval()


def recalls(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Return the share of each class's images that is recognized, (C,)."""
    with torch.inference_mode():
        right = (network((images - MEAN[0]) / STD[0]).argmax(1) == labels).float()
    return torch.stack([right[labels == index].mean() for index in range(len(NAMES))])


class Images(Dataset[tuple[Tensor, int]]):
    """Labeled images whose classes have names."""

    classes = NAMES

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.targets = images, labels.tolist()

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return an image and its label."""
        return self.images[index], self.targets[index]


def no_flip_classes(network: nn.Module, data: Images) -> list[str]:
    """Return the classes that cuesense finds to lose by flips for certain."""
    flips = v2.RandomHorizontalFlip()
    how = {"image_size": SIDE, "resize": SIDE, "mean": MEAN, "std": STD, "config": "quick"}
    profile = cuesense.analyze(network, data, pipeline=flips, **how)
    step = profile.pipeline.steps[0]
    print(step.sentence)
    return step.certain


def main() -> None:
    """Compare the three ways to flip, on test images, over several worlds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--images", type=int, default=50, help="of each class, to find the classes that lose")
    options = parser.parse_args()
    rows: dict[str, list[Tensor]] = {"none": [], "all": [], "those that bear it": []}
    for world in range(options.worlds):
        train_set, test_set = draw(world, 24, 1000 + world), draw(world, 200, 2000 + world)
        plain = train(*train_set, (), options.steps, world)
        lost = no_flip_classes(plain, Images(*draw(world, options.images, 3000 + world)))
        print(f"world {world}: no_flip_classes = {lost}")
        bearing = [index for index, name in enumerate(NAMES) if name not in lost]
        networks = (
            plain,
            train(*train_set, range(len(NAMES)), options.steps, world),
            train(*train_set, bearing, options.steps, world),
        )
        for found, network in zip(rows.values(), networks, strict=True):
            found.append(recalls(network, *test_set))
    print("flips for            mean   hands  figures  worst class")
    for name, found in rows.items():
        recall = torch.stack(found)
        parts = (recall.mean(), recall[:, :2].mean(), recall[:, 2:].mean(), recall.amin(1).mean())
        print(f"{name:19}" + "".join(f"{100 * part:7.1f} " for part in parts))


if __name__ == "__main__":
    main()
