"""Train the demo checkpoint on the planted world: ``python benchmarks/train_demo.py --output assets/demo.safetensors``.

A few minutes on one CPU core. The only augmentation is a translation by up to two pixels, which removes no cue.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from networks import accuracy, fit, tensors
from safetensors.torch import save_file

from cuesense.models.compact import build
from cuesense.workflows.demo import WORLD

IMAGES_PER_CLASS = 400
PEAK_RATE = 4e-3


def main() -> None:
    """Train, report the clean accuracy on fresh test images, and save the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--epochs", type=int, default=16)
    options = parser.parse_args()
    torch.manual_seed(WORLD.seed)
    train = replace(WORLD, split="train", images_per_class=IMAGES_PER_CLASS)
    network = fit(build(), *tensors(train), options.epochs, PEAK_RATE, WORLD.seed)
    test = replace(WORLD, images_per_class=100)
    right = accuracy(network, *tensors(test))
    print(f"clean test accuracy {right.mean():.3f}")
    print(*(f"{name} {value:.2f}" for name, value in zip(test.class_names, right.tolist(), strict=True)), sep="\n")
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, options.output)


if __name__ == "__main__":
    main()
