"""The graded answer against planted truth: intervals and leans that hold, orders, and pairs of classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cuesense.analysis.graded import Graded, grade
from cuesense.arrays import Floats
from cuesense.perturbations.ablations import COLUMNS, Ablation
from cuesense.types import Cue
from tests.helpers.graded_predictions import MECHANISMS, sampled, true_columns


def drawn_shares(classes: int, seed: int, spread: float | None) -> dict[Ablation, Floats]:
    rng = np.random.default_rng(seed)
    shares = {}
    for ablation in MECHANISMS:
        mean = rng.uniform(0.25, 0.85)
        same = np.full(classes, mean)
        shares[ablation] = same if spread is None else rng.beta(mean * spread, (1 - mean) * spread, classes)
    return shares


def true_reliance(shares: dict[Ablation, Floats], cue: Cue) -> Floats:
    columns = true_columns(shares)
    return np.asarray((1 - columns[f"without_{cue}"] + columns[f"{cue}_alone"]) / 2)


@pytest.mark.parametrize(
    ("classes", "images", "paired"), [(20, 40, True), (20, 40, False), (5, 15, True), (2, 40, True)]
)
def test_intervals_hold_of_shares_and_leans(classes: int, images: int, paired: bool) -> None:
    held: dict[str, list[float]] = {"shares": [], "lean": [], "above": []}
    for seed in range(240 // classes):
        shares = drawn_shares(classes, seed, 10)
        found = grade(sampled(shares, images, np.random.default_rng(seed), paired=paired, sham=0.9), 0.95)
        for name, truth in true_columns(shares).items():
            part = found.columns[name].shares
            held["shares"] += ((part.low <= truth) & (truth <= part.high)).tolist()
        for cue, answer in found.cues.items():
            reliance = true_reliance(shares, cue)
            _, low, high = answer.lean
            lean = reliance - reliance.mean()
            held["lean"] += ((low <= lean) & (lean <= high)).tolist()
            below = (reliance[:, None] > reliance).sum(axis=1)
            held["above"] += (answer.above <= below).tolist()
    assert 0.92 <= np.mean(held["shares"]) <= 0.98
    assert 0.91 <= np.mean(held["lean"]) <= 0.985
    assert np.mean(held["above"]) > 0.9


def test_classes_that_are_alike_are_said_to_be() -> None:
    shares = drawn_shares(20, 3, None)
    answers = [grade(sampled(shares, 45, np.random.default_rng(seed)), 0.95) for seed in range(10)]
    assert np.mean([column.alike for answer in answers for column in answer.columns.values()]) > 0.9
    assert np.mean([answer.told_apart for answer in answers]) < 2
    assert np.mean([cue.above.sum() for answer in answers for cue in answer.cues.values()]) < 5
    assert max(column.reliability for column in answers[0].columns.values()) < 0.6


def planted(classes: int = 10, images: int = 60, seed: int = 0) -> Graded:
    """The first class relies on color alone, the others keep nearly everything without it and nothing on it alone."""
    first = np.arange(classes) == 0
    shares = {}
    for column in COLUMNS:
        for ablation in column.mechanisms:
            keeps = first if column.cue is Cue.COLOR and column.alone else ~first
            other = np.full(classes, 0.5)
            shares[ablation] = np.where(keeps, 0.95, 0.05) if column.cue is Cue.COLOR else other
    return grade(sampled(shares, images, np.random.default_rng(seed)), 0.95)


def test_a_class_that_relies_on_color_is_the_first_by_color() -> None:
    found = planted().cues[Cue.COLOR]
    assert found.order[0] == 0
    assert (found.above[0], found.below[0], found.of) == (9, 0, 9)
    # Each of the 72 comparisons of two classes that are alike may err one time in twenty.
    assert np.mean([planted(seed=seed).cues[Cue.COLOR].above[1:].sum() for seed in range(8)]) <= 6
    assert found.top_fifth[0] > 0.999
    value, low, high = found.lean
    assert value[0] == pytest.approx(0.81, abs=0.03)
    assert low[0] > 0.7
    assert value[1:].max() < -0.04
    assert np.mean(high[1:] < 0) > 0.8
    assert value.sum() == pytest.approx(0, abs=1e-9)
    reliance, least, most = found.bounded_reliance
    assert ((least <= reliance) & (reliance <= most)).all()
    assert reliance[0] == pytest.approx(0.95, abs=0.03)


def test_only_pairs_with_the_class_that_differs_are_told_apart() -> None:
    found = planted()
    assert found.pairs == 45
    assert 9 <= found.told_apart <= 11


def test_the_order_is_as_reliable_as_the_classes_differ() -> None:
    assert planted(images=90).cues[Cue.SHAPE].rank_reliability < 0.6
    ladder = {ablation: np.linspace(0.05, 0.95, 12) for ablation in MECHANISMS}
    for column in COLUMNS:
        for ablation in column.mechanisms:
            ladder[ablation] = np.linspace(0.05, 0.95, 12)[:: 1 if column.alone else -1]
    found = grade(sampled(ladder, 60, np.random.default_rng(0)), 0.95).cues[Cue.COLOR]
    assert found.rank_reliability > 0.95
    assert not found.alike


def test_a_column_that_was_not_measured_leaves_the_other() -> None:
    ablation = next(column for column in COLUMNS if column.name == "without_color").mechanisms[0]
    shares = {ablation: np.linspace(0.1, 0.9, 8)}
    found = grade(sampled(shares, 60, np.random.default_rng(0)), 0.95)
    assert set(found.columns) == {"without_color"}
    assert set(found.cues) == {Cue.COLOR}
    assert found.cues[Cue.COLOR].seen == pytest.approx(1 - found.columns["without_color"].kept.share)
    assert found.cues[Cue.COLOR].order[0] == 0


def test_without_an_ablation_there_is_no_answer() -> None:
    predictions = sampled({MECHANISMS[0]: np.ones(3)}, 5, np.random.default_rng(0))
    bare = replace(
        predictions,
        perturbations=(),
        conditions=predictions.conditions[:1],
        per_condition=predictions.per_condition[:1],
    )
    assert grade(bare, 0.95) == Graded({}, {}, 0, 0, 1 / 3)


@pytest.mark.parametrize(("classes", "images"), [(1, 20), (3, 1), (3, 0), (2, 3)])
def test_little_data_gives_wide_answers_or_none(classes: int, images: int) -> None:
    shares = {ablation: np.full(classes, 0.5) for ablation in MECHANISMS}
    found = grade(sampled(shares, images, np.random.default_rng(1), clean=1.0), 0.95)
    for column in found.columns.values():
        width = column.shares.high - column.shares.low
        if images == 0:
            assert np.isnan(width).all()
            assert column.mean.value is None
        else:
            assert (width > (0.25 if images > 3 else 0.4)).all()
    for cue in found.cues.values():
        value, low, high = cue.lean
        assert cue.of == (0 if images == 0 else classes - 1)
        assert np.isnan(value).all() == (cue.of == 0)
        assert (np.isnan(value) | ((low <= value) & (value <= high))).all()


def test_guessing_keeps_one_in_the_classes_or_in_the_outputs() -> None:
    predictions = sampled({MECHANISMS[0]: np.ones(4)}, np.array([5, 5, 5, 0]), np.random.default_rng(0))
    assert grade(predictions, 0.95).guessing == pytest.approx(1 / 3)
    raw = tuple(replace(part, corrected=None) for part in predictions.per_condition)
    assert grade(replace(predictions, per_condition=raw), 0.95).guessing == pytest.approx(1 / 5)


def test_more_images_are_narrower() -> None:
    shares = drawn_shares(10, 1, 10)
    few, many = (grade(sampled(shares, images, np.random.default_rng(0)), 0.95) for images in (15, 120))
    for name, column in few.columns.items():
        wide, narrow = (part.shares.high - part.shares.low for part in (column, many.columns[name]))
        assert narrow.mean() < 0.6 * wide.mean()
    assert many.told_apart > few.told_apart


def test_fifty_images_a_class_give_intervals_of_a_quarter_for_two_mechanisms() -> None:
    found = grade(sampled(drawn_shares(20, 2, 10), 50, np.random.default_rng(0)), 0.95)
    for column in found.columns.values():
        if len(column.kept.mechanisms) > 1 and column.kept.column.combined == "mean":
            assert (column.shares.high - column.shares.low).max() <= 0.25
