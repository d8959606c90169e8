"""Datasets whose images carry one cue only: on them a verdict is that cue or none."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cuesense.planted.classes import generator
from cuesense.types import Cue, CueVerdict

from .figures import coverage, draw_figure, line
from .grid import Array, Rng
from .looks import FamilyClass, Look, unlike, unlike_figures, unlike_patterns
from .patterns import draw_pattern, paint
from .scene import Place, finished
from .world import FAMILIES, World

# The cue that each kind of image carries.
KINDS: Mapping[str, Cue] = MappingProxyType(
    {
        "silhouettes": Cue.SHAPE,
        "lines": Cue.SHAPE,
        "textures": Cue.TEXTURE,
        "collages": Cue.TEXTURE,
        "flat": Cue.COLOR,
        "pixels": Cue.COLOR,
    }
)
# Candidates a class among which outlines, textures and colors are chosen; by hand.
_POOL = 6
_SHIFT, _TURN, _SCALES = 0.1, 0.4, (0.7, 1.2)
_TONES = 5


@dataclass(frozen=True)
class SingleCueWorld(World):
    """Synthetic images with one cue. Outlines and textures come from both families, of the kinds of the seed's parity.

    - ``silhouettes``: a flat dark figure on a light ground, or the reverse. Gray.
    - ``lines``: thin strokes along an outline. Gray.
    - ``textures``: one texture over the whole frame, its place, direction, period and contrast random. Gray.
    - ``collages``: patches of one texture, each turned its own way, in random places over one another. Gray.
    - ``flat``: one color, slightly varied.
    - ``pixels``: the colors of a palette, in single pixels or small blobs in random places.

    Attributes:
        kind: One of KINDS.
        number: How many classes.

    Raises:
        ValueError: The kind is unknown, or there is no class.
    """

    kind: str = "silhouettes"
    number: int = 10

    def __init__(
        self,
        kind: str = "silhouettes",
        seed: int = 0,
        size: int = 64,
        split: Literal["train", "test"] = "test",
        images_per_class: int = 60,
        number: int = 10,
        redrawn: tuple[Cue, ...] = (),
    ) -> None:
        values = (("kind", kind), ("seed", seed), ("size", size), ("split", split), ("redrawn", redrawn))
        for name, value in (*values, ("images_per_class", images_per_class), ("number", number)):
            object.__setattr__(self, name, value)
        if kind not in KINDS:
            raise ValueError(f"Expected the kind to be one of {tuple(KINDS)}, but got {kind!r}.")
        if number < 1:
            raise ValueError(f"Expected one class or more, but got {number}.")

    @property
    def key(self) -> str:
        """The text that, with an image's id, decides the image."""
        return f"{self.kind}:{self.seed}"

    @property
    def classes(self) -> tuple[FamilyClass, ...]:
        """The classes with their looks."""
        return _build_classes(self.kind, self.seed, self.size, self.number)

    def drawn(self, member: FamilyClass, look: Look, rng: Rng) -> NDArray[np.uint8]:
        """Draw one image (H, W, 3) with what a look fixes, else with a new outline, texture or palette."""
        del member
        look = look if look != Look() else _drawn_look(self.kind, self.seed, self.size, rng)
        return _PAINTERS[self.kind](look, Place(self._family, self.seed, self.size, rng))

    @property
    def _family(self) -> str:
        return FAMILIES[self.seed % 2]


@cache
def _build_classes(kind: str, seed: int, size: int, number: int) -> tuple[FamilyClass, ...]:
    rng, cue = generator(f"families:{kind}:{seed}/looks"), KINDS[kind]
    pool = [_drawn_look(kind, seed, size, rng) for _ in range(max(_POOL * number, 48))]
    if cue is Cue.SHAPE:
        figures = unlike_figures(rng, [look.figure for look in pool if look.figure is not None], number)
        chosen = [Look(figure=figure) for figure in figures]
    elif cue is Cue.TEXTURE:
        patterns = unlike_patterns(rng, [look.pattern for look in pool if look.pattern is not None], number)
        chosen = [Look(pattern=pattern) for pattern in patterns]
    else:
        chosen = _unlike_palettes(rng, pool, number)
    names = (f"{kind}-{place}" for place in range(number))
    return tuple(
        FamilyClass(name, CueVerdict(cue.value), (cue,), (look,)) for name, look in zip(names, chosen, strict=True)
    )


def _drawn_look(kind: str, seed: int, size: int, rng: Rng) -> Look:
    family, cue = FAMILIES[rng.integers(2)], KINDS[kind]
    if cue is Cue.SHAPE:
        return Look(figure=draw_figure(rng, family, seed))
    if cue is Cue.TEXTURE:
        return Look(pattern=draw_pattern(rng, family, seed, size))
    colors = rng.random((1 if kind == "flat" else _TONES, 3))
    shares = rng.dirichlet(np.full(len(colors), 2.0))
    return Look(palette=tuple(tuple(row) for row in np.column_stack([colors, shares]).tolist()))


