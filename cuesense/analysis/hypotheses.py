"""Which cues a class may rely on: the posterior over 19 monotone cue hypotheses. Pure NumPy.

A hypothesis is a Boolean function of the cues: is the class recognized when only these are left? *Color* is the
function "color", *mixed* is for instance "color and shape", *redundant* "color or shape", *insensitive* "anything".
Every ablation leaves one subset of the cues and tests the hypotheses on it. The posterior over the 19 monotone
functions that recognize the clean image follows from all tests together (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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

# How fast a share becomes evidence: log-odds per unit of distinct share. Of 20, 30, 50 and 80 (SLOPES in
# `benchmarks/labels.py`, which prints F1 with one even world left out); flatter slopes give fewer verdicts and no fewer
# wrong ones (docs/method.md, "What was tried").
SLOPE = 50.0
# Chance that an ablation misleads altogether, which bounds what one test can say. Chosen by hand; not tuned.
MISLED = 0.005
# Prior weight of hypotheses that are neither a plain "and" nor a plain "or" of cues, beside 1 for those that are:
# networks rarely learn them. Chosen by hand; not tuned.
COMPOUND = 0.2


def _without(cue: Cue) -> frozenset[Cue]:
    return frozenset(CUES) - {cue}


# The cues that each ablation leaves: the hypotheses are tested on these subsets.
CUES_LEFT: Mapping[Ablation, frozenset[Cue]] = {
    **{of_cue[cue]: _without(cue) for cue in CUES for of_cue in (PRIMARY_ABLATION, REPLICATE_ABLATION)},
    **{SINGLE_CUE[cue]: frozenset({cue}) for cue in CUES},
    ALL_REMOVED: frozenset(),
}


@dataclass(frozen=True)
class Scale:
    """How shares are turned into evidence for images of some sizes.

    Attributes:
        below: The first shorter side, in pixels, that is too large.
        thresholds: The distinct share from which on a class is rather recognized than not, in [0, 1], in the order of
            CUES_LEFT.
    """

    below: float
    thresholds: tuple[float, ...]

    def log_odds(self, ablation: Ablation, share: Share) -> Floats:
        """Return the log-odds that classes are recognized by the cues left, (C,), bounded as any ablation can mislead.

        The share is the mean of its posterior under a uniform prior, whose variance flattens the slope (MacKay 1992,
        Neural Computation 4:720, section 5): few images are weak evidence, and so are images of a class that is hardly
        told from another, because dividing by ``told`` multiplies the noise. 0 where a class was not measured.
        """
        images = share.images * share.told**2
        middle = (np.nan_to_num(share.distinct) * images + 1) / (images + 2)
        odds = SLOPE * (middle - self._threshold(ablation))
        noise = SLOPE**2 * middle * (1 - middle) / np.maximum(images, 1)
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
        return self.thresholds[list(CUES_LEFT).index(ablation)]


# Chosen by `python benchmarks/labels.py calibrate` on 27 networks of even planted worlds of 21 classes. Small images
# lose more of each cue under the same ablation, so that there is one set of thresholds for each range of sizes: planted
# worlds have sides of 32, of 64 and 128, and of 224 px, and 48 and 160 lie between them.
SCALES = (
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


def verdict_of(hypothesis: Hypothesis) -> CueVerdict:
    """Return the verdict that a hypothesis stands for.

    Args:
        hypothesis: The subsets of cues that suffice to recognize the class.

    Returns:
        Insensitive where the class is recognized without any cue; a cue where it is necessary and sufficient; redundant
        where two cues or more suffice, each by itself; else mixed: what suffices takes several cues.
    """
    if frozenset() in hypothesis:
        return CueVerdict.INSENSITIVE
    for cue in CUES:
        if {cue} in hypothesis and _without(cue) not in hypothesis:
            return CueVerdict(cue.value)
    return CueVerdict.REDUNDANT if sum({cue} in hypothesis for cue in CUES) > 1 else CueVerdict.MIXED


def _weight(hypothesis: Hypothesis) -> float:
    """Return the prior weight of a hypothesis beside others of its verdict: alternatives within "and" are rare."""
    least = [subset for subset in hypothesis if not any(other < subset for other in hypothesis)]
    simple = len(least) == 1 or all(len(subset) == 1 for subset in least)
    return 1.0 if simple else COMPOUND


HYPOTHESES = _hypotheses()
# Fine detail is no hypothesis: it says that two of them, texture and thin lines, are not told apart.
VERDICTS = tuple(v for v in CueVerdict if v not in (CueVerdict.FINE_DETAIL, CueVerdict.UNDETERMINED))


def scales(side: int | None) -> tuple[Scale, ...]:
    """Return the scales that images of this shorter side in pixels may have: every one where the side is unknown."""
    return SCALES if side is None else (next(scale for scale in SCALES if side < scale.below),)


def posterior(evidence: Evidence) -> Floats:
    """Return the probability of every verdict.

    Every verdict is as likely as any other before the images are seen, and so is every hypothesis of one verdict,
    except that those which are neither a plain "and" nor a plain "or" of cues are a fifth (COMPOUND) as likely as the
    others. Where the size of the images is not known, the probability is the mean over all sizes.

    Args:
        evidence: From evidence.gather.

    Returns:
        Shape (6, C), in the order of VERDICTS; columns add up to 1.
    """
    return np.asarray(np.mean([_posterior(evidence, scale) for scale in scales(evidence.side)], axis=0))


def with_guesses_taken_off_once(evidence: Evidence) -> Evidence:
    """Return the evidence with the generous shares in the place of the distinct ones (evidence.Share)."""
    shares = {ablation: replace(share, distinct=share.generous) for ablation, share in evidence.shares.items()}
    return replace(evidence, shares=shares)


def _posterior(evidence: Evidence, scale: Scale) -> Floats:
    verdicts = [verdict_of(hypothesis) for hypothesis in HYPOTHESES]
    weights = np.array([_weight(hypothesis) for hypothesis in HYPOTHESES])
    total = [weights[[other is verdict for other in verdicts]].sum() for verdict in verdicts]
    score = np.repeat(np.log(weights / total)[:, None], len(evidence.images), axis=1)
    for ablation, left in CUES_LEFT.items():
        if ablation in evidence.shares:
            holds = [left in hypothesis for hypothesis in HYPOTHESES]
            score += np.outer(holds, scale.log_odds(ablation, evidence.shares[ablation]))
    # The largest score is taken off before the exponential, which would overflow or vanish otherwise.
    weight = np.exp(score - score.max(axis=0))
    of_verdict = np.array([[verdict is wanted for verdict in verdicts] for wanted in VERDICTS], dtype=np.float64)
    return np.asarray(of_verdict @ weight / weight.sum(axis=0))


def shapley_shares(evidence: Evidence) -> dict[Cue, Floats]:
    """Attribute what a class keeps to its cues: what each adds to those that are left, on average over all orders.

    The worth of a subset of the cues is what is kept when only they are left, 1 for all (Shapley 1953, in Contributions
    to the Theory of Games II, 307). Where the size of the images is not known, the worth is the mean over all sizes.

    Args:
        evidence: From evidence.gather.

    Returns:
        Per cue, as a share of what is not kept without any cue, (C,); they add up to 1. NaN where a class was not
        measured or loses nothing without any cue; empty where an ablation of the design is missing.
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


def likely_recognized(evidence: Evidence, ablation: Ablation) -> NDArray[np.bool_]:
    """Return whether classes are rather recognized than not by the cues that an ablation leaves, (C,).

    Where the size of the images is not known, the log-odds of all scales count together.
    """
    odds = [scale.log_odds(ablation, evidence.shares[ablation]) for scale in scales(evidence.side)]
    return np.asarray(np.sum(odds, axis=0) >= 0)
