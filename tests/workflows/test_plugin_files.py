"""Files of users' own that register perturbations: run, refused, and part of what a run is resumed by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cuesense
from cuesense import registry
from cuesense.config import Config, with_more
from cuesense.errors import CuesenseError, ModelError, SettingsError
from cuesense.models.trust import Trust
from cuesense.testing import check_perturbation
from cuesense.types import Perturbation
from cuesense.workflows.plugin_files import changing_code, load_plugin
from tests.helpers.command_line import run

EXAMPLE = Path(__file__).parents[2] / "examples" / "plugins" / "perturbations.py"


@pytest.fixture(autouse=True)
def _nothing_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_ADDED", {kind: {} for kind in registry.KINDS})


def test_the_example_keeps_the_contract() -> None:
    assert load_plugin(EXAMPLE) == ["fog", "tint"]
    for name in ("fog", "tint"):
        entry: Perturbation = registry.get("perturbations", name)
        check_perturbation(entry)
        assert name in registry.names("perturbations")


def test_what_a_plug_in_adds_is_measured_budgeted_and_recommended(
    model_file: Path, photos_folder: Path, tmp_path: Path
) -> None:
    added = {"fog", "tint", "solarize", "kornia:RandomMedianBlur"}
    done = run(
        "analyze", model_file, "--dataset", photos_folder, "--config", "quick", "--output", tmp_path / "out",
        "--image-size", 16, "--resize", 16, "--plugin", EXAMPLE, "--augmentations", ",".join(sorted(added)),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    profile = cuesense.Profile.read(tmp_path / "out")
    assert added <= {curve.perturbation for curve in profile.curves}
    assert added <= set(profile.classes[0].budgets)
    chosen = "fog,solarize"
    found = run("recommend", tmp_path / "out", "--plugin", EXAMPLE, "--augmentations", chosen, "--format", "json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["probability"] == 0.8


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x = 1", "registers a perturbation, but got none"),
        ("1 / 0", "a file that can be imported, but got ZeroDivisionError"),
        ("import sys; sys.exit(3)", "a file that can be imported, but got SystemExit"),
        (
            "import cuesense\nfrom cuesense.registry import get\ncuesense.register(get('perturbations', 'hue'))",
            "one of its own, but got 'hue'",
        ),
    ],
)
def test_what_is_no_plug_in_is_refused_in_one_sentence(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "plugin.py"
    path.write_text(content)
    with pytest.raises(SettingsError, match=message):
        load_plugin(path)


def test_missing_files_and_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1")
    for path in (tmp_path / "a.txt", tmp_path / "b.py", tmp_path):
        with pytest.raises(SettingsError, match="to be a Python file"):
            load_plugin(path)
    assert load_plugin(None) == []


def test_a_plug_in_is_a_program_that_weights_only_forbids() -> None:
    with pytest.raises(ModelError, match=r"which is a program\. Leave plugin out, or leave weights_only out"):
        load_plugin(EXAMPLE, Trust(weights_only=True))
    assert not registry.known("perturbations", "fog")


def test_another_version_of_the_file_is_another_run(tmp_path: Path) -> None:
    path = tmp_path / "plugin.py"
    path.write_text(EXAMPLE.read_text())
    load_plugin(path)
    config = with_more(Config("mine", "", ()), ["fog", "hue"])
    first = changing_code(config)
    assert list(first) == ["fog"]
    path.write_text(EXAMPLE.read_text() + "# other\n")
    load_plugin(path)
    assert changing_code(config) != first
    assert changing_code(with_more(Config("mine", "", ()), ["hue"])) == {}


def test_more_augmentations_are_added_once_and_unknown_ones_are_refused() -> None:
    config = with_more(Config("mine", "", ()), ["hue", "hue", "solarize"])
    assert [entry.name for entry in config.perturbations] == ["hue", "solarize"]
    assert with_more(config, ["solarize"]) == config
    with pytest.raises(CuesenseError, match="Did you mean 'solarize'"):
        with_more(config, ["solarise"])
    assert json.dumps(config.to_dict())
