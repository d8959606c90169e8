"""transfer as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import make_folder
from tests.helpers.command_line import assert_one_sentence, run
from tests.helpers.sweep_networks import ARCH, write_networks

SIZE = "16"
IMAGES = ["--arch", ARCH, "--image-size", SIZE, "--resize", SIZE, "--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25"]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with networks, their list and photographs."""
    folder = tmp_path_factory.mktemp("sweep")
    write_networks(folder, seeds=2)
    make_folder(folder / "photos", 40)
    return folder


def test_transfer_audits_another_task(sweep: Path, tmp_path: Path) -> None:
    result = run("transfer", sweep / "runs.csv", "--dataset", sweep / "photos", "--output", tmp_path, *IMAGES, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["source"]["train"] == "five folds of the dataset"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["lost.csv", "--dataset", "photos"], "but got 2 that are missing: a.pt, b.pt"),
        (["runs.csv", "--dataset", "photos", "--train", "gone", *IMAGES], "gone"),
    ],
)
def test_mistakes_are_one_sentence(
    arguments: list[object], sentence: str, sweep: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(sweep)
    (sweep / "lost.csv").write_text("model,strength,seed\na.pt,0,0\nb.pt,1,0\n")
    assert_one_sentence(run("transfer", *arguments, "--output", tmp_path / "out"), sentence)
    assert not (tmp_path / "out" / "audit.json").exists()
