"""What a refusal prints for a whole module can be pasted and works."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from cuesense.errors import ModelError
from cuesense.models.load import load_classifier
from cuesense.models.recipes import carried_by, recipe
from cuesense.types import ClassNames, Preprocessing


class Own(nn.Module):
    """A class of the user's own."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3))


class Yolo(Own):
    """Stands for Ultralytics' ClassificationModel, which carries its names and settings."""

    names: ClassVar[dict[int, str]] = {0: "ant", 1: "bee", 2: "cat"}
    args: ClassVar[dict[str, int]] = {"imgsz": 32}


Yolo.__module__ = "ultralytics.nn.tasks"


def test_the_recipe_of_a_refusal_loads_the_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "own.pt"
    torch.save(Own(), path)
    with pytest.raises(ModelError) as caught:
        load_classifier(str(path))
    said = caught.value.for_command_line
    (code,) = re.findall("`(def build.*?)`", said)
    assert "into my_model.py and give python:my_model:build." in said
    (tmp_path / "my_model.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_classifier("python:my_model:build").network(torch.ones(2, 3, 4, 4)).tolist() == [[1.0] * 3] * 2


def test_files_of_ultralytics_are_told_how_to_be_exported() -> None:
    said = recipe(Path("best.pt"), "ultralytics.nn.tasks.ClassificationModel")
    assert said.startswith("Export it with `yolo export format=onnx model=best.pt`")
    assert "return YOLO('best.pt').model`" in said
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
    monkeypatch.setitem(__import__("sys").modules, "factory_of_yolo", module)
    found = load_classifier("python:factory_of_yolo:build")
    assert found.preprocessing.image_size == (32, 32)
    assert found.class_names is not None
    assert found.class_names.names == ("ant", "bee", "cat")
    assert found.guessed == frozenset()
