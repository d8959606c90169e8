import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cuesense.reports.html.gallery import encode

SIZES = st.integers(1, 160)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@settings(max_examples=40)
@given(height=SIZES, width=SIZES, side=st.integers(8, 128))
def test_the_longer_side_is_limited_and_the_shape_is_kept(height, width, side):
    image = opened(encode(np.zeros((height, width, 3), np.uint8), side))
    longer = max(height, width)
    assert max(image.size) == min(longer, side)
    scale = min(1, side / longer)
    assert abs(image.width - width * scale) < 1
    assert abs(image.height - height * scale) < 1


def test_small_images_keep_their_size():
    assert opened(encode(np.zeros((20, 30, 3), np.uint8))).size == (30, 20)


def test_the_default_side_is_96():
    assert opened(encode(np.zeros((448, 224, 3), np.uint8))).size == (48, 96)


@pytest.mark.parametrize("color", [(255, 0, 0), (0, 255, 0), (10, 20, 250)])
def test_colors_survive(color):
    image = opened(encode(np.full((40, 40, 3), color, np.uint8)))
    assert image.format == "JPEG"
    assert np.abs(np.asarray(image, np.int64) - color).max() <= 4


def test_equal_pixels_give_equal_bytes():
    pixels = np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    assert encode(pixels) == encode(pixels.copy())
    assert len(encode(pixels)) < 8_000
