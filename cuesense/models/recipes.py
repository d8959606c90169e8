"""Ways out for files with a whole module in them, whose classes are code that this package does not load."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from cuesense.types import ClassNames, Preprocessing

_ULTRALYTICS = "ultralytics"


def recipe(path: Path, name: str) -> str:
    """Return how a file is loaded that names a class or function of somebody's code, to be pasted.

    Args:
        path: The file.
        name: What it names, such as ``"my_project.model.Net"``.
    """
    start = "if you trust the file, put"
    end = "into my_model.py and give python:my_model:build"
    if name.partition(".")[0] == _ULTRALYTICS:
        code = f"`def build(): from ultralytics import YOLO; return YOLO({str(path)!r}).model`"
        export = f"`yolo export format=onnx model={path}`"
        return f"Export it with {export} and give the .onnx file; or {start} {code} {end} (`pip install ultralytics`)"
    load = f"torch.load({str(path)!r}, map_location='cpu', weights_only=False)"
    return f"Or, {start} `def build(): import torch; return {load}` {end}"


def carried_by(network: nn.Module) -> tuple[Preprocessing | None, ClassNames | None]:
    """Return the preprocessing and the names that a classifier of Ultralytics carries, None where there are none.

    Args:
        network: A network that the user's own code has built.
    """
    if type(network).__module__.partition(".")[0] != _ULTRALYTICS:
        return None, None
    names: Any = getattr(network, "names", None)
    known = None
    if isinstance(names, Mapping) and set(names) == set(range(len(names))):
        known = ClassNames(tuple(str(names[number]) for number in range(len(names))))
    settings: Any = getattr(network, "args", None)
    side = settings.get("imgsz") if isinstance(settings, Mapping) else getattr(settings, "imgsz", None)
    if not isinstance(side, int) or side <= 0:
        return None, known
    # Its classifiers take pixels from 0 to 1, the center crop of the shorter side (ultralytics.data.augment).
    return Preprocessing((side, side), side, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)), known
