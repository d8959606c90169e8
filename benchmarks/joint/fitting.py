"""Fit the joint model: a multinomial regression of the verdict on what classes keep under all ablations."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.joint.kept import ALL, TWENTY, Draw, Network, evidence
from cuesense.analysis.joint_model import JointModel, design
from cuesense.perturbations.ablations import JOINT_ABLATIONS
from cuesense.types import CueVerdict

Floats = NDArray[np.float64]

# The columns of the weights. No network is known that relies on no cue at all, hence no "insensitive".
VERDICTS = (CueVerdict.SHAPE, CueVerdict.TEXTURE, CueVerdict.COLOR, CueVerdict.MIXED, CueVerdict.REDUNDANT)
# Ridge penalty on all weights but the intercepts. Of .3, 1, 2, 3 and 5, which hardly differ: the likelihood of families
# left out.
PENALTY = 1.0
# A class that is recognized less often says little of what it is recognized by; with fewer classes more of what is
# kept is guessing. Both chosen by hand.
RECOGNIZED, FEW = 0.6, 6
# From this side on pretrained networks answer: they weigh as much as all smaller ones together.
_LARGE = 200


@dataclass(frozen=True)
class Row:
    """One class of one network, and what it keeps.

    Attributes:
        network: The network.
        index: The class.
        truth: What was planted.
        learned: What the network relies on.
        recognized: Share of its clean images that are recognized.
        distinct: What it keeps (evidence.Share.distinct), in the order of JOINT_ABLATIONS; 0 where it is unknown.
    """

    network: Network
    index: int
    truth: CueVerdict
    learned: CueVerdict
    recognized: float
    distinct: Floats

    @property
    def few(self) -> bool:
        """Whether the network has few classes."""
        return len(self.network.class_names) < FEW


def rows(networks: Iterable[Network], draw: Draw) -> list[Row]:
    """Return all classes that are recognized and have a known cue."""
    found = []
    for network in networks:
        seen = evidence(network, draw)
        distinct = np.nan_to_num(np.stack([seen.shares[ablation].distinct for ablation in JOINT_ABLATIONS]))
        for index, (member, learned) in enumerate(zip(network.members, network.learned, strict=True)):
            recognized = float(seen.recognized[index])
            if recognized >= RECOGNIZED and member.truth in VERDICTS:
                found.append(Row(network, index, member.truth, learned, recognized, distinct[:, index]))
    return found


def for_training(networks: Sequence[Network]) -> list[Row]:
    """Return what the model is fitted on: classes among many, which the network has learned as they were planted.

    Each counts twice, with all its images and with twenty of them: shares of few images are noisy.
    """
    every = [*rows(networks, ALL), *rows(networks, TWENTY)]
    return [row for row in every if not row.few and row.truth is row.learned]


def matrix(chosen: Sequence[Row]) -> Floats:
    """Return the predictors of each class, (N, P)."""
    return np.concatenate([design(row.distinct[:, None], row.network.side) for row in chosen])


def weights_of(chosen: Sequence[Row]) -> Floats:
    """Return how much each class counts: the more classes there are of its kind, the less, by the square root."""
    kinds = [(row.truth, row.network.family, row.network.side > _LARGE) for row in chosen]
    counts = Counter(kinds)
    return np.array([counts[kind] ** -0.5 for kind in kinds])


def fitted(chosen: Sequence[Row]) -> JointModel:
    """Return the joint model that fits these classes."""
    truth = np.array([VERDICTS.index(row.truth) for row in chosen])
    return JointModel(VERDICTS, multinomial(matrix(chosen), truth, weights_of(chosen)))


def multinomial(predictors: Floats, truth: NDArray[np.int64], weights: Floats, penalty: float = PENALTY) -> Floats:
    """Fit a multinomial regression with a ridge penalty.

    Args:
        predictors: (N, P), the first column ones.
        truth: The verdict of each, (N,), in [0, 5).
        weights: How much each counts, (N,), > 0; their mean is made 1.
        penalty: On half the squares of all weights but the intercepts.

    Returns:
        The weights, (P, 5).
    """
    one_hot, shape = np.eye(len(VERDICTS))[truth], (predictors.shape[1], len(VERDICTS))
    weights = weights / weights.mean()
    penalties = np.full((shape[0], 1), penalty)
    penalties[0] = 0

    def loss(flat: Floats) -> tuple[float, Floats]:
        now = flat.reshape(shape)
        likely = probabilities(predictors, now)
        gradient = predictors.T @ (weights[:, None] * (likely - one_hot)) + penalties * now
        of_truth = likely[np.arange(len(truth)), truth]
        return float(-(weights * np.log(of_truth + 1e-12)).sum() + (penalties * now**2).sum() / 2), gradient.ravel()

    # The loss is convex: with narrow tolerances the weights do not depend on the steps.
    options = {"maxiter": 5000, "maxfun": 10_000, "ftol": 1e-13, "gtol": 1e-6}
    found = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options=options)
    return found.x.reshape(shape)


def probabilities(predictors: Floats, weights: Floats) -> Floats:
    """Return the probability of each verdict, (N, 5)."""
    scores = predictors @ weights
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)
