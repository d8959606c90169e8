"""Load the model and the dataset that a user names, and match the model's outputs to the dataset's classes."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from cuesense import registry
from cuesense.datasets.classes import check_names, counted_from_1, display_names, match_classes, read_class_names
from cuesense.datasets.in_memory import refuse_random, wrap
from cuesense.datasets.load import AS_GIVEN, DatasetOptions, load_dataset
from cuesense.datasets.names import composed
from cuesense.datasets.own_size import own_size
from cuesense.datasets.splits import refuse_split
from cuesense.errors import CuesenseError, DatasetError, ModelError, expected, listed, problem_of
from cuesense.inference.which_weights import better_weights
from cuesense.models.file_formats import read
from cuesense.models.load import load_classifier, wrap_module
from cuesense.models.names import is_file
from cuesense.models.preprocessing import AS_CARRIED, ImageOptions
from cuesense.models.spellings import refuse_misspelled
from cuesense.models.trust import OWN_WORD, Trust
from cuesense.types import Classifier, ClassNames, Dataset

_LOG = logging.getLogger(__name__)

_SYNSET = re.compile(r"n\d{8}")
# Outputs that a sentence names before it counts the rest.
_LISTED = 3


def dataset_of(dataset: Any, options: DatasetOptions = AS_GIVEN, default_names: Sequence[str] | None = None) -> Dataset:
    """Return the images that a spec names, or that a torch dataset gives.

    Args:
        dataset: The spec, its path, or the dataset.
        options: Where it lies and which part of it is used; a dataset in memory has no parts.
        default_names: Names of the classes where a dataset in memory has none: label i is the i-th.

    Raises:
        CuesenseError: As for ``load_dataset``, or the images of a dataset in memory depend on chance.
    """
    if isinstance(dataset, (str, Path)):
        return load_dataset(str(dataset), data_root=options.root, split=options.split, download=options.download)
    refuse_split("a dataset in memory", options.split)
    found = wrap(dataset, default_names=default_names)
    refuse_random(found)
    return found


def images_for(
    model: str | Path | nn.Module | Classifier,
    dataset: Any,
    options: DatasetOptions = AS_GIVEN,
    *,
    arch: str | None = None,
    class_names: str | Path | Sequence[str] | ClassNames | None = None,
    trust: Trust = OWN_WORD,
) -> Dataset:
    """Return the images that a model is to be run on; where they are not there, say all that is missing at once.

    Args:
        model: As for ``load_matched``.
        dataset: As for ``dataset_of``.
        options: Likewise.
        arch: As for ``load_matched``.
        class_names: Likewise.
        trust: Likewise.

    Raises:
        CuesenseError: The images cannot be read. What is wrong with the model's file or the class names comes in the
            same answer, so that nobody learns of one thing after the other.
    """
    try:
        given = model.class_names if class_names is None and isinstance(model, Classifier) else class_names
        return dataset_of(dataset, options, outputs_named(given))
    except CuesenseError as error:
        others = [problem_of(lambda: _load_file(model, arch, trust)), problem_of(lambda: _names(class_names))]
        said = [other.for_command_line for other in (*others, error) if other is not None]
        if _is_path(model) and arch is None and _may_be_weights(str(model)):
            said.insert(1, "A file that holds weights only also needs --arch.")
        raise type(error)(" ".join(said)) from error


def outputs_named(class_names: str | Path | Sequence[str] | ClassNames | None) -> tuple[str, ...] | None:
    """Return the names of the outputs; None where none are given, or wrong ones, which ``load_matched`` refuses."""
    given = None if problem_of(lambda: _names(class_names)) is not None else _names(class_names)
    return None if given is None else given.names


def _load_file(model: object, arch: str | None, trust: Trust) -> None:
    """Load a model's file to see whether it can be; what a library would have to fetch first is not tried."""
    if _is_path(model):
        if arch is None or not is_file(str(model)):
            load_classifier(str(model), arch=arch, trust=trust)
            return
        # Whether the weights fit is told once the images are there: a library's import takes seconds.
        refuse_misspelled(None, arch)
        read(Path(str(model)), trust)


