import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cuesense.errors import OutputError
from cuesense.reports.pictures import FILE, encode, read_pictures, write_pictures
from tests.helpers import profiles
from tests.helpers.partly_seen import partly_seen

SIZES = st.integers(1, 160)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@settings(max_examples=40)
@given(height=SIZES, width=SIZES, side=st.integers(8, 128))
def test_the_longer_side_is_limited_and_the_shape_is_kept(height, width, side):
    image = opened(encode(np.zeros((height, width, 3), np.uint8), side, 60))
    longer = max(height, width)
    assert max(image.size) == min(longer, side)
    scale = min(1, side / longer)
    assert abs(image.width - width * scale) < 1
    assert abs(image.height - height * scale) < 1


@pytest.mark.parametrize("color", [(255, 0, 0), (0, 255, 0), (10, 20, 250)])
def test_colors_survive(color):
    image = opened(encode(np.full((40, 40, 3), color, np.uint8), 96, 60))
    assert image.format == "WEBP"
    assert np.abs(np.asarray(image, np.int64) - color).max() <= 6


def test_equal_pixels_give_equal_bytes():
    pixels = np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    assert encode(pixels, 96, 60) == encode(pixels.copy(), 96, 60)


def test_what_is_written_is_read_again(tmp_path):
    source = profiles.profile(3, empty=1)
    shown = profiles.pictures(source)
    write_pictures(shown, source, tmp_path)
    found = read_pictures(tmp_path, source)
    assert list(found) == [0, 1]
    for at, strips in shown.items():
        for strip, again in zip(strips, found[at], strict=True):
            assert (again.perturbation, len(again.tiles)) == (strip.perturbation, len(strip.tiles))
            for tile, other in zip((strip.clean, *strip.tiles), (again.clean, *again.tiles), strict=True):
                assert (other.sample_id, other.severity, other.value, other.image) == (
                    tile.sample_id,
                    tile.severity,
                    tile.value,
                    tile.image,
                )
                assert other.answer.name == tile.answer.name
                assert other.answer.right == tile.answer.right
                assert other.answer.rival == tile.answer.rival
                assert other.answer.probability == pytest.approx(tile.answer.probability)


def test_the_file_is_a_table_that_others_can_read(tmp_path):
    source = profiles.profile(2)
    write_pictures(profiles.pictures(source), source, tmp_path)
    table = pd.read_parquet(tmp_path / FILE)
    assert set(table["class"]) == {"tench", "barn spider"}
    assert opened(table["image"][0]).size == (48, 48)


@pytest.mark.parametrize("what", ["seed", "model", "dataset", "config"])
def test_pictures_of_other_measurements_are_not_shown(tmp_path, what):
    source = profiles.profile(2)
    write_pictures(profiles.pictures(source), source, tmp_path)
    known = source.provenance
    changed = {
        "config": {"config": known.config | {"more": 1}},
        "seed": {"seed": known.seed + 1},
        "model": {"model": known.model.model_copy(update={"sha256": "0" * 64})},
        "dataset": {"dataset": known.dataset.model_copy(update={"fingerprint": "other"})},
    }[what]
    assert read_pictures(tmp_path, source)
    assert read_pictures(tmp_path, source.model_copy(update={"provenance": known.model_copy(update=changed)})) == {}


def test_pictures_of_the_same_model_with_other_names_of_its_outputs_are_not_shown(tmp_path):
    source = profiles.profile(2)
    write_pictures(profiles.pictures(source), source, tmp_path)
    curve = source.curves[0]
    lost = [[value + 1 for value in row] for row in curve.lost]
    curves = [curve.model_copy(update={"lost": lost}), *source.curves[1:]]
    assert read_pictures(tmp_path, source.model_copy(update={"curves": curves})) == {}


@pytest.mark.parametrize("content", [None, b"", b"PAR1 no table PAR1"])
def test_without_a_whole_file_there_are_none_and_damage_is_said(tmp_path, content, caplog):
    if content is not None:
        (tmp_path / FILE).write_bytes(content)
    assert read_pictures(tmp_path, profiles.profile(2)) == {}
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == (content is not None)
    assert all(str(tmp_path / FILE) in text and "Run `cuesense analyze` again" in text for text in said)


def test_a_file_that_is_cut_is_damaged(tmp_path, caplog):
    source = profiles.profile(2)
    write_pictures(profiles.pictures(source), source, tmp_path)
    whole = (tmp_path / FILE).read_bytes()
    assert read_pictures(tmp_path, source)
    assert not caplog.records
    (tmp_path / FILE).write_bytes(whole[: len(whole) // 2])
    assert read_pictures(tmp_path, source) == {}
    assert len(caplog.records) == 1


def test_a_table_of_other_columns_is_none_of_ours(tmp_path):
    source = profiles.profile(2)
    write_pictures(profiles.pictures(source), source, tmp_path)
    table = pd.read_parquet(tmp_path / FILE).drop(columns="image")
    table.to_parquet(tmp_path / FILE)
    assert read_pictures(tmp_path, source) == {}


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    source = profiles.profile(2)
    with pytest.raises(OutputError, match="writable"):
        write_pictures(profiles.pictures(source), source, tmp_path / "missing")


def test_pictures_of_earlier_versions_whose_curves_say_less_are_shown(tmp_path):
    source = partly_seen()
    write_pictures(profiles.pictures(source), source, tmp_path)
    curves = [curve.model_copy(update={"seen": None}) for curve in source.curves]
    assert read_pictures(tmp_path, source.model_copy(update={"curves": curves}))
