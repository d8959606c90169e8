"""The files that say which class each of ImageNet's validation images is of, where they lie in one folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cuesense.datasets.files import FileDataset, from_files
from cuesense.datasets.left_out import is_image_name
from cuesense.datasets.splits import ANNOTATIONS, quoted
from cuesense.errors import DatasetError, expected
from cuesense.imagenet_names import imagenet_synsets

# The devkit's ground truth has a line for each of ILSVRC2012_val_00000001.JPEG to ..._00050000.JPEG.
IMAGES = 50_000
_SYNSET = re.compile(r"n\d{8}")
# LOC_val_solution.csv, the longest of them, has 2.5 MB, and meta.mat 0.2 MB. Chosen by hand.
_LARGEST = 50 * 2**20
_META_LARGEST = 5 * 2**20
_DO = "Take the file of the devkit (ILSVRC2012_devkit_t12) or Kaggle's LOC_val_solution.csv"


def read_labels(path: Path, meta: Path | None = None) -> dict[str, str]:
    """Return the synset of each image, by the name of its file without suffix.

    Forms: Kaggle's ``LOC_val_solution.csv`` (image, then synset and boxes); Tiny ImageNet's ``val_annotations.txt``
    (file, synset, box); lines of a file and a synset or the index of its class among the sorted synsets, from 0
    (Caffe's ``val.txt``); one synset a line for the 50,000 images in order; and the devkit's ground truth, one of
    ILSVRC's own numbers a line, which ``meta.mat`` maps to synsets.

    Args:
        path: The file.
        meta: The devkit's meta.mat, where it was found.

    Raises:
        DatasetError: The file cannot be read, or is in none of these forms, or meta.mat is missing.
    """
    what = f"ImageNet's labels in '{path}'"
    try:
        text = _content(path, _LARGEST).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise DatasetError(expected(what, "readable text", f"'{error}'", _DO)) from error
    rows = [[part for part in re.split(r"[\s,]+", line.strip()) if part] for line in text.splitlines()]
    rows = [row for row in rows if row]
    if rows and rows[0][0].casefold() == "imageid":
        rows = rows[1:]
    if rows and all(len(row) == 1 for row in rows):
        return _in_order([row[0] for row in rows], what, path, meta)
    if rows and all(len(row) >= 2 for row in rows):
        values = [row[1] for row in rows]
        synsets = values if all(map(_SYNSET.fullmatch, values)) else _of_indices(values, what)
        return {Path(row[0]).stem: synset for row, synset in zip(rows, synsets, strict=True)}
    raise DatasetError(expected(what, "an image and its class on each line", "something else", _DO))


def _content(path: Path, largest: int) -> bytes:
    with path.open("rb") as file:
        found = file.read(largest + 1)
    if len(found) > largest:
        raise ValueError(f"more than {largest // 2**20} MB")
    return found


def _in_order(values: Sequence[str], what: str, path: Path, meta: Path | None) -> dict[str, str]:
    if len(values) != IMAGES:
        raise DatasetError(expected(what, f"one line for each of {IMAGES:,} images", f"{len(values):,} lines", _DO))
    if not all(map(_SYNSET.fullmatch, values)):
        if meta is None:
            do = f"Put the devkit's meta.mat beside '{path.name}': it says which synset each number stands for"
            raise DatasetError(expected("ImageNet's meta.mat", "in the folder of the devkit", "none", do))
        of_number = read_meta(meta)
        unknown = next((value for value in values if value not in of_number), None)
        if unknown is not None:
            raise DatasetError(expected(what, "numbers of meta.mat", f"'{unknown}'", _DO))
        values = [of_number[value] for value in values]
    return {f"ILSVRC2012_val_{number:08d}": synset for number, synset in enumerate(values, start=1)}


def _of_indices(values: Sequence[str], what: str) -> list[str]:
    """Return the synsets of classes that are named by their index among the sorted synsets, from 0."""
    synsets = imagenet_synsets()
    wrong = next((value for value in values if not (value.isascii() and value.isdigit())), None)
    if wrong is not None:
        raise DatasetError(expected(what, "synsets or indices of classes", f"'{wrong}'", _DO))
    numbers = list(map(int, values))
    if max(numbers) >= len(synsets):
        # Counted from 1 in which order? ILSVRC's own numbers are counted so, and are not sorted.
        raise DatasetError(expected(what, f"indices from 0 to {len(synsets) - 1}", f"'{max(numbers)}'", _DO))
    return [synsets[number] for number in numbers]


def read_meta(path: Path) -> Mapping[str, str]:
    """Return the synset of each of ILSVRC's own numbers, 1 to 1000, from the devkit's meta.mat.

    Raises:
        DatasetError: The file is no such file.
    """
    what = f"'{path}'"
    try:
        from scipy.io import loadmat

        if path.stat().st_size > _META_LARGEST:
            raise ValueError(f"more than {_META_LARGEST // 2**20} MB")
        table = loadmat(path, squeeze_me=True, variable_names=["synsets"])["synsets"]
        rows = np.atleast_1d(table)
        found = {str(int(row["ILSVRC2012_ID"])): str(row["WNID"]) for row in rows}
    # A damaged file can make scipy raise anything.
    except Exception as error:
        do = "Take it from ILSVRC2012_devkit_t12"
        raise DatasetError(expected(what, "the devkit's table of synsets", f"'{error}'", do)) from error
    # Beyond the 1,000 classes it lists the synsets above them.
    return {number: synset for number, synset in found.items() if synset in set(imagenet_synsets())}


def annotated(folder: Path, spec: str) -> FileDataset:
    """Return Tiny ImageNet's validation images, which lie in one folder beside a file that says their classes.

    Args:
        folder: The folder of ``val_annotations.txt`` and ``images``.
        spec: What the user named.

    Raises:
        DatasetError: The file or the images cannot be read, or images are not in the file.
    """
    images = folder / "images" if (folder / "images").is_dir() else folder
    names = sorted(path.name for path in images.iterdir() if is_image_name(path.name))
    return labeled_files(spec, images, names, read_labels(folder / ANNOTATIONS))


def labeled_files(spec: str, folder: Path, files: Sequence[str], of_stem: Mapping[str, str]) -> FileDataset:
    """Return images of one folder with labels from a file.

    Args:
        spec: What the user named.
        folder: The folder.
        files: Names of the images' files.
        of_stem: The synset of each, by its name without suffix.

    Raises:
        DatasetError: There is no image, or one without a label.
    """
    missing = [name for name in files if Path(name).stem not in of_stem]
    if missing or not files:
        got = f"{len(missing)} of {len(files)} without one, such as {quoted(missing[:1])}" if files else "no image"
        do = "Take the file of labels that belongs to these images"
        raise DatasetError(expected(f"the images in '{folder}'", "listed with their labels", got, do))
    label = {name: of_stem[Path(name).stem] for name in files}
    names = sorted(set(label.values()))
    position = {synset: index for index, synset in enumerate(names)}
    # The ids that the images have in synset folders, so that both layouts are the same dataset.
    rows = [(f"{synset}/{name}", position[synset], folder / name) for name, synset in label.items()]
    return from_files(spec, names, rows)
