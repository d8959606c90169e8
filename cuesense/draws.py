"""Random numbers that depend on an image's id or key and the condition, and on nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

# SplitMix64's constants, as its authors published them: 2^64 divided by the golden ratio, and two multipliers.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_SHIFT_1, _SHIFT_2, _SHIFT_3, _REST = (np.uint64(bits) for bits in (30, 27, 31, 64 - 24))


@dataclass(frozen=True)
class Draws:
    """Uniform random numbers that depend on an image's id and the condition, and on nothing else.

    Analyses give a hash of the image's pixels as its id (``datasets.images.Prepared.key``): its name does not matter.

    The key of an image is the blake2b hash of (seed, sample id, perturbation, value, repeat); the numbers are
    SplitMix64 of key and draw index (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"), so
    that batch size, order and neighbors cannot change them.

    Attributes:
        keys: One 64-bit key an image, shape (N,).
    """

    keys: NDArray[np.uint64]

    @classmethod
    def of(cls, sample_ids: Sequence[str], *, perturbation: str, value: float, seed: int, repeat: int = 0) -> Draws:
        """Return the draws of these images under one condition.

        Args:
            sample_ids: The images' ids, length N.
            perturbation: The perturbation's name.
            value: The perturbation's strength, in its unit.
            seed: The run's seed.
            repeat: Which repeat of the condition, from 0.

        Returns:
            Draws with one key an image.
        """
        # Separated by zero bytes, so that no two conditions give one text. repr keeps every bit of the value.
        condition = f"{seed}\0{perturbation}\0{float(value)!r}\0{repeat}\0".encode()
        digests = (hashlib.blake2b(condition + name.encode(), digest_size=8).digest() for name in sample_ids)
        return cls(np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64))

    def uniform(self, count: int, start: int = 0) -> NDArray[np.float32]:
        """Return uniform numbers in [0, 1) with 24 random bits each, exact in float32.

        Args:
            count: How many numbers an image.
            start: Index of the first one; two parts of one perturbation use ranges that do not overlap.

        Returns:
            Array of shape (N, count).
        """
        # Arithmetic modulo 2^64 is what the generator is defined by: that of arrays, which says nothing of an overflow.
        mixed = self.keys[:, None] + _steps(start, count)
        mixed ^= mixed >> _SHIFT_1
        mixed *= _MIX_1
        mixed ^= mixed >> _SHIFT_2
        mixed *= _MIX_2
        mixed ^= mixed >> _SHIFT_3
        # The 24 highest bits: float32 holds no more, and rounding more of them could give 1.0.
        numbers: NDArray[np.float32] = ((mixed >> _REST) * 2.0**-24).astype(np.float32)
        return numbers

    def __getitem__(self, index: slice) -> Draws:
        """Return the draws of a slice of the images."""
        return Draws(self.keys[index])


@lru_cache
def _steps(start: int, count: int) -> NDArray[np.uint64]:
    """Return what is added to a key for its numbers from ``start`` on, (1, count)."""
    steps = np.arange(start + 1, start + count + 1, dtype=np.uint64)[None, :] * _GOLDEN
    steps.flags.writeable = False
    return steps
