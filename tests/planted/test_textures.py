"""Textures: in range, of the stated period, each pattern unlike the others."""

import numpy as np
import pytest

from cuesense.planted.textures import PATTERNS, Texture, paint, periods

NAMES = [name for names in PATTERNS.values() for name in names]
LINE = (np.arange(128) + 0.5) / 128 - 0.5


def painted(name, period, seed=0):
    return paint(Texture(name, period), LINE[None, :], LINE[:, None], np.random.default_rng(seed))


@pytest.mark.parametrize("name", NAMES)
def test_a_texture_fills_its_range_around_zero(name):
    values = np.stack([painted(name, 0.1, seed) for seed in range(8)])
    assert values.shape == (8, 128, 128)
    assert -1 <= values.min() < -0.7
    assert 0.7 < values.max() <= 1
    assert abs(values.mean()) < 0.35
    assert values.std() > 0.5


@pytest.mark.parametrize("name", NAMES)
def test_half_the_period_is_twice_the_detail(name):
    def length(period):
        """The width of the central peak of the autocorrelation, in pixels."""
        power = np.mean([np.abs(np.fft.fft2(painted(name, period, seed))) ** 2 for seed in range(8)], axis=0)
        power[0, 0] = 0
        peak = np.fft.ifft2(power).real
        return np.count_nonzero(peak > 0.5 * peak[0, 0]) ** 0.5

    assert 1.5 < length(0.16) / length(0.08) < 2.6


@pytest.mark.parametrize("name", NAMES)
def test_angle_and_place_are_drawn(name):
    one, other = painted(name, 0.1, 1), painted(name, 0.1, 2)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.3


@pytest.mark.parametrize("size", [32, 64, 128, 224])
def test_periods_can_be_seen_and_told_apart(size):
    fine, middle, coarse = periods(size)
    assert fine * size >= 3.39
    assert middle / fine > (1.4 if size > 32 else 1.1)
    assert coarse / middle > (1.4 if size > 32 else 1.1)
    assert coarse <= 0.14
