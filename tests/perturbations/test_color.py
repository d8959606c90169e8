"""Color perturbations pixel by pixel: plain loops, what each keeps, and how its random strength is distributed."""

import colorsys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from kornia.enhance import (
    adjust_brightness_accumulative,
    adjust_contrast_with_mean_subtraction,
    adjust_saturation_with_gray_subtraction,
)
from scipy import stats
from torch import Tensor

from benchmarks.counted_operations import CountedOperations
from cuesense.draws import Draws
from cuesense.perturbations import color
from tests.helpers.random_images import draws, noise

MANY = 2000
LUMA = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
Apply = Callable[[Tensor, float, Draws], Tensor]


def flat(*rgb: float, pixels: int = 1) -> Tensor:
    """MANY images of one color."""
    return torch.tensor(rgb).view(1, 3, 1, 1).expand(MANY, 3, 1, pixels).contiguous()


def hue_of(rgb: list[float]) -> float:
    return colorsys.rgb_to_hsv(*rgb)[0]


def signed(turn: np.ndarray) -> np.ndarray:
    """Turns of the circle, from -0.5 to 0.5."""
    return (turn + 0.5) % 1 - 0.5


@pytest.mark.parametrize("value", [0.25, 1.0])
def test_grayscale_is_a_weighted_sum_in_a_plain_loop(value: float) -> None:
    images = noise(2, 3, 4)
    changed = color.grayscale(images, value, draws(2))
    for index in np.ndindex(2, 3, 4):
        number, row, column = index
        red, green, blue = images[number, :, row, column].tolist()
        gray = 0.299 * red + 0.587 * green + 0.114 * blue
        expected = [value * gray + (1 - value) * channel for channel in (red, green, blue)]
        assert changed[number, :, row, column].tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("value", [0.25, 1.0])
@pytest.mark.parametrize(
    ("apply", "choose"), [(color.grayscale_maximum, max), (color.grayscale_minimum, min)], ids=["maximum", "minimum"]
)
def test_the_grays_of_one_channel_are_that_channel_in_a_plain_loop(
    apply: Apply, choose: Callable[[list[float]], float], value: float
) -> None:
    images = noise(2, 3, 4)
    changed = apply(images, value, draws(2))
    for number, row, column in np.ndindex(2, 3, 4):
        channels = images[number, :, row, column].tolist()
        expected = [value * choose(channels) + (1 - value) * channel for channel in channels]
        assert changed[number, :, row, column].tolist() == pytest.approx(expected, abs=1e-6)


# What each gray makes of a pure color: luma hides blue on black and yellow on white, the others one of these each.
@pytest.mark.parametrize(
    ("rgb", "luma", "maximum", "minimum"),
    [
        ((0.0, 0.0, 1.0), 0.114, 1.0, 0.0),
        ((1.0, 1.0, 0.0), 0.886, 1.0, 0.0),
        ((0.3, 0.3, 0.3), 0.3, 0.3, 0.3),
    ],
    ids=["blue", "yellow", "gray"],
)
def test_three_grays_keep_different_contrasts(
    rgb: tuple[float, float, float], luma: float, maximum: float, minimum: float
) -> None:
    grays = [
        apply(flat(*rgb), 1.0, draws(MANY))[0].flatten().tolist()
        for apply in (color.grayscale, color.grayscale_maximum, color.grayscale_minimum)
    ]
    for gray, expected in zip(grays, (luma, maximum, minimum), strict=True):
        assert gray == pytest.approx([expected] * 3, abs=1e-6)


@given(st.integers(0, 1000))
def test_luma_lies_between_the_grays_of_one_channel(seed: int) -> None:
    images = noise(1, 6, 6, seed)
    least, luma, most = (
        apply(images, 1.0, draws(1)) for apply in (color.grayscale_minimum, color.grayscale, color.grayscale_maximum)
    )
    assert (least <= luma + 1e-6).all()
    assert (luma <= most + 1e-6).all()


@given(st.floats(0, 1))
def test_grayscale_narrows_the_channels_by_the_value_and_keeps_their_order(value: float) -> None:
    images = noise(1, 8, 8)
    changed = color.grayscale(images, value, draws(1))
    before, after = (entry.amax(1) - entry.amin(1) for entry in (images, changed))
    torch.testing.assert_close(after, (1 - value) * before, atol=1e-6, rtol=0)
    assert ((changed[:, 0] - changed[:, 1]) * (images[:, 0] - images[:, 1]) >= -1e-7).all()


def test_grayscale_keeps_the_luma_and_does_nothing_twice() -> None:
    images = noise(2, 8, 8)
    once = color.grayscale(images, 1.0, draws(2))
    torch.testing.assert_close((once * LUMA).sum(1), (images * LUMA).sum(1), atol=1e-6, rtol=0)
    torch.testing.assert_close(color.grayscale(once, 1.0, draws(2)), once, atol=1e-6, rtol=0)
    assert torch.equal(once[:, 0], once[:, 1])
    assert torch.equal(once[:, 0], once[:, 2])


