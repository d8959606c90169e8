"""Run calls one after the other on one image, and undo at the end what only prepares it for a network."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cuesense.perturbations.wrapped import seeded
from cuesense.pipelines.forms import Form, resized, to_pixels
from cuesense.pipelines.steps import reached

Call = Callable[[Any], Any]


@dataclass(frozen=True)
class Undo:
    """Takes back what the preparation (normalization, another range, BGR) does to every pixel alike.

    Attributes:
        matrix: From prepared channels to pixels, (3, 3), or None where nothing has to be taken back.
        offset: What is added after it, (3,).
    """

    matrix: Tensor | None = None
    offset: Tensor | None = None

    def __call__(self, prepared: Tensor) -> Tensor:
        """Return pixels (3, H, W) from prepared ones."""
        if self.matrix is None or self.offset is None:
            return prepared
        # Sums written out: a product of matrices may round differently for images of another size.
        planes = [
            sum((factor * plane for factor, plane in zip(row, prepared, strict=True)), start=shift)
            for row, shift in zip(self.matrix, self.offset, strict=True)
        ]
        return torch.stack(planes)


@dataclass(frozen=True)
class Chain:
    """Steps of a training transform as one function of an image.

    Random numbers come from the generators of Python, NumPy and torch, which ``perturbations.wrapped`` seeds for every
    image.

    Attributes:
        calls: What is done, in order; preparation such as ``ToTensor`` included.
        form: In which form the first one takes an image.
        undo: Takes the preparation back.
    """

    calls: Sequence[Call]
    form: Form
    undo: Undo = Undo()

    def __call__(self, pixels: Tensor) -> Tensor:
        """Return an image, (3, H, W), float32 in [0, 1], after all calls, with its size."""
        changed = self.undo(self.prepared(pixels))
        return resized(changed, (pixels.shape[1], pixels.shape[2])).clamp(0, 1)

    def prepared(self, pixels: Tensor) -> Tensor:
        """Return an image as the last call gives it: normalized, and of any size."""
        image = self.form(pixels)
        for call in self.calls:
            _seed_own(call)
            image = call(image)
        return to_pixels(image)

    def tried(self, pixels: Tensor, seed: int) -> Tensor:
        """Return the same with random numbers that start from a seed."""
        with seeded(seed):
            return self.prepared(pixels)


def _seed_own(call: Call) -> None:
    """Let generators of a step's own, as albumentations has them, follow the seeded ones, also inside a function."""
    for holder in (call, *reached(call)):
        reseed = getattr(holder, "set_random_state", None)
        if callable(reseed) and not isinstance(holder, type):
            reseed(np.random.default_rng(random.getrandbits(63)), random.Random(random.getrandbits(63)))
