"""CIFAR-10 and CIFAR-100 from the folders that their archives unpack to, in the Python and the binary form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuesense.datasets.npz import Extras, build
from cuesense.datasets.pickled_arrays import read_pickled
from cuesense.datasets.records import RecordDataset
from cuesense.datasets.split_choice import choose_split
from cuesense.errors import DatasetError, expected

FOLDERS = {
    "cifar-10-batches-py": "CIFAR10",
    "cifar-10-batches-bin": "CIFAR10",
    "cifar-100-python": "CIFAR100",
    "cifar-100-binary": "CIFAR100",
}
_SIDE = 32
_PIXELS = 3 * _SIDE * _SIDE
_TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
# The files of each part without their suffix, where the names of classes are, and the bytes of labels before an image.
_PARTS: dict[str, dict[str, tuple[str, ...]]] = {
    "CIFAR10": {"test": ("test_batch",), "train": _TRAIN},
    "CIFAR100": {"test": ("test",), "train": ("train",)},
}
_META = {"CIFAR10": ("batches.meta", "label_names"), "CIFAR100": ("meta", "fine_label_names")}
_META_TEXT = {"CIFAR10": "batches.meta.txt", "CIFAR100": "fine_label_names.txt"}


def read_cifar(folder: Path, spec: str, split: str | None = None) -> RecordDataset:
    """Return the images of one part of CIFAR.

    Args:
        folder: A folder called as in FOLDERS.
        spec: What the user named.
        split: ``train`` or ``test``; None takes the test images, or what is there, and says so.

    Returns:
        The dataset; its ids are positions, as for torchvision's CIFAR10 and CIFAR100.

    Raises:
        SplitError: There is no such part.
        DatasetError: A file is missing or damaged.
    """
    name, what = FOLDERS[folder.name], f"'{folder}'"
    suffix = ".bin" if "bin" in folder.name else ""
    there = {
        part: [folder / f"{stem}{suffix}" for stem in stems]
        for part, stems in _PARTS[name].items()
        if all((folder / f"{stem}{suffix}").is_file() for stem in stems)
    }
    if not there:
        files = " or ".join(f"{stems[0]}{suffix}" for stems in _PARTS[name].values())
        raise DatasetError(expected(what, f"a folder with {files}", "neither", "Unpack the archive again"))
    chosen, said = choose_split(list(there), split, what)
    read = _from_binary if suffix else _from_pickles
    images, labels = read(there[chosen], name)
    return build(spec, images, labels, what, Extras(folder, _names(folder, name), said, chosen))


def _from_pickles(paths: Sequence[Path], name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    images, labels = [], []
    for path in paths:
        found = read_pickled(path)
        data, classes = found.get("data"), found.get("fine_labels" if name == "CIFAR100" else "labels")
        if not isinstance(data, np.ndarray) or data.shape[1:] != (_PIXELS,) or not isinstance(classes, list):
            got = f"the keys {', '.join(sorted(found)) or 'none'}"
            raise DatasetError(expected(f"'{path}'", "a batch of CIFAR with data and labels", got, "Download it again"))
        images.append(data.astype(np.uint8, copy=False))
        labels += classes
    return _as_images(np.concatenate(images)), np.array(labels)


def _from_binary(paths: Sequence[Path], name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    before = 2 if name == "CIFAR100" else 1
    rows = np.concatenate([np.fromfile(path, np.uint8) for path in paths])
    if not len(rows) or len(rows) % (before + _PIXELS):
        got = f"{len(rows):,} bytes"
        to_be = f"a multiple of {before + _PIXELS:,} bytes long"
        raise DatasetError(expected(f"'{paths[0]}'", to_be, got, "Download it again"))
    rows = rows.reshape(-1, before + _PIXELS)
    return _as_images(rows[:, before:]), rows[:, before - 1].astype(np.int64)


def _as_images(rows: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(rows.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1))


def _names(folder: Path, name: str) -> list[str] | None:
    """Return the names of the classes, None where no file says them."""
    file, key = _META[name]
    if (folder / file).is_file():
        found = read_pickled(folder / file).get(key)
        return [str(value) for value in found] if isinstance(found, list) else None
    text = folder / _META_TEXT[name]
    return text.read_text(encoding="utf-8").split() if text.is_file() else None
