"""Names of a model's outputs, and which output stands for which class of a dataset."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from operator import itemgetter
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from cuesense.errors import DatasetError, expected
from cuesense.imagenet_names import imagenet_lemmas, imagenet_names, imagenet_synsets
from cuesense.tables.escape import unescape_cell
from cuesense.types import ClassNames

# A WordNet id, also with a name behind it, as in the Stanford dogs' folders: "n02085620-Chihuahua".
_SYNSET = re.compile(r"n\d{8}(?!\d)")
# Examples that a message names.
_SHOWN = 3
# When the order of the classes looks wrong; see order_warning. A model whose outputs are permuted is near chance, and
# another order explains nearly all that it knows; a weak model has no order that explains half of the images more. With
# fewer images than these an assignment fits chance predictions well. Chosen by hand, with a wide margin on both sides.
_NEAR_CHANCE = 0.15
_MUCH_BETTER = 0.5
_IMAGES = 30
_IMAGES_PER_CLASS = 5
_FORMS = "a JSON list or a CSV with the columns name and index or synset"


def read_class_names(spec: str) -> ClassNames:
    """Return the names of a model's outputs, in the order of the outputs.

    Args:
        spec: ``"imagenet"``, or a file: text with one name a line, ``.json`` with a list or an object from index to
            name, or ``.csv`` with the columns ``name`` and ``index``, or ``name`` and ``synset`` in the outputs' order.

    Returns:
        The names, all different, and the synsets where they are known.

    Raises:
        DatasetError: The file is missing, unreadable, empty or in another form, or repeats a name.
    """
    if spec == "imagenet":
        return ClassNames(imagenet_names(), imagenet_synsets())
    path = Path(spec)
    readers: Mapping[str, Callable[[str], ClassNames]] = {".json": _from_json, ".csv": _from_csv}
    try:
        text = path.read_text(encoding="utf-8-sig").rstrip()
        found = readers.get(path.suffix.lower(), _from_text)(text)
    except (OSError, ValueError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        do = f"Write one name a line, {_FORMS}"
        raise DatasetError(expected(f"the class names in '{spec}'", "a readable list", f"'{reason}'", do)) from error
    check_names(found, f"the class names in '{spec}'")
    return found


def _from_text(text: str) -> ClassNames:
    return ClassNames(tuple(line.strip() for line in text.splitlines()))


def _from_json(text: str) -> ClassNames:
    values: Any = json.loads(text or "[]")
    if isinstance(values, dict):
        values = _in_order(values.keys(), values.values())
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError("something else than a list of names or an object from index to name")
    return ClassNames(tuple(value.strip() for value in values))


def _from_csv(text: str) -> ClassNames:
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True)
    rows = list(reader)
    columns = set(reader.fieldnames or ())
    if "name" not in columns or not columns & {"index", "synset"}:
        raise ValueError(f"the columns {', '.join(reader.fieldnames or ('none',))}")
    if "index" in columns:
        rows = _in_order([row["index"] for row in rows], rows)
    names = tuple(unescape_cell(row["name"] or "").strip() for row in rows)
    return ClassNames(names, tuple(row["synset"] for row in rows) if "synset" in columns else ())


def _in_order(indices: Iterable[Any], values: Iterable[Any]) -> list[Any]:
    """Return values in the order of their indices, which must be 0, 1, ..."""
    rows = sorted(zip(map(int, indices), values, strict=True), key=itemgetter(0))
    if [index for index, _ in rows] != list(range(len(rows))):
        raise ValueError("indices that are not 0, 1, 2, ...")
    return [value for _, value in rows]


def check_names(found: ClassNames, what: str) -> None:
    """Raise DatasetError where a name is empty or given twice, or there is none; ``what`` begins the sentence."""
    problem = None
    if not any(found.names):
        problem = "no name at all"
    elif "" in found.names:
        problem = f"an empty name for output {found.names.index('')}"
    else:
        name, count = Counter(found.names).most_common(1)[0]
        problem = f"'{name}' {count} times" if count > 1 else None
    if problem:
        do = "Give every output one name of its own"
        raise DatasetError(expected(what, "different from each other", problem, do))


def match_classes(dataset_classes: Sequence[str], outputs: ClassNames) -> tuple[int, ...]:
    """Return which output of the model stands for each class of the dataset.

    A class is matched by its synset, else by its name: exactly; else ignoring case and punctuation; else by the first
    lemma of a list such as ``"tench, Tinca tinca"``; else by any lemma, WordNet's among them where the outputs'
    synsets are known. Where no class is a name and all are integers below the number of outputs, they are indices.

    Args:
        dataset_classes: Names of the dataset's classes, length C.
        outputs: Names of the model's outputs, length K.

    Returns:
        One output index a class, length C, all different.

    Raises:
        DatasetError: A class has no output or several, or two classes have the same.
    """
    found = _find(dataset_classes, outputs)
    if not any(found) and _are_indices(dataset_classes, len(outputs.names)):
        found = [{int(name)} for name in dataset_classes]
    failed = [name for name, hits in zip(dataset_classes, found, strict=True) if len(hits) != 1]
    if failed:
        raise DatasetError(_unmatched(failed, found[dataset_classes.index(failed[0])], len(found), outputs))
    matched = tuple(index for (index,) in found)
    _check_one_to_one(dataset_classes, matched, outputs)
    return matched


def display_names(dataset_classes: Sequence[str], outputs: ClassNames, matched: Sequence[int]) -> tuple[str, ...]:
    """Return readable names for a report.

    Args:
        dataset_classes: Names of the dataset's classes, length C.
        outputs: Names of the model's outputs.
        matched: The output of each class, length C, from match_classes.

    Returns:
        One name a class: its output's where it is called by its synset or its index, else its own.
    """
    return tuple(
        outputs.names[index] if _SYNSET.match(name) or name.isdecimal() else name
        for name, index in zip(dataset_classes, matched, strict=True)
    )


def _find(dataset_classes: Sequence[str], outputs: ClassNames) -> list[set[int]]:
    """Return for each class the outputs that the strictest rule with any hit finds."""
    # WordNet's lemmas are known for ILSVRC-2012's synsets alone; other synsets are matched by id and name.
    known = [imagenet_lemmas().get(synset, "") for synset in outputs.synsets] or [""] * len(outputs.names)
    both = list(zip(outputs.names, known, strict=True))
    synsets = _table([synset] for synset in outputs.synsets)
    exact = _table([name] for name in outputs.names)
    folded = _table((_fold(name), _fold(lemma)) for name, lemma in both)
    first = _table((_first(name), _first(lemma)) for name, lemma in both)
    every = _table([_fold(part) for text in texts for part in text.split(",")] for texts in both)

    def hits(name: str) -> set[int]:
        synset = _SYNSET.match(name)
        keys = (synset[0] if synset else "", name, _fold(name), _first(name), _first(name))
        tables = (synsets, exact, folded, first, every)
        return next((table[key] for table, key in zip(tables, keys, strict=True) if key and key in table), set())

    return [hits(name) for name in dataset_classes]


def _table(keys_of_outputs: Iterable[Iterable[str]]) -> Mapping[str, set[int]]:
    table: dict[str, set[int]] = defaultdict(set)
    for index, keys in enumerate(keys_of_outputs):
        for key in keys:
            table[key].add(index)
    return table


def _fold(name: str) -> str:
    return " ".join(re.findall(r"\w+", normalize("NFKC", name).replace("_", " ").casefold()))


def _first(name: str) -> str:
    return _fold(name.partition(",")[0])


def _are_indices(names: Sequence[str], outputs: int) -> bool:
    return all(name.isascii() and name.isdigit() and int(name) < outputs for name in names)


def _unmatched(failed: Sequence[str], hits: set[int], classes: int, outputs: ClassNames) -> str:
    shown = ", ".join(f"'{name}'" for name in failed[:_SHOWN]) + (", ..." if len(failed) > _SHOWN else "")
    rivals = " and ".join(f"'{outputs.names[index]}'" for index in sorted(hits)[:_SHOWN])
    by_fold = {_first(name): name for name in outputs.names}
    close = get_close_matches(_first(failed[0]), by_fold, n=1, cutoff=0)
    reason = (
        f"'{failed[0]}' may be {rivals}" if hits else f"the nearest output to '{failed[0]}' is '{by_fold[close[0]]}'"
    )
    return expected(
        "each class of the dataset",
        "one output of the model",
        f"{len(failed)} of {classes} without one: {shown} ({reason})",
        "Rename the classes, or give the outputs' names with --class-names",
    )


def _check_one_to_one(dataset_classes: Sequence[str], matched: Sequence[int], outputs: ClassNames) -> None:
    owner: dict[int, str] = {}
    for name, index in zip(dataset_classes, matched, strict=True):
        if index in owner:
            found = f"'{owner[index]}' and '{name}' both at '{outputs.names[index]}'"
            do = "Rename or merge the classes"
            raise DatasetError(expected("each class of the dataset", "an output of its own", found, do))
        owner[index] = name


def order_warning(confusion: NDArray[np.integer], matched: Sequence[int]) -> str | None:
    """Return a warning where the model seems to know the classes, but under each other's names.

    The best one-to-one assignment of classes to their outputs is found (Kuhn 1955, "The Hungarian method for the
    assignment problem"). The warning comes where accuracy is at most 0.15 above chance and that assignment explains
    another half of all images, and 0.15 more than predicting one class for all would; never below 30 images or 5 a
    class, which chance alone can assign well.

    Args:
        confusion: Number of clean images of each class that were predicted as each output, shape (C, K).
        matched: The output that stands for each class, length C.

    Returns:
        One or two sentences, or None.
    """
    wanted = confusion[:, list(matched)]
    images = int(confusion.sum())
    if images < max(_IMAGES, _IMAGES_PER_CLASS * len(matched)):
        return None
    _, best = linear_sum_assignment(wanted, maximize=True)
    accuracy = float(np.trace(wanted)) / images
    explained = float(wanted[np.arange(len(best)), best].sum()) / images
    near_chance, constant = 1 / len(matched) + _NEAR_CHANCE, float(confusion.sum(axis=1).max()) / images
    if accuracy > near_chance or explained - accuracy < _MUCH_BETTER or explained < constant + _NEAR_CHANCE:
        return None
    swapped = [row for row, column in enumerate(best) if wanted[row, column] > wanted[row, row]]
    pairs = ", ".join(
        f"class {row} by output {matched[best[row]]} instead of {matched[row]}" for row in swapped[:_SHOWN]
    )
    return (
        f"Clean accuracy is {accuracy:.1%}, but would be {explained:.1%} with the classes in another order: {pairs}. "
        "Check that the class names are in the order of the model's outputs "
        "(folders are sorted as strings: 1, 10, 100, 2)."
    )
