"""Train networks with and without the recommended policies, and compare how each class is recognized by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cuesense.atomic_files import refuse_folder, write_file
from cuesense.datasets.load import DatasetOptions
from cuesense.errors import SettingsError, expected
from cuesense.inference.ray_cluster import device_here, ray_engine
from cuesense.models.trust import Trust
from cuesense.policies.baselines import candidates, joined, matched, permuted
from cuesense.policies.policy import DEFAULT_AUGMENTATIONS, PROBABILITY, SCOPES, Policy, PolicyOptions, uniform
from cuesense.policies.profile_budgets import measured_augmentations, profile_of
from cuesense.policies.recommend import propose
from cuesense.policies.rivals import class_weights, relaxed
from cuesense.reports.charts.forecast_outcome import scatter
from cuesense.reports.html.verification import render
from cuesense.reports.verification_text import learned, nothing_learned
from cuesense.schemas.base import Estimate
from cuesense.schemas.profile import Profile, TrainedModel, VerifiedModel
from cuesense.schemas.verification import Verification
from cuesense.stats.over_seeds import recall
from cuesense.stats.training_loss import leaks
from cuesense.stores.lock import locked
from cuesense.tables.write_csv import csv_text
from cuesense.training.ray_trials import trained_on_ray
from cuesense.training.setup import Experiment, TrainingOptions, prepare_training
from cuesense.training.trials import Trial
from cuesense.types import Notify, Progress, ProgressOption
from cuesense.validation import check_fraction, path_of
from cuesense.workflows.caller import warn_of, watched
from cuesense.workflows.verify_results import PLAIN, Study, first_look, known_before, verification

TRIALS = "trials"
_FILES = ("verify.csv", "forecast.svg", "verify.html", "verify.json")
# Another verification writes into a profile within a second; one that is being analyzed or forecast may take hours.
# Chosen by hand; not tuned.
_PATIENCE = 10.0
_LATER = "Run the same command again when it has ended: the trainings are kept where --output names a folder"

# Apart from the forecast's seeds (1000, ...), so that a policy is never verified with the trainings that chose it.
_FIRST_SEED = 2000
# The search for the best uniform policy has a seed of its own for the same reason.
_SEARCH_SEED = _FIRST_SEED - 1
# Without augmentation: what the search is measured against, and the first to show whether these networks learn at all.
_FIRST = Trial(None, _SEARCH_SEED)
# What rivals repair: the first of these that holds an augmentation.
_REPAIRED = ("global", "best_uniform")


def verify(
    profile: Profile | Path | str,
    train: Any,
    test: Any,
    *,
    output: str | Path | None = None,
    seeds: int = 5,
    start: str | None = None,
    arch: str | None = None,
    weights_key: str | None = None,
    image_size: int | None = None,
    epochs: float | None = None,
    images_per_class: int | None = None,
    tolerance: float | None = None,
    risk: float | None = None,
    augmentations: Sequence[str] | None = None,
    probability: float = PROBABILITY,
    data_root: str | Path | None = None,
    split: str | None = None,
    download: bool = False,
    device: str = "auto",
    workers: int = 2,
    weights_only: bool = False,
    allow_nondeterministic: bool = False,
    engine: str = "local",
    ray_address: str | None = None,
    ray_workers: int | None = None,
    gpus_per_worker: float | None = None,
    restart: bool = False,
    progress: ProgressOption = None,
    notify: Notify | None = None,
) -> Verification:
    """Train without augmentation, with the recommended policies, baselines and rivals; compare them class by class.

    Compared are: no augmentation; the usual default (crop to 0.08, flips, jitter 0.4); the uniform policy with the best
    mean accuracy, found with one training for each value of each augmentation, with a seed of its own, on the test
    images, which favors it; the global, grouped and per-class policies; the per-class policy with its values given to
    other classes; a uniform policy of the per-class policy's mean strength; and two published remedies for classes that
    lose by the global policy (the best uniform one where the global policy is empty): weighted, class weights in the
    loss, and relaxed, milder values for the classes that take others' images (``cuesense.policies.rivals``). Both
    follow from one training with that policy and one without, with the seed of the search, on the test images, which
    favors them. Where there is no augmentation to repair, weighted favors the classes with the lowest recall.

    Trainings: one for each value of each augmentation, and up to three more, for the search; then one for each seed and
    policy, up to ten policies. Equal policies are trained once.

    Args:
        profile: The profile, its file or its folder. A file also keeps the outcome, for ``recommend``. The profile's
            forecast, where it has one, decides the policies and is compared with the outcome.
        train: Images to train on: a dataset spec, or any torch dataset of (image, label), of the profile's classes.
        test: Images to test on, likewise; at most a tenth of them may be among the training images.
        output: Folder for verify.html, verify.json, verify.csv, forecast.svg and the trainings' predictions, from which
            the same call goes on; None writes nothing.
        seeds: Trainings of each policy, at least 1; intervals need 3 or more.
        start: Spec or file of the checkpoint that is fine-tuned; None trains a compact network from scratch.
        arch: Architecture of a start that holds weights only.
        weights_key: Where in the start the weights lie, as a dotted path; None takes the first that fit.
        image_size: Side of the images in pixels; None takes the profile's, rounded down to a multiple of 32 for the
            compact network.
        epochs: Passes over the training images, above 0 to 1000; None takes 16 from scratch and 3 for a checkpoint.
        images_per_class: Train on this many images of each class; None takes all.
        tolerance: Accuracy drop that a class may suffer, a fraction in (0, 1); None takes the profile's own.
        risk: The largest chance, for each class, of losing more than that, in (0, 0.5]; None takes the profile's own.
        augmentations: Names to choose from; None takes all of the profile.
        probability: Chance that a view is augmented, in (0, 1].
        data_root: Where ``imagenet`` lies; default: the environment variable CUESENSE_DATA.
        split: The part of the test images' dataset; None takes ``val``, else ``test``, where it has parts. Of the
            training images' dataset the part is ``train``.
        download: Fetch a named dataset that is not on disk.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or any device torch knows.
        workers: Threads that decode images.
        weights_only: Read tensors alone, and refuse every program: TorchScript, ``.pt2``, ``python:``, whole modules.
            The environment variable CUESENSE_WEIGHTS_ONLY=1 says the same for all calls.
        allow_nondeterministic: Also fine-tune a start that is no function of one image, and say so.
        engine: ``"local"`` trains in this process, ``"ray"`` in the workers of a Ray cluster, or of one that is
            started on this machine for the time of the run (``docs/scale.md``).
        ray_address: Where the cluster is, as for ``ray.init``; None takes RAY_ADDRESS, else starts one here.
        ray_workers: How many workers there are; None takes as many as there are GPUs, or cores.
        gpus_per_worker: GPUs of each worker, 0.5 for two workers on a GPU; None takes one where there are any.
        restart: Throw away trainings that are there.
        progress: Called with (steps done, steps in all) of all trainings; before the search for the best uniform policy
            is done, the number in all is the largest that there may be. None shows a bar in a terminal and a notebook,
            False none.
        notify: Called with sentences that may be a reason to stop: what is known before the first training, and after
            it that its network is no better than guessing. None gives Python warnings.

    Returns:
        What the trainings showed, also written to the output folder. Where the networks without augmentation are no
        better than guessing, the first of its warnings says so, in Python a warning does as well, and a profile's file
        stays as it was.

    Raises:
        CuesenseError: Something given is wrong; the sentence says what to do.
    """
    if not isinstance(seeds, int) or seeds < 1:
        raise SettingsError(expected("--seeds", "a whole number from 1", seeds, "Change it"))
    cluster = ray_engine(engine, ray_address, ray_workers, gpus_per_worker, device)
    options = TrainingOptions(
        train=train,
        test=test,
        start=start,
        arch=arch,
        weights_key=weights_key,
        image_size=image_size,
        epochs=epochs,
        images_per_class=images_per_class,
        device=device_here(cluster, device),
        workers=workers,
        images=DatasetOptions(data_root, split, download),
        trust=Trust(weights_only=weights_only),
        allow_nondeterministic=allow_nondeterministic,
    )
    known = profile_of(profile)
    tolerance = known.policy.tolerance if tolerance is None else tolerance
    check_fraction(tolerance, "--tolerance")
    wanted = PolicyOptions(
        tolerance=tolerance, risk=risk, augmentations=augmentations, probability=probability, weights=False
    )
    folder = None if output is None else path_of(output, "--output")
    for name in _FILES:
        refuse_folder((folder or Path()) / name)
    # Wrong settings of the policies are an error before any image is decoded.
    recommended = _recommended(known, wanted)
    trials = None if folder is None else folder / TRIALS
    with locked(folder):
        experiment = prepare_training(known, options, trials, restart=restart, made_of_it=_FILES[::-1])
        _say(known_before(known, experiment, seeds), notify)
        with trained_on_ray(experiment, cluster) as trained, watched(progress, "training", "steps") as advance:
            trainings = _Trainings(trained, advance)
            study = Study(known, experiment, {}, tuple(range(_FIRST_SEED, _FIRST_SEED + seeds)), tolerance)
            study = replace(study, policies=_policies(study, trainings, wanted, recommended, notify=notify))
            trainings.run(study.all_trials, last=True)
        found = verification(study)
        warn_of([nothing_learned(found)])
        if folder is not None:
            contents = csv_text(found.to_frame()), scatter(found), render(found), found.to_json()
            for name, content in zip(_FILES, contents, strict=True):
                write_file(folder / name, content)
        if not isinstance(profile, Profile) and learned(found):
            _keep_outcome(profile, found, folder)
        return found


def _say(sentences: Sequence[str], notify: Notify | None) -> None:
    """Call back with sentences, or give them as one Python warning."""
    if notify is None:
        warn_of(sentences)
        return
    for sentence in sentences:
        notify(sentence)


def _recommended(profile: Profile, options: PolicyOptions) -> dict[str, Policy]:
    """Return the recommended policy of each scope."""
    return {scope: propose(profile, replace(options, scope=scope)) for scope in SCOPES}


class _Trainings:
    """The trainings of a verification, which say how far all of them are.

    Attributes:
        experiment: What is trained on what.
        expected: How many different trainings there will be at most.
    """

    def __init__(self, experiment: Experiment, progress: Progress) -> None:
        self.experiment, self.progress = experiment, progress
        self.expected = 0
        self.begun: set[str] = set()

    def run(self, trials: Sequence[Trial], *, last: bool = False) -> None:
        """Do the trainings that were not done yet; after the last ones no others are expected."""
        new = [trial for trial in trials if trial.key not in self.begun]
        before, keys = len(self.begun), {trial.key for trial in new}
        self.begun |= keys
        self.expected = len(self.begun) if last else max(self.expected, len(self.begun))

        def advance(done: int, total: int) -> None:
            steps = total // max(len(keys), 1)
            self.progress(before * steps + done, self.expected * steps)

        if new:
            self.experiment.run(new, advance)

    def predicted(self, policy: Policy) -> np.ndarray:
        """Return the predictions of the network that was trained with a policy and the search's seed, (1, N)."""
        trial = Trial(policy, _SEARCH_SEED)
        self.run([trial])
        return self.experiment.predictions(trial).predicted[None]


