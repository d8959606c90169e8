"""Read a model's file, whatever its kind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from cuesense.errors import first_line
from cuesense.models.checkpoint import Found, find
from cuesense.models.common import Loaded, State
from cuesense.models.exported import load_exported, load_torchscript
from cuesense.models.file_kinds import content_without_weights, is_paddle
from cuesense.models.first_bytes import Kind, kind_of, no_model, reading
from cuesense.models.onnx import load_onnx
from cuesense.models.pickles import load_pickle
from cuesense.models.shards import joined
from cuesense.models.trust import OWN_WORD, Trust

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
        return _read_one(path, kind_of(path), trust, key)


def _read_part(path: Path) -> State:
    """Return the weights in one of several files; nothing but weights is read there."""
    with reading(path):
        found = _read_one(path, kind_of(path, is_part=True), Trust(weights_only=True), None)
        if isinstance(found, Loaded) or not isinstance(found.weights, Mapping):
            raise no_model(path, "a network where a part of its weights was expected")
        return found.weights


def _read_one(path: Path, kind: Kind, trust: Trust, key: str | None) -> Found | Loaded:
    match kind:
        case Kind.INDEX:
            return _unwrapped(joined(path, _read_part), path, key)
        case Kind.PICKLE:
            return _unwrapped(load_pickle(path, modules=not trust.strict), path, key)
        case Kind.SAFETENSORS:
            return _read_safetensors(path, key)
        case Kind.ONNX:
            return load_onnx(path)
        case Kind.EXPORTED:
            trust.permit(str(path), "a torch.export archive", trust.model_named_in)
            return load_exported(path)
        case Kind.TORCHSCRIPT:
            trust.permit(str(path), "TorchScript", trust.model_named_in)
            return load_torchscript(path)


def _unwrapped(content: object, path: Path, key: str | None) -> Found:
    found = None if is_paddle(content) else find(content, key)
    if found is None:
        raise no_model(path, *content_without_weights(content))
    return found


def _read_safetensors(path: Path, key: str | None) -> Found:
    damage = _damage_of_header(path)
    if damage is not None:
        raise no_model(path, f"damaged safetensors ({damage})")
    try:
        with safe_open(path, framework="pt") as opened:
            beside = opened.metadata() or {}
        state = load_file(path)
    except SafetensorError as error:
        raise no_model(path, f"damaged safetensors ({first_line(error)})") from error
    if not state:
        raise no_model(path, "safetensors without tensors")
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
