"""Answers of simulated full runs, and which of them are settled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cuesense.arrays import Bools, Floats, Ints

# Simulated full runs at each look. An agreement of 39 in 40 is known within 3 points.
SIMULATED_RUNS = 40


@dataclass(frozen=True)
class Answers:
    """What full runs are likely to answer, for C classes.

    Attributes:
        answer: The most frequent answer, as a whole number, (C,).
        agreement: Share of the simulated runs that give it, (C,), in (0, 1].
    """

    answer: Ints
    agreement: Floats


def most_frequent(answers: Ints) -> Answers:
    """Return the most frequent answer of simulated runs for each class, the lowest on ties.

    Args:
        answers: Shape (runs, C), not negative.
    """
    counts = np.stack([(answers == answer).sum(axis=0) for answer in range(int(answers.max(initial=0)) + 1)])
    return Answers(counts.argmax(axis=0), counts.max(axis=0) / len(answers))


def settled(agreement: Floats, open_: Bools, allowed: float, least: float) -> Bools:
    """Return which answers need no further images, any shape: the surest, as long as few of them are likely wrong.

    1 - agreement is the chance that the full run answers otherwise, so that its sum is the expected number of wrong
    answers. It is controlled over all classes together, not for each: most are as good as certain, and what they leave
    is spent on others.

    Args:
        agreement: Share of the simulated runs that give each answer, in (0, 1].
        open_: Which answers are not settled yet, of the same shape.
        allowed: The largest expected number of wrong answers among those that are settled now.
        least: The smallest agreement that settles an answer, in (0, 1].
    """
    chance = np.where(open_ & (agreement >= least), 1 - agreement, np.inf).ravel()
    order = np.argsort(chance, kind="stable")
    found = np.zeros(chance.shape, dtype=np.bool_)
    # A sum of floats may exceed the limit by rounding alone.
    found[order] = chance[order].cumsum() <= allowed + 1e-9
    return found.reshape(agreement.shape)
