"""Where the pixels of an image lie, and random fields over them by the Fourier transform."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

# Single precision halves the time of an image; bytes need no more.
Array = NDArray[np.float32]
Rng = np.random.Generator


@dataclass(frozen=True)
class Grid:
    """The pixels of a square image.

    Attributes:
        size: Height and width in pixels.
        x: Horizontal positions as fractions of the side, from -0.5 to 0.5, (1, W).
        y: Vertical positions, (H, 1).
        cycles: Spatial frequencies of the half spectrum in cycles a side, (H, W // 2 + 1).
    """

    size: int
    x: Array
    y: Array
    cycles: Array

    def noise(self, gain: Array, rng: Rng) -> Array:
        """Return white noise filtered by a gain on the half spectrum, with mean 0 and variance 1, (H, W)."""
        # Drawn as a spectrum: the spectrum of white noise is white noise, and one transform is saved.
        white = rng.standard_normal((*gain.shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
        field: Array = np.fft.irfft2(white * gain, s=(self.size, self.size))
        field -= field.mean()
        field /= field.std() + np.float32(1e-12)
        return field

    def fractal(self, exponent: float, rng: Rng, coarsest: float = 1.0) -> Array:
        """Return noise whose amplitude falls as frequency to the minus exponent.

        Args:
            exponent: 0 is white noise, 1 the statistics of photographs.
            rng: Source of the draws.
            coarsest: Longest period as a fraction of the side.

        Returns:
            Mean 0, variance 1, (H, W).
        """
        kept = self.cycles * coarsest >= 0.99
        return self.noise(np.where(kept, np.maximum(self.cycles, 1.0) ** -exponent, 0.0), rng)

    def band(self, period: float, rng: Rng, width: float = 0.25) -> Array:
        """Return noise around one period.

        Args:
            period: As a fraction of the side.
            rng: Source of the draws.
            width: Standard deviation of the logarithm of the frequency.

        Returns:
            Mean 0, variance 1, (H, W).
        """
        octaves = np.log(np.maximum(self.cycles, 0.25) * period)
        return self.noise(np.exp(-0.5 * (octaves / width) ** 2), rng)


@cache
def grid(size: int) -> Grid:
    """Return the pixels of square images of a size."""
    line = ((np.arange(size) + 0.5) / size - 0.5).astype(np.float32)
    down, across = np.fft.fftfreq(size, 1 / size), np.fft.rfftfreq(size, 1 / size)
    cycles = np.hypot(down[:, None], across[None, :]).astype(np.float32)
    return Grid(size, line[None, :], line[:, None], cycles)
