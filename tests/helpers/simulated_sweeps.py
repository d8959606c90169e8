"""Sweeps of a regularizer whose true accuracies are known: simulated image by image, and as tables."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from cuesense.sweeps.sweep import PerImagePredictions, Sweep


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


def simulated(truth: Truth, seed: int, *, per_image: bool = False) -> Sweep:
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
        per_image=PerImagePredictions(labels, predicted, names) if per_image else None,
    )


def table(sweep: Sweep) -> pd.DataFrame:
    """Write a sweep as the rows of a table of accuracies."""
    rows = [
        (f"run {run}", sweep.strengths[place], seed, name, accuracy, images)
        for run, (place, seed) in enumerate(zip(sweep.strength_of, sweep.seeds, strict=True))
        for name, accuracy, images in zip(sweep.class_names, sweep.accuracy[run], sweep.images[run], strict=True)
    ]
    return pd.DataFrame(rows, columns=["run", "strength", "seed", "class", "accuracy", "n"])


def planted() -> Truth:
    """The strongest is best on average; class 0 loses 0.3 by it, all others gain 0.1."""
    accuracy = np.minimum(level(3, 8), 0.85)
    accuracy[2, 1:] += 0.1
    accuracy[2, 0] -= 0.3
    return Truth(accuracy, images=300)


def spread(strengths: np.ndarray, classes: np.ndarray, runs: int, seed: int = 0) -> Sweep:
    """Accuracies of 0.8 on 400 images with given standard deviations over seeds, (S,) times (C,)."""
    random = np.random.default_rng(seed)
    place = np.repeat(np.arange(len(strengths)), runs)
    accuracy = 0.8 + (strengths[place][:, None] * classes) * random.normal(size=(len(place), len(classes)))
    sweep = simulated(Truth(level(len(strengths), len(classes)), images=2, runs=runs), 0)
    return replace(sweep, accuracy=accuracy, images=np.full(accuracy.shape, 400))


def some_runs(whole: Sweep, kept: list[int]) -> Sweep:
    """Return the sweep with these runs alone."""
    return replace(
        whole,
        strength_of=whole.strength_of[kept],
        seeds=tuple(whole.seeds[run] for run in kept),
        accuracy=whole.accuracy[kept],
        images=whole.images[kept],
    )
