"""Outlines of objects: compositions of simple parts, and closed forms given by a formula.

A figure maps positions to a signed depth, positive inside, in fractions of the side. Figures are drawn at random;
even and odd seeds use different kinds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from .grid import Array, Rng, grid

# Kinds of figures of each family, for even and for odd seeds.
KINDS: Mapping[tuple[str, int], tuple[str, ...]] = MappingProxyType(
    {
        ("parts", 0): ("blocks", "plates"),
        ("parts", 1): ("wires", "wedges"),
        ("fields", 0): ("superformula", "metaballs"),
        ("fields", 1): ("pinwheel", "crescent", "flower"),
    }
)
# Primitives of the kinds that are composed: added ones, and those cut out.
_ADDED = {
    "blocks": ("box", "box", "bar"),
    "plates": ("disc", "box", "disc"),
    "wires": ("bar", "ring", "bar", "arc"),
    "wedges": ("triangle", "bar", "triangle"),
}
_CUT = {"blocks": ("disc", "box"), "plates": ("disc", "box"), "wires": (), "wedges": ("disc", "triangle")}
# Figures reach this far from their center at scale 1. Chosen by hand: positions vary by 0.1 on top of it.
_REACH = 0.36
# The least share of that circle that a figure fills, so that its texture can be seen, and how often one is drawn
# before a thinner one is taken. Chosen by hand.
_FULL, _TRIES = 0.3, 6


@dataclass(frozen=True)
class Figure:
    """One outline.

    Attributes:
        kind: One of KINDS.
        numbers: What the kind's formula takes, (parts, numbers a part).
    """

    kind: str
    numbers: tuple[tuple[float, ...], ...]

    @cached_property
    def _frame(self) -> tuple[float, float, float, float]:
        """Center and reach of the raw formula, so that every figure fills the same circle, and the share it fills."""
        line = np.linspace(-1.7, 1.7, 41, dtype=np.float32)
        x, y = line[None, :], line[:, None]
        inside = self._raw(x, y) > 0
        if not inside.any():
            return 0.0, 0.0, 1.0, 0.0
        columns, rows = np.nonzero(inside.any(axis=0))[0], np.nonzero(inside.any(axis=1))[0]
        center_x, center_y = (line[columns[0]] + line[columns[-1]]) / 2, (line[rows[0]] + line[rows[-1]]) / 2
        reach = max(float(np.hypot(x - center_x, y - center_y)[inside].max()), 0.1)
        filled = inside.sum() * (line[1] - line[0]) ** 2 / (np.pi * reach**2)
        return float(center_x), float(center_y), reach, float(filled)

    @property
    def filling(self) -> float:
        """Share of the circle around the figure that it fills, roughly."""
        return self._frame[3]

    def depth(self, x: Array, y: Array) -> Array:
        """Return how deep positions lie inside the figure: negative outside, in units of x and y.

        Args:
            x: Horizontal positions, any shape; the figure reaches 0.36 from the origin.
            y: Vertical positions, of a shape that broadcasts with x.

        Returns:
            Signed depths; exact at the edge, approximate elsewhere.
        """
        center_x, center_y, reach, _ = self._frame
        factor = reach / _REACH
        return self._raw(x * factor + center_x, y * factor + center_y) / factor

    def _raw(self, x: Array, y: Array) -> Array:
        if self.kind in _ADDED:
            return _composed(self.numbers, x, y)
        return _FORMULAS[self.kind](x, y, self.numbers)


def draw_figure(rng: Rng, family: str, seed: int) -> Figure:
    """Draw a figure of a family.

    Args:
        rng: Source of the draws.
        family: ``"parts"`` or ``"fields"``.
        seed: Its parity decides which kinds there are.

    Returns:
        The figure.
    """
    kinds = KINDS[family, seed % 2]
    kind = kinds[rng.integers(len(kinds))]
    drawn = (Figure(kind, _drawn(kind, rng)) for _ in range(_TRIES))
    return next((figure for figure in drawn if figure.filling > _FULL), Figure(kind, _drawn(kind, rng)))


def placed(figure: Figure, size: int, pose: tuple[float, float, float, float, float]) -> Array:
    """Return the signed depth of a figure in a pose.

    Args:
        figure: The outline.
        size: Height and width in pixels.
        pose: Shift to the right and down as fractions of the side, turn in radians, scale, and stretch: width over
            height as a ratio of scales.

    Returns:
        Depths as fractions of the side, (H, W).
    """
    right, down, turn, scale, stretch = pose
    where = grid(size)
    x, y = where.x - right, where.y - down
    cos, sin = math.cos(turn), math.sin(turn)
    wide, high = scale * stretch**0.5, scale / stretch**0.5
    return scale * figure.depth((x * cos + y * sin) / wide, (y * cos - x * sin) / high)


def coverage(depth: Array, softness: float) -> Array:
    """Return how far pixels are covered.

    Args:
        depth: Signed depths as fractions of the side, (H, W).
        softness: Width of the edge in pixels, from 1.

    Returns:
        From 0 to 1, (H, W).
    """
    covered: Array = np.clip(depth * (len(depth) / softness) + 0.5, 0, 1)
    return covered


def line(depth: Array, width: float) -> Array:
    """Return how far pixels are covered by a line along the edge.

    Args:
        depth: Signed depths as fractions of the side, (H, W).
        width: Of the line in pixels.

    Returns:
        From 0 to 1, (H, W).
    """
    down, across = np.gradient(depth * len(depth))
    pixels = np.abs(depth) * len(depth) / np.maximum(np.hypot(down, across), 0.3)
    drawn: Array = np.clip(width / 2 + 0.5 - pixels, 0, 1)
    return drawn


def _drawn(kind: str, rng: Rng) -> tuple[tuple[float, ...], ...]:
    if kind in _ADDED:
        return _draw_parts(kind, rng)
    return tuple(tuple(row) for row in np.atleast_2d(_DRAWS[kind](rng)).tolist())


def _draw_parts(kind: str, rng: Rng) -> tuple[tuple[float, ...], ...]:
    """Return operation, primitive, center, turn and two lengths for a body, what is attached and what is cut out."""
    rows = []
    added = int(rng.integers(3, 6))
    x = y = 0.0
    for place in range(added):
        if place:
            angle = 2 * np.pi * rng.random()
            x, y = (0.6 * x + rng.uniform(0.25, 0.5) * np.cos(angle), 0.6 * y + rng.uniform(0.25, 0.5) * np.sin(angle))
        name = _ADDED[kind][rng.integers(len(_ADDED[kind]))]
        turn = np.pi / 4 * rng.integers(4) if kind in ("blocks", "wires") else np.pi * rng.random()
        rows.append(
            (1.0, float(_NAMES.index(name)), x, y, float(turn), rng.uniform(0.2, 0.45), rng.uniform(0.15, 0.35))
        )
    for name in _CUT[kind]:
        if rng.random() < 0.6:
            x, y = rng.uniform(-0.3, 0.3, 2)
            rows.append((-1.0, float(_NAMES.index(name)), x, y, np.pi * rng.random(), rng.uniform(0.08, 0.18), 0.12))
    return tuple(tuple(float(number) for number in row) for row in rows)


def _composed(rows: tuple[tuple[float, ...], ...], x: Array, y: Array) -> Array:
    depth: Array = np.full(np.broadcast(x, y).shape, -9.0, np.float32)
    for sign, name, right, down, turn, long, short in rows:
        cos, sin = math.cos(turn), math.sin(turn)
        u, v = (x - right) * cos + (y - down) * sin, (y - down) * cos - (x - right) * sin
        part = _PRIMITIVES[_NAMES[int(name)]](u, v, long, short)
        depth = np.maximum(depth, part) if sign > 0 else np.minimum(depth, -part)
    return depth


def _box(u: Array, v: Array, long: float, short: float) -> Array:
    return np.minimum(long - np.abs(u), short - np.abs(v))


def _bar(u: Array, v: Array, long: float, short: float) -> Array:
    return 0.5 * short + 0.02 - np.hypot(u - np.clip(u, -1.5 * long, 1.5 * long), v)


def _disc(u: Array, v: Array, long: float, short: float) -> Array:
    return 0.5 * (long + short) - np.hypot(u, v)


def _ring(u: Array, v: Array, long: float, short: float) -> Array:
    return 0.5 * short + 0.02 - np.abs(np.hypot(u, v) - long)


def _arc(u: Array, v: Array, long: float, short: float) -> Array:
    return np.minimum(_ring(u, v, 1.2 * long, short), u + 0.2 * long)


def _triangle(u: Array, v: Array, long: float, short: float) -> Array:
    sides = [v + short] + [short - 0.5 * v + sign * 0.6 * u * short / long for sign in (-1, 1)]
    return np.minimum(np.minimum(sides[0], sides[1]), sides[2])


def _superformula(x: Array, y: Array, numbers: tuple[tuple[float, ...], ...]) -> Array:
    """The superformula of Gielis 2003 (American Journal of Botany 90: 333), with one side heavier than the other."""
    ((symmetry, first, second, third, heavy, where),) = numbers
    angle = np.arctan2(y, x)
    inner = np.abs(np.cos(symmetry * angle / 4)) ** second + np.abs(np.sin(symmetry * angle / 4)) ** third
    radius = np.minimum(inner, 40.0) ** (-1 / first) * (1 + heavy * np.cos(angle - where))
    return 0.7 * np.clip(radius, 0.15, 1.4) - np.hypot(x, y)


def _metaballs(x: Array, y: Array, numbers: tuple[tuple[float, ...], ...]) -> Array:
    heat: Array = np.zeros(np.broadcast(x, y).shape, np.float32)
    for right, down, reach in numbers:
        heat += np.exp(-(((x - right) ** 2 + (y - down) ** 2) / reach**2))
    return 0.1 * np.log(2 * heat + 1e-9)


def _pinwheel(x: Array, y: Array, numbers: tuple[tuple[float, ...], ...]) -> Array:
    ((arms, twist, fullness, core, phase, uneven),) = numbers
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    turned = arms * (angle + twist * radius) + phase
    blade = (np.cos(turned) + fullness) * radius / arms
    reach = 0.9 + uneven * np.cos(angle + phase)
    return np.minimum(reach - radius, np.maximum(core - radius, blade))


def _crescent(x: Array, y: Array, numbers: tuple[tuple[float, ...], ...]) -> Array:
    ((shift, bite, opening, where, tail, bend),) = numbers
    moon = np.minimum(0.85 - np.hypot(x, y), np.hypot(x - shift, y) - bite)
    radius, angle = np.hypot(x, y), np.abs((np.arctan2(y, x) - where + np.pi) % (2 * np.pi) - np.pi)
    cut = np.minimum(moon, radius * np.clip(angle - opening, -1, 1))
    stem = tail - np.abs(y - bend * (x + 0.2) ** 2)
    return np.maximum(cut, np.minimum(stem, 0.9 - radius))


def _flower(x: Array, y: Array, numbers: tuple[tuple[float, ...], ...]) -> Array:
    ((petals, length, point, skew, hole, heavy),) = numbers
    angle = np.arctan2(y, x)
    petal = np.abs(np.cos(petals * (angle + skew * np.sin(angle)) / 2)) ** point
    radius = (1 - length + length * petal) * (0.75 + heavy * np.sin(angle))
    distance = np.hypot(x, y)
    return np.minimum(radius - distance, distance - hole)


_PRIMITIVES: Mapping[str, Callable[[Array, Array, float, float], Array]] = MappingProxyType(
    {"box": _box, "bar": _bar, "disc": _disc, "ring": _ring, "arc": _arc, "triangle": _triangle}
)
_NAMES = tuple(_PRIMITIVES)
_FORMULAS: Mapping[str, Callable[[Array, Array, tuple[tuple[float, ...], ...]], Array]] = MappingProxyType(
    {
        "superformula": _superformula,
        "metaballs": _metaballs,
        "pinwheel": _pinwheel,
        "crescent": _crescent,
        "flower": _flower,
    }
)
_DRAWS: Mapping[str, Callable[[Rng], Array]] = MappingProxyType(
    {
        "superformula": lambda rng: np.array(
            [
                rng.integers(2, 9),
                rng.uniform(0.3, 1.2),
                rng.uniform(0.5, 5),
                rng.uniform(0.5, 5),
                rng.uniform(0, 0.4),
                rng.uniform(0, 6.3),
            ]
        ),
        "metaballs": lambda rng: np.column_stack(
            [rng.uniform(-0.6, 0.6, (count := int(rng.integers(3, 7)), 2)), rng.uniform(0.22, 0.5, count)]
        ),
        "pinwheel": lambda rng: np.array(
            [
                rng.integers(2, 7),
                rng.uniform(-2.5, 2.5),
                rng.uniform(-0.4, 0.5),
                rng.uniform(0.1, 0.45),
                rng.uniform(0, 6.3),
                rng.uniform(0, 0.3),
            ]
        ),
        "crescent": lambda rng: np.array(
            [
                rng.uniform(0.2, 0.7),
                rng.uniform(0.3, 0.7),
                rng.uniform(0.15, 0.8),
                rng.uniform(0, 6.3),
                rng.choice([0, 0.1, 0.16]),
                rng.uniform(-1, 1),
            ]
        ),
        "flower": lambda rng: np.array(
            [
                rng.integers(3, 9),
                rng.uniform(0.35, 0.8),
                rng.uniform(0.4, 3),
                rng.uniform(-0.6, 0.6),
                rng.choice([0, 0.15, 0.25]),
                rng.uniform(0, 0.25),
            ]
        ),
    }
)