def _policies(
    study: Study,
    trainings: _Trainings,
    options: PolicyOptions,
    recommended: Mapping[str, Policy],
    *,
    notify: Notify | None,
) -> dict[str, Policy]:
    """Return all policies that are compared, by name; the best uniform one is searched for by trainings."""
    profile, names = study.profile, study.names
    forecast = profile.forecast.augmentations if profile.forecast is not None else None
    wanted = [
        name for name in measured_augmentations(profile, options.augmentations) if forecast is None or name in forecast
    ]
    ladders = {name: measured_augmentations(profile)[name].perturbation.ladder for name in wanted}
    plain = uniform({}, names, options.probability)
    given = {
        PLAIN: plain,
        "usual": uniform(DEFAULT_AUGMENTATIONS, names, options.probability),
        **recommended,
        "permuted": permuted(recommended["per_class"]),
        "matched": matched(recommended["per_class"], ladders),
    }
    tried = candidates(ladders, names, options.probability)
    # The search ends with two more; it and the rivals give up to three policies that are not known yet.
    known = len({Trial(policy, 0).key for policy in given.values()})
    trainings.expected = len(tried) + 2 + len(study.seeds) * (known + 3)
    trainings.run([_FIRST])
    _say(first_look(trainings.experiment, _FIRST, len(names)), notify)
    # All that waits for no other training, at once: workers do them side by side. The rivals need the global policy's.
    searched = [Trial(policy, _SEARCH_SEED) for policy in (*tried, given["global"])]
    trainings.run([*searched, *replace(study, policies=given).all_trials])
    best = _best_uniform(trainings, tried)
    found = {PLAIN: plain, "usual": given["usual"], "best_uniform": best} | given
    return found | _rivals(trainings, found)


