"""Train with and without the recommended policies, and report what really happened to every class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cuesense.atomic_files import refuse_folder, write_file
from cuesense.errors import SettingsError, expected
from cuesense.policies.baselines import candidates, describe, joined, matched, permuted
from cuesense.policies.outlook import outlook, policy_losses
from cuesense.policies.policy import DEFAULT_AUGMENTATIONS, PROBABILITY, SCOPES, Policy, PolicyOptions, uniform
from cuesense.policies.profile_budgets import measured_augmentations
from cuesense.policies.recommend import propose
from cuesense.reports.charts.forecast_outcome import scatter
from cuesense.schemas.profile import Profile, TrainedModel, VerifiedModel
from cuesense.schemas.verification import AgreementResult, ArmResult, ClassResult, Estimate, Leak, Verification
from cuesense.stats.over_seeds import Estimates, agreement, leak, over_runs, precision, recall, recall_change
from cuesense.training.fit import Progress
from cuesense.training.setup import Experiment, Setup, prepare_training
from cuesense.training.trials import Trial
from cuesense.validation import check_fraction

TRIALS = "trials"
_FILES = ("verify.csv", "forecast.svg", "verify.json")
PLAIN = "none"

_SEED = 2000
_MOST_PROBES = 8
_OTHER_RECIPE = (
    "The forecast was made with another start or recipe than these trainings: its accuracies are of other networks."
)
_SAME_IMAGES = "The forecast was made on these test images: how it compares with the outcome is too favorable."
_NO_FORECAST = "The profile holds no forecast to compare with: run `cuesense recommend PROFILE --train DATASET` first."
_ENOUGH_SEEDS = 3
_FEW_SEEDS = "With fewer than three seeds intervals are missing or too narrow: give --seeds 3 or more."


@dataclass(frozen=True)
class _Study:
    """The policies that are compared, and what all comparisons need."""

    profile: Profile
    experiment: Experiment
    arms: Mapping[str, Policy]
    seeds: tuple[int, ...]
    tolerance: float

    @property
    def names(self) -> list[str]:
        return [entry.name for entry in self.profile.classes]

    @property
    def confidence(self) -> float:
        return self.profile.policy.confidence

    @property
    def labels(self) -> np.ndarray:
        return self.experiment.test.labels.numpy()

    def probes(self, name: str) -> tuple[Policy, ...]:
        """Return the doses of an arm by class, most common first, as policies that befall every view."""
        policy = self.arms["per_class" if name == "matched" else name]
        if policy.scope == "global":
            return ()
        kinds = [tuple(sorted(policy.of_class(index).items())) for index in range(len(self.names))]
        common = sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind))[:_MOST_PROBES]
        return tuple(uniform(dict(kind), self.names, 1.0) for kind in common if kind) if len(common) > 1 else ()

    def trials(self, name: str) -> list[Trial]:
        return [Trial(self.arms[name], seed, self.probes(name)) for seed in self.seeds]

    def predicted(self, name: str) -> np.ndarray:
        return np.stack([self.experiment.answers(trial).predicted for trial in self.trials(name)])

    def probed(self, name: str) -> np.ndarray:
        """Return the answers under each probe, (P, R, N)."""
        return np.stack([self.experiment.answers(trial).probed for trial in self.trials(name)], axis=1)


def verify(
    profile: Profile,
    setup: Setup,
    *,
    output: str | Path | None = None,
    seeds: int = 5,
    tolerance: float | None = None,
    confidence: float | None = None,
    augmentations: Sequence[str] | None = None,
    probability: float = PROBABILITY,
    restart: bool = False,
    progress: Progress = lambda *_: None,
) -> Verification:
    """Train without augmentation, with the recommended policies and with their rivals, and compare class by class.

    Compared are: none; the usual default (crop to 0.08, jitter 0.4); the uniform policy with the best average, found
    with one training for each dose of each augmentation, with a seed of its own, on the test images, which favors it;
    the global, grouped and per-class policies; the per-class policy with the doses of other classes; and a uniform
    policy of the per-class one's mean strength. Policies that do the same are trained once.

    Args:
        profile: The profile; its forecast, where it has one, decides the policies and is judged.
        setup: What to train on, from where, for how long, and what to test on.
        output: Folder for verify.json, verify.csv, forecast.svg and the trainings' answers, from which the same call
            goes on; None writes nothing.
        seeds: Trainings of each policy, at least 1.
        tolerance: Accuracy drop that a class may suffer, a fraction in (0, 1); None takes the profile's own.
        confidence: How sure it must be that a dose is safe, in (0.5, 1); None takes the profile's own. Intervals are at
            the profile's own.
        augmentations: Names to choose from; None takes all of the profile.
        probability: Chance that a view is augmented, in (0, 1].
        restart: Throw away trainings that are there.
        progress: Called with (steps done, steps in all), first for the search for the best uniform policy.

    Returns:
        What the trainings showed.

    Raises:
        CuesenseError: Something given is wrong; the sentence says what to do.
    """
    if not isinstance(seeds, int) or seeds < 1:
        raise SettingsError(expected("--seeds", "a whole number from 1", seeds, "Change it"))
    folder = None if output is None else Path(output)
    for name in _FILES:
        refuse_folder((folder or Path()) / name)
    tolerance = profile.policy.tolerance if tolerance is None else tolerance
    check_fraction(tolerance, "--tolerance")
    ours: dict[str, Policy] = {}
    for scope in SCOPES:
        ours[scope] = propose(profile, PolicyOptions(scope, tolerance, confidence, augmentations, probability))
    experiment = prepare_training(profile, setup, None if folder is None else folder / TRIALS, restart=restart)
    names = [entry.name for entry in profile.classes]
    chosen = profile.forecast.augmentations if profile.forecast is not None else None
    wanted = [name for name in measured_augmentations(profile, augmentations) if chosen is None or name in chosen]
    ladders = {name: measured_augmentations(profile)[name].perturbation.ladder for name in wanted}
    arms = {
        PLAIN: uniform({}, names, probability),
        "usual": uniform(DEFAULT_AUGMENTATIONS, names, probability),
        "best_uniform": _best_uniform(experiment, candidates(ladders, names, probability), progress),
        **ours,
        "permuted": permuted(ours["per_class"]),
        "matched": matched(ours["per_class"], ladders),
    }
    study = _Study(profile, experiment, arms, tuple(range(_SEED, _SEED + seeds)), tolerance)
    experiment.run([trial for name in arms for trial in study.trials(name)], progress)
    found = _verification(study)
    if folder is not None:
        contents = found.to_frame().to_csv(index=False, lineterminator="\n"), scatter(found), found.to_json()
        for name, content in zip(_FILES, contents, strict=True):
            write_file(folder / name, content)
    return found


def remember(path: Path, found: Verification) -> None:
    """Keep in a profile's file what training with each policy showed, for ``recommend``.

    Args:
        path: The profile.json, or its folder.
        found: The verification.

    Raises:
        OutputError: The file cannot be written.
    """
    policies = {
        arm.name: TrainedModel(
            policy=arm.policy, mean=arm.mean, worst=arm.worst, over_tolerance=len(arm.over_tolerance)
        )
        for arm in found.arms
    }
    block = VerifiedModel(tolerance=found.tolerance, seeds=len(found.seeds), policies=policies)
    write_file(Profile.file(path), Profile.read(path).model_copy(update={"verified": block}).to_json())


def _best_uniform(experiment: Experiment, tried: list[Policy], progress: Progress) -> Policy:
    """Return the candidate with the best mean, or the one that joins all that raised it, where that is better."""
    labels = experiment.test.labels.numpy()

    def mean(policy: Policy) -> float:
        trial = Trial(policy, _SEED - 1)
        experiment.run([trial], lambda *_: None)
        answers = experiment.answers(trial).predicted[None]
        return float(np.nanmean(recall(answers, labels, len(policy.class_names))))

    experiment.run([Trial(policy, _SEED - 1) for policy in tried], progress)
    means = [mean(policy) for policy in tried]
    both = joined(tried, means)
    every = [*tried, both]
    return every[int(np.argmax([*means, mean(both)]))]


def _verification(study: _Study) -> Verification:
    results: list[ArmResult] = []
    for name in study.arms:
        results.append(_arm(study, name, results))
    pairs = [
        (entry.forecast_loss, entry.recall_change.value)
        for arm in results
        if arm.name != PLAIN and arm.same_as is None
        for entry in arm.classes
    ]
    known = [(lost, -change) for lost, change in pairs if lost is not None and change is not None]
    forecast, real = np.array(known).reshape(-1, 2).T
    warnings = _warnings(study)
    return Verification(
        tolerance=study.tolerance,
        confidence=study.confidence,
        seeds=list(study.seeds),
        recipe=study.experiment.described,
        train=study.experiment.source.model_dump(),
        images=len(study.labels),
        arms=results,
        agreement=AgreementResult(**asdict(agreement(forecast, real, study.tolerance))),
        warnings=warnings,
    )


def _warnings(study: _Study) -> list[str]:
    """Return what keeps the results from being what they seem."""
    forecast = study.profile.forecast
    other = forecast is not None and bool(forecast.recipe) and forecast.recipe != study.experiment.described
    same = forecast is not None and study.experiment.tested == study.profile.provenance.dataset.fingerprint
    said = {
        _NO_FORECAST: forecast is None,
        _OTHER_RECIPE: other,
        _SAME_IMAGES: same,
        _FEW_SEEDS: len(study.seeds) < _ENOUGH_SEEDS,
    }
    return [sentence for sentence, holds in said.items() if holds]


def _arm(study: _Study, name: str, earlier: Sequence[ArmResult]) -> ArmResult:
    policy, labels, count = study.arms[name], study.labels, len(study.names)
    plain, own = study.predicted(PLAIN), study.predicted(name)
    before, after = recall(plain, labels, count), recall(own, labels, count)
    change = recall_change(plain, own, labels, count, study.confidence)
    kept = precision(own, labels, count)
    kept_change = over_runs(kept - precision(plain, labels, count), study.confidence)
    losses = policy_losses(study.profile, policy)
    expected_losses = np.full(count, np.nan) if losses is None else losses.sum(axis=0)
    images = np.bincount(labels, minlength=count)
    foreseen = outlook(study.profile, policy)
    same = [arm.name for arm in earlier if Trial(study.arms[arm.name], 0).key == Trial(policy, 0).key]
    recalls, precisions = over_runs(after, study.confidence).value, over_runs(kept, study.confidence).value
    return ArmResult(
        name=name,
        doses=describe(policy),
        policy=policy.to_dict() if policy.names else None,
        same_as=same[0] if same else None,
        mean=float(np.nanmean(after)),
        mean_change=_first(over_runs(np.nanmean(after - before, axis=1)[:, None], study.confidence)),
        worst=float(np.nanmin(recalls)),
        worst_change=round(float(np.nanmin(recalls) - np.nanmin(over_runs(before, study.confidence).value)), 6),
        worst_class=study.names[int(np.nanargmin(recalls))],
        forecast_mean=None if foreseen is None else foreseen.mean,
        forecast_worst=None if foreseen is None else foreseen.worst,
        harmed=int((change.value < 0).sum()),
        over_tolerance=_which(study.names, change.value < -study.tolerance),
        surely_over=_which(study.names, change.high < -study.tolerance),
        classes=[
            ClassResult(
                name=entry,
                images=int(images[index]),
                recall=_number(recalls[index]),
                recall_change=_at(change, index),
                precision=_number(precisions[index]),
                precision_change=_at(kept_change, index),
                forecast_loss=_number(expected_losses[index]),
            )
            for index, entry in enumerate(study.names)
        ],
        leaks=_leaks(study, name),
    )


def _leaks(study: _Study, name: str) -> list[Leak]:
    """Return the leak test of an arm by class, against the matched uniform policy under the same doses."""
    probes, policy = study.probes(name), study.arms[name]
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


def _number(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None
