"""Two published remedies for classes that lose by an augmentation, which a verification trains beside the policies.

Class weights, after CLAM (Jiang, Ban, Weng 2025, TMLR, arXiv 2407.03146), count the images of harmed classes more in
the loss. Relaxing, after Kirichenko et al. (2023, arXiv 2401.01764), gives the classes that take others' images a
milder augmentation: an augmentation harms the losers through them. ``best_verified`` says whether trainings showed one
of them, or another policy that was trained, to be better than the recommended one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from cuesense.arrays import Floats
from cuesense.policies.policy import Policy, augmentation, uniform
from cuesense.schemas.profile import Profile, TrainedModel
from cuesense.schemas.verification import ArmResult

Design = Literal["harm", "deficit"]
# What trainings with one policy showed, in a profile or in a verification.
Trained = TrainedModel | ArmResult

# CLAM's public code keeps weights between these two after every epoch.
WEIGHT_BOUNDS = 0.5, 2.0
# Each epoch CLAM multiplies a weight by exp(-accuracy), so that its exponent grows over the epochs; here one step of
# this size stands for all. A class that loses 20 points gets a weight of 1.8 before the bounds. Chosen by hand.
_STEP = 3.0
# Weights are read and copied by people: three digits change no training.
_DIGITS = 3

# A class intrudes if it takes this share of a class's images more than without the augmentation, all classes together:
# the usual tolerance. Chosen by hand; not tuned.
INTRUDES = 0.05
# At most this share of the classes is relaxed, at least one: Kirichenko et al. change few classes, too. Chosen by hand;
# not tuned.
_MOST_RELAXED = 0.25
# What may be better than the recommended policy, where a verification trained it. Policies by class and their controls
# are not among them: who wants those asks for them.
RIVALS = ("none", "usual", "best_uniform", "weighted", "relaxed")
# A gain is told from luck from this number of seeds on: from seed to seed the lowest recall of a class changes by 5 to
# 8 points (docs/budgets.md). Chosen by hand; not tuned.
ENOUGH_SEEDS = 5
# Networks this much less accurate than the analyzed model are called weaker: trainings of one recipe and other seeds
# differ by a few points, and a compact network from scratch by some ten. Chosen by hand; not tuned.
WEAKER = 0.2
# How much mean accuracy a better worst class may cost. Chosen by hand; not tuned.
_MEAN_LOSS = 0.005

# How much of the distance from no change a relaxed class keeps.
KEPT = 0.5


def class_weights(before: Floats, after: Floats, design: Design = "harm") -> tuple[float, ...]:
    """Return weights in the loss that favor the classes which an augmentation leaves badly off.

    From CLAM are the form, an exponential of a class's accuracy, the bounds of 1/2 and 2, and the mean of 1. CLAM
    updates the weights after every epoch from the accuracy on the training images, whatever the augmentation. Our
    simplification derives them once from two finished trainings, so that any training script can use them as constants,
    and (design ``"harm"``) from what the augmentation costs rather than from how hard a class is.

    Of the two designs harm repaired more where both were trained: with the usual default on six classes of photographs
    the lowest recall of a class rose by 16.5 points and the mean by 0.3; with deficit by 10.5 points, and the mean fell
    by 2.3 (two seeds; ``benchmarks/rival_designs.py photos:a:250``). Deficit is for a policy without augmentation,
    which harms no class.

    Args:
        before: Recall of each class after training without augmentation, (C,), NaN where it is not known.
        after: Recall after training with the policy, (C,), likewise.
        design: ``"harm"``: weights grow with the recall that a class loses by the policy; ``"deficit"``: with how far
            its recall under the policy is below the mean of the classes.

    Returns:
        One weight a class, in [0.5, 2], with mean 1 but for rounding; empty where all are alike.
    """
    need = before - after if design == "harm" else np.nanmean(after) - after
    raw = np.exp(_STEP * np.nan_to_num(need, nan=0.0))
    weights = tuple(np.round(_bounded(raw), _DIGITS).tolist())
    return weights if len(set(weights)) > 1 else ()


def _bounded(raw: Floats) -> Floats:
    """Return positive numbers times a common factor, clipped to the bounds, so that their mean is 1."""
    low, high = WEIGHT_BOUNDS

    def clipped(exponent: float) -> Floats:
        found: Floats = np.clip(raw * np.exp(exponent), low, high)
        return found

    # At the ends all are at a bound, whose mean is below 1 and above it.
    ends = np.log(low / raw.max()), np.log(high / raw.min())
    return clipped(brentq(lambda exponent: float(clipped(exponent).mean()) - 1, *ends))


def intruders(taken: NDArray[np.float64]) -> list[int]:
    """Return the classes that take others' images under an augmentation, those that take most first.

    Args:
        taken: Share of each class's images (row) that is predicted as another class (column) with the augmentation,
            minus the share without it, (C, C), as ``stats.training_loss.leaks`` returns it.

    Returns:
        Indices of classes that gain false positives worth at least 5 % of a class's images; a quarter of the classes at
        most, or one.
    """
    gained = taken.sum(axis=0)
    most = max(1, int(_MOST_RELAXED * len(gained)))
    return [index for index in np.argsort(-gained, kind="stable")[:most].tolist() if gained[index] >= INTRUDES]


def relaxed(policy: Policy, taken: NDArray[np.float64], kept: float = KEPT) -> Policy:
    """Return a policy that is milder for the classes that intrude and the same for all others.

    From Kirichenko et al. is that the classes to relax are those that gain false positives, not those that lose, and
    that they are few. They change the lower bound of the crop's area for those classes; our simplification moves every
    augmentation of the policy, by the same share of its distance from no change.

    Args:
        policy: The policy.
        taken: Which class takes whose images under it, as in ``intruders``.
        kept: Share of the distance from no change that they keep, in [0, 1); 0 leaves them without augmentation.

    Returns:
        A policy by class; the policy itself where no class intrudes.
    """
    milder = intruders(taken)
    if not milder or not policy.names:
        return policy
    values = [
        _moved(policy.of_class(index), kept if index in milder else 1.0) for index in range(len(policy.class_names))
    ]
    different = [entry for index, entry in enumerate(values) if entry not in values[:index]]
    groups = tuple(different.index(entry) for entry in values)
    return replace(policy, scope="per_class", groups=groups, values=tuple(different))


def _moved(values: Mapping[str, float], kept: float) -> dict[str, float]:
    if kept == 1:
        return dict(values)
    identity = {name: augmentation(name).identity for name in values}
    moved = {name: identity[name] + kept * (value - identity[name]) for name, value in values.items()}
    return {name: round(value, 6) for name, value in moved.items() if kept > 0}


def is_better(rival: Trained, recommended: Trained, seeds: int) -> bool:
    """Return whether trainings showed a rival to be better than the recommended policy.

    It is where, over at least five seeds, the lowest recall of a class gains more than one standard error (paired over
    seeds), the class with the lowest mean recall is better off, too, and the mean accuracy loses at most half a point.
    With five seeds, one standard error is a one-sided level of about 81 % (Student's t): a rival that is no better
    passes in up to one comparison of five, and then costs little.

    Args:
        rival: What trainings with the rival showed.
        recommended: What trainings with the recommended policy showed.
        seeds: Trainings of each.
    """
    gain, error = rival.lowest_gain, rival.lowest_gain_error
    if seeds < ENOUGH_SEEDS or gain is None or error is None:
        return False
    return gain > error and rival.worst > recommended.worst and is_level(rival, recommended)


def is_level(rival: Trained, recommended: Trained) -> bool:
    """Return whether a rival's mean accuracy is at most half a point below the recommended policy's."""
    return rival.mean >= recommended.mean - _MEAN_LOSS


@dataclass(frozen=True)
class Verdict:
    """What trainings showed of the policy for all classes that was forecast to be best, and of its rivals.

    Attributes:
        best: Name of what is recommended after them: global, which is the forecast's policy, or the rival that was
            shown to be better (``is_better``) and has the best worst class.
        policy: That policy.
        trained: Number of different policies that were trained.
        seeds: Trainings of each.
        results: What these showed, by name.
        ahead: Name of the rival with the best worst class among those whose worst class was better but which were not
            shown to be better; None where there is none.
        barred: Name of a rival that was shown to be better than what is recommended, but that may not be recommended:
            it differs between classes, or has class weights; None where there is none.
    """

    best: str
    policy: Policy
    trained: int
    seeds: int
    results: Mapping[str, TrainedModel]
    ahead: str | None = None
    barred: str | None = None

    @property
    def replaces(self) -> bool:
        """Whether another policy is recommended than the one that was forecast to be best."""
        return self.best != "global"


def best_verified(profile: Profile, policy: Policy, *, by_class: bool = True, weights: bool = True) -> Verdict | None:
    """Return what trainings showed to be best: the recommended policy for all classes, or a rival that is better.

    Args:
        profile: A profile, which ``cuesense verify`` may have written its outcome into.
        policy: The policy for all classes that is recommended otherwise.
        by_class: Whether the rival may differ between classes.
        weights: Whether the rival may have class weights.

    Returns:
        The verdict; None where another policy was verified than this one.

    Raises:
        SettingsError: A policy in the profile is none, or has values that do not exist.
    """
    names = [entry.name for entry in profile.classes]
    known = profile.verified
    own = None if known is None else known.policies.get("global")
    if known is None or own is None or rebuilt(own, names).content != policy.content:
        return None
    results = known.policies
    policies = {name: rebuilt(trained, names) for name, trained in results.items()}
    rivals = [name for name in RIVALS if name in results]
    better = [name for name in rivals if is_better(results[name], own, known.seeds)]
    offered = [
        name
        for name, rival in policies.items()
        if name in better and (by_class or rival.scope == "global") and (weights or not rival.class_weights)
    ]

    def first(names: Sequence[str], above: str) -> str | None:
        """Return the name with the best worst class, where that is better than another policy's."""
        found = max(names, key=lambda name: results[name].worst, default=above)
        return found if results[found].worst > results[above].worst else None

    best = first(offered, "global") or "global"
    return Verdict(
        best,
        policies[best] if best in offered else policy,
        len({repr(entry.content) for entry in policies.values()}),
        known.seeds,
        results,
        ahead=first([name for name in rivals if name not in better], best),
        barred=first([name for name in better if name not in offered], best),
    )


def rebuilt(trained: TrainedModel, class_names: Sequence[str]) -> Policy:
    """Return the policy of trainings that a profile holds; raises SettingsError where it is none."""
    return uniform({}, class_names) if trained.policy is None else Policy.from_dict(trained.policy, class_names)
