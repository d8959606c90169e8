"""Run the checkpoints of a sweep on the same images, and keep each checkpoint's predictions so that a run goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from cuesense.arrays import Floats
from cuesense.atomic_files import digest, remove_file
from cuesense.datasets.cached import CachedDataset
from cuesense.datasets.left_out import remarks_of
from cuesense.datasets.load import DatasetOptions
from cuesense.datasets.subset import subset
from cuesense.datasets.value_range import range_remarks
from cuesense.errors import DatasetError, ModelError, SettingsError, expected, naming
from cuesense.inference.class_outputs import settle
from cuesense.inference.engine import predict, weights_digest
from cuesense.inference.loading import dataset_of, load_matched, outputs_named, preprocessing_values
from cuesense.inference.options import RunOptions
from cuesense.inference.probe import dependence_remarks, kind_settings, probe
from cuesense.models.load import load_classifier
from cuesense.models.preprocessing import AS_CARRIED, ImageOptions
from cuesense.models.trust import OWN_WORD, Trust
from cuesense.predictions.copies import copy_remarks, counted_once
from cuesense.predictions.label_order import check_runs
from cuesense.predictions.outcomes import ImageColumns
from cuesense.predictions.predictions import ClassMap
from cuesense.predictions.shards import SHARD_VERSION, OutcomeStore
from cuesense.sweeps.accepted_labels import read_accepted
from cuesense.sweeps.rivals import cosines
from cuesense.sweeps.run_list import Runs, sweep_of
from cuesense.sweeps.sweep import Sweep, unreadable_remark
from cuesense.types import Classifier, ClassNames, Condition, Dataset, Progress, no_progress
from cuesense.validation import whole_number

# The folder's name is part of what users find in an output folder: it stays.
FOLDER = "answers"


@dataclass(frozen=True)
class CheckpointOptions:
    """How all checkpoints of a sweep are loaded and run.

    Attributes:
        run: Device, batch size, precision and workers.
        images: How images are prepared, where the weights should not decide.
        class_names: Names of the models' outputs in their order; None takes the dataset's classes.
        weights_key: Where in every checkpoint the weights lie, as a dotted path; None takes the first that fit.
        trust: Whether programs run that the list of runs names.
        made_of_it: Names of the files in the output folder that are made of the predictions: a restart deletes them.
    """

    run: RunOptions
    images: ImageOptions = AS_CARRIED
    class_names: str | Path | Sequence[str] | ClassNames | None = None
    trust: Trust = OWN_WORD
    weights_key: str | None = None
    made_of_it: tuple[str, ...] = ()


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


@dataclass(frozen=True)
class _SingleCheckpoint:
    """The predictions of one checkpoint for the N images that can be read.

    Attributes:
        images: Labels of the images, their positions in the sorted ids of the dataset, and hashes of their pixels.
        predicted: Output that was predicted for it, (N,).
        outputs: The output of each class, length C.
        output_names: Names of the K outputs.
        class_names: Names of the C classes.
        directions: Weights of each output in the last layer, (K, D), or None.
        dependence: What else than one image the network's outputs depend on, in words, or None.
        said: How the order of its outputs was found out, where that was not known, in sentences.
    """

    images: ImageColumns
    predicted: np.ndarray
    outputs: tuple[int, ...]
    output_names: tuple[str, ...]
    class_names: tuple[str, ...]
    directions: Floats | None
    dependence: str | None = None
    said: tuple[str, ...] = ()


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
    found: list[_SingleCheckpoint] = []
    dataset = CachedDataset(dataset)
    for number, (model, arch) in enumerate(zip(runs.models, runs.archs, strict=True)):
        trust = options.trust.named_in(runs.listed_in, arch=any(runs.own_archs[number : number + 1]))
        with naming(model):
            found.append(
                _predict_one(
                    model,
                    arch,
                    dataset,
                    replace(options, trust=trust),
                    folder,
                    restart=restart,
                    progress=_part(progress, number, len(runs.models)),
                )
            )
        _refuse_other(found[0], found[-1], runs.models[0], model)
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


def _part(progress: Progress, number: int, count: int) -> Progress:
    """Return what reports the progress of one of several equally long runs."""
    return lambda done, total: progress(number * total + done, count * total)


def _predict_one(
    model: str,
    arch: str | None,
    dataset: Dataset,
    options: CheckpointOptions,
    folder: Path | None,
    *,
    restart: bool,
    progress: Progress,
) -> _SingleCheckpoint:
    usable = arch if Path(model).is_file() else None
    classifier, outputs, shown = load_matched(
        model,
        dataset,
        arch=usable,
        class_names=options.class_names,
        images=options.images,
        trust=options.trust,
        weights_key=options.weights_key,
    )
    tried = probe(classifier, dataset, options.run)
    loaded = tried.applied(classifier)
    classifier, outputs = settle(loaded, dataset, outputs, tried.output_count, options.run)
    store = _store(classifier, options, folder, restart=restart)
    outcomes = predict(classifier, dataset, outputs, [Condition()], store, options.run, progress)
    names = classifier.class_names.names if classifier.class_names else shown
    return _SingleCheckpoint(
        images=outcomes.images,
        predicted=next(outcomes.conditions([0])).predicted.astype(np.int64),
        outputs=outputs,
        output_names=names,
        class_names=shown,
        directions=_directions(classifier.network, len(names)),
        dependence=tried.dependence,
        said=tuple(text for text in classifier.assumptions if text not in loaded.assumptions),
    )


def _store(classifier: Classifier, options: CheckpointOptions, folder: Path | None, *, restart: bool) -> OutcomeStore:
    if folder is None:
        return OutcomeStore()
    settings = {
        "cuesense": version("cuesense"),
        "shard version": SHARD_VERSION,
        "architecture": classifier.architecture,
        "weights": classifier.sha256 or weights_digest(classifier.network),
        "preprocessing": preprocessing_values(classifier),
        "precision": options.run.precision,
    } | kind_settings(classifier)
    # Only where predictions of ours are: other files of these names may be somebody else's.
    if restart and any((folder / FOLDER).rglob("settings.json")):
        for name in options.made_of_it:
            remove_file(folder / name)
    return OutcomeStore.open(folder / FOLDER / digest(settings), settings, restart=restart)


def _refuse_other(first: _SingleCheckpoint, other: _SingleCheckpoint, model: str, than: str) -> None:
    if first.output_names != other.output_names or first.class_names != other.class_names:
        got = f"{len(other.output_names)} outputs in '{than}' and {len(first.output_names)} in '{model}'"
        do = "Audit networks of the same classes in the same order"
        raise ModelError(expected("the checkpoints", "about the same classes", got, do))
    if not np.array_equal(first.images.positions, other.images.positions):
        got = f"other readable images in the run of '{than}' than in that of '{model}'"
        raise DatasetError(expected("the dataset", "the same for all checkpoints", got, "Give --restart"))


def _classes_first(checkpoint: _SingleCheckpoint) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the new index of every output when the dataset's classes come first, and the names in that order."""
    rest = sorted(set(range(len(checkpoint.output_names))) - set(checkpoint.outputs))
    index = np.empty(len(checkpoint.output_names), dtype=np.int64)
    index[[*checkpoint.outputs, *rest]] = np.arange(len(index))
    return index, (*checkpoint.class_names, *(checkpoint.output_names[output] for output in rest))


def _directions(network: Callable[..., Any], outputs: int) -> Floats | None:
    """Return the rows of a network's last linear layer, (K, D), None where it has none of as many outputs."""
    if not isinstance(network, nn.Module):
        return None
    linear = [
        module for module in network.modules() if isinstance(module, nn.Linear) and module.out_features == outputs
    ]
    return linear[-1].weight.detach().double().cpu().numpy() if linear else None


def _similarity(found: list[_SingleCheckpoint], runs: Runs, order: np.ndarray) -> Floats | None:
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
