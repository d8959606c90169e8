"""From a profile to a profile with a forecast: train with each augmentation and see what every class loses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from cuesense import registry
from cuesense.atomic_files import write_file
from cuesense.datasets.load import AS_GIVEN, DatasetOptions
from cuesense.errors import SettingsError, expected
from cuesense.inference.devices import device_of
from cuesense.inference.options import RunOptions
from cuesense.inference.probe import Probe, probe_pixels
from cuesense.inference.ray_cluster import device_here, ray_engine
from cuesense.models.load import load_classifier
from cuesense.models.preprocessing import ImageOptions
from cuesense.models.trust import OWN_WORD, Trust
from cuesense.perturbations.apply import perturb
from cuesense.policies.expected_losses import expected_losses
from cuesense.policies.policy import PROBABILITY, uniform
from cuesense.policies.profile_budgets import measured_augmentations
from cuesense.predictions.label_order import check_labels
from cuesense.predictions.predictions import ClassMap
from cuesense.schemas.profile import ForecastModel, LossModel, Profile
from cuesense.schemas.profile_provenance import FROM_TABLE
from cuesense.stats.training_loss import (
    Forecast,
    combine,
    forecast_from_heads,
    forecast_from_trainings,
    gains_agree,
    leaks,
    severity_shares,
    weighted,
)
from cuesense.stores.lock import locked
from cuesense.training.features import features
from cuesense.training.images import read_images
from cuesense.training.linear_probe import cross_fitted
from cuesense.training.ray_trials import trained_on_ray
from cuesense.training.setup import (
    Experiment,
    TrainingOptions,
    arch_of,
    load_images,
    prepare_training,
    profile_preprocessing,
)
from cuesense.training.trials import Trial
from cuesense.types import Curve, Perturbation, Progress, ProgressOption, no_progress
from cuesense.workflows.caller import warn_of, watched
from cuesense.workflows.forecast_results import Shown, accuracy_of, loss_model, merged, named_leaks, with_budgets

FOLDER = "forecast"
_ENDED = "Wait until it ends, or stop it"

# Apart from verify's seeds (1999, 2000, ...), so that a policy is never verified with the trainings that chose it.
_FIRST_SEED = 1000
# Trainings of each network unless a number is given: from two on gains count.
_SEEDS = 2


@dataclass(frozen=True)
class AugmentationChoice:
    """Which augmentations are forecast.

    Attributes:
        names: Their names; None takes all that the profile measured.
        probability: Chance that a view is augmented, in (0, 1].
    """

    names: Sequence[str] | None = None
    probability: float = PROBABILITY


@dataclass(frozen=True)
class AnalyzedModel:
    """Where the model and the images of a profile are now.

    Attributes:
        model: The model's spec or file; None takes what the profile says.
        arch: Architecture of a file that holds weights only.
        weights_key: Where in the file the weights lie, as a dotted path; None takes those that were analyzed.
        dataset: The images; None takes what the profile says.
        images: Where datasets lie, and the part of the dataset, where the profile's is not the one.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or any device torch knows.
        trust: Whether a program runs that the profile names.
        allow_nondeterministic: Whether a model that is no function of one image is run.
    """

    model: str | None = None
    arch: str | None = None
    weights_key: str | None = None
    dataset: Any = None
    images: DatasetOptions = AS_GIVEN
    device: str = "auto"
    trust: Trust = OWN_WORD
    allow_nondeterministic: bool = False

    def images_of(self, profile: Profile) -> Any:
        """Return the analyzed images, or the spec that names them.

        Raises:
            SettingsError: They are not given, and the profile names none that are there, as for a dataset in memory.
        """
        if self.dataset is not None:
            return self.dataset
        spec = profile.provenance.dataset.spec
        if profile.provenance.model.architecture == FROM_TABLE:
            got = f"nothing, and the profile is of the predictions in '{spec}'"
            do = "Give the images that the predictions are of"
            raise SettingsError(expected("--dataset", "the analyzed images", got, do))
        if not Path(spec).exists() and spec.partition(":")[0] not in registry.names("datasets"):
            got = f"nothing, and the profile's '{spec}' is not there"
            raise SettingsError(expected("--dataset", "the analyzed images", got, "Give the images that were analyzed"))
        return spec

    def part_of(self, profile: Profile) -> DatasetOptions:
        """Return where the analyzed images lie, and which part of their dataset they are."""
        # What is given instead may have other parts, or none.
        known = profile.provenance.dataset.split if self.dataset is None else None
        return replace(self.images, split=self.images.split or known)

    def model_of(self, profile: Profile) -> str:
        """Return the spec or file of the analyzed model.

        Raises:
            SettingsError: It is not given, and the profile is of a module that was in memory.
        """
        spec = self.model or profile.provenance.model.spec
        if not self.model and profile.provenance.model.architecture == FROM_TABLE:
            got = f"nothing, and the profile is of the predictions in '{spec}'"
            raise SettingsError(expected("--model", "the analyzed model", got, "Give its file or spec"))
        if spec.startswith("python:") and spec.count(":") == 1:
            got = f"nothing, and the profile's '{spec}' was a module in memory"
            raise SettingsError(expected("--model", "the analyzed model", got, "Give its file or spec"))
        return spec


def forecast(
    profile: Profile | Path | str,
    *,
    train: Any = None,
    head: bool = False,
    start: str | None = None,
    arch: str | None = None,
    weights_key: str | None = None,
    epochs: float | None = None,
    seeds: int | None = None,
    image_size: int | None = None,
    images_per_class: int | None = None,
    model: str | None = None,
    dataset: Any = None,
    data_root: str | Path | None = None,
    split: str | None = None,
    download: bool = False,
    device: str = "auto",
    augmentations: Sequence[str] | None = None,
    probability: float = PROBABILITY,
    weights_only: bool = False,
    allow_code: bool = False,
    allow_nondeterministic: bool = False,
    engine: str = "local",
    ray_address: str | None = None,
    ray_workers: int | None = None,
    gpus_per_worker: float | None = None,
    restart: bool = False,
    progress: ProgressOption = None,
) -> Profile:
    """Forecast what training with each augmentation costs every class, and find the budgets that follow from it.

    With ``train``, networks are trained without augmentation and with the strongest value of each, and tested on the
    analyzed images; with ``head``, the analyzed model's last layer is refitted on augmented images instead, which costs
    little and knows less. Where both are given, they are combined.

    Args:
        profile: The profile, its file or its folder. A file gets the forecast, and the trainings' predictions are kept
            beside it in ``forecast/``, from which the same call goes on; a Profile leaves no files.
        train: Images to train on: a dataset spec, or any torch dataset of (image, label), of the profile's classes.
        head: Whether the analyzed model's head is refitted.
        start: Spec or file of the checkpoint that is fine-tuned; None trains a compact network from scratch.
        arch: Architecture of a file that holds weights only, of the start and of the model.
        weights_key: Where in such a file the weights lie, as a dotted path; None takes the first that fit, and of the
            analyzed model those that were analyzed.
        epochs: Passes over the training images, above 0 to 1000; None takes 16 from scratch and 3 for a checkpoint.
        seeds: Trainings without augmentation and with each, at least 1; None makes 2, and more make the forecast surer.
        image_size: Side of the training images in pixels; None takes the profile's.
        images_per_class: Train on this many images of each class; None takes all.
        model: The analyzed model, where it is not where the profile says.
        dataset: The analyzed images, where they are not where the profile says.
        data_root: Where ``imagenet`` lies; default: the environment variable CUESENSE_DATA.
        split: The part of the analyzed images' dataset; None takes what the profile says. Of the training images'
            dataset the part is ``train``.
        download: Fetch a named dataset that is not on disk.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or any device torch knows.
        augmentations: Names to forecast; None takes all that the profile measured.
        probability: Chance that a view is augmented, in (0, 1].
        weights_only: Read tensors alone, and refuse every program: TorchScript, ``.pt2``, ``python:``, whole modules.
            The environment variable CUESENSE_WEIGHTS_ONLY=1 says the same for all calls.
        allow_code: Let the model that the profile names be a program (TorchScript, ``.pt2``, ``python:``): without, a
            program must be named by ``model``.
        allow_nondeterministic: Also use a start or a model that is no function of one image, and say so in the
            profile.
        engine: ``"local"`` trains in this process, ``"ray"`` in the workers of a Ray cluster, or of one that is
            started on this machine for the time of the run (``docs/scale.md``).
        ray_address: Where the cluster is, as for ``ray.init``; None takes RAY_ADDRESS, else starts one here.
        ray_workers: How many workers there are; None takes as many as there are GPUs, or cores.
        gpus_per_worker: GPUs of each worker, 0.5 for two workers on a GPU; None takes one where there are any.
        restart: Throw away trainings that are there.
        progress: Called with (steps done, steps in all); None shows a bar in a terminal and a notebook, False none.

    Returns:
        The profile with the forecast.

    Raises:
        CuesenseError: Something given is wrong; the sentence says what to do, and the file stays as it was.
    """
    cluster = ray_engine(engine, ray_address, ray_workers, gpus_per_worker, device)
    _refuse_untrained(train, head, (start, epochs, seeds, image_size, images_per_class, cluster))
    runs = _SEEDS if seeds is None else seeds
    file = None if isinstance(profile, Profile) else Profile.file(profile)
    # No folder is made for a profile that is not there.
    folder_of_it = file.parent if file is not None and file.is_file() else None
    with locked(folder_of_it, do=_ENDED), watched(progress, "forecasting", "steps") as report:
        earlier = profile if isinstance(profile, Profile) else Profile.read(profile)
        if train is None and earlier.forecast is not None and earlier.forecast.method != "head":
            do = "Give --train as well, whose trainings are kept, or analyze into another folder"
            raise SettingsError(expected("the profile", "without a forecast by trainings", "one", do))
        trust = Trust(weights_only, allow_code)
        choice, here = AugmentationChoice(augmentations, probability), device_here(cluster, device)
        where = DatasetOptions(data_root, split, download)
        analyzed = AnalyzedModel(model, arch, weights_key, dataset, where, here, trust, allow_nondeterministic)
        found = earlier.model_copy(update={"forecast": None})
        if head:
            found = forecast_heads(found, analyzed, choice, report)
        if train is not None:
            options = TrainingOptions(
                train=train,
                test=analyzed.images_of(earlier),
                start=start,
                arch=arch,
                weights_key=weights_key,
                image_size=image_size,
                epochs=epochs,
                images_per_class=images_per_class,
                device=here,
                images=analyzed.part_of(earlier),
                test_set_name="the analyzed images (--dataset)",
                trust=trust,
                allow_nondeterministic=allow_nondeterministic,
            )
            _check_choice(found, choice, runs)
            folder = None if file is None else file.parent / FOLDER
            experiment = prepare_training(found, options, folder, apart=True, restart=restart)
            with trained_on_ray(experiment, cluster) as trained:
                found = forecast_trained(found, trained, choice, runs, report)
        found = with_budgets(found, merged(earlier.forecast, found.forecast))
        if file is not None:
            write_file(file, found.to_json())
        warn_of(text for text in found.provenance.assumptions if text not in earlier.provenance.assumptions)
        return found


def _refuse_untrained(train: Any, head: bool, training_options: tuple[object, ...]) -> None:
    """Refuse options of trainings without training images, and neither trainings nor heads."""
    if train is None and (not head or any(option is not None for option in training_options)):
        do = "Add --train DATASET"
        raise SettingsError(expected("options of training", "given with --train", "no --train", do))


def _check_choice(profile: Profile, choice: AugmentationChoice, seeds: int) -> None:
    """Raise SettingsError where trainings could not be made, before any image is decoded."""
    if not isinstance(seeds, int) or seeds < 1:
        raise SettingsError(expected("--seeds", "a whole number from 1", seeds, "Change it"))
    measured_augmentations(profile, choice.names)
    uniform({}, [entry.name for entry in profile.classes], choice.probability)


def _warned(profile: Profile, sentences: Sequence[str]) -> Profile:
    known = profile.summary.warnings
    more = [sentence for sentence in sentences if sentence not in known]
    return profile.model_copy(
        update={"summary": profile.summary.model_copy(update={"warnings": [*known, *more]})} if more else {}
    )


def forecast_trained(
    profile: Profile,
    experiment: Experiment,
    choice: AugmentationChoice,
    seeds: int,
    progress: Progress = no_progress,
) -> Profile:
    """Forecast what training with each augmentation costs every class, from trainings at the strongest values.

    Args:
        profile: The profile.
        experiment: How networks are trained; its test images are those that losses are counted on.
        choice: Which augmentations are forecast.
        seeds: Trainings without augmentation and with each.
        progress: Called with (steps done, steps in all).

    Returns:
        The profile with the forecast; where it had one of refitted heads, both are combined.

    Raises:
        CuesenseError: A network cannot be trained, its predictions cannot be kept, or it recognizes the test images
            under other names than it was trained with.
    """
    curves = measured_augmentations(profile, choice.names)
    names = [entry.name for entry in profile.classes]
    plain = [Trial(None, _FIRST_SEED + run) for run in range(seeds)]
    strong = _strongest(curves, names, choice.probability, seeds)
    experiment.run([*plain, *(trial for trials in strong.values() for trial in trials)], progress)
    labels = experiment.test.labels.numpy()
    before = _predicted(experiment, plain)
    order = check_labels(
        labels, before[0], ClassMap(names, names, range(len(names))), "the training without augmentation"
    )
    heads = _heads_of(profile)
    # What is expected without training: it knows what mild severities give, of which nothing is trained here.
    without = expected_losses(profile.model_copy(update={"forecast": None}), list(curves)).losses
    found: dict[str, LossModel] = {}
    for name, curve in curves.items():
        after = _predicted(experiment, strong[name])
        right = before == labels, after == labels, labels
        whole = forecast_from_trainings(*right, severity_shares(curve), len(names))
        both = weighted(combine(whole, heads[name]) if name in heads else whole, without[name])
        taken = named_leaks(leaks(before, after, labels, len(names)), names)
        augmented = np.stack([experiment.predictions(trial).probed[0] for trial in strong[name]]) == labels
        shown = Shown(taken, accuracy_of(augmented, labels, len(names)), gains_agree(*right, len(names)))
        found[name] = loss_model(profile, curve, both, shown)
    return _with(
        _warned(_saying(profile, experiment.tried), order),
        ForecastModel(
            method="trained and head" if set(curves) <= set(heads) else "trained",
            probability=choice.probability,
            runs=seeds,
            recipe=experiment.recipe_values,
            train=experiment.source,
            accuracy=accuracy_of(before == labels, labels, len(names)),
            augmentations=found,
            warnings=list(experiment.remarks),
        ),
    )


def _strongest(
    curves: dict[str, Curve], class_names: list[str], probability: float, seeds: int
) -> dict[str, list[Trial]]:
    """Return the trainings with the strongest value of each augmentation, tested with every view augmented as well."""
    policies = {
        name: uniform({name: curve.perturbation.ladder[-1]}, class_names, probability) for name, curve in curves.items()
    }
    return {
        name: [Trial(policy, _FIRST_SEED + run, (replace(policy, probability=1.0),)) for run in range(seeds)]
        for name, policy in policies.items()
    }


def forecast_heads(
    profile: Profile, analyzed: AnalyzedModel, choice: AugmentationChoice, progress: Progress = no_progress
) -> Profile:
    """Forecast the same from the analyzed model alone: its head is refitted on frozen features of augmented images.

    Heads are fitted on four fifths of the analyzed images and tested on the others.

    Args:
        profile: The profile.
        analyzed: Where the model and the images are, and the device.
        choice: Which augmentations are forecast.
        progress: Called with (values done, values in all).

    Returns:
        The profile with the forecast.

    Raises:
        CuesenseError: The model or the images are not found, the images are of other classes, or the model has no
            linear head.
    """
    curves = measured_augmentations(profile, choice.names)
    names, probability = tuple(entry.name for entry in profile.classes), choice.probability
    uniform({}, names, probability)
    spec = analyzed.model_of(profile)
    trust = analyzed.trust if analyzed.model else analyzed.trust.named_in("profile.json", arch=False)
    analyzed_images = ImageOptions(channels=profile_preprocessing(profile).channels)
    known = profile.provenance.model.weights_key or None
    classifier = load_classifier(
        spec,
        arch=arch_of(spec, analyzed.arch),
        images=analyzed_images,
        trust=trust,
        weights_key=analyzed.weights_key or (known if not analyzed.model else None),
    )
    data = load_images(analyzed.images_of(profile), analyzed.part_of(profile))
    read = read_images(data, names, profile_preprocessing(profile), what="the analyzed images (--dataset)")
    images = read.images
    device = device_of(analyzed.device)
    tried = probe_pixels(
        replace(classifier, preprocessing=profile_preprocessing(profile)),
        images.pixels,
        RunOptions(device, allow_nondeterministic=analyzed.allow_nondeterministic),
    )
    network: Any = tried.applied(classifier).network
    labels, truth = images.labels, images.labels.numpy()
    clean = features(network.to(device), images, lambda pixels, _: pixels, device)
    plain = cross_fitted(clean, clean, labels, len(names), probability)[0] == truth
    values = sum(len(curve.perturbation.ladder) for curve in curves.values())
    found: dict[str, LossModel] = {}
    done = 0
    for name, curve in curves.items():
        predicted = []
        for value in curve.perturbation.ladder:
            changed = features(network, images, _under(curve.perturbation, value), device)
            predicted.append(cross_fitted(clean, changed, labels, len(names), probability))
            done += 1
            progress(done, values)
        right = np.stack([on_clean for on_clean, _ in predicted]) == truth
        augmented = accuracy_of(predicted[-1][1][None] == truth, truth, len(names))
        found[name] = loss_model(
            profile, curve, forecast_from_heads(plain, right, truth, len(names)), Shown([], augmented)
        )
    return _with(
        _saying(profile, tried),
        ForecastModel(
            method="head",
            probability=probability,
            runs=1,
            recipe={},
            train=None,
            accuracy=accuracy_of(plain[None], truth, len(names)),
            augmentations=found,
            warnings=list(read.remarks),
        ),
    )


def _with(profile: Profile, forecast: ForecastModel) -> Profile:
    return profile.model_copy(update={"forecast": forecast})


def _saying(profile: Profile, tried: Probe) -> Profile:
    """Return the profile with a warning and an assumption where a network was used that is no function of one image."""
    if tried.dependence is None:
        return profile
    summary, provenance = profile.summary, profile.provenance
    warnings = list(dict.fromkeys([*summary.warnings, *tried.warnings]))
    assumptions = list(dict.fromkeys([*provenance.assumptions, *tried.assumptions]))
    return profile.model_copy(
        update={
            "summary": summary.model_copy(update={"warnings": warnings}),
            "provenance": provenance.model_copy(update={"assumptions": assumptions}),
        }
    )


def _under(entry: Perturbation, value: float) -> Callable[[Tensor, int], Tensor]:
    """Return what changes a batch; an image's draws depend on its position."""

    def change(pixels: Tensor, start: int) -> Tensor:
        return perturb(entry, pixels, [str(start + row) for row in range(len(pixels))], value)

    return change


def _heads_of(profile: Profile) -> dict[str, Forecast]:
    found = profile.forecast
    if found is None or found.method != "head":
        return {}
    return {name: losses.to_forecast() for name, losses in found.augmentations.items()}


def _predicted(experiment: Experiment, trials: Sequence[Trial]) -> np.ndarray:
    return np.stack([experiment.predictions(trial).predicted for trial in trials])
