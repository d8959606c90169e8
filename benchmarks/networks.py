"""Small networks of three kinds for planted worlds of 32, 64 and 128 pixels, and how they are trained.

``python benchmarks/networks.py residual --seed 100`` trains one; ``train_demo.py`` uses the same training.
"""

import argparse
import copy
import time

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from cuesense.models.compact import MEAN, STD
from cuesense.models.compact import build as residual
from cuesense.planted.world import PlantedWorld

KINDS = ("residual", "strided", "vit")
EPOCHS = {"residual": 16, "strided": 24, "vit": 30}
RATES = {"residual": 4e-3, "strided": 3e-3, "vit": 1.5e-3}
BATCH = 64


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class _Transformer(nn.Module):
    """A vision transformer on 8 x 8 tokens from a convolutional stem (Xiao et al. 2021, arXiv 2106.14881)."""

    def __init__(self, classes: int, stride: int, width: int = 96, depth: int = 4) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _convolution(3, 24, 2 * stride + 1, stride),
            _convolution(24, 48, 3, 2),
            _convolution(48, width, 3, 2),
            nn.Conv2d(width, width, 1),
        )
        self.place = nn.Parameter(0.02 * torch.randn(1, 64, width))
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, "gelu", batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, depth, nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = nn.Linear(width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, 3, H, W) to logits (N, K)."""
        tokens = self.stem(images).flatten(2).transpose(1, 2) + self.place
        return self.head(self.body(tokens).mean(dim=1))


def build(kind: str, classes: int, size: int) -> nn.Module:
    """Return an untrained network of one of KINDS for images of 32, 64 or 128 pixels."""
    stride = size // 32
    if kind == "vit":
        return _Transformer(classes, stride)
    if kind == "residual":
        return residual(classes, size, (20, 40, 64, 96))
    return nn.Sequential(
        _convolution(3, 48, 4 * stride + 1, 2 * stride),
        _convolution(48, 96, 5, 2),
        _convolution(96, 96, 3),
        _convolution(96, 128, 3, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(128, classes),
    )


def tensors(world: PlantedWorld) -> tuple[Tensor, Tensor]:
    """Return the world's normalized images, (N, 3, H, W) float32, and their labels, (N,) int64."""
    pixels = np.stack([world[index].image for index in range(len(world))])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    images = (images - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    return images.contiguous(memory_format=torch.channels_last), torch.tensor(world.labels)


def shifted(images: Tensor, generator: torch.Generator) -> Tensor:
    """Translate a batch (N, 3, H, W) by up to 3 % of the side, repeating its border; every batch draws its own."""
    side = images.shape[-1]
    reach = max(1, side // 32)
    top, left = torch.randint(2 * reach + 1, (2,), generator=generator).tolist()
    padded = functional.pad(images, (reach,) * 4, mode="replicate")
    return padded[..., top : top + side, left : left + side]


def fit(network: nn.Module, images: Tensor, labels: Tensor, epochs: int, rate: float, seed: int) -> nn.Module:
    """Train a network in place with AdamW and one cycle of the learning rate; return it."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.02)
    steps = epochs * (len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    network.train().to(memory_format=torch.channels_last)
    for _ in range(epochs):
        order = torch.randperm(len(images), generator=generator)
        for batch in order[: len(order) // BATCH * BATCH].split(BATCH):
            descend(network, shifted(images[batch], generator), labels[batch], optimizer)
            schedule.step()
    return network.eval()


def descend(network: nn.Module, images: Tensor, labels: Tensor, optimizer: torch.optim.Optimizer) -> None:
    """Take one step of a network's training."""
    loss = functional.cross_entropy(network(images), labels, label_smoothing=0.05)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def fit_heads(
    tail: nn.Module, width: int, features: Tensor, labels: Tensor, classes: int, epochs: tuple[int, int]
) -> tuple[nn.Module, nn.Module]:
    """Fit a linear head on what the last block of a pretrained network gives, and tune a copy of the block with it.

    Args:
        tail: The last block.
        width: Channels that it gives.
        features: What goes into it for the training images, (N, channels, H, W).
        labels: Their classes, (N,), on the same device.
        classes: Number of classes C.
        epochs: Of the head, and of the tuning.

    Returns:
        The block with the head, the block as it was; and both tuned. Each maps features to logits (N, C).
    """
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes)).to(features.device)
    with torch.inference_mode():
        pooled = torch.cat([tail(part) for part in features.split(BATCH)])
    # Tensors from inference cannot be trained on; copies can.
    _fit_head(head, pooled.clone(), labels, epochs[0], rate=3e-3)
    tuned = copy.deepcopy(nn.Sequential(tail, head))
    for layer in tuned.modules():
        layer.training = not isinstance(layer, nn.BatchNorm2d)
    _fit_head(tuned, features.clone(), labels, epochs[1], rate=5e-4)
    return nn.Sequential(tail, head).eval(), tuned.eval()


def _fit_head(head: nn.Module, features: Tensor, labels: Tensor, epochs: int, rate: float) -> None:
    optimizer = torch.optim.AdamW(head.parameters(), lr=rate, weight_decay=1e-2)
    steps = epochs * -(-len(labels) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(epochs):
        for batch in torch.randperm(len(labels)).split(BATCH):
            descend(head, features[batch], labels[batch], optimizer)
            schedule.step()


@torch.inference_mode()
def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Return the share of each class's images that the network gets right, (K,)."""
    right = torch.cat([network(part).argmax(1) for part in images.split(256)]) == labels
    return torch.stack([right[labels == label].float().mean() for label in range(int(labels.max()) + 1)])


def main() -> None:
    """Train one network on a planted world and print its recall of every class on fresh test images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--seed", type=int, default=0, help="the planted world, and the network's first weights")
    parser.add_argument("--size", type=int, default=64, choices=(32, 64, 128))
    parser.add_argument("--images", type=int, default=150, help="training images a class")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    train = PlantedWorld(options.seed, "train", options.images, options.size)
    test = PlantedWorld(options.seed, "test", size=options.size)
    network = build(options.kind, len(test.class_names), options.size)
    start = time.process_time()
    fit(network, *tensors(train), EPOCHS[options.kind], RATES[options.kind], options.seed)
    right = accuracy(network, *tensors(test))
    known = [place for place, member in enumerate(test.classes) if not member.name.startswith("null")]
    print(
        f"{options.kind}, {test.spec}: {time.process_time() - start:.0f} CPU s, {right[known].mean():.3f} without null"
    )
    print(*(f"{name} {value:.2f}" for name, value in zip(test.class_names, right.tolist(), strict=True)), sep="\n")


if __name__ == "__main__":
    main()
