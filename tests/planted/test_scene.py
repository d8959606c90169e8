"""One image: colors that keep their luma, outlines, textures, and sizes."""

import colorsys
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter

from cuesense.planted.outlines import ANGLES, Outline, draw_outline
from cuesense.planted.scene import LUMA, Cues, tint
from cuesense.planted.scene import render as draw
from cuesense.planted.textures import PATTERNS, Texture

unit = st.floats(0, 1, exclude_max=True)
inside = st.floats(0.05, 0.95)
DISC = Outline((1.0,) * len(ANGLES))
PATTERN_NAMES = [name for names in PATTERNS.values() for name in names]


def render(cues, size, rng, **settings):
    return draw(cues, size, "waves", rng, **settings)


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


@settings(max_examples=20)
@given(st.integers(0, 2**32), unit, st.sampled_from(PATTERN_NAMES))
def test_a_gray_image_does_not_know_the_hue(seed, hue, pattern):
    outline, texture = draw_outline(rng(1), "waves", "global"), Texture(pattern, 0.08)
    one, other = (render(Cues(h, outline, texture), 64, rng(seed)) @ LUMA for h in (hue, (hue + 0.4) % 1))
    assert np.abs(one - other).max() <= 3.5
    assert np.abs(one - other).mean() <= 0.6


def test_the_outline_is_drawn_where_it_should_be():
    disc = render(Cues(hue=0.0, outline=DISC), 64, rng(3)).astype(float)
    red = disc[..., 0] - disc[..., 1:].mean(axis=-1) > 40
    rows, columns = np.nonzero(red)
    assert np.hypot(rows.mean() - 31.5, columns.mean() - 31.5) < 0.04 * 64 * math.sqrt(2) + 0.5
    assert 0.9 * 0.36 - 0.01 < math.sqrt(red.sum() / math.pi) / 64 < 1.1 * 0.36 + 0.01


@pytest.mark.parametrize(("pattern", "directions"), [("stripes", 1), ("checks", 2), ("spots", 3)])
@pytest.mark.parametrize("period", [0.06, 0.08, 0.1])
def test_a_wave_repeats_with_its_period_in_as_many_directions(pattern, directions, period):
    disc = Cues(outline=DISC, texture=Texture(pattern, period))
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
    cues = Cues(hue=0.3, texture=Texture("checks", 0.1))
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
    def detail(texture):
        images = np.stack([render(Cues(0.0, DISC, texture), 64, rng(seed)) @ LUMA for seed in range(30)])[
            :, 20:44, 20:44
        ]
        fine = images - uniform_filter(images, (1, 9, 9))
        return fine.std(axis=(1, 2))

    faint, clear = detail(None), detail(Texture("stripes", 0.08))
    assert faint.max() < clear.min()
    assert faint.max() > 4 * faint.min()


def test_a_ground_with_a_hue_has_it_and_the_object_does_not():
    corners = [render(Cues(ground_hue=0.0, outline=DISC), 64, rng(seed))[0, 0] / 255 for seed in range(30)]
    hues = np.array([colorsys.rgb_to_hsv(*corner)[0] for corner in corners])
    assert np.abs((hues + 0.5) % 1 - 0.5).max() < 0.1


def test_a_ground_with_a_texture_shows_it():
    def spread(texture):
        images = np.stack([render(Cues(outline=DISC, ground_texture=texture), 64, rng(s)) @ LUMA for s in range(20)])
        corners = images[:, :8, :]
        return (corners - uniform_filter(corners, (1, 9, 9))).std(axis=(1, 2))

    assert spread(None).max() < spread(Texture("stripes", 0.08)).min()


def test_clutter_is_on_the_ground_and_leaves_the_object():
    plain, cluttered = (
        np.stack([render(Cues(0.3, DISC, Texture("grain", 0.08)), 64, rng(s), cluttered=c) for s in range(20)])
        for c in (False, True)
    )
    assert cluttered[:, :6].std(axis=(1, 2, 3)).mean() > 2 * plain[:, :6].std(axis=(1, 2, 3)).mean()
    green = cluttered[:, 28:36, 28:36].astype(float)
    assert (green[..., 1] > green[..., 0]).mean() > 0.9


