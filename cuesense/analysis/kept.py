"""What every class keeps, column by column: without each cue, and on each cue alone. Pure NumPy.

The share that one mechanism leaves is one of the images that are recognized clean and, where it cuts the image into
tiles, under the sham that cuts as well: of these, how many are still recognized, after the prior correction, on average
over the repeats. Images that are recognized when everything is removed count as well: to leave them out, as the
evidence for a verdict does, would take from each class the images that it keeps best, and other numbers of them.
A column is the mean over its mechanisms, or the best of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cuesense.arrays import Bools, Floats
from cuesense.perturbations.ablations import COLUMNS, SHAM, TILED, Ablation, Column
from cuesense.predictions.predictions import Predictions
from cuesense.types import Cue

# Random halvings of the images: with 20 the rank correlation between halves moves by about .01 with the seed.
HALVINGS = 20


@dataclass(frozen=True)
class Kept:
    """What C classes keep in one column.

    Attributes:
        column: The column.
        mechanisms: Its mechanisms that were measured, M of them.
        share: The share kept, in [0, 1], (C,); NaN where a class has no image to lose.
        variance: Its variance over images, (C,); NaN with fewer than two images.
        images: Images that it is a share of, on average over mechanisms and repeats, (C,).
        weights: What each mechanism counts for each class, (M, C); they add up to 1 over the mechanisms.
        influence: How far each image moves its class's share, (N,); None for unpaired predictions.
        halves: The share in both halves of every halving, (H, 2, C), with these weights; None for unpaired predictions.
    """

    column: Column
    mechanisms: tuple[Ablation, ...]
    share: Floats
    variance: Floats
    images: Floats
    weights: Floats
    influence: Floats | None
    halves: Floats | None


def kept_by_column(predictions: Predictions, columns: Sequence[Column] = COLUMNS) -> dict[str, Kept]:
    """Count what every class keeps.

    Args:
        predictions: What every image was taken for.
        columns: The columns.

    Returns:
        By name of the column; those of which no mechanism was measured are missing.
    """
    counted = _Counted(predictions)
    found = {
        column.name: tuple(filter(counted.has, column.mechanisms)) or tuple(filter(counted.has, column.otherwise))
        for column in columns
    }
    return {column.name: counted.kept(column, found[column.name]) for column in columns if found[column.name]}


class _Counted:
    """The images that each mechanism is judged on, and those of them that stay."""

    def __init__(self, predictions: Predictions) -> None:
        self.predictions, self.classes = predictions, len(predictions.class_names)
        self.rows = {
            Ablation(entry.name, entry.value(severity)): predictions.rows[entry.name, severity]
            for entry in predictions.perturbations
            for severity in entry.severities
        }
        self.labels = predictions.per_condition[0].labels
        self.halves = halvings(self.labels) if predictions.paired else np.zeros((0, 0), dtype=np.int8)

    def has(self, ablation: Ablation) -> bool:
        """Whether a mechanism was measured."""
        return ablation in self.rows

    def base(self, ablation: Ablation) -> list[int]:
        """Return the rows in which an image must be recognized to count: the sham's, one a repeat, or the clean one."""
        return self.rows.get(SHAM[Cue.SHAPE], [0]) if ablation in TILED else [0]

    def kept(self, column: Column, mechanisms: tuple[Ablation, ...]) -> Kept:
        """Return what is kept in one column."""
        if self.predictions.paired:
            return self._paired(column, mechanisms)
        return self._unpaired(column, mechanisms)

    def _images(self, ablation: Ablation) -> tuple[Floats, Floats]:
        """Return in how many repeats each image counts and stays, (N,) each, as parts of all repeats."""
        right, base = self.predictions.corrected_right, self.base(ablation)
        rows, clean = self.rows[ablation], self.predictions.corrected_right(0)
        counts, stays = np.zeros(len(clean)), np.zeros(len(clean))
        for repeat, row in enumerate(rows):
            before: Bools = clean & right(base[repeat % len(base)]) & self.predictions.seen(row)
            counts += before
            stays += before & right(row)
        return counts / len(rows), stays / len(rows)

    def _paired(self, column: Column, mechanisms: tuple[Ablation, ...]) -> Kept:
        parts = [self._images(ablation) for ablation in mechanisms]
        of = np.stack([self._summed(counts) for counts, _ in parts])
        by_mechanism = np.stack([self._summed(stays) for _, stays in parts]) / _or_nan(of)
        halves = np.stack([self._in_halves(*part) for part in parts])
        weights = _even(by_mechanism)
        share = _weighted(weights, by_mechanism)
        if column.combined == "best" and len(mechanisms) > 1:
            weights, share = _best(by_mechanism, halves)
        influence = np.zeros(len(self.labels))
        for (counts, stays), rate, total, weight in zip(parts, by_mechanism, of, weights, strict=True):
            moved = (weight / _or_nan(total))[self.labels] * (stays - counts * rate[self.labels])
            influence += np.nan_to_num(moved)
        seen = self._summed(np.max([counts for counts, _ in parts], axis=0) > 0)
        with np.errstate(invalid="ignore"):
            variance = self._summed(influence**2) * seen / _or_nan(np.where(seen > 1, seen - 1, 0))
        return Kept(
            column,
            mechanisms,
            share,
            variance,
            _weighted(weights, of),
            weights,
            influence,
            _weighted(weights[:, None, None], halves),
        )

    def _summed(self, values: NDArray[np.generic]) -> Floats:
        return _sums(self.labels, values.astype(np.float64), self.classes)

    def _in_halves(self, counts: Floats, stays: Floats) -> Floats:
        """Return what one mechanism leaves in both halves of every halving, (H, 2, C); NaN where a half has none."""
        places = 2 * self.classes
        of_half = (half * np.int64(self.classes) + self.labels for half in self.halves)
        found = [_sums(half, stays, places) / _or_nan(_sums(half, counts, places)) for half in of_half]
        return np.stack(found).reshape(-1, 2, self.classes)

    def _unpaired(self, column: Column, mechanisms: tuple[Ablation, ...]) -> Kept:
        """Return ratios of rates of independent images: recognized at a mechanism over clean or under a sham.

        Variances are those of a ratio of two binomial rates (delta method), with half an image added on both sides so
        that a rate of 0 or 1 is not certain. Mechanisms may share the images below the line, and are added as if they
        did. The best mechanism is chosen on the images that it is judged on, which makes its share somewhat large.
        """
        ratios, above, below, images = [], [], [], []
        with np.errstate(invalid="ignore", divide="ignore"):
            for ablation in mechanisms:
                (n, part), (of, whole) = self._rate(self.rows[ablation]), self._rate(self.base(ablation))
                ratio = np.clip(part / np.where(whole > 0, whole, np.nan), 0, 1)
                ratios.append(ratio)
                above.append(_noise(part, n) / whole**2)
                below.append(ratio * np.sqrt(_noise(whole, of)) / whole)
                images.append(np.minimum(n, of * whole))
        by_mechanism = np.stack(ratios)
        weights = _even(by_mechanism)
        if column.combined == "best":
            weights = _chosen(by_mechanism)
        variance = _weighted(weights**2, np.stack(above)) + _weighted(weights, np.stack(below)) ** 2
        share = _weighted(weights, by_mechanism)
        return Kept(column, mechanisms, share, variance, _weighted(weights, np.stack(images)), weights, None, None)

    def _rate(self, rows: list[int]) -> tuple[Floats, Floats]:
        """Return images a repeat and the share of them that is recognized, (C,) each; NaN without images."""
        every = [(self.predictions.per_condition[row].labels, self.predictions.corrected_right(row)) for row in rows]
        n = np.mean([np.bincount(labels, minlength=self.classes) for labels, _ in every], axis=0)
        k = np.mean([np.bincount(labels[right], minlength=self.classes) for labels, right in every], axis=0)
        return n, k / _or_nan(n)


