"""Crops, rotations, flips and erased rectangles: exact cases, plain loops, and the distributions of their draws."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor
from torch.nn.functional import interpolate

from cuesense.perturbations import geometry
from tests.helpers.random_images import draws, noise


def rotated(images: Tensor, degrees: float, monkeypatch: pytest.MonkeyPatch) -> Tensor:
    """Rotate by exactly this angle, which is otherwise drawn."""
    number = (degrees / 180 + 1) / 2
    monkeypatch.setattr(geometry, "uniform_per_image", lambda images, _: torch.full((len(images),), number))
    return geometry.random_rotation(images, 180.0, draws(len(images)))


@settings(max_examples=30, deadline=None)
@given(st.integers(60, 80), st.integers(60, 80), st.floats(0.01, 0.6))
def test_crops_have_an_area_and_a_ratio_within_the_limits(height: int, width: int, value: float) -> None:
    """Up to the rounding of the sides to whole pixels. The fallback for images of these sides is the whole image."""
    boxes = geometry.crop_boxes(height, width, value, draws(200)).astype(float)
    top, left, tall, wide = boxes.T
    assert ((top >= 0) & (left >= 0) & (top + tall <= height) & (left + wide <= width)).all()
    assert ((tall + 0.5) * (wide + 0.5) >= value * height * width).all()
    assert ((wide + 0.5) / (tall - 0.5) >= 3 / 4).all()
    assert ((wide - 0.5) / (tall + 0.5) <= 4 / 3).all()


@pytest.mark.parametrize(
    ("height", "width", "box"),
    [
        (50, 50, [0, 0, 50, 50]),
        (8, 200, [0, 94, 8, 11]),
        (200, 8, [94, 0, 11, 8]),
        (60, 80, [0, 0, 60, 80]),
        (60, 81, [0, 0, 60, 80]),
    ],
)
def test_where_no_box_fits_the_largest_central_one_is_taken(height: int, width: int, box: list[int]) -> None:
    """A crop of the whole area never fits unless its ratio, which is drawn, is that of the image."""
    boxes = geometry.crop_boxes(height, width, 1.0, draws(50))
    fallback = (boxes == np.array(box)).all(axis=1)
    assert fallback.mean() > 0.8
    assert (boxes[~fallback, 2:].prod(axis=1) >= 0.95 * height * width).all()


def test_a_crop_of_everything_is_the_image() -> None:
    images = noise(3, 40, 40)
    torch.testing.assert_close(geometry.random_resized_crop(images, 1.0, draws(3)), images, atol=1e-5, rtol=0)


def test_a_crop_is_the_interpolation_of_its_box_alone() -> None:
    """Pixels outside of the box play no part, not even at its border."""
    images = noise(5, 31, 47)
    changed = geometry.random_resized_crop(images, 0.1, draws(5))
    boxes = geometry.crop_boxes(31, 47, 0.1, draws(5)).astype(int).tolist()
    for image, result, (top, left, tall, wide) in zip(images, changed, boxes, strict=True):
        box = image[None, :, top : top + tall, left : left + wide]
        expected = interpolate(box, (31, 47), mode="bilinear", align_corners=False)[0]
        torch.testing.assert_close(result, expected, atol=2e-5, rtol=0)


def test_the_smaller_the_value_the_smaller_the_mean_area() -> None:
    areas = [geometry.crop_boxes(64, 64, value, draws(1000))[:, 2:].prod(axis=1).mean() for value in (0.7, 0.4, 0.08)]
    assert all(later < 0.9 * earlier for earlier, later in pairwise(areas))


@pytest.mark.parametrize(("degrees", "turns"), [(0, 0), (90, 1), (180, 2), (-90, 3), (-180, 2)])
def test_quarter_turns_are_exact_and_counterclockwise(
    degrees: float, turns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = noise(2, 24, 24)
    changed = rotated(images, degrees, monkeypatch)
    torch.testing.assert_close(changed, images.rot90(turns, dims=(2, 3)), atol=2e-5, rtol=0)


@pytest.mark.parametrize(
    ("height", "width", "degrees", "left"),
    [(80, 80, 0, 1), (80, 80, 45, 2 * (2**0.5 - 1)), (40, 80, 90, 0.5), (80, 40, -90, 0.5), (40, 80, 180, 1)],
)
def test_what_is_turned_out_of_the_image_leaves_black(
    height: int, width: int, degrees: float, left: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A square and its turn by 45 degrees share an octagon; a rectangle is not stretched to its other side."""
    changed = rotated(torch.ones(1, 3, height, width), degrees, monkeypatch)
    assert float(changed.mean()) == pytest.approx(left, abs=0.01)
    assert changed[0, :, height // 2, width // 2].tolist() == pytest.approx([1, 1, 1], abs=1e-5)


def test_angles_are_uniform_on_both_sides() -> None:
    """Read off the centroid of a bright spot beside the center."""
    images = torch.zeros(400, 3, 41, 41)
    images[:, :, 19:22, 34:37] = 1
    weight = geometry.random_rotation(images, 30.0, draws(400))[:, 0]
    line = torch.arange(41.0) - 20
    down, across = (weight * line[:, None]).sum((1, 2)), (weight * line).sum((1, 2))
    angles = torch.atan2(-down, across).rad2deg().double().numpy()
    assert stats.kstest(angles, stats.uniform(-30, 60).cdf).pvalue > 0.001


@pytest.mark.parametrize(("name", "axis"), [("horizontal_flip", 2), ("vertical_flip", 1)])
def test_flips_mirror_the_images_whose_number_is_below_the_probability(name: str, axis: int) -> None:
    images = noise(60, 4, 5)
    flip = getattr(geometry, name)
    changed = flip(images, 0.3, draws(60))
    for before, after, number in zip(images, changed, draws(60).uniform(1)[:, 0], strict=True):
        assert torch.equal(after, before.flip(axis) if number < 0.3 else before)
    assert torch.equal(flip(flip(images, 1.0, draws(60)), 1.0, draws(60)), images)
    assert torch.equal(flip(images, 0.0, draws(60)), images)


@pytest.mark.parametrize(("height", "width", "value"), [(24, 24, 0.33), (12, 40, 0.6), (9, 7, 1.0)])
def test_erasing_is_a_gray_rectangle_in_a_plain_loop(height: int, width: int, value: float) -> None:
    images = noise(30, height, width)
    changed = geometry.random_erasing(images, value, draws(30))
    numbers = draws(30).uniform(4).astype(float)
    for before, after, (share, shape, down, across) in zip(images, changed, numbers, strict=True):
        ratio = 0.3 * (3.3 / 0.3) ** shape
        area = share * value * height * width
        tall, wide = min(round((area * ratio) ** 0.5), height), min(round((area / ratio) ** 0.5), width)
        top, left = int(down * (height - tall + 1)), int(across * (width - wide + 1))
        expected = before.clone()
        expected[:, top : top + tall, left : left + wide] = 0.5
        torch.testing.assert_close(after, expected, atol=1e-7, rtol=0)


def test_erased_rectangles_lie_anywhere_alike() -> None:
    """As often above as below the middle and as often left as right of it, and corners are reached."""
    erased = geometry.random_erasing(torch.zeros(1500, 3, 20, 20), 0.3, draws(1500))[:, 0] > 0
    for pixels in (erased, erased.mT):
        upper, lower = pixels[:, :10].sum((1, 2)), pixels[:, 10:].sum((1, 2))
        above, below = int((upper > lower).sum()), int((lower > upper).sum())
        assert stats.binomtest(above, above + below).pvalue > 0.001
    assert all(erased[:, row, column].any() for row in (0, -1) for column in (0, -1))


def test_nothing_is_erased_at_zero() -> None:
    images = noise(5, 16, 16)
    assert torch.equal(geometry.random_erasing(images, 0.0, draws(5)), images)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.data())
def test_a_span_covers_whole_pixels_inside_the_side(size: int, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, size))
    position = data.draw(st.floats(0, 1, exclude_max=True))
    found = geometry._span(np.array([position]), np.array([float(length)]), size)[0].tolist()
    start = int(position * (size - length + 1))
    assert found == [float(start <= pixel < start + length) for pixel in range(size)]
    assert sum(found) == length
