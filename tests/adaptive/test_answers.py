import numpy as np
import pytest

from cuesense.adaptive.answers import most_frequent, settled

ALL_OPEN = np.ones(4, dtype=bool)


def test_the_most_frequent_answer_of_each_class_and_its_share() -> None:
    found = most_frequent(np.array([[3, 0], [3, 1], [2, 1], [3, 0]]))
    assert found.answer.tolist() == [3, 0]
    assert found.agreement.tolist() == [0.75, 0.5]


def test_the_surest_answers_are_settled_while_few_are_likely_wrong() -> None:
    agreement = np.array([0.95, 1.0, 0.9, 0.99])
    assert settled(agreement, ALL_OPEN, 0.06, 0.8).tolist() == [True, True, False, True]
    assert settled(agreement, ALL_OPEN, 0.05, 0.8).tolist() == [False, True, False, True]
    assert settled(agreement, ALL_OPEN, 0.0, 0.8).tolist() == [False, True, False, False]
    assert settled(agreement, ALL_OPEN, 1.0, 0.8).all()


@pytest.mark.parametrize(("agreement", "enough"), [(0.9, True), (0.875, False)])
def test_too_few_that_agree_settle_nothing_whatever_is_allowed(agreement: float, enough: bool) -> None:
    assert settled(np.array([agreement]), np.array([True]), 9.0, 0.9).tolist() == [enough]


def test_what_is_settled_already_costs_nothing() -> None:
    is_open = np.array([False, True, True, False])
    assert settled(np.array([0.9, 0.9, 0.9, 0.9]), is_open, 0.1, 0.8).tolist() == [False, True, False, False]


def test_a_limit_that_was_overspent_settles_nothing() -> None:
    assert not settled(np.ones(4), ALL_OPEN, -0.1, 0.8).any()
