"""Outlooks against plain loops: losses add up, gains do not count, and no class falls below nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.policies.outlook import outlook, outlooks, policy_losses
from cuesense.policies.policy import Policy, uniform
from cuesense.schemas.profile import Profile
from tests.helpers.profiles import NAMES
from tests.helpers.profiles_with_forecasts import CLEAN, CROP, CROPPED, JITTER, forecast, planted

LADDERS = {CROP: (0.7, 0.4, 0.2, 0.08), JITTER: (0.1, 0.2, 0.4, 0.8)}
IDENTITY = {CROP: 1.0, JITTER: 0.0}
THREE = NAMES[:3]
ACCURACY = (0.9, 0.8, 0.7)
JITTERED = [[0.01, 0.0, 0.1], [0.02, -0.1, 0.2], [0.3, 0.0, 0.3], [0.6, 0.1, 0.75]]
LOSSES = {CROP: CROPPED, JITTER: JITTERED}
BOTH = forecast(LOSSES)

VALUES = st.fixed_dictionaries({}, optional={CROP: st.floats(0.01, 1), JITTER: st.floats(0, 1)})


def with_accuracy(found: Profile, accuracy: list[float | None]) -> Profile:
    """Return the profile with another recall of each class after training without augmentation."""
    assert found.forecast is not None
    return found.model_copy(update={"forecast": found.forecast.model_copy(update={"accuracy": accuracy})})


def loss_of(name: str, value: float, index: int) -> float:
    """Return the loss at a value: that of the first severity that is at least as far from the identity."""
    if value == IDENTITY[name]:
        return 0.0
    for severity, known in enumerate(LADDERS[name]):
        if abs(known - IDENTITY[name]) >= abs(value - IDENTITY[name]):
            return LOSSES[name][severity][index]
    return LOSSES[name][-1][index]


@settings(max_examples=25)
@given(st.tuples(VALUES, VALUES, VALUES))
def test_losses_and_outlooks_are_those_of_a_plain_loop(values: tuple[dict[str, float], ...]) -> None:
    policy = Policy("per_class", 0.8, THREE, (0, 1, 2), values)
    losses, seen = policy_losses(BOTH, policy), outlook(BOTH, policy)
    assert losses is not None
    assert seen is not None
    recalls = []
    for index, own in enumerate(values):
        for row, name in enumerate(policy.names):
            assert losses[row, index] == (loss_of(name, own[name], index) if name in own else 0.0)
        recalls.append(max(0.0, ACCURACY[index] - sum(max(0.0, loss_of(*pair, index)) for pair in own.items())))
    assert losses.shape == (len(policy.names), 3)
    assert seen.mean == pytest.approx(sum(recalls) / 3)
    assert seen.worst == pytest.approx(min(recalls))
    assert recalls[THREE.index(seen.worst_class)] == pytest.approx(min(recalls))


@pytest.mark.parametrize(
    ("value", "severity"),
    [(0.95, 0), (0.7, 0), (0.6999, 1), (0.4, 1), (0.3999, 2), (0.2, 2), (0.19, 3), (0.08, 3), (0.01, 3)],
)
def test_a_crop_between_two_severities_costs_what_the_stronger_one_does(value: float, severity: int) -> None:
    # The ladder falls: a smaller area is a stronger crop.
    distinct = forecast({CROP: [[step / 10] * 3 for step in range(1, 5)]})
    losses = policy_losses(distinct, uniform({CROP: value}, THREE))
    assert losses is not None
    assert losses.tolist() == [[(severity + 1) / 10] * 3]


@pytest.mark.parametrize(
    ("value", "severity"), [(0.0001, 0), (0.1, 0), (0.1001, 1), (0.4, 2), (0.5, 3), (0.8, 3), (1.0, 3)]
)
def test_a_jitter_between_two_severities_costs_what_the_stronger_one_does(value: float, severity: int) -> None:
    losses = policy_losses(BOTH, uniform({JITTER: value}, THREE))
    assert losses is not None
    assert losses.tolist() == [JITTERED[severity]]


@pytest.mark.parametrize("values", [{}, {CROP: 1.0}, {JITTER: 0.0}, {CROP: 1.0, JITTER: 0.0}])
def test_a_policy_that_changes_nothing_costs_nothing(values: dict[str, float]) -> None:
    seen = outlook(BOTH, uniform(values, THREE))
    assert seen is not None
    assert (seen.mean, seen.worst, seen.worst_class) == (pytest.approx(0.8), 0.7, NAMES[2])
    losses = policy_losses(BOTH, uniform(values, THREE))
    assert losses is not None
    assert losses.shape == (len(values), 3)
    assert not losses.any()


def test_no_recall_falls_below_nothing() -> None:
    """The third class loses .75 of .7 and the first .6 of .9: what is beyond nothing does not lower the mean."""
    seen = outlook(BOTH, uniform({JITTER: 0.8}, THREE))
    assert seen is not None
    assert (seen.mean, seen.worst, seen.worst_class) == (pytest.approx((0.3 + 0.7 + 0) / 3), 0.0, NAMES[2])


def test_a_gain_does_not_pay_for_another_augmentation_s_loss() -> None:
    """Strong crops gain the third class .2, and jitter costs it .1."""
    seen = outlook(BOTH, uniform({CROP: 0.7, JITTER: 0.1}, THREE))
    assert seen is not None
    assert (seen.worst, seen.worst_class) == (pytest.approx(0.6), NAMES[2])


def test_classes_without_images_do_not_count() -> None:
    seen = outlook(with_accuracy(BOTH, [0.9, 0.8, None]), uniform({JITTER: 0.8}, THREE))
    assert seen is not None
    assert (seen.mean, seen.worst, seen.worst_class) == (pytest.approx((0.3 + 0.7) / 2), pytest.approx(0.3), NAMES[0])


def test_of_equally_bad_classes_the_first_is_named() -> None:
    seen = outlook(with_accuracy(BOTH, [0.9, 0.5, 0.5]), uniform({}, THREE))
    assert seen is not None
    assert seen.worst_class == NAMES[1]


@settings(max_examples=10)
@given(st.floats(0, 1), st.floats(0, 1))
def test_stronger_jitter_is_never_forecast_to_give_more(first: float, second: float) -> None:
    low, high = sorted((first, second))
    mild, strong = (outlook(BOTH, uniform({JITTER: value}, THREE)) for value in (low, high))
    assert mild is not None
    assert strong is not None
    assert strong.mean <= mild.mean + 1e-12
    assert strong.worst <= mild.worst + 1e-12


def test_an_augmentation_without_a_forecast_has_no_outlook() -> None:
    only = forecast({CROP: CROPPED})
    assert policy_losses(only, uniform({CROP: 0.4, JITTER: 0.1}, THREE)) is None
    assert outlook(only, uniform({JITTER: 0.1}, THREE)) is None
    assert outlook(only, uniform({CROP: 0.4}, THREE)) is not None
    assert policy_losses(planted({}), uniform({}, THREE)) is None
    assert outlook(planted({}), uniform({}, THREE)) is None


def test_only_the_policy_for_all_classes_spares_some() -> None:
    """The second class bears half of the crop; a third of the classes may be harmed."""
    strict, spared = outlooks(forecast({CROP: CROPPED})), outlooks(forecast({CROP: CROPPED}), all_but=0.34)
    assert strict["global"].worst == pytest.approx(0.7)
    assert (spared["global"].worst, spared["global"].worst_class) == (pytest.approx(0.4), NAMES[1])
    assert {name: spared[name] for name in ("none", "grouped", "per_class")} == {
        name: strict[name] for name in ("none", "grouped", "per_class")
    }


def test_outlooks_hold_to_the_tolerance_and_the_augmentations() -> None:
    found = forecast({CROP: CROPPED, JITTER: CLEAN})
    assert outlooks(found, tolerance=0.3)["global"].worst == pytest.approx(0.6)
    only = outlooks(found, tolerance=0.3, augmentations=[JITTER])
    assert only["global"].worst == only["none"].worst == 0.7
    # The usual policy is compared as it is, whatever is chosen.
    assert only["usual"].worst == pytest.approx(0.4)


def test_each_class_by_itself_is_forecast_to_be_no_worse_than_all_together() -> None:
    seen = outlooks(BOTH)
    recalls = np.array([[seen[scope].mean, seen[scope].worst] for scope in ("none", "global", "per_class", "usual")])
    assert (recalls[0] >= recalls[1:]).all()
    assert (recalls[1:3] >= recalls[3]).all()
