"""One image of the planted world: an object with a hue, an outline and a texture before a quiet background.

Lengths are fractions of the image's side, so that a scene looks the same at every size.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LUMA = np.array([0.299, 0.587, 0.114])
HARMONICS = (2, 3, 4, 5)
DIRECTIONS = (0, 1, 2, 3)
PERIODS = (0.065, 0.1)

_MEAN_RADIUS = 0.36
_RADIUS_LIMITS = (0.1, 0.49)
_SHIFT = 0.04
_TURN = 0.5
_GRAIN_WAVES = 24
_HUE_JITTER = 0.015


@dataclass(frozen=True)
class Outline:
    """A closed curve around the object's center, r(t) = mean radius * (1 + sum_k Re(c_k exp(i k t))).

    Attributes:
        coefficients: One complex c_k for each of HARMONICS.
    """

    coefficients: tuple[complex, ...]

    def radius(self, angle: Array) -> Array:
        """Return the distance from center to curve.

        Args:
            angle: Directions in radians, any shape.

        Returns:
            Radii as fractions of the image's side, same shape.
        """
        bumps = (np.exp(1j * angle[..., None] * np.array(HARMONICS)) @ np.array(self.coefficients)).real
        radius: Array = np.clip(_MEAN_RADIUS * (1 + bumps), *_RADIUS_LIMITS)
        return radius


@dataclass(frozen=True)
class Texture:
    """A fine pattern of plane waves.

    Attributes:
        directions: One of DIRECTIONS, how many waves cross at equal angles: 1 stripes, 2 checks, 3 spots, 0 grain of
            waves in all directions.
        period: Length of one wave as a fraction of the image's side, within PERIODS.
    """

    directions: int
    period: float


@dataclass(frozen=True)
class Cues:
    """What the images of one class have in common; a cue that is None is drawn anew for every image.

    Attributes:
        hue: Position on the color circle, in [0, 1).
        outline: The object's silhouette.
        texture: The pattern on the object; without one the object is smooth.
    """

    hue: float | None = None
    outline: Outline | None = None
    texture: Texture | None = None


def draw_outline(rng: np.random.Generator) -> Outline:
    """Draw an outline from the family: every harmonic has a random phase, their total strength is fixed.

    Args:
        rng: Source of the draws.

    Returns:
        An outline with sum_k |c_k|^2 = 0.1.
    """
    strength = 0.1 + rng.random(len(HARMONICS))
    phase = np.exp(2j * np.pi * rng.random(len(HARMONICS)))
    return Outline(tuple((np.sqrt(0.1) * phase * strength / np.linalg.norm(strength)).tolist()))


def tint(luma: Array, hue: float, saturation: float) -> Array:
    """Give a hue to a gray picture without changing its luma: shades below the pure hue's luma, tints above.

    Args:
        luma: Rec. 601 luma in [0, 1], shape (H, W).
        hue: Position on the color circle, in [0, 1).
        saturation: From 0, gray, to 1, the strongest color that has this hue and luma.

    Returns:
        RGB in [0, 1], shape (H, W, 3), whose luma is the one given.
    """
    pure = np.clip(np.abs((6 * hue + np.array([0.0, 4.0, 2.0])) % 6 - 3) - 1, 0, 1)
    own = pure @ LUMA
    level = luma[..., None]
    strongest = np.where(level < own, pure * level / own, pure + (1 - pure) * (level - own) / (1 - own))
    colored: Array = level + saturation * (strongest - level)
    return colored


def render(cues: Cues, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one image.

    Args:
        cues: What the class fixes.
        size: Height and width in pixels.
        rng: Source of everything the class does not fix.

    Returns:
        RGB image of shape (size, size, 3).
    """
    x, y = _grid(size)
    mask = _mask(cues.outline or draw_outline(rng), x, y, size, rng)
    luma = rng.uniform(0.42, 0.58) + 0.04 * _smooth(x, y, rng) + _surface(cues.texture, x, y, rng)
    image = mask * _colored(np.clip(luma, 0, 1), cues.hue, rng) + (1 - mask) * _background(x, y, rng)
    noise = 0.02 * (rng.random((size, size, 1)) - 0.5)
    return np.rint(255 * np.clip(image + noise, 0, 1)).astype(np.uint8)


