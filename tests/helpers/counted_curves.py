"""Scalar oracles of intervals, and perturbations and curves to count with."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import norm

from cuesense.types import Curve, Perturbation, Role


def perturbation(severities):
    ladder = tuple(float(step) for step in range(1, severities + 1))
    return Perturbation(
        "blur", Role.AUGMENTATION, (), "", "sigma", "px", ladder, 0.0, (0.0, 99.0), lambda *given: given[0]
    )


def curve_of(rng, classes=6, severities=3, repeats=1):
    n = rng.integers(2, 60, classes)
    clean = rng.integers(0, n + 1)
    lost = rng.integers(0, clean * repeats + 1, (severities, classes))
    gained = rng.integers(0, (n - clean) * repeats + 1, (severities, classes))
    return Curve(perturbation(severities), n, clean, lost, gained, repeats)


def wilson_scalar(k, n, z):
    """The two roots of (k/n - p)^2 = z^2 p (1 - p) / n."""
    roots = np.roots([1 + z * z / n, -(2 * k / n + z * z / n), (k / n) ** 2]).real
    return min(roots), max(roots)


def newcombe_scalar(a, b, c, d, confidence):
    n, z = a + b + c + d, norm.ppf((1 + confidence) / 2)
    p1, p2 = (a + b) / n, (a + c) / n
    (l1, u1), (l2, u2) = wilson_scalar(a + b, n, z), wilson_scalar(a + c, n, z)
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    excess = a * d - b * c
    if excess > n / 2:
        excess -= n / 2
    elif excess >= 0:
        excess = 0
    phi = excess / math.sqrt(margins) if margins else 0
    down = (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    up = (u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    return p1 - p2 - math.sqrt(max(down, 0)), p1 - p2 + math.sqrt(max(up, 0))