STAR = Outline(tuple(1 + 0.3 * np.cos(5 * ANGLES)))
BRICKS, RINGS = Texture("bricks", 0.08), Texture("rings", 0.11)
LINE = (np.arange(64) + 0.5) / 64 - 0.5
DISTANCE = np.hypot(LINE[:, None], LINE[None, :])
# A disc is scaled by 0.9 to 1.1 and shifted by up to 4 % along both sides; one pixel for the soft edge.
SURELY_OBJECT = 0.9 * 0.36 - 0.04 * math.sqrt(2) - 1 / 64 > DISTANCE
SURELY_GROUND = 1.1 * 0.36 + 0.04 * math.sqrt(2) + 1 / 64 < DISTANCE


def two(one, other, seed):
    """Two images that differ in their cues alone."""
    return tuple(draw(cues, 64, "corners", rng(seed)).astype(float) for cues in (one, other))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Cues(0.1, DISC, BRICKS), Cues(0.6, DISC, BRICKS)),
        (Cues(0.1, DISC, BRICKS), Cues(None, DISC, BRICKS)),
        (Cues(0.1, DISC, BRICKS), Cues(0.1, DISC, RINGS)),
    ],
)
def test_another_hue_or_texture_leaves_the_ground_as_it_is(one, other, seed):
    first, second = two(one, other, seed)
    assert np.array_equal(first[SURELY_GROUND], second[SURELY_GROUND])
    assert np.abs(first - second)[SURELY_OBJECT].mean() > 5


@pytest.mark.parametrize("seed", range(4))
def test_another_texture_keeps_the_hue(seed):
    first, second = two(Cues(0.1, DISC, BRICKS), Cues(0.1, DISC, RINGS), seed)
    hues = [np.array([colorsys.rgb_to_hsv(*pixel)[0] for pixel in image[SURELY_OBJECT]]) for image in (first, second)]
    assert np.abs(hues[0] - hues[1]).max() < 0.02


@pytest.mark.parametrize("seed", range(4))
def test_another_outline_leaves_the_pixels_that_belong_to_both_or_to_neither(seed):
    first, second = two(Cues(0.1, DISC, BRICKS), Cues(0.1, STAR, BRICKS), seed)
    inner = 0.9 * 0.36 * 0.7 - 0.04 * math.sqrt(2) - 1 / 64 > DISTANCE
    outer = 1.1 * 0.36 * 1.3 + 0.04 * math.sqrt(2) + 1 / 64 < DISTANCE
    assert inner.sum() > 50
    assert outer.sum() > 50
    assert np.array_equal(first[inner | outer], second[inner | outer])
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("seed", range(4))
def test_another_hue_of_the_ground_leaves_the_object(seed):
    first, second = two(Cues(0.1, DISC, BRICKS, ground_hue=0.2), Cues(0.1, DISC, BRICKS, ground_hue=0.7), seed)
    assert np.array_equal(first[SURELY_OBJECT], second[SURELY_OBJECT])
    assert np.abs(first - second)[SURELY_GROUND].mean() > 20
    assert np.abs((first - second) @ LUMA).max() <= 3.5


def test_objects_are_shifted_and_scaled_on_both_sides_within_their_limits():
    cues = Cues(hue=0.0, outline=DISC)
    reds = [draw(cues, 96, "waves", rng(seed)).astype(float) for seed in range(40)]
    objects = [image[..., 0] - image[..., 1:].mean(axis=-1) > 40 for image in reds]
    centers = np.array([np.argwhere(found).mean(axis=0) for found in objects]) / 96 - 0.5
    radii = np.sqrt([found.sum() / math.pi for found in objects]) / 96 / 0.36
    assert -0.05 < centers.min() < -0.03
    assert 0.03 < centers.max() < 0.05
    assert 0.88 < radii.min() < 0.94
    assert 1.06 < radii.max() < 1.12
