"""From folders of photographs to sets of images with one cue, and to manipulated photographs.

A class is a folder of photographs, or, where that leaves too few recognizable classes, one photograph of which there
are random views: then any cue that the maker leaves identifies the class.
"""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from benchmarks.outside.battery import CHECKS, MANIPULATIONS
from benchmarks.outside.pixels import Image
from benchmarks.outside.single import SETS
from cuesense.datasets.images import to_rgb
from cuesense.errors import DatasetError, expected

_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
# Networks of 224 px see the central seven eighths of an image, as is usual for ImageNet; small ones see all of it.
_LARGE, _SEEN = 160, 7 / 8
# A view shows at least this share of the square's area.
_LEAST = 0.6


@dataclass(frozen=True)
class View:
    """One image that is made from a photograph.

    Attributes:
        path: The photograph.
        label: Its class.
        number: 0 for the photograph as it is, else a random part of it, perhaps mirrored.
        donor: Another photograph, for manipulations that need one.
    """

    path: Path
    label: int
    number: int
    donor: Path

    @property
    def id(self) -> str:
        """What the random numbers of its making depend on."""
        return f"{self.path.parent.name}/{self.path.name}#{self.number}"


@dataclass(frozen=True)
class Views:
    """The images of a set, not made yet.

    Attributes:
        names: Names of the C classes.
        train: What networks are trained on.
        test: What they are asked about: other photographs, or other views where a class is one photograph.
    """

    names: tuple[str, ...]
    train: tuple[View, ...]
    test: tuple[View, ...]


def of_folders(folder: Path, train: int, test: int) -> Views:
    """Return views of the photographs of class folders, or of train/ and val/ with class folders in them.

    Without train/ and val/, every second photograph by the hash of its name is for testing. Every photograph gets as
    many views as it takes to reach the numbers; views of one photograph are not independent.

    Args:
        folder: Where the class folders are.
        train: Training images a class, at least.
        test: Test images a class, at least.

    Raises:
        DatasetError: There are fewer than two class folders, or one with fewer than two photographs.
    """
    if (folder / "train").is_dir() and (folder / "val").is_dir():
        parts = (_photographs(folder / "train"), _photographs(folder / "val"))
    else:
        every = _photographs(folder)
        parts = tuple({name: paths[start::2] for name, paths in every.items()} for start in (0, 1))  # type: ignore[assignment]
    names = tuple(parts[0])
    return Views(names, *(_views(part, count) for part, count in zip(parts, (train, test), strict=True)))


def of_photographs(folder: Path, classes: int, train: int, test: int, seed: int) -> Views:
    """Return random views of this many photographs, each of which is a class.

    Args:
        folder: Where class folders are, or train/ and val/ with class folders in them.
        classes: How many photographs; fewer where there are fewer.
        train: Training images a class.
        test: Test images a class.
        seed: Chooses the photographs.

    Raises:
        DatasetError: As for of_folders.
    """
    inside = folder / "val" if (folder / "val").is_dir() else folder
    paths = sorted(path for part in _photographs(inside).values() for path in part)
    chosen = np.random.default_rng(seed).permutation(len(paths))[:classes]
    kept = {f"{paths[at].parent.name}-{paths[at].stem}": [paths[at]] for at in sorted(chosen.tolist())}
    return Views(tuple(kept), _views(kept, train, first=1), _views(kept, test, first=1 + train))


def _photographs(folder: Path) -> dict[str, list[Path]]:
    """Return the photographs of every class folder, in the order of a hash of their names."""
    folders = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    found = {
        part.name: sorted(
            (path for path in part.rglob("*") if path.suffix.lower() in _ENDINGS), key=lambda path: _hash(path.name)
        )
        for part in folders
    }
    if len(found) < 2 or min(map(len, found.values())) < 2:
        got = ", ".join(f"{name}: {len(paths)}" for name, paths in found.items()) or "none"
        what = "two class folders or more with two photographs or more each"
        raise DatasetError(expected(str(folder), f"a folder with {what}", got, "Check --photos"))
    return found


