"""The picture sheet shows what an analysis would show a network, of images that a seed chooses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cuesense.config import Config
from cuesense.datasets.load import load_dataset
from cuesense.errors import CuesenseError
from cuesense.inference.engine import predict
from cuesense.inference.options import RunOptions
from cuesense.predictions.shards import OutcomeStore
from cuesense.registry import get
from cuesense.reports.picture_sheet import Block
from cuesense.types import Classifier, Preprocessing
from cuesense.workflows import preview as job
from cuesense.workflows.preview import ModelOptions, PreviewOptions, preview

CONFIG = Config("two", "", (get("perturbations", "patch_shuffle"), get("perturbations", "color_jitter")))
HALF = (0.5, 0.5, 0.5)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Block]:
    """What would be drawn; the sheet is a white square."""
    blocks: list[Block] = []

    def draw(_title: str, _note: str, found: list[Block]) -> Image.Image:
        blocks.extend(found)
        return Image.new("RGB", (4, 4), "white")

    monkeypatch.setattr(job, "draw_sheet", draw)
    return blocks


def test_the_tiles_are_what_the_network_of_an_analysis_sees(
    photos_folder: Path, tmp_path: Path, drawn: list[Block]
) -> None:
    preview(str(photos_folder), tmp_path / "s.png", PreviewOptions(CONFIG, images=3, image_size=16, seed=7))
    seen: list[torch.Tensor] = []

    def network(images: torch.Tensor) -> torch.Tensor:
        seen.append(images.clone())
        return torch.zeros(len(images), 3)

    data = load_dataset(str(photos_folder))
    classifier = Classifier("seen", "none", network, Preprocessing((16, 16), 16, HALF, HALF))
    run = RunOptions(batch_size=len(data), seed=7)
    predict(classifier, data, (0, 1, 2), CONFIG.conditions(), OutcomeStore(), run)
    order = sorted(data.sample_ids)
    assert len({block.title.partition("/")[0] for block in drawn}) == 3
    for block in drawn:
        at = order.index(block.title)
        tiles = [block.clean, *(tile for row in block.rows for tile in row.tiles)]
        assert len(tiles) == len(CONFIG.conditions())
        for tile, images in zip(tiles, seen, strict=True):
            pixels = (images[at] * 0.5 + 0.5) * 255
            assert np.abs(tile.transpose(2, 0, 1) - pixels.numpy()).max() <= 0.51


def test_values_stand_under_the_tiles_also_in_pixels(photos_folder: Path, tmp_path: Path, drawn: list[Block]) -> None:
    config = Config("one", "", (get("perturbations", "median_blur"), CONFIG.perturbations[1]))
    preview(str(photos_folder), tmp_path / "s.png", PreviewOptions(config, image_size=16))
    blurred, jittered = drawn[0].rows
    first = config.perturbations[0].ladder[0]
    assert blurred.values[0].replace("\N{NO-BREAK SPACE}", " ") == f"{100 * first:g} % ({round(16 * first, 1):g} px)"
    assert jittered.values == tuple(f"{value:g}" for value in config.perturbations[1].ladder)


def test_the_seed_chooses_images_and_draws(photos_folder: Path, tmp_path: Path, drawn: list[Block]) -> None:
    for seed in (0, 0, 1, 2, 3):
        preview(str(photos_folder), tmp_path / "s.png", PreviewOptions(CONFIG, seed=seed))
    assert drawn[0].title == drawn[1].title
    assert (drawn[0].rows[1].tiles[3] == drawn[1].rows[1].tiles[3]).all()
    assert len({block.title for block in drawn}) > 1


@pytest.mark.parametrize(
    ("sides", "asked", "side"), [([(300, 400)], None, 224), ([(300, 100)], None, 100), ([(300, 400)], 64, 64)]
)
def test_without_a_model_images_have_a_usual_size_that_is_said(
    sides: list[tuple[int, int]], asked: int | None, side: int, tmp_path: Path, drawn: list[Block]
) -> None:
    Image.new("RGB", sides[0]).save(tmp_path / "a.png")
    found = preview(str(tmp_path / "a.png"), tmp_path / "s.png", PreviewOptions(CONFIG, image_size=asked))
    assert drawn[0].clean.shape == (side, side, 3)
    assert found.remarks[0].startswith(f"Prepared at {side} x {side} pixels")
    assert drawn[0].title == "a.png"


def test_with_a_model_its_own_preprocessing_is_used(
    model_file: Path, photos_folder: Path, tmp_path: Path, drawn: list[Block]
) -> None:
    model = ModelOptions(str(model_file))
    found = preview(str(photos_folder), tmp_path / "s.png", PreviewOptions(CONFIG, image_size=8), model=model)
    assert drawn[0].clean.shape == (8, 8, 3)
    assert found.remarks[0].startswith(f"Prepared as {model_file} takes them: 8 x 8 pixels")


def test_images_that_cannot_be_read_are_passed_over(tmp_path: Path, drawn: list[Block]) -> None:
    for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(b"\x89PNG\r\n\x1a\nno")
    Image.new("RGB", (20, 20)).save(tmp_path / "photos/cat/2.png")
    for seed in range(4):
        preview(str(tmp_path / "photos"), tmp_path / "s.png", PreviewOptions(CONFIG, images=8, seed=seed))
    assert [block.title for block in drawn] == ["cat/2.png"] * 4
    (tmp_path / "photos/cat/2.png").write_bytes(b"no")
    with pytest.raises(CuesenseError, match="to be images, but got none that can be read"):
        preview(str(tmp_path / "photos"), tmp_path / "t.png", PreviewOptions(CONFIG))
    assert not (tmp_path / "t.png").exists()


def test_a_sheet_that_webp_cannot_hold_is_refused(
    photos_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn: list[Block]
) -> None:
    for size, fits in ((16383, True), (16384, False)):
        monkeypatch.setattr(job, "sheet_size", lambda _, size=size: (100, size))
        preview(str(photos_folder), tmp_path / f"{size}.png", PreviewOptions(CONFIG))
        if fits:
            preview(str(photos_folder), tmp_path / f"{size}.webp", PreviewOptions(CONFIG))
            continue
        with pytest.raises(CuesenseError, match="at most 16383 pixels high as WebP, but got 16384 pixels"):
            preview(str(photos_folder), tmp_path / f"{size}.webp", PreviewOptions(CONFIG))
    assert {path.name for path in tmp_path.iterdir()} == {"16383.png", "16383.webp", "16384.png"}
    assert drawn
