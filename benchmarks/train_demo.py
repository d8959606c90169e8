"""Train the demo checkpoint on the planted world: ``python benchmarks/train_demo.py --output assets/demo.safetensors``.

A few minutes on one CPU core. The only augmentation is a translation by up to two pixels, which removes no cue.
"""

import argparse
from pathlib import Path

import torch
from networks import accuracy, fit, tensors
from safetensors.torch import save_file

from cuesense.demo import COUNTS
from cuesense.planted.network import build
from cuesense.planted.world import PlantedWorld

IMAGES_PER_CLASS = 400
PEAK_RATE = 4e-3


def main() -> None:
    """Train, report the clean accuracy on fresh test images, and save the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0, help="the planted world, and the network's first weights")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    train = PlantedWorld(seed=options.seed, split="train", images_per_class=IMAGES_PER_CLASS, counts=COUNTS)
    network = fit(build(), *tensors(train), options.epochs, PEAK_RATE, options.seed)
    test = PlantedWorld(seed=options.seed, images_per_class=100, counts=COUNTS)
    right = accuracy(network, *tensors(test))
    print(f"clean test accuracy {right.mean():.3f}")
    print(*(f"{name} {value:.2f}" for name, value in zip(test.class_names, right.tolist(), strict=True)), sep="\n")
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, options.output)


if __name__ == "__main__":
    main()
