"""From a profile to a profile with a forecast: adapt a network to each augmentation and see what does not come back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from cuesense.atomic_files import write_file
from cuesense.datasets.load import load_dataset
from cuesense.errors import SettingsError, expected
from cuesense.inference.devices import device_of
from cuesense.models.load import load_classifier
from cuesense.perturbations.apply import perturb
from cuesense.policies.policy import PROBABILITY, uniform
from cuesense.policies.profile_budgets import budgets_of, measured_augmentations
from cuesense.schemas.profile import ForecastModel, LeakModel, LossModel, Profile, TrainedBudget, budget_model
from cuesense.stats.training_loss import (
    Forecast,
    combine,
    forecast_from_heads,
    forecast_from_trainings,
    leaks,
    severity_shares,
)
from cuesense.training.features import features
from cuesense.training.fit import Progress
from cuesense.training.images import read_images
from cuesense.training.linear_probe import cross_fitted
from cuesense.training.setup import Experiment, Setup, arch_of, prepare_training, profile_preprocessing
from cuesense.training.trials import Trial
from cuesense.types import Curve, Perturbation

FOLDER = "forecast"

_NAMED_LEAK = 0.02
_SEED = 1000
_LESS_SURE = (0.8, 0.55)


@dataclass(frozen=True)
class Adaptation:
    """How a forecast is made, and where what it needs is now.

    Attributes:
        train: Spec of the images to train on; None trains nothing.
        head: Whether the analyzed model's head is refitted.
        start: Spec of the checkpoint that is fine-tuned; None trains a compact network from scratch.
        epochs: Passes over the training images; None takes the usual number.
        seeds: Trainings without augmentation and with each.
        train_size: Side of the training images in pixels; None takes the profile's.
        images_per_class: Train on this many images of each class; None takes all.
        model: The analyzed model; None takes what the profile says.
        arch: Architecture of a file that holds weights only, of the start and of the model.
        dataset: The analyzed images; None takes what the profile says.
        data_root: Where ``imagenet`` lies.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
    """

    train: str | None = None
    head: bool = False
    start: str | None = None
    epochs: float | None = None
    seeds: int = 2
    train_size: int | None = None
    images_per_class: int | None = None
    model: str | None = None
    arch: str | None = None
    dataset: str | None = None
    data_root: Path | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        training = (self.start, self.epochs, self.train_size, self.images_per_class)
        if self.train is None and (not self.head or any(option is not None for option in training)):
            do = "Add --train DATASET"
            raise SettingsError(expected("options of training", "given with --train", "no --train", do))


def update(
    path: Path,
    how: Adaptation,
    *,
    augmentations: Sequence[str] | None = None,
    probability: float = PROBABILITY,
    restart: bool = False,
    progress: Progress = lambda *_: None,
) -> Profile:
    """Forecast and keep the forecast in the profile's file.

    Args:
        path: A profile.json or its folder. The trainings' answers are kept beside it, in ``forecast/``.
        how: How the forecast is made.
        augmentations: Names to forecast; None takes all that the profile measured.
        probability: Chance that a view is augmented, in (0, 1].
        restart: Throw away trainings that are there.
        progress: Called with (steps done, steps in all).

    Returns:
        The profile with the forecast.

    Raises:
        CuesenseError: Something given is wrong; the file stays as it was.
    """
    file = Profile.file(path)
    earlier = Profile.read(file)
    if how.train is None and earlier.forecast is not None and earlier.forecast.method != "head":
        do = "Give --train as well, whose trainings are kept, or analyze into another folder"
        raise SettingsError(expected("the profile", "without a forecast by trainings", "one", do))
    profile = earlier.model_copy(update={"forecast": None})
    if how.head:
        profile = forecast_heads(profile, how, augmentations=augmentations, probability=probability, progress=progress)
    if how.train is not None:
        setup = Setup(
            train=how.train,
            test=how.dataset or profile.provenance.dataset.spec,
            test_set_name="the analyzed images (--dataset)",
            start=how.start,
            arch=how.arch,
            image_size=how.train_size,
            epochs=how.epochs,
            images_per_class=how.images_per_class,
            device=how.device,
            data_root=how.data_root,
        )
        profile = forecast_trained(
            profile,
            setup,
            runs=how.seeds,
            augmentations=augmentations,
            probability=probability,
            folder=file.parent / FOLDER,
            restart=restart,
            progress=progress,
        )
    profile = _with_budgets(profile, _merged(earlier.forecast, profile.forecast))
    write_file(file, profile.to_json())
    return profile


def _with_budgets(profile: Profile, forecast: ForecastModel | None) -> Profile:
    """Return the profile with a forecast and with what each class may bear by it, beside what else was considered."""
    profile = profile.model_copy(update={"forecast": forecast})
    if forecast is None:
        return profile
    own = budgets_of(profile)
    others = {f"confidence_{level}": budgets_of(profile, confidence=level) for level in _LESS_SURE}
    listed = {
        entry.name: {
            name: TrainedBudget(
                **budget_model(of_class[entry.index]).model_dump(),
                alternatives={label: budgets[name][entry.index].value for label, budgets in others.items()}
                | {"test_time": entry.budgets[name].value if name in entry.budgets else None},
            )
            for name, of_class in own.items()
        }
        for entry in profile.classes
    }
    return profile.model_copy(update={"forecast": forecast.model_copy(update={"budgets": listed})})


def _merged(earlier: ForecastModel | None, new: ForecastModel | None) -> ForecastModel | None:
    """Keep what was forecast before for other augmentations in the same way."""
    if earlier is None or new is None:
        return new
    parts = earlier.augmentations, new.augmentations
    empty: dict[str, object] = {"augmentations": {}, "budgets": {}}
    same = earlier.model_copy(update=empty) == new.model_copy(update=empty)
    return new.model_copy(update={"augmentations": parts[0] | parts[1]}) if same else new


def forecast_trained(
    profile: Profile,
    setup: Setup,
    *,
    runs: int = 2,
    augmentations: Sequence[str] | None = None,
    probability: float = PROBABILITY,
    folder: Path | None = None,
    restart: bool = False,
    progress: Progress = lambda *_: None,
) -> Profile:
    """Forecast what training with each augmentation costs every class, from trainings at the strongest doses.

    Args:
        profile: The profile.
        setup: What to train on, from where, for how long; its test images are those that losses are counted on.
        runs: Trainings without augmentation and with each, at least 1; more make the forecast surer.
        augmentations: Names to forecast; None takes all that the profile measured.
        probability: Chance that a view is augmented, in (0, 1].
        folder: Where the trainings' answers are kept, so that the same call goes on from there; None keeps none.
        restart: Throw away answers that are there.
        progress: Called with (steps done, steps in all).

    Returns:
        The profile with the forecast; where it had one of refitted heads, both are combined.

    Raises:
        CuesenseError: Something given is wrong; the sentence says what to do.
    """
    if runs < 1:
        raise SettingsError(expected("--seeds", "a whole number from 1", runs, "Change it"))
    curves = measured_augmentations(profile, augmentations)
    names = [entry.name for entry in profile.classes]
    experiment = prepare_training(profile, setup, folder, apart=True, restart=restart)
    plain = [Trial(None, _SEED + run) for run in range(runs)]
    strongest = {
        name: uniform({name: curve.perturbation.ladder[-1]}, names, probability) for name, curve in curves.items()
    }
    strong = {
        name: [Trial(policy, _SEED + run, (replace(policy, probability=1.0),)) for run in range(runs)]
        for name, policy in strongest.items()
    }
    experiment.run([*plain, *(trial for trials in strong.values() for trial in trials)], progress)
    labels = experiment.test.labels.numpy()
    before = _predicted(experiment, plain)
    heads = _heads_of(profile)
    found: dict[str, LossModel] = {}
    for name, curve in curves.items():
        after = _predicted(experiment, strong[name])
        whole = forecast_from_trainings(before == labels, after == labels, labels, severity_shares(curve), len(names))
        both = combine(whole, heads[name]) if name in heads else whole
        taken = leaks(before, after, labels, len(names))
        augmented = np.stack([experiment.answers(trial).probed[0] for trial in strong[name]]) == labels
        found[name] = _loss_model(profile, curve, both, _named(taken, names), _accuracy(augmented, labels, len(names)))
    return _with(
        profile,
        ForecastModel(
            method="trained and head" if set(curves) <= set(heads) else "trained",
            probability=probability,
            runs=runs,
            recipe=experiment.described,
            train=experiment.source,
            accuracy=_accuracy(before == labels, labels, len(names)),
            augmentations=found,
        ),
    )


def forecast_heads(
    profile: Profile,
    how: Adaptation,
    *,
    augmentations: Sequence[str] | None = None,
    probability: float = PROBABILITY,
    progress: Progress = lambda *_: None,
) -> Profile:
    """Forecast the same from the analyzed model alone: its head is refitted on frozen features of augmented images.

    Heads are fitted on four fifths of the analyzed images and asked about the others.

    Args:
        profile: The profile.
        how: Where the model and the images are, and the device.
        augmentations: Names to forecast; None takes all that the profile measured.
        probability: Chance that a view is augmented, in (0, 1].
        progress: Called with (doses done, doses in all).

    Returns:
        The profile with the forecast.

    Raises:
        CuesenseError: The model or the images are not found, the images are of other classes, or the model has no
            linear head.
    """
    curves = measured_augmentations(profile, augmentations)
    names = tuple(entry.name for entry in profile.classes)
    uniform({}, names, probability)
    spec = how.model or profile.provenance.model.spec
    classifier = load_classifier(spec, arch=arch_of(spec, how.arch))
    data = load_dataset(how.dataset or profile.provenance.dataset.spec, data_root=how.data_root)
    images = read_images(data, names, profile_preprocessing(profile), what="the analyzed images (--dataset)")
    network: Any = classifier.network
    device = device_of(how.device)
    labels, truth = images.labels, images.labels.numpy()
    clean = features(network.to(device), images, lambda pixels, _: pixels, device)
    plain = cross_fitted(clean, clean, labels, len(names), probability)[0] == truth
    doses = sum(len(curve.perturbation.ladder) for curve in curves.values())
    found: dict[str, LossModel] = {}
    done = 0
    for name, curve in curves.items():
        answers = []
        for value in curve.perturbation.ladder:
            changed = features(network, images, _under(curve.perturbation, value), device)
            answers.append(cross_fitted(clean, changed, labels, len(names), probability))
            done += 1
            progress(done, doses)
        right = np.stack([told[0] for told in answers]) == truth
        augmented = _accuracy(answers[-1][1][None] == truth, truth, len(names))
        found[name] = _loss_model(profile, curve, forecast_from_heads(plain, right, truth, len(names)), [], augmented)
    return _with(
        profile,
        ForecastModel(
            method="head",
            probability=probability,
            runs=1,
            recipe={},
            train=None,
            accuracy=_accuracy(plain[None], truth, len(names)),
            augmentations=found,
        ),
    )


def _with(profile: Profile, forecast: ForecastModel) -> Profile:
    return profile.model_copy(update={"forecast": forecast})


def _under(entry: Perturbation, value: float) -> Callable[[Tensor, int], Tensor]:
    """Return what changes a batch; an image's draws depend on its place."""

    def change(pixels: Tensor, start: int) -> Tensor:
        return perturb(entry, pixels, [str(start + row) for row in range(len(pixels))], value)

    return change


