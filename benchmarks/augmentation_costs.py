"""What each augmentation costs beside the others: CPU time for one image of 224 px, on one thread.

    python -m benchmarks.augmentation_costs

Prints milliseconds and the ratio to ``random_resized_crop``; the ratios are those of docs/augmentations.md.
"""

from __future__ import annotations

import time

import torch

from cuesense import registry
from cuesense.perturbations.apply import perturb
from cuesense.types import Perturbation, Role

_IMAGES, _SIDE, _ROUNDS = 4, 224, 3


def cost(entry: Perturbation, images: torch.Tensor) -> float:
    """Return the least CPU milliseconds an image of several rounds, at the ladder's third value."""
    ids = [str(index) for index in range(len(images))]
    perturb(entry, images, ids, entry.ladder[2])
    spent = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        perturb(entry, images, ids, entry.ladder[2])
        spent.append(time.process_time() - start)
    return 1000 * min(spent) / len(images)


def main() -> None:
    """Print a line an augmentation."""
    torch.set_num_threads(1)
    images = torch.rand(_IMAGES, 3, _SIDE, _SIDE, generator=torch.Generator().manual_seed(0))
    entries = [registry.get("perturbations", name) for name in registry.names("perturbations")]
    costs = {entry.name: cost(entry, images) for entry in entries if entry.role is Role.AUGMENTATION}
    for name, spent in costs.items():
        print(f"{name:24} {spent:7.2f} ms {spent / costs['random_resized_crop']:6.1f}")


if __name__ == "__main__":
    main()
