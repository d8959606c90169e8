"""Labels that are right beside an image's own: ReaL labels and other multi-label annotations."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cuesense.errors import DatasetError, expected
from cuesense.imagenet_names import imagenet_names

_NUMBERED = re.compile(r"ILSVRC2012_val_(\d{8})")
_DO = "Write path,accepted with the names of all right classes, separated by |, or give ReaL's real.json"


def read_accepted(
    path: Path, sample_ids: Sequence[str], labels: NDArray[np.int64], answers: Sequence[str]
) -> NDArray[np.bool_]:
    """Read which answers are right for each image.

    Args:
        path: A ``.csv`` with the columns path (the image's id: its path in the dataset) and accepted (names, separated
            by ``|``); or the ``real.json`` of Beyer et al. 2020 (arXiv 2006.07159): a list of lists of ImageNet's class
            indices, in the order of the validation images' numbers.
        sample_ids: The id of each of N images.
        labels: The class of each, (N,).
        answers: Names of the K answers.

    Returns:
        (N, K). Images that the file does not name, or has no label for, have their own label alone.

    Raises:
        DatasetError: The file cannot be read, is of another form, or names none of the images or of the answers.
    """
    named = _read(path, sample_ids)
    place = {name: index for index, name in enumerate(answers)}
    own = np.zeros((len(labels), len(answers)), dtype=bool)
    found = 0
    for row, (sample, label) in enumerate(zip(sample_ids, labels, strict=True)):
        known = [place[name] for name in named.get(sample, ()) if name in place]
        found += bool(known)
        own[row, known or [label]] = True
    if not found:
        got = "no name of an image or class that is there"
        raise DatasetError(expected(f"the accepted labels in '{path}'", "about the dataset's images", got, _DO))
    return own


def _read(path: Path, sample_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        return _real(text, sample_ids) if path.suffix.lower() == ".json" else _table(text)
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DatasetError(expected(f"the accepted labels in '{path}'", "readable", f"'{reason}'", _DO)) from error


def _table(text: str) -> dict[str, list[str]]:
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True)
    if not {"path", "accepted"} <= set(reader.fieldnames or ()):
        raise ValueError(f"the columns {', '.join(reader.fieldnames or ('none',))}")
    return {row["path"]: [name.strip() for name in (row["accepted"] or "").split("|")] for row in reader}


def _real(text: str, sample_ids: Sequence[str]) -> dict[str, list[str]]:
    lists, names = json.loads(text), imagenet_names()
    if not isinstance(lists, list) or not all(isinstance(entry, list) for entry in lists):
        raise ValueError("something else than a list of lists")
    numbered = {sample: _NUMBERED.search(sample) for sample in sample_ids}
    places = {sample: int(match[1]) - 1 for sample, match in numbered.items() if match}
    wrong = [index for entry in lists for index in entry if index not in range(len(names))]
    if wrong:
        raise ValueError(f"{wrong[0]}, which is no index of a class")
    return {sample: [names[index] for index in lists[at]] for sample, at in places.items() if at < len(lists)}
