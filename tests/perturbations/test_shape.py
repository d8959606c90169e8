"""Tiles and shifts read pixel by pixel in plain loops, and how often each order, turn and direction is drawn."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from cuesense.perturbations import shape
from tests.helpers.random_images import draws, noise

sizes = st.integers(1, 14)


def borders(length: int, grid: int) -> list[int]:
    return [number * length // grid for number in range(grid + 1)]


def tiles_of(height: int, width: int, grid: int) -> list[tuple[int, int, int, int]]:
    """Top, left, height and width of every tile, row by row."""
    rows, columns = borders(height, grid), borders(width, grid)
    return [
        (rows[i], columns[j], rows[i + 1] - rows[i], columns[j + 1] - columns[j])
        for i in range(grid)
        for j in range(grid)
    ]


def filled(image: Tensor, grid: int, sources: list[tuple[int, int]]) -> Tensor:
    """Fill each tile from its source corner, moved inside the image, pixel by pixel."""
    height, width = image.shape[1:]
    result = torch.empty_like(image)
    for (top, left, tall, wide), (source_row, source_column) in zip(
        tiles_of(height, width, grid), sources, strict=True
    ):
        row_0 = min(max(source_row, 0), height - tall)
        column_0 = min(max(source_column, 0), width - wide)
        for row, column in np.ndindex(tall, wide):
            result[:, top + row, left + column] = image[:, row_0 + row, column_0 + column]
    return result


@pytest.mark.parametrize(("height", "width", "value"), [(7, 9, 2.0), (10, 6, 3.0), (11, 13, 4.0), (3, 9, 8.0)])
def test_patch_shuffle_is_a_plain_loop_where_no_grid_divides(height: int, width: int, value: float) -> None:
    images, grid = noise(4, height, width), min(int(value), height, width)
    changed = shape.patch_shuffle(images, value, draws(4))
    orders = draws(4).uniform(grid * grid).argsort(axis=1)
    corners = [(top, left) for top, left, *_ in tiles_of(height, width, grid)]
    for image, result, order in zip(images, changed, orders, strict=True):
        assert torch.equal(result, filled(image, grid, [corners[source] for source in order]))


@settings(max_examples=40, deadline=None)
@given(sizes, sizes, st.sampled_from((2.0, 3.0, 5.0)), st.sampled_from(("patch_shuffle", "patch_rotation")))
def test_tiles_hold_pixels_of_their_own_image_alone(height: int, width: int, value: float, name: str) -> None:
    images = noise(2, height, width)
    changed = getattr(shape, name)(images, value, draws(2))
    for before, after in zip(images, changed, strict=True):
        assert {*map(tuple, after.flatten(1).T.tolist())} <= {*map(tuple, before.flatten(1).T.tolist())}


def test_a_grid_that_divides_moves_every_pixel_once_and_a_grid_of_one_none() -> None:
    images = noise(3, 12, 18)
    changed = shape.patch_shuffle(images, 3.0, draws(3))
    assert torch.equal(changed.flatten(2).sort().values, images.flatten(2).sort().values)
    assert not torch.equal(changed, images)
    assert torch.equal(shape.patch_shuffle(images, 1.0, draws(3)), images)


def test_every_tile_comes_to_every_position_equally_often() -> None:
    """Chi-squared over the 16 pairs of source and position; each row and column of counts sums to 2,400."""
    tiles = torch.arange(4.0).view(1, 1, 2, 2).expand(2400, 3, 2, 2) / 3
    found = shape.patch_shuffle(tiles, 2.0, draws(2400))[:, 0].flatten(1).mul(3).round().long()
    counts = np.array([np.bincount(found[:, position], minlength=4) for position in range(4)])
    assert counts.sum(axis=0).tolist() == [2400] * 4
    assert stats.chi2.sf(((counts - 600) ** 2 / 600).sum(), 9) > 0.001


def turned(image: Tensor, top: int, left: int, tall: int, wide: int, times: int) -> Tensor:
    """Turn a tile in its own proportions, pixel by pixel: each reads the nearest pixel at its turned center."""
    result = torch.empty_like(image[:, :tall, :wide])
    for row, column in np.ndindex(tall, wide):
        down, across = (row + 0.5) / tall, (column + 0.5) / wide
        for _ in range(times):
            down, across = across, 1 - down
        result[:, row, column] = image[:, top + int(down * tall), left + int(across * wide)]
    return result


@pytest.mark.parametrize(("height", "width", "grid"), [(8, 12, 2), (7, 10, 2), (9, 9, 3), (5, 16, 1)])
def test_patch_rotation_is_a_plain_loop_for_tiles_that_are_not_square(height: int, width: int, grid: int) -> None:
    images = noise(6, height, width)
    changed = shape.patch_rotation(images, float(grid), draws(6))
    turns = (draws(6).uniform(grid * grid) * 3).astype(int) + 1
    for image, result, times in zip(images, changed, turns, strict=True):
        for (top, left, tall, wide), each in zip(tiles_of(height, width, grid), times, strict=True):
            expected = turned(image, top, left, tall, wide, each)
            assert torch.equal(result[:, top : top + tall, left : left + wide], expected)


def test_no_tile_keeps_its_angle_and_the_three_turns_are_equally_frequent() -> None:
    marked = torch.zeros(1500, 3, 2, 2)
    marked[:, :, 0, 0] = 1
    found = shape.patch_rotation(marked, 1.0, draws(1500))[:, 0].flatten(1).argmax(dim=1)
    counts = np.bincount(found, minlength=4)
    assert counts[0] == 0
    assert stats.chisquare(counts[1:]).pvalue > 0.001


def test_a_turn_keeps_the_mean_of_every_square_tile() -> None:
    images = noise(3, 12, 12)
    changed = shape.patch_rotation(images, 3.0, draws(3))
    for top, left, tall, wide in tiles_of(12, 12, 3):
        before, after = (entry[:, :, top : top + tall, left : left + wide] for entry in (images, changed))
        assert torch.equal(before.flatten(2).sort().values, after.flatten(2).sort().values)


@pytest.mark.parametrize(("height", "width", "value"), [(16, 16, 0.1), (13, 22, 0.25), (3, 10, 0.25)])
def test_tile_jitter_is_a_plain_loop(height: int, width: int, value: float) -> None:
    images, grid = noise(4, height, width), min(4, height)
    changed = shape.tile_jitter(images, value, draws(4))
    numbers = torch.from_numpy(draws(4).uniform(2 * grid * grid))
    moves = ((2 * numbers - 1) * (value * min(height, width))).round().long().view(4, 2, -1)
    corners = [(top, left) for top, left, *_ in tiles_of(height, width, grid)]
    for image, result, (down, across) in zip(images, changed, moves.tolist(), strict=True):
        sources = [(top + d, left + a) for (top, left), d, a in zip(corners, down, across, strict=True)]
        assert torch.equal(result, filled(image, grid, sources))


def test_tiles_are_moved_in_both_directions_alike_and_flat_images_do_not_change() -> None:
    """An inner tile is read where nothing is cut, so its move can be read off a ramp."""
    ramp = (torch.arange(40.0) / 40)[:, None].expand(500, 3, 40, 40).contiguous()
    moves = (shape.tile_jitter(ramp, 0.2, draws(500)) - ramp)[:, 0, 15, 15].mul(40).round().long()
    assert (int(moves.min()), int(moves.max())) == (-8, 8)
    assert abs(float(moves.float().mean())) < 4 * 8 / 3**0.5 / 500**0.5
    flat = torch.full((2, 3, 9, 9), 0.3)
    assert torch.equal(shape.tile_jitter(flat, 0.25, draws(2)), flat)
    assert torch.equal(shape.tile_jitter(ramp, 0.0, draws(500)), ramp)


@pytest.mark.parametrize(("height", "width", "value"), [(12, 12, 0.25), (9, 20, 0.4), (20, 7, 0.5)])
def test_translation_is_a_shift_of_the_mirrored_image(height: int, width: int, value: float) -> None:
    images = noise(8, height, width)
    changed = shape.translation(images, value, draws(8))
    angles = 2 * np.pi * draws(8).uniform(1)[:, 0].astype(float)
    distance, most = value * min(height, width), min(height, width) - 1
    for image, result, angle in zip(images.numpy(), changed.numpy(), angles, strict=True):
        down, across = int(np.rint(np.sin(angle) * distance)), int(np.rint(np.cos(angle) * distance))
        padded = np.pad(image, ((0, 0), (most, most), (most, most)), mode="reflect")
        window = padded[:, most + down : most + down + height, most + across : most + across + width]
        assert np.array_equal(result, window)


def test_directions_of_a_translation_are_uniform() -> None:
    rows = (torch.arange(101.0) / 101)[:, None].expand(101, 101)
    images = torch.stack([rows, rows.T, rows]).expand(300, -1, -1, -1)
    moved = (shape.translation(images, 0.3, draws(300)) - images)[:, :2, 50, 50].mul(101)
    angles = torch.atan2(moved[:, 0], moved[:, 1]).numpy() / (2 * np.pi) % 1
    assert stats.kstest(angles, "uniform").pvalue > 0.001
    assert (moved.square().sum(1).sqrt() - 30.3).abs().max() < 0.75


@pytest.mark.parametrize(
    ("length", "shift", "positions"),
    [
        (4, 0, [0, 1, 2, 3]),
        (4, 2, [2, 3, 2, 1]),
        (4, -1, [1, 0, 1, 2]),
        (4, 6, [0, 1, 2, 3]),
        (2, 1, [1, 0]),
        (1, 5, [0]),
    ],
)
def test_the_border_is_mirrored_without_being_repeated(length: int, shift: int, positions: list[int]) -> None:
    assert shape._mirrored(torch.tensor([shift]), length).tolist() == [positions]


@pytest.mark.parametrize("grid", [2.0, 8.0, 9.0])
@pytest.mark.parametrize("channels", [1, 3])
def test_tiles_of_an_image_alone_are_copied_and_have_the_pixels_of_a_batch(grid: float, channels: int) -> None:
    images = noise(3, 20, 31)[:, :channels]
    together = shape.patch_shuffle(images, grid, draws(3))
    for index in range(3):
        image, of_image = images[index : index + 1], draws(3)[index : index + 1]
        assert torch.equal(shape.patch_shuffle(image, grid, of_image), together[index : index + 1])
        learned = shape.patch_shuffle(image.clone().requires_grad_(), grid, of_image)
        assert learned.requires_grad, "tiles that are copied as arrays would lose the gradient"
        assert torch.equal(learned, together[index : index + 1])
