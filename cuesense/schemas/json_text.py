"""The text of a JSON file, before a contract looks at it: its size, its encoding, keys given twice, endless numbers."""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

# A profile of 1,000 classes has some 10 MB. Whatever is larger than this is another kind of file, and reading it would
# take all memory. Chosen by hand.
LARGEST_FILE = 512 * 1024**2
# Far above every count, share and strength, and small enough that sums and products stay exact or finite. Chosen by
# hand.
LARGEST_NUMBER = 1e15
# The longest part of a field's name that a message shows: names come from the file and may be anything.
_SHOWN_CHARACTERS = 100
# Where any JSON value may stand, the size of a number says nothing: a seed or a setting may be of any size.
FREE_FIELDS = ("provenance", "recipe", "source", "train")
_WIDE = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16", codecs.BOM_UTF32_BE: "UTF-32"}


class NotJsonError(ValueError):
    """A file is no JSON that can be read; its text is a clause that says what it is instead.

    Attributes:
        do: What to do, where more is known than to write the file again.
    """

    def __init__(self, got: str, do: str | None = None) -> None:
        """Say what the file is, and what to do."""
        super().__init__(got)
        self.do = do


def read_text(file: Path) -> bytes:
    """Return the bytes of a JSON file in UTF-8, without a mark of the byte order.

    Args:
        file: A regular file.

    Raises:
        NotJsonError: It is empty, too large, or in another encoding.
        OSError: It cannot be read.
    """
    size = file.stat().st_size
    if size > LARGEST_FILE:
        raise NotJsonError(f"{size / 1024**2:,.0f} MB, more than {LARGEST_FILE // 1024**2} MB")
    content = file.read_bytes()
    for mark, name in _WIDE.items():
        if content.startswith(mark):
            raise NotJsonError(f"text in {name}, where JSON is in UTF-8", "Save it as UTF-8")
    content = content.removeprefix(codecs.BOM_UTF8)
    if not content.strip():
        raise NotJsonError("an empty file")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise NotJsonError(f"text that is not JSON (no UTF-8 in line {line})") from None
    return content


def impossible_number(content: bytes, *, free: Sequence[str] = FREE_FIELDS) -> str | None:
    """Return a clause about a key that is given twice, or a number that is not finite or too large.

    Args:
        content: JSON text that a contract has read, so that it is well-formed and not deep.
        free: Names of fields in which numbers may have any size.

    Returns:
        The clause names the field; None where all is well.
    """
    try:
        document = json.loads(content, object_pairs_hook=_distinct)
    except ValueError as error:
        return str(error)
    if _all_usual(document):
        return None
    return next(_wrong_numbers(document, (), free), None)


def _all_usual(document: Any) -> bool:
    """Return whether every number is finite and not too large, without knowing where it stands, which takes longer."""
    rest = [document]
    while rest:
        value = rest.pop()
        kind = type(value)
        if kind is int or kind is float:
            # Not as "larger": NaN compares with nothing.
            if not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
                return False
        elif kind is list:
            rest.extend(value)
        elif kind is dict:
            rest.extend(value.values())
    return True


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {quoted(twice)} twice in one object")
    return found


def _wrong_numbers(value: Any, path: tuple[str | int, ...], free: Sequence[str]) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _wrong_numbers(part, (*path, name), free)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _wrong_numbers(part, (*path, index), free)
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{value} in {field_name(path)}, which JSON does not have"
    elif isinstance(value, int | float) and abs(value) > LARGEST_NUMBER and not set(path) & set(free):
        yield f"a number beyond {LARGEST_NUMBER:g} in {field_name(path)}"


def field_name(path: Sequence[str | int]) -> str:
    """Return the name of a field in quotes, such as ``'curves.0.lost'``, cut and on one line."""
    return quoted(".".join(map(str, path)))


def quoted(text: str) -> str:
    """Return a text from a file in single quotes, cut, with escapes for what is no plain character."""
    return f"'{json.dumps(text, ensure_ascii=False)[1:-1][:_SHOWN_CHARACTERS]}'"