def _rivals(trainings: _Trainings, policies: Mapping[str, Policy]) -> dict[str, Policy]:
    """Return the rivals: the policy that a user gets, repaired by what one training with it and one without show."""
    plain = policies[PLAIN]
    base = next((policies[name] for name in _REPAIRED if policies[name].names), plain)
    labels, classes = trainings.experiment.test.labels.numpy(), len(plain.class_names)
    without, with_it = trainings.predicted(plain), trainings.predicted(base)
    before, after = recall(without, labels, classes)[0], recall(with_it, labels, classes)[0]
    weights = class_weights(before, after, "harm" if base.names else "deficit")
    taken = leaks(without, with_it, labels, classes)
    return {"weighted": replace(base, class_weights=weights), "relaxed": relaxed(base, taken)}


def _best_uniform(trainings: _Trainings, tried: list[Policy]) -> Policy:
    """Return the candidate with the best mean, or the one that joins all that raised it, where that is better."""
    labels = trainings.experiment.test.labels.numpy()

    def mean(policy: Policy) -> float:
        return float(np.nanmean(recall(trainings.predicted(policy), labels, len(policy.class_names))))

    means = [mean(policy) for policy in tried]
    both = joined(tried, means)
    every = [*tried, both]
    return every[int(np.argmax([*means, mean(both)]))]


