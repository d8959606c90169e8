"""The hierarchical model of accuracy drops, against worlds whose drops are planted."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.perturbations.catalog import RANDOM_RESIZED_CROP
from cuesense.stats.drop_risk import (
    _isotonic,
    draws_worth,
    draws_worth_of,
    expected_drops,
    mean_drops,
    share_quantiles,
)
from cuesense.types import Curve, Unpaired

LADDER = RANDOM_RESIZED_CROP.ladder


def curve_of(n, lost, gained=None, clean=None, repeats=1, squared=None):
    """Return a curve of as many severities as there are rows."""
    lost = np.atleast_2d(np.array(lost))
    n = np.broadcast_to(n, lost.shape[1:]).copy()
    gained = np.zeros_like(lost) if gained is None else np.atleast_2d(np.array(gained))
    ladder = replace(RANDOM_RESIZED_CROP, ladder=tuple(np.linspace(0.9, 0.1, len(lost))))
    return Curve(ladder, n, n if clean is None else np.array(clean), lost, gained, repeats, None, squared)


def worlds(shape: str, classes: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the planted lost and gained shares of classes at four severities, (4, C) each."""
    dose = np.array([0.25, 0.5, 0.75, 1])[:, None]
    if shape == "a few are ruined":
        ruined = rng.random(classes) < 0.08
        return np.where(ruined, rng.uniform(0.1, 0.8, classes), 0.01) * dose, np.full((4, classes), 0.01)
    if shape == "all alike":
        return np.full((4, classes), 0.05) * dose + 0.01, np.full((4, classes), 0.03)
    if shape == "spread":
        return rng.beta(1, 9, classes) * dose, rng.beta(1, 30, classes) * dose
    return np.where(rng.random(classes) < 0.5, 0.5, 0.02) * dose, np.full((4, classes), 0.02)


def draw(lost: np.ndarray, gained: np.ndarray, n: int, rng: np.random.Generator) -> Curve:
    outcome = rng.multinomial(n, np.stack([lost, gained, 1 - lost - gained], axis=-1))
    return curve_of(n, outcome[..., 0], outcome[..., 1])


@pytest.mark.parametrize("n", [10, 50, 200])
@pytest.mark.parametrize("shape", ["a few are ruined", "all alike", "spread", "half are harmed"])
def test_of_the_cells_within_a_risk_no_more_exceed_the_tolerance(shape: str, n: int) -> None:
    rng = np.random.default_rng(3)
    risks, exceeded = [], []
    for _ in range(6):
        lost, gained = worlds(shape, 40, rng)
        risks.append(expected_drops(draw(lost, gained, n, rng)).risk(0.05).ravel())
        exceeded.append((lost - gained > 0.05).ravel())
    risk, over = np.concatenate(risks), np.concatenate(exceeded)
    for limit in (0.1, 0.2, 0.5):
        within = risk <= limit
        assert not within.any() or over[within].mean() <= limit + 0.02
    # Nor is it calibrated by saying nothing: the chances add up to what happens.
    assert risk.mean() == pytest.approx(over.mean(), abs=0.22)


@pytest.mark.parametrize("shape", ["a few are ruined", "all alike", "spread"])
def test_intervals_hold_the_planted_drops(shape: str) -> None:
    rng = np.random.default_rng(5)
    lost, gained = worlds(shape, 60, rng)
    low, high = expected_drops(draw(lost, gained, 50, rng)).bounds(0.9)
    assert np.mean((low <= lost - gained) & (lost - gained <= high)) >= 0.88


def test_a_lone_class_leans_on_nothing_but_its_images() -> None:
    """One class that loses 200 of 1,000 images: the interval is that of a binomial share, near Wilson's."""
    found = expected_drops(curve_of(1000, [[200]]))
    low, high = found.bounds(0.95)
    assert found.drop[0, 0] == pytest.approx(0.2, abs=0.005)
    assert (low[0, 0], high[0, 0]) == (pytest.approx(0.176, abs=0.008), pytest.approx(0.226, abs=0.008))
    assert found.risk(0.2)[0, 0] == pytest.approx(0.5, abs=0.1)


