"""From finished trainings of several policies to a Verification: what each policy did to every class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cuesense.arrays import Floats
from cuesense.policies.baselines import describe
from cuesense.policies.expected_losses import ExpectedLosses, expected_losses
from cuesense.policies.outlook import outlook, policy_losses, policy_range
from cuesense.policies.policy import Outlook, Policy, uniform
from cuesense.policies.profile_budgets import levels_of
from cuesense.predictions.label_order import check_labels
from cuesense.predictions.predictions import ClassMap
from cuesense.predictions.recognition import recognition
from cuesense.reports.text import percent
from cuesense.reports.verification_text import BETTER_NETWORKS, nothing_learned
from cuesense.schemas.base import Estimate
from cuesense.schemas.profile import Profile
from cuesense.schemas.verification import (
    AgreementResult,
    ArmResult,
    BaselineResult,
    ClassResult,
    Leak,
    Verification,
)
from cuesense.stats.over_seeds import (
    Estimates,
    agreement,
    leak,
    lowest_recall_gain,
    over_runs,
    precision,
    recall,
    recall_change,
)
from cuesense.stats.training_loss import leaks
from cuesense.training.setup import Experiment
from cuesense.training.trials import Trial

PLAIN = "none"

# Every set of values is one more pass over the test images for each trained network. Chosen by hand; not tuned.
_MOST_PROBES = 8
_OTHER_RECIPE = "The forecast was made from another start or recipe than these trainings: it is about other networks."
_SAME_IMAGES = "The forecast was made on these test images: its agreement with the outcome is overstated."
_NO_FORECAST = (
    "The profile holds no forecast from trainings: the policies and the losses that the outcome is compared with were "
    "expected without training. For a forecast, run `cuesense recommend PROFILE --train DATASET` first."
)
# Student's interval needs two values at least, and with two it is 12.7 standard errors wide to each side at 95 %.
_ENOUGH_SEEDS = 3
_FEW_SEEDS = "With fewer than three seeds intervals are missing or too narrow: give --seeds 3 or more."


@dataclass(frozen=True)
class Study:
    """The policies that are compared, and what all comparisons need.

    Attributes:
        profile: The profile of the C classes.
        experiment: The trainings and their N test images.
        policies: What is compared, by name, in the order of the results.
        seeds: The R seeds that each policy was trained with.
        tolerance: Accuracy drop that a class may suffer, a fraction in (0, 1).
    """

    profile: Profile
    experiment: Experiment
    policies: Mapping[str, Policy]
    seeds: tuple[int, ...]
    tolerance: float

    @property
    def names(self) -> list[str]:
        """Names of the C classes."""
        return [entry.name for entry in self.profile.classes]

    @cached_property
    def losses(self) -> ExpectedLosses:
        """What training with each augmentation was expected to cost."""
        return expected_losses(self.profile)

    @property
    def confidence(self) -> float:
        """Level of all intervals, the profile's own."""
        return self.profile.policy.confidence

    @property
    def labels(self) -> np.ndarray:
        """Label of each test image, (N,)."""
        return self.experiment.test.labels.numpy()

    def probes(self, name: str) -> tuple[Policy, ...]:
        """Return the sets of values that a policy gives to classes, most common first, each applied to every view."""
        policy = self.policies["per_class" if name == "matched" else name]
        if policy.scope == "global" or name == "relaxed":
            # The control of the leakage test fits policies by class alone.
            return ()
        kinds = [tuple(sorted(policy.of_class(index).items())) for index in range(len(self.names))]
        common = sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind))[:_MOST_PROBES]
        return tuple(uniform(dict(kind), self.names, 1.0) for kind in common if kind) if len(common) > 1 else ()

    def trials(self, name: str) -> list[Trial]:
        """Return the trainings with a policy, one for each seed."""
        return [Trial(self.policies[name], seed, self.probes(name)) for seed in self.seeds]

    @property
    def all_trials(self) -> list[Trial]:
        """The trainings with all policies."""
        return [trial for name in self.policies for trial in self.trials(name)]

    def predicted(self, name: str) -> np.ndarray:
        """Return the predictions of the networks trained with a policy, (R, N)."""
        return np.stack([self.experiment.predictions(trial).predicted for trial in self.trials(name)])

    def probed(self, name: str) -> np.ndarray:
        """Return their predictions for the images under each probe, (P, R, N)."""
        return np.stack([self.experiment.predictions(trial).probed for trial in self.trials(name)], axis=1)


