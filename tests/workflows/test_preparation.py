"""What comes before an analysis, for one that is run and one whose cost is asked for: nothing is written by it."""

from __future__ import annotations

from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from cuesense.errors import SettingsError
from cuesense.workflows import analyze as room
from cuesense.workflows.analyze import analyze, estimate_cost
from cuesense.workflows.preparation import Arguments
from tests.helpers.small_networks import NAMES, Colors, Meanest


def test_the_arguments_are_those_of_analyze() -> None:
    assert [field.name for field in fields(Arguments)] == list(signature(analyze).parameters)


@pytest.mark.parametrize("function", [analyze, estimate_cost])
def test_a_run_and_its_estimate_are_prepared_alike(
    function: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Arguments] = []

    def prepare(given: Arguments) -> None:
        seen.append(given)
        raise SettingsError("enough")

    monkeypatch.setattr(room, "prepare", prepare)
    with pytest.raises(SettingsError, match="enough"):
        function("model.pt", "photos", output=tmp_path / "out", seed=3)
    given = seen[0]
    assert (given.model, given.dataset, given.output, given.seed) == ("model.pt", "photos", tmp_path / "out", 3)
    assert (given.config, given.tolerance, given.engine) == ("standard", 0.05, "local")


def test_a_preparation_says_what_it_found_and_writes_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    images: dict[str, Any] = {"class_names": NAMES, "mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}
    output = tmp_path / "out"
    estimate_cost(Meanest(), Colors(9), config="quick", device="cpu", output=output, phase=said.append, **images)
    assert said == ["finding images", "loading model", "trying model on a few images"]
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_argument_is_refused() -> None:
    with pytest.raises(TypeError, match="sede"):
        estimate_cost(Meanest(), Colors(9), sede=3)