def test_a_class_leans_on_the_others_the_more_the_fewer_images_it_has() -> None:
    """Nineteen classes that lose a quarter, and one that loses nothing of its few or many images."""
    few = expected_drops(curve_of([1000] * 19 + [4], [[250] * 19 + [0]])).drop[0, -1]
    many = expected_drops(curve_of([1000] * 20, [[250] * 19 + [0]])).drop[0, -1]
    assert few > 0.1
    assert many < 0.02


def test_twenty_classes_that_lose_nothing_of_fifty_images_are_safe_and_one_alone_is_not_known_to_be() -> None:
    together = expected_drops(curve_of(50, [[0] * 20])).risk(0.05)
    assert together.max() <= 0.02
    assert expected_drops(curve_of(10, [[0]])).risk(0.05)[0, 0] > 0.2


def test_a_class_without_images_is_unknown_and_all_others_are_not() -> None:
    found = expected_drops(curve_of([50, 0, 1], [[5, 0, 1], [5, 0, 1]]))
    for numbers in (found.drop, found.risk(0.05), *found.bounds(0.9)):
        assert np.isnan(numbers).tolist() == [[False, True, False]] * 2
    assert np.array_equal(mean_drops(curve_of([50, 0, 1], [[5, 0, 1], [5, 0, 1]])), found.drop, equal_nan=True)
    nobody = expected_drops(curve_of([0, 0], [[0, 0]]))
    assert np.isnan(nobody.drop).all()
    assert np.isnan(nobody.risk(0.1)).all()


def test_harm_never_falls_with_the_severity() -> None:
    rng = np.random.default_rng(1)
    found = expected_drops(curve_of(30, rng.binomial(30, 0.2, (5, 30)), rng.binomial(20, 0.1, (5, 30))))
    low, high = found.bounds(0.8)
    for numbers in (found.drop, found.risk(0.05), found.risk(0), low, high):
        assert (np.diff(numbers, axis=0) >= -1e-9).all()
    assert (low <= found.drop).all()
    assert (found.drop <= high).all()


def test_risk_falls_with_the_tolerance_and_gains_are_no_risk() -> None:
    found = expected_drops(curve_of(100, [[5, 20, 0]], [[0, 0, 20]], clean=[90, 80, 50]))
    risks = np.stack([found.risk(tolerance)[0] for tolerance in (0, 0.02, 0.05, 0.1, 0.3)])
    assert (np.diff(risks, axis=0) <= 0).all()
    assert risks[0, 2] < 0.05
    assert risks[2, 1] > 0.9


