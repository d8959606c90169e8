"""Tiny networks and datasets whose answers are known, shared by the tests of the engine and the pipeline."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cuesense.errors import UnreadableImageError
from cuesense.types import Classifier, ClassNames, Preprocessing, Sample

SIZE = 16
NAMES = ("brick", "grass", "water")


@dataclass
class Colors:
    """Images whose mean color tells the class; ids are not in order of their places."""

    count: int = 30
    broken: frozenset[int] = frozenset()
    size: int = SIZE
    read: list[str] = field(default_factory=list)
    spec: str = "colors"
    class_names: tuple[str, ...] = NAMES

    @property
    def sample_ids(self) -> list[str]:
        return _ids(self.count)

    @property
    def labels(self) -> list[int]:
        return [int(name) % 3 for name in self.sample_ids]

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(repr((self.sample_ids, self.labels)).encode()).hexdigest()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        name, label = self.sample_ids[index], self.labels[index]
        self.read.append(name)
        if index in self.broken:
            raise UnreadableImageError("not an image")
        return Sample(name, picture(int(name), label, self.size), label)


@cache
def _ids(count: int) -> list[str]:
    return [f"{(7 * place) % count:05d}" for place in range(count)]


def picture(number: int, label: int, size: int = SIZE) -> NDArray[np.uint8]:
    """Return noise in which one channel is brighter than the others."""
    image = np.random.default_rng(number).integers(60, 140, (size, size, 3))
    image[..., label] += 60
    return image.astype(np.uint8)


class Meanest(nn.Module):
    """Answers the class whose channel is brightest; without color, three pixels decide as good as by chance."""

    def __init__(self, outputs: int = 3) -> None:
        super().__init__()
        self.outputs = outputs
        self.scale = nn.Parameter(torch.tensor(40.0))

    def forward(self, images: Tensor) -> Tensor:
        logits = images.mean(dim=(2, 3)) * self.scale + images[:, 0, 0, :3]
        return logits if self.outputs == 3 else torch.cat([logits, logits.new_zeros(len(logits), self.outputs - 3)], 1)


def classifier(network: Callable[[Tensor], Tensor] | None = None, **changes: object) -> Classifier:
    plain = Classifier(
        spec="meanest",
        architecture="meanest",
        network=(network or Meanest()),
        preprocessing=Preprocessing((SIZE, SIZE), SIZE, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
        class_names=ClassNames(NAMES),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]
