"""Which budget a full run would give every class for one augmentation, given a part of its predictions.

An image that was not seen yet is lost with the chance that lost images of its class, and of the others, leave likely
(stats.drop_risk), if it is recognized clean, and gained with the like if it is not: which images are recognized clean
is known of all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cuesense.adaptive.answers import SIMULATED_RUNS, Answers, most_frequent
from cuesense.arrays import Bools, Floats, Ints
from cuesense.policies.budgets import Levels, severities_and_statuses
from cuesense.predictions.predictions import Predictions
from cuesense.stats.curves import count
from cuesense.stats.drop_risk import draws_worth_of, share_quantiles
from cuesense.types import BudgetStatus, Curve, Perturbation

_STATUSES = tuple(BudgetStatus)
# A severity needs no further images where fewer simulated runs than this share disagree on whether it is safe: none of
# 40. Chosen by hand.
DOUBT = 0.025


@dataclass(frozen=True)
class LikelyBudgets:
    """What full runs are likely to give for one augmentation.

    Attributes:
        answers: Severity and status of every class; ``severity_and_status`` reads them.
        doubt: Share of the simulated runs that disagree with most of them on whether a severity is safe, (S, C), at
            most one half; at the mildest, on the status as well, where most runs give no severity; and at least DOUBT
            where the images seen lead to another answer on a severity; at the mildest, to any other one.
        now: What the images seen lead to, as whole numbers like the answers, (C,).
    """

    answers: Answers
    doubt: Floats
    now: Ints


@dataclass(frozen=True)
class _Changes:
    """Images that may be lost, or that may be gained, and those of them that are, (S, C) each.

    Attributes:
        seen: Images seen at each severity.
        unseen: The others.
        changed: Of those seen, the image-repeats that are lost (gained).
    """

    seen: Ints
    unseen: Ints
    changed: Ints

    def in_full_runs(self, worth: Floats, repeats: int, rng: np.random.Generator) -> Ints:
        """Return what changes in simulated full runs, in image-repeats, (S, runs * C).

        Args:
            worth: As how many images the draws of an image count at each severity, (S,).
            repeats: Draws of each image.
            rng: Draws.
        """
        # One level a run and class: a class whose images happen to be easy has easy ones at every severity.
        levels = rng.uniform(size=(self.seen.shape[1], SIMULATED_RUNS)).clip(1e-9)
        known = zip(self.changed, self.seen, worth, strict=True)
        share = np.stack([share_quantiles(np.column_stack([of * k / repeats, of * n]), levels).T for k, n, of in known])
        each = worth[:, None, None]
        draws = rng.binomial(np.rint(self.unseen[:, None] * each).astype(np.int64), share)
        added = np.minimum(np.rint(draws * (repeats / each)), repeats * self.unseen[:, None])
        return np.asarray((self.changed[:, None] + added).astype(np.int64).reshape(len(worth), -1))


def answer_of(severity: int, status: BudgetStatus) -> int:
    """Return the number that stands for a severity, 0 for none, and a status."""
    return severity * len(_STATUSES) + _STATUSES.index(status)


def severity_and_status(answer: int) -> tuple[int, BudgetStatus]:
    """Return the severity, 0 for none, and the status that an answer's number stands for."""
    severity, status = divmod(answer, len(_STATUSES))
    return severity, _STATUSES[status]


