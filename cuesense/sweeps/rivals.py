"""The rivals of a class that loses accuracy: the outputs that take its images, and how they relate to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cuesense.arrays import Floats
from cuesense.sweeps.sweep import PerImagePredictions

Kind = Literal["ambiguous", "co-occurring", "fine-grained", "unrelated"]

# How many rivals of a class are listed. Chosen by hand, for reading.
_LISTED = 3
# Half a percent of a class's images, one of 200. Chosen by hand; not tuned.
_LEAST_SHARE = 0.005
# The limits of the kinds. The categories are those of Kirichenko et al. 2023 (arXiv 2401.01764, section 4), the four
# limits are ours: chosen by hand, not tuned.
_AMBIGUOUS = 0.5
_CO_OCCURRING = 0.05
_NEAREST = 0.1
_LEAST_COSINE = 0.2


@dataclass(frozen=True)
class RivalShare:
    """A rival that takes images of a class.

    Attributes:
        rival: Index of its output, in [0, K).
        share: Rise in the share of the class's images that are predicted as the rival, in (0, 1].
        kind: How it relates to the class; None where neither annotations nor similarities are known.
        similarity: Cosine of the two classes' directions, in [-1, 1]; None where not known.
        both: Share of the class's images for which the rival is an accepted label too; None where not known.
    """

    rival: int
    share: float
    kind: Kind | None
    similarity: float | None
    both: float | None


def find_rivals(
    per_image: PerImagePredictions,
    index: int,
    before: Sequence[int] | NDArray[np.int64],
    after: Sequence[int] | NDArray[np.int64],
    similarity: Floats | None,
) -> list[RivalShare]:
    """Return the outputs that are predicted for more of a class's images in some runs than in others.

    Args:
        per_image: What the runs predicted.
        index: The class.
        before: Indices of the runs at its best strength.
        after: Indices of the runs at the strength at which it loses.
        similarity: Cosines between the directions of the K outputs, (K, K), or None.

    Returns:
        Up to three rivals that take half a percent of its images or more, the largest share first.
    """
    own = per_image.labels == index
    count = len(per_image.output_names)
    change = _shares(per_image.predicted[after][:, own], count) - _shares(per_image.predicted[before][:, own], count)
    change[index] = 0
    order = np.argsort(-change, kind="stable")[:_LISTED]
    return [
        RivalShare(
            rival=int(rival),
            share=float(change[rival]),
            kind=rival_kind(per_image, index, int(rival), similarity),
            similarity=None if similarity is None else float(similarity[index, rival]),
            both=None if per_image.accepted is None else float(per_image.accepted[own, rival].mean()),
        )
        for rival in order
        if change[rival] >= _LEAST_SHARE
    ]


def _shares(predicted: NDArray[np.int32], count: int) -> Floats:
    """Return the share of predictions that each of K outputs has, (K,)."""
    found: Floats = np.bincount(predicted.ravel(), minlength=count) / max(predicted.size, 1)
    return found


def rival_kind(per_image: PerImagePredictions, index: int, rival: int, similarity: Floats | None) -> Kind | None:
    """Return how a rival relates to a class, by the categories of Kirichenko et al. 2023 (arXiv 2401.01764, section 4).

    The limits are ours. Ambiguous: of the images for which either is right, both are for half or more. Co-occurring:
    both are right for 5 % of the class's images or more. Fine-grained: the pair is among the tenth of all pairs that
    are most similar, with a cosine of 0.2 or more. Unrelated: none of these.

    Args:
        per_image: The images, with accepted labels where they are known.
        index: The class.
        rival: Index of the rival's output.
        similarity: Cosines between outputs, (K, K), or None.

    Returns:
        The kind; None where there are no similarities, and no accepted labels that make it ambiguous or co-occurring.
    """
    if per_image.accepted is not None:
        first, second = per_image.accepted[:, index], per_image.accepted[:, rival]
        if (first & second).sum() >= _AMBIGUOUS * max((first | second).sum(), 1):
            return "ambiguous"
        if second[per_image.labels == index].mean() >= _CO_OCCURRING:
            return "co-occurring"
    if similarity is None:
        return None
    # A quantile alone would call a tenth of all pairs similar even where no two classes are.
    pairs = similarity[np.triu_indices(len(similarity), 1)]
    near = max(float(np.quantile(pairs, 1 - _NEAREST)), _LEAST_COSINE)
    return "fine-grained" if similarity[index, rival] >= near else "unrelated"


def cosines(directions: Floats) -> Floats:
    """Return the cosines between directions, (K, D), once their mean is subtracted, (K, K).

    The mean is what all classes share (the common direction of features or texts); with it all cosines would be high.
    """
    centered = directions - directions.mean(axis=0)
    centered = centered / np.maximum(np.linalg.norm(centered, axis=1, keepdims=True), 1e-12)
    found: Floats = centered @ centered.T
    return found
