"""Audit a sweep on another task: a linear head on the frozen features of every checkpoint, audited like the sweep."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, fields, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from cuesense.arrays import Floats
from cuesense.atomic_files import digest
from cuesense.datasets.cached import CachedDataset
from cuesense.datasets.images import resize_and_crop
from cuesense.datasets.left_out import remarks_of
from cuesense.datasets.load import DatasetOptions
from cuesense.errors import DatasetError, ModelError, UnreadableImageError, expected, naming
from cuesense.inference.checkpoints import images_of
from cuesense.inference.engine import UNREADABLE_LIMIT, weights_digest
from cuesense.inference.loading import preprocessing_values
from cuesense.inference.one_checkpoint import FOLDER
from cuesense.inference.options import RunOptions, run_options
from cuesense.inference.probe import dependence_remarks, probe, weights_settings
from cuesense.inference.ray_cluster import connected, device_here, ray_engine
from cuesense.models.common import is_program
from cuesense.models.load import load_classifier
from cuesense.models.preprocessing import ImageOptions
from cuesense.models.trust import OWN_WORD, Trust
from cuesense.predictions.copies import copy_remarks, counted_once, trained_on, trained_remark
from cuesense.predictions.label_order import check_runs
from cuesense.predictions.predictions import ClassMap
from cuesense.schemas.audit import Audit
from cuesense.schemas.profile import Profile
from cuesense.stores.arrays import ArrayStore
from cuesense.stores.lock import locked
from cuesense.sweeps.build_audit import build_audit
from cuesense.sweeps.rivals import cosines
from cuesense.sweeps.run_list import Runs, read_runs, sweep_of
from cuesense.sweeps.sweep import unreadable_remark
from cuesense.training.features import features
from cuesense.training.fit import Images
from cuesense.training.images import match_names, pixel_digests, refuse_shared
from cuesense.training.linear_probe import cross_validated_predictions, fit_and_predict
from cuesense.training.setup import arch_of, load_images
from cuesense.types import Classifier, Dataset, Progress, ProgressOption
from cuesense.validation import check_fraction, path_of
from cuesense.workflows.audit import FILES, check_output, cues_of, read_profile, write_audit
from cuesense.workflows.caller import watched

# Decoded images of one chunk are in memory at once: 512 of 224 pixels are 77 MB. Chosen by hand; not tuned.
_CHUNK = 512
_PATTERN = "run-*.npz"
# Raise it when what is kept of a run changes, so that older files are not read.
_VERSION = 2
# One for each of the five folds that heads are fitted and tested on.
_FEWEST = 5


@dataclass(frozen=True)
class _Task:
    """The downstream images: those that heads are tested on, and those they are fitted on (None: folds of these)."""

    test: Dataset
    train: Dataset | None
    images: ImageOptions
    run: RunOptions
    trust: Trust = OWN_WORD
    weights_key: str | None = None

    @property
    def length(self) -> int:
        return len(self.test) + (len(self.train) if self.train is not None else 0)


@dataclass(frozen=True)
class _HeadPredictions:
    """The predictions of one checkpoint's head for the N images that can be read and are no copies of others.

    Attributes:
        labels: Class of each image, (N,).
        positions: Index of each image in the dataset, (N,).
        predicted: Class that is predicted, (N,).
        means: Mean features of each class, (C, D).
        readable: Index of each image that can be read, copies included, (M,).
        digests: Hash of the pixels of each of these, (M,).
        shared: Whether each of the N images is among those that heads are fitted on, (N,).
    """

    labels: np.ndarray
    positions: np.ndarray
    predicted: np.ndarray
    means: Floats
    readable: np.ndarray
    digests: np.ndarray
    shared: np.ndarray


_ARRAYS = tuple(entry.name for entry in fields(_HeadPredictions))


def transfer(
    runs: str | Path,
    dataset: Any,
    *,
    train: Any = None,
    regularizer: str | None = None,
    order: str | Sequence[str] | None = None,
    tolerance: float = 0.05,
    confidence: float = 0.95,
    profile: Profile | str | Path | None = None,
    output: str | Path | None = None,
    arch: str | None = None,
    weights_key: str | None = None,
    image_size: int | None = None,
    resize: int | None = None,
    mean: tuple[float, float, float] | None = None,
    std: tuple[float, float, float] | None = None,
    channels: str | None = None,
    images_per_class: int | None = None,
    device: str | torch.device = "auto",
    workers: int = 2,
    data_root: str | Path | None = None,
    split: str | None = None,
    download: bool = False,
    weights_only: bool = False,
    allow_code: bool = False,
    allow_nondeterministic: bool = False,
    engine: str = "local",
    ray_address: str | None = None,
    ray_workers: int | None = None,
    gpus_per_worker: float | None = None,
    restart: bool = False,
    progress: ProgressOption = None,
) -> Audit:
    """Report which classes of another task lose accuracy by a regularizer that networks were trained with.

    Each checkpoint's frozen features (what its last linear layer is given) get a linear head for the other task's
    classes, whose penalty is chosen inside the training images (``training.linear_probe``).

    Args:
        runs: A CSV or TOML list of checkpoints (see ``sweeps.run_list.read_runs``).
        dataset: The other task's images: a dataset spec, or any torch dataset that gives (image, label).
        train: Images of the same classes that heads are fitted on; None fits on four fifths of the dataset and tests
            on the last, five times, so that every image is tested once.
        regularizer: Which one, where the list has several.
        order: ``"rising"`` where larger numbers are stronger, ``"falling"`` where smaller ones are, or all strengths
            from mild to strong (a list, or text with commas). None takes what the regularizer's name says
            (``sweeps.direction``), and raises a SettingsError where it says nothing.
        tolerance: Accuracy that a class may lose against its own best strength, a fraction in (0, 1).
        confidence: Level of intervals and of bounds, in (0.5, 1).
        profile: A profile of a network of the same classes, or its file or folder: classes are then also
            compared by their cue.
        output: Folder for audit.json, audit.csv, audit.html and the heads' predictions, from which the same call goes
            on; None writes nothing.
        arch: Architecture of files that hold weights only.
        weights_key: Where in every checkpoint the weights lie, as a dotted path; None takes the first that fit.
        image_size: Side of the networks' input in pixels; default: what the weights carry.
        resize: Shorter side before the center crop, in pixels; likewise.
        mean: Normalization mean, RGB in [0, 1] units; likewise.
        std: Normalization standard deviation; likewise.
        channels: The order in which the networks take the color channels, ``"rgb"`` or ``"bgr"``; default: likewise.
        images_per_class: Take this many images of each class of the dataset.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or a torch.device.
        workers: Threads that decode images.
        data_root: Where ``imagenet`` lies.
        split: The part of the dataset, such as ``"val"``; None takes ``val``, else ``test``, where it has parts.
        download: Fetch a named dataset that is not on disk.
        weights_only: Read tensors alone, and refuse every program: TorchScript, ``.pt2``, ``python:``, whole modules.
            The environment variable CUESENSE_WEIGHTS_ONLY=1 says the same for all calls.
        allow_code: Let programs run that the list of runs names (TorchScript, ``.pt2``, ``python:``): without, only a
            program that the caller names runs.
        allow_nondeterministic: Also take features of networks that are no functions of one image, and say so.
        engine: ``"local"`` fits heads in this process, ``"ray"`` in the workers of a Ray cluster, each those of one
            checkpoint at a time, or of one that is started on this machine for the time of the run (``docs/scale.md``).
        ray_address: Where the cluster is, as for ``ray.init``; None takes RAY_ADDRESS, else starts one here.
        ray_workers: How many workers there are; None takes as many as there are GPUs, or cores.
        gpus_per_worker: GPUs of each worker, 0.5 for two workers on a GPU; None takes one where there are any.
        restart: Throw away predictions that are there.
        progress: Called with (images whose features are known, images in all); None shows a bar in a terminal and a
            notebook, False none.

    Returns:
        The audit of the downstream classes, also written to the output folder.

    Raises:
        CuesenseError: Something given is wrong; the sentence says what to do. Predictions that were kept stay.
    """
    check_fraction(tolerance, "--tolerance")
    check_fraction(confidence, "--confidence", low=0.5)
    folder, known = None if output is None else path_of(output, "--output"), read_profile(profile)
    check_output(folder)
    listed = read_runs(Path(runs), regularizer=regularizer, order=order, arch=arch)
    images = ImageOptions(image_size, resize, mean, std, channels)
    cluster = ray_engine(engine, ray_address, ray_workers, gpus_per_worker, str(device))
    here = device_here(cluster, str(device))
    run = run_options(here, workers=workers, allow_nondeterministic=allow_nondeterministic)
    test = images_of(dataset, DatasetOptions(data_root, split, download), images_per_class)
    fitted = None if train is None else load_images(train, DatasetOptions(data_root, None, download), for_training=True)
    task = _Task(
        test=CachedDataset(test),
        train=None if fitted is None else CachedDataset(fitted),
        images=images,
        run=run,
        trust=Trust(weights_only, allow_code),
        weights_key=weights_key,
    )
    _refuse(task)
    with locked(folder):
        with connected(cluster, run, default_batch=True) as shared, watched(progress, "reading features") as advance:
            task = replace(task, run=shared)
            found, dependences = _predict_all(listed, task, _store(folder, restart=restart), advance)
        predicted = np.stack([one.predicted for one in found]).astype(np.int32)
        source = {
            "runs": str(runs),
            "models": len(listed.models),
            "dataset": test.spec,
            "images": len(found[0].labels),
            "fingerprint": test.fingerprint,
            "train": "five folds of the dataset" if fitted is None else fitted.spec,
        }
        sweep = sweep_of(listed, test.class_names, found[0].labels, predicted, test.class_names)
        names = ClassMap(test.class_names, test.class_names, range(len(test.class_names)))
        shown = {f"'{model}'": (one.labels, one.predicted) for model, one in zip(listed.models, found, strict=True)}
        order = check_runs(shown, names)
        said = dependence_remarks(list(zip(listed.models, dependences, strict=True)))
        audit = build_audit(
            replace(sweep, remarks=(*said, *order, *sweep.remarks, *_remarks(found[0], test))),
            tolerance=tolerance,
            confidence=confidence,
            source=source,
            cues=cues_of(known),
            similarity=_similarity(listed, found),
        )
        return write_audit(audit, known, folder)


def _remarks(found: _HeadPredictions, test: Dataset) -> tuple[str, ...]:
    """Return what the user should know of the images that heads are tested on."""
    labels, ids = np.array(test.labels), test.sample_ids
    return (
        *unreadable_remark(len(found.readable), len(test)),
        *remarks_of(test),
        *copy_remarks(
            found.digests, labels[found.readable], [ids[index] for index in found.readable], test.class_names
        ),
        *trained_remark(found.shared, [ids[index] for index in found.positions], "--dataset"),
    )


def _refuse(task: _Task) -> None:
    """Refuse too few images to fit on, other classes, and tests on what was fitted on."""
    fitted = task.test if task.train is None else task.train
    counts = np.bincount(np.array(fitted.labels), minlength=len(fitted.class_names))
    if counts.min() < _FEWEST:
        got = f"{counts.min()} of '{fitted.class_names[int(counts.argmin())]}'"
        what = "--dataset" if task.train is None else "--train"
        to_be, do = f"{_FEWEST} images of each class at least", "Add images, or give --train"
        raise DatasetError(expected(what, to_be, got, do))
    if task.train is not None:
        match_names(task.train, task.test.class_names, "--train")
        if task.train.fingerprint == task.test.fingerprint:
            do = "Leave out --train to fit on some of the images and test on the others"
            raise DatasetError(expected("--train", "other images than --dataset", "the same", do))


def _store(folder: Path | None, *, restart: bool) -> ArrayStore | None:
    if folder is None:
        return None
    # The settings that a head depends on are in its file's name, so that heads of several tasks are kept.
    settings = {"cuesense": version("cuesense"), "job": "transfer"}
    return ArrayStore.open(folder / FOLDER, settings, _PATTERN, _ARRAYS, restart=restart, made_of_it=FILES[::-1])


class _Head(NamedTuple):
    """The head of one checkpoint.

    Attributes:
        file: The file that keeps its predictions.
        dependence: What else than one image the network's outputs depend on, in words, or None.
        predictions: Its predictions; None where they are kept already.
    """

    file: str
    dependence: str | None
    predictions: _HeadPredictions | None


def _predict_all(
    runs: Runs, task: _Task, store: ArrayStore | None, progress: Progress
) -> tuple[list[_HeadPredictions], list[str | None]]:
    """Return the predictions of every checkpoint, and what else than one image its outputs depend on."""
    kept = set() if store is None else store.whole
    heads = _heads_here(runs, task, kept, progress) if task.run.ray is None else _heads_on_ray(runs, task, kept)
    found: dict[int, tuple[_HeadPredictions, str | None]] = {}
    with closing(heads):
        for number, head in heads:
            if store is not None and head.predictions is not None:
                store.write(head.file, vars(head.predictions))
            found[number] = _predictions(head, store), head.dependence
            progress(len(found) * task.length, len(runs.models) * task.length)
    ordered = [found[number] for number in range(len(runs.models))]
    return [predictions for predictions, _ in ordered], [dependence for _, dependence in ordered]


def _predictions(head: _Head, store: ArrayStore | None) -> _HeadPredictions:
    if head.predictions is not None:
        return head.predictions
    if store is None:
        raise ValueError("a head without predictions where none are kept")
    return _HeadPredictions(**store.read(head.file, _ARRAYS))


def _heads_here(runs: Runs, task: _Task, kept: Set[str], progress: Progress) -> Generator[tuple[int, _Head]]:
    total = len(runs.models) * task.length
    for number in range(len(runs.models)):

        def advance(done: int, start: int = number * task.length) -> None:
            progress(start + done, total)

        yield number, _head(number, runs, task, kept, advance)


def _heads_on_ray(runs: Runs, task: _Task, kept: Set[str]) -> Generator[tuple[int, _Head]]:
    """Yield the heads with their checkpoints' numbers as Ray's workers end them."""
    from cuesense.inference.ray_pool import Pool

    if task.run.ray is None:
        raise ValueError("a task without workers of Ray")
    # An environment variable of this process may forbid programs; workers have others.
    trust = replace(task.trust, weights_only=task.trust.strict)
    sent = replace(task, run=replace(task.run, ray=None), trust=trust)
    with closing(Pool(partial(_head_fitter, runs, sent, frozenset(kept)), task.run.ray)) as pool:
        yield from pool.results(range(len(runs.models)))


def _head_fitter(runs: Runs, task: _Task, kept: Set[str]) -> Callable[[int], _Head]:
    return lambda number: _head(number, runs, task, kept, _ignore)


def _ignore(_done: int) -> None:
    """Take no notice of progress: of workers whole checkpoints are counted."""


def _head(number: int, runs: Runs, task: _Task, kept: Set[str], advance: Callable[[int], None]) -> _Head:
    """Return the head of a checkpoint by its number; advance is called with the images whose features are known."""
    model = runs.models[number]
    trust = task.trust.named_in(runs.listed_in, arch=runs.own_archs[number])
    with naming(model):
        arch = arch_of(model, runs.archs[number])
        classifier = load_classifier(model, arch=arch, images=task.images, trust=trust, weights_key=task.weights_key)
        tried = probe(classifier, task.test, task.run)
        classifier = tried.applied(classifier)
        file = f"run-{_digest(classifier, task)}.npz"
        predictions = None if file in kept else _predict_one(classifier, task, advance)
    return _Head(file, tried.dependence, predictions)


def _digest(classifier: Classifier, task: _Task) -> str:
    settings = {
        "head predictions version": _VERSION,
        "weights": classifier.sha256 or weights_digest(classifier.network),
        "architecture": classifier.architecture,
        "preprocessing": preprocessing_values(classifier),
        "dataset": task.test.fingerprint,
        "train": None if task.train is None else task.train.fingerprint,
    } | weights_settings(classifier)
    return digest(settings)


def _predict_one(classifier: Classifier, task: _Task, advance: Any) -> _HeadPredictions:
    network = classifier.network
    if not isinstance(network, nn.Module) or is_program(network):
        do = "Give its weights as a state dict with --arch"
        raise ModelError(expected("the checkpoints", "networks whose features can be seen", classifier.spec, do))
    network.to(task.run.device)
    classes = len(task.test.class_names)
    test, readable, tested = _features(network, classifier, task.test, task, advance)
    # Copies in two folds would be fitted on and tested on.
    counted = counted_once(tested, np.array(task.test.labels)[readable])
    test, positions = test[torch.from_numpy(counted)], readable[counted]
    labels = torch.tensor(task.test.labels)[positions]
    shared = np.zeros(len(positions), dtype=bool)
    if task.train is None:
        predicted = cross_validated_predictions(test, labels, classes)
    else:
        later = len(task.test)
        seen, rows, fitted = _features(network, classifier, task.train, task, lambda done: advance(later + done))
        shared = trained_on(tested[counted], set(fitted.tolist()))
        refuse_shared(shared, "--dataset")
        numbers = torch.tensor(match_names(task.train, task.test.class_names, "--train"))
        predicted = fit_and_predict(seen, numbers[torch.tensor(task.train.labels)[rows]], test, classes)
    means = np.stack([test[labels == index].double().mean(dim=0).numpy() for index in range(classes)])
    return _HeadPredictions(labels.numpy(), positions, predicted, means, readable, tested, shared)


def _features(
    network: nn.Module, classifier: Classifier, dataset: Dataset, task: _Task, advance: Any
) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """Return the features of all images that can be read, their indices, and hashes of their pixels."""
    preprocessing = classifier.preprocessing

    def decode(index: int) -> np.ndarray | None:
        try:
            return resize_and_crop(dataset[index].image, preprocessing)
        except UnreadableImageError:
            return None

    parts: list[Tensor] = []
    indices: list[int] = []
    digests: list[np.ndarray] = []
    with ThreadPoolExecutor(task.run.workers) as pool:
        for start in range(0, len(dataset), _CHUNK):
            rows = range(start, min(start + _CHUNK, len(dataset)))
            decoded = dict(zip(rows, pool.map(decode, rows), strict=True))
            known = {row: image for row, image in decoded.items() if image is not None}
            if known:
                pixels = torch.from_numpy(np.stack(list(known.values())))
                images = Images(pixels, torch.zeros(len(known)), preprocessing.mean, preprocessing.std)
                parts.append(features(network, images, lambda batch, _: batch, task.run.device))
                indices += list(known)
                digests.append(pixel_digests(pixels))
            advance(rows[-1] + 1)
    # The same share as for an analysis: with more missing the accuracies would be of another dataset.
    lost = len(dataset) - len(indices)
    if lost > UNREADABLE_LIMIT * len(dataset):
        got = f"{lost} of {len(dataset)} that are not"
        to_be = "readable, 95 % of its images at least"
        raise DatasetError(expected(f"'{dataset.spec}'", to_be, got, "Remove or replace these files"))
    return torch.cat(parts), np.array(indices), np.concatenate(digests)


def _similarity(runs: Runs, found: list[_HeadPredictions]) -> Floats:
    """Return the cosines between classes' mean features, on the mean over the runs of the mildest strength, (C, C)."""
    means = [one.means for one, strength in zip(found, runs.strength_of, strict=True) if strength == 0]
    mean: Floats = np.mean([cosines(rows) for rows in means], axis=0)
    return mean
