"""Gray patterns: drawn lines and tiles for the family "parts", filtered noise and warped waves for "fields".

Even and odd seeds use different patterns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from .grid import Array, Grid, Rng, grid

KINDS: Mapping[tuple[str, int], tuple[str, ...]] = MappingProxyType(
    {
        ("parts", 0): ("hatching", "crosses", "labyrinth", "truchet"),
        ("parts", 1): ("dashes", "halftone", "triangles", "hairs", "quilt"),
        ("fields", 0): ("plaid", "leopard", "ripples", "fractal"),
        ("fields", 1): ("cracks", "camouflage", "net", "dunes"),
    }
)
# Periods as fractions of the side; a fine one has at least this many pixels, because finer ones alias.
_FINEST, _COARSEST = 0.03, {"parts": 0.13, "fields": 0.2}
_FEWEST_PIXELS = 3.6
# Noise and cells look like a longer period than lines: what is repeated in them is coarser than the period says.
_SHORTER = {"labyrinth": 1.0, "leopard": 1.3, "camouflage": 1.4, "cracks": 1.5, "crosses": 1.3, "hairs": 1.3}
# Patterns of "fields" hang in one direction, those of "parts" turn freely. In radians; chosen by hand.
_SWAY = 0.2


@dataclass(frozen=True)
class Pattern:
    """One texture.

    Attributes:
        kind: One of KINDS.
        period: Length of one repetition as a fraction of the side.
        angle: Direction in radians; None where it is random in every image.
        form: Two numbers in [0, 1] that vary the pattern: how thick, how regular.
    """

    kind: str
    period: float
    angle: float | None
    form: tuple[float, float]


@dataclass(frozen=True)
class _Sheet:
    """Where a pattern is drawn: turned and shifted positions in periods, and the pixels."""

    u: Array
    v: Array
    period: float
    pixels: Grid
    rng: Rng

    def warp(self, strength: float, period: float) -> Array:
        return strength * self.pixels.band(min(period, 0.5), self.rng, 0.4)

    def table(self, count: int) -> Array:
        """Return random numbers for every cell, (H, W, count)."""
        column, row = np.floor(self.u).astype(int), np.floor(self.v).astype(int)
        column -= column.min()
        row -= row.min()
        numbers: Array = self.rng.random((column.max() + 1, row.max() + 1, count), dtype=np.float32)
        return numbers[column, row]


def draw_pattern(rng: Rng, family: str, seed: int, size: int) -> Pattern:
    """Draw a pattern of a family.

    Args:
        rng: Source of the draws.
        family: ``"parts"`` or ``"fields"``.
        seed: Its parity decides which kinds there are.
        size: Side of the images in pixels, which bounds how fine a pattern can be.

    Returns:
        The pattern.
    """
    kinds = KINDS[family, seed % 2]
    kind = kinds[rng.integers(len(kinds))]
    finest = max(_FINEST, _FEWEST_PIXELS / size) * _SHORTER.get(kind, 1.0)
    coarsest = max(_COARSEST[family], 1.5 * finest)
    period = float(finest * (coarsest / finest) ** rng.random())
    angle = float(np.pi * rng.random()) if family == "fields" else None
    return Pattern(kind, period, angle, (float(rng.random()), float(rng.random())))


def paint(pattern: Pattern, size: int, rng: Rng, spread: float = 0.05) -> Array:
    """Draw a pattern at a random place, and at a random angle where the pattern has none.

    Args:
        pattern: What to draw.
        size: Height and width in pixels.
        rng: Source of place, angle and noise.
        spread: By how much the period varies, as a share of itself.

    Returns:
        Values in [-1, 1], (H, W).
    """
    pixels = grid(size)
    angle = 2 * np.pi * rng.random() if pattern.angle is None else pattern.angle + _SWAY * rng.uniform(-1, 1)
    period = pattern.period * (1 + spread * rng.uniform(-1, 1))
    cos, sin = math.cos(angle), math.sin(angle)
    u = (pixels.x * cos + pixels.y * sin) / period + rng.random()
    v = (pixels.y * cos - pixels.x * sin) / period + rng.random()
    drawn: Array = np.clip(_PAINTERS[pattern.kind](_Sheet(u, v, period, pixels, rng), *pattern.form), -1, 1)
    return drawn


def _sharp(field: Array, steepness: float = 4.0) -> Array:
    return np.tanh(steepness * field)


def _hatching(sheet: _Sheet, thick: float, regular: float) -> Array:
    """Thin lines in one or two directions, as by hand."""
    wobble = sheet.warp(0.12, 4 * sheet.period)
    lines = np.cos(2 * np.pi * (sheet.u + wobble)) - 0.6 * thick
    if regular > 0.4:
        slant = np.pi * (0.2 + 0.4 * regular)
        other = np.cos(2 * np.pi * (sheet.u * math.cos(slant) + sheet.v * math.sin(slant) + wobble)) - 0.6 * thick
        lines = np.maximum(lines, other)
    return _sharp(lines, 2.5)


def _crosses(sheet: _Sheet, thick: float, regular: float) -> Array:
    row = np.floor(sheet.v)
    across, along = np.abs((sheet.u + 0.5 * (regular > 0.5) * row) % 1 - 0.5), np.abs(sheet.v - row - 0.5)
    arms = 0.06 + 0.09 * thick
    reach = 0.4 - np.maximum(across, along)
    return _sharp(np.minimum(reach, arms - np.minimum(across, along)) + 0.02, 14)


def _labyrinth(sheet: _Sheet, thick: float, regular: float) -> Array:
    return _sharp(sheet.pixels.band(sheet.period, sheet.rng, 0.08 + 0.25 * (1 - regular)) + 1.2 * (thick - 0.5), 3)


def _truchet(sheet: _Sheet, thick: float, regular: float) -> Array:
    """Quarter circles that join across the sides of tiles, each tile turned at random."""
    flip = sheet.table(1)[..., 0] < 0.2 + 0.6 * regular
    across, along = sheet.u % 1, sheet.v % 1
    across = np.where(flip, 1 - across, across)
    distance = np.minimum(np.hypot(across, along), np.hypot(1 - across, 1 - along))
    return _sharp(0.1 + 0.12 * thick - np.abs(distance - 0.5), 9)


def _dashes(sheet: _Sheet, thick: float, regular: float) -> Array:
    row = np.floor(1.4 * sheet.v)
    start = sheet.rng.random(int(np.ptp(row)) + 1, dtype=np.float32)[(row - row.min()).astype(int)] * regular
    along = np.abs((0.5 * sheet.u + start + 0.5 * row) % 1 - 0.5)
    across = np.abs(1.4 * sheet.v - row - 0.5)
    return _sharp(np.minimum(0.33 - along, (0.12 + 0.14 * thick - across) / 1.4), 9)


def _halftone(sheet: _Sheet, thick: float, regular: float) -> Array:
    tone = 0.32 + 0.12 * thick + sheet.warp(0.12 * (1 - regular) + 0.03, 0.45)
    row = np.floor(sheet.v)
    distance = np.hypot((sheet.u + 0.5 * row) % 1 - 0.5, sheet.v - row - 0.5)
    return _sharp(tone - 0.08 - distance, 9)


def _triangles(sheet: _Sheet, thick: float, regular: float) -> Array:
    waves = [np.sin(np.pi * (sheet.u * math.cos(a) + sheet.v * math.sin(a))) for a in (0, math.pi / 3, 2 * math.pi / 3)]
    product = waves[0] * waves[1] * (waves[2] if regular > 0.35 else np.sign(waves[2]))
    return _sharp(product + 0.25 * (thick - 0.5), 5)


def _hairs(sheet: _Sheet, thick: float, regular: float) -> Array:
    """One short stroke a tile, each in a direction of its own."""
    numbers = sheet.table(2)
    turn = np.pi * (numbers[..., 0] - 0.5) * (0.3 + 0.7 * (1 - regular))
    across, along = sheet.u % 1 - 0.5, sheet.v % 1 - 0.5
    length = 0.25 + 0.2 * numbers[..., 1]
    reach = length - np.abs(across * np.cos(turn) + along * np.sin(turn))
    width = 0.08 + 0.1 * thick - np.abs(along * np.cos(turn) - across * np.sin(turn))
    return _sharp(np.minimum(reach, width), 12)


def _quilt(sheet: _Sheet, thick: float, regular: float) -> Array:
    """Square patches of random grays, some with a seam."""
    gray = 2 * sheet.table(1)[..., 0] - 1
    seam = np.minimum(np.abs(sheet.u % 1 - 0.5), np.abs(sheet.v % 1 - 0.5)) < 0.1
    return np.where(seam & (regular > 0.5), -gray, _sharp(gray, 0.8 + 3 * thick))


def _plaid(sheet: _Sheet, thick: float, regular: float) -> Array:
    def stripes(t: Array) -> Array:
        return _sharp(np.cos(np.pi * t) - 0.8 * thick, 5) + 0.7 * _sharp(np.cos(2 * np.pi * t + 2) - 0.7, 5)

    return 0.45 * (stripes(sheet.u) + (0.3 + 0.7 * regular) * stripes(sheet.v)) + 0.15


def _leopard(sheet: _Sheet, thick: float, regular: float) -> Array:
    """Rings around the peaks of noise, open where the noise is uneven."""
    height = sheet.pixels.band(2 * sheet.period, sheet.rng, 0.1 + 0.2 * (1 - regular))
    return _sharp(0.35 + 0.35 * thick - np.abs(height - 0.8), 4)


def _ripples(sheet: _Sheet, thick: float, regular: float) -> Array:
    warped = sheet.u + sheet.warp(0.15 + 0.45 * (1 - regular), 3 * sheet.period)
    return _sharp(np.cos(2 * np.pi * warped) + thick - 0.5, 1.5)


def _fractal(sheet: _Sheet, thick: float, regular: float) -> Array:
    field = sheet.pixels.fractal(0.3 + 1.2 * regular, sheet.rng, 3 * sheet.period)
    return 0.5 * field if thick < 0.5 else 1 - np.abs(1.2 * field)


def _cracks(sheet: _Sheet, thick: float, regular: float) -> Array:
    field = sheet.pixels.band(2 * sheet.period, sheet.rng, 0.2 + 0.3 * (1 - regular))
    return 1 - 2 * np.exp(-((field / (0.12 + 0.25 * thick)) ** 2))


def _camouflage(sheet: _Sheet, thick: float, regular: float) -> Array:
    field = sheet.pixels.fractal(1.2 + 1.2 * regular, sheet.rng, 3 * sheet.period)
    return 0.5 * _sharp(field - 0.7 + 0.5 * thick, 12) + 0.5 * _sharp(field + 0.7, 12)


def _net(sheet: _Sheet, thick: float, regular: float) -> Array:
    sag = sheet.warp(0.25 * (1 - regular), 4 * sheet.period)
    across, along = np.abs((sheet.u + sag) % 1 - 0.5), np.abs((sheet.v * (0.6 + 0.8 * thick) - sag) % 1 - 0.5)
    return _sharp(0.14 - np.minimum(across, along), 10)


def _dunes(sheet: _Sheet, thick: float, regular: float) -> Array:
    """Slopes that rise slowly and fall at once."""
    ramp = (sheet.u + sheet.warp(0.1 + 0.4 * (1 - regular), 5 * sheet.period)) % 1
    crest = 0.6 + 0.35 * thick
    return 2 * np.where(ramp < crest, ramp / crest, (1 - ramp) / (1 - crest)) - 1


_PAINTERS: Mapping[str, Callable[[_Sheet, float, float], Array]] = MappingProxyType(
    {
        "hatching": _hatching,
        "crosses": _crosses,
        "labyrinth": _labyrinth,
        "truchet": _truchet,
        "dashes": _dashes,
        "halftone": _halftone,
        "triangles": _triangles,
        "hairs": _hairs,
        "quilt": _quilt,
        "plaid": _plaid,
        "leopard": _leopard,
        "ripples": _ripples,
        "fractal": _fractal,
        "cracks": _cracks,
        "camouflage": _camouflage,
        "net": _net,
        "dunes": _dunes,
    }
)
