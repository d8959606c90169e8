"""Datasets of torchvision by name, from disk; downloaded only where that is asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from cuesense.datasets.cifar import FOLDERS as CIFAR_FOLDERS
from cuesense.datasets.cifar import read_cifar
from cuesense.datasets.in_memory import MemoryDataset, wrap
from cuesense.datasets.plain_arrays import Arrays, digits_in, read_digits, stl10_in
from cuesense.datasets.split_choice import choose_split
from cuesense.datasets.splits import refuse_split
from cuesense.errors import DatasetError, expected, first_line, nearest
from cuesense.types import Dataset

_TRAIN_TEST = {"test": {"train": False}, "train": {"train": True}}
_SPLIT_TEST = {name: {"split": name} for name in ("test", "train")}
_SPLIT_VAL = {name: {"split": name} for name in ("test", "val", "train")}


@dataclass(frozen=True)
class _Known:
    """A dataset of torchvision.

    Attributes:
        parts: What its class takes for each part, the one that is read by default first; none where it has no parts.
        folder: The folder that it lies in, below the root; "" for files that lie in the root itself.
        file: A file or folder in it that is there when the dataset is.
        given: What its class takes in addition.
    """

    parts: Mapping[str, Mapping[str, Any]]
    folder: str
    file: str = ""
    given: tuple[tuple[str, Any], ...] = ()


# As torchvision 0.24 has them. The test part is read by default, because that is what accuracies are reported on; the
# parts that torchvision calls otherwise keep its names.
_KNOWN: Mapping[str, _Known] = {
    "CIFAR10": _Known(_TRAIN_TEST, "cifar-10-batches-py"),
    "CIFAR100": _Known(_TRAIN_TEST, "cifar-100-python"),
    "MNIST": _Known(_TRAIN_TEST, "MNIST", "raw"),
    "FashionMNIST": _Known(_TRAIN_TEST, "FashionMNIST", "raw"),
    "KMNIST": _Known(_TRAIN_TEST, "KMNIST", "raw"),
    "QMNIST": _Known(_TRAIN_TEST, "QMNIST", "raw"),
    "EMNIST": _Known(_TRAIN_TEST, "EMNIST", "raw", (("split", "balanced"),)),
    "USPS": _Known(_TRAIN_TEST, "", "usps.t.bz2"),
    "STL10": _Known(_SPLIT_TEST, "stl10_binary", "test_X.bin"),
    "SVHN": _Known(_SPLIT_TEST, "", "test_32x32.mat"),
    "Flowers102": _Known(_SPLIT_VAL, "flowers-102", "jpg"),
    "Food101": _Known(_SPLIT_TEST, "food-101", "meta"),
    "OxfordIIITPet": _Known(
        {"test": {"split": "test"}, "trainval": {"split": "trainval"}}, "oxford-iiit-pet", "annotations"
    ),
    "DTD": _Known(_SPLIT_VAL, "dtd", "dtd"),
    "EuroSAT": _Known({}, "eurosat", "2750"),
    "GTSRB": _Known(_SPLIT_TEST, "gtsrb", "GTSRB"),
    "StanfordCars": _Known(_SPLIT_TEST, "stanford_cars", "devkit"),
    "FGVCAircraft": _Known(_SPLIT_VAL, "fgvc-aircraft-2013b", "data"),
    "Country211": _Known({**_SPLIT_TEST, "valid": {"split": "valid"}}, "country211", "test"),
    "Imagenette": _Known({name: {"split": name} for name in ("val", "train")}, "imagenette2", "val"),
    "Caltech101": _Known({}, "caltech101", "101_ObjectCategories"),
    "Caltech256": _Known({}, "caltech256", "256_ObjectCategories"),
    "PCAM": _Known(_SPLIT_VAL, "pcam"),
    "SUN397": _Known({}, "SUN397", "ClassName.txt"),
    "RenderedSST2": _Known(_SPLIT_VAL, "rendered-sst2", "test"),
    "FER2013": _Known(_SPLIT_TEST, "fer2013"),
    "SEMEION": _Known({}, "", "semeion.data"),
    "Places365": _Known({"val": {"split": "val"}, "train": {"split": "train-standard"}}, "", "val_large"),
}
NAMES = tuple(_KNOWN)
# Their files are alike.
_DIGITS = ("MNIST", "FashionMNIST", "KMNIST")
# They lie in class folders or in parts with class folders.
_CLASS_FOLDERS = ("Country211", "Imagenette", "RenderedSST2", "Places365", "EuroSAT", "Caltech256")
# Where torchvision's classes keep the labels, and the names of the classes.
_LABELS = ("targets", "labels", "_labels", "y")
_SAMPLES = ("samples", "_samples", "imgs")
_CLASSES = ("classes", "categories")


def load(argument: str, *, data_root: Path | None = None, split: str | None = None, download: bool = False) -> Dataset:
    """Return images of a dataset of torchvision.

    Args:
        argument: Its name, such as ``CIFAR10`` or ``Flowers102``, in any case; also with its folder behind it
            (``MNIST:FOLDER``).
        data_root: The folder that torchvision is given as root, or the dataset's own folder; else the environment
            variable CUESENSE_DATA names it.
        split: The part to read (``train``, ``val``, ``test``); None takes the test images, and says so.
        download: Fetch what is not there.

    Returns:
        The dataset; its ids are positions, as for torchvision's dataset in Python.

    Raises:
        SplitError: There is no such part.
        DatasetError: The name is unknown, no root was given, or the dataset is not there.
    """
    text, _, folder_of = argument.partition(":")
    name = _name(text)
    root = _root(name, folder_of, data_root)
    known, what = _KNOWN[name], f"torchvision:{name}" + (f":{folder_of}" if folder_of else "")
    if name.startswith("CIFAR"):
        folder = next((folder for folder in _cifar_folders(root, name) if folder.is_dir()), None)
        if folder is not None:
            return read_cifar(folder, what, split)
    chosen, said = None, None
    part: Mapping[str, Any] = {}
    if known.parts:
        chosen, said = _choose(known, split, what)
        part = known.parts[chosen]
    else:
        refuse_split(what, split)
    try:
        found = _open(name, root, {**dict(known.given), **part}, download=download)
    except DatasetError:
        found = _plain_files(name, root, chosen)
        if found is None:
            raise
    return _labeled(found, what, said, chosen)


def _root(name: str, folder: str, data_root: Path | None) -> Path:
    """Return the folder in which a dataset is looked for."""
    if folder and data_root is not None:
        do = f"Leave it out, or write torchvision:{name}"
        raise DatasetError(expected("--data-root", f"left out where '{folder}' is named", str(data_root), do))
    root = folder or data_root or os.environ.get("CUESENSE_DATA")
    if root:
        return Path(root)
    do = f"Give --data-root or set CUESENSE_DATA to the folder that holds it, or write torchvision:{name}:FOLDER"
    raise DatasetError(expected(f"the folder of {name}", "named", "neither --data-root nor CUESENSE_DATA", do))


def _plain_files(name: str, root: Path, part: str | None) -> Arrays | None:
    """Return a dataset whose files are there, but not all of them, packed, or elsewhere than torchvision has them."""
    for place in _roots(root, name):
        for folder in (place, place / _KNOWN[name].folder):
            digits = digits_in(folder) if name in _DIGITS and _called(folder) in (None, name) else {}
            if part in digits:
                return read_digits(*digits[part], getattr(import_module("torchvision.datasets"), name).classes)
            found = stl10_in(folder, part or "") if name == "STL10" else None
            if found is not None:
                return found
    return None


def _called(folder: Path) -> str | None:
    """Return which of the datasets in MNIST's format a folder is called after, itself or the one around it."""
    path = folder.resolve()
    return next((name for part in (path.name, path.parent.name) if (name := named(part)) in _DIGITS), None)


