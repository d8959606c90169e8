"""Prepare trainings: their images, the network they start from, the recipe, and where predictions are kept."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from cuesense.atomic_files import digest
from cuesense.datasets.contents import refuse_changed, remember
from cuesense.datasets.in_memory import wrap
from cuesense.datasets.load import AS_GIVEN, DatasetOptions, load_one_of_several
from cuesense.datasets.splits import refuse_split, split_of
from cuesense.datasets.subset import subset
from cuesense.errors import ModelError, SettingsError, expected
from cuesense.inference.devices import device_of
from cuesense.inference.options import RunOptions
from cuesense.inference.probe import Probe, probe_pixels, weights_settings
from cuesense.models.channels import in_order
from cuesense.models.common import is_program
from cuesense.models.compact import build
from cuesense.models.first_bytes import index_in
from cuesense.models.load import load_classifier
from cuesense.models.trust import OWN_WORD, Trust
from cuesense.predictions.copies import trained_on, trained_remark
from cuesense.schemas.profile import DatasetInfo, Profile
from cuesense.training.features import linear_head_name
from cuesense.training.fit import Images, Recipe, log_probabilities
from cuesense.training.images import at_size, read_images, refuse_shared
from cuesense.training.trials import TrainingTask, Trial, TrialPredictions, TrialStore, run
from cuesense.types import Classifier, Dataset, Preprocessing, Progress
from cuesense.validation import LARGEST_SIDE

if TYPE_CHECKING:
    from cuesense.inference.ray_pool import Pool

# Passes from scratch as in the experiments of docs/budgets.md, where 12 forecast worse than 16. The passes of
# fine-tuning and both rates were chosen by hand; not tuned.
SCRATCH = Recipe(epochs=16, rate=4e-3)
FINE_TUNING = Recipe(epochs=3, rate=3e-4)

# The compact network halves the side after its first layer has brought it to 32 (models/compact.py).
_CELL = 32
# Enough to tell half from chance with any number of classes above two. Chosen by hand; not tuned.
_TRIED = 256
# The normalization of the compact network (models/compact.py), for profiles that do not know their model's.
_USUAL = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


@dataclass(frozen=True)
class TrainingOptions:
    """What networks are trained on, from where and for how long, and what they are tested on.

    Attributes:
        train: A dataset, any torch dataset of (image, label), or a spec.
        test: Likewise; the images that trained networks are tested on.
        start: Spec of the checkpoint that is fine-tuned; None trains a compact network from scratch.
        arch: Architecture of a file that holds weights only.
        weights_key: Where in the checkpoint the weights lie, as a dotted path; None takes the first that fit.
        image_size: Side of the images in pixels; None takes the profile's, rounded to a multiple of 32 for the compact
            network.
        epochs: Passes over the training images; None takes 16 from scratch and 3 for a checkpoint.
        images_per_class: Train on this many images of each class; None takes all.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``.
        workers: Threads that decode.
        images: Where datasets lie, and the part of the test images' dataset; of the training images' it is ``train``.
        test_set_name: How errors call the test images.
        trust: Whether the start may be a program.
        allow_nondeterministic: Whether a start that is no function of one image is fine-tuned.
    """

    train: Any
    test: Any
    start: str | None = None
    arch: str | None = None
    weights_key: str | None = None
    image_size: int | None = None
    epochs: float | None = None
    images_per_class: int | None = None
    device: str = "auto"
    workers: int = 2
    images: DatasetOptions = AS_GIVEN
    test_set_name: str = "--test"
    trust: Trust = OWN_WORD
    allow_nondeterministic: bool = False


@dataclass(frozen=True)
class Experiment:
    """Trainings of one kind.

    Attributes:
        start: Returns the untrained network of a seed.
        recipe: How it is trained.
        train: What it is trained on.
        test: What it is tested on.
        origin: What the start is.
        source: Which images it is trained on.
        tested: Fingerprint of the test images.
        store: Its predictions.
        device: Where it is trained.
        remarks: What the user should know of the images, in sentences.
        tried: What a few images showed of the start.
        pool: Workers of Ray that do the trainings (``training.ray_trials``); None lets this process do them.
    """

    start: Callable[[int], nn.Module]
    recipe: Recipe
    train: Images
    test: Images
    origin: str
    source: DatasetInfo
    tested: str
    store: TrialStore
    device: str
    remarks: tuple[str, ...] = ()
    tried: Probe = field(default_factory=Probe)
    pool: Pool | None = None

    @property
    def task(self) -> TrainingTask:
        """What all trainings share."""
        return TrainingTask(self.start, self.recipe, self.train, self.test, self.device)

    @property
    def recipe_values(self) -> dict[str, Any]:
        """What networks start from and how they are trained, as JSON values."""
        known = {} if self.tried.dependence is None else {"start_depends_on_more_than_one_image": self.tried.dependence}
        return {"start": self.origin} | asdict(self.recipe) | known

    def run(self, trials: Sequence[Trial], progress: Progress) -> None:
        """Do the trainings that were not done yet."""
        run(trials, self.task, self.store, pool=self.pool, progress=progress)

    def predictions(self, trial: Trial) -> TrialPredictions:
        """Return what a trained network predicts for the test images."""
        return self.store.read(trial)


def prepare_training(
    profile: Profile,
    options: TrainingOptions,
    folder: Path | None,
    *,
    apart: bool = False,
    restart: bool = False,
    made_of_it: Sequence[str] = (),
) -> Experiment:
    """Load what trainings need.

    Args:
        profile: The profile, which names the classes and knows how the model's images are prepared.
        options: What to train on, from where and for how long, and what to test on.
        folder: Where predictions are kept; None keeps them in memory.
        apart: Keep the predictions of other settings beside these, each in a folder of its own.
        restart: Throw away predictions that are there.
        made_of_it: Files beside the folder that a restart deletes as well (see ``ArrayStore.open``).

    Returns:
        The experiment; nothing is trained yet.

    Raises:
        CuesenseError: The classes of a dataset differ from the profile's, images are trained on and tested on, a number
            is out of range, the checkpoint cannot be trained, or the folder holds trainings of other settings.
    """
    names = tuple(entry.name for entry in profile.classes)
    start = options.start
    classifier = None if start is None else _loaded(start, options)
    preprocessing = _preprocessing(profile, classifier, options.image_size)
    if classifier is not None:
        classifier = replace(classifier, network=in_order(classifier.network, preprocessing.channels))
    recipe, device = _recipe(options), device_of(options.device)
    train = load_images(options.train, replace(options.images, split=None), for_training=True)
    test = load_images(options.test, options.images)
    if options.images_per_class is not None:
        train = subset(train, options.images_per_class)
    read = read_images(train, names, preprocessing, what="--train", for_training=True, workers=options.workers)
    tests = read_images(test, names, preprocessing, what=options.test_set_name, workers=options.workers)
    shared = trained_on(tests.digests, set(read.digests.tolist()))
    refuse_shared(shared, options.test_set_name)
    images, tested = read.images, tests.images
    tried = Probe()
    if classifier is None:
        network = _compact(len(names), images)
    else:
        run = RunOptions(device, allow_nondeterministic=options.allow_nondeterministic)
        classifier = replace(classifier, preprocessing=preprocessing)
        _trainable(classifier)  # said before it is run
        tried = probe_pixels(classifier, images.pixels, run)
        network = _checkpoint(tried.applied(classifier), len(names), images)
    settings = {
        "cuesense": version("cuesense"),
        "start": start or "compact network",
        "weights": None if classifier is None else classifier.sha256,
        "recipe": asdict(recipe),
        # The usual order of the channels is left out, as in a profile.
        "preprocessing": {name: value for name, value in asdict(preprocessing).items() if value != "rgb"},
        "classes": list(names),
        "train": train.fingerprint,
        "test": test.fingerprint,
        # A fingerprint of images in memory covers some of them only.
        "pixels": [hashlib.sha256(found.digests.tobytes()).hexdigest() for found in (read, tests)],
    } | ({} if classifier is None else weights_settings(classifier))
    kept = folder / digest(settings, size=6) if folder is not None and apart else folder
    store = TrialStore() if kept is None else _open(kept, settings, (train, test), made_of_it, restart=restart)
    return Experiment(
        start=network,
        recipe=recipe,
        train=images,
        test=tested,
        origin=start or "compact network",
        source=DatasetInfo(
            spec=train.spec,
            images=len(train),
            classes=len(train.class_names),
            fingerprint=train.fingerprint,
            split=split_of(train),
        ),
        tested=test.fingerprint,
        store=store,
        device=device,
        remarks=(*read.remarks, *tests.remarks, *trained_remark(shared, tests.ids, options.test_set_name)),
        tried=tried,
    )


def _open(
    folder: Path,
    settings: dict[str, Any],
    datasets: tuple[Dataset, Dataset],
    made_of_it: Sequence[str],
    *,
    restart: bool,
) -> TrialStore:
    """Open the folder of the trainings' predictions, and name images that changed since they were made."""
    kept = [folder / name for name in ("train", "test")]
    if not restart and any(folder.glob("trial-*.npz")):
        for place, dataset in zip(kept, datasets, strict=True):
            refuse_changed(place, dataset)
    store = TrialStore.open(folder, settings, restart=restart, made_of_it=made_of_it)
    for place, dataset in zip(kept, datasets, strict=True):
        remember(place, dataset)
    return store