def _is_path(model: object) -> bool:
    """Return whether a model is named by a path, as a file of the user's own is, and by no library."""
    # Nothing of onnx: is ever fetched.
    return isinstance(model, (str, Path)) and str(model).partition(":")[0] not in {*registry.names("models")} - {"onnx"}


def _may_be_weights(model: str) -> bool:
    """Return whether what is not there may have been a file of weights: ONNX files hold their networks."""
    there = is_file(model) or Path(model).is_dir()
    return not there and not model.startswith("onnx:") and not model.lower().endswith(".onnx")


def load_matched(
    model: str | Path | nn.Module | Classifier,
    dataset: Dataset,
    *,
    arch: str | None = None,
    class_names: str | Path | Sequence[str] | ClassNames | None = None,
    images: ImageOptions = AS_CARRIED,
    trust: Trust = OWN_WORD,
    weights_key: str | None = None,
) -> tuple[Classifier, tuple[int, ...], tuple[str, ...]]:
    """Load a model and find out which of its outputs stands for which class of a dataset.

    Args:
        model: A spec or file, an ``nn.Module`` or a Classifier.
        dataset: The images, of C classes.
        arch: Architecture of a file that holds weights only.
        class_names: Names of the model's outputs in their order; None takes the dataset's classes.
        images: How images are prepared, where the weights should not decide.
        trust: Who named the model, and whether programs run.
        weights_key: Where in the file the weights lie; None takes those that come first, or others that recognize far
            more of a few images.

    Returns:
        The classifier with the names of its outputs, the output of each class, and a readable name of each class.

    Raises:
        CuesenseError: The model cannot be loaded, or its outputs do not fit the classes.
    """
    names = _names(class_names)
    if names is None and _is_zero_shot(model, arch):
        names = _default_names(dataset)
    # A resizing that is given needs no look at the images.
    own = own_size(dataset) if images.resize is None and isinstance(model, (str, Path)) else None

    def load(key: str | None) -> Classifier:
        return _classifier(model, arch, names, images, trust, own, key)

    classifier, outputs, shown = _matched(load(weights_key), dataset)
    if weights_key is None and classifier.other_weights:
        better = better_weights(classifier, load, dataset, outputs)
        classifier = replace(better, class_names=classifier.class_names, guessed=classifier.guessed)
    return classifier, outputs, shown


def _names(class_names: str | Path | Sequence[str] | ClassNames | None) -> ClassNames | None:
    if class_names is None or isinstance(class_names, ClassNames):
        return class_names
    if isinstance(class_names, (str, Path)):
        return read_class_names(str(class_names))
    names = ClassNames(tuple(composed(str(name)) for name in class_names))
    check_names(names, "the class names")
    return names


def _is_zero_shot(model: str | Path | nn.Module | Classifier, arch: str | None) -> bool:
    return any(str(spec).startswith("open_clip:") for spec in (model, arch) if isinstance(spec, (str, Path)))


def _default_names(dataset: Dataset) -> ClassNames:
    """Name the outputs after the dataset's classes, synsets by their readable names."""
    classes = dataset.class_names
    if not all(_SYNSET.fullmatch(name) for name in classes):
        return ClassNames(tuple(map(composed, classes)))
    known = read_class_names("imagenet")
    return ClassNames(tuple(known.names[index] for index in match_classes(classes, known)), classes)


def _names_in_order(dataset: Dataset) -> ClassNames:
    """Name the outputs after the dataset's classes, also after synsets that ImageNet-1k does not have."""
    try:
        return _default_names(dataset)
    except DatasetError:
        return ClassNames(tuple(dataset.class_names), tuple(dataset.class_names))