def verification(study: Study) -> Verification:
    """Return what finished trainings show.

    Args:
        study: The trainings; all are done.

    Returns:
        Accuracies and changes against no augmentation by class, leaks, and how well the forecast agrees.

    Raises:
        DatasetError: The networks recognize the test images under other names than they were trained with.
    """
    results: list[ArmResult] = []
    for name in study.policies:
        results.append(_arm(study, name, results))
    pairs = [
        (entry.forecast_loss, entry.recall_change.value)
        for arm in results
        if arm.name != PLAIN and arm.same_as is None
        for entry in arm.classes
    ]
    known = [(lost, -change) for lost, change in pairs if lost is not None and change is not None]
    forecast, real = np.array(known).reshape(-1, 2).T
    known_classes = ClassMap(study.names, study.names, range(len(study.names)))
    plain = study.predicted(PLAIN)
    order = check_labels(study.labels, plain[0], known_classes, "the training without augmentation", guesses=False)
    baseline = recognition(plain, study.labels, len(study.names))
    result = Verification(
        tolerance=study.tolerance,
        confidence=study.confidence,
        seeds=list(study.seeds),
        recipe=study.experiment.recipe_values,
        train=study.experiment.source.model_dump(),
        images=len(study.labels),
        arms=results,
        baseline=BaselineResult(
            accuracy=round(baseline.accuracy, 6),
            by_chance=round(baseline.by_chance, 6),
            better_than_guessing=not baseline.is_guessing,
            model_accuracy=study.profile.summary.clean_accuracy,
        ),
        agreement=AgreementResult(**asdict(agreement(forecast, real, study.tolerance))),
        warnings=[*order, *known_before(study.profile, study.experiment, len(study.seeds))],
    )
    # The reason not to read further comes first.
    first = [sentence for sentence in (nothing_learned(result),) if sentence]
    return result.model_copy(update={"warnings": [*first, *result.warnings]})


def known_before(profile: Profile, experiment: Experiment, seeds: int) -> list[str]:
    """Return what a reader must know before trusting the results, as far as it is known before the trainings.

    Args:
        profile: The profile.
        experiment: The trainings; none need be done.
        seeds: Trainings of each policy.

    Returns:
        Sentences.
    """
    forecast = profile.forecast
    holding = {
        _NO_FORECAST: forecast is None or forecast.method == "head",
        _OTHER_RECIPE: forecast is not None and bool(forecast.recipe) and forecast.recipe != experiment.recipe_values,
        _SAME_IMAGES: forecast is not None and experiment.tested == profile.provenance.dataset.fingerprint,
        _FEW_SEEDS: seeds < _ENOUGH_SEEDS,
    }
    return [*experiment.remarks, *(sentence for sentence, holds in holding.items() if holds)]


def first_look(experiment: Experiment, first: Trial, classes: int) -> list[str]:
    """Return, after the first training, that the others may be in vain, where its network is no better than guessing.

    Args:
        experiment: The trainings; the first is done.
        first: The first training, without augmentation.
        classes: Number of classes.
    """
    predicted = experiment.predictions(first).predicted[None]
    seen = recognition(predicted, experiment.test.labels.numpy(), classes)
    if not seen.is_guessing:
        return []
    return [
        f"The first network, trained without augmentation, recognizes {percent(seen.accuracy)} of the test images, "
        f"which is not clearly more than guessing gets ({percent(seen.by_chance)}). If the others do no better, "
        f"nothing will be said about any policy: to stop, press Ctrl-C, and {BETTER_NETWORKS}."
    ]


def _arm(study: Study, name: str, earlier: Sequence[ArmResult]) -> ArmResult:
    policy, labels, count = study.policies[name], study.labels, len(study.names)
    plain, own = study.predicted(PLAIN), study.predicted(name)
    before, after = recall(plain, labels, count), recall(own, labels, count)
    change = recall_change(plain, own, labels, count, study.confidence)
    # A forecast is about augmentations: what class weights do is not forecast.
    foreseen = None
    if not policy.class_weights and policy_losses(study.losses, policy) is not None:
        foreseen = _outlook(study, policy)
    gain, gain_error = lowest_recall_gain(study.predicted("global"), own, labels, count)
    same = [arm.name for arm in earlier if Trial(study.policies[arm.name], 0).key == Trial(policy, 0).key]
    recalls = over_runs(after, study.confidence).value
    return ArmResult(
        name=name,
        doses=describe(policy),
        policy=policy.to_dict() if policy.content is not None else None,
        same_as=same[0] if same else None,
        mean=float(np.nanmean(after)),
        mean_change=_first(over_runs(np.nanmean(after - before, axis=1)[:, None], study.confidence)),
        worst=float(np.nanmin(recalls)),
        worst_change=round(float(np.nanmin(recalls) - np.nanmin(over_runs(before, study.confidence).value)), 6),
        worst_class=study.names[int(np.nanargmin(recalls))],
        lowest_gain=round(gain, 6),
        lowest_gain_error=None if gain_error is None else round(gain_error, 6),
        forecast_mean=None if foreseen is None else foreseen.mean,
        forecast_worst=None if foreseen is None else foreseen.worst,
        harmed=int((change.value < 0).sum()),
        over_tolerance=_which(study.names, change.value < -study.tolerance),
        surely_over=_which(study.names, change.high < -study.tolerance),
        classes=_class_results(study, name),
        leaks=_leaks(study, name),
    )


