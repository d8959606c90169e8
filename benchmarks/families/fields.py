"""The scenes of the family "fields": soft silhouettes, textures over the whole frame, colored light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .figures import coverage
from .grid import Array
from .looks import Look
from .scene import Place, finished, pure

# Pose of the object: shift as a fraction of the side, turn in radians, scale.
_SHIFT, _TURN, _SCALES = 0.1, 0.35, (0.8, 1.2)


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
    depth = place.depth(on_object, _SHIFT, _TURN, _SCALES)
    cover = coverage(depth, place.logarithmic(1, max(1.1, 0.05 * place.size)))
    luma = _luma(on_ground, on_object, place, cover)
    ground_amount = place.between(0.6, 0.95) if on_ground.hue is not None else place.between(0, 0.3)
    object_amount = place.between(0.5, 1) if on_object.hue is not None else place.between(0, 1)
    lit = _lit_by_gels if place.seed % 2 == 0 else _lit_by_lamps
    ground = lit(luma, place.hue(on_ground), ground_amount)
    thing = lit(luma, place.hue(on_object), object_amount)
    return finished(ground + cover[..., None] * (thing - ground), place.between(0, 0.02), place.rng)


def _luma(on_ground: Look, on_object: Look, place: Place, cover: Array) -> Array:
    """Return the scene in gray: a step at the outline, textures inside or everywhere, uneven light; (H, W)."""
    rng, pixels = place.rng, place.pixels
    level, step = place.between(0.38, 0.62), place.logarithmic(0.12, 0.3) * (-1) ** int(rng.integers(2))
    slope = rng.uniform(-0.1, 0.1, 2).tolist()
    luma = level + step * (cover - 0.5) + slope[0] * pixels.x + slope[1] * pixels.y
    luma = luma + place.logarithmic(0.01, 0.05) * pixels.fractal(place.between(0.6, 1.4), rng)
    everywhere = on_ground.pattern is None and rng.random() < 0.5
    reach = np.ones_like(cover) if everywhere else cover
    luma = luma + 0.3 * reach * place.texture(on_object)
    if on_ground.pattern is not None:
        luma = luma + 0.3 * (1 - cover) * place.texture(on_ground)
    return np.clip(luma, 0.04, 0.96)


def _lit_by_gels(luma: Array, hue: float, amount: float) -> Array:
    """Return a gray scene under a colored filter, which takes light away: blue is darker than yellow; (H, W, 3)."""
    return luma[..., None] * (1 - amount * (1 - pure(hue)))


def _lit_by_lamps(luma: Array, hue: float, amount: float) -> Array:
    """Return a gray scene with a cast of the same mean over the channels: blue's luma is lower than yellow's."""
    color = pure(hue)
    return luma[..., None] + 0.35 * amount * (color - color.mean())
