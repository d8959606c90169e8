"""What training with an augmentation is expected to cost each class, from a profile alone: nothing is trained.

The figures are those of trainings in other worlds, and the answer is as wide as those worlds differ. It says which
augmentation is worth trying and who is likely to lose; trainings of one's own (``training_loss``) say more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from cuesense.arrays import Floats
from cuesense.stats.training_loss import Forecast
from cuesense.types import Cue


@dataclass(frozen=True)
class _Cost:
    """What training with one augmentation costs, in logarithms of the odds that an image is recognized.

    Attributes:
        strength: Cost at the strongest value to a class without any drop; below 0 it is a gain.
        drop: Cost of the class's own drop at test time, a unit of drop.
        shared: Cost of the mean drop of all classes at test time, likewise.
        error: Standard deviation of the forecast's error, a fraction of the images, at the strongest value and a
            recall of one half.
        identity: The value that changes nothing.
        strongest: The strongest value that was trained with; None counts the strongest that is asked for.
    """

    strength: float
    drop: float
    shared: float
    error: float
    identity: float = 0.0
    strongest: float | None = None


# Fitted to 534 classes and values in seven worlds for choosing (`python benchmarks/training_costs_tables.py prior`):
# one cost of drops for all augmentations but jitter, whose drops at test time say nothing of what training costs.
_DROP, _SHARED = 1.61, 3.77
_COSTS: Mapping[str, _Cost] = {
    "random_resized_crop": _Cost(-0.42, _DROP, _SHARED, 0.081, identity=1.0, strongest=0.08),
    "color_jitter": _Cost(0.62, 0.0, 0.0, 0.14, strongest=0.8),
    "random_erasing": _Cost(-0.48, _DROP, _SHARED, 0.071, strongest=0.33),
    "random_rotation": _Cost(-0.41, _DROP, _SHARED, 0.132, strongest=180.0),
    "horizontal_flip": _Cost(-0.08, _DROP, _SHARED, 0.067, strongest=0.5),
}
TRAINED_WITH = frozenset(_COSTS)
"""The augmentations whose costs in training are known."""
# What was never trained with: no gain is expected, and the error is larger than that of all that was. Chosen by hand.
_OTHER = _Cost(0.0, _DROP, _SHARED, 0.2)
# Cost of relying on shape more than the average class does, at the strongest value. Fitted with the others.
_SHAPE = 1.56
# Further parts of the error: of any forecast, of milder values beside the strongest one, of a class of recall 0 or 1
# beside one of 1/2, and in units of the class's drop. The first two were chosen by hand, the others fitted.
_LEAST_ERROR, _MILDEST, _CERTAIN, _PER_DROP = 0.03, 0.1, 0.006, 0.328
# Recalls are kept this far from 0 and 1, where the odds are infinite. Half an image of fifty.
_FARTHEST = 0.01


def forecast_from_drops(
    name: str,
    drop: Floats,
    values: Sequence[float],
    accuracy: Floats,
    kept: Mapping[Cue, Floats] | None = None,
) -> Forecast:
    """Forecast what training with an augmentation costs every class from what a trained network loses at test time.

    On the scale of log odds a class loses s (a + 1.56 k) + 1.61 d + 3.77 m at a value: s is the value's distance from
    what changes nothing, as a part of the strongest value's, a the augmentation's own cost, k how much less than the
    average class it keeps without shape, d its drop at test time and m the mean drop of all classes. (Of color jitter d
    and m do not count.) Classes that are hardly ever or nearly always recognized therefore lose and gain little. The
    form was the simplest of those that forecast worlds left out best.

    Measured on eight worlds that were not fitted to (planted cues, parts, fields, mirror images, color twins,
    photographs; networks of 80,000 parameters at 64 pixels, one to seven seeds): rank correlation over the classes and
    values of a world .45, over classes at one strongest value .17 (crops) to .43 (jitter); area under the curve for
    "loses more than 5 points" .78; the error has a standard deviation between / within worlds of .04 / .10 for crops,
    .13 / .16 for jitter, .05 / .08 for erasing, .09 / .07 for flips. Of the 218 cells with a risk of at most .2 of
    losing more than 5 points 7 % did (of a world, at most 30 %), of those from .2 to .5 21 %, above 57 %.

    Args:
        name: Name of the augmentation. One that was never trained with gets a wide forecast.
        drop: Expected accuracy drop of the trained network at each of S values, a fraction, (S, C); NaN where unknown.
        values: The S values of the augmentation, mild to strong.
        accuracy: Clean recall of each class, a fraction, (C,); NaN where unknown.
        kept: The share of each class that stays recognized without a cue, (C,) each; only that without shape counts,
            and may be NaN or missing.

    Returns:
        The forecast, (S, C), for training in which four fifths of the views are augmented; a loss below 0 is a gain.
        The spread holds the difference between worlds and is infinite where the recall is unknown or no better than
        chance.
    """
    cost = _COSTS.get(name, _OTHER)
    share = _shares(cost, values)[:, None]
    own = np.nan_to_num(drop)
    shared = own.mean(axis=1, keepdims=True) if own.size else own
    shift = share * (cost.strength + _SHAPE * _shape(accuracy, kept)) + cost.drop * own + cost.shared * shared
    recall = np.clip(np.nan_to_num(accuracy), _FARTHEST, 1 - _FARTHEST)
    loss: Floats = recall - expit(logit(recall) - shift)
    spread = _spread(cost, share, recall, own)
    chance = 1 / len(accuracy) if len(accuracy) > 1 else 0.0
    # A comparison with NaN is false.
    return Forecast(loss, np.where(accuracy > chance, spread, np.inf))


def _shares(cost: _Cost, values: Sequence[float]) -> Floats:
    """Return the distance of each value from what changes nothing, as a part of the strongest value's, in [0, 1]."""
    distance = np.abs(np.array(values, dtype=float) - cost.identity)
    if cost.strongest is None:
        farthest = distance.max(initial=0.0)
        return np.ones_like(distance) if farthest == 0 else distance / farthest
    return np.minimum(distance / abs(cost.strongest - cost.identity), 1.0)


def _shape(accuracy: Floats, kept: Mapping[Cue, Floats] | None) -> Floats:
    """Return how much more each class loses without shape than the average class, (C,); 0 where that is not known."""
    without = None if kept is None else kept.get(Cue.SHAPE)
    if without is None or np.isnan(without).all():
        return np.zeros(len(accuracy))
    return np.nan_to_num(np.nanmean(without) - without)


def _spread(cost: _Cost, share: Floats, recall: Floats, drop: Floats) -> Floats:
    """Return the standard deviation of the forecast's error, (S, C)."""
    # 1 for a class of recall 1/2, which can lose and gain most; near 0 for one that is always or never recognized.
    open_ = (_CERTAIN + 4 * recall * (1 - recall)) / (1 + _CERTAIN)
    strength = _MILDEST + (1 - _MILDEST) * share
    spread: Floats = np.sqrt(_LEAST_ERROR**2 + cost.error**2 * strength * open_ + (_PER_DROP * drop) ** 2)
    return spread