def test_the_first_number_decides_the_direction_of_a_channel_permutation() -> None:
    images = noise(40, 2, 2)
    changed = color.channel_permutation(images, 1.0, draws(40))
    for before, after, number in zip(images, changed, draws(40).uniform(1)[:, 0], strict=True):
        shift = 2 if number < 0.5 else 1
        for channel in range(3):
            assert torch.equal(after[channel], before[(channel + shift) % 3])


def test_a_channel_permutation_blends_and_leaves_neutral_colors() -> None:
    images = noise(6, 4, 4)
    whole = color.channel_permutation(images, 1.0, draws(6))
    half = color.channel_permutation(images, 0.5, draws(6))
    torch.testing.assert_close(half, (images + whole) / 2, atol=1e-6, rtol=0)
    neutral = images[:, :1].expand_as(images).contiguous()
    torch.testing.assert_close(color.channel_permutation(neutral, 0.3, draws(6)), neutral, atol=1e-7, rtol=0)
    assert torch.equal(whole.sort(dim=1).values, images.sort(dim=1).values)


def test_both_channel_permutations_are_equally_frequent() -> None:
    changed = color.channel_permutation(flat(1.0, 0.0, 0.0), 1.0, draws(MANY))
    at = changed.flatten(1).argmax(dim=1)
    assert not (at == 0).any()
    assert stats.binomtest(int((at == 1).sum()), MANY).pvalue > 0.001


# An image on which the strength can be read off, and how: no channel is cut at 0 or 1 even at a factor of 3.
STRENGTHS: list[tuple[Apply, Tensor, Callable[[Tensor], Tensor]]] = [
    (color.brightness, flat(0.25, 0.25, 0.25), lambda changed: changed[:, 0, 0, 0] / 0.25),
    (
        color.contrast,
        flat(0.4, 0.4, 0.4, pixels=2) + torch.tensor([0.0, 0.1]),
        lambda changed: (changed[:, 0, 0, 1] - changed[:, 0, 0, 0]) / 0.1,
    ),
    (color.saturation, flat(0.5, 0.4, 0.4), lambda changed: (changed[:, 0, 0, 0] - changed[:, 1, 0, 0]) / 0.1),
]
NAMES = ["brightness", "contrast", "saturation"]


@pytest.mark.parametrize("value", [0.1, 0.8, 2.0])
@pytest.mark.parametrize(("apply", "images", "read"), STRENGTHS, ids=NAMES)
def test_a_factor_is_uniform_around_one_and_never_negative(
    apply: Apply, images: Tensor, read: Callable[[Tensor], Tensor], value: float
) -> None:
    factors = read(apply(images, value, draws(MANY))).double().numpy()
    low, high = max(0.0, 1 - value), 1 + value
    assert low - 1e-4 <= factors.min() < low + 0.01 * (high - low)
    assert high - 0.01 * (high - low) < factors.max() <= high + 1e-4
    assert stats.kstest(factors, stats.uniform(low, high - low).cdf).pvalue > 0.001


def test_the_strengths_of_one_image_are_independent_of_each_other() -> None:
    factors = [read(apply(images, 0.8, draws(MANY))) for apply, images, read in STRENGTHS]
    turned = color.hue(flat(0.9, 0.1, 0.1), 0.2, draws(MANY))[:, :, 0, 0]
    factors.append(torch.tensor(signed(np.array([hue_of(pixel) for pixel in turned.tolist()]))))
    correlations = np.corrcoef(np.stack([factor.numpy() for factor in factors]))
    assert np.abs(correlations - np.eye(4)).max() < 4 / MANY**0.5


def test_brightness_is_cut_at_white() -> None:
    changed = color.brightness(flat(0.9, 0.5, 0.0), 0.8, draws(MANY))
    factors = 0.2 + 1.6 * torch.from_numpy(draws(MANY).uniform(1)[:, 0])
    torch.testing.assert_close(changed[:, 0, 0, 0], (0.9 * factors).clamp(max=1), atol=1e-5, rtol=0)
    torch.testing.assert_close(changed[:, 1, 0, 0], 0.5 * factors, atol=1e-5, rtol=0)
    assert (changed[:, 2] == 0).all()


def test_contrast_keeps_the_mean_gray_and_saturation_each_pixels() -> None:
    """Colors near mid-gray, so that nothing is cut."""
    images = 0.4 + 0.2 * noise(8, 6, 6)
    gray = (images * LUMA).sum(1)
    contrasted, saturated = (apply(images, 0.8, draws(8)) for apply in (color.contrast, color.saturation))
    torch.testing.assert_close((contrasted * LUMA).sum(1).mean((1, 2)), gray.mean((1, 2)), atol=1e-5, rtol=0)
    torch.testing.assert_close((saturated * LUMA).sum(1), gray, atol=1e-5, rtol=0)


