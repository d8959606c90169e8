"""Outlines of synthetic objects: closed curves from two families, at two scales."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Family = Literal["waves", "corners"]
Scale = Literal["global", "local"]

ANGLES = np.arange(256) * (2 * np.pi / 256)
HARMONICS = {"global": (2, 3, 4), "local": (5, 6, 7)}
CORNERS = {"global": (4, 5), "local": (9, 10)}

# A mean radius of 0.36 times 1.36 is just below half of the side: a centered object of scale 1 stays in the image.
# The spread of 0.2 is the same for both families and scales, so that none is easier to recognize by its size alone.
_MEAN_RADIUS = 0.36
_SPREAD = 0.2
_LIMITS = (0.3, 1.36)


@dataclass(frozen=True)
class Outline:
    """A closed curve around the object's center.

    Attributes:
        radii: Distance from the center in each direction of ANGLES, relative to the mean radius of 0.36 of the side.
    """

    radii: tuple[float, ...]

    def radius(self, angle: Array) -> Array:
        """Return the distance from center to curve.

        Args:
            angle: Directions in radians, any shape.

        Returns:
            Radii as fractions of the image's side, same shape.
        """
        return _MEAN_RADIUS * np.interp(angle, ANGLES, self.radii, period=2 * np.pi)


def draw_outline(rng: np.random.Generator, family: Family, scale: Scale) -> Outline:
    """Draw an outline; the standard deviation of its relative radii is 0.2 before they are cut to [0.3, 1.36].

    Args:
        rng: Source of the draws.
        family: ``"waves"``, sums of three harmonics, or ``"corners"``, polygons with straight sides.
        scale: ``"global"``, two to five bumps, or ``"local"``, five to ten.

    Returns:
        The outline.
    """
    radii = _waves(rng, HARMONICS[scale]) if family == "waves" else _polygon(rng, CORNERS[scale])
    relative = 1 + _SPREAD * (radii - radii.mean()) / radii.std()
    return Outline(tuple(np.clip(relative, *_LIMITS).tolist()))


def choose_unlike(pool: list[Outline], count: int) -> list[Outline]:
    """Choose outlines from a pool, one after the other, each as unlike those before it as there is.

    Args:
        pool: At least ``count`` outlines.
        count: How many to choose.

    Returns:
        The chosen ones; the first of the pool comes first.
    """
    radii = np.array([outline.radii for outline in pool])
    # Correlation over all rotations at once, by the Fourier transform: objects are shown turned.
    spectra = np.fft.rfft((radii - radii.mean(axis=1, keepdims=True)) / radii.std(axis=1, keepdims=True))
    chosen, likeness = [0], np.full(len(pool), -np.inf)
    while len(chosen) < count:
        correlation = np.fft.irfft(spectra * spectra[chosen[-1]].conj()).max(axis=1)
        likeness = np.maximum(likeness, correlation)
        likeness[chosen] = np.inf
        chosen.append(int(likeness.argmin()))
    return [pool[index] for index in chosen[:count]]


def _waves(rng: np.random.Generator, harmonics: tuple[int, ...]) -> Array:
    strength = 0.1 + rng.random(len(harmonics))
    phase = 2 * np.pi * rng.random(len(harmonics))
    radii: Array = strength @ np.cos(np.outer(harmonics, ANGLES) + phase[:, None])
    return radii


def _polygon(rng: np.random.Generator, corners: tuple[int, ...]) -> Array:
    count = int(rng.choice(corners))
    angle = (np.arange(count) + rng.uniform(0, 0.4, count)) * 2 * np.pi / count
    radius = rng.uniform(0.6, 1.6, count)
    after = np.searchsorted(angle, ANGLES, side="right")
    left, right = (after - 1) % count, after % count
    start, end = (ANGLES - angle[left]) % (2 * np.pi), (angle[right] - ANGLES) % (2 * np.pi)
    radii: Array = (
        radius[left]
        * radius[right]
        * np.sin(start + end)
        / (radius[left] * np.sin(start) + radius[right] * np.sin(end))
    )
    return radii
