"""The graded answer in words."""

from __future__ import annotations

import numpy as np

from cuesense.analysis.graded import FALSE_PAIRS, Graded, GradedColumn, GradedCue
from cuesense.analysis.sharpen import Sharpening
from cuesense.perturbations.ablations import Column

# From this rank reliability on, the order is called stable; the usual least reliability of a test score (Nunnally
# 1978).
STABLE = 0.8
# A standard deviation of at most this is said to be small: readers take 91 % and 94 % for the same. Chosen by hand.
_SMALL_SPREAD = 0.1
# From this share on, what guessing keeps is said: with ten classes and fewer. Chosen by hand.
_MUCH_GUESSED = 0.1


def left(column: Column) -> str:
    """Return the column in words, such as ``"without color"`` or ``"on color alone"``."""
    return f"on {column.cue} alone" if column.alone else f"without {column.cue}"


def column_sentence(found: GradedColumn, guessing: float) -> str:
    """Return what a column says about the model.

    Args:
        found: The column.
        guessing: Share that guessing keeps, in [0, 1].

    Returns:
        One or two sentences; they say so where all classes are alike, or may be, and where guessing keeps much.
    """
    if found.mean.value is None:
        return f"No class has an image from which to tell what is kept {left(found.kept.column)}."
    said = _differences(found, f"{found.mean.value:.0%}", left(found.kept.column))
    return said if guessing < _MUCH_GUESSED else f"{said} Guessing alone keeps {guessing:.0%}."


def _differences(found: GradedColumn, mean: str, where: str) -> str:
    if np.isnan(found.reliability):
        return f"About {mean} is kept {where}; fewer than two classes have the two images that a comparison needs."
    if not found.alike:
        return (
            f"Classes keep {mean} {where} on average and differ by {_points(found.spread)} (standard deviation); the "
            f"reliability of their differences on these images is {found.reliability:.2f}."
        )
    if found.shares.spread_high <= _SMALL_SPREAD:
        return f"All classes keep about {mean} {where} (they differ by at most {_points(found.shares.spread_high)})."
    return (
        f"These images tell no class from another in what it keeps {where} (about {mean}); they may still differ by up "
        f"to {_points(found.shares.spread_high)} (standard deviation)."
    )


def _points(share: float) -> str:
    """Return a difference of shares in points of 100."""
    points = round(100 * share)
    return "1 point" if points == 1 else f"{points} points"


def cue_sentence(found: GradedCue) -> str:
    """Return what the order of the classes by a cue is worth.

    Args:
        found: The reliance of the classes on the cue.

    Returns:
        A sentence.
    """
    if found.of < 1:
        return f"There are no other classes to compare the reliance on {found.cue} with."
    if found.alike:
        return f"These images tell no order of the classes by {found.cue}: differences as large arise by chance."
    if np.isnan(found.rank_reliability):
        return f"Classes differ in their reliance on {found.cue}; how stable their order is, is not known."
    if found.rank_reliability < STABLE:
        return (
            f"The order by {found.cue} is not stable: with other images of the same number, its rank correlation with "
            f"this one is about {found.rank_reliability:.2f}. Read it by its intervals."
        )
    return f"The order by {found.cue} is stable (rank reliability {found.rank_reliability:.2f})."


def lean_sentence(found: GradedCue, index: int) -> str:
    """Return how one class differs from the others, to be read after its name.

    Args:
        found: The reliance of the classes on the cue.
        index: Which class, from 0.

    Returns:
        A clause without a full stop; empty where its lean is not known.
    """
    if found.of < 1 or np.isnan(found.reliance.value[index]):
        return ""
    above, below, others = int(found.above[index]), int(found.below[index]), found.of
    compared = f"{others} other {'class' if others == 1 else 'classes'}"
    more, less = f"more than {above}", f"less than {below}"
    if above and below:
        return f"relies on {found.cue} {more} and {less} of {compared}"
    if above or below:
        return f"relies on {found.cue} {more if above else less} of {compared}"
    return f"relies on {found.cue} as the others do, as far as its images tell"


def pairs_sentence(found: Graded) -> str:
    """Return how many pairs of classes are told apart, and how that is counted."""
    if not found.pairs:
        return "There are no two classes to compare."
    return (
        f"{found.told_apart} of {found.pairs} pairs of classes are shown to differ in what they keep; at most "
        f"{100 * FALSE_PAIRS:g} % of these are expected to be chance."
    )


def sharpen_sentence(found: Sharpening, first: str, second: str) -> str:
    """Return what would tell two classes apart.

    Args:
        found: The number of images.
        first: Name of the class that is ahead.
        second: Name of the class after it.

    Returns:
        A sentence.
    """
    images = "1 more image" if found.more_images == 1 else f"{found.more_images} more images"
    which = f"whether {first} relies on {found.cue} more than {second}"
    return f"{images} a class would show {which}, if what they keep stays as it is."
