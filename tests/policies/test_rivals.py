"""Rivals of the recommended policy: what class weights and relaxing do, and when trainings show one to be better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cuesense.errors import SettingsError
from cuesense.policies.policy import Policy, uniform
from cuesense.policies.rivals import (
    ENOUGH_SEEDS,
    INTRUDES,
    RIVALS,
    WEIGHT_BOUNDS,
    Design,
    Verdict,
    best_verified,
    class_weights,
    intruders,
    is_better,
    relaxed,
)
from cuesense.schemas.profile import Profile, TrainedModel, VerifiedModel
from tests.helpers.profiles import NAMES as KNOWN
from tests.helpers.profiles import profile as made
from tests.helpers.profiles_with_forecasts import CROP, JITTER

NAMES = ("a", "b", "c", "d")
RECALLS = arrays(float, st.integers(2, 12), elements=st.floats(0, 1))


@settings(max_examples=60)
@given(RECALLS, st.randoms(use_true_random=False), st.sampled_from(["harm", "deficit"]))
def test_weights_are_bounded_average_one_and_grow_with_the_need(
    before: np.ndarray, random: object, design: Design
) -> None:
    after = np.array([random.random() for _ in before])  # type: ignore[attr-defined]
    weights = class_weights(before, after, design)
    need = before - after if design == "harm" else -after
    if not weights:
        assert np.exp(3 * need).std() < 0.01
        return
    assert np.mean(weights) == pytest.approx(1, abs=0.0006)
    assert WEIGHT_BOUNDS[0] <= min(weights) <= max(weights) <= WEIGHT_BOUNDS[1]
    assert (np.diff(np.array(weights)[np.argsort(need)]) >= 0).all()
    # A policy takes them.
    assert replace(uniform({}, [str(index) for index in range(len(weights))]), class_weights=weights).class_weights


def test_weights_inside_the_bounds_are_exponentials_of_the_need() -> None:
    before, after = np.array([0.9, 0.8, 0.7]), np.array([0.8, 0.8, 0.75])
    harm, deficit = class_weights(before, after), class_weights(before, after, "deficit")
    for weights, need in ((harm, [0.1, 0.0, -0.05]), (deficit, [0.0, 0.0, 0.05])):
        raw = np.exp(3 * np.array(need))
        assert weights == pytest.approx(raw / raw.mean(), abs=0.0006)


def test_both_bounds_hold_and_the_mean_stays_one() -> None:
    weights = class_weights(np.array([1.0, 1.0, 1.0, 0.0]), np.array([0.0, 1.0, 1.0, 1.0]))
    assert (weights[0], weights[3]) == (2.0, 0.5)
    assert weights[1:3] == (0.75, 0.75)


def test_classes_that_do_not_differ_have_no_weights_and_an_unknown_one_counts_as_not_harmed() -> None:
    alike = np.array([0.5, 0.5, 0.5])
    assert class_weights(alike, alike - 0.2) == ()
    assert class_weights(alike, alike, "deficit") == ()
    weights = class_weights(np.array([0.9, np.nan, 0.9]), np.array([0.5, np.nan, 0.9]))
    assert weights[0] > weights[1] == weights[2]


def took(*column_sums: float) -> np.ndarray:
    """Return which class takes whose images, where each takes what is given, from the others alike."""
    classes = len(column_sums)
    taken = np.tile(np.array(column_sums) / (classes - 1), (classes, 1))
    np.fill_diagonal(taken, 0)
    return taken


@pytest.mark.parametrize(("share", "relaxes"), [(INTRUDES + 1e-6, [1]), (INTRUDES - 1e-6, [])])
def test_a_class_intrudes_from_five_percent_of_a_class_on(share: float, relaxes: list[int]) -> None:
    assert intruders(took(-0.1, share, 0.0, 0.04)) == relaxes


@pytest.mark.parametrize(("classes", "most"), [(2, 1), (4, 1), (7, 1), (8, 2), (12, 3)])
def test_a_quarter_of_the_classes_intrudes_at_most_those_that_take_most(classes: int, most: int) -> None:
    gains = 0.1 + 0.01 * np.arange(classes)
    assert intruders(took(*gains)) == list(range(classes))[::-1][:most]


def test_the_class_that_takes_images_is_relaxed_and_not_the_one_that_loses_them() -> None:
    taken = np.zeros((4, 4))
    taken[0, 2] = 0.3
    policy = uniform({CROP: 0.4, JITTER: 0.2}, NAMES, 0.6)
    found = relaxed(policy, taken)
    assert [dict(found.of_class(index)) for index in (0, 1, 3)] == [{CROP: 0.4, JITTER: 0.2}] * 3
    assert found.of_class(2) == {CROP: 0.7, JITTER: 0.1}
    assert (found.scope, found.probability, found.class_names) == ("per_class", 0.6, NAMES)
    assert dict(relaxed(policy, taken, 0.0).of_class(2)) == {}
    assert relaxed(policy, np.zeros((4, 4))) is policy
    assert relaxed(uniform({}, NAMES), taken) == uniform({}, NAMES)


def test_a_policy_by_class_keeps_its_other_values_and_its_weights() -> None:
    taken = np.zeros((4, 4))
    taken[0, 2] = 0.3
    own = Policy("grouped", 0.8, NAMES, (0, 1, 1, 0), ({CROP: 0.2}, {JITTER: 0.4}), (0.5, 1.0, 1.0, 1.5))
    found = relaxed(own, taken)
    assert [dict(found.of_class(index)) for index in range(4)] == [
        {CROP: 0.2},
        {JITTER: 0.4},
        {JITTER: 0.2},
        {CROP: 0.2},
    ]
    assert found.class_weights == own.class_weights


def trained(policy: Policy | None, worst: float, mean: float = 0.7, **more: float | None) -> TrainedModel:
    known = {"lowest_gain": 0.04, "lowest_gain_error": 0.02} | more
    listed = None if policy is None else policy.to_dict()
    return TrainedModel(policy=listed, mean=mean, worst=worst, over_tolerance=0, **known)


@pytest.mark.parametrize(
    ("seeds", "rival", "better"),
    [
        (ENOUGH_SEEDS, trained(None, 0.5), True),
        (ENOUGH_SEEDS - 1, trained(None, 0.5), False),
        (ENOUGH_SEEDS, trained(None, 0.5, lowest_gain=0.0201), True),
        (ENOUGH_SEEDS, trained(None, 0.5, lowest_gain=0.02), False),
        (ENOUGH_SEEDS, trained(None, 0.5, lowest_gain=-0.04), False),
        (ENOUGH_SEEDS, trained(None, 0.5, lowest_gain=None), False),
        (ENOUGH_SEEDS, trained(None, 0.5, lowest_gain_error=None), False),
        (ENOUGH_SEEDS, trained(None, 0.4001), True),
        (ENOUGH_SEEDS, trained(None, 0.4), False),
        (ENOUGH_SEEDS, trained(None, 0.5, mean=0.6951), True),
        (ENOUGH_SEEDS, trained(None, 0.5, mean=0.6949), False),
    ],
)
def test_a_rival_is_better_on_one_side_of_every_threshold(seeds: int, rival: TrainedModel, better: bool) -> None:
    assert is_better(rival, trained(None, 0.4, lowest_gain=0.0), seeds) == better


OWN = uniform({CROP: 0.4}, KNOWN)
MILDER = Policy("per_class", 0.8, tuple(KNOWN), (0, *[1] * (len(KNOWN) - 1)), ({CROP: 0.7}, {CROP: 0.4}))
WEIGHTED = replace(OWN, class_weights=(0.5, *[1 + 0.5 / (len(KNOWN) - 1)] * (len(KNOWN) - 1)))


def verified(seeds: int = ENOUGH_SEEDS, **arms: TrainedModel) -> Profile:
    """Return a profile that read what ``cuesense verify`` had written."""
    block = VerifiedModel(tolerance=0.05, seeds=seeds, policies={"global": trained(OWN, 0.4), **arms})
    known = made(len(KNOWN), images=100, names=KNOWN).model_copy(update={"verified": block})
    return Profile.model_validate_json(known.to_json())


def best(found: Profile, policy: Policy = OWN, **options: bool) -> Verdict:
    verdict = best_verified(found, policy, **options)
    assert verdict is not None
    return verdict


def test_the_better_rival_with_the_best_worst_class_is_rebuilt_from_the_profile() -> None:
    lucky = trained(None, 0.9, lowest_gain=0.01)
    found = best(
        verified(none=lucky, weighted=trained(WEIGHTED, 0.5), relaxed=trained(MILDER, 0.45), usual=trained(OWN, 0.44))
    )
    assert (found.best, found.policy, found.ahead) == ("weighted", WEIGHTED, "none")
    # The usual default equals what was forecast to be best here: one training for both.
    assert (found.trained, found.seeds, found.replaces) == (4, ENOUGH_SEEDS, True)
    found = best(verified(weighted=trained(WEIGHTED, 0.5), relaxed=trained(MILDER, 0.6)))
    assert (found.best, found.policy.content) == ("relaxed", MILDER.content)
    found = best(verified(none=trained(None, 0.6)))
    assert (found.best, found.policy.names) == ("none", ())


def test_policies_that_were_not_beaten_stay() -> None:
    better = {"weighted": trained(WEIGHTED, 0.5)}
    by_class = {"per_class": trained(MILDER, 0.9), "matched": trained(MILDER, 0.9)}
    for known, ahead in ((verified(ENOUGH_SEEDS - 1, **better), "weighted"), (verified(), None)):
        assert (best(known).best, best(known).policy, best(known).ahead) == ("global", OWN, ahead)
    found = best(verified(**by_class))
    assert (found.policy, found.replaces, found.ahead, found.barred) == (OWN, False, None, None)
    barred = best(verified(relaxed=trained(MILDER, 0.9), **better), by_class=False)
    assert (barred.best, barred.barred) == ("weighted", "relaxed")
    assert best(verified(relaxed=trained(MILDER, 0.9)), by_class=False).policy == OWN
    barred = best(verified(**better), weights=False)
    assert (barred.policy, barred.barred) == (OWN, "weighted")
    # What is recommended has the better worst class already.
    assert best(verified(relaxed=trained(MILDER, 0.49), **better), by_class=False).barred is None


def test_nothing_is_known_of_policies_that_were_not_verified() -> None:
    better = {"weighted": trained(WEIGHTED, 0.5)}
    assert best_verified(verified(**better), uniform({CROP: 0.7}, KNOWN)) is None
    assert best_verified(verified(**better), WEIGHTED) is None
    assert best_verified(made(len(KNOWN), images=100, names=KNOWN), OWN) is None
    assert "global" not in RIVALS


def test_an_empty_policy_has_rivals_too() -> None:
    found = verified(**{"global": trained(None, 0.4), "best_uniform": trained(OWN, 0.5)})
    verdict = best(found, uniform({}, KNOWN, 0.3))
    assert (verdict.best, verdict.policy) == ("best_uniform", OWN)


def test_a_verified_policy_that_is_none_is_one_sentence() -> None:
    wrong = trained(None, 0.5).model_copy(update={"policy": {"scope": "global"}})
    with pytest.raises(SettingsError, match=r"Expected the policy to be as Policy.to_dict writes it"):
        best_verified(verified(weighted=wrong), OWN)
