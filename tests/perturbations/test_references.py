"""Perturbations against independent references on real photographs; each tolerance is stated where it is used."""

import numpy as np
import pytest
import torch
from kornia.filters import bilateral_blur as kornia_bilateral
from scipy import ndimage, stats
from torch import Tensor
from torchvision.transforms import RandomErasing, RandomResizedCrop
from torchvision.transforms import functional as tv

from cuesense.perturbations import color, geometry, shape, texture
from tests.helpers.random_images import draws

EXACT = {"atol": 0.0, "rtol": 0.0}
ROUNDING = {"atol": 2e-6, "rtol": 0.0}


def test_patch_shuffle_is_burgerts(large: Tensor) -> None:
    """Exact: the tiles of 56 px are read one by one in the random order."""
    random_numbers = draws(2)
    changed = shape.patch_shuffle(large, 4, random_numbers)
    for image, result, order in zip(large, changed, random_numbers.uniform(16).argsort(axis=1), strict=True):
        tiles = [image[:, 56 * i : 56 * i + 56, 56 * j : 56 * j + 56] for i in range(4) for j in range(4)]
        rows = [torch.cat([tiles[order[4 * i + j]] for j in range(4)], dim=2) for i in range(4)]
        torch.testing.assert_close(result, torch.cat(rows, dim=1), **EXACT)


def test_patch_shuffle_of_a_grid_that_does_not_divide_keeps_all_but_the_seams(oblongs: Tensor) -> None:
    changed = shape.patch_shuffle(oblongs, 4, draws(6))
    for before, after in zip(oblongs, changed, strict=True):
        original = set(map(tuple, before.flatten(1).T.tolist()))
        assert set(map(tuple, after.flatten(1).T.tolist())) <= original
        assert len(set(map(tuple, after.flatten(1).T.tolist()))) > 0.9 * len(original)


def test_patch_rotation_is_rot90_of_every_tile(large: Tensor) -> None:
    """Exact for square tiles."""
    random_numbers = draws(2)
    changed = shape.patch_rotation(large, 4, random_numbers)
    turns = (random_numbers.uniform(16) * 3).astype(int)
    for image, result, turn in zip(large, changed, turns, strict=True):
        for tile in range(16):
            i, j = divmod(tile, 4)
            position = (slice(None), slice(56 * i, 56 * i + 56), slice(56 * j, 56 * j + 56))
            candidates = [torch.rot90(image[position], times, dims=(1, 2)) for times in (1, 2, 3)]
            matches = [torch.equal(result[position], candidate) for candidate in candidates]
            assert matches.count(True) == 1
        assert len(set(turn)) == 3


def test_tile_jitter_moves_each_tile_by_at_most_the_value() -> None:
    height, width = 224, 224
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    positions = torch.stack([rows, columns, rows]).float()[None]
    moved = shape.tile_jitter(positions, 0.036, draws(1))
    assert float((moved - positions).abs().max()) <= round(0.036 * 224)
    assert len(torch.unique((moved - positions)[0, 0])) > 4


def test_translation_moves_the_whole_image_by_the_value() -> None:
    rows = torch.arange(224.0)[:, None].expand(224, 224)
    positions = torch.stack([rows, rows.T, rows])[None].expand(20, -1, -1, -1)
    moved = shape.translation(positions, 0.05, draws(20)) - positions
    down, across = moved[:, 0, 112, 112], moved[:, 1, 112, 112]
    assert torch.all((down.square() + across.square()).sqrt().sub(0.05 * 224).abs() <= 1)
    assert (down > 0).any()
    assert (down < 0).any()


@pytest.mark.parametrize("alpha", [0.2, 0.6, 1.0])
def test_grayscale_is_burgerts_blend(large: Tensor, alpha: float) -> None:
    """Within 2e-4: the weights of BT.601 are rounded differently in torchvision."""
    reference = (1 - alpha) * large + alpha * tv.rgb_to_grayscale(large, num_output_channels=3)
    torch.testing.assert_close(color.grayscale(large, alpha, draws(2)), reference, atol=2e-4, rtol=0)


