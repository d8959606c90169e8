"""Which images of each class show best what a perturbation does: those that the model loses first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cuesense.arrays import Bools
from cuesense.predictions.predictions import Predictions
from cuesense.types import Role

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Example:
    """One image of a class under one perturbation.

    Attributes:
        perturbation: The perturbation's name.
        image: The image's index among the predictions.
        rows: The conditions under which it is shown, mild to strong.
    """

    perturbation: str
    image: int
    rows: tuple[int, ...]


@dataclass(frozen=True)
class _Ladders:
    """The conditions of every perturbation without repeats, and which images are lost there.

    Attributes:
        rows: By perturbation the conditions, mild to strong.
        lost: By perturbation whether each image is not recognized, (S, N).
        seen: By perturbation whether each image was predicted at every severity, (N,).
        first: The perturbations that come first where there is room for few.
    """

    rows: Mapping[str, Sequence[int]]
    lost: Mapping[str, Bools]
    seen: Mapping[str, Bools]
    first: frozenset[str]

    def seen_of(self, name: str, images: Indices) -> Indices:
        """Return those of some images that were predicted at every severity of a perturbation."""
        return images[self.seen[name][images]]


def examples(predictions: Predictions, tiles: int, *, whole: bool) -> dict[int, list[Example]]:
    """Return for every class which images to show, and under which conditions.

    For every perturbation it is, of the images recognized clean (and, of an adaptive run, seen at every severity), the
    one that is lost at the mildest severity; of those that are alike in this an image that is shown already, else the
    first. Augmentations and other perturbations come in turn, each by the share of the class that they cost at all
    severities together.

    Args:
        predictions: The predictions, the clean condition first.
        tiles: How many pictures a class may have; a clean image counts once.
        whole: Whether an image is shown at every severity; else only where it is lost, or at the strongest severity.

    Returns:
        By class; classes without images are left out.
    """
    ladders = _ladders(predictions)
    labels, recognized = predictions.per_condition[0].labels, predictions.right(0)
    found = {}
    for label in np.unique(labels).tolist():
        members = np.flatnonzero(labels == label)
        known = members[recognized[members]]
        found[label] = _of_class(ladders, known if len(known) else members, tiles, whole=whole)
    return found


def _ladders(predictions: Predictions) -> _Ladders:
    rows: dict[str, list[int]] = defaultdict(list)
    for (name, _), repeats in sorted(predictions.rows.items()):
        rows[name].append(repeats[0])
    first = frozenset(entry.name for entry in predictions.perturbations if entry.role is Role.AUGMENTATION)
    lost = {name: ~np.stack([predictions.right(row) for row in rows[name]]) for name in rows}
    seen = {name: np.all([predictions.seen(row) for row in rows[name]], axis=0) for name in rows}
    return _Ladders(rows, lost, seen, first)


def _of_class(ladders: _Ladders, images: Indices, tiles: int, *, whole: bool) -> list[Example]:
    found: list[Example] = []
    shown: set[int] = set()
    for name in _in_turn(ladders, images):
        seen = ladders.seen_of(name, images)
        if not len(seen):
            continue
        image, severity = _first_lost(ladders.lost[name], seen, shown)
        rows = tuple(ladders.rows[name]) if whole else (ladders.rows[name][severity],)
        tiles -= len(rows) + (image not in shown)
        if tiles < 0:
            break
        shown.add(image)
        found.append(Example(name, image, rows))
    return found


def _in_turn(ladders: _Ladders, images: Indices) -> list[str]:
    """Return the perturbations, those that come first and the others in turn, each by what they cost."""

    def cost(name: str) -> float:
        seen = ladders.seen_of(name, images)
        return float(ladders.lost[name][:, seen].mean()) if len(seen) else 0.0

    ranked = sorted(ladders.rows, key=lambda name: -cost(name))
    groups = [[name for name in ranked if (name in ladders.first) is first] for first in (True, False)]
    place = {name: (at, turn) for turn, names in enumerate(groups) for at, name in enumerate(names)}
    return sorted(ranked, key=place.__getitem__)


def _first_lost(lost: Bools, images: Indices, shown: set[int]) -> tuple[int, int]:
    """Return the image that is lost at the mildest severity, and that severity from 0; the last where none is lost."""
    of_images = lost[:, images]
    flips = np.where(of_images.any(axis=0), of_images.argmax(axis=0), len(lost))
    is_new = np.array([image not in shown for image in images.tolist()])
    best = np.lexsort((images, is_new, flips))[0]
    return int(images[best]), min(int(flips[best]), len(lost) - 1)
