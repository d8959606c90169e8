"""Outlines: closed curves of one spread, from two families at two scales, and a choice of unlike ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.planted.outlines import ANGLES, CORNERS, HARMONICS, Outline, choose_unlike, draw_outline

seeds = st.integers(0, 2**32)


@given(seeds, st.sampled_from(("waves", "corners")), st.sampled_from(("global", "local")))
def test_an_outline_is_a_closed_curve_of_the_stated_spread(seed, family, scale):
    radii = np.array(draw_outline(np.random.default_rng(seed), family, scale).radii)
    assert radii.min() >= 0.3
    assert radii.max() <= 1.36
    assert 0.1 < radii.std() <= 0.2 + 1e-9
    assert np.abs(np.diff(radii, append=radii[0])).max() < 0.3


@given(seeds, st.sampled_from(("global", "local")))
def test_waves_have_their_harmonics_alone(seed, scale):
    radii = np.array(draw_outline(np.random.default_rng(seed), "waves", scale).radii)
    inside = (radii > 0.3) & (radii < 1.36)
    basis = [np.ones(256), *(f(k * ANGLES) for k in HARMONICS[scale] for f in (np.cos, np.sin))]
    basis = np.stack(basis, axis=1)[inside]
    assert np.linalg.lstsq(basis, radii[inside], rcond=None)[1] < 1e-9


@given(seeds, st.sampled_from(("global", "local")))
def test_corners_are_joined_by_straight_sides(seed, scale):
    rng = np.random.default_rng(seed)
    outline = draw_outline(rng, "corners", scale)
    again = np.random.default_rng(seed)
    count = int(again.choice(CORNERS[scale]))
    corner = (np.arange(count) + again.uniform(0, 0.4, count)) * 2 * np.pi / count
    points = again.uniform(0.6, 1.6, count) * np.exp(1j * corner)
    fine = np.concatenate(
        [a + np.linspace(0, 1, 400) * (b - a) for a, b in zip(points, np.roll(points, -1), strict=True)]
    )
    order = np.argsort(np.angle(fine))
    radius = np.interp(ANGLES, np.angle(fine)[order], np.abs(fine)[order], period=2 * np.pi)
    expected = np.clip(1 + 0.2 * (radius - radius.mean()) / radius.std(), 0.3, 1.36)
    assert np.abs(expected - outline.radii).max() < 0.01


def test_a_radius_goes_around():
    outline = draw_outline(np.random.default_rng(0), "waves", "global")
    assert outline.radius(ANGLES + 4 * np.pi) == pytest.approx(0.36 * np.array(outline.radii))


def test_unlike_outlines_are_no_turned_copies():
    wave = [Outline(tuple(1 + 0.2 * np.cos(k * ANGLES + p))) for k in (2, 3, 5) for p in (0, 1, 2)]
    chosen = choose_unlike(wave, 3)
    assert chosen[0] == wave[0]
    assert sorted(wave.index(outline) // 3 for outline in chosen) == [0, 1, 2]
    assert len(set(choose_unlike(wave, 9))) == 9
    assert choose_unlike(wave, 0) == []
