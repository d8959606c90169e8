"""The graded answer: what every class keeps in each column, and to which cue it leans, each with its uncertainty.

Nothing here is a decision: every class with an image has an answer, the wider the less is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from cuesense.analysis.kept import Kept, kept_by_column
from cuesense.arrays import Floats, Ints
from cuesense.perturbations.ablations import CUES
from cuesense.predictions.predictions import Predictions
from cuesense.stats.ordering import among_top, exceeded, rank_reliability, told_apart
from cuesense.stats.shrinkage import Shrunken, ShrunkenShares, heterogeneity, reliability, shrunken, shrunken_shares
from cuesense.types import Cue, Interval

# The probability with which one class must exceed another to count as above it.
EXCEEDS = 0.95
# The part of the classes that is the top, and the false discovery rate of pairs that are told apart.
TOP = 0.2
FALSE_PAIRS = 0.05
# Above this chance of differences as large between classes that are alike, they are said to be alike.
ALIKE = 0.05
# A share has at most this spread between classes: half of them at 0, half at 1.
_LARGEST_SPREAD = 0.5
# Images of one share of one half, in which every mechanism is a single decision: with few classes what is seen of the
# noise counts little beside that. Chosen by hand; not tuned.
_ONE_DECISION = 0.1
_NOISE_LIMITS = (0.02, 10.0)
# Correlations between columns that are seen in the images are kept away from 1, where a reliance would be certain.
_LARGEST_CORRELATION = 0.95


@dataclass(frozen=True)
class GradedColumn:
    """One column over all classes.

    Attributes:
        kept: What is seen.
        images: Independent decisions that would give as much noise, (C,).
        shares: The same drawn toward the mean of all classes.
        mean: Share kept by the average class.
        reliability: Part of the variance between classes that is no noise, in [0, 1]; NaN for fewer than two classes.
        spread: Standard deviation of the true shares between classes.
        alike: Whether differences as large are likely between classes that do not differ.
    """

    kept: Kept
    images: Floats
    shares: ShrunkenShares
    mean: Interval
    reliability: float
    spread: float
    alike: bool


@dataclass(frozen=True)
class GradedCue:
    """The reliance of all classes on one cue: the mean of what is lost without it and what is kept on it alone.

    Attributes:
        cue: The cue.
        seen: The reliance that is seen, in [0, 1], (C,); NaN where a class has no images.
        noise: Its variance over images, (C,).
        reliance: The same drawn toward the mean of all classes.
        above: How many other classes each exceeds with a probability of at least 0.95, (C,).
        below: How many other classes exceed it, (C,).
        of: Other classes that each is compared with.
        top_fifth: Probability to be among the fifth of the classes that rely on the cue most, (C,).
        rank_reliability: How well the order repeats itself, in [-1, 1]; NaN where that is not known.
        spread: Standard deviation of the true reliance between classes; NaN for fewer than two.
        alike: Whether differences as large are likely between classes that do not differ.
        half: Half of the width of an interval in standard deviations.
    """

    cue: Cue
    seen: Floats
    noise: Floats
    reliance: Shrunken
    above: Ints
    below: Ints
    of: int
    top_fifth: Floats
    rank_reliability: float
    spread: float
    alike: bool
    half: float

    @property
    def lean(self) -> tuple[Floats, Floats, Floats]:
        """How much more each class relies on the cue than the average class, with bounds; in [-1, 1], (C,) each."""
        if self.of < 1:
            return (np.full(len(self.seen), np.nan),) * 3
        value = self.reliance.value - np.nanmean(self.reliance.value)
        half = self.half * np.sqrt(self.reliance.about_mean)
        return value, np.clip(value - half, -1, 1), np.clip(value + half, -1, 1)

    @property
    def bounded_reliance(self) -> tuple[Floats, Floats, Floats]:
        """The reliance with bounds, in [0, 1], (C,) each."""
        value, half = self.reliance.value, self.half * np.sqrt(self.reliance.variance)
        return np.clip(value, 0, 1), np.clip(value - half, 0, 1), np.clip(value + half, 0, 1)

    @property
    def order(self) -> list[int]:
        """The classes whose reliance is known, the one that relies on the cue most first."""
        known = ~np.isnan(self.reliance.value)
        return [int(index) for index in np.argsort(-self.reliance.value, kind="stable") if known[index]]


@dataclass(frozen=True)
class Graded:
    """The graded answer for C classes.

    Attributes:
        columns: By name; those that were not measured are missing.
        cues: By cue; those of which no column was measured are missing.
        told_apart: Pairs of classes that differ in some column.
        pairs: Pairs that were compared.
        guessing: Share that the average class keeps by guessing alone, in [0, 1].
    """

    columns: Mapping[str, GradedColumn]
    cues: Mapping[Cue, GradedCue]
    told_apart: int
    pairs: int
    guessing: float


def grade(predictions: Predictions, confidence: float) -> Graded:
    """Find what every class keeps and to which cue it leans.

    Args:
        predictions: What every image was taken for.
        confidence: Level of the intervals.

    Returns:
        The answer.
    """
    kept = kept_by_column(predictions)
    columns = {name: _column(found, confidence) for name, found in kept.items()}
    cues = {}
    for cue in CUES:
        pair = {entry.kept.column.alone: entry for entry in columns.values() if entry.kept.column.cue is cue}
        if pair:
            cues[cue] = graded_cue(cue, pair, confidence)
    return Graded(columns, cues, *_pairs(list(columns.values())), _guessing(predictions))


def _guessing(predictions: Predictions) -> float:
    """Return the share that guessing keeps: one in the classes; in all outputs where predictions are not corrected."""
    if not predictions.corrected:
        return 1 / len(predictions.output_names)
    return 1 / max(len(np.unique(predictions.per_condition[0].labels)), 1)


def _column(kept: Kept, confidence: float) -> GradedColumn:
    images = kept.images / _relative_noise(kept)
    shares = shrunken_shares(kept.share, images, confidence)
    known = shares.value[~np.isnan(shares.value)]
    variance = shares.value * (1 - shares.value) / images
    mean = Interval()
    if len(known):
        center = float(np.nanmean(kept.share))
        half = float(ndtri((1 + confidence) / 2)) * float(np.sqrt(np.nansum(variance))) / len(known)
        mean = Interval(center, max(center - half, 0.0), min(center + half, 1.0))
    trusted, spread = reliability(kept.share, kept.variance)
    angles, angle_noise = _angles(kept.share, images)
    return GradedColumn(kept, images, shares, mean, trusted, spread, heterogeneity(angles, angle_noise) > ALIKE)


def _relative_noise(kept: Kept) -> float:
    """Return the noise of a column relative to one decision an image.

    Several mechanisms and repeats give less, unpaired images more. One number for all classes: one that keeps every
    image shows no noise of its own.
    """
    several = kept.images > 1
    images = np.where(several, kept.images, 2)
    # What an image adds to the variance of a share, and what it would add as one decision; both without bias.
    noise, decisions = images * kept.variance, kept.share * (1 - kept.share) * images / (images - 1)
    seen = several & ~np.isnan(noise + decisions)
    return float(np.clip((noise[seen].sum() + _ONE_DECISION) / (decisions[seen].sum() + _ONE_DECISION), *_NOISE_LIMITS))


def _angles(shares: Floats, images: Floats) -> tuple[Floats, Floats]:
    """Return shares as angles, whose variance does not depend on the share (Anscombe 1948, Biometrika 35:246)."""
    angles = np.arcsin(np.sqrt((np.clip(shares, 0, 1) * images + 0.375) / (images + 0.75)))
    return angles, 1 / (4 * images + 2)


def _correlation(first: Kept, second: Kept) -> float:
    """Return the correlation of the noise of two columns, over the images of all classes; 0 for unpaired ones."""
    if first.influence is None or second.influence is None:
        return 0.0
    size = float(np.sqrt((first.influence**2).sum() * (second.influence**2).sum()))
    found = float((first.influence * second.influence).sum()) / size if size > 0 else 0.0
    return float(np.clip(found, -_LARGEST_CORRELATION, _LARGEST_CORRELATION))


def graded_cue(cue: Cue, pair: Mapping[bool, GradedColumn], confidence: float) -> GradedCue:
    """Return the reliance of every class on one cue.

    Args:
        cue: The cue.
        pair: What is kept without the cue (False) and on it alone (True), or one of the two.
        confidence: Level of the intervals.

    Returns:
        The reliance.
    """
    parts = [(column, 1.0 if alone else -1.0) for alone, column in pair.items()]
    seen = np.mean([column.kept.share if sign > 0 else 1 - column.kept.share for column, sign in parts], axis=0)
    variances = [column.shares.value * (1 - column.shares.value) / column.images for column, _ in parts]
    noise = np.sum(variances, axis=0)
    if len(parts) > 1:
        shared = _correlation(parts[0][0].kept, parts[1][0].kept)
        noise += 2 * parts[0][1] * parts[1][1] * shared * np.sqrt(np.prod(variances, axis=0))
    noise = noise / len(parts) ** 2
    known = ~np.isnan(seen)
    found = shrunken(seen, np.where(known, noise, np.nan), _LARGEST_SPREAD)
    below, above = exceeded(found.value, found.own, EXCEEDS)
    halves = [column.kept.halves for column, _ in parts]
    order = [half if sign > 0 else 1 - half for half, (_, sign) in zip(halves, parts, strict=True) if half is not None]
    return GradedCue(
        cue=cue,
        seen=seen,
        noise=noise,
        reliance=found,
        above=below,
        below=above,
        of=max(int(known.sum()) - 1, 0),
        top_fifth=among_top(found.value, found.own, TOP),
        rank_reliability=rank_reliability(np.mean(order, axis=0)) if order else np.nan,
        spread=reliability(seen, noise)[1],
        alike=heterogeneity(seen, noise) > ALIKE,
        half=float(ndtri((1 + confidence) / 2)),
    )


def _pairs(columns: list[GradedColumn]) -> tuple[int, int]:
    if not columns:
        return 0, 0
    values, variances = zip(*(_angles(column.kept.share, column.images) for column in columns), strict=True)
    correlation = [[_correlation(one.kept, other.kept) for other in columns] for one in columns]
    np.fill_diagonal(matrix := np.array(correlation), 1.0)
    images = np.min([column.kept.images for column in columns], axis=0)
    return told_apart(np.stack(values), np.stack(variances), matrix, images, FALSE_PAIRS)
