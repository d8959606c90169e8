"""Small networks of a sweep that really lose a class to another, written as checkpoints with their list."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import torch
from torch import Tensor, nn


class Corner(nn.Module):
    """The color of the image's first pixel."""

    def forward(self, images: Tensor) -> Tensor:
        return images[:, :, 0, 0]


def linear() -> nn.Sequential:
    """Tells colors apart by one pixel, which is noisy: right for nine of ten images of small_networks."""
    return nn.Sequential(Corner(), nn.Linear(3, 3))


ARCH = "python:tests.helpers.sweep_networks:linear"


def write_networks(folder: Path, strengths: tuple[float, ...] = (0.0, 0.1, 1.0), seeds: int = 3) -> Path:
    """Write networks whose grass is lost to water the more the stronger they were regularized, and their list."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for strength in strengths:
        for seed in range(seeds):
            network, random = linear(), torch.Generator().manual_seed(seed)
            head = network[1]
            with torch.no_grad():
                head.weight.copy_(4 * torch.eye(3) + 0.1 * torch.randn(3, 3, generator=random))
                head.bias.copy_(torch.tensor([0.0, -4 * strength, 0.0]))
            torch.save(network.state_dict(), folder / f"{strength}_{seed}.pt")
            rows.append((f"{strength}_{seed}.pt", "weight_decay", strength, seed))
    runs = folder / "runs.csv"
    pd.DataFrame(rows, columns=["model", "regularizer", "strength", "seed"]).to_csv(runs, index=False)
    return runs


def wide() -> nn.Sequential:
    """Tells colors apart among six outputs, of which three are no class of small_networks."""
    network = nn.Sequential(Corner(), nn.Linear(3, 6))
    with torch.no_grad():
        network[1].weight.copy_(torch.randn(6, 3, generator=torch.Generator().manual_seed(1)))
        network[1].bias.zero_()
    return network


def headless() -> nn.Module:
    """Gives the color of the first pixel as it is, without a linear layer."""
    return Corner()
