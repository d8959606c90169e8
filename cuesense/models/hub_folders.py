"""Folders in the layout of the Hugging Face hub: config.json, and weights beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cuesense.errors import ModelError, expected, first_line

CONFIG = "config.json"
PROCESSOR = "preprocessor_config.json"
SAFE = ("model.safetensors", "model.safetensors.index.json")
PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json")
FILES = (CONFIG, *SAFE, *PICKLED)
"""What one of them is named for stands for its folder, where that is a model in the layout of the hub."""
# A configuration of a model has one of these keys; timm's has the last.
_OF_MODELS = {"model_type", "architectures", "architecture"}


def is_folder(path: Path) -> bool:
    """Return whether a folder holds a model in the layout of the hub."""
    return path.is_dir() and (path / CONFIG).is_file()


def is_model(folder: Path) -> bool:
    """Return whether a folder's configuration is one of the hub's: others are also called so."""
    return is_folder(folder) and bool(json_of(folder / CONFIG).keys() & _OF_MODELS)


def is_timm_folder(path: Path) -> bool:
    """Return whether a folder holds a timm model in the layout of the hub: its configuration names an architecture."""
    return is_folder(path) and isinstance(json_of(path / CONFIG).get("architecture"), str)


def json_of(path: Path) -> Mapping[str, Any]:
    """Return what a file of JSON holds, nothing where that is no object.

    Raises:
        ModelError: It cannot be read.
    """
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        do = "Save or download it again"
        raise ModelError(expected(str(path), "JSON", f"'{first_line(error)}'", do)) from error
    return read if isinstance(read, dict) else {}
