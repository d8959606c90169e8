"""Differences of accuracy between two models or two conditions, per class, with intervals and exact tests.

A ``Contrast`` holds the counts of a reference A and of B. Where both saw the same images (``paired``, ``from_counts``)
its intervals and tests are those of paired proportions: Newcombe's, Tango's and McNemar's. Where they did not, they are
those of independent ones: Newcombe's for two samples and Fisher's. ``q_values`` gives false discovery rates over
classes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import false_discovery_control, hypergeom

from cuesense.arrays import Floats
from cuesense.stats.intervals import independent, newcombe, sign_test, tango


@dataclass(frozen=True)
class Pairs:
    """How two conditions differ over the same images, per class.

    Attributes:
        lost: Images that A alone recognizes, (C,); real where they are means over repeats.
        gained: Images that B alone recognizes, (C,), likewise.
        more_a: Images that A recognizes in more repeats than B, (C,); equal to lost where single images are not known.
        more_b: Images that B recognizes in more repeats than A, (C,), likewise.
    """

    lost: Floats
    gained: Floats
    more_a: Floats
    more_b: Floats


@dataclass(frozen=True)
class Contrast:
    """How many images of each of C classes two conditions recognize, the reference A and B.

    Attributes:
        n_a: Test images of A, (C,).
        n_b: Test images of B, (C,).
        right_a: Those that A recognizes, (C,); real where they are means over repeats.
        right_b: Those that B recognizes, (C,).
        pairs: How they differ image by image, or None where the images are not the same.
        images: The images of each class of which B's are a part, (C,), by which ``total`` weighs the classes; None
            where they are all.
    """

    n_a: Floats
    n_b: Floats
    right_a: Floats
    right_b: Floats
    pairs: Pairs | None = None
    images: Floats | None = None

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether there are enough images, at least two, for an interval, (C,)."""
        return np.asarray((self.n_a >= 2) & (self.n_b >= 2))

    def accuracies(self) -> tuple[Floats, Floats]:
        """Return the accuracies of A and B in [0, 1], (C,) each; NaN where there are no images."""
        return _share(self.right_a, self.n_a), _share(self.right_b, self.n_b)

    def loss(self) -> Floats:
        """Return the accuracy of A minus that of B, (C,) in [-1, 1]; NaN where there are no images."""
        a, b = self.accuracies()
        return a - b

    def interval(self, confidence: float) -> tuple[Floats, Floats]:
        """Return Newcombe's two-sided interval of the loss, the paired one where the images are the same.

        Args:
            confidence: Two-sided level in (0, 1).

        Returns:
            Lower and upper limit, (C,) each; NaN where there are fewer than two images.
        """
        if self.pairs is None:
            return independent(self.right_a, self.n_a, self.right_b, self.n_b, confidence)
        return newcombe(self.right_a, self.pairs.lost, self.pairs.gained, self.n_a, confidence)

    def bounds(self, confidence: float) -> tuple[Floats, Floats]:
        """Return one-sided bounds of the loss, of which the lower one is above 0 only where an exact test rejects.

        Tango's bounds for paired images, Newcombe's for others. With few images or at the levels of a Bonferroni
        correction, either would call a loss certain too often (enumerated: up to 1.25 and 12 times the level); where
        ``p_loss`` does not reject, the lower bound is therefore at most 0.

        Args:
            confidence: One-sided level of each bound, in (0.5, 1).

        Returns:
            Lower and upper bound, (C,) each; NaN where there are fewer than two images.
        """
        if self.pairs is None:
            low, high = self.interval(2 * confidence - 1)
        else:
            low, high = tango(self.pairs.lost, self.pairs.gained, self.n_a, confidence)
        return np.where(self.p_loss() <= 1 - confidence, low, np.minimum(low, 0)), high

    def p_loss(self) -> Floats:
        """Return the exact one-sided p-value that A is no better than B, (C,); NaN where there are no images.

        McNemar's test (intervals.sign_test) where the images are the same, else Fisher's. Means over repeats are
        rounded, for McNemar's to the side of no loss.
        """
        if self.pairs is None:
            return _fisher(self.right_a, self.n_a, self.right_b, self.n_b)
        # Rounded toward no loss: whole images are needed, and a p-value must never be too small.
        p = sign_test(np.floor(self.pairs.more_a), np.ceil(self.pairs.more_b))
        return np.where(self.n_a > 0, p, np.nan)

    def p_difference(self) -> Floats:
        """Return the exact two-sided p-value that A is as good as B, twice the smaller one-sided one, (C,)."""
        return np.asarray(np.minimum(1, 2 * np.minimum(self.p_loss(), self.swapped().p_loss())))

    def swapped(self) -> Contrast:
        """Return the contrast with A and B exchanged."""
        pairs = self.pairs
        other = None if pairs is None else Pairs(pairs.gained, pairs.lost, pairs.more_b, pairs.more_a)
        return Contrast(self.n_b, self.n_a, self.right_b, self.right_a, other)

    def total(self) -> Contrast:
        """Return the contrast over the images of all classes together, as one class.

        Where parts of the images were looked at, a class counts by all its images, and the number of images is the
        effective one of unequal weights (Kish 1965, Survey Sampling): at most as many as were looked at.
        """
        weights = self._weights()
        n_a, n_b, right_a, right_b = (_sum(weights * part) for part in (self.n_a, self.n_b, self.right_a, self.right_b))
        pairs = None if self.pairs is None else Pairs(*(_sum(weights * part) for part in vars(self.pairs).values()))
        return Contrast(n_a, n_b, right_a, right_b, pairs)

    def _weights(self) -> Floats:
        """Return what an image of each class counts for in the total, (C,): 1 where all were looked at."""
        if self.images is None:
            return np.ones_like(self.n_b)
        images = np.where(self.n_b > 0, self.images, 0)
        each = images / np.maximum(self.n_b, 1)
        return np.asarray(each * (images.sum() / np.maximum((each * images).sum(), 1)))


