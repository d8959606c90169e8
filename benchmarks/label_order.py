"""Count false alarms of the rules about the order of the classes, and exchanged names that they miss.

Networks are nearest-prototype classifiers with known answers: the images of a class lie around its prototype, with
noise, with a shift that all images share (another domain), and with one of each class (other objects under the same
name). ``moved`` is the length of the latter, a prototype's being 1: from 1 on a class is often nearer to another's
prototype than to its own, which no rule can tell from a wrong name.

    PYTHONPATH=. python benchmarks/label_order.py --networks 20
"""

from __future__ import annotations

import argparse
import itertools
from collections import Counter

import numpy as np

from cuesense.stats.label_order import find_order

SIZES = (
    (2, 2, 4),
    (3, 3, 4),
    (5, 5, 5),
    (2, 2, 15),
    (2, 2, 100),
    (3, 3, 50),
    (5, 5, 30),
    (10, 10, 20),
    (10, 10, 200),
    (12, 200, 50),
    (50, 50, 20),
)
LARGE = ((100, 100, 50), (200, 200, 5), (12, 1000, 50), (30, 1000, 10))
NOISE = (1.0, 2.0, 6.0)
SHIFTS = ((0.0, 0.0), (1.5, 0.0), (3.0, 0.0), (0.0, 0.5), (0.0, 1.0), (0.0, 2.0))
EXCHANGES = (
    (2, 4, 0.5),
    (3, 4, 0.5),
    (10, 5, 0.5),
    (2, 30, 1.0),
    (10, 20, 1.0),
    (10, 50, 2.5),
    (10, 50, 3.0),
    (100, 20, 1.0),
    (100, 50, 2.0),
    (200, 10, 1.0),
)


def network(
    rng: np.random.Generator, size: tuple[int, int, int], noise: float, shifts: tuple[float, float], kind: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return counts (C, K) of a network and the output of each class; kinds have alike classes and biased outputs."""
    classes, outputs, images = size
    wide = 24 if outputs < 300 else 64
    centers = rng.normal(size=(max(1, outputs // 5), wide))
    known = rng.normal(size=(outputs, wide)) + (kind % 2) * centers[rng.integers(len(centers), size=outputs)]
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    bias = rng.normal(size=outputs) * 0.3 * (kind // 2)
    chosen = np.sort(rng.choice(outputs, classes, replace=False))
    common = rng.normal(size=wide) * shifts[0] / np.sqrt(wide)
    counts = np.zeros((classes, outputs), np.int64)
    for row, output in enumerate(chosen):
        own = rng.normal(size=wide) * shifts[1] / np.sqrt(wide)
        features = known[output] + common + own + rng.normal(size=(images, wide)) * noise / np.sqrt(wide)
        np.add.at(counts[row], (features @ known.T + bias).argmax(axis=1), 1)
    return counts, chosen


def main() -> None:
    """Print alarms by displacement, and how many exchanges were found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=20, help="networks of each kind (a fifth for large ones)")
    count = parser.parse_args().networks
    alarms, tried = Counter[tuple[float, float]](), Counter[tuple[float, float]]()
    for size, noise, shifts, kind in itertools.product((*SIZES, *LARGE), NOISE, SHIFTS, range(4)):
        rng = np.random.default_rng([*size, int(noise), int(10 * shifts[0]), int(10 * shifts[1]), kind])
        for _ in range(count if size in SIZES else max(1, count // 5)):
            tried[shifts] += 1
            alarms[shifts] += find_order(*network(rng, size, noise, shifts, kind)) is not None
    for shifts in SHIFTS:
        print(f"common shift {shifts[0]}, moved {shifts[1]}: {alarms[shifts]} alarms of {tried[shifts]}")
    for classes, images, noise in EXCHANGES:
        found, accuracy = 0, []
        for seed in range(count):
            rng = np.random.default_rng([classes, images, seed])
            counts, outputs = network(rng, (classes, classes, images), noise, (0.0, 0.0), 0)
            accuracy.append(np.trace(counts) / counts.sum())
            one, other = rng.choice(classes, 2, replace=False)
            outputs[[one, other]] = outputs[[other, one]]
            order = find_order(counts, outputs)
            found += order is not None and set(order.moved) == {one, other}
        print(f"{classes} classes, {images} images each, accuracy {np.mean(accuracy):.2f}: {found} of {count} found")


if __name__ == "__main__":
    main()
