"""Textures of synthetic objects and backgrounds: patterns from two families, each with a period."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PATTERNS = {"waves": ("stripes", "checks", "spots", "grain"), "corners": ("bricks", "chevrons", "rings", "cells")}
_DIRECTIONS = {"stripes": 1, "checks": 2, "spots": 3, "grain": 24}
# A pattern of fewer pixels a period would alias (the limit is 2; a square or a brick needs more).
_SMALLEST_PERIOD = 3.4
# The fine and coarse period as fractions of the side: 3.4 and 7.7 px at 64 px, 12 and 27 px at 224 px, so that
# even the coarse bars, half a period wide, are narrower than the texture ablation's window of 7 %. Chosen by hand.
_FINE, _COARSE = 0.053, 0.12


@dataclass(frozen=True)
class Texture:
    """A pattern.

    Attributes:
        pattern: One of PATTERNS: plane waves in one (stripes), two (checks), three (spots) or all (grain) directions,
            or bricks, chevrons, rings and cells.
        period: Length of one repetition as a fraction of the image's side.
    """

    pattern: str
    period: float


def periods(size: int) -> tuple[float, float, float]:
    """Return a fine, a middle and a coarse period for images of a size in pixels, as fractions of the side.

    A fine period has at least 3.4 pixels; from 64 pixels on, the periods are 5.3, 8 and 12 % of the side.
    """
    fine = max(_FINE, _SMALLEST_PERIOD / size)
    coarse = max(_COARSE, 1.3 * fine)
    return fine, (fine * coarse) ** 0.5, coarse


def paint(texture: Texture, x: Array, y: Array, rng: np.random.Generator) -> Array:
    """Draw a texture at a random angle and position.

    Args:
        texture: What to draw.
        x: Horizontal positions of the pixels as fractions of the side, (1, W).
        y: Vertical positions, (H, 1).
        rng: Source of angle and position.

    Returns:
        Values in [-1, 1], shape (H, W).
    """
    angle = 2 * np.pi * rng.random()
    u = (x * np.cos(angle) + y * np.sin(angle)) / texture.period + rng.random()
    v = (y * np.cos(angle) - x * np.sin(angle)) / texture.period + rng.random()
    if texture.pattern in _DIRECTIONS:
        return _waves(u, v, _DIRECTIONS[texture.pattern], rng)
    return {"bricks": _bricks, "chevrons": _chevrons, "rings": _rings, "cells": _cells}[texture.pattern](u, v, rng)


def _waves(u: Array, v: Array, count: int, rng: np.random.Generator) -> Array:
    angles = np.pi * np.arange(count) / count
    many = count == _DIRECTIONS["grain"]
    phases = 2 * np.pi * rng.random(count) * many
    lengths = rng.uniform(0.8, 1.25, count) if many else np.ones(count)
    field = sum(
        np.cos(2 * np.pi * (u * np.cos(a) + v * np.sin(a)) / length + phase)
        for a, length, phase in zip(angles, lengths, phases, strict=True)
    )
    return _sharp(np.asarray(field) * np.sqrt(2 / count))


def _bricks(u: Array, v: Array, rng: np.random.Generator) -> Array:  # noqa: ARG001
    row = np.floor(v)
    along, across = (u / 2 + row / 2) % 1, v - row
    edge = np.minimum(np.minimum(across, 1 - across), 2 * np.minimum(along, 1 - along))
    bricks: Array = np.tanh(10 * (edge - 0.18))
    return bricks


def _chevrons(u: Array, v: Array, rng: np.random.Generator) -> Array:  # noqa: ARG001
    zigzag = 2 * np.abs((u / 2) % 1 - 0.5)
    return _sharp(np.sqrt(2) * np.cos(2 * np.pi * (v + zigzag)))


def _rings(u: Array, v: Array, rng: np.random.Generator) -> Array:  # noqa: ARG001
    distance = 2 * np.hypot((u / 2) % 1 - 0.5, (v / 2) % 1 - 0.5)
    return _sharp(np.sqrt(2) * np.cos(2 * np.pi * distance))


def _cells(u: Array, v: Array, rng: np.random.Generator) -> Array:
    """Draw borders between the nearest of jittered grid points (Worley 1996, SIGGRAPH, F2 - F1)."""
    left, top = int(np.floor(u.min())) - 1, int(np.floor(v.min())) - 1
    shape = int(np.ceil(u.max())) - left + 2, int(np.ceil(v.max())) - top + 2
    jitter = rng.uniform(0.15, 0.85, (*shape, 2))
    column, row = np.floor(u).astype(int), np.floor(v).astype(int)
    distances = []
    for across in (-1, 0, 1):
        for down in (-1, 0, 1):
            offset = jitter[column + across - left, row + down - top]
            distances.append(np.hypot(column + across + offset[..., 0] - u, row + down + offset[..., 1] - v))
    nearest = np.partition(np.stack(distances), 1, axis=0)
    cells: Array = np.tanh(8 * (nearest[1] - nearest[0] - 0.25))
    return cells


def _sharp(wave: Array) -> Array:
    sharp: Array = np.tanh(1.5 * wave)
    return sharp
