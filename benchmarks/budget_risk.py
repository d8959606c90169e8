"""Whether the risks of budgets hold on images that they were not computed from.

``python benchmarks/budget_risk.py FOLDER...`` reads the predictions.parquet of each analysis, computes risks from half
of the images of every class, chosen at random (or from ``--images N`` of them), and counts in the others. Without
FOLDER it does the same with planted lost and gained shares, where the true drops are known. ``--figure FILE`` draws the
reliability diagram of the docs. ``budget_risk_worlds.py`` makes folders with hundreds of fresh images a class.

Twenty-five fresh images exceed a tolerance by chance alone. So the observed shares are compared with what the
posterior, with the noise of the fresh images added, makes expected ("expected"), and not with the risk itself.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
from figure_parts import COLORS, LEFT, PLOT_HEIGHT, PLOT_WIDTH, TOP, axes, page
from numpy.typing import NDArray
from scipy.special import ndtr

from cuesense.perturbations.catalog import RANDOM_RESIZED_CROP
from cuesense.policies.budgets import Levels, budget
from cuesense.predictions.predictions import Predictions
from cuesense.predictions.table import read
from cuesense.stats.curves import count
from cuesense.stats.drop_risk import ExpectedDrops, draws_worth, expected_drops
from cuesense.types import RISK, Curve, Perturbation, Role

TOLERANCE = 0.05
BINS = (0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.8, 1)
# Drops at which the posterior is cut into pieces, to add the noise of fresh images to each.
_DROPS = np.linspace(-0.5, 0.95, 146)
# What part of the strongest severity's loss each severity of a planted world has.
_DOSE = np.array([0.25, 0.5, 0.75, 1])[:, None]

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
Shares = Callable[[np.random.Generator], Iterator[Pair]]
Points = list[tuple[float, float]]
Cells = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]


def curve_of(predictions: Predictions, perturbation: Perturbation, images: NDArray[np.int64], repeats: int) -> Curve:
    """Return the counts of some images and of the first draws of a perturbation."""
    rows = np.array([predictions.rows[perturbation.name, severity] for severity in perturbation.severities]).T
    changed = np.stack([np.stack([predictions.right(row)[images] for row in part]) for part in rows[:repeats]])
    labels = predictions.per_condition[0].labels[images]
    return count(perturbation, predictions.right(0)[images], changed, labels, len(predictions.class_names))


def expected_share(drops: ExpectedDrops, fresh: Curve) -> NDArray[np.float64]:
    """Return the chance that each class's drop among fresh images exceeds the tolerance, (S, C)."""
    images = np.maximum(fresh.n, 1)
    net = (fresh.lost - fresh.gained) / (images * fresh.repeats)
    changed = (fresh.lost + fresh.gained) / (images * fresh.repeats)
    # At least the noise of one changed image in 50, so that no class is without any.
    noise = np.sqrt(np.maximum(changed - net**2, 0.02) / images / draws_worth(fresh)[:, None])
    above = np.stack([drops.risk(drop) for drop in _DROPS], axis=-1)
    middle = (_DROPS[1:] + _DROPS[:-1]) / 2
    return np.asarray((-np.diff(above) * ndtr((middle - TOLERANCE) / noise[..., None])).sum(axis=-1))


