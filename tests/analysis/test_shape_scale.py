"""The tile on which half of a class is kept, against hand-made curves and planted shares."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from cuesense.analysis.shape_scale import crossing, shape_scales
from cuesense.perturbations.ablations import Ablation
from tests.helpers.cue_predictions import predictions

GRIDS = (2.0, 3.0, 4.0, 6.0, 8.0)
TILES = 1 / np.array(GRIDS)
SHUFFLES = [Ablation("patch_shuffle", grid) for grid in GRIDS]


def scale(*shares: float, images: int = 100, grids: int = 5):
    kept = dict(zip(SHUFFLES, shares, strict=True))
    other = dict.fromkeys(SHUFFLES, 0.9)
    found = predictions([kept, other], images, clean=1.0, ablations=SHUFFLES[:grids])
    return shape_scales(found, 0.95)[0]


def test_the_tile_is_interpolated_in_its_logarithm() -> None:
    expected = exp((log(1 / 3) + log(1 / 4)) / 2)
    assert crossing(TILES, np.array([0.9, 0.7, 0.3, 0.2, 0.1])) == pytest.approx(expected)
    assert crossing(TILES, np.array([0.9, 0.5, 0.3, 0.2, 0.1])) == pytest.approx(1 / 3)


def test_a_curve_that_rises_by_chance_is_made_to_fall() -> None:
    """0.4 and 0.6 are both taken for 0.5, so that half is kept up to the second of them."""
    assert crossing(TILES, np.array([0.9, 0.4, 0.6, 0.1, 0.1])) == pytest.approx(1 / 4)


@pytest.mark.parametrize("shares", [[0.499, 0.4, 0.3, 0.2, 0.1], [0.9, 0.8, 0.7, 0.6, 0.5]])
def test_there_is_no_tile_beyond_those_measured(shares: list[float]) -> None:
    assert crossing(TILES, np.array(shares)) is None


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ((0.9, 0.3, 0.1, 0.0, 0.0), "keeps half on tiles of 38 % of the side: it needs the layout"),
        ((0.9, 0.8, 0.3, 0.1, 0.0), "keeps half on tiles of 28 % of the side: it needs parts of the object"),
        (
            (0.4, 0.3, 0.1, 0.0, 0.0),
            "keeps less than half even on tiles of 50 % of the side: it needs the layout",
        ),
        ((1.0, 1.0, 0.9, 0.8, 0.7), "keeps half even on tiles of 12 % of the side: it needs no larger parts"),
    ],
)
def test_the_tile_is_said_with_the_size_of_the_parts(shares: tuple[float, ...], said: str) -> None:
    assert scale(*shares).sentence == said


def test_bounds_hold_the_tile_and_narrow_with_images() -> None:
    few, many = (scale(0.9, 0.8, 0.3, 0.1, 0.0, images=images).tile for images in (20, 500))
    for tile in (few, many):
        assert tile.low is not None
        assert tile.high is not None
        assert tile.low < tile.value < tile.high
    assert many.high - many.low < few.high - few.low
    # More kept means that smaller tiles still do: the upper share is the lower tile.
    assert many.low > 1 / 4
    assert many.high < 1 / 3


def test_one_grid_is_no_scale() -> None:
    assert scale(0.9, 0.8, 0.3, 0.1, 0.0, grids=1).sentence is None
    assert scale(0.9, 0.8, 0.3, 0.1, 0.0, grids=2).sentence is not None