def _heads_of(profile: Profile) -> dict[str, Forecast]:
    found = profile.forecast
    if found is None or found.method != "head":
        return {}
    return {name: losses.to_forecast() for name, losses in found.augmentations.items()}


def _predicted(experiment: Experiment, trials: Sequence[Trial]) -> np.ndarray:
    return np.stack([experiment.answers(trial).predicted for trial in trials])


def _accuracy(right: np.ndarray, labels: np.ndarray, classes: int) -> list[float | None]:
    """Return the accuracy of each class over runs, (R, N), None where it has no images."""
    n = np.bincount(labels, minlength=classes)
    counts = np.bincount(labels, weights=right.mean(axis=0), minlength=classes)
    return [round(float(count / images), 6) if images else None for count, images in zip(counts, n, strict=True)]


def _named(taken: np.ndarray, names: Sequence[str]) -> list[LeakModel]:
    rows, columns = np.nonzero(taken >= _NAMED_LEAK)
    return [
        LeakModel(of=names[row], rival=names[column], share=round(float(taken[row, column]), 6))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    ]


def _loss_model(
    profile: Profile, curve: Curve, forecast: Forecast, named: list[LeakModel], augmented: list[float | None]
) -> LossModel:
    low, high = forecast.bounds(profile.policy.confidence)
    entry = curve.perturbation
    return LossModel(
        parameter=entry.parameter,
        unit=entry.unit,
        values=list(entry.ladder),
        loss=_rounded(forecast.loss),
        spread=[[value if np.isfinite(value) else None for value in row] for row in _rounded(forecast.spread)],
        low=_rounded(low),
        high=_rounded(high),
        flags=forecast.flags(profile.policy.tolerance, profile.policy.confidence),
        augmented=augmented,
        leaks=named,
    )


def _rounded(values: np.ndarray) -> list[list[float]]:
    rounded: list[list[float]] = (values.round(6) + 0.0).tolist()
    return rounded
