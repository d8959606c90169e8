"""The joint model: the probability of every cue verdict from what is kept under all ablations together. Pure NumPy.

A multinomial logistic regression on the distinct shares (evidence.Share) under 25 ablations, fitted to the classes of
127 networks whose cues are known: planted worlds of three kinds of images, at 32 to 224 pixels, and images that carry
a single cue (``benchmarks/cue_worlds.py``, ``benchmarks/cue_model.py``). Where one mechanism misleads, as opening and
closing does for line drawings, the others outweigh it; a rule that asks each ablation a yes/no question cannot do that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np

from cuesense import package_files
from cuesense.analysis.evidence import Evidence
from cuesense.analysis.hypotheses import VERDICTS, posterior
from cuesense.arrays import Floats
from cuesense.perturbations.ablations import JOINT_ABLATIONS, Ablation
from cuesense.types import CueVerdict

# The shorter sides of the images that the model was fitted to, in pixels; others are read like the nearest of these.
_SIDES = (32, 64, 128, 224)
# Share kept that is most of a class.
_MOST = 0.5
# The side that the model's sizes are relative to.
_MIDDLE_SIDE = 64


@dataclass(frozen=True)
class JointModel:
    """The fitted weights.

    Attributes:
        verdicts: The V verdicts, in the order of the weights.
        weights: Shape (1 + 1 + F + F + pairs + 1, V), for the columns of ``design``.
    """

    verdicts: tuple[CueVerdict, ...]
    weights: Floats


@cache
def joint_model() -> JointModel:
    """Return the model that comes with cuesense, ``assets/cue_model.json``."""
    content = json.loads((package_files.folder("assets") / "cue_model.json").read_text(encoding="utf-8"))
    fitted = tuple(Ablation(name, value) for name, value in content["features"])
    # Weights in another order would be wrong without a word.
    if fitted != JOINT_ABLATIONS:
        raise AssertionError("assets/cue_model.json was fitted to other ablations than JOINT_ABLATIONS")
    return JointModel(tuple(map(CueVerdict, content["verdicts"])), np.array(content["weights"]))


def design(shares: Floats, side: float) -> Floats:
    """Return what the model weighs.

    Args:
        shares: Distinct shares in the order of JOINT_ABLATIONS, (F, C), in [0, 1].
        side: Shorter side of the images in pixels.

    Returns:
        Shape (C, columns): 1, the size (binary logarithm of the side over 64 pixels), the shares, the shares times the
        size, and the smaller of every two of seven summaries ("kept without texture *and* on color alone"), and what
        is kept in the gray that harms least.
    """
    size = np.log2(np.clip(side, _SIDES[0], _SIDES[-1]) / _MIDDLE_SIDE)
    summaries = _summaries(dict(zip(JOINT_ABLATIONS, shares, strict=True)))
    both = [np.minimum(one, other) for one, other in combinations(summaries, 2)]
    one = np.ones(shares.shape[1])
    return np.column_stack([one, size * one, shares.T, size * shares.T, *both, summaries[0]])


def _summaries(kept: dict[Ablation, Floats]) -> list[Floats]:
    """Return what is kept without color, texture, low contrasts and shape, and on texture, shape and color alone."""
    grays = [kept[Ablation(f"grayscale{kind}", 1.0)] for kind in ("", "_minimum", "_maximum")]
    return [
        np.max(grays, axis=0),
        (kept[Ablation("opening_closing", 0.07)] + kept[Ablation("median_blur", 0.16)]) / 2,
        kept[Ablation("bilateral_blur", 0.0625)],
        (kept[Ablation("patch_shuffle", 4.0)] + kept[Ablation("patch_rotation", 2.0)]) / 2,
        (kept[Ablation("grayscale_patch_shuffle", 4.0)] + kept[Ablation("grayscale_patch_shuffle", 8.0)]) / 2,
        (kept[Ablation("grayscale_opening_closing", 0.07)] + kept[Ablation("grayscale_bilateral_blur", 0.0625)]) / 2,
        kept[Ablation("patch_shuffle_opening_closing", 3.0)],
    ]


def measured_fully(evidence: Evidence) -> bool:
    """Return whether all ablations of the model were measured."""
    return all(ablation in evidence.shares for ablation in JOINT_ABLATIONS)


def joint_posterior(evidence: Evidence) -> dict[CueVerdict, Floats]:
    """Return the probability of every verdict that the model knows.

    Where the size of the images is not known, the probability is the mean over the sizes the model was fitted to.

    Args:
        evidence: From evidence.gather; all of JOINT_ABLATIONS must be in it (measured_fully).

    Returns:
        Per verdict (a cue, mixed or redundant), (C,); they add up to 1 for every class.
    """
    model = joint_model()
    # An unknown share, of a class that may be recognized by guessing alone, counts as nothing kept, as in the fit.
    shares = np.stack([np.nan_to_num(evidence.shares[ablation].distinct) for ablation in JOINT_ABLATIONS])
    sides = _SIDES if evidence.side is None else (evidence.side,)
    likely = np.mean([_softmax(design(shares, side) @ model.weights) for side in sides], axis=0)
    return dict(zip(model.verdicts, likely.T, strict=True))


def verdict_probabilities(evidence: Evidence) -> Floats:
    """Return the probability of every verdict: of the joint model where all its ablations were measured.

    Else it is the posterior over Boolean hypotheses (hypotheses.posterior), which needs few ablations. That posterior
    also says whether a class is insensitive, which no class of the joint model's networks is; but where less than half
    of the class is kept under some ablation it is not, because one that removes everything from some images leaves the
    lightness or the coarse texture of others.

    Args:
        evidence: From evidence.gather.

    Returns:
        Shape (6, C), in the order of hypotheses.VERDICTS; columns add up to 1.
    """
    boolean = posterior(evidence)
    if not measured_fully(evidence):
        return boolean
    least = np.min([np.nan_to_num(evidence.shares[ablation].distinct) for ablation in JOINT_ABLATIONS], axis=0)
    insensitive = np.where(least >= _MOST, boolean[VERDICTS.index(CueVerdict.INSENSITIVE)], 0.0)
    joint = joint_posterior(evidence)
    if evidence.colorless:
        joint[CueVerdict.COLOR] = np.zeros_like(insensitive)
    total = np.sum(list(joint.values()), axis=0)
    return np.stack([joint[v] / total * (1 - insensitive) if v in joint else insensitive for v in VERDICTS])


def _softmax(scores: Floats) -> Floats:
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
