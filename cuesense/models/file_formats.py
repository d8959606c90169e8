"""A model's file, recognized by what is in it and not by its name."""

from __future__ import annotations

import json
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from cuesense.errors import CuesenseError, ModelError, expected, first_line
from cuesense.models.archives import RefusedArchiveError, open_archive
from cuesense.models.checkpoint import Found, find
from cuesense.models.common import Loaded, State
from cuesense.models.exported import load_exported, load_torchscript
from cuesense.models.file_kinds import (
    DOWNLOAD_AGAIN,
    content_without_weights,
    is_paddle,
    other_kind,
    other_kind_of_archive,
)
from cuesense.models.onnx import is_onnx, load_onnx
from cuesense.models.pickles import load_pickle
from cuesense.models.shards import index_in, is_index, joined
from cuesense.models.trust import OWN_WORD, Trust

_KINDS = "a state dict, a checkpoint, a module, TorchScript, a torch.export .pt2, safetensors or ONNX"
_PICKLE = b"\x80"
# How transformers names the files of weights that are too large for one.
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.[a-z]+$")
# The longest start that tells one kind of file from another: tar has its mark at 257.
_START = 512
# The header of 100,000 tensors is 10 MB. Chosen by hand; the library itself allows 100 MB, which becomes gigabytes.
_LONGEST_HEADER = 16 << 20
_ITEM_SIZES = {"F64": 8, "I64": 8, "U64": 8, "C64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2}
_ITEM_SIZES |= {"U16": 2, "I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1}


def read(path: Path, trust: Trust = OWN_WORD, key: str | None = None) -> Found | Loaded:
    """Read a file with a model in it.

    Args:
        path: The file; the index of weights in several files stands for all of them.
        trust: Whether programs run (see ``models.trust``).
        key: The dotted path of the weights to take, where the file holds several.

    Returns:
        The weights or modules in the file, with the plain data beside them; for an exported file the network.

    Raises:
        ModelError: The file cannot be read, is empty, damaged or no model, or could run code.
    """
    with reading(path):
        if not stat.S_ISREG(path.stat().st_mode):
            raise _no_model(path, "a pipe or a device")
        with path.open("rb") as file:
            start = file.read(_START)
        if not start:
            raise _no_model(path, "an empty file")
        _refuse_part(path)
        if is_index(start):
            return _unwrapped(joined(path, _read_part), path, key)
        return _read_one(path, start, trust, key)


def _refuse_part(path: Path) -> None:
    part = _PART.search(path.name)
    if part is None or int(part[2]) <= 1:
        return
    index = index_in(path.parent)
    do = "Save them into one file, or give the index of them" if index is None else f"Give their index, {index}"
    raise _no_model(path, f"part {int(part[1])} of {int(part[2])} of a network's weights", do)


def _read_part(path: Path) -> State:
    """Return the weights in one of several files; nothing but weights is read there."""
    with reading(path):
        with path.open("rb") as file:
            start = file.read(_START)
        found = _read_one(path, start, Trust(weights_only=True), None)
        if isinstance(found, Loaded) or not isinstance(found.weights, Mapping):
            raise _no_model(path, "a network where a part of its weights was expected")
        return found.weights


def _read_one(path: Path, start: bytes, trust: Trust, key: str | None) -> Found | Loaded:
    if start.startswith(b"PK"):
        return _read_zip(path, trust, key)
    if start.startswith(_PICKLE):
        return _unwrapped(load_pickle(path, modules=not trust.strict), path, key)
    if _is_safetensors(start, path.stat().st_size):
        return _read_safetensors(path, key)
    if is_onnx(start):
        return load_onnx(path)
    raise _no_model(path, *other_kind(start))


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a library raises over a file into one sentence.

    Args:
        path: The file.

    Raises:
        ModelError: Something was raised.
    """
    try:
        yield
    except CuesenseError:
        raise
    except OSError as error:
        got = f"'{error.strerror or first_line(error)}'"
        raise ModelError(expected(str(path), "readable", got, "Check the path and its permissions")) from error
    except MemoryError as error:
        raise _no_model(path, "more than the memory holds", "Use a machine with more memory") from error
    # A damaged file makes libraries raise nearly everything there is: a list of types would always lack one.
    except Exception as error:
        raise _no_model(path, f"a damaged one ({type(error).__name__}: {first_line(error)})") from error


def _read_zip(path: Path, trust: Trust, key: str | None) -> Found | Loaded:
    try:
        with path.open("rb") as file, open_archive(file) as archive:
            members = archive.namelist()
    except RefusedArchiveError as error:
        raise _no_model(path, first_line(error)) from error
    except zipfile.BadZipFile as error:
        raise _no_model(path, "a truncated or damaged archive") from error
    names = {name.partition("/")[2] for name in members} | set(members)
    folders = {name.partition("/")[0] for name in names}
    if "archive_format" in names or "serialized_exported_program.json" in names:
        trust.permit(str(path), "a torch.export archive", trust.model_named_in)
        return load_exported(path)
    if "data.pkl" in names and "code" in folders:
        trust.permit(str(path), "TorchScript", trust.model_named_in)
        return load_torchscript(path)
    if "data.pkl" in names:
        return _unwrapped(load_pickle(path, modules=not trust.strict), path, key)
    raise _no_model(path, *other_kind_of_archive(members))


def _unwrapped(content: object, path: Path, key: str | None) -> Found:
    found = None if is_paddle(content) else find(content, key)
    if found is None:
        raise _no_model(path, *content_without_weights(content))
    return found


def _is_safetensors(start: bytes, size: int) -> bool:
    """Return whether the first 8 bytes are the length of the JSON header that begins with the ninth."""
    return start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= size


def _read_safetensors(path: Path, key: str | None) -> Found:
    damage = _damage_of_header(path)
    if damage is not None:
        raise _no_model(path, f"damaged safetensors ({damage})")
    try:
        with safe_open(path, framework="pt") as opened:
            beside = opened.metadata() or {}
        state = load_file(path)
    except SafetensorError as error:
        raise _no_model(path, f"damaged safetensors ({first_line(error)})") from error
    if not state:
        raise _no_model(path, "safetensors without tensors")
    found = _unwrapped(state, path, key)
    return replace(found, about=beside)


def _damage_of_header(path: Path) -> str | None:
    """Return what is wrong with a header before anything is allocated for it, or None."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _LONGEST_HEADER:
            return f"a header of {length} bytes"
        try:
            header = json.loads(file.read(length), object_pairs_hook=_once)
        except ValueError as error:
            return first_line(error)
    size = path.stat().st_size - 8 - length
    return next((f"the tensor '{name}'" for name, entry in header.items() if _is_off(name, entry, size)), None)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name twice")
    return found


def _is_off(name: str, entry: Any, size: int) -> bool:
    """Return whether an entry announces other bytes than are there; types that are new are left to the library."""
    if name == "__metadata__":
        return not isinstance(entry, dict)
    shape, (start, end) = entry["shape"], entry["data_offsets"]
    counted = all(type(number) is int and number >= 0 for number in (*shape, start, end))
    item = _ITEM_SIZES.get(entry["dtype"])
    return not counted or not start <= end <= size or (item is not None and prod(shape) * item != end - start)


def _no_model(path: Path, got: str, do: str = DOWNLOAD_AGAIN) -> ModelError:
    return ModelError(expected(str(path), f"a model ({_KINDS})", got, do))
