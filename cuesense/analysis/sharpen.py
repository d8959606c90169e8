"""What would sharpen the order of the classes: how many more images tell neighbors apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import ndtr, ndtri

from cuesense.analysis.graded import EXCEEDS, GradedCue
from cuesense.arrays import Ints
from cuesense.types import Cue

# Neighbors whose order is less likely than this may well be equal, and no number of images separates equal classes: of
# the cheapest pairs of an order nearly all would be such. Chosen by hand; not tuned.
_LIKELY = 0.85


@dataclass(frozen=True)
class Sharpening:
    """What would tell two neighbors of an order apart.

    Attributes:
        cue: The cue by which they are ordered.
        first: Index of the class that is ahead.
        second: Index of the class after it.
        more_images: Images a class that are needed beside those at hand.
    """

    cue: Cue
    first: int
    second: int
    more_images: int


def sharpenings(cues: Sequence[GradedCue], images: Ints) -> list[Sharpening]:
    """Return for every cue the neighbors in its order that the fewest further images would tell apart.

    Args:
        cues: The reliance of the classes on each cue.
        images: Clean images of each class, (C,).

    Returns:
        At most one a cue, the fewest images first. None for a cue by which the classes do not differ (more images of
        the same would not order them), or whose neighbors are all told apart or may well be equal.
    """
    cheapest = [min(found, key=lambda entry: entry.more_images) for cue in cues if (found := _neighbors(cue, images))]
    return sorted(cheapest, key=lambda entry: entry.more_images)


def _neighbors(cue: GradedCue, images: Ints) -> list[Sharpening]:
    if cue.alike:
        return []
    order = cue.order
    found = []
    for first, second in pairwise(order):
        more = _more_images(cue, first, second, int(max(images[first], images[second])))
        if more is not None:
            found.append(Sharpening(cue.cue, first, second, more))
    return found


def _more_images(cue: GradedCue, first: int, second: int, images: int) -> int | None:
    """Return how many more images a class tell two classes apart; None where they are, or may well be equal.

    With noise v of each class, spread tau and difference d of what is seen, the shrunken difference d tau^2 / (tau^2 +
    v) exceeds its own deviation by the normal quantile q where d^2 tau^2 = 2 q^2 v (tau^2 + v); v falls as one over
    the images.
    """
    value, own = cue.reliance.value, cue.reliance.own
    if not _LIKELY <= ndtr((value[first] - value[second]) / np.sqrt(own[first] + own[second])) < EXCEEDS:
        return None
    difference, spread = float(cue.seen[first] - cue.seen[second]), cue.reliance.spread**2
    if difference <= 0:
        return None
    # The positive root of that equation in v, in the form that does not subtract two nearly equal numbers.
    scaled = difference**2 * spread / float(ndtri(EXCEEDS)) ** 2
    needed = scaled / (np.sqrt(spread**2 + 2 * scaled) + spread)
    noise = float(cue.noise[first] + cue.noise[second]) / 2
    return max(1, int(np.ceil((noise / needed - 1) * images)))
