"""Accepted labels: annotations that more than one class is right for an image, such as ReaL labels of ImageNet."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cuesense.arrays import Bools, Ints
from cuesense.errors import DatasetError, expected
from cuesense.imagenet_names import imagenet_names
from cuesense.tables.boundary import TableFile, reading
from cuesense.tables.read_csv import read_csv

# The images of ImageNet's validation set are numbered from 1; ReaL's lists stand in that order.
_NUMBERED = re.compile(r"ILSVRC2012_val_(\d{8})")
_DO = "Write path,accepted with the names of all right classes, separated by |, or give ReaL's real.json"


def read_accepted(path: Path, sample_ids: Sequence[str], labels: Ints, output_names: Sequence[str]) -> Bools:
    """Read which of the models' outputs are right for each image.

    Args:
        path: A ``.csv`` with the columns path (the image's id: its path in the dataset) and accepted (names, separated
            by ``|``); or the ``real.json`` of Beyer et al. 2020 (arXiv 2006.07159): a list of lists of ImageNet's class
            indices, in the order of the validation images' numbers.
        sample_ids: The id of each of N images.
        labels: The class of each, (N,), in [0, K).
        output_names: Names of the K outputs.

    Returns:
        Whether each output is right, (N, K). Where the file has no known label for an image, only its own is right.

    Raises:
        DatasetError: The file cannot be read, is of another form, or names none of the images or of the outputs.
    """
    named = _read(path, sample_ids)
    index_of = {name: index for index, name in enumerate(output_names)}
    own = np.zeros((len(labels), len(output_names)), dtype=bool)
    found = 0
    for row, (sample, label) in enumerate(zip(sample_ids, labels, strict=True)):
        known = [index_of[name] for name in named.get(sample, ()) if name in index_of]
        found += bool(known)
        own[row, known or [label]] = True
    if not found:
        got = "no image with a class of the model"
        raise DatasetError(expected(f"the accepted labels in '{path}'", "about the dataset's images", got, _DO))
    return own


def _read(path: Path, sample_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Return the names of the right classes by image id."""
    what = f"the accepted labels in '{path}'"
    if path.suffix.lower() != ".json":
        return _table(TableFile(path, what, ("path", "accepted"), _DO))
    with reading(TableFile(path, what, (), _DO)):
        return _real(path.read_text(encoding="utf-8-sig"), sample_ids)


def _table(file: TableFile) -> dict[str, list[str]]:
    rows = read_csv(file, keep=("path", "accepted")).fillna("")
    return {
        path: [name.strip() for name in accepted.split("|")]
        for path, accepted in zip(rows["path"], rows["accepted"], strict=True)
    }


def _real(text: str, sample_ids: Sequence[str]) -> dict[str, list[str]]:
    lists, names = json.loads(text), imagenet_names()
    if not isinstance(lists, list) or not all(isinstance(entry, list) for entry in lists):
        raise ValueError("something else than a list of lists")
    numbered = {sample: _NUMBERED.search(sample) for sample in sample_ids}
    position = {sample: int(match[1]) - 1 for sample, match in numbered.items() if match}
    wrong = [index for entry in lists for index in entry if index not in range(len(names))]
    if wrong:
        raise ValueError(f"{wrong[0]}, which is no index of a class")
    return {sample: [names[index] for index in lists[at]] for sample, at in position.items() if at < len(lists)}
