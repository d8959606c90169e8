"""One image: colors that keep their luma, outlines, textures, and sizes."""

import colorsys
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter

from cuesense.planted.scene import HARMONICS, LUMA, PERIODS, Cues, Outline, Texture, draw_outline, render, tint

unit = st.floats(0, 1, exclude_max=True)
inside = st.floats(0.05, 0.95)


def rng(seed=0):
    return np.random.default_rng(seed)


@given(inside, unit, st.floats(0, 1))
def test_a_tint_keeps_the_luma_and_the_range(luma, hue, saturation):
    color = tint(np.array([[luma]]), hue, saturation)
    assert color.shape == (1, 1, 3)
    assert color.min() >= -1e-12
    assert color.max() <= 1 + 1e-12
    assert color @ LUMA == pytest.approx(luma, abs=1e-12)


@given(inside, unit, st.floats(0.1, 1))
def test_a_tint_has_the_hue_of_the_color_circle(luma, hue, saturation):
    found = colorsys.rgb_to_hsv(*tint(np.array([[luma]]), hue, saturation)[0, 0])[0]
    assert abs((found - hue + 0.5) % 1 - 0.5) < 1e-6


@given(inside, unit)
def test_a_tint_without_saturation_is_gray(luma, hue):
    assert tint(np.array([[luma]]), hue, 0.0) == pytest.approx(luma)


@given(inside, unit)
def test_a_full_tint_is_as_strong_as_it_can_be(luma, hue):
    color = tint(np.array([[luma]]), hue, 1.0)
    assert min(color.min(), 1 - color.max()) == pytest.approx(0, abs=1e-12)


@given(st.integers(0, 2**32), unit)
def test_an_outline_is_the_sum_of_its_harmonics(seed, turn):
    outline = draw_outline(rng(seed))
    angle = 2 * math.pi * turn
    bumps = 0.0
    for k, c in zip(HARMONICS, outline.coefficients, strict=True):
        bumps += abs(c) * math.cos(k * angle + math.atan2(c.imag, c.real))
    assert outline.radius(np.array(angle)) == pytest.approx(min(max(0.36 * (1 + bumps), 0.1), 0.49))
    assert sum(abs(c) ** 2 for c in outline.coefficients) == pytest.approx(0.1)


@settings(max_examples=20)
@given(st.integers(0, 2**32), unit, st.sampled_from((0, 1, 2, 3)))
def test_a_gray_image_does_not_know_the_hue(seed, hue, directions):
    outline, texture = draw_outline(rng(1)), Texture(directions, 0.08)
    one, other = (render(Cues(h, outline, texture), 64, rng(seed)) @ LUMA for h in (hue, (hue + 0.4) % 1))
    assert np.abs(one - other).max() <= 3.5
    assert np.abs(one - other).mean() <= 0.6


def test_the_outline_is_drawn_where_it_should_be():
    disc = render(Cues(hue=0.0, outline=Outline((0j, 0j, 0j, 0j))), 64, rng(3)).astype(float)
    red = disc[..., 0] - disc[..., 1:].mean(axis=-1) > 40
    rows, columns = np.nonzero(red)
    assert np.hypot(rows.mean() - 31.5, columns.mean() - 31.5) < 0.04 * 64 * math.sqrt(2) + 0.5
    assert 0.9 * 0.36 - 0.01 < math.sqrt(red.sum() / math.pi) / 64 < 1.1 * 0.36 + 0.01


@pytest.mark.parametrize("directions", [1, 2, 3])
@pytest.mark.parametrize("period", [PERIODS[0], 0.08, PERIODS[1]])
def test_a_texture_repeats_with_its_period_in_as_many_directions(directions, period):
    disc = Cues(outline=Outline((0j, 0j, 0j, 0j)), texture=Texture(directions, period))
    luma = render(disc, 128, rng(directions)) @ LUMA
    spectrum = np.abs(np.fft.fft2((luma - luma.mean()) * np.hanning(128)[:, None] * np.hanning(128), (256, 256)))
    frequency = np.fft.fftfreq(256) * 128
    radius = np.hypot(frequency[None, :], frequency[:, None])
    angle = np.arctan2(frequency[:, None], frequency[None, :])
    ring = np.where(np.abs(radius - 1 / period) < 1.5, spectrum, 0)
    assert ring.max() == spectrum[radius > 6].max()
    by_angle = [
        ring[np.abs((angle - a + np.pi / 2) % np.pi - np.pi / 2) < 0.05].max() for a in np.arange(60) * np.pi / 60
    ]
    strong = np.array(by_angle) > 0.6 * ring.max()
    assert np.count_nonzero(strong & ~np.roll(strong, 1)) == directions


def test_a_scene_looks_the_same_at_every_size():
    cues = Cues(hue=0.3, texture=Texture(2, 0.1))
    small, large = (render(cues, size, rng(5)).astype(float) for size in (64, 128))
    halved = large.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(halved - small).mean() < 4
    assert np.abs(render(cues, 64, rng(6)) - small).mean() > 20


def test_a_cue_that_is_not_fixed_is_drawn_anew():
    images = np.stack([render(Cues(hue=0.0), 64, rng(seed)) for seed in range(20)]).astype(float)
    assert images[:, :, :, 0].std(axis=0).mean() > 30
    hues = [colorsys.rgb_to_hsv(*render(Cues(), 64, rng(seed))[32, 32] / 255)[0] for seed in range(60)]
    assert set(np.floor(np.array(hues) * 6)) == set(range(6))


def test_a_class_without_texture_shows_any_texture_but_faintly():
    disc = Outline((0j, 0j, 0j, 0j))

    def detail(texture):
        images = np.stack([render(Cues(0.0, disc, texture), 64, rng(seed)) @ LUMA for seed in range(30)])[
            :, 20:44, 20:44
        ]
        fine = images - uniform_filter(images, (1, 9, 9))
        return fine.std(axis=(1, 2))

    faint, clear = detail(None), detail(Texture(1, 0.08))
    assert faint.max() < clear.min()
    assert faint.max() > 4 * faint.min()
