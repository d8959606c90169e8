"""Forecasts of training costs without training: their direction, their limits and their width."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, logit

from cuesense.stats.training_prior import forecast_from_drops
from cuesense.types import Cue

CROPS = (0.7, 0.4, 0.2, 0.08)
FITTED = ("random_resized_crop", "color_jitter", "random_erasing", "random_rotation", "horizontal_flip")


def test_cost_is_the_sum_of_strength_shape_and_drops_on_the_scale_of_odds() -> None:
    drop, accuracy, without = np.array([[0.1, 0.3]]), np.array([0.5, 0.8]), np.array([0.9, 0.5])
    found = forecast_from_drops("random_resized_crop", drop, [0.54], accuracy, {Cue.SHAPE: without})
    for index, less_than_average in enumerate((-0.2, 0.2)):
        shift = 0.5 * (-0.42 + 1.54 * less_than_average) + 1.62 * drop[0, index] + 3.69 * 0.2
        expected = accuracy[index] - expit(logit(accuracy[index]) - shift)
        assert found.loss[0, index] == pytest.approx(expected)


def test_drops_cost_more_except_those_of_jitter() -> None:
    accuracy = np.full(3, 0.6)
    drop = np.array([[0.0, 0.2, 0.5]])
    for name in FITTED:
        loss = forecast_from_drops(name, drop, [0.3], accuracy).loss[0]
        assert (np.diff(loss) > 0).all() == (name != "color_jitter")
    assert np.ptp(forecast_from_drops("color_jitter", drop, [0.3], accuracy).loss) == 0


def test_classes_that_need_shape_pay_more() -> None:
    drop, accuracy = np.zeros((1, 3)), np.full(3, 0.6)
    for name in FITTED:
        loss = forecast_from_drops(name, drop, [0.3], accuracy, {Cue.SHAPE: np.array([0.9, 0.5, 0.1])}).loss[0]
        assert (np.diff(loss) > 0).all()


def test_shape_that_is_not_known_does_not_count() -> None:
    drop, accuracy = np.full((1, 2), 0.1), np.array([0.6, 0.7])
    plain = forecast_from_drops("color_jitter", drop, [0.4], accuracy).loss
    for kept in ({}, {Cue.COLOR: np.array([0.1, 0.9])}, {Cue.SHAPE: np.full(2, np.nan)}):
        assert (forecast_from_drops("color_jitter", drop, [0.4], accuracy, kept).loss == plain).all()
    partly = forecast_from_drops("color_jitter", drop, [0.4], accuracy, {Cue.SHAPE: np.array([np.nan, 0.5])}).loss
    assert partly == pytest.approx(plain)


def test_a_crop_without_drops_is_a_gain_and_most_so_at_the_strongest_value() -> None:
    found = forecast_from_drops("random_resized_crop", np.zeros((4, 1)), CROPS, np.array([0.5]))
    assert (found.loss < 0).all()
    assert (np.diff(found.loss[:, 0]) < 0).all()


def test_values_beyond_the_strongest_that_was_trained_with_count_as_it() -> None:
    drop, accuracy = np.zeros((2, 2)), np.array([0.5, 0.9])
    found = forecast_from_drops("color_jitter", drop, [0.8, 1.5], accuracy)
    assert (found.loss[0] == found.loss[1]).all()
    assert (found.spread[0] == found.spread[1]).all()


def test_an_augmentation_that_was_never_trained_with_is_wider_than_all_that_were() -> None:
    drop, accuracy = np.full((1, 2), 0.1), np.array([0.6, 0.9])
    other = forecast_from_drops("vertical_flip", drop, [1.0], accuracy)
    assert (other.loss > 0).all()
    for name in FITTED:
        assert (other.spread > forecast_from_drops(name, drop, [0.3], accuracy).spread).all()


@pytest.mark.parametrize("accuracy", [np.nan, 0.5, 0.2])
def test_a_class_at_chance_or_unknown_has_no_bounds(accuracy: float) -> None:
    found = forecast_from_drops("color_jitter", np.array([[0.0, np.nan]]), [0.4], np.array([0.9, accuracy]))
    assert np.isfinite(found.spread[0, 0])
    assert np.isinf(found.spread[0, 1])
    assert np.isfinite(found.loss).all()
    better = forecast_from_drops("color_jitter", np.zeros((1, 2)), [0.4], np.array([0.9, 0.51]))
    assert np.isfinite(better.spread).all()


def test_uncertainty_grows_with_strength_drop_and_what_a_class_can_lose() -> None:
    accuracy = np.array([0.6, 0.6, 0.99])
    spread = forecast_from_drops("random_rotation", np.tile([0.0, 0.3, 0.0], (2, 1)), [30, 180], accuracy).spread
    assert (spread[1] > spread[0]).all()
    assert (spread[:, 1] > spread[:, 0]).all()
    assert (spread[:, 0] > spread[:, 2]).all()


SHARES = st.floats(0, 1)


@given(
    st.sampled_from((*FITTED, "random_grayscale")),
    arrays(float, (4, 3), elements=st.floats(-1, 1)),
    arrays(float, 3, elements=SHARES),
    arrays(float, 3, elements=SHARES),
)
def test_any_profile_gives_recalls_that_can_be(
    name: str, drop: np.ndarray, accuracy: np.ndarray, without: np.ndarray
) -> None:
    found = forecast_from_drops(name, drop, CROPS, accuracy, {Cue.SHAPE: without})
    after = np.clip(accuracy, 0.01, 0.99) - found.loss
    assert ((after >= 0) & (after <= 1)).all()
    assert (found.spread >= 0.03).all()
    risk = found.risk(0.05)
    assert ((risk >= 0) & (risk <= 1)).all()
