"""Run the checkpoints of a sweep on the same images, and keep each checkpoint's predictions so that a run goes on."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from cuesense.arrays import Floats
from cuesense.atomic_files import remove_file
from cuesense.datasets.cached import CachedDataset
from cuesense.datasets.left_out import remarks_of
from cuesense.datasets.load import DatasetOptions
from cuesense.datasets.subset import subset
from cuesense.datasets.value_range import range_remarks
from cuesense.errors import DatasetError, ModelError, SettingsError, expected, naming
from cuesense.inference.loading import dataset_of, outputs_named
from cuesense.inference.one_checkpoint import FOLDER, CheckpointOptions, CheckpointResult, Checkpoints, store_folder
from cuesense.inference.probe import dependence_remarks
from cuesense.models.load import load_classifier
from cuesense.models.trust import OWN_WORD, Trust
from cuesense.predictions.copies import copy_remarks, counted_once
from cuesense.predictions.label_order import check_runs
from cuesense.predictions.predictions import ClassMap
from cuesense.predictions.shards import OutcomeStore
from cuesense.sweeps.accepted_labels import read_accepted
from cuesense.sweeps.rivals import cosines
from cuesense.sweeps.run_list import Runs, sweep_of
from cuesense.sweeps.sweep import Sweep, unreadable_remark
from cuesense.types import ClassNames, Dataset, Progress, no_progress
from cuesense.validation import whole_number


@dataclass(frozen=True)
class CheckpointPredictions:
    """The predictions of all checkpoints.

    Attributes:
        sweep: Every run's predictions and accuracies.
        similarity: Cosines between the directions of the K outputs in the last layer, (K, K); None where the networks
            do not show them.
        sample_ids: The id of each of N images, of copies of an image under one label only the first.
        source: What the images are, as JSON values.
    """

    sweep: Sweep
    similarity: Floats | None
    sample_ids: tuple[str, ...]
    source: dict[str, Any]


def predict_checkpoints(
    runs: Runs,
    dataset: Dataset,
    options: CheckpointOptions,
    folder: Path | None,
    *,
    restart: bool = False,
    progress: Progress = no_progress,
) -> CheckpointPredictions:
    """Run every checkpoint on every image, as far as that was not done before.

    Args:
        runs: The checkpoints.
        dataset: The N images of C classes.
        options: How they are read and run.
        folder: Where predictions are kept, each run's in a folder of its own; None keeps them in memory.
        restart: Throw away predictions that are there.
        progress: Called with (images done, images in all) over all runs.

    Raises:
        CuesenseError: A checkpoint cannot be read or its outputs do not fit the dataset's classes, or recognize them in
            another order, checkpoints have different outputs, or the folder cannot be written.
    """
    checkpoints = Checkpoints(runs, CachedDataset(dataset), options)
    found: list[CheckpointResult] = []
    with closing(_results(checkpoints, folder, restart=restart, progress=progress)) as results:
        for model, one in zip(runs.models, results, strict=True):
            found.append(one)
            _refuse_other(found[0], one, runs.models[0], model)
    shown = {
        f"'{model}'": (one.images.labels, one.predicted) for model, one in zip(_short(runs.models), found, strict=True)
    }
    depending = dependence_remarks([(model, one.dependence) for model, one in zip(runs.models, found, strict=True)])
    order_remarks = check_runs(shown, ClassMap(found[0].class_names, found[0].output_names, found[0].outputs))
    order, names = _classes_first(found[0])
    # Checkpoints may see other parts of the same images: the first one's pixels decide what is a copy, for all.
    images = found[0].images
    counted = np.flatnonzero(counted_once(images.digests, images.labels))
    predicted = np.stack([order[one.predicted[counted]] for one in found]).astype(np.int32)
    sweep = sweep_of(runs, found[0].class_names, images.labels[counted], predicted, names)
    known = sorted(dataset.sample_ids)
    ids = [known[position] for position in images.positions]
    said = (
        *unreadable_remark(len(ids), len(dataset)),
        *remarks_of(dataset),
        *copy_remarks(images.digests, images.labels, ids, found[0].class_names),
        *range_remarks(images.largest, images.white),
    )
    # All checkpoints have the same outputs, so what was found out of the first one's order holds for all.
    said = (*found[0].said, *said)
    sweep = replace(sweep, remarks=(*depending, *order_remarks, *sweep.remarks, *said))
    source = {"dataset": dataset.spec, "images": len(counted), "fingerprint": dataset.fingerprint}
    return CheckpointPredictions(sweep, _similarity(found, runs, order), tuple(ids[row] for row in counted), source)


def _short(models: Sequence[str]) -> list[str]:
    """Return the models by their files' names, or whole where two have the same."""
    short = [Path(model).name for model in models]
    return short if len(set(short)) == len(short) else list(models)


def _results(
    checkpoints: Checkpoints, folder: Path | None, *, restart: bool, progress: Progress
) -> Generator[CheckpointResult]:
    """Yield the result of one checkpoint after the other, from Ray's workers where the options say so."""

    def store_of(settings: Mapping[str, Any]) -> OutcomeStore:
        return _store(settings, checkpoints.options, folder, restart=restart)

    if checkpoints.options.run.ray is None:
        return _results_here(checkpoints, store_of, progress)
    from cuesense.inference.ray_checkpoints import results_on_ray

    return results_on_ray(checkpoints, None if restart else folder, store_of, progress)


