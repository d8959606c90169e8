"""Class names out of lists and objects, as JSON, YAML and Python files hold them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from cuesense.errors import listed
from cuesense.types import ClassNames

_SYNSET = re.compile(r"n\d{8}")
# Under these keys libraries keep the names beside other things: Hugging Face, torchvision, Ultralytics, COCO, fastai.
_KEYS = (
    "id2label", "idx_to_class", "idx2label", "idx2class", "index_to_name", "index_to_class", "label2id", "class_to_idx",
    "class2idx", "label_to_idx", "names", "class_names", "classes", "labels", "categories", "vocab",
)  # fmt: skip
# Numbers that a sentence names.
_SHOWN = 3


def names_in(values: Any) -> ClassNames:
    """Return the class names that a list or an object holds, in the order of the outputs.

    Args:
        values: A list of names, of (synset, name) or of objects with a name (and an id or index); or an object from
            index to name or to (synset, name), from name to index, from synset to name with the synsets in sorted
            order; or an object that holds one of these under a usual key (``id2label``, ``names``, ...).

    Raises:
        ValueError: It is something else, or a number is missing or given twice.
    """
    if isinstance(values, dict):
        values = _from_object(values)
    if isinstance(values, list) and values and all(isinstance(value, dict) for value in values):
        values = _from_objects(values)
    if isinstance(values, (list, tuple)) and values and all(map(_is_pair, values)):
        return ClassNames(tuple(name.strip() for _, name in values), tuple(synset for synset, _ in values))
    if not isinstance(values, (list, tuple)) or not all(isinstance(value, str) for value in values):
        raise ValueError("something else than a list of names or an object from index to name")
    return with_synsets([value.strip() for value in values])


def with_synsets(names: list[str]) -> ClassNames:
    """Return names, which are also the synsets where all are such."""
    return ClassNames(tuple(names), tuple(names) if names and all(map(_SYNSET.fullmatch, names)) else ())


def in_order(indices: Iterable[Any], values: Iterable[Any]) -> list[Any]:
    """Return values in the order of their numbers, which must be 0, 1, ..., or 1, 2, ...

    Args:
        indices: The number of each.
        values: The values.

    Raises:
        ValueError: A number is missing or given twice.
    """
    rows = sorted(zip(map(int, indices), values, strict=True), key=lambda row: row[0])
    numbers = [number for number, _ in rows]
    first = 1 if numbers and numbers[0] == 1 else 0
    if len(numbers) == 1 and first:
        raise ValueError("indices that are not 0, 1, 2, ...")
    twice = [str(number) for number, times in Counter(numbers).items() if times > 1]
    if twice:
        raise ValueError(f"indices that are not 0, 1, 2, ...: {listed(twice, _SHOWN)} twice")
    wanted = range(first, first + len(numbers))
    if numbers != list(wanted):
        missing = [str(number) for number in wanted if number not in set(numbers)]
        raise ValueError(f"indices that are not 0, 1, 2, ...: {listed(missing, _SHOWN)} missing")
    return [value for _, value in rows]


def _from_object(values: dict[Any, Any]) -> list[Any]:
    """Return what an object holds in the order of its indices, which are its keys or its values."""
    for name in _KEYS:
        found = values.get(name)
        if isinstance(found, dict) and found:
            return _from_object(found)
        if isinstance(found, list) and found:
            return found
    keys_are = all(map(_is_index, values))
    values_are = all(map(_is_index, values.values()))
    if keys_are and values_are and values:
        raise ValueError("an object of numbers alone, of which nobody knows which are names")
    if values_are and all(isinstance(key, str) for key in values):
        return in_order(values.values(), values.keys())
    if keys_are:
        return in_order(values.keys(), values.values())
    return _of_synsets(values)


def _of_synsets(values: Mapping[Any, Any]) -> list[Any]:
    """Return the pairs of an object from synset to name, or to (index, name); its order is that of the synsets."""
    keys, content = list(values), list(values.values())
    if all(isinstance(key, str) and _SYNSET.fullmatch(key) for key in keys):
        if all(isinstance(value, (list, tuple)) and len(value) == 2 and _is_index(value[0]) for value in content):
            pairs = [(key, value[1]) for key, value in values.items()]
            return in_order([value[0] for value in content], pairs)
        if keys == sorted(keys) and all(isinstance(value, str) for value in content):
            return [(key, value) for key, value in values.items()]
    raise ValueError("an object that is neither from index to name nor from name to index")


def _from_objects(values: list[dict[str, Any]]) -> list[Any]:
    """Return the names of a list of objects, such as COCO's categories, in the order of their ids."""
    name = next((key for key in ("name", "label", "class_name") if all(key in value for value in values)), None)
    if name is None:
        raise ValueError("a list of objects without a name")
    number = next(
        (key for key in ("index", "id", "idx") if all(_is_index(value.get(key)) for value in values)),
        None,
    )
    names = [value[name] for value in values]
    return names if number is None else in_order([value[number] for value in values], names)


def _is_index(value: Any) -> bool:
    return type(value) is int or (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10)


def _is_pair(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 2 and all(isinstance(part, str) for part in value)