def test_channel_permutation_moves_every_channel(large: Tensor) -> None:
    changed = color.channel_permutation(large.repeat(8, 1, 1, 1), 1.0, draws(16))
    cycles = {0: [1, 2, 0], 1: [2, 0, 1]}
    seen = set()
    for before, after in zip(large.repeat(8, 1, 1, 1), changed, strict=True):
        matches = [name for name, order in cycles.items() if torch.equal(after, before[order])]
        assert len(matches) == 1
        seen.update(matches)
    assert seen == {0, 1}


@pytest.mark.parametrize(("kernel", "sigma"), [(3, 0.33), (9, 1.33), (15, 2.33)])
def test_gaussian_blur_is_burgerts(large: Tensor, kernel: int, sigma: float) -> None:
    """Within 1.5/255: Burgert et al. cut the kernel at some three sigmas, we at four."""
    reference = tv.gaussian_blur(large, [kernel, kernel], [sigma, sigma])
    torch.testing.assert_close(texture.gaussian_blur(large, sigma / 224, draws(2)), reference, atol=1.5 / 255, rtol=0)


@pytest.mark.parametrize("sigma", [0.7, 2.0, 8.0])
def test_gaussian_blur_is_scipys_mirrored_filter(oblongs: Tensor, sigma: float) -> None:
    """Within 1e-3: scipy rounds the kernel's radius."""
    reference = ndimage.gaussian_filter(oblongs.numpy(), (0, 0, sigma, sigma), mode="mirror", truncate=4.0)
    changed = texture.gaussian_blur(oblongs, sigma / 61, draws(6))
    torch.testing.assert_close(changed, torch.from_numpy(reference), atol=1e-3, rtol=0)


@pytest.mark.parametrize("window", [3, 5, 7])
def test_median_is_scipys_row_median_then_column_median(photos: Tensor, window: int) -> None:
    """Exact up to 7 px, where nothing is reduced."""
    rows = ndimage.median_filter(photos.numpy(), size=(1, 1, 1, window), mode="mirror")
    reference = ndimage.median_filter(rows, size=(1, 1, window, 1), mode="mirror")
    torch.testing.assert_close(texture.median_blur(photos, window / 96, draws(8)), torch.from_numpy(reference), **EXACT)


@pytest.mark.parametrize("window", [15, 25, 35])
def test_large_medians_stay_close_to_the_square_median(large: Tensor, window: int) -> None:
    """On average within 0.03 of the full-resolution square median, and closer to it than the image is."""
    reference = torch.from_numpy(ndimage.median_filter(large.numpy(), size=(1, 1, window, window), mode="mirror"))
    changed = texture.median_blur(large, window / 224, draws(2))
    error = float((changed - reference).abs().mean())
    assert error < 0.03
    assert error < 0.4 * float((large - reference).abs().mean())


def test_bilateral_is_a_plain_loop() -> None:
    """Within float rounding of the definition, on a small image."""
    image = torch.rand(1, 3, 6, 7, generator=torch.Generator().manual_seed(1))
    value = 3 / 6
    changed = texture.bilateral_blur(image, value, draws(1))
    sigma = 0.8
    expected = image[0].double().numpy()
    for axis in (2, 1):
        source, expected = expected, np.empty_like(expected)
        for row, column in np.ndindex(6, 7):
            total, weights = np.zeros(3), 0.0
            for step in (-1, 0, 1):
                at = [row, column]
                at[axis - 1] += step
                length = (6, 7)[axis - 1]
                at[axis - 1] = abs(at[axis - 1]) if at[axis - 1] < length else 2 * length - 2 - at[axis - 1]
                pixel = source[:, at[0], at[1]]
                weight = np.exp(-((pixel - source[:, row, column]) ** 2).sum() / (2 * sigma**2))
                total += weight * pixel
                weights += weight
            expected[:, row, column] = total / weights
    torch.testing.assert_close(changed[0].double(), torch.from_numpy(expected), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("window", "sigma"), [(5, 50 / 255), (13, 200 / 255)])