def _results_here(
    checkpoints: Checkpoints, store_of: Callable[[Mapping[str, Any]], OutcomeStore], progress: Progress
) -> Generator[CheckpointResult]:
    models, run = checkpoints.runs.models, checkpoints.options.run
    for number, model in enumerate(models):
        with naming(model):
            loaded = checkpoints.load(number)
            store = store_of(loaded.settings(run))
            one = loaded.result(checkpoints.dataset, store, run, _part(progress, number, len(models)))
        yield one


def _part(progress: Progress, number: int, count: int) -> Progress:
    """Return what reports the progress of one of several equally long runs."""
    return lambda done, total: progress(number * total + done, count * total)


def _store(
    settings: Mapping[str, Any], options: CheckpointOptions, folder: Path | None, *, restart: bool
) -> OutcomeStore:
    if folder is None:
        return OutcomeStore()
    # Only where predictions of ours are: other files of these names may be somebody else's.
    if restart and any((folder / FOLDER).rglob("settings.json")):
        for name in options.made_of_it:
            remove_file(folder / name)
    return OutcomeStore.open(store_folder(folder, settings), settings, restart=restart)


def _refuse_other(first: CheckpointResult, other: CheckpointResult, model: str, than: str) -> None:
    if first.output_names != other.output_names or first.class_names != other.class_names:
        got = f"{len(other.output_names)} outputs in '{than}' and {len(first.output_names)} in '{model}'"
        do = "Audit networks of the same classes in the same order"
        raise ModelError(expected("the checkpoints", "about the same classes", got, do))
    if not np.array_equal(first.images.positions, other.images.positions):
        got = f"other readable images in the run of '{than}' than in that of '{model}'"
        raise DatasetError(expected("the dataset", "the same for all checkpoints", got, "Give --restart"))


def _classes_first(checkpoint: CheckpointResult) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the new index of every output when the dataset's classes come first, and the names in that order."""
    rest = sorted(set(range(len(checkpoint.output_names))) - set(checkpoint.outputs))
    index = np.empty(len(checkpoint.output_names), dtype=np.int64)
    index[[*checkpoint.outputs, *rest]] = np.arange(len(index))
    return index, (*checkpoint.class_names, *(checkpoint.output_names[output] for output in rest))


def _similarity(found: list[CheckpointResult], runs: Runs, order: np.ndarray) -> Floats | None:
    # Strong regularization may move the classes themselves: the mildest strength shows which are alike to begin with.
    mildest = [one.directions for one, strength in zip(found, runs.strength_of, strict=True) if strength == 0]
    known = [cosines(rows[np.argsort(order)]) for rows in mildest if rows is not None]
    return np.mean(known, axis=0) if known else None


def images_of(
    dataset: Any,
    options: DatasetOptions,
    images_per_class: int | None,
    class_names: str | Path | Sequence[str] | ClassNames | None = None,
) -> Dataset:
    """Return the images that a sweep is tested on, all or some of each class.

    Args:
        dataset: As for ``dataset_of``.
        options: Likewise.
        images_per_class: At most so many of each class; None takes all.
        class_names: Names of the outputs; the classes of a dataset in memory without names are called so.
    """
    if dataset is None:
        raise SettingsError(expected("--dataset", "given with RUNS", "none", "Name the images to test on"))
    data = dataset_of(dataset, options, outputs_named(class_names))
    return data if images_per_class is None else subset(data, whole_number(images_per_class, "--images-per-class"))


def with_accepted(predictions: CheckpointPredictions, path: str | Path) -> CheckpointPredictions:
    """Return the predictions with the labels that a file counts as right beside an image's own.

    Args:
        predictions: The predictions.
        path: The file (see ``sweeps.accepted_labels.read_accepted``).

    Raises:
        CuesenseError: The file cannot be read, or names images or classes that are not there.
    """
    sweep = predictions.sweep
    if sweep.per_image is None:
        return predictions
    labels, names = sweep.per_image.labels, sweep.per_image.output_names
    accepted = read_accepted(Path(path), predictions.sample_ids, labels, names)
    return replace(predictions, sweep=replace(sweep, per_image=replace(sweep.per_image, accepted=accepted)))


def text_similarity(spec: str, sweep: Sweep, trust: Trust = OWN_WORD) -> Floats:
    """Return the cosines between the text embeddings of the K outputs' names, (K, K).

    Raises:
        ModelError: The spec names no open_clip model, or it cannot be loaded.
    """
    names = sweep.per_image.output_names if sweep.per_image else sweep.class_names
    if not spec.startswith("open_clip:"):
        raise ModelError(expected("--similarity", "open_clip:NAME@TAG_OR_FILE", f"'{spec}'", "Name an open_clip model"))
    network = load_classifier(spec, class_names=ClassNames(names), trust=trust).network
    if not isinstance(network, nn.Module):
        raise ModelError(expected("--similarity", "a network with text embeddings", f"'{spec}'", "Name another"))
    return cosines(network.get_buffer("classes").T.double().numpy())
