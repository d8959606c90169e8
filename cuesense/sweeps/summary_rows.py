"""Rows of a table of accuracies that are no classes: averages and totals over the others, such as "macro avg"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cuesense.arrays import Floats

# Names that only a summary has; the first four are those of scikit-learn's classification_report.
_SUMMARY = frozenset(
    {
        *(
            f"{kind} {word}"
            for kind in ("macro", "micro", "weighted", "samples")
            for word in ("avg", "average", "mean")
        ),
        *(f"{kind} accuracy" for kind in ("balanced", "mean", "average", "avg", "overall", "total", "mean class")),
        *("all classes", "class average", "class mean", "grand total", "mean per class accuracy"),
    }
)
# Names that a class may have as well: they count where the numbers agree.
_PERHAPS = frozenset(
    {
        *("accuracy", "acc", "top1", "top 1", "all", "mean", "average", "avg", "overall", "total", "sum"),
        *("macro", "micro", "weighted", "global", "everything", "summary"),
    }
)
# A class of which chance alone makes the average of the others at most this often is taken for their average whatever
# its name. Chosen by hand; not tuned.
_BY_CHANCE = 1e-6


@dataclass(frozen=True)
class Cells:
    """The numbers of a table: R runs times C classes, NaN where a row or a number is missing.

    Attributes:
        accuracy: Accuracies, (R, C).
        images: Test images, (R, C).
        rounding: How far an accuracy may be from what was rounded to it, of each run, (R, 1).
    """

    accuracy: Floats
    images: Floats
    rounding: Floats


@dataclass(frozen=True)
class Summaries:
    """Which rows are no classes.

    Attributes:
        certain: Indices of classes whose name and numbers both say that they summarize the others.
        named: Those whose name says so, and whose numbers do not.
        doubtful: Those whose name may be a summary's or a class's, and whose numbers are a class's.
        hidden: Those whose numbers say so and whose name does not: as many images as all others, and their average.
        sums: Those that have as many images as all others together, and another accuracy than their average.
    """

    certain: tuple[int, ...] = ()
    named: tuple[int, ...] = ()
    hidden: tuple[int, ...] = ()
    sums: tuple[int, ...] = ()
    doubtful: tuple[int, ...] = ()


def find_summaries(names: Sequence[str], cells: Cells) -> Summaries:
    """Find rows that summarize the others.

    A row that is called "macro avg" or the like, or by a word that may also be a class ("mean", "all", "accuracy"), is
    a summary where its n is the sum of the others' or its accuracy their average, weighted or not, in every run that
    has it. A class of another name is one where both hold, or where chance would hardly make its accuracy the others'
    average.

    Args:
        names: Names of the C classes.
        cells: Their numbers.

    Returns:
        The indices of such classes.
    """
    folded = [re.sub(r"[\W_]+", " ", name).strip().casefold() for name in names]
    called = [index for index, name in enumerate(folded) if name in _SUMMARY | _PERHAPS]
    others = [index for index in range(len(names)) if index not in called]
    certain = [index for index in called if _sums(cells, index, others) or _averages(cells, index, others) < 1]
    named = [index for index in called if index not in certain and folded[index] in _SUMMARY]
    rest = [index for index in range(len(names)) if index not in certain + named]
    hidden, sums = _unnamed(cells, rest)
    doubtful = [index for index in called if index not in certain + named + hidden + sums]
    return Summaries(tuple(certain), tuple(named), tuple(hidden), tuple(sums), tuple(doubtful))


def _unnamed(cells: Cells, rest: list[int]) -> tuple[list[int], list[int]]:
    """Return the classes among some that are summaries by their numbers alone, and those that are by n alone."""
    hidden, sums = [], []
    for index in rest:
        # Two summaries have the same n, and are no part of each other.
        others = [one for one in rest if not np.array_equal(cells.images[:, one], cells.images[:, index])]
        is_sum = len(others) > 1 and _sums(cells, index, others)
        everyone = others if is_sum else [one for one in rest if one != index]
        if _averages(cells, index, everyone) < (1 if is_sum else _BY_CHANCE / len(rest)):
            hidden.append(index)
        elif is_sum:
            sums.append(index)
    return hidden, sums


def _sums(cells: Cells, index: int, others: list[int]) -> bool:
    """Return whether the n of a class is that of some others together, in every run that has it."""
    here = np.isfinite(cells.images[:, index]) & (cells.images[:, index] > 0)
    total = np.nansum(cells.images[here][:, others], axis=1)
    return len(others) > 1 and bool(here.any()) and bool((cells.images[here, index] == total).all())


def _averages(cells: Cells, index: int, others: list[int]) -> float:
    """Return how likely chance makes a class the average of some others in every run; 1 where it is not that.

    Chance is an accuracy that falls anywhere between the lowest and the highest of the others.
    """
    here = np.isfinite(cells.accuracy[:, index])
    accuracy, images = cells.accuracy[here][:, others], cells.images[here][:, others]
    weight = np.where(np.isfinite(accuracy) & (np.nan_to_num(images) > 0), images, 0.0)
    if len(others) < 2 or not here.any() or (weight.sum(axis=1) == 0).any():
        return 1.0
    known = np.where(weight > 0, accuracy, 0.0)
    # Both the average and what it is an average of were rounded.
    within = 2 * cells.rounding[here, 0] + 1e-9
    # Equal runs are one piece of evidence.
    distinct = np.unique(np.column_stack([cells.accuracy[here, index], known]), axis=0, return_index=True)[1]
    spread = np.where(weight > 0, accuracy, -np.inf).max(axis=1) - np.where(weight > 0, accuracy, np.inf).min(axis=1)
    for parts in (weight, (weight > 0).astype(np.float64)):
        average: NDArray[np.float64] = (known * parts).sum(axis=1) / parts.sum(axis=1)
        if (np.abs(cells.accuracy[here, index] - average) <= within).all():
            chance = np.minimum(1.0, 2 * within / np.maximum(spread, 1e-12))
            return float(np.prod(chance[distinct]))
    return 1.0
