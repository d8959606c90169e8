"""What trainings share: images, the network they start from, the recipe, and where their answers are kept."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cuesense.config import LARGEST_SIDE
from cuesense.datasets import load_dataset, subset
from cuesense.errors import ModelError, SettingsError, expected
from cuesense.models import load_classifier
from cuesense.planted.network import build
from cuesense.profile import DatasetInfo, Profile
from cuesense.training import Images, Progress, Recipe
from cuesense.trainset import at_size, read_images
from cuesense.trials import Answers, Trial, TrialStore, run
from cuesense.types import Classifier, Dataset, Preprocessing

SCRATCH = Recipe(epochs=16, rate=4e-3)
FINE_TUNING = Recipe(epochs=3, rate=3e-4)

_CELL = 32
_USUAL = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


@dataclass(frozen=True)
class Setup:
    """How a user wants networks trained.

    Attributes:
        train: A dataset or its spec.
        test: Likewise; the images that trained networks are asked about.
        start: Spec of the checkpoint that is fine-tuned; None trains a compact network from scratch.
        arch: Architecture of a file that holds weights only.
        image_size: Side of the images in pixels; None takes the profile's, rounded to a multiple of 32 for the compact
            network.
        epochs: Passes over the training images; None takes 16 from scratch and 3 for a checkpoint.
        images_per_class: Train on this many images of each class; None takes all.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``.
        workers: Threads that decode.
        data_root: Where ``imagenet`` lies.
    """

    train: str | Dataset
    test: str | Dataset
    start: str | None = None
    arch: str | None = None
    image_size: int | None = None
    epochs: float | None = None
    images_per_class: int | None = None
    device: str = "auto"
    workers: int = 2
    data_root: Path | None = None


@dataclass(frozen=True)
class Experiment:
    """Trainings of one kind.

    Attributes:
        start: Gives the network of a seed before its training.
        recipe: How it is trained.
        train: What it is trained on.
        test: What it is asked about.
        source: Which images it is trained on.
        store: Its answers.
        device: Where it is trained.
    """

    start: Callable[[int], nn.Module]
    recipe: Recipe
    train: Images
    test: Images
    source: DatasetInfo
    store: TrialStore
    device: str

    def run(self, trials: Sequence[Trial], progress: Progress) -> None:
        """Do the trainings that were not done yet."""
        run(
            trials,
            self.start,
            self.recipe,
            self.train,
            self.test,
            self.store,
            device=self.device,
            progress=progress,
        )

    def answers(self, trial: Trial) -> Answers:
        """Return what a trained network answered."""
        return self.store.read(trial)


def prepare(profile: Profile, setup: Setup, folder: Path | None, *, restart: bool = False) -> Experiment:
    """Load what trainings need.

    Args:
        profile: The profile, which names the classes and knows how the model's images are prepared.
        setup: What the user wants.
        folder: Where answers are kept; None keeps them in memory.
        restart: Throw away answers that are there.

    Returns:
        The experiment; nothing is trained yet.

    Raises:
        CuesenseError: The classes of a dataset differ from the profile's, a number is out of range, the checkpoint
            cannot be trained, or the folder holds trainings of other settings.
    """
    names = tuple(entry.name for entry in profile.classes)
    classifier = None if setup.start is None else load_classifier(setup.start, arch=setup.arch)
    preprocessing = _preprocessing(profile, classifier, setup.image_size)
    recipe = _recipe(setup)
    train, test = (_dataset(spec, setup.data_root) for spec in (setup.train, setup.test))
    if setup.images_per_class is not None:
        train = subset(train, setup.images_per_class)
    settings = {
        "cuesense": version("cuesense"),
        "start": setup.start or "compact network",
        "weights": None if classifier is None else classifier.sha256,
        "recipe": asdict(recipe),
        "preprocessing": asdict(preprocessing),
        "classes": list(names),
        "train": train.fingerprint,
        "test": test.fingerprint,
    }
    images = read_images(train, names, preprocessing, what="--train", workers=setup.workers)
    asked = read_images(test, names, preprocessing, what="--test", workers=setup.workers)
    return Experiment(
        start=_compact(len(names), images) if classifier is None else _checkpoint(classifier, len(names)),
        recipe=recipe,
        train=images,
        test=asked,
        source=DatasetInfo(
            spec=train.spec, images=len(train), classes=len(train.class_names), fingerprint=train.fingerprint
        ),
        store=TrialStore() if folder is None else TrialStore.open(folder, settings, restart=restart),
        device=device_of(setup.device),
    )


def profile_preprocessing(profile: Profile) -> Preprocessing:
    """Return how the analyzed model's images were prepared, as far as the profile says."""
    known: dict[str, Any] = profile.provenance.model.preprocessing
    size = known.get("image_size")
    mean, std = (tuple(known.get(name) or usual) for name, usual in zip(("mean", "std"), _USUAL, strict=True))
    return Preprocessing(
        image_size=None if size is None else (size[0], size[1]),
        resize=known.get("resize"),
        mean=mean,
        std=std,
        interpolation=known.get("interpolation", "bilinear"),
    )