def of_folder(folder: Path) -> tuple[str, Path] | None:
    """Return the dataset that a folder is or holds as torchvision leaves it, and its root; None where it is none.

    Folders of class folders are left to the reader of folders. The name of files in MNIST's format that nothing names
    is "" (``read_unnamed``).
    """
    if digits_in(folder):
        return _called(folder) or "", folder
    for name, known in _KNOWN.items():
        if not known.file or name in _CLASS_FOLDERS:
            continue
        for root in [folder, *([folder.parent] if known.folder == folder.name else [])]:
            if (root / known.folder / known.file).exists():
                return name, root
    return None


def read_unnamed(folder: Path, spec: str, split: str | None = None) -> Dataset:
    """Return the images of a folder of files in MNIST's format (``plain_arrays.digits_in``) that nothing names.

    Args:
        folder: The folder.
        spec: What the user named.
        split: As for load.

    Raises:
        SplitError: There is no such part.
        DatasetError: A file is damaged.
    """
    parts = digits_in(folder)
    chosen, said = choose_split(list(parts), split, f"'{folder}'")
    return _labeled(read_digits(*parts[chosen]), spec, said, chosen)


def cifar_in(folder: Path) -> Path | None:
    """Return the folder of CIFAR that a folder is or holds."""
    if folder.name in CIFAR_FOLDERS:
        return folder
    return next((folder / name for name in CIFAR_FOLDERS if (folder / name).is_dir()), None)


