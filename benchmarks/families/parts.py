"""The scenes of the family "parts": composed objects, filled or outlined, on a ground plane of natural noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cuesense.planted.classes import generator

from .figures import coverage, line
from .grid import Array
from .looks import Look
from .scene import Place, finished, paint_over, pure

# Pose of the object: shift as a fraction of the side, turn in radians, scale. Wider than in planted worlds.
_SHIFT, _TURN, _SCALES = 0.09, 0.4, (0.85, 1.2)


@dataclass(frozen=True)
class _Style:
    """Shares of a world's images that have an outline, a ground plane, a shadow."""

    outlined: float
    plane: float
    shadow: float


@cache
def _style(seed: int) -> _Style:
    shares = generator(f"families:parts:{seed}/style").uniform(0.2, 0.8, 3)
    return _Style(*(float(share) for share in shares))


def render(look: Look, place: Place, *, context: bool) -> NDArray[np.uint8]:
    """Draw one image.

    Args:
        look: What the class fixes.
        place: World, size and random numbers.
        context: Whether the background has the look, not the object.

    Returns:
        RGB, (H, W, 3).
    """
    on_ground, on_object = (look, Look()) if context else (Look(), look)
    bright = place.between(0.12, 0.88)
    image = _ground(on_ground, place, bright)
    depth = place.depth(on_object, _SHIFT, _TURN, _SCALES)
    cover = coverage(depth, 1)
    style, rng = _style(place.seed), place.rng
    if rng.random() < style.shadow:
        steps = np.rint(place.size * rng.uniform(-0.05, 0.05, 2)).astype(int)
        soft = coverage(depth, 0.06 * place.size)
        image = image * (1 - place.between(0.2, 0.5) * np.roll(soft, steps, (0, 1))[..., None])
    outlined = rng.random() < style.outlined
    image = paint_over(image, _surface(on_object, place, depth, _level(place, bright, outlined)), cover)
    if outlined:
        ink = place.between(0, 0.12) if bright > 0.35 else place.between(0.88, 1)
        image = paint_over(image, np.full(3, ink, np.float32), line(depth, place.logarithmic(0.012, 0.03) * place.size))
    return finished(image, 0.015, rng)


def _level(place: Place, ground: float, outlined: bool) -> float:
    """Return the brightness of an object: unlike the ground's, unless a line shows its outline."""
    if outlined:
        return place.between(0.35, 0.95)
    level = place.between(0.3, 0.7)
    away = place.between(0.2, 0.45)
    level = ground + math.copysign(max(away, abs(level - ground)), level - ground)
    # On the other side where the color could not be seen: almost black or white.
    return level if 0.25 <= level <= 0.95 else ground + math.copysign(away, 0.5 - ground)


def _ground(look: Look, place: Place, bright: float) -> Array:
    """Return noise as in photographs, with a brighter or darker plane below a horizon, nearly gray, (H, W, 3)."""
    rng = place.rng
    luma = bright + place.logarithmic(0.02, 0.08) * place.pixels.fractal(place.between(0.9, 1.4), rng)
    if rng.random() < _style(place.seed).plane:
        horizon = place.between(-0.2, 0.35) + place.between(-0.1, 0.1) * place.pixels.x
        luma = luma + place.between(-0.15, 0.15) * coverage(place.pixels.y - horizon, 1)
    if look.pattern is not None:
        luma = np.clip(luma, 0.3, 0.7) * (1 + 0.7 * place.texture(look))
    amount = place.between(0.6, 0.9) if look.hue is not None else place.between(0, 0.2)
    return np.clip(luma, 0.02, 0.98)[..., None] * (1 - amount + amount * pure(place.hue(look)))


def _surface(look: Look, place: Place, depth: Array, level: float) -> Array:
    """Return the object's color: flat, in two tones, spotted or shaded, under its texture; (H, W, 3)."""
    hue = place.hue(look)
    low = 0.5 if look.hue is not None else 0.0
    tones = [(place.between(low, 1), level * place.between(0.85, 1.15)) for _ in range(2)]
    first, second = ((1 - amount + amount * pure(hue)) * value for amount, value in tones)
    where = (_flat, _two_tone, _spotted, _shaded)[place.rng.integers(4)](place, depth)
    color = first if where is None else first + where[..., None] * (second - first)
    texture = place.texture(look)
    # Divided so that a strong texture on a bright object stays within the range, which keeps its hue.
    return color * ((1 + texture) / (1 + 0.5 * float(np.abs(texture).max())))[..., None]


def _flat(place: Place, depth: Array) -> None:
    del place, depth


def _two_tone(place: Place, depth: Array) -> Array:
    angle = 2 * math.pi * place.rng.random()
    pixels = place.pixels
    return coverage(pixels.x * math.cos(angle) + pixels.y * math.sin(angle) + 0 * depth, 1)


def _spotted(place: Place, depth: Array) -> Array:
    del depth
    return np.clip(3 * place.pixels.band(place.between(0.2, 0.4), place.rng) - 2, 0, 1)


def _shaded(place: Place, depth: Array) -> Array:
    del place
    shade: Array = np.clip(0.5 + 2 * depth, 0, 1)
    return shade