def _preprocessing(profile: Profile, classifier: Classifier | None, side: int | None) -> Preprocessing:
    if side is not None and not _CELL <= side <= LARGEST_SIDE:
        to_be = f"a whole number from {_CELL} to {LARGEST_SIDE}"
        raise SettingsError(expected("--image-size", to_be, side, "Change it"))
    if classifier is not None:
        found = classifier.preprocessing
        return found if side is None else at_size(found, side)
    found = profile_preprocessing(profile)
    wanted = side or (min(found.image_size) if found.image_size else None)
    return found if wanted is None else at_size(found, max(_CELL, wanted // _CELL * _CELL))


def _recipe(setup: Setup) -> Recipe:
    usual = SCRATCH if setup.start is None else FINE_TUNING
    if setup.epochs is None:
        return usual
    if not 0 < setup.epochs <= 1000:
        raise SettingsError(expected("--epochs", "a number above 0, up to 1000", setup.epochs, "Change it"))
    return Recipe(**asdict(usual) | {"epochs": setup.epochs})


def _dataset(spec: str | Dataset, data_root: Path | None) -> Dataset:
    if not isinstance(spec, str):
        return spec
    return load_dataset(spec, data_root=data_root if spec.startswith("imagenet") else None)


def _compact(classes: int, images: Images) -> Callable[[int], nn.Module]:
    size = min(images.pixels.shape[-2:])
    if size < _CELL:
        do = "Give a larger --image-size"
        raise SettingsError(expected("the images", f"at least {_CELL} pixels a side", f"{size} pixels", do))

    def start(seed: int) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return build(classes, size)

    return start


def _checkpoint(classifier: Classifier, classes: int) -> Callable[[int], nn.Module]:
    """Return copies of a network, with a new last layer where it has another number of outputs than classes."""
    network = classifier.network
    if not isinstance(network, nn.Module) or not list(network.parameters()):
        do = "Give a state dict with --arch, or leave out --from"
        raise ModelError(expected("--from", "a network with weights that can be trained", classifier.spec, do))

    def start(seed: int) -> nn.Module:
        own = copy.deepcopy(network)
        _renew_head(own, classes, seed, classifier.spec)
        return own.requires_grad_(True)

    return start


def _renew_head(network: nn.Module, classes: int, seed: int, spec: str) -> None:
    heads = [(name, module) for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not heads:
        do = "Give a network with a linear head"
        raise ModelError(expected("--from", "a network whose last layer can be replaced", spec, do))
    name, head = heads[-1]
    if head.out_features == classes:
        return
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network.set_submodule(name, nn.Linear(head.in_features, classes))


def device_of(device: str) -> str:
    """Return the device that a user names; ``"auto"`` is a GPU where there is one."""
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