@settings(max_examples=8)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 10, 50]))
def test_risk_never_falls_with_the_severity_nor_rises_with_the_tolerance(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    lost = rng.binomial(n // 2, rng.uniform(0, 1, (4, 6)))
    found = expected_drops(curve_of(n, lost, rng.binomial(n - n // 2, rng.uniform(0, 0.5, (4, 6)))))
    risks = np.stack([found.risk(tolerance) for tolerance in (-0.1, 0, 0.02, 0.05, 0.1, 0.3, 0.9)])
    assert (np.diff(risks, axis=0) <= 1e-9).all()
    assert (np.diff(risks, axis=1) >= -1e-9).all()
    assert (risks >= 0).all()
    assert (risks <= 1 + 1e-9).all()


def test_the_isotonic_fit_is_that_of_pooled_neighbors() -> None:
    """Against a loop that joins neighbors in the wrong order until none is left."""
    rng = np.random.default_rng(2)
    for _ in range(30):
        values = rng.normal(size=6)
        blocks = [[value] for value in values]
        while any(np.mean(a) > np.mean(b) for a, b in pairwise(blocks)):
            at = next(i for i in range(len(blocks) - 1) if np.mean(blocks[i]) > np.mean(blocks[i + 1]))
            blocks[at : at + 2] = [blocks[at] + blocks[at + 1]]
        fitted = [np.mean(block) for block in blocks for _ in block]
        assert _isotonic(values[:, None])[:, 0] == pytest.approx(fitted)


def test_draws_count_as_much_as_they_tell() -> None:
    """Four draws of an image that always agree count as one; four independent ones as four."""
    n, repeats, rng = 500, 4, np.random.default_rng(4)
    agreeing = np.repeat(rng.random((1, n)) < 0.1, repeats, axis=0)
    independent = rng.random((repeats, n)) < 0.1
    for wrong, worth in ((agreeing, 1), (independent, 4)):
        squared = np.array([[(wrong.sum(axis=0) ** 2).sum()]])
        found = curve_of(n, [[wrong.sum()]], repeats=repeats, squared=squared)
        assert draws_worth(found)[0] == pytest.approx(worth, rel=0.15)
        assert draws_worth(replace(found, squared=None))[0] == 1
        low, high = expected_drops(found).bounds(0.95)
        assert high[0, 0] - low[0, 0] == pytest.approx(2 * 1.96 * np.sqrt(0.09 / (worth * n)), rel=0.2)


def test_other_images_than_the_clean_ones_are_compared_by_their_accuracies() -> None:
    clean, right = np.array([900] * 5), np.array([[900, 890, 910, 880, 500]])
    base = curve_of(1000, np.maximum(clean - right, 0), np.maximum(right - clean, 0), clean=clean)
    found = expected_drops(replace(base, unpaired=Unpaired(np.full((1, 5), 1000), right)))
    assert found.drop[0, -1] == pytest.approx(0.4, abs=0.03)
    assert found.risk(0.05)[0, :4].max() < 0.1
    assert found.risk(0.05)[0, -1] > 0.99


def test_a_thousand_classes_take_seconds() -> None:
    rng = np.random.default_rng(6)
    lost = rng.binomial(50, rng.beta(1, 9, 1000) * np.linspace(0.1, 1, 4)[:, None])
    before = process_time()
    found = expected_drops(curve_of(50, lost))
    found.risk(0.05)
    found.bounds(0.9)
    assert process_time() - before < 5


def test_copies_of_the_classes_tell_no_more_of_their_spread() -> None:
    curve = curve_of(40, np.array([[0, 1, 0, 2, 9], [1, 2, 0, 3, 20]]))
    once = expected_drops(curve).risk(0.05)
    tiled = curve_of(40, np.tile(curve.lost, 6))
    assert np.tile(once, 6) == pytest.approx(expected_drops(tiled, 6).risk(0.05), abs=1e-9)
    assert np.abs(np.tile(once, 6) - expected_drops(tiled).risk(0.05)).max() > 0.01


def test_quantiles_of_a_share_are_those_of_its_posterior() -> None:
    """A lone class of many images: near the quantiles of a normal around its share."""
    levels = np.array([[0.025, 0.5, 0.975]])
    found = share_quantiles(np.array([[300.0, 1000.0]]), levels)
    assert found[0] == pytest.approx(0.3 + np.array([-1.96, 0, 1.96]) * np.sqrt(0.21 / 1000), abs=0.003)


def test_quantiles_lean_on_the_other_classes() -> None:
    few = np.array([[0.0, 10.0]] + [[0.0, 200.0]] * 20)
    levels = np.full((21, 1), 0.9)
    assert share_quantiles(few, levels)[0, 0] < 0.03
    assert share_quantiles(few[:1], levels[:1])[0, 0] > 0.1


def test_draws_at_random_levels_have_the_mean_of_the_posterior() -> None:
    counts = np.array([[3.0, 50.0], [10.0, 50.0]])
    levels = np.random.default_rng(0).random((2, 4000)).clip(1e-9)
    curve = curve_of(50, np.array([[3, 10]]))
    drawn = share_quantiles(counts, levels).mean(axis=1)
    gained = share_quantiles(np.array([[0.0, 50.0]] * 2), levels).mean(axis=1)
    assert drawn - gained == pytest.approx(mean_drops(curve)[0], abs=0.005)


def test_the_worth_of_draws_may_rest_on_other_images_at_every_severity() -> None:
    lost, squared = np.array([[30, 10], [30, 10]]), np.array([[50, 20], [50, 20]])
    both = draws_worth_of(lost, 0 * lost, squared, np.array([[100, 100], [40, 60]]), 2)
    for severity, images in enumerate(([100, 100], [40, 60])):
        alone = draws_worth(curve_of(np.array(images), lost[:1], repeats=2, squared=squared[:1]))
        assert both[severity] == alone[0]
