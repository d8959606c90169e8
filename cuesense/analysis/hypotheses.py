"""What a class may need: monotone Boolean functions of the cues, weighed by a network's answers. Pure NumPy.

*Color* is the function "color", *mixed* is for instance "color and shape", *redundant* "color or shape", *insensitive*
"anything". Every ablation tests one subset of the cues: is the class still recognized when only these are left? The
posterior over the 19 functions that recognize the clean image follows from all tests together (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress, permutations, product

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from cuesense.analysis.evidence import Evidence, Share
from cuesense.arrays import Floats
from cuesense.perturbations.ablations import (
    ALL_REMOVED,
    CUES,
    PRIMARY_ABLATION,
    REPLICATE_ABLATION,
    SINGLE_CUE,
    Ablation,
)
from cuesense.types import Cue, CueVerdict

SLOPE = 50.0
MISLED = 0.005
COMPOUND = 0.2


def _without(cue: Cue) -> frozenset[Cue]:
    return frozenset(CUES) - {cue}


QUESTIONS: Mapping[Ablation, frozenset[Cue]] = {
    **{of_cue[cue]: _without(cue) for cue in CUES for of_cue in (PRIMARY_ABLATION, REPLICATE_ABLATION)},
    **{SINGLE_CUE[cue]: frozenset({cue}) for cue in CUES},
    ALL_REMOVED: frozenset(),
}


@dataclass(frozen=True)
class Scale:
    """How answers are read for images of some sizes.

    Attributes:
        below: The first shorter side, in pixels, that is too large.
        thresholds: The distinct share from which on the answer is rather yes than no, in the order of QUESTIONS.
    """

    below: float
    thresholds: tuple[float, ...]

    def log_odds(self, ablation: Ablation, share: Share) -> Floats:
        """Return the log-odds that the true answer is yes, (C,), bounded because any suppression can mislead.

        The share is the mean of its posterior under a uniform prior, whose variance flattens the slope (MacKay 1992,
        Neural Computation 4:720, section 5): few images give weak answers.
        """
        middle = (np.nan_to_num(share.distinct) * share.images + 1) / (share.images + 2)
        odds = SLOPE * (middle - self._threshold(ablation))
        noise = SLOPE**2 * middle * (1 - middle) / np.maximum(share.images, 1)
        likely = MISLED + (1 - 2 * MISLED) * expit(odds / np.sqrt(1 + np.pi / 8 * noise))
        return np.asarray(np.where(np.isnan(share.distinct), 0.0, np.log(likely / (1 - likely))))

    def worth(self, ablation: Ablation, share: Share) -> Floats:
        """Return the distinct share on a scale that is the same for all ablations and sizes, (C,), in [0, 1].

        It is linear below and above the threshold, which is one half.
        """
        threshold = self._threshold(ablation)
        below, above = share.distinct / threshold, (share.distinct - threshold) / (1 - threshold)
        return np.asarray(0.5 * np.minimum(below, 1) + 0.5 * np.maximum(above, 0))

    def _threshold(self, ablation: Ablation) -> float:
        return self.thresholds[list(QUESTIONS).index(ablation)]


SCALES = (  # chosen by `python benchmarks/labels.py calibrate` on 27 networks of even planted worlds of 21 classes
    Scale(48, (0.40, 0.45, 0.68, 0.74, 0.42, 0.11, 0.64, 0.22, 0.39, 0.50)),
    Scale(160, (0.46, 0.44, 0.60, 0.60, 0.46, 0.30, 0.41, 0.32, 0.43, 0.50)),
    Scale(np.inf, (0.25, 0.24, 0.31, 0.09, 0.55, 0.34, 0.16, 0.18, 0.14, 0.50)),
)

_BITS = (0, 1)
_SUBSETS = tuple(frozenset(compress(CUES, bits)) for bits in product(_BITS, repeat=len(CUES)))
Hypothesis = frozenset[frozenset[Cue]]


def _hypotheses() -> tuple[Hypothesis, ...]:
    """Return the 19 monotone Boolean functions that hold when all cues are left, each as the subsets where it does."""
    every = (frozenset(compress(_SUBSETS, bits)) for bits in product(_BITS, repeat=len(_SUBSETS)))
    return tuple(f for f in every if frozenset(CUES) in f and all(t in f for s in f for t in _SUBSETS if s <= t))


def verdict_of(need: Hypothesis) -> CueVerdict:
    """Return the label of a monotone Boolean function.

    Args:
        need: The subsets of cues that suffice.

    Returns:
        Insensitive where nothing is needed; a cue where it is necessary and sufficient; mixed where a cue is
        necessary but none suffices; redundant where none is necessary.
    """
    if frozenset() in need:
        return CueVerdict.INSENSITIVE
    for cue in CUES:
        if {cue} in need and _without(cue) not in need:
            return CueVerdict(cue.value)
    return CueVerdict.MIXED if any(_without(cue) not in need for cue in CUES) else CueVerdict.REDUNDANT


def _weight(need: Hypothesis) -> float:
    """Return how plausible a function is beside others of its label: alternatives within conjunctions are rare."""
    least = [subset for subset in need if not any(other < subset for other in need)]
    simple = len(least) == 1 or all(len(subset) == 1 for subset in least)
    return 1.0 if simple else COMPOUND


HYPOTHESES = _hypotheses()
VERDICTS = tuple(label for label in CueVerdict if label is not CueVerdict.UNDETERMINED)


def scales(side: int | None) -> tuple[Scale, ...]:
    """Return how answers about images of this shorter side in pixels may be read: in every way where it is unknown."""
    return SCALES if side is None else (next(scale for scale in SCALES if side < scale.below),)


def posterior(evidence: Evidence) -> Floats:
    """Return the probability of every label.

    Every label is as likely as any other before the images are seen, and so is every function of one label, except
    that those which are neither a plain "and" nor a plain "or" of cues are a fifth as likely as the others. Where the
    size of the images is not known, the answer is the mean over all sizes.

    Args:
        evidence: From evidence.gather.

    Returns:
        Shape (6, C), in the order of LABELS; columns add up to 1.
    """
    return np.asarray(np.mean([_posterior(evidence, scale) for scale in scales(evidence.side)], axis=0))


def _posterior(evidence: Evidence, scale: Scale) -> Floats:
    labels = [verdict_of(need) for need in HYPOTHESES]
    weights = np.array([_weight(need) for need in HYPOTHESES])
    total = [weights[[other is label for other in labels]].sum() for label in labels]
    score = np.repeat(np.log(weights / total)[:, None], len(evidence.images), axis=1)
    for ablation, left in QUESTIONS.items():
        if ablation in evidence.shares:
            score += np.outer(
                [left in need for need in HYPOTHESES], scale.log_odds(ablation, evidence.shares[ablation])
            )
    weight = np.exp(score - score.max(axis=0))
    of_label = np.array([[label is wanted for label in labels] for wanted in VERDICTS], dtype=np.float64)
    return np.asarray(of_label @ weight / weight.sum(axis=0))


def shapley_shares(evidence: Evidence) -> dict[Cue, Floats]:
    """Attribute what a class keeps to its cues: what each adds to those that are left, on average over all orders.

    The worth of a subset of the cues is what is kept when only they are left, 1 for all (Shapley 1953, in Contributions
    to the Theory of Games II, 307). Where the size of the images is not known, the answer is the mean over all sizes.

    Args:
        evidence: From evidence.gather.

    Returns:
        Per cue, as a share of what is not kept without any cue, (C,); they add up to 1. NaN where a class was not
        measured or loses nothing without any cue; empty where a ablation of the design is missing.
    """
    ablations = {frozenset({cue}): SINGLE_CUE[cue] for cue in CUES} | {
        _without(cue): PRIMARY_ABLATION[cue] for cue in CUES
    }
    ablations[frozenset()] = ALL_REMOVED
    if not all(ablation in evidence.shares for ablation in ablations.values()):
        return {}
    every = scales(evidence.side)
    worth = {
        left: np.mean([scale.worth(ablation, evidence.shares[ablation]) for scale in every], axis=0)
        for left, ablation in ablations.items()
    }
    worth[frozenset(CUES)] = np.ones(len(evidence.images))
    before = {cue: [frozenset(order[: order.index(cue)]) for order in permutations(CUES)] for cue in CUES}
    added = {cue: np.mean([worth[left | {cue}] - worth[left] for left in before[cue]], axis=0) for cue in CUES}
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            cue: np.where(worth[frozenset()] < 1, part / (1 - worth[frozenset()]), np.nan)
            for cue, part in added.items()
        }


def says_yes(evidence: Evidence, ablation: Ablation) -> NDArray[np.bool_]:
    """Return whether a dose's answer is rather yes than no, (C,); that of all scales where the size is not known."""
    odds = [scale.log_odds(ablation, evidence.shares[ablation]) for scale in scales(evidence.side)]
    return np.asarray(np.sum(odds, axis=0) >= 0)
