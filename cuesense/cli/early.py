"""What is wrong with a command's names is said before torch is imported, and all of it in one answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cuesense.datasets.classes import read_class_names
from cuesense.datasets.load import DatasetOptions, load_dataset, refuse_missing
from cuesense.errors import CuesenseError, problem_of
from cuesense.models.first_bytes import kind_of, reading
from cuesense.models.names import is_file
from cuesense.models.spellings import refuse_misspelled

# A file of so few bytes is read twice without harm, so that one that is no list of images is refused here. Chosen by
# hand: a table of 10,000 images has a megabyte.
_SMALL = 1 << 20
# A folder of a hub's model is named by one of its files, of which this one is no model.
_CONFIG = "config.json"


def refuse_early(
    model: str, arch: str | None, dataset: str, where: DatasetOptions, class_names: str | None = None
) -> None:
    """Raise where a model, an architecture or a dataset does not exist, or the model's file is of another kind.

    Args:
        model: What is given as MODEL; of a file, the first bytes are looked at.
        arch: What is given as ``--arch``.
        dataset: What is given as ``--dataset``; it is read only where something else is wrong already, or where it is
            a small file.
        where: Where datasets lie; nothing is downloaded for an answer.
        class_names: What is given as ``--class-names``, which is read only where the dataset is wrong.

    Raises:
        CuesenseError: The first thing that is wrong, with sentences about the others.
    """
    checks: list[Callable[[], object]] = [
        lambda: refuse_misspelled(model, None),
        lambda: refuse_misspelled(None, arch),
        lambda: _refuse_file(model),
    ]
    found = [error for check in checks if (error := problem_of(check)) is not None]
    if found:
        raise _all_in_one(found, model, arch, dataset, where)
    if not _may_be_weights_alone(model, arch):
        _refuse_images(dataset, where, class_names)


def _all_in_one(
    found: list[CuesenseError], model: str, arch: str | None, dataset: str, where: DatasetOptions
) -> CuesenseError:
    said = [error.for_command_line for error in found]
    suffix = Path(model).suffix.lower()
    if arch is None and suffix and suffix != ".onnx" and ":" not in model and not Path(model).exists():
        said.append("A file that holds weights only also needs --arch.")
    if not where.download:
        error = problem_of(lambda: load_dataset(dataset, data_root=where.root, split=where.split))
        said += [] if error is None else [error.for_command_line]
    return type(found[0])(" ".join(said))


def _refuse_file(model: str) -> None:
    """Raise where a model's file is of another kind than any that holds a model."""
    path = _file_of(model)
    if path is not None and path.name != _CONFIG:
        with reading(path):
            kind_of(path)


def _file_of(model: str) -> Path | None:
    """Return the file that is given as MODEL, alone or behind an ``@``; None where none is."""
    named = (model.removeprefix("onnx:"), model.partition("@")[2])
    return next((Path(name) for name in named if is_file(name)), None)


def _may_be_weights_alone(model: str, arch: str | None) -> bool:
    """Return whether the file may hold weights only, so that the answer must also say which --arch fits them."""
    path = _file_of(model) if arch is None and is_file(model) else None
    if path is None or path.name == _CONFIG:
        return False
    return not kind_of(path).has_network


def _refuse_images(dataset: str, where: DatasetOptions, class_names: str | None) -> None:
    """Raise where nothing is at the dataset's place, or a small file that is no list of images."""
    try:
        refuse_missing(dataset)
        if is_file(dataset) and Path(dataset).stat().st_size <= _SMALL:
            load_dataset(dataset, data_root=where.root, split=where.split, download=where.download)
    except CuesenseError as error:
        names = None if class_names is None else problem_of(lambda: read_class_names(class_names))
        said = [each.for_command_line for each in (names, error) if each is not None]
        raise type(error)(" ".join(said)) from error