def halvings(labels: NDArray[np.int64]) -> NDArray[np.int8]:
    """Halve the images of every class at random, in the same way at every call.

    Args:
        labels: Class of each image, (N,).

    Returns:
        0 or 1 for each image in each of 20 halvings, (20, N); the halves of a class differ by one image at most.
    """
    random = np.random.default_rng(0)
    starts = np.concatenate([[0], np.cumsum(np.bincount(labels))])
    halves = np.zeros((HALVINGS, len(labels)), dtype=np.int8)
    for half in halves:
        order = np.lexsort((random.random(len(labels)), labels))
        half[order] = (np.arange(len(labels)) - starts[labels[order]]) % 2
    return halves


def _best(by_mechanism: Floats, halves: Floats) -> tuple[Floats, Floats]:
    """Return how often each mechanism is the best of a class, (M, C), and what the best one keeps, (C,).

    The best is chosen on one half of the images and judged on the other, both ways in every halving: the largest of
    several shares of the same images would be too large. What the halves do not show (a class of one image) is taken
    from all images.
    """
    chosen = np.argmax(np.nan_to_num(halves, nan=-1), axis=0)
    judged = np.take_along_axis(halves, chosen[None, :, ::-1], axis=0)[0].reshape(-1, halves.shape[-1])
    known = ~np.isnan(judged)
    often = np.stack([(chosen == place).mean(axis=(0, 1)) for place in range(len(halves))])
    share = np.nansum(judged, axis=0) / _or_nan(known.sum(axis=0))
    whole = known.all(axis=0)
    alone = _chosen(by_mechanism)
    return np.where(whole, often, alone), np.where(whole, share, (alone * by_mechanism).sum(axis=0))


def _chosen(by_mechanism: Floats) -> Floats:
    """Return 1 for the mechanism that keeps most of a class and 0 for the others, (M, C); the first one on ties."""
    best = np.argmax(np.nan_to_num(by_mechanism, nan=-1), axis=0)
    return np.where(np.arange(len(by_mechanism))[:, None] == best, 1.0, 0.0)


def _even(by_mechanism: Floats) -> Floats:
    """Return equal parts for the mechanisms that have images of a class, (M, C); NaN where none has."""
    known = ~np.isnan(by_mechanism)
    return known / _or_nan(known.sum(axis=0))


def _sums(places: NDArray[np.int64], values: Floats, length: int) -> Floats:
    """Return the sum of the values at every place, (length,)."""
    return np.bincount(places, weights=values, minlength=length).astype(np.float64, copy=False)


def _weighted(weights: Floats, values: Floats) -> Floats:
    """Return sums over the mechanisms, the first axis, without those of weight 0; NaN where there is no weight."""
    return np.asarray(np.where(weights == 0, 0.0, weights * values).sum(axis=0))


def _noise(rate: Floats, n: Floats) -> Floats:
    """Return the variance of a binomial rate, with half an image added on both sides."""
    smooth = (rate * n + 0.5) / (n + 1)
    return smooth * (1 - smooth) / n


def _or_nan(counts: Floats) -> Floats:
    """Return counts to divide by, NaN in place of 0."""
    return np.where(counts > 0, counts, np.nan)