def likely_budgets(
    predictions: Predictions, perturbation: Perturbation, seen: Bools, levels: Levels, rng: np.random.Generator
) -> LikelyBudgets:
    """Return the budget that most simulated full runs give every class, and how many agree on it.

    Args:
        predictions: Paired ones, the clean condition first, of which all N images are known. Under the others, what
            stands at images that were not seen does not matter.
        perturbation: The augmentation, with S severities.
        seen: Which images were seen under each severity, in all repeats, (S, N).
        levels: Tolerance, confidence and risk.
        rng: Draws the simulated runs.
    """
    curve = _full_runs(predictions, perturbation, seen, rng)
    numbers, safe = _answers(curve, levels, SIMULATED_RUNS)
    numbers, share = numbers.reshape(SIMULATED_RUNS, -1), safe.reshape(len(safe), SIMULATED_RUNS, -1).mean(axis=1)
    doubt = np.minimum(share, 1 - share)
    # Where no severity is safe, the mildest one also decides between none and undetermined.
    none = numbers == answer_of(0, BudgetStatus.NONE)
    undetermined = numbers == answer_of(0, BudgetStatus.UNDETERMINED)
    doubt[0] = np.maximum(doubt[0], np.minimum(none.mean(axis=0), undetermined.mean(axis=0)))
    now, safe_now = _answers(_seen(predictions, perturbation, seen), levels)
    answers = most_frequent(numbers)
    differs = safe_now != (share >= 0.5)
    differs[0] |= now != answers.answer
    return LikelyBudgets(answers, np.where(differs, np.maximum(doubt, DOUBT), doubt), now)


def _answers(curve: Curve, levels: Levels, copies: int = 1) -> tuple[Ints, Bools]:
    """Return the budget of every class as a whole number, (C,), and which severities are safe by themselves, (S, C)."""
    severities, statuses, risk = severities_and_statuses(curve, levels, copies)
    numbers = [answer_of(*found) for found in zip(severities.tolist(), statuses, strict=True)]
    return np.array(numbers), risk <= levels.risk


def _seen(predictions: Predictions, perturbation: Perturbation, seen: Bools) -> Curve:
    """Return the counts of the images seen."""
    rows = np.array([predictions.rows[perturbation.name, severity] for severity in perturbation.severities])
    right = np.array([[predictions.right(row) for row in of_repeat] for of_repeat in rows.T])
    labels, classes = predictions.per_condition[0].labels, len(predictions.class_names)
    return count(perturbation, predictions.right(0), right, labels, classes, seen)


def _full_runs(predictions: Predictions, perturbation: Perturbation, seen: Bools, rng: np.random.Generator) -> Curve:
    """Return the counts of SIMULATED_RUNS full runs, one after the other, in one curve."""
    labels, classes = predictions.per_condition[0].labels, len(predictions.class_names)

    def per_class(numbers: Ints | Bools) -> Ints:
        return np.array([np.bincount(labels, weights=row, minlength=classes) for row in numbers]).astype(np.int64)

    clean, wrong = predictions.right(0), _wrong(predictions, perturbation)
    repeats = len(predictions.rows[perturbation.name, 1])
    lost, gained = wrong * (clean & seen), (repeats - wrong) * (~clean & seen)
    may_lose = _Changes(per_class(clean & seen), per_class(clean & ~seen), per_class(lost))
    may_gain = _Changes(per_class(~clean & seen), per_class(~clean & ~seen), per_class(gained))
    squared = per_class((lost - gained) ** 2)
    worth = draws_worth_of(may_lose.changed, may_gain.changed, squared, may_lose.seen + may_gain.seen, repeats)
    of_lost, of_gained = (part.in_full_runs(worth, repeats, rng) for part in (may_lose, may_gain))
    images = np.tile(np.bincount(labels, minlength=classes), SIMULATED_RUNS)
    # As many squared changes as give the draws of an image the worth that they have in the part.
    net = (of_lost - of_gained) ** 2 / np.maximum(images, 1)
    squares = net + repeats**2 * ((of_lost + of_gained) / repeats - net / repeats**2) / worth[:, None]
    return Curve(
        perturbation,
        images,
        np.tile(np.bincount(labels[clean], minlength=classes), SIMULATED_RUNS),
        of_lost,
        of_gained,
        repeats,
        squared=None if repeats == 1 else np.rint(squares).astype(np.int64),
    )


def _wrong(predictions: Predictions, perturbation: Perturbation) -> Ints:
    """Return how many repeats of each image are wrong at each severity, (S, N)."""
    rows = [predictions.rows[perturbation.name, severity] for severity in perturbation.severities]
    return np.array([np.sum([~predictions.right(row) for row in of_severity], axis=0) for of_severity in rows])