def test_bilateral_stays_close_to_burgerts(large: Tensor, window: int, sigma: float) -> None:
    """On average within 0.02 of kornia's square bilateral filter at Burgert et al.'s values."""
    reference = kornia_bilateral(large, (window, window), sigma, (75.0, 75.0), color_distance_type="l2")
    changed = texture.bilateral_blur(large, window / 224, draws(2))
    error = float((changed - reference).abs().mean())
    assert error < 0.02
    assert error < 0.6 * float((large - reference).abs().mean())


@pytest.mark.parametrize("scale", [0.08, 0.5])
def test_crop_is_torchvisions_resized_crop(large: Tensor, oblongs: Tensor, scale: float) -> None:
    """Within 2e-5 of torchvision's antialiased bilinear resize of the same box."""
    for images in (large, oblongs):
        height, width = images.shape[-2:]
        random_numbers = draws(len(images))
        boxes = geometry.crop_boxes(height, width, scale, random_numbers).astype(int).tolist()
        changed = geometry.random_resized_crop(images, scale, random_numbers)
        for image, result, box in zip(images, changed, boxes, strict=True):
            reference = tv.resized_crop(image, *box, [height, width], antialias=True)
            torch.testing.assert_close(result, reference, atol=2e-5, rtol=0)


@pytest.mark.parametrize("size", [(224, 224), (120, 300), (30, 200)])
def test_crop_boxes_are_drawn_as_torchvision_draws_them(size: tuple[int, int]) -> None:
    """Kolmogorov-Smirnov distance of each box coordinate below its 0.1 % critical value, 4,000 draws."""
    torch.manual_seed(0)
    image = torch.empty(3, *size)
    reference = np.array(
        [RandomResizedCrop.get_params(image, [0.08, 1.0], [3 / 4, 4 / 3]) for _ in range(4000)], dtype=float
    )
    ours = geometry.crop_boxes(*size, 0.08, draws(4000))
    for column in range(4):
        assert stats.ks_2samp(ours[:, column], reference[:, column]).pvalue > 0.001


def test_crop_of_the_whole_area_and_ratio_one_is_possible() -> None:
    boxes = geometry.crop_boxes(50, 40, 0.01, draws(500))
    assert np.all(boxes[:, 0] + boxes[:, 2] <= 50)
    assert np.all(boxes[:, 1] + boxes[:, 3] <= 40)
    assert np.all(boxes[:, 2:] >= 1)
    assert np.all(boxes[:, :2] >= 0)


def test_jitters_are_torchvisions(photos: Tensor) -> None:
    """Within 5e-4: kornia and torchvision round the gray weights differently."""
    random_numbers = draws(8)
    numbers = random_numbers.uniform(4).astype(float)
    steps = {
        0: (color.brightness, tv.adjust_brightness),
        1: (color.contrast, tv.adjust_contrast),
        2: (color.saturation, tv.adjust_saturation),
    }
    for index, (ours, theirs) in steps.items():
        changed = ours(photos, 0.4, random_numbers)
        for image, result, number in zip(photos, changed, numbers[:, index], strict=True):
            torch.testing.assert_close(result, theirs(image, 0.6 + 0.8 * number), atol=5e-4, rtol=0)
    changed = color.hue(photos, 0.5, random_numbers)
    for image, result, number in zip(photos, changed, numbers[:, 3], strict=True):
        torch.testing.assert_close(result, tv.adjust_hue(image, number - 0.5), atol=5e-4, rtol=0)


def test_strong_jitter_never_multiplies_by_a_negative_number(photos: Tensor) -> None:
    changed = color.brightness(photos, 2.0, draws(8))
    ratio = changed.flatten(1).sum(1) / photos.flatten(1).sum(1)
    assert torch.all(ratio >= 0)
    assert torch.all(ratio <= 3)


