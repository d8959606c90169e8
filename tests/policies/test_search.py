"""The search for the best policy within the risk: against all policies, and what it falls back to."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.policies.expected_losses import ExpectedLosses
from cuesense.policies.policy import Policy, uniform
from cuesense.policies.search import Found, Limits, search
from cuesense.stats.training_loss import Forecast

CROP, JITTER = "random_resized_crop", "color_jitter"
LADDERS = {CROP: (0.7, 0.4), JITTER: (0.1, 0.2)}
NAMES = ("bus", "lemon", "teapot")
ACCURACY = np.array([0.9, 0.6, 0.4])


def losses(
    crop: list[list[float]], jitter: list[list[float]], spread: float = 0.01, accuracy: np.ndarray = ACCURACY
) -> ExpectedLosses:
    found = {name: Forecast(np.array(loss), np.full((2, 3), spread)) for name, loss in ((CROP, crop), (JITTER, jitter))}
    return ExpectedLosses("trained", accuracy, LADDERS, found, 0.8)


def gain(known: ExpectedLosses, policy: Policy) -> float:
    """Return the gain of mean and lowest recall in a plain loop over classes."""
    after = []
    for index, before in enumerate(known.accuracy):
        lost = 0.0
        for name, value in policy.of_class(index).items():
            lost += known.losses[name].loss[LADDERS[name].index(value), index]
        after.append(min(1.0, max(0.0, before - lost * policy.probability / 0.8)))
    return sum(after) / 3 - sum(known.accuracy) / 3 + min(after) - min(known.accuracy)


def found(known: ExpectedLosses, risk: float = 0.2, **options) -> Found:
    return search(known, NAMES, 0.8, Limits(0.05, risk), **options)


GAINING = [[-0.05, -0.02, -0.04], [-0.02, 0.0, 0.02]]
HARMING = [[0.01, 0.02, 0.02], [0.02, 0.3, 0.02]]


def test_what_gains_is_recommended_at_its_best_severity() -> None:
    best = found(losses(GAINING, HARMING))
    assert best.policy == uniform({CROP: 0.7}, NAMES, 0.8)
    assert best.spared == ()
    assert best.runner_up == uniform({CROP: 0.7, JITTER: 0.1}, NAMES, 0.8)


def test_gains_of_several_augmentations_add_up() -> None:
    assert found(losses(GAINING, GAINING)).policy.values == ({CROP: 0.7, JITTER: 0.1},)


def test_two_augmentations_change_at_once_where_one_at_a_time_goes_no_further() -> None:
    """The stronger crop is best alone and forbids jitter; the milder one is worse alone and best with it."""
    crop = [[0.03, -0.06, -0.06], [0.0, -0.03, -0.03]]
    jitter = [[0.035, -0.05, -0.05], [0.3, 0.3, 0.3]]
    assert found(losses(crop, [[0.3] * 3] * 2)).policy.values == ({CROP: 0.7},)
    assert found(losses(crop, jitter)).policy.values == ({CROP: 0.4, JITTER: 0.1},)


def test_where_nothing_gains_nothing_is_recommended_and_the_next_best_named() -> None:
    best = found(losses(HARMING, HARMING))
    assert best.policy == uniform({}, NAMES, 0.8)
    assert best.runner_up == uniform({CROP: 0.7}, NAMES, 0.8)


@pytest.mark.parametrize(("loss", "probability"), [(0.04, 0.8), (0.06, 0.5), (0.1, 0.25)])
def test_fewer_views_are_augmented_where_all_would_harm_a_class(loss: float, probability: float) -> None:
    """The bus loses, the others gain: losses shrink with the share of augmented views."""
    known = losses([[loss, -0.05, -0.1]] * 2, HARMING)
    best = found(known)
    assert best.policy.probability == probability
    assert best.policy.names == (CROP,)


def test_a_class_at_risk_is_left_out_where_fewer_views_do_not_help() -> None:
    known = losses([[0.3, -0.05, -0.1]] * 2, HARMING)
    best = found(known)
    assert best.spared == ("bus",)
    assert best.policy.of_class(0) == {}
    assert best.policy.of_class(1) == best.policy.of_class(2) == {CROP: 0.7}
    assert best.policy.probability == 0.5
    assert best.runner_up == uniform({CROP: 0.7}, NAMES, 0.5)
    assert found(known, spares=False).policy.names == ()
    assert found(known, spares=False).runner_up == uniform({CROP: 0.7}, NAMES, 0.8)


@pytest.mark.parametrize(("risk", "names"), [(0.15, ()), (0.16, (CROP,))])
def test_the_risk_decides_on_both_sides(risk: float, names: tuple[str, ...]) -> None:
    """A loss one standard deviation below the tolerance exceeds it with a chance of .1587."""
    known = losses([[0.04, -0.1, -0.1], [0.5, 0.5, 0.5]], [[0.5] * 3] * 2)
    tight = search(known, NAMES, 0.8, Limits(0.05, risk), spares=False)
    assert (tight.policy.names, tight.policy.probability) == (names or (CROP,), 0.8 if names else 0.5)


def test_some_classes_may_be_harmed() -> None:
    known = losses([[0.5, -0.2, -0.4]] * 2, HARMING)
    assert search(known, NAMES, 0.8, Limits(0.05, 0.2, all_but=1)).policy == uniform({CROP: 0.7}, NAMES, 0.8)


def test_classes_without_images_or_recognition_do_not_bind() -> None:
    known = losses([[0.3, -0.05, -0.1]] * 2, HARMING)
    accuracy = np.array([np.nan, 0.6, 0.4])
    unseen = losses([[0.5, -0.05, -0.1]] * 2, HARMING, accuracy=accuracy)
    assert found(unseen).policy == uniform({CROP: 0.7}, NAMES, 0.8)
    spread = np.where(np.arange(3) == 0, np.inf, 0.01) * np.ones((2, 1))
    hopeless = {name: Forecast(entry.loss, spread) for name, entry in known.losses.items()}
    assert found(ExpectedLosses("trained", np.array([0.9, 0.6, 0.4]), LADDERS, hopeless, 0.8)).policy.names == (CROP,)
    nothing = losses(GAINING, GAINING, accuracy=np.full(3, np.nan))
    assert found(nothing).policy.names == ()


def within(known: ExpectedLosses, share: float, limits: Limits) -> list[tuple[float, Policy]]:
    """Return gain and policy of every combination of severities within the risk, in a plain loop."""
    every = [(0.0, uniform({}, NAMES, share))]
    for pair in itertools.product(range(3), repeat=2):
        values = {name: LADDERS[name][step - 1] for name, step in zip(LADDERS, pair, strict=True) if step}
        policy = uniform(values, NAMES, share)
        cost = known.of_policy(policy)
        assert cost is not None
        if sum(chance > limits.risk for chance in cost.risk(limits.tolerance)[0]) <= limits.all_but:
            every.append((gain(known, policy), policy))
    return every


LIMITS = st.builds(Limits, st.just(0.05), st.sampled_from([0.05, 0.2, 0.5]), st.integers(0, 2))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), LIMITS)
def test_the_best_of_all_combinations_of_two_augmentations_is_found(seed: int, limits: Limits) -> None:
    """Two changes at once reach every combination of two augmentations."""
    random = np.random.default_rng(seed)
    known = losses(random.normal(0, 0.08, (2, 3)).tolist(), random.normal(0, 0.08, (2, 3)).tolist(), 0.02)
    best = search(known, NAMES, 0.8, limits, spares=False).policy
    for share in (0.8, 0.5, 0.25):
        most, policy = max(within(known, share, limits), key=lambda entry: entry[0])
        if most > 0.005:
            assert best == policy
            return
    assert best == uniform({}, NAMES, 0.8)