def _margin(change: Estimate) -> float | None:
    if change.value is None or change.low is None or change.high is None:
        return None
    # An end may be cut off where no share can change by more.
    return _short(max(change.value - change.low, change.high - change.value))


def _short(share: float | None) -> float | None:
    """Return a share with four decimals, a hundredth of a point: profiles of many classes stay small."""
    return None if share is None else round(share, 4)


def _keep_outcome(path: Path | str, found: Verification, held: Path | None) -> None:
    """Write into a profile's file what training with each policy showed, for ``recommend``.

    The folder of the profile may be held by this run already, where it is the output folder as well.
    """
    policies = {
        arm.name: TrainedModel(
            policy=arm.policy,
            mean=arm.mean,
            worst=arm.worst,
            over_tolerance=len(arm.over_tolerance),
            lowest_gain=arm.lowest_gain,
            lowest_gain_error=arm.lowest_gain_error,
            gain=[_short(entry.recall_change.value) for entry in arm.classes],
            gain_margin=[_margin(entry.recall_change) for entry in arm.classes],
        )
        for arm in found.arms
    }
    block = VerifiedModel(tolerance=found.tolerance, seeds=len(found.seeds), policies=policies)
    file = Profile.file(path)
    own = held is not None and file.parent.resolve() == held.resolve()
    # Read again, since another command may have written a forecast into it during the trainings.
    with locked(None if own else file.parent, do=_LATER, wait=_PATIENCE):
        write_file(file, Profile.read(path).model_copy(update={"verified": block}).to_json())
