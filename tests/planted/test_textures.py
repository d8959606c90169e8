"""Textures: in range, of the stated period, each pattern unlike the others."""

import numpy as np
import pytest

from cuesense.planted import textures
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


# The field at one point (u, v), in periods.
FORMULAS = {
    "stripes": lambda u, _: np.tanh(1.5 * np.sqrt(2) * np.cos(2 * np.pi * u)),
    "checks": lambda u, v: np.tanh(1.5 * (np.cos(2 * np.pi * u) + np.cos(2 * np.pi * v))),
    "bricks": lambda u, v: np.tanh(10 * (edge_of_brick(u, v) - 0.18)),
    "chevrons": lambda u, v: np.tanh(1.5 * np.sqrt(2) * np.cos(2 * np.pi * (v + 2 * abs(u / 2 % 1 - 0.5)))),
    "rings": lambda u, v: np.tanh(
        1.5 * np.sqrt(2) * np.cos(2 * np.pi * 2 * np.hypot(u / 2 % 1 - 0.5, v / 2 % 1 - 0.5))
    ),
}


def edge_of_brick(u, v):
    """The distance to the nearest joint: bricks are two wide and one high, and each row is moved by half a brick."""
    moved = u + np.floor(v)
    return min(v % 1, 1 - v % 1, moved % 2, 2 - moved % 2)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_pattern_is_its_formula_at_every_point_of_a_turned_and_shifted_grid(name):
    line = (np.arange(11) + 0.5) / 11 - 0.5
    found = paint(Texture(name, 0.3), line[None, :], line[:, None], np.random.default_rng(4))
    angle, across, down = 2 * np.pi * (again := np.random.default_rng(4)).random(), again.random(), again.random()
    for row, column in np.ndindex(11, 11):
        x, y = line[column], line[row]
        u = (x * np.cos(angle) + y * np.sin(angle)) / 0.3 + across
        v = (y * np.cos(angle) - x * np.sin(angle)) / 0.3 + down
        assert found[row, column] == pytest.approx(FORMULAS[name](u, v), abs=1e-9)


def test_cells_are_the_two_nearest_of_all_points():
    """The nine grid points around a position always hold its nearest two."""
    line = np.linspace(0.05, 3.95, 30)
    u, v = np.meshgrid(line, line)
    found = textures._cells(u, v, np.random.default_rng(2))
    jitter = np.random.default_rng(2).uniform(0.15, 0.85, (7, 7, 2))
    points = np.array([(i - 1 + jitter[i, j, 0], j - 1 + jitter[i, j, 1]) for i, j in np.ndindex(7, 7)])
    distances = np.sort(np.hypot(u[..., None] - points[:, 0], v[..., None] - points[:, 1]), axis=-1)
    expected = np.tanh(8 * (distances[..., 1] - distances[..., 0] - 0.25))
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("size", "fine", "coarse"),
    [(32, 3.4 / 32, 1.3 * 3.4 / 32), (64, 3.4 / 64, 0.12), (65, 0.053, 0.12), (224, 0.053, 0.12)],
)
def test_periods_are_fixed_shares_where_the_pixels_suffice(size, fine, coarse):
    assert periods(size) == pytest.approx((fine, (fine * coarse) ** 0.5, coarse))
