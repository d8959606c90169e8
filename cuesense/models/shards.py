"""Weights in several files, with an index that says which tensor lies where, as transformers writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cuesense.errors import ModelError, expected, first_line, listed
from cuesense.models.common import State
from cuesense.models.first_bytes import START, is_index

# Of 100,000 tensors it is 10 MB. Chosen by hand.
_LARGEST = 16 << 20
_PLAIN = re.compile(r"[^/\\:\x00-\x1f]*[^/\\:.\x00-\x1f]")
_SHOWN = 3


def files_of(path: Path) -> list[Path]:
    """Return a file with the files whose weights it lists, which are none but for an index.

    Raises:
        ModelError: One of them is missing.
    """
    with path.open("rb") as file:
        start = file.read(START)
    return [path, *_parts(path, _table(path))] if is_index(start) else [path]


def joined(index: Path, read: Callable[[Path], State]) -> State:
    """Return the weights that an index lists, from all its files.

    Args:
        index: The index; the files lie beside it.
        read: Reads one of them.

    Raises:
        ModelError: The index is damaged, or a file or a tensor is missing.
    """
    table = _table(index)
    state: dict[str, Any] = {}
    for part in _parts(index, table):
        state |= read(part)
    missing = [f"'{key}'" for key in table if key not in state]
    if missing:
        got = f"no {listed(missing, _SHOWN)} in them"
        raise ModelError(expected(f"the files of {index}", "complete", got, "Save or download them again"))
    return state


def _table(index: Path) -> Mapping[str, str]:
    """Return the name of the file that holds each tensor."""
    try:
        if index.stat().st_size > _LARGEST:
            raise ValueError(f"an index of {index.stat().st_size} bytes")
        table = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        if not isinstance(table, dict) or not table or not all(map(_is_name, table.values())):
            raise ValueError("files that do not lie beside it")
    except (ValueError, KeyError, TypeError) as error:
        do = "Save or download it again"
        raise ModelError(expected(str(index), "an index of weights in several files", first_line(error), do)) from error
    return table


def _is_name(name: object) -> bool:
    return isinstance(name, str) and _PLAIN.fullmatch(name) is not None


def _parts(index: Path, table: Mapping[str, str]) -> list[Path]:
    parts = [index.with_name(name) for name in sorted(set(table.values()))]
    missing = [path.name for path in parts if not path.is_file()]
    if missing:
        got = f"no {listed(missing, _SHOWN)}"
        raise ModelError(expected(f"all files of {index}", "beside it", got, "Download them too"))
    return parts