def test_color_jitter_is_four_steps_in_the_random_order(photos: Tensor) -> None:
    """Within 1e-3 of torchvision's four functions, applied in the same order with the same factors."""
    random_numbers = draws(8)
    numbers = random_numbers.uniform(8).astype(float)
    changed = color.color_jitter(photos, 0.4, random_numbers)
    orders = set()
    for image, result, row in zip(photos, changed, numbers, strict=True):
        order = tuple(np.argsort(row[4:].astype(np.float32)))
        for step in order:
            factor = 0.6 + 0.8 * row[step]
            image = (
                tv.adjust_brightness(image, factor)
                if step == 0
                else tv.adjust_contrast(image, factor)
                if step == 1
                else tv.adjust_saturation(image, factor)
                if step == 2
                else tv.adjust_hue(image, 0.1 * (2 * row[3] - 1))
            )
        torch.testing.assert_close(result, image, atol=1e-3, rtol=0)
        orders.add(order)
    assert len(orders) > 3


def test_rotation_is_torchvisions(photos: Tensor) -> None:
    """On average within 1e-3: torchvision's grid and ours differ by rounding at the black corners."""
    random_numbers = draws(8)
    angles = (2 * random_numbers.uniform(1)[:, 0].astype(float) - 1) * 40
    changed = geometry.random_rotation(photos, 40.0, random_numbers)
    for image, result, angle in zip(photos, changed, angles, strict=True):
        reference = tv.rotate(image, float(angle), interpolation=tv.InterpolationMode.BILINEAR)
        assert float((result - reference).abs().mean()) < 1e-3


def test_erasing_fills_the_drawn_share() -> None:
    """The erased share is uniform up to the value but for what the border cuts off: mean within 10 % of half."""
    images = torch.zeros(600, 3, 64, 64)
    changed = geometry.random_erasing(images, 0.3, draws(600))
    erased = (changed[:, 0] == 0.5).float().mean(dim=(1, 2))
    assert float(erased.max()) <= 0.3 + 0.02
    assert 0.135 < float(erased.mean()) < 0.155
    torch.manual_seed(0)
    theirs = torch.stack([RandomErasing(p=1, scale=(1e-4, 0.3), value=0.5)(images[0]) for _ in range(600)])
    reference = (theirs[:, 0] == 0.5).float().mean(dim=(1, 2))
    assert stats.ks_2samp(erased.numpy(), reference.numpy()).pvalue > 0.001


def test_flips_and_grayscale_happen_with_the_given_probability(photos: Tensor) -> None:
    images = photos[:1].expand(400, -1, -1, -1)
    for apply, changed_to in (
        (geometry.horizontal_flip, photos[0].flip(2)),
        (geometry.vertical_flip, photos[0].flip(1)),
        (color.random_grayscale, color.grayscale(photos[:1], 1.0, draws(1))[0]),
    ):
        changed = apply(images, 0.25, draws(400))
        hits = sum(torch.allclose(image, changed_to.expand(3, -1, -1), atol=1e-6) for image in changed)
        assert 70 <= hits <= 130
        assert all(
            torch.equal(image, photos[0]) for image in changed if not torch.allclose(image, changed_to, atol=1e-6)
        )


def test_random_blur_draws_sigma_up_to_the_value(photos: Tensor) -> None:
    random_numbers = draws(8)
    sigmas = random_numbers.uniform(1)[:, 0] * 0.02
    changed = texture.random_gaussian_blur(photos, 0.02, random_numbers)
    for image, result, sigma in zip(photos, changed, sigmas, strict=True):
        alone = texture.gaussian_blur(image[None], float(sigma), draws(1))[0]
        torch.testing.assert_close(result, alone, atol=1e-5, rtol=0)


def test_opening_closing_is_scipy_s_away_from_the_border() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (40, 52)).astype(np.float64)
    window, image = 5, torch.from_numpy(pixels / 255).float().expand(1, 3, -1, -1)
    changed = texture.opening_closing(image, 0.14, draws(1))[0, 1].numpy() * 255
    size = (window, window)
    opened = ndimage.grey_closing(ndimage.grey_opening(pixels, size), size)
    closed = ndimage.grey_opening(ndimage.grey_closing(pixels, size), size)
    border = 2 * (window - 1)
    inside = np.s_[border:-border, border:-border]
    np.testing.assert_allclose(changed[inside], ((opened + closed) / 2)[inside], atol=1e-3)
