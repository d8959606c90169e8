"""What is said of Ultralytics' files, and what their networks carry."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from cuesense.errors import ModelError
from cuesense.models.load import load_classifier
from cuesense.models.recipes import carried_by
from cuesense.types import ClassNames, Preprocessing


class Own(nn.Module):
    """A class of the user's own."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3)) * self.scale


class Yolo(Own):
    """Stands for Ultralytics' ClassificationModel, which carries its names and settings."""

    names: ClassVar[dict[int, str]] = {0: "ant", 1: "bee", 2: "cat"}
    args: ClassVar[dict[str, int]] = {"imgsz": 32}


Yolo.__module__ = "ultralytics.nn.tasks"


def test_files_of_ultralytics_are_told_how_to_be_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ultralytics", "ultralytics.nn", "ultralytics.nn.tasks"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(sys.modules["ultralytics.nn.tasks"], "Yolo", Yolo, raising=False)
    path = tmp_path / "best.pt"
    torch.save({"model": Yolo(), "epoch": 3}, path)
    with pytest.raises(ModelError) as caught:
        load_classifier(str(path))
    said = str(caught.value)
    assert "a network of Ultralytics (ultralytics.nn.tasks.Yolo)" in said
    assert f"`yolo export format=onnx model={path}`" in said
    assert f"return YOLO({str(path)!r}).model`" in said
    assert "(`pip install ultralytics`)" in said


def test_ultralytics_networks_carry_names_and_size(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Preprocessing((32, 32), 32, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)), ClassNames(("ant", "bee", "cat"))
    assert carried_by(Yolo()) == expected
    assert carried_by(Own()) == (None, None)
    monkeypatch.setattr(Yolo, "args", None)
    monkeypatch.setattr(Yolo, "names", {0: "ant", 4: "bee"})
    assert carried_by(Yolo()) == (None, None)


def test_a_factory_of_an_ultralytics_network_is_ready_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("factory_of_yolo")
    module.build = Yolo  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "factory_of_yolo", module)
    found = load_classifier("python:factory_of_yolo:build")
    assert found.preprocessing.image_size == (32, 32)
    assert found.class_names is not None
    assert found.class_names.names == ("ant", "bee", "cat")
    assert found.guessed == frozenset()