def _views(photographs: dict[str, list[Path]], count: int, first: int = 0) -> tuple[View, ...]:
    every = [path for paths in photographs.values() for path in paths]
    views = []
    for label, paths in enumerate(photographs.values()):
        for number in range(first, first + -(-count // len(paths))):
            for path in paths:
                donor = every[int(_hash(f"{path.name}/{number}"), 16) % len(every)]
                views.append(View(path, label, number, donor))
    return tuple(views)


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def random_of(view: View, use: str, seed: int) -> np.random.Generator:
    """Return random numbers that depend on the view, their use and a seed alone."""
    return np.random.default_rng(int(_hash(f"{seed}\0{use}\0{view.id}"), 16))


@lru_cache(maxsize=256)
def _square(path: Path) -> Pillow.Image:
    with Pillow.open(path) as file:
        image = to_rgb(file)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def shown(view: View, side: int, seed: int) -> Image:
    """Return the photograph of a view, (side, side, 3)."""
    square = _square(view.path)
    seen = square.width * (_SEEN if side >= _LARGE else 1.0)
    left = top = (square.width - seen) / 2
    if view.number == 0:
        return _resized(square, (left, top, left + seen, top + seen), side)
    rng = random_of(view, "view", seed)
    part = seen * float(np.sqrt(rng.uniform(_LEAST, 1)))
    left, top = left + rng.random() * (seen - part), top + rng.random() * (seen - part)
    image = _resized(square, (left, top, left + part, top + part), side)
    return np.ascontiguousarray(image[:, ::-1]) if rng.random() < 0.5 else image


def _resized(square: Pillow.Image, box: tuple[float, float, float, float], side: int) -> Image:
    return np.asarray(square.resize((side, side), Pillow.Resampling.BICUBIC, box=box))


def made(view: View, use: str, side: int, seed: int) -> Image:
    """Return one image: of a single-cue set, a manipulation, or the photograph itself.

    Args:
        view: What it is made from.
        use: A key of SETS or MANIPULATIONS, or ``"photographs"``.
        side: Height and width in pixels.
        seed: Of all random numbers.

    Returns:
        (side, side, 3) uint8.
    """
    image = shown(view, side, seed)
    if use in SETS:
        return SETS[use].maker(image, random_of(view, use, seed))
    if use in MANIPULATIONS:
        donor = shown(View(view.donor, -1, 0, view.donor), side, seed)
        return MANIPULATIONS[use](image, random_of(view, use, seed), donor)
    return image


def _several(views: Sequence[View], use: str, side: int, seed: int) -> NDArray[np.uint8]:
    return np.stack([made(view, use, side, seed) for view in views])


def make(views: Sequence[View], use: str, side: int, seed: int, pool: ProcessPoolExecutor | None) -> NDArray[np.uint8]:
    """Return all images of a set, (N, side, side, 3), as ``made`` makes them; a pool shares the work."""
    apply: Callable[..., NDArray[np.uint8]] = partial(_several, use=use, side=side, seed=seed)
    parts = [views[start : start + 64] for start in range(0, len(views), 64)]
    return np.concatenate(list(map(apply, parts) if pool is None else pool.map(apply, parts)))


def changed(images: NDArray[np.uint8], views: Sequence[View], name: str, seed: int) -> NDArray[np.uint8]:
    """Return images, (N, H, W, 3), each changed by a manipulation of ``battery.CHECKS``."""
    pairs = zip(images, views, strict=True)
    return np.stack([CHECKS[name](image, random_of(view, name, seed), image) for image, view in pairs])


def sheet(views: Sequence[View], side: int, seed: int) -> Pillow.Image:
    """Return a contact sheet: one row a photograph, one column the photograph and each way to change it."""
    uses = ("photographs", *SETS, *MANIPULATIONS)
    rows = [np.concatenate([made(view, use, side, seed) for use in uses], axis=1) for view in views]
    return Pillow.fromarray(np.concatenate(rows))
