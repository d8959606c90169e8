"""What classes keep, against plain loops over images; the best of several mechanisms; halves; unpaired tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cuesense.analysis.kept import HALVINGS, halvings, kept_by_column
from cuesense.perturbations.ablations import COLUMNS, SHAM, TILED, Column
from cuesense.predictions.predictions import Predictions
from cuesense.types import Cue
from tests.helpers.graded_predictions import MECHANISMS, sampled
from tests.helpers.parts_of_images import alone, first_of_class, part_of

CLASSES = 4
SHARES = {
    ablation: np.random.default_rng(place).uniform(0.2, 0.9, CLASSES) for place, ablation in enumerate(MECHANISMS)
}
SIZES = np.array([12, 30, 1, 0])


def found(*, paired: bool = True, repeats: int = 2) -> Predictions:
    return sampled(SHARES, SIZES, np.random.default_rng(9), repeats=repeats, paired=paired, sham=0.8)


def rows_of(predictions: Predictions, name: str, value: float) -> list[int]:
    return [
        row
        for row, condition in enumerate(predictions.conditions)
        if condition.perturbation is not None
        and condition.name == name
        and condition.perturbation.value(condition.severity) == value
    ]


def counted(predictions: Predictions, column: Column, images: list[int]) -> tuple[float, float]:
    """Return the share that some images keep on average over the mechanisms, and how many count, by loops."""
    shares, totals = [], []
    for ablation in column.mechanisms:
        sham = rows_of(predictions, *SHAM[Cue.SHAPE]) if ablation in TILED else [0]
        kept = total = 0
        rows = rows_of(predictions, *ablation)
        for repeat, row in enumerate(rows):
            for image in images:
                here = [predictions.corrected_right(at)[image] for at in (0, sham[repeat % len(sham)], row)]
                total += here[0] and here[1]
                kept += all(here)
        totals.append(total / len(rows))
        if total:
            shares.append(kept / total)
    return (float(np.mean(shares)) if shares else np.nan), float(np.mean(totals))


@pytest.mark.parametrize("repeats", [1, 2])
def test_shares_are_counted_image_by_image(repeats: int) -> None:
    predictions = found(repeats=repeats)
    labels = predictions.per_condition[0].labels
    columns = [replace_combined(column, "mean") for column in COLUMNS]
    for column, kept in zip(columns, kept_by_column(predictions, columns).values(), strict=True):
        for index in range(CLASSES):
            images = np.flatnonzero(labels == index).tolist()
            share, total = counted(predictions, column, images)
            assert kept.share[index] == pytest.approx(share, nan_ok=True)
            if not np.isnan(share):
                assert kept.images[index] == pytest.approx(total)


def replace_combined(column: Column, combined: str) -> Column:
    return column._replace(combined=combined)  # type: ignore[arg-type]


def test_the_variance_is_that_of_leaving_images_out() -> None:
    predictions = found()
    labels = predictions.per_condition[0].labels
    columns = [replace_combined(column, "mean") for column in COLUMNS]
    for column, kept in zip(columns, kept_by_column(predictions, columns).values(), strict=True):
        images = np.flatnonzero(labels == 1).tolist()
        without = [counted(predictions, column, [image for image in images if image != left])[0] for left in images]
        jackknife = np.var(without) * (len(images) - 1)
        assert kept.variance[1] == pytest.approx(jackknife, rel=0.15)
        assert np.isnan(kept.variance[2:]).all()


def test_mechanisms_that_were_not_measured_are_left_out() -> None:
    (column,) = [column for column in COLUMNS if column.name == "without_shape"]
    first = column.mechanisms[0]
    some = sampled({first: SHARES[first]}, 20, np.random.default_rng(0))
    kept = kept_by_column(some)
    assert kept["without_shape"].mechanisms == (first,)
    assert set(kept) == {column.name for column in COLUMNS if first in column.mechanisms}


def test_halves_are_even_within_a_class_and_always_the_same() -> None:
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [10, 7, 1]))
    halves = halvings(labels)
    assert halves.shape == (HALVINGS, 18)
    for index, size in enumerate([10, 7, 1]):
        assert set(halves[:, labels == index].sum(axis=1).tolist()) == {size // 2}
    assert (halves == halvings(labels)).all()
    assert len({tuple(half.tolist()) for half in halves}) > HALVINGS // 2


def test_halves_hold_the_share_of_each_half() -> None:
    predictions = found()
    labels = predictions.per_condition[0].labels
    split = halvings(labels)
    column = replace_combined(COLUMNS[0], "mean")
    kept = kept_by_column(predictions, [column])[column.name]
    assert kept.halves is not None
    for half in (0, 1):
        images = np.flatnonzero((labels == 1) & (split[3] == half)).tolist()
        assert kept.halves[3, half, 1] == pytest.approx(counted(predictions, column, images)[0])


TWO = COLUMNS[1].mechanisms[0], COLUMNS[2].mechanisms[0]
BEST = Column("best", Cue.COLOR, False, TWO, "best")


@pytest.mark.parametrize(("first", "second", "naive"), [(0.6, 0.6, 0.62), (0.6, 0.55, 0.62), (0.3, 0.9, 0.89)])
def test_the_best_mechanism_is_chosen_without_being_too_high(first: float, second: float, naive: float) -> None:
    shares = {TWO[0]: np.full(300, first), TWO[1]: np.full(300, second)}
    predictions = sampled(shares, 20, np.random.default_rng(1))
    kept = kept_by_column(predictions, [BEST])["best"]
    alone = [kept_by_column(predictions, [Column("one", Cue.COLOR, False, (each,))])["one"].share for each in TWO]
    truth = max(first, second)
    assert np.max(alone, axis=0).mean() > naive, "the larger of two shares of the same images is too large"
    assert truth - 0.035 < kept.share.mean() < truth + 0.012
    assert kept.weights.sum(axis=0) == pytest.approx(1)
    assert kept.weights[int(second > first)].mean() > (0.99 if second > first else 0.45)


def test_a_class_of_one_image_takes_the_best_of_all_its_images() -> None:
    shares = {TWO[0]: np.zeros(2), TWO[1]: np.ones(2)}
    kept = kept_by_column(sampled(shares, np.array([1, 20]), np.random.default_rng(0), clean=1.0), [BEST])["best"]
    assert kept.share.tolist() == [1, 1]
    assert kept.weights.tolist() == [[0, 0], [1, 1]]


def test_unpaired_shares_are_ratios_of_rates() -> None:
    predictions = found(paired=False)
    for column, kept in zip(COLUMNS, kept_by_column(predictions).values(), strict=True):
        assert kept.influence is kept.halves is None
        ratios = []
        for ablation in column.mechanisms:
            sham = rows_of(predictions, *SHAM[Cue.SHAPE]) if ablation in TILED else [0]
            rates = [
                np.mean([predictions.corrected_right(row)[predictions.per_condition[row].labels == 1] for row in rows])
                for rows in (rows_of(predictions, *ablation), sham)
            ]
            ratios.append(min(1.0, float(rates[0] / rates[1])))
        wanted = max(ratios) if column.combined == "best" else np.mean(ratios)
        assert kept.share[1] == pytest.approx(wanted)
        assert np.isnan(kept.share[3])


def test_the_variance_of_unpaired_shares_is_that_of_repeated_samples() -> None:
    column = replace_combined(COLUMNS[1], "mean")
    shares = {ablation: np.full(200, 0.5) for ablation in column.mechanisms}
    predictions = sampled(shares, 60, np.random.default_rng(3), paired=False)
    kept = kept_by_column(predictions, [column])[column.name]
    assert kept.share.var() == pytest.approx(kept.variance.mean(), rel=0.25)


def test_renamed_classes_keep_what_they_kept() -> None:
    predictions = sampled(SHARES, 25, np.random.default_rng(2), sham=0.8)
    order = np.array([2, 0, 3, 1])
    parts = [
        replace(part, labels=order[part.labels], predicted=part.predicted, corrected=renamed(part.corrected, order))
        for part in predictions.per_condition
    ]
    other = kept_by_column(replace(predictions, per_condition=tuple(parts)))
    for name, kept in kept_by_column(predictions).items():
        assert other[name].share[order] == pytest.approx(kept.share)
        assert other[name].variance[order] == pytest.approx(kept.variance)


def renamed(corrected: np.ndarray | None, order: np.ndarray) -> np.ndarray:
    assert corrected is not None
    return np.where(corrected < 0, -1, order[corrected])


def test_a_part_of_the_images_keeps_what_it_keeps_alone() -> None:
    predictions = sampled(SHARES, np.full(CLASSES, 30), np.random.default_rng(9), repeats=2, sham=0.8)
    seen = first_of_class(predictions, 14)
    some, other = kept_by_column(part_of(predictions, seen)), kept_by_column(alone(predictions, seen))
    means = [column.name for column in COLUMNS if column.combined != "best"]
    assert means
    for name in means:
        for part in ("share", "variance", "images", "weights"):
            np.testing.assert_allclose(getattr(some[name], part), getattr(other[name], part))