def _class_results(study: Study, name: str) -> list[ClassResult]:
    labels, count, level = study.labels, len(study.names), study.confidence
    plain, own = study.predicted(PLAIN), study.predicted(name)
    recalls, change = (
        over_runs(recall(own, labels, count), level).value,
        recall_change(plain, own, labels, count, level),
    )
    kept = precision(own, labels, count)
    kept_change = over_runs(kept - precision(plain, labels, count), level)
    loss, low, high = _foreseen(study, study.policies[name])
    images, precisions = np.bincount(labels, minlength=count), over_runs(kept, level)
    taken = leaks(plain, own, labels, count)
    return [
        ClassResult(
            name=entry,
            images=int(images[index]),
            recall=_number(recalls[index]),
            recall_change=_within_shares(_at(change, index)),
            precision=_number(precisions.value[index]),
            precision_change=_at(kept_change, index),
            forecast_loss=_number(loss[index]),
            forecast_low=_number(low[index]),
            forecast_high=_number(high[index]),
            **_taker(study.names, taken[index]),
        )
        for index, entry in enumerate(study.names)
    ]


def _foreseen(study: Study, policy: Policy) -> tuple[Floats, Floats, Floats]:
    """Return the forecast loss of each class and the ends of its range, (C,) each; NaN where there is none."""
    loss = None if policy.class_weights else policy_losses(study.losses, policy)
    ends = None if loss is None else policy_range(study.losses, policy)
    if loss is None or ends is None:
        nothing = np.full(len(study.names), np.nan)
        return nothing, nothing, nothing
    return loss, *ends


def _taker(names: Sequence[str], taken: Floats) -> dict[str, Any]:
    """Return the class that takes most of a class's images, and its share; nothing where none takes more."""
    most = int(np.argmax(taken))
    return {"taken_by": names[most], "taken": _number(taken[most])} if taken[most] > 0 else {}


def _outlook(study: Study, policy: Policy) -> Outlook:
    levels = levels_of(study.profile, tolerance=study.tolerance)
    return outlook(study.losses, study.names, policy, tolerance=levels.tolerance, risk=levels.risk)


def _leaks(study: Study, name: str) -> list[Leak]:
    """Return, for a policy by class, how many images of other classes a class takes when they get its augmentation.

    A network takes some under any augmentation: the uniform policy of the same mean strength is the control.
    """
    probes, policy = study.probes(name), study.policies[name]
    control = study.probes("matched")
    if name == "matched" or not probes:
        return []
    own, rival = ((study.predicted(arm), study.probed(arm)) for arm in (name, "matched"))
    found = []
    for index, entry in enumerate(study.names):
        mine = uniform(dict(sorted(policy.of_class(index).items())), study.names, 1.0)
        if mine not in probes or mine not in control:
            continue
        share = leak(own[0], own[1][probes.index(mine)], study.labels, index)
        expected_share = leak(rival[0], rival[1][control.index(mine)], study.labels, index)
        excess = _first(over_runs((share - expected_share)[:, None], study.confidence))
        found.append(Leak(name=entry, share=float(share.mean()), control=float(expected_share.mean()), excess=excess))
    return found


def _which(names: Sequence[str], chosen: np.ndarray) -> list[str]:
    return [name for name, is_one in zip(names, chosen.tolist(), strict=True) if is_one]


def _first(estimate: Estimates) -> Estimate:
    return _at(estimate, 0)


def _at(estimate: Estimates, index: int) -> Estimate:
    value, low, high = (_number(part[index]) for part in (estimate.value, estimate.low, estimate.high))
    return Estimate(value=value, low=low, high=high)


def _within_shares(change: Estimate) -> Estimate:
    """Return a change of a share without the part of its interval that no share can change by."""
    ends = {"low": change.low and max(change.low, -1.0), "high": change.high and min(change.high, 1.0)}
    return change.model_copy(update=ends)


def _number(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None
