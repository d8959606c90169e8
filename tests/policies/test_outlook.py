"""Outlooks against plain loops: losses of several augmentations add up, and no class falls below nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.policies.expected_losses import ExpectedLosses
from cuesense.policies.outlook import outlook, policy_losses
from cuesense.policies.policy import Policy, uniform
from cuesense.stats.training_loss import Forecast

CROP, JITTER = "random_resized_crop", "color_jitter"
LADDERS = {CROP: (0.7, 0.2), JITTER: (0.1, 0.8)}
IDENTITY = {CROP: 1.0, JITTER: 0.0}
NAMES, ACCURACY = ("ant", "bee", "cow"), (0.9, 0.8, 0.7)
LOSSES = {CROP: [[0.0, 0.02, -0.2], [0.0, 0.4, -0.2]], JITTER: [[0.01, -0.1, 0.1], [0.6, 0.1, 0.75]]}
KNOWN = ExpectedLosses(
    "trained",
    np.array(ACCURACY),
    LADDERS,
    {name: Forecast(np.array(loss), np.full((2, 3), 0.01)) for name, loss in LOSSES.items()},
    0.8,
)
VALUES = st.fixed_dictionaries({}, optional={CROP: st.floats(0.01, 1), JITTER: st.floats(0, 1)})


def loss_of(name: str, value: float, index: int) -> float:
    if value == IDENTITY[name]:
        return 0.0
    mild = abs(value - IDENTITY[name]) <= abs(LADDERS[name][0] - IDENTITY[name])
    return LOSSES[name][0 if mild else 1][index]


@settings(max_examples=25, deadline=None)
@given(st.tuples(VALUES, VALUES, VALUES), st.sampled_from([0.8, 0.4]))
def test_losses_and_outlooks_are_those_of_a_plain_loop(values: tuple[dict[str, float], ...], share: float) -> None:
    policy = Policy("per_class", share, NAMES, (0, 1, 2), values)
    losses, found = policy_losses(KNOWN, policy), outlook(KNOWN, NAMES, policy, tolerance=0.05, risk=0.2)
    assert losses is not None
    recalls = []
    for index, own in enumerate(values):
        lost = share / 0.8 * sum(loss_of(*pair, index) for pair in own.items())
        lost = min(ACCURACY[index], max(ACCURACY[index] - 1, lost))
        assert losses[index] == pytest.approx(lost)
        recalls.append(min(1.0, max(0.0, ACCURACY[index] - lost)))
    assert (found.mean, found.worst) == pytest.approx((sum(recalls) / 3, min(recalls)))


@settings(max_examples=25, deadline=None)
@given(VALUES, st.floats(0.001, 0.5))
def test_a_class_loses_at_most_its_recall_and_its_estimate_lies_in_its_interval(
    values: dict[str, float], spread: float
) -> None:
    wide = {name: Forecast(known.loss, np.full((2, 3), spread)) for name, known in KNOWN.losses.items()}
    losses = replace(KNOWN, losses=wide)
    policy = uniform(values, NAMES)
    cost = losses.of_policy(policy)
    assert cost is not None
    risks = dict(zip(NAMES, cost.risk(0.05)[0].tolist(), strict=True))
    for entry in outlook(losses, NAMES, policy, tolerance=0.05, risk=0.01).at_risk:
        recall = ACCURACY[NAMES.index(entry.name)]
        assert recall - 1 <= entry.low <= entry.loss <= entry.high <= recall
        # What is possible limits the estimate; the risk is that of the losses before.
        assert entry.risk == risks[entry.name]


def test_two_losses_that_exceed_the_recall_together_are_all_of_it() -> None:
    (bee, cow) = outlook(
        replace(KNOWN, losses=KNOWN.losses | {CROP: Forecast(np.array([[0, 0.5, 0.6]] * 2), np.full((2, 3), 0.01))}),
        NAMES,
        uniform({CROP: 0.2, JITTER: 0.8}, NAMES[:3]),
        tolerance=0.05,
        risk=0.999999,
    ).at_risk[1:]
    assert (bee.name, bee.loss, bee.high) == ("bee", pytest.approx(0.6), pytest.approx(0.6 + 1.2815516 * 0.01 * 2**0.5))
    assert (cow.name, cow.low, cow.loss, cow.high) == ("cow", 0.7, 0.7, 0.7)


def test_who_pays_is_named_and_what_is_not_known_is_left_out() -> None:
    found = outlook(KNOWN, NAMES, uniform({CROP: 0.2, "hue": 0.1}, NAMES), tolerance=0.05, risk=0.2)
    assert ([entry.name for entry in found.at_risk], found.left_out) == (["bee"], ("hue",))
    assert found.at_risk[0].low == pytest.approx(0.4 - 1.2815516 * 0.01)
    assert policy_losses(KNOWN, uniform({"hue": 0.1}, NAMES)) is None
