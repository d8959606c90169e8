"""What the checkpoints of a sweep say of a dataset's images: the same images for all, answers kept run by run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cuesense.atomic_files import digest
from cuesense.datasets.cached import CachedDataset
from cuesense.datasets.subset import subset
from cuesense.errors import DatasetError, ModelError, SettingsError, expected
from cuesense.inference.engine import Engine, predict, weights_digest
from cuesense.inference.loading import dataset_of, described, engine_of, load_matched
from cuesense.models.load import load_classifier
from cuesense.predictions.shards import OutcomeStore
from cuesense.sweeps.accepted_labels import read_accepted
from cuesense.sweeps.rivals import cosines
from cuesense.sweeps.run_list import Runs, sweep_of
from cuesense.sweeps.sweep import Floats, Sweep, unreadable_remark
from cuesense.types import Classifier, ClassNames, Condition, Dataset, Progress, no_progress
from cuesense.validation import check_channels, whole_number

FOLDER = "answers"


@dataclass(frozen=True)
class Reading:
    """How checkpoints are read and run.

    Attributes:
        engine: Device, batch size, precision and workers.
        options: What ``load_matched`` takes beside the model: class_names, image_size, resize, mean, std.
    """

    engine: Engine
    options: dict[str, Any]


@dataclass(frozen=True)
class CheckpointPredictions:
    """What all checkpoints say.

    Attributes:
        sweep: Every run's predictions and accuracies.
        similarity: Cosines between the K answers' directions, (K, K); None where they cannot be seen.
        sample_ids: The id of each of N images.
        source: What the images are, as JSON values.
    """

    sweep: Sweep
    similarity: Floats | None
    sample_ids: tuple[str, ...]
    source: dict[str, Any]


@dataclass(frozen=True)
class _OneCheckpoint:
    """What one checkpoint says: outputs (N,), its classes' outputs, names of all outputs, directions of them."""

    labels: np.ndarray
    positions: np.ndarray
    predicted: np.ndarray
    outputs: tuple[int, ...]
    output_names: tuple[str, ...]
    class_names: tuple[str, ...]
    directions: Floats | None


def predict_checkpoints(
    runs: Runs,
    dataset: Any,
    *,
    accepted: str | Path | None,
    similarity: str | None,
    folder: Path | None,
    class_names: str | Path | Sequence[str] | ClassNames | None,
    image_size: int | None,
    resize: int | None,
    mean: tuple[float, float, float] | None,
    std: tuple[float, float, float] | None,
    images_per_class: int | None,
    batch_size: int | None,
    device: str | torch.device,
    workers: int | None,
    data_root: str | Path | None,
    restart: bool,
    progress: Progress,
) -> CheckpointPredictions:
    """Ask the checkpoints of a sweep as a user wants it; arguments and errors are those of ``cuesense.audit``."""
    data = images_of(dataset, data_root, images_per_class)
    options = {
        "class_names": class_names,
        "image_size": image_size,
        "resize": resize,
        "mean": check_channels(mean, "--mean"),
        "std": check_channels(std, "--std"),
    }
    reading = Reading(engine_of(device, batch_size, "float32", workers, 0), options)
    said = predict_runs(runs, data, reading, folder, restart=restart, progress=progress)
    if similarity is not None:
        said = replace(said, similarity=text_similarity(similarity, said.sweep))
    return said if accepted is None else replace(said, sweep=_with_accepted(said, Path(accepted)))


def predict_runs(
    runs: Runs,
    dataset: Dataset,
    reading: Reading,
    folder: Path | None,
    *,
    restart: bool = False,
    progress: Progress = no_progress,
) -> CheckpointPredictions:
    """Ask every checkpoint about every image, as far as that was not done before.

    Args:
        runs: The checkpoints.
        dataset: The N images of C classes.
        reading: How they are read and run.
        folder: Where answers are kept, each run's in a folder of its own; None keeps them in memory.
        restart: Throw away answers that are there.
        progress: Called with (images asked about, images in all) over all runs.

    Raises:
        CuesenseError: A checkpoint cannot be read or its outputs do not fit the dataset's classes, checkpoints have
            different outputs, or the folder cannot be written.
    """
    found: list[_OneCheckpoint] = []
    dataset = CachedDataset(dataset)
    for place, (model, arch) in enumerate(zip(runs.models, runs.archs, strict=True)):
        found.append(
            _predict_one(
                model,
                arch,
                dataset,
                reading,
                folder,
                restart=restart,
                progress=_part(progress, place, len(runs.models)),
            )
        )
        _refuse_other(found[0], found[-1], runs.models[0], model)
    order, names = _answer_order(found[0])
    predicted = np.stack([order[one.predicted] for one in found]).astype(np.int32)
    sweep = sweep_of(runs, found[0].class_names, found[0].labels, predicted, names)
    ids = sorted(dataset.sample_ids)
    named = tuple(ids[place] for place in found[0].positions)
    sweep = replace(sweep, remarks=sweep.remarks + unreadable_remark(len(named), len(dataset)))
    source = {"dataset": dataset.spec, "images": len(named), "fingerprint": dataset.fingerprint}
    return CheckpointPredictions(sweep, _similarity(found, runs, order), named, source)


