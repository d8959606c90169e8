"""Another order of the classes that explains far more predictions than the one that was given, or none.

A class list in a wrong order (sorted as text, numbered from 1, two lines exchanged) gives a network of any accuracy
classes that are recognized under each other's names. A sound network confuses classes as well, but in other ways: two
similar classes share their images, and weak classes fall into strong ones, which keep their own. The rules below take
for wrong only what confusion does not do; docs/method.md gives the reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from math import comb, log2

import numpy as np

from cuesense.arrays import Bools, Floats, Ints

# Another output explains a class when it takes at least four times as many of its images as its own does. Two classes
# that a network cannot tell apart share their images about evenly, and even 60 : 40 against both is 1.5 times. A pair
# that is confused in one of six images and whose names are exchanged still reaches 5 times. Chosen by hand.
_TIMES = 4.0
# Level of the exact test that another output takes more images of a class than its own does. In a cycle every class
# must reach it, and all of them together the level below; classes outside of cycles must reach it simultaneously
# (Bonferroni). Chosen by hand; tests/stats/test_label_order.py counts false alarms.
_LEVEL = 0.05
# Level for a cycle over all classes, and for a shift over all shifts. Looks at cycles are counted as one a class: a
# class has hardly more than one other that a network cannot tell it from. Two classes have one cycle only.
_JOINT_LEVEL = 0.001
# Few images cannot reach these levels. Where every image of every class of a cycle is at the other output, four images
# a class are enough at this level, for all such cycles together. That names the classes, but stops no run. Four: with
# fewer, guesses form whole cycles too often where classes are many. Chosen by hand; benchmarks/label_order.py counts.
_WHOLE_LEVEL = 0.01
_WHOLE_IMAGES = 4
# How much more another assignment may explain than a shift, in classes: half of one. Chosen by hand.
_CLOSE = 0.5
# An output that no class of the dataset owns may be a neighbor into which a class fell ("sunglass" into "sunglasses"):
# it explains a class only with at least two thirds of its images and twenty times as many as the class's own output,
# and only if this holds for four classes at least and a third of them. The same holds for what is left of cycles that
# do not close. Chosen by hand; measured in tests/stats/test_label_order.py.
_MOST_IMAGES = 2 / 3
_TIMES_OPEN = 20.0
_FEWEST_OPEN = 4
_SHARE_OPEN = 1 / 3
# One in so many classes of a cycle may be too weak to show its other output, but must lean toward it. By hand.
_WEAK = 4
# Near chance all classes together are judged, which needs fewer images of each: a model whose outputs are permuted is
# near chance, and another order explains nearly all that it knows; a weak model has no order that explains half of the
# images more. With fewer images than these an assignment fits chance predictions well. Chosen by hand, with a wide
# margin on both sides.
_NEAR_CHANCE = 0.15
_MUCH_BETTER = 0.5
_IMAGES = 30
_IMAGES_PER_CLASS = 5
# Where outputs are more than classes there are more orders to choose from: most classes must be explained each, by half
# of their images.
_HALF = 0.5
_MOST_CLASSES = 0.75


class Kind(Enum):
    """How another order differs from the one given."""

    SHIFT = "every class has the output a constant number of places away"
    EXCHANGE = "some classes have each other's outputs"
    PERMUTATION = "most classes have other outputs"


@dataclass(frozen=True)
class Order:
    """An order of the classes that explains far more predictions.

    Attributes:
        kind: How it differs.
        better: The output of each of C classes in this order, (C,); -1 where a shift leads beyond the outputs.
        moved: The classes with another output than before, for which the predictions show it, most images first.
        shift: How many outputs higher each class is, negative where lower; 0 where the kind is another.
        accuracy: Share of the images that are predicted as their class in the given order.
        explained: Share that would be in this order.
        certain: Whether it holds at a level of 0.001; else at 0.01, which few images reach.
    """

    kind: Kind
    better: Ints
    moved: Ints
    shift: int
    accuracy: float
    explained: float
    certain: bool = True


@dataclass(frozen=True)
class _Counts:
    """Images of the C classes that have any, by predicted output, with the output that each class was given.

    Attributes:
        confusion: Number of images by class and output, (C, K).
        outputs: The output of each class, (C,).
    """

    confusion: Ints
    outputs: Ints

    @property
    def images(self) -> Ints:
        return np.asarray(self.confusion.sum(axis=1), np.int64)

    @property
    def own(self) -> Ints:
        """Images of each class at its own output, (C,)."""
        return self.at(self.outputs)

    def at(self, outputs: Ints) -> Ints:
        """Return the images of each class at an output of its own, (C,); 0 where there is none (-1)."""
        rows = np.arange(len(outputs))
        return np.asarray(np.where(outputs < 0, 0, self.confusion[rows, outputs]), np.int64)


def find_order(confusion: Ints, outputs: Sequence[int]) -> Order | None:
    """Look for another order of the classes that explains far more predictions.

    Tried are, over all K outputs: a shift of all classes by a constant; exchanges among some classes (cycles of the
    best one-to-one assignment, Kuhn 1955, "The Hungarian method for the assignment problem"), at any accuracy; and
    near chance that assignment as a whole, which fewer images show.

    Args:
        confusion: Number of clean images of each class that were predicted as each output, shape (C, K).
        outputs: The output that stands for each class, length C, all different.

    Returns:
        The order, or None where none explains far more than the one given.
    """
    present = np.flatnonzero(confusion.sum(axis=1))
    if len(present) < 2:
        return None
    counts = _Counts(confusion[present], np.asarray(outputs, np.int64)[present])
    if not np.any(counts.confusion.max(axis=1) > counts.own):
        return None
    shift, found = _shift(counts), _assignment(counts)
    # A shift is an assignment as well, and the simpler one: it goes first, unless it leaves a class unexplained.
    if shift is not None and (found is None or found.explained - shift.explained < _CLOSE / len(present)):
        found = shift
    if found is None:
        return None
    better = np.array(outputs, np.int64)
    better[present] = found.better
    return replace(found, better=better, moved=present[found.moved])


def _order(counts: _Counts, kind: Kind, better: Ints, moved: Ints, shift: int = 0) -> Order:
    gain = counts.at(better) - counts.own
    total = int(counts.images.sum())
    by_gain = moved[np.argsort(-gain[moved], kind="stable")]
    accuracy, explained = counts.own.sum() / total, counts.at(better).sum() / total
    return Order(kind, better, by_gain, shift, float(accuracy), float(explained))


def _shift(counts: _Counts) -> Order | None:
    """Return the shift that explains most, where it explains far more and does so for most classes."""
    rows, columns = np.nonzero(counts.confusion)
    places = columns - counts.outputs[rows]
    outputs = counts.confusion.shape[1]
    total = np.bincount(places + outputs, counts.confusion[rows, columns], minlength=2 * outputs)
    own = int(total[outputs])
    total[outputs] = 0
    shift = int(np.argmax(total)) - outputs
    from scipy.stats import binom

    explained = int(total[shift + outputs])
    better = counts.outputs + shift
    better[(better < 0) | (better >= outputs)] = -1
    # A constant prediction is the shift of one class; most classes must follow the shift themselves.
    follow = counts.at(better) > counts.own
    if follow.sum() < max(2, len(follow) / 2) or explained < _TIMES * own:
        return None
    # Also without the class that gains most: the largest may have fallen into one output by itself.
    rest = explained - int(counts.at(better).max())
    chance = binom.sf([explained - 1, rest - 1], [explained + own, rest + own], 0.5) * 2 * outputs
    if np.any(chance > [_JOINT_LEVEL, _LEVEL]):
        return None
    return _order(counts, Kind.SHIFT, better, np.flatnonzero(follow), shift)


def _assignment(counts: _Counts) -> Order | None:
    """Return the best one-to-one assignment, or the part of it that the predictions show."""
    better = _best(counts)
    moved, certain = _exchanged(counts, better)
    if len(moved):
        only = counts.outputs.copy()
        only[moved] = better[moved]
        return replace(_order(counts, Kind.EXCHANGE, only, moved), certain=certain)
    if _explains_near_chance(counts, better):
        gains = np.flatnonzero(counts.at(better) > counts.own)
        return _order(counts, Kind.PERMUTATION, better, gains)
    return None


def _best(counts: _Counts) -> Ints:
    """Return the assignment that explains most images, and of several such one that changes the fewest classes.

    A class that leads both its own row and its output's column keeps that output, so that tens of thousands of classes
    leave a small problem.
    """
    from scipy.optimize import linear_sum_assignment

    own, outputs = counts.own, counts.outputs
    settled = (own > 0) & (own == counts.confusion.max(axis=1)) & (own == counts.confusion.max(axis=0)[outputs])
    rows = np.flatnonzero(~settled)
    open_outputs = np.asarray(counts.confusion[rows].any(axis=0))
    open_outputs[outputs[settled]], open_outputs[outputs[rows]] = False, True
    columns = np.flatnonzero(open_outputs)
    value = counts.confusion[np.ix_(rows, columns)] * (len(rows) + 1.0)
    value[np.arange(len(rows)), np.searchsorted(columns, outputs[rows])] += 1
    better = outputs.copy()
    better[rows] = columns[linear_sum_assignment(value, maximize=True)[1]]
    return better


def _exchanged(counts: _Counts, better: Ints) -> tuple[Ints, bool]:
    """Return the classes that have other outputs, and whether that is certain: whole cycles, and chains where many."""
    from scipy.stats import binom

    owner = {int(output): row for row, output in enumerate(counts.outputs)}
    follower = np.array([owner.get(int(output), -1) for output in better])
    chance = np.asarray(binom.sf(counts.at(better) - 1, counts.at(better) + counts.own, 0.5))
    leads, simultaneous = _leads(counts, better, follower), chance * len(better) <= _LEVEL
    exchanged, rest, whole = [], [], []
    for members, closed in _parts(follower, counts.outputs != better):
        strong = [row for row in members if leads[row] and chance[row] <= _LEVEL]
        if closed and _holds(counts, better, members, strong):
            exchanged += members
        elif closed and _is_whole(counts, better, members):
            whole.append(members)
        else:
            rest += [row for row in strong if simultaneous[row] and _is_far(counts, better, row)]
    if len(rest) >= max(_FEWEST_OPEN, _SHARE_OPEN * len(better)):
        exchanged += rest
    chance_of_whole = _chance_of_whole(counts, whole)
    certain = len(exchanged) > 0 or chance_of_whole <= _JOINT_LEVEL
    if chance_of_whole <= _WHOLE_LEVEL:
        exchanged += [row for members in whole for row in members]
    return np.array(sorted(exchanged), np.int64), certain


def _is_whole(counts: _Counts, better: Ints, members: Sequence[int]) -> bool:
    images = counts.images[members]
    return bool(np.all(counts.at(better)[members] == images) and np.all(images >= _WHOLE_IMAGES))


def _chance_of_whole(counts: _Counts, cycles: Sequence[Sequence[int]]) -> float:
    """Return the chance of so many whole cycles where every image could as well be at its own output.

    Each image goes there with a chance of one half, and C classes hold at most C / 2 cycles, of which these are some.
    """
    images = sum(int(counts.images[members].sum()) for members in cycles)
    choices = comb(len(counts.outputs) // 2, len(cycles))
    return float(2.0 ** min(0.0, log2(choices) - images))


def _holds(counts: _Counts, better: Ints, members: Sequence[int], strong: Sequence[int]) -> bool:
    """Whether the classes of a cycle have each other's outputs.

    In a long cycle a class may be too weak to show its own output, where the others do; it must at least lean there.
    """
    from scipy.stats import binom

    there, own = counts.at(better)[members], counts.own[members]
    looks = 1 if len(better) == 2 else len(better)
    chance = binom.sf(there.sum() - 1, (there + own).sum(), 0.5) * looks
    return bool(len(members) - len(strong) <= len(members) // _WEAK and np.all(there > own) and chance <= _JOINT_LEVEL)


def _leads(counts: _Counts, better: Ints, follower: Ints) -> Bools:
    """Return for which classes the other output is ahead by far, in its row and in its column, (C,).

    Args:
        counts: The counts.
        better: The other output of each class, (C,).
        follower: The class that was given this output, (C,), -1 where none was.
    """
    there, own, images = counts.at(better), counts.own, counts.images
    # The row: the images of the class go there, to no output more often, and hardly to the class's own.
    row = (there >= _TIMES * own) & (there == counts.confusion.max(axis=1)) & (there > 0)
    # The column: the output takes the images of this class, and hardly those of the class that it was given to. A sink
    # takes both.
    kept: Floats = np.where(follower < 0, 0.0, (own / images)[follower])
    return np.asarray(row & (there / images >= _TIMES * kept) & (better != counts.outputs))


def _is_far(counts: _Counts, better: Ints, row: int) -> bool:
    there, own = int(counts.confusion[row, better[row]]), int(counts.own[row])
    return there >= _MOST_IMAGES * counts.images[row] and there >= _TIMES_OPEN * own


def _parts(follower: Ints, moves: Bools) -> list[tuple[list[int], bool]]:
    """Return the cycles and chains of the classes that move, and whether each is a cycle.

    Args:
        follower: The class whose output each class moves to, -1 where no class had it.
        moves: Whether each class moves at all.
    """
    led = set(follower.tolist())
    starts = [row for row in range(len(follower)) if row not in led]
    found, seen = [], set()
    for start in (*starts, *range(len(follower))):
        members, at = [], start
        while at >= 0 and at not in seen:
            seen.add(at)
            members.append(at)
            at = int(follower[at])
        if members and moves[start]:
            found.append((members, at == start))
    return found


def _explains_near_chance(counts: _Counts, better: Ints) -> bool:
    """Whether accuracy is near chance, and the best assignment explains half of the images more.

    It must also explain 0.15 more than predicting one class for all would; never below 30 images or 5 a class, which
    chance alone can assign well.
    """
    images, classes = int(counts.images.sum()), len(better)
    if images < max(_IMAGES, _IMAGES_PER_CLASS * classes):
        return False
    accuracy, explained = counts.own.sum() / images, counts.at(better).sum() / images
    constant = counts.images.max() / images
    near, much = accuracy <= 1 / classes + _NEAR_CHANCE, explained - accuracy >= _MUCH_BETTER
    if not near or not much or explained < constant + _NEAR_CHANCE:
        return False
    each = (counts.at(better) >= _HALF * counts.images) & (counts.at(better) >= _TIMES * counts.own)
    return bool(np.isin(better, counts.outputs).all() or each.mean() >= _MOST_CLASSES)


def accuracy_and_chance(confusion: Ints, outputs: Sequence[int]) -> tuple[float, float, float]:
    """Return the accuracy, and its mean and standard deviation if predictions did not depend on the images.

    The predictions are dealt out to the images at random: the mean is the agreement by chance of Cohen 1960
    (Educational and Psychological Measurement 20:37), the variance that of a linear permutation statistic (Hoeffding
    1951, Annals of Mathematical Statistics 22:558).

    Args:
        confusion: Number of images of each class that were predicted as each output, shape (C, K), two at least.
        outputs: The output of each class, length C.
    """
    n = confusion.sum(axis=1).astype(np.float64)
    m = confusion.sum(axis=0).astype(np.float64)[list(outputs)]
    total = n.sum()
    by_chance = float((n * m).sum())
    spread = by_chance - (n * m**2 + m * n**2).sum() / total + by_chance**2 / total**2
    right = confusion[np.arange(len(n)), list(outputs)].sum()
    deviation = np.sqrt(max(0.0, spread) / (total - 1)) / total
    return float(right / total), by_chance / total**2, float(deviation)
