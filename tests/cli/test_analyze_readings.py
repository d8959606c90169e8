"""What analyze says of how images are prepared, and its table of ways to prepare them (--probe)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.conftest import make_folder
from tests.helpers.command_line import assert_one_sentence, run
from tests.helpers.small_networks import SIZE

SAYS = ["--mean", "0", "--std", "1"]


class UnitRange(nn.Module):
    """Answers the class whose channel is brightest, of pixels in [0, 1]; of others always the first class."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(40.0))

    def forward(self, images: Tensor) -> Tensor:
        usual = (images.amin((1, 2, 3)) >= 0) & (images.amax((1, 2, 3)) <= 1)
        return images.mean(dim=(2, 3)) * self.scale * usual.float()[:, None]


@pytest.fixture(scope="module")
def unit_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("unit") / "unit.pt2"
    batch = {"images": {0: torch.export.Dim("batch", min=1, max=128)}}
    torch.export.save(torch.export.export(UnitRange(), (torch.rand(2, 3, SIZE, SIZE),), dynamic_shapes=batch), path)
    return path


def test_the_table_names_the_right_way_first_and_runs_no_analysis(
    unit_file: Path, photos_folder: Path, tmp_path: Path
) -> None:
    command = ["analyze", unit_file, "--dataset", photos_folder, "--output", tmp_path / "out", "--probe"]
    text = run(*command)
    assert text.exit_code == 0, text.output
    assert "pixels from 0 to 1" in text.stdout
    assert "--mean 0 --std 1" in text.stdout
    found = json.loads(run(*command, "--json").stdout)
    best = found["readings"][0]
    assert (found["images"], best["recognized"], best["taken"]) == (60, 60, True)
    assert "--mean 0 --std 1" in best["options"]
    assert not (tmp_path / "out").exists()


def test_the_table_is_of_the_images_that_are_asked_for(unit_file: Path, photos_folder: Path, tmp_path: Path) -> None:
    for part, count in (("train", 3), ("val", 2)):
        make_folder(tmp_path / "root" / part, count)
    command = ["analyze", unit_file, "--probe", "--json", *SAYS]
    root = tmp_path / "root"
    few = json.loads(run(*command, "--dataset", photos_folder, "--images-per-class", "4").stdout)
    parts = [json.loads(run(*command, "--dataset", root, "--split", part).stdout) for part in ("train", "val")]
    assert [few["images"], *(part["images"] for part in parts)] == [12, 9, 6]
    assert_one_sentence(run(*command, "--dataset", photos_folder, "--images-per-class", "0"), "--images-per-class")


def test_what_is_taken_is_said_before_the_run_on_the_page_and_in_the_profile(
    unit_file: Path, photos_folder: Path, tmp_path: Path
) -> None:
    command = ["analyze", unit_file, "--dataset", photos_folder, "--config", "quick", "--output"]
    guessed = run(*command, tmp_path / "guessed", "--json")
    assert guessed.exit_code == 0, guessed.output
    assert "--mean 0 --std 1" in guessed.stderr
    profile = json.loads(guessed.stdout)
    assert any("--mean 0 --std 1" in warning for warning in profile["summary"]["warnings"])
    assert profile["provenance"]["model"]["preprocessing"]["mean"] == [0, 0, 0]
    assert "--mean 0 --std 1" in (tmp_path / "guessed" / "report.html").read_text(encoding="utf-8")
    again = run(*command, tmp_path / "guessed", "--json")
    assert json.loads(again.stdout)["provenance"]["model"] == profile["provenance"]["model"]
    sizes = ["--image-size", SIZE, "--resize", SIZE]
    said = run(*command, tmp_path / "said", "--json", *sizes, "--channels", "rgb", *SAYS)
    assert "prepared" not in said.stderr
    assert json.loads(said.stdout)["summary"]["clean_accuracy"] == profile["summary"]["clean_accuracy"] == 1
    wrong = run(*command, tmp_path / "wrong", "--json", "--mean", "0.5", "--std", "0.5")
    assert "wrong way" in wrong.stderr
    assert "--mean 0 --std 1" in wrong.stderr
