"""timm's parts with a cuesense policy: ``python examples/timm_loop.py PROFILE FOLDER``."""

import argparse
from pathlib import Path

import timm
import torch
from timm.data import create_dataset, create_transform
from timm.optim import create_optimizer_v2
from timm.scheduler import CosineLRScheduler
from torch.utils.data import DataLoader
from torchvision.transforms import v2

from cuesense import PolicyAugmentation, Profile


def main() -> None:
    """Train a timm network; its transforms only resize, the policy does the rest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile")
    parser.add_argument("folder")
    parser.add_argument("--model", default="resnet10t")
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()

    profile = Profile.read(options.profile)
    if sorted(entry.name for entry in profile.classes) != sorted(path.name for path in Path(options.folder).iterdir()):
        raise SystemExit("The folder's classes are not the profile's.")
    network = timm.create_model(options.model, num_classes=len(profile.classes))
    data = create_dataset("", root=options.folder)
    data.transform = create_transform(64, mean=(0, 0, 0), std=(1, 1, 1))
    augment = PolicyAugmentation.from_profile(profile, "per_class")
    normalize = v2.Normalize(network.default_cfg["mean"], network.default_cfg["std"])
    optimizer = create_optimizer_v2(network, opt="adamw", lr=1e-3, weight_decay=0.02)
    schedule = CosineLRScheduler(optimizer, t_initial=options.epochs)
    for epoch in range(options.epochs):
        total = 0.0
        for images, labels in DataLoader(data, batch_size=32, shuffle=True):
            loss = torch.nn.functional.cross_entropy(network(normalize(augment(images, labels))), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss.detach()) * len(labels)
        schedule.step(epoch + 1)
        print(f"epoch {epoch + 1}: loss {total / len(data):.3f}")


if __name__ == "__main__":
    main()