def _loaded(start: str, options: TrainingOptions) -> Classifier:
    arch = arch_of(start, options.arch)
    return load_classifier(start, arch=arch, trust=options.trust, weights_key=options.weights_key)


def arch_of(spec: str, arch: str | None) -> str | None:
    """Return the architecture that goes with a model: none with one that is no file and says itself what it is."""
    return arch if Path(spec).is_file() or index_in(Path(spec)) is not None else None


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
        channels=known.get("channels", "rgb"),
        crop=known.get("crop", "rounded"),
        resizer=known.get("resizer", "pillow"),
    )


def _preprocessing(profile: Profile, classifier: Classifier | None, side: int | None) -> Preprocessing:
    if side is not None and not _CELL <= side <= LARGEST_SIDE:
        to_be = f"a whole number from {_CELL} to {LARGEST_SIDE}"
        raise SettingsError(expected("--train-size", to_be, side, "Change it"))
    if classifier is not None:
        found = _without_guesses(classifier, profile_preprocessing(profile))
        return found if side is None else at_size(found, side)
    found = profile_preprocessing(profile)
    wanted = side or (min(found.image_size) if found.image_size else None)
    return found if wanted is None else at_size(found, max(_CELL, wanted // _CELL * _CELL))


def _without_guesses(classifier: Classifier, analyzed: Preprocessing) -> Preprocessing:
    """Return a checkpoint's preprocessing with what was guessed taken from the analyzed model's.

    A checkpoint that is fine-tuned is most often of the analyzed model's family, so its preprocessing is the better
    guess. A resize alone is taken in proportion to the size that the checkpoint itself says.
    """
    own = classifier.preprocessing
    taken = {name: getattr(analyzed, name) for name in vars(own) if name in classifier.guessed}
    if "resize" in taken and "image_size" not in taken and own.image_size is not None:
        taken["resize"] = at_size(analyzed, min(own.image_size)).resize
    return replace(own, **taken)


def _recipe(options: TrainingOptions) -> Recipe:
    usual = SCRATCH if options.start is None else FINE_TUNING
    if options.epochs is None:
        return usual
    if not 0 < options.epochs <= 1000:
        raise SettingsError(expected("--epochs", "a number above 0, up to 1000", options.epochs, "Change it"))
    return Recipe(**asdict(usual) | {"epochs": options.epochs})


def load_images(dataset: Any, options: DatasetOptions, *, for_training: bool = False) -> Dataset:
    """Return the images that a spec names, or that a torch dataset gives.

    Args:
        dataset: The spec, its path, or the dataset.
        options: Where it lies and which part of it is used.
        for_training: Without a split, take the part called ``train`` where there is one.

    Raises:
        CuesenseError: As for ``load_dataset``.
    """
    if not isinstance(dataset, str | Path):
        refuse_split("a dataset in memory", options.split)
        return wrap(dataset)
    return load_one_of_several(str(dataset), options, for_training=for_training)


def _compact(classes: int, images: Images) -> Callable[[int], nn.Module]:
    size = min(images.pixels.shape[-2:])
    if size < _CELL:
        do = "Give a larger --train-size"
        raise SettingsError(expected("the images", f"at least {_CELL} pixels a side", f"{size} pixels", do))

    def start(seed: int) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return build(classes, size)

    return start


def _checkpoint(classifier: Classifier, classes: int, images: Images) -> Callable[[int], nn.Module]:
    """Return copies of a network, with a new head where its own does not already tell the classes apart."""
    network = _trainable(classifier)
    head = linear_head_name(network, images)
    keep = _knows(network, images, classes)
    if head is None and not keep:
        do = "Give a network whose last layer is linear"
        raise ModelError(expected("--from", "a network whose head can be replaced", classifier.spec, do))

    def start(seed: int) -> nn.Module:
        own = copy.deepcopy(network)
        if not keep and head is not None:
            _renew(own, head, classes, seed)
        return own.requires_grad_(True)

    return start


def _trainable(classifier: Classifier) -> nn.Module:
    network = classifier.network
    if not isinstance(network, nn.Module) or is_program(network):
        do = "Give its weights as a state dict with --arch, or leave out --from"
        raise ModelError(expected("--from", "a network that can be trained", f"the exported {classifier.spec}", do))
    return network


def _knows(network: nn.Module, images: Images, classes: int) -> bool:
    """Return whether a network already predicts the classes in their order: on a few images, for half of them.

    With few classes half may be chance, so that 1.5 times as many as by chance must be right.
    """
    some = images.take(torch.linspace(0, len(images) - 1, min(len(images), _TRIED)).long())
    scores = log_probabilities(network, some)
    right = float((scores.argmax(axis=1) == some.labels.numpy()).mean())
    return scores.shape[1] == classes and right >= max(0.5, min(1.0, 1.5 / classes))


def _renew(network: nn.Module, head: str, classes: int, seed: int) -> None:
    before = network.get_submodule(head)
    if not isinstance(before, nn.Linear):
        return
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network.set_submodule(head, nn.Linear(before.in_features, classes))
