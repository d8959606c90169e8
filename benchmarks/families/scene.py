"""What both families share in drawing a scene: an object's pose, its outline, a texture and its contrast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .figures import draw_figure, placed
from .grid import Array, Grid, Rng, grid
from .looks import Look
from .patterns import draw_pattern, paint

# Amplitudes of the class's texture and of the random one that three of five other images have; from faint to strong,
# chosen by hand so that small networks learn nine of ten images.
_CLEAR, _FAINT, _WITH_FAINT = (0.4, 0.95), (0.05, 0.25), 0.6


@dataclass(frozen=True)
class Place:
    """Which world an image belongs to, its size, and its random numbers.

    Attributes:
        family: ``"parts"`` or ``"fields"``.
        seed: Which world.
        size: Height and width in pixels.
        rng: Source of everything that the class does not fix.
    """

    family: str
    seed: int
    size: int
    rng: Rng

    @property
    def pixels(self) -> Grid:
        """Where the pixels lie."""
        return grid(self.size)

    def between(self, low: float, high: float) -> float:
        """Return a random number between two bounds."""
        return float(self.rng.uniform(low, high))

    def logarithmic(self, low: float, high: float) -> float:
        """Return a random number whose logarithm is uniform between two bounds."""
        return float(low * (high / low) ** self.rng.random())

    def depth(self, look: Look, shift: float, turn: float, scales: tuple[float, float]) -> Array:
        """Return the signed depth of the class's outline, else of a random one, in a random pose, (H, W)."""
        figure = look.figure or draw_figure(self.rng, self.family, self.seed)
        right, down = self.rng.uniform(-shift, shift, 2)
        pose = (
            float(right),
            float(down),
            self.between(-turn, turn),
            self.between(*scales),
            self.logarithmic(0.85, 1.18),
        )
        return placed(figure, self.size, pose)

    def texture(self, look: Look) -> Array:
        """Return the class's texture times its contrast, else a random and fainter one or none; (H, W) in [-1, 1]."""
        if look.pattern is not None:
            return self.logarithmic(*_CLEAR) * paint(look.pattern, self.size, self.rng)
        if self.rng.random() >= _WITH_FAINT:
            return np.zeros((self.size, self.size), np.float32)
        pattern = draw_pattern(self.rng, self.family, self.seed, self.size)
        return self.logarithmic(*_FAINT) * paint(pattern, self.size, self.rng)

    def hue(self, look: Look, jitter: float = 0.02) -> float:
        """Return a hue near the class's, else any."""
        if look.hue is None:
            return float(self.rng.random())
        return (look.hue + jitter * self.between(-1, 1)) % 1


def pure(hue: float) -> Array:
    """Return the RGB of the strongest color of a hue, (3,)."""
    corners = np.array([0.0, 4.0, 2.0], np.float32)
    return np.clip(np.abs((6 * hue + corners) % 6 - 3) - 1, 0, 1)


def paint_over(image: Array, color: Array, cover: Array) -> Array:
    """Return an image (H, W, 3) under a color that broadcasts with it, covered as far as (H, W) says."""
    laid: Array = image + cover[..., None] * (color - image)
    return laid


def finished(image: Array, noise: float, rng: Rng) -> np.ndarray:
    """Return pixels as bytes, (H, W, 3), with the noise of a camera of a standard deviation."""
    grain = noise * rng.standard_normal(image.shape[:2], dtype=np.float32)[..., None]
    pixels = 255 * image + (255 * grain + 0.5)
    return np.clip(pixels, 0, 255.5, out=pixels).astype(np.uint8)
