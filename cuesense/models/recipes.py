"""Classifiers of Ultralytics, whose files hold a whole module of classes that this package does not load."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from cuesense.types import ClassNames, Preprocessing

_ULTRALYTICS = "ultralytics"


def is_ultralytics(name: str) -> bool:
    """Return whether a class or module, by its dotted name, is of the package ultralytics."""
    return name.partition(".")[0] == _ULTRALYTICS


def recipe(path: Path) -> str:
    """Return how a file of Ultralytics is loaded, to be pasted."""
    code = f"`def build(): from ultralytics import YOLO; return YOLO({str(path)!r}).model`"
    return (
        f"Export it with `yolo export format=onnx model={path}` and give the .onnx file; or, if you trust the file, "
        f"put {code} into my_model.py and give python:my_model:build (`pip install ultralytics`)"
    )


def carried_by(network: nn.Module) -> tuple[Preprocessing | None, ClassNames | None]:
    """Return the preprocessing and the names that a classifier of Ultralytics carries, None where there are none.

    Args:
        network: A network that the user's own code has built.
    """
    if not is_ultralytics(type(network).__module__):
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
