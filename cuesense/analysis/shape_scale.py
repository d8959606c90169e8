"""The size of the parts that a class needs: the tiles, when an image is cut and shuffled, on which half of it is kept.

Shape is not one thing. Some classes are lost as soon as the layout of the whole image is, others keep until tiles are
smaller than the parts of an object, and a texture is kept on tiles that show no part at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from cuesense.analysis.kept import kept_by_column
from cuesense.arrays import Floats
from cuesense.perturbations.ablations import Ablation, Column
from cuesense.predictions.predictions import Predictions
from cuesense.types import Cue, Interval

_SHUFFLE = "patch_shuffle"
# Tiles from a third of the side on hold objects in parts, smaller ones than an eighth hardly any part of one: what is
# kept there is texture or color. The limits of the grids that ablations use; chosen by hand, not tuned.
LAYOUT, PARTS = 1 / 3, 1 / 8
HALF = 0.5


@dataclass(frozen=True)
class ShapeScale:
    """On which tiles half of a class is kept.

    Attributes:
        tile: Side of the tiles as a fraction of the image's side, with bounds. None where half is kept on all tiles
            that were measured, or on none; a bound is None where it is beyond them.
        sentence: The same in words, to follow the class's name; None where a class has no images.
    """

    tile: Interval
    sentence: str | None


def shape_scales(predictions: Predictions, confidence: float) -> list[ShapeScale]:
    """Return the scale of every class.

    The shares kept under shuffles of ever smaller tiles are made to fall (isotonic regression) and interpolated
    linearly in the logarithm of the tile. The bounds are where the curve's own bounds cross one half.

    Args:
        predictions: What every image was taken for.
        confidence: Level of the bounds, in (0, 1).

    Returns:
        One a class; without a tile where fewer than two grids were measured.
    """
    grids = sorted(v for entry in predictions.perturbations if entry.name == _SHUFFLE for v in entry.ladder if v > 1)
    columns = [Column(f"{grid:g}", Cue.SHAPE, False, (Ablation(_SHUFFLE, grid),)) for grid in grids]
    if len(grids) < 2:
        return [ShapeScale(Interval(), None)] * len(predictions.class_names)
    kept = kept_by_column(predictions, columns)
    shares = np.stack([kept[column.name].share for column in columns])
    spread = ndtri(0.5 + confidence / 2) * np.sqrt(np.stack([kept[column.name].variance for column in columns]))
    tiles = 1 / np.array(grids)
    return [_scale(tiles, shares[:, index], spread[:, index]) for index in range(shares.shape[1])]


def _scale(tiles: Floats, shares: Floats, spread: Floats) -> ShapeScale:
    if np.isnan(shares).any():
        return ShapeScale(Interval(), None)
    value = crossing(tiles, shares)
    if value is None:
        return ShapeScale(Interval(), _beyond(tiles, shares))
    known = np.nan_to_num(spread, nan=1.0)
    low, high = crossing(tiles, shares + known), crossing(tiles, shares - known)
    return ShapeScale(Interval(value, low, high), f"{_measured(value)}: it needs {_word(value)}")


def crossing(tiles: Floats, shares: Floats) -> float | None:
    """Return the tile on which half is kept.

    Args:
        tiles: Sides of tiles, falling, (G,).
        shares: Share kept on each, (G,).

    Returns:
        The side, or None where the falling curve does not cross one half between the first and the last tile.
    """
    from scipy.optimize import isotonic_regression

    falling = np.asarray(isotonic_regression(shares, increasing=False).x)
    if falling[0] < HALF or falling[-1] >= HALF:
        return None
    after = int(np.argmax(falling < HALF))
    part = (falling[after - 1] - HALF) / (falling[after - 1] - falling[after])
    logarithms = np.log(tiles[[after - 1, after]])
    return float(np.exp(logarithms[0] + part * (logarithms[1] - logarithms[0])))


def _beyond(tiles: Floats, shares: Floats) -> str:
    from scipy.optimize import isotonic_regression

    falling = isotonic_regression(shares, increasing=False).x
    if falling[0] < HALF:
        return f"keeps less than half even on tiles of {_percent(tiles[0])} of the side: it needs the layout"
    return f"keeps half even on tiles of {_percent(tiles[-1])} of the side: it needs no larger parts"


def _measured(tile: float) -> str:
    return f"keeps half on tiles of {_percent(tile)} of the side"


def _word(tile: float) -> str:
    if tile >= LAYOUT:
        return "the layout"
    return "parts of the object" if tile > PARTS else "small parts"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
