"""Texture perturbations: kernels and sorting networks in plain loops, borders, windows on both sides of a limit."""

import math
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from scipy import ndimage, stats
from torch import Tensor

from benchmarks.counted_operations import CountedOperations
from cuesense.perturbations import texture
from tests.helpers.random_images import draws, noise

SMOOTHING = ["gaussian_blur", "random_gaussian_blur", "median_blur", "bilateral_blur", "opening_closing"]


def bars(width: int, level: float = 1.0, side: int = 64) -> Tensor:
    """One bright vertical bar of a width in pixels in the middle of a dark image."""
    image = torch.zeros(1, 3, side, side)
    image[..., side // 2 - width // 2 : side // 2 - width // 2 + width] = level
    return image


@pytest.mark.parametrize("name", SMOOTHING)
@pytest.mark.parametrize("size", [(40, 40), (23, 50)])
def test_flat_images_stay_flat(name: str, size: tuple[int, int]) -> None:
    flat = torch.tensor([51.0, 102.0, 204.0]).div(255).view(1, 3, 1, 1).expand(2, 3, *size).contiguous()
    for value in (0.03, 0.2):
        torch.testing.assert_close(getattr(texture, name)(flat, value, draws(2)), flat, atol=4e-6, rtol=0)


@pytest.mark.parametrize("name", SMOOTHING)
def test_mirrored_images_are_smoothed_to_mirror_images(name: str) -> None:
    """Sizes that are reduced to whole pixels, so that both sides of an image are reduced alike."""
    images = noise(2, 60, 60)
    for value in (0.05, 0.15):
        changed = getattr(texture, name)(images, value, draws(2))
        for side in (2, 3):
            mirrored = getattr(texture, name)(images.flip(side), value, draws(2)).flip(side)
            torch.testing.assert_close(mirrored, changed, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["gaussian_blur", "median_blur", "bilateral_blur", "opening_closing"])
def test_a_negative_is_smoothed_to_the_negative(name: str) -> None:
    """Neither bright nor dark detail is preferred."""
    images = noise(2, 40, 40)
    for value in (0.05, 0.15):
        changed = getattr(texture, name)(images, value, draws(2))
        negative = getattr(texture, name)(1 - images, value, draws(2))
        torch.testing.assert_close(negative, 1 - changed, atol=5e-5, rtol=0)


@pytest.mark.parametrize("name", ["gaussian_blur", "median_blur", "bilateral_blur", "opening_closing"])
def test_a_wider_window_leaves_less_of_white_noise(name: str) -> None:
    images = 0.4 + 0.2 * noise(2, 96, 96)
    left = [float(getattr(texture, name)(images, value, draws(2)).std()) for value in (0.02, 0.05, 0.1, 0.16)]
    assert all(later < earlier for earlier, later in pairwise([float(images.std()), *left])), left


@pytest.mark.parametrize("sigma", [0.5, 1.7, 6.0])
def test_blur_weights_are_a_mirrored_gaussian_in_a_plain_loop(sigma: float) -> None:
    """The kernel is cut at four sigmas, which is less than one length of the image here."""
    length = 25
    expected = np.zeros((length, length))
    for output, step in product(range(length), range(-length + 1, length)):
        if step**2 >= 16 * sigma**2:
            continue
        source = abs(output + step)
        source = source if source < length else 2 * (length - 1) - source
        expected[output, source] += math.exp(-0.5 * (step / sigma) ** 2)
    expected /= expected.sum(axis=1, keepdims=True)
    found = texture._blur_weights(torch.tensor([sigma]), length)[0]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_a_blur_reaches_four_sigmas_and_no_further() -> None:
    weights = texture._blur_weights(torch.tensor([2.0]), 41)[0, 20]
    assert weights[20 + 7] > 0
    assert weights[20 + 9] == 0
    assert not ((weights > 0) & (weights < 1e-5)).any()


def test_two_blurs_are_one_whose_variances_add() -> None:
    images = noise(2, 64, 64)
    twice = texture.gaussian_blur(texture.gaussian_blur(images, 3 / 64, draws(2)), 4 / 64, draws(2))
    torch.testing.assert_close(texture.gaussian_blur(images, 5 / 64, draws(2)), twice, atol=2e-3, rtol=0)


def test_sigma_is_a_share_of_the_shorter_side() -> None:
    images = noise(1, 30, 60)
    changed = texture.gaussian_blur(images, 0.1, draws(1))
    expected = ndimage.gaussian_filter(images.numpy(), (0, 0, 3, 3), mode="mirror", truncate=4.0)
    np.testing.assert_allclose(changed.numpy(), expected, atol=1e-3)


def test_a_random_sigma_is_uniform_from_zero() -> None:
    """Read off the spread of a vertical line; below one pixel a sampled Gaussian has another spread than its sigma."""
    changed = texture.random_gaussian_blur(bars(1, side=41).expand(400, -1, -1, -1), 4 / 41, draws(400))
    line, distance = changed[:, 0, 20], torch.arange(41.0) - 20
    sigmas = (line * distance.square()).sum(1).div(line.sum(1)).sqrt().double().numpy()
    large = sigmas[sigmas > 1]
    assert stats.binomtest(len(large), 400, 0.75).pvalue > 0.001
    assert stats.kstest(large, stats.uniform(1, 3).cdf).pvalue > 0.001


@pytest.mark.parametrize("window", [3, 5, 7])
@pytest.mark.parametrize("stride", [1, 3])
def test_running_medians_are_those_of_every_window(window: int, stride: int) -> None:
    """Minima and maxima that find the median of all sequences of zeros and ones find all (Knuth, TAOCP 3, 5.3.4)."""
    sequences = torch.tensor(list(product((0, 1), repeat=window)), dtype=torch.int16)
    for pixels in (sequences.flatten().repeat_interleave(stride), torch.randint(99, (200,))):
        found = texture._running_median(pixels, window, stride).tolist()
        reach = (window - 1) * stride + 1
        windows = [pixels[at : at + reach : stride] for at in range(len(pixels) - reach + 1)]
        assert found == torch.stack(windows).median(dim=1).values.tolist()


def test_a_median_of_an_unreduced_window_returns_values_of_the_image() -> None:
    images = noise(2, 40, 40)
    changed = texture.median_blur(images, 7 / 40, draws(2))
    assert set(changed.flatten().tolist()) <= set(images.flatten().tolist())


@pytest.mark.parametrize("name", ["median_blur", "opening_closing"])
@pytest.mark.parametrize(("window", "value"), [(3, 0.03), (5, 5 / 64), (7, 7 / 64)])
def test_bars_narrower_than_half_or_all_of_the_window_vanish_and_wider_ones_stay(
    name: str, window: int, value: float
) -> None:
    """A median removes what fills less than half of its window, an opening what is narrower than the window."""
    widest = window // 2 if name == "median_blur" else window - 1
    apply = getattr(texture, name)
    assert torch.equal(apply(bars(widest), value, draws(1)), torch.zeros(1, 3, 64, 64))
    assert torch.equal(apply(bars(widest + 1), value, draws(1)), bars(widest + 1))


@pytest.mark.parametrize(
    ("side", "value", "reduced", "window"),
    [
        (96, 0.01, 96, 3),
        (96, 5 / 96, 96, 5),
        (96, 7 / 96, 96, 7),
        (96, 8 / 96, 84, 7),
        (96, 0.16, 44, 7),
        (224, 0.16, 44, 7),
        (100, 0.28, 25, 7),
    ],
)
def test_windows_above_seven_pixels_are_taken_on_a_reduced_image(
    side: int, value: float, reduced: int, window: int
) -> None:
    small, taken = texture._reduced(noise(1, side, side), value, 7)
    assert small.shape == (1, 3, reduced, reduced)
    assert taken == window


def test_an_image_that_need_not_be_reduced_is_not_resampled() -> None:
    images = noise(1, 30, 40)
    small, _ = texture._reduced(images, 7 / 30, 7)
    assert small is images


@pytest.mark.parametrize("value", [0.03, 0.05, 0.066, 0.08, 0.09])
def test_the_color_sigma_grows_with_the_window_up_to_its_limit(value: float) -> None:
    """A bar of one pixel keeps 1 / (1 + 2 w) of its level, where w is the color weight of its two dark neighbors."""
    level = 0.6
    kept = float(texture.bilateral_blur(bars(1, level, side=32), value, draws(1))[0, 0, 16, 16]) / level
    weight = (1 / kept - 1) / 2
    sigma = math.sqrt(-0.5 * 3 * level**2 / math.log(weight))
    assert sigma == pytest.approx(min(0.8, 12 * value), rel=1e-3)


def test_a_bilateral_filter_keeps_strong_edges_and_flattens_faint_noise() -> None:
    step = bars(32, side=64) * 0.9
    torch.testing.assert_close(texture.bilateral_blur(step, 0.018, draws(1)), step, atol=1e-5, rtol=0)
    faint = 0.5 + 0.05 * (noise(1, 64, 64) - 0.5)
    assert float(texture.bilateral_blur(faint, 0.0625, draws(1)).std()) < 0.4 * float(faint.std())


@pytest.mark.parametrize(("height", "width", "value"), [(20, 31, 0.15), (16, 16, 0.3), (40, 25, 0.2)])
def test_opening_closing_is_scipys_up_to_the_border_of_a_mirrored_image(height: int, width: int, value: float) -> None:
    images = noise(1, height, width)
    window = max(3, 2 * int(value * min(height, width) / 2) + 1)
    far = 2 * (window - 1)
    changed = texture.opening_closing(images, value, draws(1))[0].numpy() * 255
    for pixels, result in zip(images[0].numpy() * 255, changed, strict=True):
        padded = np.pad(pixels, far, mode="reflect")
        opened = ndimage.grey_closing(ndimage.grey_opening(padded, (window, window)), (window, window))
        closed = ndimage.grey_opening(ndimage.grey_closing(padded, (window, window)), (window, window))
        np.testing.assert_allclose(result, ((opened + closed) / 2)[far:-far, far:-far], atol=1e-3)


def test_opening_and_closing_take_few_operations() -> None:
    """On a GPU each is a kernel of its own; windows of 15 and 29 px take four and five steps along each side."""
    images = noise(2, 100, 100)
    # What the first call makes is kept.
    texture.opening_closing(images, 0.15, draws(2))
    with CountedOperations() as operations:
        texture.opening_closing(images, 0.15, draws(2))
    assert operations.count <= 2 * (4 + 5 + 4) + 13


@pytest.mark.parametrize("window", range(1, 10))
@pytest.mark.parametrize("stride", [1, 3])
def test_running_extremes_are_those_of_every_window(window: int, stride: int) -> None:
    pixels = noise(1, 3, 15).flatten()
    for better, of in ((torch.minimum, min), (torch.maximum, max)):
        found = texture._running(pixels, window, stride, better).tolist()
        reach = (window - 1) * stride + 1
        assert found == [of(pixels[at : at + reach : stride].tolist()) for at in range(len(pixels) - reach + 1)]


@pytest.mark.parametrize(
    ("radius", "padded"), [(0, [0, 1, 2]), (2, [2, 1, 0, 1, 2, 1, 0]), (3, [2, *[2, 1, 0, 1, 2, 1, 0], 0])]
)
def test_what_lies_beyond_a_mirrored_length_repeats(radius: int, padded: list[int]) -> None:
    line = torch.arange(3.0).view(1, 1, 1, 3)
    assert texture._padded(line, radius, 3).flatten().tolist() == padded
    assert texture._padded(line.mT, radius, 2).flatten().tolist() == padded
