"""A plain PyTorch loop: ``python examples/plain_loop.py PROFILE FOLDER``."""

import argparse

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from cuesense import PolicyAugmentation, Profile


def main() -> None:
    """Train a small network, every class augmented as far as it is safe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile")
    parser.add_argument("folder")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--scope", default="per_class", choices=("global", "grouped", "per_class"))
    options = parser.parse_args()

    pixels = v2.Compose([v2.Resize((64, 64)), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    data = ImageFolder(options.folder, transform=pixels)
    profile = Profile.read(options.profile)
    if data.classes != [entry.name for entry in profile.classes]:
        raise SystemExit("The folder's classes are not the profile's.")

    augment = PolicyAugmentation.from_profile(profile, options.scope)
    normalize = v2.Normalize([0.5] * 3, [0.25] * 3)
    network = nn.Sequential(
        nn.Conv2d(3, 16, 5, 2), nn.ReLU(), nn.Conv2d(16, 32, 5, 2), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, len(data.classes)),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for epoch in range(options.epochs):
        total = 0.0
        for images, labels in DataLoader(data, batch_size=32, shuffle=True):
            loss = nn.functional.cross_entropy(network(normalize(augment(images, labels))), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss.detach()) * len(labels)
        print(f"epoch {epoch + 1}: loss {total / len(data):.3f}")
    print(augment)


if __name__ == "__main__":
    main()