def _unlike_palettes(rng: Rng, pool: list[Look], number: int) -> list[Look]:
    """Return palettes whose mean colors are as unlike as there are."""
    rows = [np.array(look.palette) for look in pool]
    means = np.stack([(row[:, 3:] * row[:, :3]).sum(axis=0) for row in rows])

    def distances(place: int) -> Array:
        return np.linalg.norm(means - means[place], axis=1)

    return [pool[place] for place in unlike(rng, distances, len(pool), number)]


def _gray(luma: Array, place: Place) -> NDArray[np.uint8]:
    return finished(np.repeat(luma[..., None], 3, axis=2), place.between(0, 0.02), place.rng)


def _tones(place: Place) -> tuple[float, float]:
    """Return a dark and a light gray, or the reverse."""
    tones = place.between(0, 0.3), place.between(0.7, 1)
    return tones if place.rng.random() < 0.5 else tones[::-1]


def _silhouettes(look: Look, place: Place) -> NDArray[np.uint8]:
    ground, figure = _tones(place)
    cover = coverage(place.depth(look, _SHIFT, _TURN, _SCALES), 1)
    return _gray(ground + (figure - ground) * cover, place)


def _lines(look: Look, place: Place) -> NDArray[np.uint8]:
    ground, ink = _tones(place)
    width = max(1.0, place.logarithmic(0.012, 0.03) * place.size)
    return _gray(ground + (ink - ground) * line(place.depth(look, _SHIFT, _TURN, _SCALES), width), place)


def _textures(look: Look, place: Place) -> NDArray[np.uint8]:
    field = paint(look.pattern, place.size, place.rng, 0.1)
    return _gray(place.between(0.35, 0.65) + place.logarithmic(0.12, 0.35) * field, place)


def _collages(look: Look, place: Place) -> NDArray[np.uint8]:
    """Lay patches over one another: boxes and discs, each cut from another picture of the texture."""
    contrast = place.logarithmic(0.12, 0.35)
    sources = [contrast * paint(look.pattern, place.size, place.rng, 0.1) for _ in range(3)]
    luma = place.between(0.35, 0.65) + sources[0]
    for number in range(place.rng.integers(10, 20)):
        _paste(luma, sources[number % 3], place)
    return _gray(luma, place)


def _paste(luma: Array, source: Array, place: Place) -> None:
    """Lay a turned patch of a texture on a gray image, (H, W), in place."""
    rng, size = place.rng, place.size
    half = int(place.between(0.12, 0.3) * size)
    top, left, from_top, from_left = (int(rng.integers(size - 2 * half + 1)) for _ in range(4))
    piece = np.rot90(source[from_top : from_top + 2 * half, from_left : from_left + 2 * half], rng.integers(4))
    line = np.linspace(-1, 1, 2 * half, dtype=np.float32)
    angle = 2 * math.pi * rng.random()
    u = np.abs(line * math.cos(angle) + line[:, None] * math.sin(angle))
    v = np.abs(line[:, None] * math.cos(angle) - line * math.sin(angle))
    inside = np.hypot(u, v) < 0.95 if rng.random() < 0.4 else (u < place.between(0.4, 0.7)) & (v < 0.7)
    under = luma[top : top + 2 * half, left : left + 2 * half]
    np.copyto(under, place.between(0.35, 0.65) + piece, where=inside)


def _flat(look: Look, place: Place) -> NDArray[np.uint8]:
    color = np.array(look.palette)[0, :3] + place.rng.normal(0, 0.025, 3)
    return finished(np.broadcast_to(color, (place.size, place.size, 3)), place.between(0, 0.02), place.rng)


def _pixels(look: Look, place: Place) -> NDArray[np.uint8]:
    rows, rng = np.array(look.palette), place.rng
    order = rng.permutation(len(rows))
    shares = rng.dirichlet(1 + 60 * rows[order, 3])
    if rng.random() < 0.5:
        side = int(rng.integers(1, max(2, place.size // 16 + 1)))
        level = rng.random((-(-place.size // side),) * 2).repeat(side, 0).repeat(side, 1)[: place.size, : place.size]
    else:
        field = place.pixels.band(place.between(0.06, 0.16), rng)
        level = field.ravel().argsort().argsort().reshape(field.shape) / field.size
    chosen = rows[order, :3][np.searchsorted(np.cumsum(shares)[:-1], level)]
    return finished(chosen + rng.normal(0, 0.02, 3), place.between(0, 0.02), rng)


_PAINTERS: Mapping[str, Callable[[Look, Place], NDArray[np.uint8]]] = MappingProxyType(
    {
        "silhouettes": _silhouettes,
        "lines": _lines,
        "textures": _textures,
        "collages": _collages,
        "flat": _flat,
        "pixels": _pixels,
    }
)
