"""From what a user names to a network, images and a device that fit each other."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import nn

from cuesense.datasets.classes import check_names, display_names, match_classes, read_class_names
from cuesense.datasets.in_memory import wrap
from cuesense.datasets.load import load_dataset
from cuesense.errors import ModelError, SettingsError, expected
from cuesense.inference.devices import device_of
from cuesense.inference.engine import Engine
from cuesense.models.load import load_classifier, wrap_module
from cuesense.predictions.shards import SHARD_SIZE
from cuesense.types import Classifier, ClassNames, Dataset
from cuesense.validation import whole_number

_CPU_BATCH, _GPU_BATCH = 32, 128
_MOST_WORKERS = 16
_SYNSET = re.compile(r"n\d{8}")


def engine_of(
    device: str | torch.device, batch_size: int | None, precision: str, workers: int | None, seed: int
) -> Engine:
    """Return how a network is run, from a user's options.

    Args:
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or a torch.device.
        batch_size: Images a forward pass, up to 128; None takes 32, on a GPU 128.
        precision: ``"float32"`` or ``"bfloat16"``.
        workers: Threads that decode; None takes one a core, up to 16.
        seed: Seed of every draw.

    Raises:
        SettingsError: One of these is out of range.
    """
    if precision not in ("float32", "bfloat16"):
        raise SettingsError(expected("precision", "float32 or bfloat16", f"'{precision}'", "Choose one of the two"))
    place = device_of(device)
    batch = batch_size if batch_size is not None else (_CPU_BATCH if place == "cpu" else _GPU_BATCH)
    threads = workers if workers is not None else min(_MOST_WORKERS, os.cpu_count() or 1)
    return Engine(
        place,
        whole_number(batch, "--batch-size", highest=SHARD_SIZE),
        cast("Literal['float32', 'bfloat16']", precision),
        whole_number(threads, "--workers"),
        whole_number(seed, "--seed", lowest=None),
    )


def dataset_of(dataset: Any, data_root: str | Path | None) -> Dataset:
    """Return the images that a spec names, or that a torch dataset gives; errors as in ``load_dataset``."""
    if isinstance(dataset, (str, Path)):
        return load_dataset(str(dataset), data_root=None if data_root is None else Path(data_root))
    return wrap(dataset)


def load_matched(
    model: str | Path | nn.Module | Classifier,
    dataset: Dataset,
    *,
    arch: str | None = None,
    class_names: str | Path | Sequence[str] | ClassNames | None = None,
    image_size: int | None = None,
    resize: int | None = None,
    mean: tuple[float, float, float] | None = None,
    std: tuple[float, float, float] | None = None,
) -> tuple[Classifier, tuple[int, ...], tuple[str, ...]]:
    """Load a model and find out which of its outputs answers which class of a dataset.

    Args:
        model: A spec or file, an ``nn.Module`` or a Classifier.
        dataset: The images, of C classes.
        arch: Architecture of a file that holds weights only.
        class_names: Names of the model's outputs in their order; None takes the dataset's classes.
        image_size: Side of the network's input in pixels; this and the next: default is what the weights carry.
        resize: Shorter side before the center crop, in pixels.
        mean: Normalization mean, RGB in [0, 1] units.
        std: Normalization standard deviation, likewise.

    Returns:
        The classifier with the names of its outputs, the output of each class, and a readable name of each class.

    Raises:
        CuesenseError: The model cannot be loaded, or its outputs do not fit the classes.
    """
    names = _names(class_names)
    if names is None and _is_zero_shot(model, arch):
        names = _default_names(dataset)
    return _matched(_classifier(model, arch, names, (image_size, resize, mean, std)), dataset)


def _names(class_names: str | Path | Sequence[str] | ClassNames | None) -> ClassNames | None:
    if class_names is None or isinstance(class_names, ClassNames):
        return class_names
    if isinstance(class_names, (str, Path)):
        return read_class_names(str(class_names))
    names = ClassNames(tuple(map(str, class_names)))
    check_names(names, "the class names")
    return names


def _is_zero_shot(model: str | Path | nn.Module | Classifier, arch: str | None) -> bool:
    return any(str(spec).startswith("open_clip:") for spec in (model, arch) if isinstance(spec, (str, Path)))


def _default_names(dataset: Dataset) -> ClassNames:
    """Name the outputs after the dataset's classes, synsets by their readable names."""
    classes = dataset.class_names
    if not all(_SYNSET.fullmatch(name) for name in classes):
        return ClassNames(classes)
    known = read_class_names("imagenet")
    return ClassNames(tuple(known.names[place] for place in match_classes(classes, known)), classes)


def _classifier(
    model: str | Path | nn.Module | Classifier,
    arch: str | None,
    names: ClassNames | None,
    overrides: tuple[int | None, int | None, tuple[float, float, float] | None, tuple[float, float, float] | None],
) -> Classifier:
    if isinstance(model, Classifier):
        return model if names is None else replace(model, class_names=names)
    image_size, resize, mean, std = overrides
    if isinstance(model, nn.Module):
        return wrap_module(model, class_names=names, image_size=image_size, resize=resize, mean=mean, std=std)
    if not isinstance(model, (str, Path)):
        do = "Wrap it in an nn.Module whose forward calls it"
        raise ModelError(expected("the model", "a file, a spec, an nn.Module or a Classifier", repr(model), do))
    return load_classifier(
        str(model), arch=arch, class_names=names, image_size=image_size, resize=resize, mean=mean, std=std
    )


def _matched(classifier: Classifier, dataset: Dataset) -> tuple[Classifier, tuple[int, ...], tuple[str, ...]]:
    """Return the classifier with names, the output of each class, and the classes' readable names."""
    names = classifier.class_names or _default_names(dataset)
    outputs = match_classes(dataset.class_names, names)
    return replace(classifier, class_names=names), outputs, display_names(dataset.class_names, names, outputs)


def described(classifier: Classifier) -> dict[str, Any]:
    """Return how a classifier's images are prepared, as JSON values."""
    preprocessing = classifier.preprocessing
    size = preprocessing.image_size
    return {
        "image_size": None if size is None else list(size),
        "resize": preprocessing.resize,
        "mean": list(preprocessing.mean),
        "std": list(preprocessing.std),
        "interpolation": preprocessing.interpolation,
    }