@pytest.mark.parametrize("value", [0.05, 0.5])
def test_hue_is_colorsys_pixel_by_pixel(value: float) -> None:
    images = noise(4, 5, 6)
    changed = color.hue(images, value, draws(4))
    turns = (2 * draws(4).uniform(4)[:, 3].astype(float) - 1) * value
    for number, row, column in np.ndindex(4, 5, 6):
        turned, saturation, value_ = colorsys.rgb_to_hsv(*images[number, :, row, column].tolist())
        expected = colorsys.hsv_to_rgb((turned + turns[number]) % 1, saturation, value_)
        assert changed[number, :, row, column].tolist() == pytest.approx(expected, abs=1e-5)


@given(st.floats(-1, 1), st.integers(0, 1000))
def test_a_turned_hue_keeps_the_largest_and_the_smallest_channel(turn: float, seed: int) -> None:
    images = noise(1, 4, 4, seed)
    changed = color._hue(images, turn)
    torch.testing.assert_close(changed.amax(1), images.amax(1), atol=1e-6, rtol=0)
    torch.testing.assert_close(changed.amin(1), images.amin(1), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("turn", "order"), [(0, [0, 1, 2]), (1 / 3, [2, 0, 1]), (2 / 3, [1, 2, 0]), (-1, [0, 1, 2])])
def test_a_third_of_a_turn_moves_every_channel_by_one(turn: float, order: list[int]) -> None:
    images = noise(2, 8, 8)
    torch.testing.assert_close(color._hue(images, turn), images[:, order], atol=2e-6, rtol=0)


def test_grays_have_no_hue_to_turn() -> None:
    grays = noise(3, 8, 8)[:, :1].expand(-1, 3, -1, -1).contiguous()
    assert torch.equal(color.hue(grays, 0.5, draws(3)), grays)


@pytest.mark.parametrize("value", [0.1, 0.5])
def test_the_turn_of_the_hue_is_uniform_on_both_sides(value: float) -> None:
    changed = color.hue(flat(0.9, 0.1, 0.1), value, draws(MANY))[:, :, 0, 0]
    turns = signed(np.array([hue_of(pixel) for pixel in changed.tolist()]))
    assert stats.kstest(turns, stats.uniform(-value, 2 * value).cdf).pvalue > 0.001


def test_color_jitter_turns_the_hue_by_up_to_a_quarter_of_its_strength() -> None:
    """No other step changes the hue of a flat image, and this one is never cut at 0 or 1."""
    changed = color.color_jitter(flat(0.3, 0.1, 0.1), 0.4, draws(MANY))[:, :, 0, 0]
    turns = signed(np.array([hue_of(pixel) for pixel in changed.tolist()]))
    assert stats.kstest(turns, stats.uniform(-0.1, 0.2).cdf).pvalue > 0.001


def test_color_jitter_treats_each_image_of_a_batch_as_if_it_were_alone() -> None:
    images = noise(24, 5, 5)
    together = color.color_jitter(images, 0.8, draws(24))
    for number in range(24):
        part = slice(number, number + 1)
        alone = color.color_jitter(images[part], 0.8, draws(24)[part])
        torch.testing.assert_close(together[part], alone, atol=1e-5, rtol=0)


def test_color_jitter_of_an_image_alone_is_kornias_and_our_hue_to_the_last_bit() -> None:
    images, numbers = noise(12, 9, 7), draws(12).uniform(8).astype(float)
    steps = (
        adjust_brightness_accumulative,
        adjust_contrast_with_mean_subtraction,
        adjust_saturation_with_gray_subtraction,
        color._hue,
    )
    for number, row in enumerate(numbers):
        part = slice(number, number + 1)
        low, high = 1 - 0.8, 1 + 0.8
        strengths = [*(low + (high - low) * row[:3]), (2 * row[3] - 1) * 0.8 * 0.25]
        expected = images[part]
        for step in np.argsort(row[4:]):
            expected = steps[step](expected, float(strengths[step]))
        assert torch.equal(color.color_jitter(images[part], 0.8, draws(12)[part]), expected)


def test_a_batch_is_jittered_in_few_operations() -> None:
    """On a GPU each is a kernel of its own, and takes longer to start than a small batch takes to compute."""
    images = noise(24, 5, 5)
    # What the first call makes is kept.
    color.color_jitter(images, 0.8, draws(24))
    with CountedOperations() as operations:
        color.color_jitter(images, 0.8, draws(24))
    assert operations.count <= 90


def test_random_grayscale_grays_the_images_whose_number_is_below_the_probability() -> None:
    images = noise(60, 3, 3)
    changed = color.random_grayscale(images, 0.4, draws(60))
    for before, after, number in zip(images, changed, draws(60).uniform(1)[:, 0], strict=True):
        gray = (before * LUMA).sum(0).expand(3, -1, -1)
        torch.testing.assert_close(after, gray if number < 0.4 else before, atol=1e-6, rtol=0)
