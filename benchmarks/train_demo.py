"""Train the demo checkpoint on the planted world: ``python benchmarks/train_demo.py --output assets/demo.safetensors``.

A few minutes on one CPU core. The only augmentation is a translation by up to two pixels, which removes no cue.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from cuesense.planted.network import MEAN, STD, build
from cuesense.planted.world import PlantedWorld

IMAGES_PER_CLASS = 400
BATCH = 64
PEAK_RATE = 4e-3
SHIFT = 2


def tensors(world: PlantedWorld) -> tuple[Tensor, Tensor]:
    """Return the world's normalized images, (N, 3, H, W) float32, and their labels, (N,) int64."""
    pixels = np.stack([world[index].image for index in range(len(world))])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    images = (images - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    return images.contiguous(memory_format=torch.channels_last), torch.tensor(world.labels)


def shifted(images: Tensor, generator: torch.Generator) -> Tensor:
    """Translate a batch (N, 3, H, W) by up to SHIFT pixels, repeating its border; every batch draws its own shift."""
    side = images.shape[-1]
    top, left = torch.randint(2 * SHIFT + 1, (2,), generator=generator).tolist()
    padded = functional.pad(images, (SHIFT,) * 4, mode="replicate")
    return padded[..., top : top + side, left : left + side]


def fit(network: nn.Module, images: Tensor, labels: Tensor, epochs: int, generator: torch.Generator) -> None:
    """Train the network in place with AdamW and one cycle of the learning rate."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=PEAK_RATE, weight_decay=0.02)
    steps = epochs * (len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
    network.train()
    for epoch in range(epochs):
        order = torch.randperm(len(images), generator=generator)
        for batch in order[: len(order) // BATCH * BATCH].split(BATCH):
            logits = network(shifted(images[batch], generator))
            loss = functional.cross_entropy(logits, labels[batch], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1}/{epochs}: loss {loss.item():.3f}")


@torch.inference_mode()
def recalls(network: nn.Module, world: PlantedWorld) -> Tensor:
    """Return the share of each class's images that the network gets right, (K,)."""
    images, labels = tensors(world)
    right = (network.eval()(images).argmax(1) == labels).float()
    return torch.stack([right[labels == label].mean() for label in range(len(world.class_names))])


def main() -> None:
    """Train, report the clean accuracy on fresh test images, and save the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0, help="the planted world, and the network's first weights")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    network = build().to(memory_format=torch.channels_last)
    train = PlantedWorld(seed=options.seed, split="train", images_per_class=IMAGES_PER_CLASS)
    fit(network, *tensors(train), options.epochs, torch.Generator().manual_seed(options.seed))
    test = PlantedWorld(seed=options.seed, images_per_class=100)
    accuracy = recalls(network, test)
    print(f"clean test accuracy {accuracy.mean():.3f}")
    print(*(f"{name} {value:.2f}" for name, value in zip(test.class_names, accuracy.tolist(), strict=True)), sep="\n")
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, options.output)


if __name__ == "__main__":
    main()
