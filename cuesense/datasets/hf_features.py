"""What a Hugging Face dataset says of its columns: which one holds images, which one classes, and their names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from cuesense.datasets.columns import label_headings, path_headings
from cuesense.errors import DatasetError, expected, listed

_SHOWN = 6


def features_of(schema: pa.Schema, folder: Path) -> dict[str, Any]:
    """Return what ``datasets`` wrote of the columns: in the schema, else in ``dataset_info.json`` beside the file."""
    text = (schema.metadata or {}).get(b"huggingface", b"{}")
    try:
        info = json.loads(text).get("info", {})
    except (ValueError, AttributeError, RecursionError):
        info = {}
    found = info.get("features") if isinstance(info, dict) else None
    if not isinstance(found, dict):
        found = read_object(folder / "dataset_info.json").get("features")
    return found if isinstance(found, dict) else {}


def class_names(feature: Any) -> list[str] | None:
    """Return the names of a ClassLabel, None for another column."""
    names = feature.get("names") if isinstance(feature, dict) else None
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        return names if len(set(names)) == len(names) else None
    return None


def image_column(schema: pa.Schema, features: Mapping[str, Any], what: str) -> str:
    """Return the column of images: the one called so by ``datasets``, else the only one of bytes.

    Raises:
        DatasetError: There is none, or several.
    """
    marked = [name for name in schema.names if _type(features.get(name)) == "Image"]
    found: list[str] = marked or [field.name for field in schema if holds_bytes(field.type)]
    if len(found) > 1:
        found = path_headings(found)[:1] or found
    if len(found) == 1:
        return found[0]
    shown = listed(list(schema.names), _SHOWN) or "none"
    got = f"{len(found)} of them (its columns: {shown})"
    do = "Keep the column that counts, or call it image"
    raise DatasetError(expected(what, "a dataset with one column of images", got, do))


def label_column(schema: pa.Schema, features: Mapping[str, Any], image: str, what: str) -> str:
    """Return the column of classes: the only ClassLabel, else the one that is called so.

    Raises:
        DatasetError: There is none, or several, or it has several labels an image.
    """
    if "objects" in schema.names and _type(features.get("label")) != "ClassLabel":
        do = "cuesense needs one class an image: cut the boxes out, or keep images with one object"
        raise DatasetError(expected(what, "images with one class each", "boxes of objects (object detection)", do))
    others = [name for name in schema.names if name != image]
    marked = [name for name in others if _type(features.get(name)) == "ClassLabel"]
    headed = label_headings(others)
    both = [name for name in headed if name in marked]
    found = marked if len(marked) == 1 else both[:1] or marked or headed[:1]
    if len(found) == 1:
        return found[0]
    shown = listed(others, _SHOWN) or "none"
    got = f"several ({listed(found, _SHOWN)})" if found else f"none (its other columns: {shown})"
    raise DatasetError(expected(what, "a dataset with one column of classes", got, "Call the one that counts label"))


def holds_bytes(kind: pa.DataType) -> bool:
    """Return whether a column holds files: bytes, or structures with bytes and a path."""
    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and holds_bytes(kind.field(kind.get_field_index("bytes")).type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _type(feature: Any) -> str | None:
    found = feature.get("_type") if isinstance(feature, dict) else None
    return found if isinstance(found, str) else None


def read_object(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file, an empty one where there is none to read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