def named(text: str) -> str | None:
    """Return the name of torchvision's dataset that a text spells in any way, such as "cifar-10"; else None."""
    return {_plain(name): name for name in NAMES}.get(_plain(text))


def _name(argument: str) -> str:
    name = named(argument)
    if name is None:
        hint = nearest(argument, NAMES)
        raise DatasetError(expected(f"'torchvision:{argument}'", "a dataset with one class an image", "none", hint))
    return name


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _cifar_folders(root: Path, name: str) -> list[Path]:
    folders = [folder for folder, owner in CIFAR_FOLDERS.items() if owner == name]
    here = [root] if root.name in folders else []
    return here + [base / folder for base in _roots(root, name) for folder in folders]


def _roots(root: Path, name: str) -> list[Path]:
    """Return the folders that torchvision may be given, the likeliest first."""
    own = _KNOWN[name].folder
    return [root, *([root.parent] if own and root.name == own else []), root / name, root / name.lower()]


def _choose(known: _Known, split: str | None, what: str) -> tuple[str, str | None]:
    names = list(known.parts)
    if split is not None:
        return choose_split(names, split, what)
    others = " or ".join(names[1:])
    return names[0], f"Of the parts of {what}, '{names[0]}' was read, not {others}: choose with --split."


def _open(name: str, root: Path, given: Mapping[str, Any], *, download: bool) -> Any:
    """Return torchvision's dataset, from the first root that has it."""
    make = getattr(import_module("torchvision.datasets"), name)
    # Some fetch by default what is not there.
    takes_download = {} if name == "FER2013" else {"download": download}
    first = None
    for place in [root] if download else _roots(root, name):
        try:
            return make(place, **given, **takes_download)
        except (RuntimeError, OSError, ImportError, ValueError, KeyError) as error:
            first = first or error
    folder = _KNOWN[name].folder or _KNOWN[name].file
    if isinstance(first, ImportError) or "pip install" in str(first):
        got, do = f"'{first_line(first)}'", "Install the package that it names"
    else:
        got = f"'{first_line(first)}'"
        do = "Add --download where there is a network, or unpack its archive there" if not download else "Try again"
    to_be = f"in '{root}' (as {folder}/)" if _KNOWN[name].folder else f"in '{root}' (with {folder})"
    raise DatasetError(expected(f"the dataset {name}", to_be, got, do)) from first


@dataclass(frozen=True)
class _Labeled:
    """A dataset of torchvision whose labels and class names stand under the usual names."""

    source: Any
    targets: Sequence[int]
    classes: Sequence[str]

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> Any:
        image, label = self.source[index]
        return image, label


def _labeled(found: Any, spec: str, said: str | None, split: str | None) -> Dataset:
    labels = _labels_of(found)
    names = next((list(map(str, getattr(found, key))) for key in _CLASSES if getattr(found, key, None)), None)
    if labels is not None and len(labels) == len(found):
        names = names or [str(number) for number in range(1 + max(labels))]
        found = _Labeled(found, labels, names)
    dataset = wrap(found)
    if isinstance(dataset, MemoryDataset):
        return replace(dataset, spec=spec, remarks=(said,) if said else (), split=split)
    return dataset


def _labels_of(found: Any) -> list[int] | None:
    """Return the labels that a dataset keeps, so that no image is decoded for them; None where it keeps none."""
    for key in _LABELS:
        values = getattr(found, key, None)
        if values is not None:
            return [int(value) for value in values]
    for key in _SAMPLES:
        values = getattr(found, key, None)
        if values and isinstance(values[0], tuple) and len(values[0]) == 2 and isinstance(values[0][1], int):
            return [label for _, label in values]
    return None
