"""One synthetic image: an object with a hue, an outline and a texture, before a background.

Lengths are fractions of the image's side, so that a scene looks the same at every size.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cuesense.planted.outlines import Family, Outline, draw_outline
from cuesense.planted.textures import PATTERNS, Texture, paint, periods

Array = NDArray[np.float64]

# Rec. 601, as in kornia's grayscale: what that removes is then exactly what tint adds.
LUMA = np.array([0.299, 0.587, 0.114])

# All of these are chosen by hand, so that small networks learn every cue and none is trivial; see world._RECIPE before
# changing one. Shift as a fraction of the side, turn in radians, hue on a circle of length 1, each on both sides.
_SHIFT = 0.04
_TURN = 0.5
_HUE_JITTER = 0.015
# Luma amplitude of a class's texture, and of the random texture of every other class: the ranges do not overlap, so
# that the presence of a clear pattern is part of the texture cue.
_CLEAR, _FAINT = (0.15, 0.2), (0.0, 0.07)


@dataclass(frozen=True)
class Cues:
    """What the images of one class have in common; a cue that is None is random in every image.

    Attributes:
        hue: The object's position on the color circle, in [0, 1).
        outline: The object's silhouette.
        texture: The pattern on the object.
        ground_hue: The background's position on the color circle; backgrounds without it are nearly gray.
        ground_texture: The pattern on the background; backgrounds without it are smooth.
    """

    hue: float | None = None
    outline: Outline | None = None
    texture: Texture | None = None
    ground_hue: float | None = None
    ground_texture: Texture | None = None


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


def render(
    cues: Cues, size: int, family: Family, rng: np.random.Generator, *, cluttered: bool = False
) -> NDArray[np.uint8]:
    """Draw one image.

    Args:
        cues: What the class fixes.
        size: Height and width in pixels.
        family: The family of everything that the class does not fix.
        rng: Source of everything that the class does not fix.
        cluttered: Scatter small objects of any hue, outline and texture over the background.

    Returns:
        RGB image of shape (size, size, 3).
    """
    scene = _Scene(size, family, rng)
    image = scene.background(cues)
    for _ in range(rng.integers(4, 8) if cluttered else 0):
        image = scene.distractor(image)
    image = scene.foreground(image, cues)
    noise = 0.02 * (rng.random((size, size, 1)) - 0.5)
    return np.rint(255 * np.clip(image + noise, 0, 1)).astype(np.uint8)


class _Scene:
    """A canvas of one size, and the random numbers of one image."""

    def __init__(self, size: int, family: Family, rng: np.random.Generator) -> None:
        line = (np.arange(size) + 0.5) / size - 0.5
        self.x, self.y = line[None, :], line[:, None]
        self.size, self.family, self.rng = size, family, rng

    def background(self, cues: Cues) -> Array:
        """Return a dark or light background, (H, W, 3)."""
        rng = self.rng
        dark = rng.random() < 0.5
        depth = 0.15 if cues.ground_texture is None else 0.22
        luma = (depth if dark else 1 - depth) + 0.04 * self._smooth()
        if cues.ground_texture is not None:
            luma += rng.uniform(*_CLEAR) * paint(cues.ground_texture, self.x, self.y, rng)
        luma = np.clip(luma, 0.02, 0.98)
        if cues.ground_hue is None:
            return tint(luma, rng.random(), rng.uniform(0, 0.25))
        return tint(luma, self._near(cues.ground_hue), rng.uniform(0.7, 1))

    def foreground(self, image: Array, cues: Cues) -> Array:
        """Put the object on an image, (H, W, 3)."""
        rng = self.rng
        shift = _SHIFT * rng.uniform(-1, 1, 2)
        turn, scale = _TURN * rng.uniform(-1, 1), rng.uniform(0.9, 1.1)
        mask = self._mask(cues.outline or self._any_outline(), shift, turn, scale)
        luma = np.clip(rng.uniform(0.42, 0.58) + 0.04 * self._smooth() + self._surface(cues.texture), 0, 1)
        painted: Array = mask * self._colored(luma, cues.hue) + (1 - mask) * image
        return painted

    def distractor(self, image: Array) -> Array:
        """Put a small object of no class on an image, (H, W, 3)."""
        rng = self.rng
        position = rng.uniform(-0.5, 0.5, 2)
        mask = self._mask(self._any_outline(), position, 2 * np.pi * rng.random(), rng.uniform(0.12, 0.25))
        painted: Array = mask * self._colored(np.full((1, 1), rng.uniform(0.2, 0.8)), None) + (1 - mask) * image
        return painted

    def _mask(self, outline: Outline, position: Array, turn: float, scale: float) -> Array:
        """Return an outline's coverage of every pixel, (H, W, 1)."""
        x, y = self.x - position[0], self.y - position[1]
        edge = scale * outline.radius(np.arctan2(y, x) + turn)
        mask: Array = np.clip((edge - np.hypot(x, y)) * self.size + 0.5, 0, 1)[..., None]
        return mask

    def _any_outline(self) -> Outline:
        return draw_outline(self.rng, self.family, "global" if self.rng.random() < 0.5 else "local")

    def _colored(self, luma: Array, hue: float | None) -> Array:
        """Color strongly and near the class's hue, else with any hue and any saturation."""
        if hue is None:
            return tint(luma, self.rng.random(), self.rng.random())
        return tint(luma, self._near(hue), self.rng.uniform(0.6, 1))

    def _near(self, hue: float) -> float:
        return (hue + _HUE_JITTER * self.rng.uniform(-1, 1)) % 1

    def _surface(self, texture: Texture | None) -> Array:
        """Return the luma that a pattern adds: the class's clearly, else any pattern faintly; (H, W)."""
        rng = self.rng
        if texture is None:
            fine, _, coarse = periods(self.size)
            texture = Texture(str(rng.choice(PATTERNS[self.family])), rng.uniform(fine, coarse))
            return rng.uniform(*_FAINT) * paint(texture, self.x, self.y, rng)
        return rng.uniform(*_CLEAR) * paint(texture, self.x, self.y, rng)

    def _smooth(self) -> Array:
        """Return a slowly varying field with unit variance, (H, W)."""
        angle, phase = 2 * np.pi * self.rng.random((2, 5, 1, 1))
        period = self.rng.uniform(0.3, 0.9, (5, 1, 1))
        path = (self.x * np.cos(angle) + self.y * np.sin(angle)) / period
        field: Array = np.cos(2 * np.pi * path + phase).sum(axis=0) * np.sqrt(2 / 5)
        return field
