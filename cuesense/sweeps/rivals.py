"""Where the images of a harmed class go, and what its rivals are to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cuesense.sweeps.sweep import Floats, PerImagePredictions

Kind = Literal["ambiguous", "co-occurring", "fine-grained", "unrelated"]

_SHOWN = 3
_LEAST = 0.005
_AMBIGUOUS = 0.5
_CO_OCCURRING = 0.05
_NEAREST = 0.1
_ALIKE = 0.2


@dataclass(frozen=True)
class Taken:
    """A rival that takes images of a class.

    Attributes:
        rival: Its place among the answers.
        share: Share of the class's images that it takes more, in (0, 1].
        kind: What it is to the class, None where nothing tells.
        similarity: Cosine of the two classes' directions, in [-1, 1].
        both: Share of the class's images for which the rival is right too.
    """

    rival: int
    share: float
    kind: Kind | None
    similarity: float | None
    both: float | None


def taken(
    pictures: PerImagePredictions,
    index: int,
    before: Sequence[int] | NDArray[np.int64],
    after: Sequence[int] | NDArray[np.int64],
    similarity: Floats | None,
) -> list[Taken]:
    """Return which classes take the images that a class loses from some runs to others.

    Args:
        pictures: What the runs said.
        index: The class.
        before: The runs at its best strength.
        after: The runs that it loses in.
        similarity: Cosines between the K answers' directions, (K, K), or None.

    Returns:
        Up to three rivals that take half a percent of its images or more, the strongest first.
    """
    own = pictures.labels == index
    count = len(pictures.answers)
    change = _shares(pictures.predicted[after][:, own], count) - _shares(pictures.predicted[before][:, own], count)
    change[index] = 0
    order = np.argsort(-change, kind="stable")[:_SHOWN]
    return [
        Taken(
            rival=int(rival),
            share=float(change[rival]),
            kind=kind(pictures, index, int(rival), similarity),
            similarity=None if similarity is None else float(similarity[index, rival]),
            both=None if pictures.accepted is None else float(pictures.accepted[own, rival].mean()),
        )
        for rival in order
        if change[rival] >= _LEAST
    ]


def _shares(predicted: NDArray[np.int32], count: int) -> Floats:
    found: Floats = np.bincount(predicted.ravel(), minlength=count) / max(predicted.size, 1)
    return found


def kind(pictures: PerImagePredictions, index: int, rival: int, similarity: Floats | None) -> Kind | None:
    """Say what a rival is to a class, after the categories of Kirichenko et al. 2023 (arXiv 2401.01764, section 4).

    The limits are ours. Ambiguous: of the images for which either is right, both are for half or more. Co-occurring:
    both are right for 5 % of the class's images or more. Fine-grained: the pair is among the tenth of all pairs that
    are most similar, with a cosine of 0.2 or more. Unrelated: none of these.

    Args:
        pictures: The images, with accepted labels where they are known.
        index: The class.
        rival: The rival's place among the answers.
        similarity: Cosines between answers, (K, K), or None.

    Returns:
        The kind; None where there are neither accepted labels nor similarities, or only labels that say nothing.
    """
    if pictures.accepted is not None:
        first, second = pictures.accepted[:, index], pictures.accepted[:, rival]
        if (first & second).sum() >= _AMBIGUOUS * max((first | second).sum(), 1):
            return "ambiguous"
        if second[pictures.labels == index].mean() >= _CO_OCCURRING:
            return "co-occurring"
    if similarity is None:
        return None
    pairs = similarity[np.triu_indices(len(similarity), 1)]
    near = max(float(np.quantile(pairs, 1 - _NEAREST)), _ALIKE)
    return "fine-grained" if similarity[index, rival] >= near else "unrelated"


def cosines(directions: Floats) -> Floats:
    """Return the cosines between directions, (K, D), once their mean is subtracted, (K, K)."""
    centered = directions - directions.mean(axis=0)
    centered = centered / np.maximum(np.linalg.norm(centered, axis=1, keepdims=True), 1e-12)
    found: Floats = centered @ centered.T
    return found
