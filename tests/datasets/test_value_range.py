"""Images of more than 8 bits a channel: what is assumed of them, and when that is said."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cuesense.datasets import value_range as module
from cuesense.datasets.value_range import EIGHT_BITS, eight_bits, range_remarks, value_range

NAN = float("nan")


def said(*images: tuple[float, float]) -> tuple[str, ...]:
    largest, white = np.array(images, dtype=np.float64).reshape(-1, 2).T
    return range_remarks(largest, white)


@pytest.mark.parametrize(("top", "bits"), [(1023, 10), (4095, 12), (16_383, 14)])
def test_values_of_fewer_bits_are_said_with_the_largest(top: int, bits: int) -> None:
    (remark,) = said((NAN, NAN), (top // 2, 65_535), (top, 65_535))
    assert remark.startswith(f"2 images hold more than 8 bits a channel, with values up to {top}, and 65535 was taken")
    assert f"at {2.0 ** (bits - 16):.1%} of white" in remark


def test_a_quarter_of_white_is_the_threshold() -> None:
    assert said((16_384, 65_535)) == ()
    assert len(said((16_383, 65_535))) == 1


def test_dark_images_among_bright_ones_and_8_bit_images_say_nothing() -> None:
    assert said((60_000, 65_535), (900, 65_535)) == ()
    assert said((NAN, NAN), (NAN, NAN)) == ()
    assert said() == ()


def test_a_single_image_is_one() -> None:
    (remark,) = said((900, 65_535))
    assert remark.startswith("1 image holds")


def test_scales_that_differ_between_images_are_said() -> None:
    dark, mixed = said((1.2, 255), (0.9, 1), (0.8, 1))
    assert "up to 1.2, and 255 was taken for white" in dark
    assert "2 with 1 for white, 1 with 255 for white" in mixed


def test_stretching_is_said() -> None:
    (remark,) = said((70_000, NAN))
    assert "1 stretched from the lowest to the highest value of each" in remark


@pytest.mark.parametrize(
    ("values", "kind", "wanted"),
    [
        ([0, 1023], np.uint16, (1023, 65_535)),
        ([0, 200], np.int32, (200, 255)),
        ([0, 300], np.int32, (300, 65_535)),
        ([0.0, 0.5], np.float32, (0.5, 1)),
        ([0.0, 2.0], np.float32, (2, 255)),
        ([0.0, 256.0], np.float32, (256, 65_535)),
    ],
)
def test_an_image_remembers_its_largest_value_and_its_white(
    values: list[float], kind: type[np.generic], wanted: tuple[float, float]
) -> None:
    assert value_range(eight_bits(Image.fromarray(np.array([values], dtype=kind)))) == wanted


def test_a_stretched_image_has_no_white() -> None:
    largest, white = value_range(eight_bits(Image.fromarray(np.array([[-1.0, 5.0]], dtype=np.float32))))
    assert largest == 5
    assert np.isnan(white)
    assert value_range(Image.new("RGB", (2, 2))) is EIGHT_BITS


def test_blocks_do_not_change_the_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 2**31 - 1, (7, 5), dtype=np.int32))
    whole = np.asarray(eight_bits(image))
    monkeypatch.setattr(module, "_BLOCK", 10)
    np.testing.assert_array_equal(np.asarray(eight_bits(image)), whole)
