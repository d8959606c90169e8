"""Evidence for and against each cue, class by class: shares of images, their intervals, and tests. Pure NumPy.

An image is *explainable* when it is recognized clean and not when color, shape and texture are all removed. Every
share here is one of a class's explainable images, after the prior correction: *necessity* of a cue is the share that
is lost when the cue is suppressed and the others stay, *sufficiency* the share that is kept when it alone is left.
Where an ablation cuts the image into tiles, only images count that survive the sham, which cuts them as well and keeps
the layout: a loss that seams cause is no reliance on shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuesense.arrays import Bools, Floats
from cuesense.perturbations.ablations import (
    ALL_REMOVED,
    CUES,
    EVERY_ABLATION,
    PRIMARY_ABLATION,
    REMOVALS,
    SHAM,
    TILED,
    Ablation,
    measured,
)
from cuesense.predictions.predictions import Predictions
from cuesense.stats.confusions import mutual_confusion, top_false_positive_rate
from cuesense.stats.intervals import discordant_counts, ratio_interval, sign_test, wilson
from cuesense.types import Condition, Cue


@dataclass(frozen=True)
class Share:
    """The share of images that stay recognized at one ablation, (C,) each; NaN where a class has no image to lose.

    Attributes:
        kept: The share of the explainable images, in [0, 1]; 0 by definition where everything is removed.
        low: Its lower limit.
        high: Its upper limit.
        of: The explainable images that it is a share of, on average over the repeats; of unpaired ones those at this
            ablation.
        images: The images that the next two are shares of, likewise.
        stays: The share of all images that are recognized clean.
        unaided: The same without the prior correction.
        distinct: What stays less what may be guessing between the class and another (confusions.mutual_confusion) and
            less what guessing among all classes gives (Measured.guessing), relative to the same on images that nothing
            was removed from: 1 there, whatever the number of classes and whoever is confused with whom. In [0, 1]; NaN
            where all that is recognized may be guessing, as for a lone class.
        raw: The share of the explainable images without the prior correction.
        told: What ``distinct`` is relative to: 1 where no image of another class is taken for the class when nothing
            is removed, 0 where all that is recognized may be guessing; NaN for a lone class.
        generous: ``distinct`` with guesses taken off once, those between two classes or those among all, whichever are
            more. With many classes both are alike; where they lead to other verdicts, there are too few classes.
    """

    kept: Floats
    low: Floats
    high: Floats
    of: Floats
    images: Floats
    stays: Floats
    unaided: Floats
    distinct: Floats
    raw: Floats
    told: Floats
    generous: Floats


@dataclass(frozen=True)
class Evidence:
    """Everything that the verdicts are decided on.

    Attributes:
        images: Images per class, (C,).
        explainable: Explainable images per class, (C,).
        recognized: Share of the clean images that are recognized, (C,); NaN without images.
        chance: Share of the other classes' clean images that are taken for this class, (C,).
        fewest: Images under the primary ablation that has fewest of them, (C,).
        rival: The class whose clean images are most often taken for this one, (C,); -1 where none are.
        mistaken: The share of the rival's clean images that are, (C,).
        shares: What is kept, by ablation; those that were not measured are missing.
        q: Per cue, the false discovery rate at which its suppression costs more than a sham, (C,); adjusted over all
            classes and cues.
        sinks: Per class, the condition under which it is predicted most often, and how many times its share.
        side: Shorter side of the images in pixels, or None where it is not known.
        colorless: Whether no prediction for any image changes in gray: then no class can rely on color.
    """

    images: NDArray[np.int64]
    explainable: NDArray[np.int64]
    recognized: Floats
    chance: Floats
    fewest: NDArray[np.int64]
    rival: NDArray[np.int64]
    mistaken: Floats
    shares: Mapping[Ablation, Share]
    q: Mapping[Cue, Floats]
    sinks: tuple[tuple[Condition, float] | None, ...]
    side: int | None = None
    colorless: bool = False


def gather(predictions: Predictions, confidence: float) -> Evidence:
    """Turn predictions into evidence.

    Args:
        predictions: What every image was taken for.
        confidence: Level of the intervals in (0, 1), simultaneous over a class's six shares (Bonferroni): each cue
            suppressed, and each cue alone.

    Returns:
        The evidence.
    """
    found = Measured(predictions, 1 - (1 - confidence) / (2 * len(CUES)))
    clean, classes = predictions.per_condition[0], len(predictions.class_names)
    images = np.bincount(clean.labels, minlength=classes)
    seen = np.bincount(found.classes_of(clean.predicted) + 1, minlength=classes + 1)[1:]
    hits = np.bincount(clean.labels[predictions.right(0)], minlength=classes)
    with np.errstate(invalid="ignore"):
        recognized = hits / images
    mistaken, rival = top_false_positive_rate(found.classes_of(clean.predicted), clean.labels, classes)
    return Evidence(
        images=images,
        explainable=found.explainable(),
        recognized=recognized,
        chance=(seen - hits) / np.maximum(images.sum() - images, 1),
        fewest=found.fewest(images),
        rival=rival,
        mistaken=mistaken,
        shares={ablation: found.share(ablation) for ablation in EVERY_ABLATION if ablation in found.rows},
        q=adjusted(
            {
                cue: found.necessary(PRIMARY_ABLATION[cue], SHAM[cue])
                for cue in CUES
                if PRIMARY_ABLATION[cue] in found.rows
            }
        ),
        sinks=found.sinks(),
        side=predictions.side,
        colorless=found.colorless(),
    )


def adjusted(p: Mapping[Cue, Floats]) -> dict[Cue, Floats]:
    """Control the false discovery rate over all cues and classes (Benjamini, Hochberg 1995, JRSS B 57:289).

    Args:
        p: P-values of every cue, (C,) each; NaN where nothing was tested.

    Returns:
        The smallest false discovery rate at which each is still a discovery.
    """
    if not p:
        return {}
    from scipy.stats import false_discovery_control

    every = np.concatenate(list(p.values()))
    tested = ~np.isnan(every)
    every[tested] = false_discovery_control(every[tested]) if tested.any() else every[tested]
    return dict(zip(p, np.split(every, len(p)), strict=True))


class Measured:
    """Predictions by ablation, with what is counted of them."""

    def __init__(self, predictions: Predictions, level: float) -> None:
        self.predictions, self.level = predictions, level
        self.classes = len(predictions.class_names)
        # From here on an ablation is the key; its rows among the conditions are found once.
        found, rows = measured(predictions.perturbations), predictions.rows
        self.rows = {entry: rows[entry.perturbation, severity] for entry, severity in found.items()}
        # Of an adaptive run only images count that were seen under every ablation: shares are then of the same images.
        every = [row for of_ablation in self.rows.values() for row in of_ablation]
        self.part = np.all([predictions.seen(row) for row in (0, *every)], axis=0) if predictions.paired else None
        self.class_of = np.full(len(predictions.output_names), -1)
        self.class_of[list(predictions.outputs)] = np.arange(self.classes)
        self.guessing = self._guessing()

    def _guessing(self) -> Floats:
        """Return the share of each class's images that guessing gets right, (C,).

        The prior correction makes every class's share of the predictions that of its images; without it, a guess is any
        of the outputs.
        """
        clean = self.predictions.per_condition[0]
        share = np.bincount(clean.labels, minlength=self.classes) / max(len(clean.labels), 1)
        return share if clean.corrected is not None else np.minimum(share, 1 / len(self.predictions.output_names))

    def _of_part(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the values of the images that were seen under every ablation; of unpaired conditions all."""
        return values if self.part is None else values[self.part]

    def classes_of(self, outputs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the class of each output, -1 where it is none's."""
        return np.asarray(self.class_of[outputs])

    def rate(self, rows: list[int], *, raw: bool = False) -> tuple[Floats, Floats]:
        """Return images a repeat and the share of them that is right, (C,) each."""
        right = self.predictions.right if raw else self.predictions.corrected_right
        labels = [self._of_part(self.predictions.per_condition[row].labels) for row in rows]
        of_right = [of[self._of_part(right(row))] for of, row in zip(labels, rows, strict=True)]
        n, k = (
            np.mean([np.bincount(of, minlength=self.classes) for of in every], axis=0) for every in (labels, of_right)
        )
        with np.errstate(invalid="ignore"):
            return n, k / n

    def fewest(self, images: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the smallest number of images of each class over the clean condition and the primary ablations."""
        known = [
            images.astype(np.float64),
            *(self.rate(self.rows[primary])[0] for primary in PRIMARY_ABLATION.values() if primary in self.rows),
        ]
        return np.asarray(np.min(known, axis=0), dtype=np.int64)

    def explainable(self) -> NDArray[np.int64]:
        """Count the images that are recognized clean and not when everything is removed."""
        if self.predictions.paired:
            return self._counted([0], self._explainable)[1].astype(np.int64)
        n, clean = self.rate([0])
        return np.rint(np.nan_to_num(n * np.maximum(clean - self._floor()[1], 0))).astype(np.int64)

    def share(self, ablation: Ablation) -> Share:
        """Count what is kept at one ablation."""
        rows = self.rows[ablation]
        sham = self.rows.get(SHAM[Cue.SHAPE], [0]) if ablation in TILED else [0]
        with np.errstate(invalid="ignore", divide="ignore"):
            stays, images = self._stays(rows, sham)
            unaided = self._stays(rows, sham, raw=True)[0]
            told = self._beyond_guessing(np.ones_like(stays), sham, sham)
            distinct, generous = (
                # Where nothing is told apart even when nothing is removed, the distinct share is unknown, not 0.
                np.clip(beyond / np.where(undisturbed > 0, undisturbed, np.nan), 0, 1)
                for beyond, undisturbed in zip(self._beyond_guessing(stays, rows, sham), told, strict=True)
            )
            of_told = np.clip(told[0], 0, 1)
            if not self.predictions.paired:
                raw = self._ratio(rows, sham, raw=True)[0]
                return Share(*self._ratio(rows, sham), images, images, stays, unaided, distinct, raw, of_told, generous)
            kept, total = self._counted(rows, self._explainable, sham)
            raw, raw_total = self._counted(rows, self._explainable, sham, raw=True)
            bounds = wilson(kept, total, self.level)
            return Share(
                kept / total, *bounds, total, images, stays, unaided, distinct, raw / raw_total, of_told, generous
            )

    def _stays(self, rows: list[int], sham: list[int], *, raw: bool = False) -> tuple[Floats, Floats]:
        """Return the share of the images recognized clean and under the sham that stays, and those images."""
        if not self.predictions.paired:
            n, part = self.rate(rows, raw=raw)
            return np.clip(part / self.rate(sham, raw=raw)[1], 0, 1), n
        kept, total = self._counted(rows, self._recognized, sham, raw=raw)
        return kept / total, total

    def _counted(
        self, rows: list[int], among: Callable[..., Bools], sham: Sequence[int] = (0,), *, raw: bool = False
    ) -> tuple[Floats, Floats]:
        """Count which of some images stay right, and those images, on average over the repeats.

        Repeat i is compared with repeat i of the sham, over again where there are fewer.
        """
        labels = self._of_part(self.predictions.per_condition[0].labels)
        right = self.predictions.right if raw else self.predictions.corrected_right
        kept, total = [], []
        for repeat, row in enumerate(rows):
            base = self._of_part(among(sham[repeat % len(sham)], raw=raw))
            kept.append(np.bincount(labels[base & self._of_part(right(row))], minlength=self.classes))
            total.append(np.bincount(labels[base], minlength=self.classes))
        return np.mean(kept, axis=0), np.mean(total, axis=0)

    def _recognized(self, sham: int = 0, *, raw: bool = False) -> Bools:
        right = self.predictions.right if raw else self.predictions.corrected_right
        return right(0) & right(sham)

    def _explainable(self, sham: int = 0, *, raw: bool = False) -> Bools:
        right = self.predictions.right if raw else self.predictions.corrected_right
        destroyed = self.rows.get(ALL_REMOVED)
        before = self._recognized(sham, raw=raw)
        return before if destroyed is None else before & ~right(destroyed[0])

    def _ratio(self, rows: list[int], sham: list[int], *, raw: bool = False) -> tuple[Floats, Floats, Floats]:
        (n, part), (images, whole) = self.rate(rows, raw=raw), self.rate(sham, raw=raw)
        left, floor = self._floor(raw=raw)
        return ratio_interval(part, n, whole, images, floor, left, self.level)

    def _floor(self, *, raw: bool = False) -> tuple[Floats, Floats]:
        """Return the images that everything was removed from and the share of them that is right: none, and known."""
        if ALL_REMOVED in self.rows:
            return self.rate(self.rows[ALL_REMOVED], raw=raw)
        return np.full(self.classes, np.inf), np.zeros(self.classes)

    def _beyond_guessing(self, stays: Floats, rows: list[int], sham: list[int]) -> tuple[Floats, Floats]:
        """Return what stays beyond guesses, (C,) each: between two classes and among all, and the larger alone."""
        mutual = np.mean([self._mutual(row) for row in rows], axis=0) / self.rate(sham)[1]
        # A lone class is always guessed right: what is beyond that is unknown, not 0.
        apart = np.where(self.guessing < 1, 1 - self.guessing, np.nan)
        return (stays - mutual - self.guessing) / apart, (stays - np.maximum(mutual, self.guessing)) / apart

    def _mutual(self, row: int) -> Floats:
        found = self.predictions.per_condition[row]
        classes = self.classes_of(found.predicted) if found.corrected is None else found.corrected
        return mutual_confusion(self._of_part(classes), self._of_part(found.labels), self.classes)

    def colorless(self) -> bool:
        """Return whether every image gets its clean prediction in every gray that was measured."""
        grays = [row for ablation in REMOVALS[Cue.COLOR] for row in self.rows.get(ablation, [])]
        clean, *gray = (self._of_part(self.predictions.per_condition[row].predicted) for row in (0, *grays))
        return self.predictions.paired and bool(grays) and all(np.array_equal(clean, found) for found in gray)

    def necessary(self, ablation: Ablation, sham: Ablation) -> Floats:
        """Return the p-value that an ablation costs more images than a sham (than nothing, where none was measured)."""
        from scipy.stats import hypergeom

        other, row = self.rows.get(sham, [0])[0], self.rows[ablation][0]
        # One repeat of each: the exact test needs whole images, and repeats of one image are not independent.
        before, after = self.predictions.corrected_right(other), self.predictions.corrected_right(row)
        before, after = self._of_part(before), self._of_part(after)
        labels, perturbed = (self._of_part(self.predictions.per_condition[at].labels) for at in (other, row))
        if self.predictions.paired:
            p = sign_test(*discordant_counts(before, after, labels, self.classes))
            return np.where(np.bincount(labels, minlength=self.classes) > 0, p, np.nan)
        n, m = np.bincount(labels, minlength=self.classes), np.bincount(perturbed, minlength=self.classes)
        k = np.bincount(labels[before], minlength=self.classes)
        both = k + np.bincount(perturbed[after], minlength=self.classes)
        return np.where((n > 0) & (m > 0), hypergeom.sf(k - 1, n + m, both, n), np.nan)

    def sinks(self) -> tuple[tuple[Condition, float] | None, ...]:
        """Return for every class the condition under which it is predicted most often, as a multiple of its share."""
        rows = [rows[0] for rows in self.predictions.rows.values()]
        if not rows:
            return (None,) * self.classes
        ratios = np.stack([self._predicted_share(row) for row in rows])
        strongest = np.argmax(np.nan_to_num(ratios), axis=0).tolist()
        return tuple(
            (self.predictions.conditions[rows[at]], float(ratios[at, index])) for index, at in enumerate(strongest)
        )

    def _predicted_share(self, row: int) -> Floats:
        found = self.predictions.per_condition[row]
        classes, weights = self.classes_of(found.predicted), self.predictions.weights(row)
        taken = classes >= 0
        counts = np.bincount(classes[taken], None if weights is None else weights[taken], minlength=self.classes)
        images = np.bincount(found.labels, minlength=self.classes)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(images > 0, counts / images, np.nan)
