"""Sweeps of a regularizer whose truth is known: simulated accuracies, and small networks that really lose a class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.stats import norm
from torch import Tensor, nn

from cuesense.sweeps.sweep import PerImagePredictions, Sweep
from tests.helpers.small_networks import NAMES


@dataclass(frozen=True)
class Truth:
    """How a simulated sweep is made: expected accuracies, (S, C), and how hard images share their difficulty."""

    accuracy: NDArray[np.float64]
    images: int = 200
    runs: int = 5
    difficulty: float = 0.6
    shared: float = 0.85

    @property
    def losses(self) -> NDArray[np.float64]:
        found: NDArray[np.float64] = self.accuracy.max(axis=0) - self.accuracy
        return found


def level(strengths: int, classes: int, seed: int = 0) -> NDArray[np.float64]:
    """Accuracies that no strength changes."""
    return np.tile(np.random.default_rng(seed).uniform(0.5, 0.95, classes), (strengths, 1))


def simulated(truth: Truth, seed: int, *, pictures: bool = False) -> Sweep:
    """Draw what every run recognizes: an image's difficulty is partly the same at all strengths, the rest is luck."""
    random = np.random.default_rng(seed)
    strengths, classes = truth.accuracy.shape
    common = random.normal(size=(classes, truth.images))
    rows = []
    for accuracy in truth.accuracy:
        own = np.sqrt(truth.shared) * common + np.sqrt(1 - truth.shared) * random.normal(size=common.shape)
        for _ in range(truth.runs):
            luck = random.normal(size=common.shape)
            latent = np.sqrt(truth.difficulty) * own + np.sqrt(1 - truth.difficulty) * luck
            rows.append(latent < norm.ppf(accuracy)[:, None])
    right = np.stack(rows)
    labels = np.repeat(np.arange(classes), truth.images)
    names = tuple(f"class {index}" for index in range(classes))
    wrong = (np.arange(classes) + 1) % classes
    predicted = np.where(right, np.arange(classes)[:, None], wrong[:, None]).reshape(len(right), -1).astype(np.int32)
    return Sweep(
        regularizer="weight_decay",
        strengths=tuple(float(place) for place in range(strengths)),
        class_names=names,
        strength_of=np.repeat(np.arange(strengths), truth.runs),
        seeds=tuple(str(run) for _ in range(strengths) for run in range(truth.runs)),
        accuracy=right.mean(axis=2),
        images=np.full((len(right), classes), truth.images),
        pictures=PerImagePredictions(labels, predicted, names) if pictures else None,
    )


def table(sweep: Sweep) -> pd.DataFrame:
    """Write a sweep as the rows of a table of accuracies."""
    rows = [
        (f"run {run}", sweep.strengths[place], seed, name, accuracy, images)
        for run, (place, seed) in enumerate(zip(sweep.strength_of, sweep.seeds, strict=True))
        for name, accuracy, images in zip(sweep.class_names, sweep.accuracy[run], sweep.images[run], strict=True)
    ]
    return pd.DataFrame(rows, columns=["run", "strength", "seed", "class", "accuracy", "n"])


class Corner(nn.Module):
    """The color of the image's first pixel."""

    def forward(self, images: Tensor) -> Tensor:
        return images[:, :, 0, 0]


def linear() -> nn.Sequential:
    """Tells colors apart by one pixel, which is noisy: right for nine of ten of tests.worlds' pictures."""
    return nn.Sequential(Corner(), nn.Linear(3, 3))


ARCH = "python:tests.helpers.simulated_sweeps:linear"


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


__all__ = ("ARCH", "NAMES", "Truth", "level", "linear", "simulated", "table", "write_networks")
