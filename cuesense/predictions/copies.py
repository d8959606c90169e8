"""Copies of images: which images are counted, and what to say about the others.

A copy has the pixels of another image once both are prepared for the network (resized and cropped): nothing new can be
learned from it, and intervals that counted it would be too narrow. Each label keeps the first id of every picture.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from cuesense.arrays import Bools, Ints

# Examples that a sentence names.
_SHOWN = 3

Digests = NDArray[np.uint64]


def counted_once(digests: Digests, labels: Ints) -> Bools:
    """Return which images are counted: of those with the same pixels and label, the first.

    Args:
        digests: Hash of each image's pixels, (N,).
        labels: Class of each image, (N,).

    Returns:
        (N,), True for the images that are counted.
    """
    pairs = np.stack([np.asarray(digests, np.uint64), np.asarray(labels).astype(np.uint64)], axis=1)
    counted = np.zeros(len(pairs), dtype=bool)
    counted[np.unique(pairs, axis=0, return_index=True)[1]] = True
    return counted


def copy_remarks(digests: Digests, labels: Ints, ids: Sequence[str], class_names: Sequence[str]) -> tuple[str, ...]:
    """Return what the user should know about copies among the images of a test.

    Args:
        digests: Hash of each image's pixels, (N,).
        labels: Class of each image, (N,), in [0, C).
        ids: Id of each image, (N,).
        class_names: Names of the C classes.

    Returns:
        Sentences, none where all images differ.
    """
    _, picture, times = np.unique(digests, return_inverse=True, return_counts=True)
    members: dict[int, list[int]] = defaultdict(list)
    # Only of pictures that come again: a list for each of millions of images would fill the memory.
    for index in np.flatnonzero(times[picture] > 1).tolist():
        members[int(picture[index])].append(index)
    several = list(members.values())
    return (*_copies(several, labels, ids), *_two_labels(several, labels, ids, class_names))


def _copies(several: Sequence[Sequence[int]], labels: Ints, ids: Sequence[str]) -> list[str]:
    """Name the copies of one label, which are not counted."""
    pairs = []
    for rows in several:
        first: dict[int, int] = {}
        for row in rows:
            label = int(labels[row])
            if label in first:
                pairs.append((first[label], row))
            first.setdefault(label, row)
    if not pairs:
        return []
    (original, copy), copies, distinct = pairs[0], len(pairs), len(labels) - len(pairs)
    are = "is a copy of another" if copies == 1 else "are copies of others"
    return [
        f"{copies} of {len(labels)} images {are} (the network is given the same pixels, as of '{ids[original]}' and "
        f"'{ids[copy]}'): the result counts {distinct} distinct images."
    ]


def _two_labels(
    several: Sequence[Sequence[int]], labels: Ints, ids: Sequence[str], class_names: Sequence[str]
) -> list[str]:
    """Name the pictures that stand under several labels, of which at most one is right."""
    found = []
    for rows in several:
        first = {int(labels[row]): row for row in reversed(rows)}
        if len(first) > 1:
            shown = sorted(first.items(), key=lambda entry: entry[1])
            found.append(" and ".join(f"'{ids[row]}' ({class_names[label]})" for label, row in shown))
    if not found:
        return []
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    stand = "1 picture stands" if len(found) == 1 else f"{len(found)} pictures stand"
    return [
        f"{stand} under more than one label: {'; '.join(found[:_SHOWN])}{more}. Each label counts it once, but at most "
        "one of them is right: correct the labels."
    ]


def trained_on(digests: Digests, trained: Collection[int]) -> Bools:
    """Return which images are among others.

    Args:
        digests: Hash of each image's pixels, (N,).
        trained: Hashes of the others.

    Returns:
        (N,), True for the images that are.
    """
    return np.array([digest in trained for digest in np.asarray(digests).tolist()], dtype=bool)


def trained_remark(shared: Bools, ids: Sequence[str], what: str) -> tuple[str, ...]:
    """Return a remark where some test images are trained on.

    Args:
        shared: Which test images are, (N,).
        ids: Their ids, (N,).
        what: What the test images are, such as ``"--test"``.
    """
    rows = np.flatnonzero(shared).tolist()
    if not rows:
        return ()
    shown = ", ".join(f"'{ids[row]}'" for row in rows[:_SHOWN])
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    are = "1 image" if len(rows) == 1 else f"{len(rows)} images"
    return (
        f"{are} of {len(shared)} of {what} {'is' if len(rows) == 1 else 'are'} also among the training images: "
        f"{shown}{more}. A network recognizes what it was trained on, so that accuracies are too high: remove them.",
    )