def parted(predictions: Predictions, images: int | None, splits: int, rng: np.random.Generator) -> Iterator[Cells]:
    """Yield risk, expected share, what fresh images show, and whether it is a budget's cell, for random parts.

    Args:
        predictions: Those of an analysis.
        images: How many images of each class the risks are computed from; None for half of them. The others are fresh.
        splits: How often the images are parted.
        rng: Chooses them.
    """
    labels = predictions.per_condition[0].labels
    augmentations = [entry for entry in predictions.perturbations if entry.role is Role.AUGMENTATION]
    for _ in range(splits):
        # The images of every class in a random order, and the place of each in its class.
        order = np.lexsort((rng.random(len(labels)), labels))
        place = np.arange(len(labels)) - np.searchsorted(labels[order], labels[order])
        used = place < (np.bincount(labels)[labels[order]] // 2 if images is None else images)
        for entry in augmentations:
            fresh = curve_of(predictions, entry, order[~used], 3)
            drops = expected_drops(curve_of(predictions, entry, order[used], 3))
            seen = (fresh.lost - fresh.gained) / (fresh.repeats * np.maximum(fresh.n, 1)) > TOLERANCE
            yield _cells(drops, expected_share(drops, fresh), seen)


def planted(images: int, worlds: int, rng: np.random.Generator, shares: Shares) -> Iterator[Cells]:
    """Yield the same for planted shares of 20 classes, where the truth takes the place of fresh images."""
    n = np.full(20, images)
    for _ in range(worlds):
        for lost, gained in shares(rng):
            outcome = rng.multinomial(images, np.stack([lost, gained, 1 - lost - gained], axis=-1))
            drops = expected_drops(Curve(RANDOM_RESIZED_CROP, n, n, outcome[..., 0], outcome[..., 1]))
            yield _cells(drops, drops.risk(TOLERANCE), lost - gained > TOLERANCE)


def three_kinds(rng: np.random.Generator) -> Iterator[Pair]:
    """Yield the lost and gained shares of worlds with a few ruined classes, with classes all alike, and spread."""
    ruined = rng.random(20) < 0.08
    yield np.where(ruined, rng.uniform(0.1, 0.8, 20), 0.01) * _DOSE, np.full((4, 20), 0.01)
    yield np.full((4, 20), rng.uniform(0.02, 0.15)) * _DOSE, np.full((4, 20), 0.02)
    yield rng.beta(1, 9, 20) * _DOSE, rng.beta(1, 30, 20) * _DOSE


def unlike_accuracies(rng: np.random.Generator) -> Iterator[Pair]:
    """Yield those of a world where classes lose about the same part of what is right clean, and accuracies differ.

    Three classes in 20 are hardly recognized, so that they can lose next to nothing.
    """
    accuracy = np.where(rng.random(20) < 0.15, 0.04, rng.beta(3, 1.5, 20))
    yield 2 * accuracy * rng.normal(0.12, 0.05, 20).clip(0, 0.5) * _DOSE, (1 - accuracy) * 0.06 * _DOSE


def _cells(drops: ExpectedDrops, expected: NDArray[np.float64], seen: NDArray[np.bool_]) -> Cells:
    risk = drops.risk(TOLERANCE)
    reached = np.logical_and.accumulate(risk <= RISK, axis=0).sum(axis=0)
    given = np.arange(1, len(risk) + 1)[:, None] == reached
    return risk.ravel(), expected.ravel(), seen.ravel(), given.ravel()


def show(title: str, cells: Iterable[Cells]) -> Points:
    """Print the share of cells over the tolerance by bins of risk, and that of the budgets' own cells.

    Returns:
        For every bin the expected and the observed share.
    """
    risk, expected, seen, given = (np.concatenate(part) for part in zip(*cells, strict=True))
    print(f"\n{title}\n{'risk':>12} {'cells':>6} {'mean risk':>9} {'expected':>8} {'observed':>8}")
    bins = [(f"{low:g} to {high:g}", (risk > low) & (risk <= high)) for low, high in pairwise(BINS)]
    bins[0] = (bins[0][0], risk <= BINS[1])
    points = []
    for name, chosen in (*bins, ("budgets", given)):
        if chosen.any():
            means = [float(part[chosen].mean()) for part in (risk, expected, seen)]
            print(f"{name:>12} {chosen.sum():6d} {' '.join(f'{mean:>8.3f}' for mean in means)}")
            points.append((means[1], means[2]))
    return points[:-1]


def diagram(series: Mapping[str, Points]) -> str:
    """Draw the observed share over the expected one, one line a series; below the diagonal, risks are overstated."""
    ticks = {f"{value / 5:g}": value / 5 for value in range(6)}
    parts = axes(ticks, ticks, "expected share of cells over the tolerance", "observed share")
    left, bottom = _place(0, 0)
    right, top = _place(1, 1)
    parts.append(f'<path d="M{left:.1f} {bottom:.1f}L{right:.1f} {top:.1f}" stroke="#999" stroke-dasharray="4 4"/>')
    for number, (name, points) in enumerate(series.items()):
        color, places = COLORS[number % len(COLORS)], [_place(*point) for point in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}"/>' for x, y in places]
        parts.append(f'<text x="{LEFT + PLOT_WIDTH + 14}" y="{TOP + 14 + 18 * number}" fill="{color}">{name}</text>')
    return page("Risk of a budget against what fresh images show", parts)


def _place(x: float, y: float) -> tuple[float, float]:
    return LEFT + PLOT_WIDTH * x, TOP + PLOT_HEIGHT * (1 - y)


def show_answers(predictions: Predictions) -> None:
    """Print how many cells have an answer, by the number of draws, and how much further draws tell."""
    every = np.arange(len(predictions.sample_ids))
    augmentations = [entry for entry in predictions.perturbations if entry.role is Role.AUGMENTATION]
    for draws in range(1, max(len(rows) for rows in predictions.rows.values()) + 1):
        found: Counter[str] = Counter()
        certified = 0
        for entry in augmentations:
            curve = curve_of(predictions, entry, every, draws)
            budgets = budget(curve, Levels(TOLERANCE, 0.95), [[None] * len(curve.n)] * len(curve.lost))
            found += Counter(part.status.value for part in budgets)
            certified += sum(part.certified > 0 for part in budgets)
            told = f"{curve.repeats} draws count as {np.round(draws_worth(curve), 2)} images"
            print(f"{entry.name}, {told}, width {_width(curve)}")
        answers = found.total() - found["undetermined"]
        print(f"up to {draws} draws: {answers} of {found.total()} cells answered, {certified} certified; {dict(found)}")


def _width(curve: Curve) -> NDArray[np.float64]:
    low, high = expected_drops(curve).bounds(0.95)
    return np.asarray((high - low).mean(axis=1).round(3))


def main() -> None:
    """Print the tables, and draw the diagram where a file is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, help="the outputs of analyses")
    parser.add_argument("--images", type=int, help="images of each class that risks are computed from; default: half")
    parser.add_argument("--splits", type=int, default=10, help="random parts of the images of each folder")
    parser.add_argument("--worlds", type=int, default=60, help="planted worlds of each kind")
    parser.add_argument("--figure", type=Path, help="an SVG file to write, with planted worlds and FOLDERs")
    options = parser.parse_args()
    series: dict[str, Points] = {}
    if options.folders:
        together: list[Cells] = []
        for folder in options.folders:
            predictions, _ = read(folder / "predictions.parquet", None, None)
            show_answers(predictions)
            together += (cells := [*parted(predictions, options.images, options.splits, np.random.default_rng(0))])
            show(str(folder), cells)
        series["networks"] = show("All together", together)
    if not options.folders or options.figure is not None:
        for images in (10, 20, 50, 200):
            cells = planted(images, options.worlds, np.random.default_rng(images), three_kinds)
            series[f"planted, {images} images"] = show(f"Planted, {images} images a class", cells)
            cells = planted(images, options.worlds, np.random.default_rng(images), unlike_accuracies)
            show(f"Planted, {images} images a class, accuracies differ", cells)
    if options.figure is not None:
        options.figure.write_text(diagram(series), encoding="utf-8")


if __name__ == "__main__":
    main()
