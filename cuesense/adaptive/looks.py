"""Growing parts of the images of every class: nested, and the same for the same images."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from cuesense.arrays import Ints

# Images of a class at the first look: with fewer no cue is named (analysis.cues). Chosen by hand; not tuned.
FIRST_LOOK = 10


def places(keys: Sequence[str], labels: NDArray[np.integer]) -> Ints:
    """Return the place of each image in its class: a look at n images of a class takes those with places below n.

    The order is that of a hash, as random as a draw, and depends on nothing but the keys: a smaller look is a part of
    every larger one, and further images of a class leave the order of the others as it is.

    Args:
        keys: What names each image, length N, all different.
        labels: Class of each image, (N,).

    Returns:
        Places from 0 in every class, (N,).
    """
    hashes = [blake2b(key.encode(), digest_size=8).digest() for key in keys]
    order = sorted(range(len(keys)), key=lambda image: (labels[image], hashes[image], keys[image]))
    found = np.empty(len(keys), dtype=np.int64)
    found[order] = np.arange(len(keys)) - np.searchsorted(labels[order], labels[order])
    return found


def next_number(seen: Ints, images: Ints) -> Ints:
    """Return how many images of each class the next look takes: FIRST_LOOK, then twice as many each time, then all.

    Args:
        seen: Images of each class in the last look, of any shape; 0 before the first.
        images: All of them, of a shape that fits.
    """
    return np.minimum(np.maximum(2 * seen, FIRST_LOOK), images)


def number_of_looks(images: Ints) -> int:
    """Return after how many looks all images of every class, (C,), are seen."""
    seen, looks = np.zeros_like(images), 0
    while (seen < images).any():
        seen, looks = next_number(seen, images), looks + 1
    return looks