def _part(progress: Progress, place: int, count: int) -> Progress:
    return lambda done, total: progress(place * total + done, count * total)


def _predict_one(
    model: str,
    arch: str | None,
    dataset: Dataset,
    reading: Reading,
    folder: Path | None,
    *,
    restart: bool,
    progress: Progress,
) -> _OneCheckpoint:
    usable = arch if Path(model).is_file() else None
    classifier, outputs, shown = load_matched(model, dataset, arch=usable, **reading.options)
    store = _store(classifier, dataset, outputs, reading, folder, restart=restart)
    shards = predict(classifier, dataset, outputs, [Condition()], store, reading.engine, progress)
    names = classifier.class_names.names if classifier.class_names else shown
    return _OneCheckpoint(
        labels=store.labels(shards),
        positions=store.positions(shards),
        predicted=next(store.conditions(shards, [0])).predicted.astype(np.int64),
        outputs=outputs,
        output_names=names,
        class_names=shown,
        directions=_directions(classifier.network, len(names)),
    )


def _store(
    classifier: Classifier,
    dataset: Dataset,
    outputs: tuple[int, ...],
    reading: Reading,
    folder: Path | None,
    *,
    restart: bool,
) -> OutcomeStore:
    if folder is None:
        return OutcomeStore()
    settings = {
        "cuesense": version("cuesense"),
        "architecture": classifier.architecture,
        "weights": classifier.sha256 or weights_digest(classifier.network),
        "preprocessing": described(classifier),
        "dataset": dataset.fingerprint,
        "outputs": list(outputs),
        "precision": reading.engine.precision,
    }
    return OutcomeStore.open(folder / FOLDER / digest(settings), settings, restart=restart)


def _refuse_other(first: _OneCheckpoint, other: _OneCheckpoint, model: str, than: str) -> None:
    if first.output_names != other.output_names or first.class_names != other.class_names:
        got = f"{len(other.output_names)} outputs in '{than}' and {len(first.output_names)} in '{model}'"
        do = "Audit networks of the same classes in the same order"
        raise ModelError(expected("the checkpoints", "about the same classes", got, do))
    if not np.array_equal(first.positions, other.positions):
        got = f"other images that can be read for '{than}' than for '{model}'"
        raise DatasetError(expected("the dataset", "the same for all checkpoints", got, "Give --restart"))


def _answer_order(answer: _OneCheckpoint) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the place of every output among the answers, classes first, and the answers' names."""
    rest = sorted(set(range(len(answer.output_names))) - set(answer.outputs))
    place = np.empty(len(answer.output_names), dtype=np.int64)
    place[[*answer.outputs, *rest]] = np.arange(len(place))
    return place, (*answer.class_names, *(answer.output_names[output] for output in rest))


def _directions(network: Callable[..., Any], outputs: int) -> Floats | None:
    """Return the rows of a network's last linear layer, (K, D), None where it has none of as many outputs."""
    if not isinstance(network, nn.Module):
        return None
    linear = [
        module for module in network.modules() if isinstance(module, nn.Linear) and module.out_features == outputs
    ]
    return linear[-1].weight.detach().double().cpu().numpy() if linear else None


def _similarity(found: list[_OneCheckpoint], runs: Runs, order: np.ndarray) -> Floats | None:
    mildest = [one.directions for one, place in zip(found, runs.strength_of, strict=True) if place == 0]
    known = [cosines(rows[np.argsort(order)]) for rows in mildest if rows is not None]
    return np.mean(known, axis=0) if known else None


def images_of(dataset: Any, data_root: str | Path | None, images_per_class: int | None) -> Dataset:
    """Return the images that a sweep is tested on, all or some of each class."""
    if dataset is None:
        raise SettingsError(expected("--dataset", "given with RUNS", "none", "Name the images to test on"))
    data = dataset_of(dataset, data_root)
    return data if images_per_class is None else subset(data, whole_number(images_per_class, "--images-per-class"))


def _with_accepted(said: CheckpointPredictions, path: Path) -> Sweep:
    pictures = said.sweep.pictures
    if pictures is None:
        return said.sweep
    accepted = read_accepted(path, said.sample_ids, pictures.labels, pictures.answers)
    return replace(said.sweep, pictures=replace(pictures, accepted=accepted))


def text_similarity(spec: str, sweep: Sweep) -> Floats:
    """Return the cosines between the text embeddings of the K answers' names, (K, K).

    Raises:
        ModelError: The spec names no open_clip model, or it cannot be loaded.
    """
    names = sweep.pictures.answers if sweep.pictures else sweep.class_names
    if not spec.startswith("open_clip:"):
        raise ModelError(expected("--similarity", "open_clip:NAME@TAG_OR_FILE", f"'{spec}'", "Name an open_clip model"))
    network = load_classifier(spec, class_names=ClassNames(names)).network
    if not isinstance(network, nn.Module):
        raise ModelError(expected("--similarity", "a network with text embeddings", f"'{spec}'", "Name another"))
    return cosines(network.get_buffer("classes").T.double().numpy())