def paired(labels: NDArray[np.integer], share_a: Floats, share_b: Floats, classes: int) -> Contrast:
    """Count the images that one or both of two models recognize.

    Args:
        labels: Class of each image, (N,), in [0, classes).
        share_a: Share of the repeats in which A recognizes it, (N,); 0 or 1 where there is one.
        share_b: The same of B. With several repeats, an image is lost as often as a repeat of A that recognizes it
            meets one of B that does not, which is wider than pairing equal repeats.
        classes: Number of classes C.

    Returns:
        The paired contrast.
    """

    def count(weights: ArrayLike) -> Floats:
        return np.bincount(labels, weights=np.asarray(weights, np.float64), minlength=classes).astype(np.float64)

    n = count(np.ones(len(labels)))
    lost, gained = count(share_a * (1 - share_b)), count(share_b * (1 - share_a))
    pairs = Pairs(lost, gained, count(share_a > share_b), count(share_b > share_a))
    return Contrast(n, n, count(share_a), count(share_b), pairs)


def from_counts(
    n: ArrayLike, clean: ArrayLike, lost: ArrayLike, gained: ArrayLike, repeats: int, seen: ArrayLike | None = None
) -> Contrast:
    """Return the paired contrast of clean images (A) and the same ones perturbed (B).

    Args:
        n: Images, (C,).
        clean: Images that are recognized clean, (C,).
        lost: Image-repeats right when clean and wrong when perturbed, (C,).
        gained: Image-repeats wrong when clean and right when perturbed, (C,).
        repeats: How many times each image was perturbed; the image stays the unit.
        seen: Images that were perturbed, (C,), which lost and gained count; None where all were. Of them as many are
            taken to be recognized clean as of all.

    Returns:
        The contrast.
    """
    images, right = np.asarray(n, np.float64), np.asarray(clean, np.float64)
    if seen is not None:
        part = np.asarray(seen, np.float64)
        found = from_counts(part, right * part / np.maximum(images, 1), lost, gained, repeats)
        return replace(found, images=images)
    # Which images changed in more repeats is not in the counts; the means stand in for it.
    b, c = np.asarray(lost, np.float64) / repeats, np.asarray(gained, np.float64) / repeats
    return Contrast(images, images, right, right - b + c, Pairs(b, c, b, c))


def q_values(p: Floats) -> Floats:
    """Return Benjamini-Hochberg's q-values (1995, J. R. Stat. Soc. B 57:289), over the p-values that are not NaN."""
    known = ~np.isnan(p)
    q = np.full_like(p, np.nan)
    if known.any():
        q[known] = false_discovery_control(p[known])
    return q


def _fisher(k: Floats, n: Floats, j: Floats, m: Floats) -> Floats:
    """Return P(X >= k) for X of k + j recognized images, where n of n + m are drawn; whole images, as rounded."""
    first, trials, second, others = (np.rint(part).astype(np.int64) for part in (k, n, j, m))
    p = hypergeom.sf(first - 1, trials + others, first + second, trials)
    return np.where((trials > 0) & (others > 0), p, np.nan)


def _share(right: Floats, images: Floats) -> Floats:
    """Return accuracies; the number of images may be below 1 where it is a mean over repeats (no nan_below here)."""
    return right / np.where(images > 0, images, np.nan)


def _sum(counts: Floats) -> Floats:
    """Return the total as an array of one class."""
    return np.asarray(counts.sum(keepdims=True), dtype=np.float64)