def _grid(size: int) -> tuple[Array, Array]:
    """Return x (1, W) and y (H, 1) of the pixel centers, from -0.5 to 0.5 of the side."""
    line = (np.arange(size) + 0.5) / size - 0.5
    return line[None, :], line[:, None]


def _mask(outline: Outline, x: Array, y: Array, size: int, rng: np.random.Generator) -> Array:
    """Return the object's coverage of every pixel at a random place, turn and scale, shape (H, W, 1)."""
    shift_x, shift_y, turn = rng.uniform(-1, 1, 3) * (_SHIFT, _SHIFT, _TURN)
    scale = rng.uniform(0.9, 1.1)
    x, y = x - shift_x, y - shift_y
    edge = scale * outline.radius(np.arctan2(y, x) + turn)
    return np.clip((edge - np.hypot(x, y)) * size + 0.5, 0, 1)[..., None]


def _waves(x: Array, y: Array, angles: Array, periods: Array, phases: Array) -> Array:
    """Return a sum of plane waves with unit variance, shape (H, W); angles, periods and phases have shape (M,)."""
    angles, periods, phases = (values[:, None, None] for values in (angles, periods, phases))
    path = (x * np.cos(angles) + y * np.sin(angles)) / periods
    field: Array = np.cos(2 * np.pi * path + phases).sum(axis=0) * np.sqrt(2 / len(angles))
    return field


def _colored(luma: Array, hue: float | None, rng: np.random.Generator) -> Array:
    """Color the object: strongly and near the class's hue, else with any hue and any saturation."""
    if hue is None:
        return tint(luma, rng.random(), rng.random())
    return tint(luma, (hue + _HUE_JITTER * rng.uniform(-1, 1)) % 1, rng.uniform(0.6, 1))


def _surface(texture: Texture | None, x: Array, y: Array, rng: np.random.Generator) -> Array:
    """Return the luma that a pattern adds: the class's clearly, else any pattern faintly; shape (H, W)."""
    if texture is None:
        other = Texture(int(rng.integers(len(DIRECTIONS))), rng.uniform(*PERIODS))
        return rng.uniform(0, 0.07) * _pattern(other, x, y, rng)
    return rng.uniform(0.15, 0.2) * _pattern(texture, x, y, rng)


def _smooth(x: Array, y: Array, rng: np.random.Generator) -> Array:
    """Return a slowly varying field with unit variance, shape (H, W)."""
    turns = 2 * np.pi * rng.random((2, 5))
    return _waves(x, y, turns[0], rng.uniform(0.3, 0.9, 5), turns[1])


def _pattern(texture: Texture, x: Array, y: Array, rng: np.random.Generator) -> Array:
    """Return the texture in [-1, 1] at a random angle and place, shape (H, W)."""
    count = texture.directions or _GRAIN_WAVES
    angles = np.pi * (np.arange(count) / count + rng.random())
    shift = rng.random(2) * texture.period
    phases = 2 * np.pi * (shift[0] * np.cos(angles) + shift[1] * np.sin(angles)) / texture.period
    periods = np.full(count, texture.period)
    if not texture.directions:
        phases, periods = 2 * np.pi * rng.random(count), periods * rng.uniform(0.8, 1.25, count)
    return np.tanh(1.5 * _waves(x, y, angles, periods, phases))


def _background(x: Array, y: Array, rng: np.random.Generator) -> Array:
    """Return dark or light clutter without fine detail and nearly without color, shape (H, W, 3)."""
    luma = np.clip(rng.choice([0.15, 0.85]) + 0.04 * _smooth(x, y, rng), 0, 1)
    return tint(luma, rng.random(), 0.2)