def _classifier(
    model: str | Path | nn.Module | Classifier,
    arch: str | None,
    names: ClassNames | None,
    images: ImageOptions,
    trust: Trust,
    own: tuple[int, int] | None,
    weights_key: str | None,
) -> Classifier:
    if isinstance(model, Classifier):
        if names is None:
            return model
        return replace(model, class_names=names, guessed=model.guessed - {"class_names"})
    if isinstance(model, nn.Module):
        return wrap_module(model, class_names=names, images=images)
    if not isinstance(model, (str, Path)):
        do = "Wrap it in an nn.Module whose forward calls it"
        raise ModelError(expected("the model", "a file, a spec, an nn.Module or a Classifier", repr(model), do))
    return load_classifier(
        str(model),
        arch=arch,
        class_names=names,
        images=images,
        trust=trust,
        own_size=own,
        weights_key=weights_key,
    )


def _matched(classifier: Classifier, dataset: Dataset) -> tuple[Classifier, tuple[int, ...], tuple[str, ...]]:
    """Return the classifier with names, the output of each class, and the classes' readable names."""
    names, guessed = classifier.class_names, classifier.guessed
    if names is None:
        names, guessed = _names_in_order(dataset), guessed | {"class_names"}
    outputs = match_classes(dataset.class_names, names)
    shown = display_names(dataset.class_names, names, outputs)
    _LOG.info("model %s (%s): %s", classifier.spec, classifier.architecture, preprocessing_values(classifier))
    if guessed:
        _LOG.info("assumed, because neither the weights nor an option say it: %s", ", ".join(sorted(guessed)))
    assumptions = classifier.assumptions
    if counted_from_1(dataset.class_names, names):
        last, first = len(names.names), f"class '1' for '{names.names[0]}'"
        said = f"The classes are the numbers 1 to {last}: they were taken for the outputs counted from 1, {first}."
        assumptions = (*assumptions, said)
    return replace(classifier, class_names=names, guessed=guessed, assumptions=assumptions), outputs, shown


def preprocessing_values(classifier: Classifier) -> dict[str, Any]:
    """Return how a classifier's images are prepared, as JSON values."""
    preprocessing = classifier.preprocessing
    size = preprocessing.image_size
    # The usual order of the channels, crop and resizer are left out: results from before they were known still go on.
    turned = {} if preprocessing.channels == "rgb" else {"channels": preprocessing.channels}
    turned |= {} if preprocessing.crop == "rounded" else {"crop": preprocessing.crop}
    turned |= {} if preprocessing.resizer == "pillow" else {"resizer": preprocessing.resizer}
    return turned | {
        "image_size": None if size is None else list(size),
        "resize": preprocessing.resize,
        "mean": list(preprocessing.mean),
        "std": list(preprocessing.std),
        "interpolation": preprocessing.interpolation,
    }


def guesses(classifier: Classifier) -> list[str]:
    """Return what was assumed because neither the user nor the weights say it, in sentences."""
    values = preprocessing_values(classifier)
    words = {
        "image_size": f"an image size of {_sides(values['image_size'])} pixels",
        "resize": _resizing(values["resize"]),
        "mean": f"mean {_numbers(values['mean'])}",
        "std": f"standard deviation {_numbers(values['std'])}",
        "interpolation": f"{values['interpolation']} interpolation",
    }
    found = []
    assumed = {name: said for name, said in words.items() if name in classifier.guessed}
    # No option sets the interpolation: alone it is not worth a sentence.
    if assumed.keys() - {"interpolation"}:
        found.append(
            f"Neither the weights nor an option say how images are prepared: assumed {', '.join(assumed.values())}."
        )
    if "class_names" in classifier.guessed and classifier.class_names is not None:
        names = classifier.class_names.names
        shown = listed([f"'{name}'" for name in names], _LISTED)
        found.append(f"Neither the weights nor an option name the {len(names)} outputs: assumed in order {shown}.")
    return found


def _resizing(resize: int | None) -> str:
    return "no crop" if resize is None else f"a shorter side of {resize} pixels before the center crop"


def _sides(size: list[int] | None) -> str:
    return "all" if size is None else " x ".join(map(str, size))


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
