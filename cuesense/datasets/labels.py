"""From the labels that a table or an archive writes to class names and class indices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cuesense.errors import DatasetError, expected

# Labels that are numbers are sorted as numbers, so that class 10 does not stand before class 2. Leading zeros make a
# name ("007"); other numbers, such as -1 or 0.5, are no class index and more likely a mistake than a name.
_INTEGER = re.compile(r"0|[1-9][0-9]*")
_OTHER_NUMBER = re.compile(r"-[0-9]+|[+-]?[0-9]*\.[0-9]*")
_ONE_CLASS = (
    "cuesense needs one class an image: keep the images with one label, or write a table with one label each; a "
    "network with one output a label can be analyzed label by label, with the two classes yes and no"
)
# Combinations of labels before a blank or a comma is taken for what joins them. Chosen by hand; not tuned.
_COMBINATIONS = 3


@dataclass(frozen=True)
class Labels:
    """The classes of a list of images.

    Attributes:
        names: The names of the classes.
        indices: The class of every image.
    """

    names: tuple[str, ...]
    indices: tuple[int, ...]


def read_labels(values: Sequence[Any], what: str, names: Sequence[str] | None = None) -> Labels:
    """Return the classes that a column of labels means.

    Args:
        values: One label an image: a name, or an integer from 0.
        what: What holds them, for instance ``"'list.csv'"``.
        names: The names of the classes in the order of their numbers, where they are known; a label is then a number
            or one of them. None sorts integers as numbers and names as strings; each distinct label is a class.

    Raises:
        DatasetError: A label is missing, a negative or broken number, or several labels; or it is none of the names.
    """
    texts = [_text(value, row, what) for row, value in enumerate(values, start=1)]
    if names is not None:
        return _of_names(texts, what, names)
    _refuse_several(texts, what)
    found = set(texts)
    sorted_names = sorted(found, key=int) if all(map(_INTEGER.fullmatch, found)) else sorted(found)
    index = {name: place for place, name in enumerate(sorted_names)}
    return Labels(tuple(sorted_names), tuple(index[text] for text in texts))


def refuse_multilabel(what: str, got: str) -> DatasetError:
    """Return the error about images with several labels.

    Args:
        what: What holds the labels.
        got: What shows that there are several.
    """
    return DatasetError(expected(f"each label of {what}", "one class (single-label)", got, _ONE_CLASS))


def _text(value: Any, row: int, what: str) -> str:
    if isinstance(value, list | tuple | dict) or hasattr(value, "tolist"):
        value = _only(value, row, what)
    text = str(value).strip() if isinstance(value, str | int) else ""
    if not text or _OTHER_NUMBER.fullmatch(text):
        hint = " (test sets are often published without labels)" if text == "-1" else ""
        do = "Correct the label or remove the row"
        raise DatasetError(
            expected(f"each label of {what}", "a name or an integer from 0", f"{value!r} in row {row}{hint}", do)
        )
    return text


def _only(value: Any, row: int, what: str) -> Any:
    """Return the only label of a list of them."""
    items = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(items, list | tuple) and len(items) == 1:
        return items[0]
    if not isinstance(items, list | tuple):
        return items
    count = f"{len(items)} of them" if items else "an empty list"
    raise refuse_multilabel(what, f"{count} in row {row} (a multi-label dataset)")


def _of_names(texts: Sequence[str], what: str, names: Sequence[str]) -> Labels:
    index = {name: place for place, name in enumerate(names)}
    numbers = {str(place): place for place in range(len(names))}
    # A class may be called "1": names go before numbers where all labels are names.
    table = index if all(text in index for text in texts) else numbers
    for row, text in enumerate(texts, start=1):
        if text not in table:
            got = f"'{text}' in row {row}"
            to_be = f"one of the {len(names)} class names, or a number from 0 to {len(names) - 1}"
            do = "Correct the label, or the list of class names"
            raise DatasetError(expected(f"each label of {what}", to_be, got, do))
    return Labels(tuple(names), tuple(table[text] for text in texts))


def _refuse_several(texts: Sequence[str], what: str) -> None:
    """Refuse labels that are several, joined by a mark."""
    distinct = set(texts)
    for text in texts:
        if "|" in text.strip("|"):
            raise refuse_multilabel(what, f"'{text}' (a multi-label dataset: labels joined by |)")
        if text[:1] + text[-1:] in ("[]", "{}"):
            raise refuse_multilabel(what, f"'{text}' (a multi-label dataset: lists of labels)")
    for mark, name in ((",", "commas"), (";", "semicolons"), (" ", "blanks")):
        parts = {text: [part.strip() for part in text.split(mark) if part.strip()] for text in distinct}
        joined = [text for text in sorted(distinct) if len(parts[text]) > 1]
        if _are_combinations(parts, joined, strict=mark == " "):
            got = f"'{joined[0]}' (a multi-label dataset: labels joined by {name})"
            raise refuse_multilabel(what, got)


def _are_combinations(parts: dict[str, list[str]], joined: Sequence[str], *, strict: bool) -> bool:
    """Return whether labels are combinations of fewer labels, some of which stand alone as well.

    "tench, Tinca tinca" and "school bus" are names: their parts are no labels. Of blanks, which names often have, also
    combinations of different lengths are asked for.
    """
    alone = {text for text, found in parts.items() if len(found) == 1}
    pieces = {piece for text in joined for piece in parts[text]}
    lengths = {len(parts[text]) for text in joined}
    if len(joined) < _COMBINATIONS or not pieces & alone:
        return False
    return len(pieces | alone) < len(parts) and (not strict or len(lengths) > 1)
