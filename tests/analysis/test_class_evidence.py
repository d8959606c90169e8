"""What is read out of the arrays for one class: its own entries, and None for whatever is not known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.perturbations.ablations import (
    ABLATIONS,
    ALL_REMOVED,
    ALONE,
    CUES,
    PRIMARY_ABLATION,
    REMOVALS,
    REPLICATE_ABLATION,
    SINGLE_CUE,
)
from cuesense.types import Cue, CueEvidence, Interval
from tests.helpers.evidence_by_hand import class_of, share_of

NAN = math.nan


@pytest.mark.parametrize(
    ("index", "images", "fewest", "accuracy", "mistaken", "apart", "rival"),
    [(0, 50, 50, 0.9, 0.1, 0.8, "bee"), (1, 40, 39, 0.75, 0.25, 0.5, "ant")],
)
def test_the_clean_numbers_are_those_of_the_class(
    index: int, images: int, fewest: int, accuracy: float, mistaken: float, apart: float, rival: str
) -> None:
    assert class_of({}, index=index, rival=np.array([-1, -1])).rival is None
    found = class_of({}, index=index)
    assert (found.images, found.fewest, found.rival) == (images, fewest, rival)
    assert (found.accuracy, found.mistaken) == (accuracy, mistaken)
    assert found.told_apart == pytest.approx(apart)


@pytest.mark.parametrize(
    ("right", "images", "chance", "above"),
    [
        # Wilson's lower 95 % limit: 10 of 20 gives .299, 5 of 5 gives .566, 1 of 100 gives .002.
        (10, 20, 0.298, True),
        (10, 20, 0.301, False),
        (5, 5, 0.56, True),
        (5, 5, 0.57, False),
        (1, 100, 0.001, True),
        (0, 100, 0.0, False),
    ],
)
def test_recognition_is_above_chance_where_its_lower_limit_is(
    right: int, images: int, chance: float, above: bool
) -> None:
    recognized, chances = np.array([right / images, 1.0]), np.array([chance, 0.0])
    found = class_of({}, images=np.array([images, 1000]), recognized=recognized, chance=chances)
    assert found.above_chance is above


def test_a_class_without_images_is_not_above_chance() -> None:
    found = class_of({}, images=np.array([0, 9]), recognized=np.array([NAN, 1.0]), chance=np.zeros(2))
    assert found.above_chance is False
    assert math.isnan(found.accuracy)


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_a_share_is_kept_at_its_own_ablation(ablation) -> None:
    shares = {other: share_of([number / 20, 1 - number / 20]) for number, other in enumerate(ABLATIONS)}
    at = ABLATIONS.index(ablation)
    assert class_of(shares).kept(ablation) == pytest.approx(at / 20)
    assert class_of(shares, index=1).kept(ablation) == pytest.approx(1 - at / 20)
    assert class_of(shares).share(ablation) is shares[ablation]


def test_what_was_not_measured_is_none() -> None:
    found = class_of({PRIMARY_ABLATION[Cue.SHAPE]: share_of([NAN, 0.5])}, q={Cue.SHAPE: np.array([NAN, 0.5])})
    for cue in (Cue.SHAPE, Cue.COLOR):
        assert found.kept(PRIMARY_ABLATION[cue]) is None
        assert found.false_discovery(cue) is None
        assert found.carried(cue) is None
    assert found.share(PRIMARY_ABLATION[Cue.COLOR]) is None
    assert math.isnan(found.recovered(ALL_REMOVED))
    assert class_of(found.every.shares, index=1).kept(PRIMARY_ABLATION[Cue.SHAPE]) == 0.5


@pytest.mark.parametrize(("share", "lost"), [(0.0, 1.0), (0.25, 0.75), (1.0, 0.0), (NAN, 1.0), (None, 1.0)])
@pytest.mark.parametrize("cue", CUES)
def test_all_counts_as_lost_where_nothing_is_known(cue: Cue, share: float | None, lost: float) -> None:
    # The second ablation and the cue alone keep other shares, which must not count.
    shares = {REPLICATE_ABLATION[cue]: share_of([0.6, 0.6]), SINGLE_CUE[cue]: share_of([0.7, 0.7])}
    shares |= {} if share is None else {PRIMARY_ABLATION[cue]: share_of([share, 0.4])}
    assert class_of(shares).lost(cue) == lost


def test_what_only_the_correction_recognizes_is_a_difference_of_all_images() -> None:
    shares = {ALL_REMOVED: share_of([0.0, 0.0], stays=[0.8, 0.3], unaided=[0.1, 0.5], raw=[0.9, 0.9])}
    assert class_of(shares).recovered(ALL_REMOVED) == pytest.approx(0.7)
    assert class_of(shares, index=1).recovered(ALL_REMOVED) == pytest.approx(-0.2)


def test_rates_and_shapley_shares_are_those_of_the_cue_and_the_class() -> None:
    q = {Cue.SHAPE: np.array([0.0, 0.2]), Cue.COLOR: np.array([1.0, 0.3])}
    shapley = {Cue.SHAPE: [0.0, 0.4], Cue.COLOR: [-0.1, 1.1]}
    first, second = (class_of({}, shapley=shapley, index=index, q=q) for index in (0, 1))
    assert [first.false_discovery(cue) for cue in CUES] == [0.0, None, 1.0]
    assert [second.false_discovery(cue) for cue in CUES] == [0.2, None, 0.3]
    assert [first.carried(cue) for cue in CUES] == [0.0, None, -0.1]
    assert [second.carried(cue) for cue in CUES] == [0.4, None, 1.1]


@pytest.mark.parametrize("cue", CUES)
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
@pytest.mark.parametrize("index", [0, 1])
def test_two_ablations_agree_where_both_recognize_the_class_or_neither(
    cue: Cue, first: bool, second: bool, index: int
) -> None:
    both = {PRIMARY_ABLATION[cue]: share_of([0.5, 0.5]), REPLICATE_ABLATION[cue]: share_of([0.5, 0.5])}
    flags = {PRIMARY_ABLATION[cue]: first, REPLICATE_ABLATION[cue]: second}
    found = class_of(both, flags, index=index)
    assert found.agree(cue) is (first is second)
    assert found.recognized_without(cue) is first


@pytest.mark.parametrize("unknown", [PRIMARY_ABLATION, REPLICATE_ABLATION])
@pytest.mark.parametrize("share", [None, NAN])
def test_ablations_of_which_one_is_unknown_do_not_agree_nor_disagree(unknown, share: float | None) -> None:
    both = {PRIMARY_ABLATION[Cue.COLOR]: share_of([0.5, 0.5]), REPLICATE_ABLATION[Cue.COLOR]: share_of([0.5, 0.5])}
    if share is None:
        del both[unknown[Cue.COLOR]]
    else:
        both[unknown[Cue.COLOR]] = share_of([share, 0.5])
    assert class_of(both).agree(Cue.COLOR) is None


@pytest.mark.parametrize("cue", CUES)
@pytest.mark.parametrize("necessary", [True, False])
def test_the_evidence_of_a_cue_is_put_together_from_its_three_ablations(cue: Cue, necessary: bool) -> None:
    """Binary fractions, so that every difference is exact."""
    shares = {
        PRIMARY_ABLATION[cue]: share_of(
            [0.25, 0], low=[0.125, 0], high=[0.5, 0], raw=[0.375, 0], of=[21.5, 0], images=[40, 0]
        ),
        REPLICATE_ABLATION[cue]: share_of([0.75, 0], low=[0.5, 0], high=[0.875, 0]),
        SINGLE_CUE[cue]: share_of([0.625, 0], low=[0.375, 0], high=[1.0, 0], of=[19, 0]),
    }
    found = class_of(shares, shapley={cue: [0.8, 0.1]}, q={cue: np.array([0.03, 0.9])})
    assert found.of_cue(cue, necessary=necessary) == CueEvidence(
        necessity=Interval(0.75, 0.5, 0.875),
        sufficiency=Interval(0.625, 0.375, 1.0),
        second=Interval(0.25, 0.125, 0.5),
        raw=Interval(0.625, None, None),
        agree=True,
        q=0.03,
        necessary=necessary,
        images=21.5,
        sufficiency_images=19.0,
        shapley=0.8,
    )


@pytest.mark.parametrize("cue", CUES)
def test_the_evidence_of_a_cue_that_was_not_measured_is_empty(cue: Cue) -> None:
    others = {PRIMARY_ABLATION[other]: share_of([0.5, 0.5]) for other in CUES if other is not cue}
    assert class_of(others).of_cue(cue, necessary=False) == CueEvidence()


def test_a_class_without_explainable_images_has_no_shares_but_its_number_of_images() -> None:
    nothing = share_of([NAN, 0.5], of=[0, 20])
    found = class_of({PRIMARY_ABLATION[Cue.COLOR]: nothing, SINGLE_CUE[Cue.COLOR]: nothing})
    assert found.of_cue(Cue.COLOR, necessary=False) == CueEvidence(images=0.0, sufficiency_images=0.0)


@given(st.floats(0, 1), st.floats(0, 0.3), st.floats(0, 0.3))
def test_a_loss_has_the_width_of_what_is_kept_and_stays_in_order(kept: float, below: float, above: float) -> None:
    share = share_of([kept, 0], low=[kept - below, 0], high=[kept + above, 0])
    lost = class_of({PRIMARY_ABLATION[Cue.SHAPE]: share}).of_cue(Cue.SHAPE, necessary=False).necessity
    assert lost.value == 1 - kept
    assert lost.low == pytest.approx(1 - kept - above)
    assert lost.high == pytest.approx(1 - kept + below)
    assert lost.low <= lost.value <= lost.high  # type: ignore[operator]


@pytest.mark.parametrize("cue", Cue)
def test_of_several_mechanisms_the_one_that_keeps_most_of_this_class_counts(cue: Cue) -> None:
    for mechanisms, usual, chosen in (
        (REMOVALS[cue], PRIMARY_ABLATION[cue], "removal"),
        (ALONE[cue], SINGLE_CUE[cue], "alone"),
    ):
        assert getattr(class_of({}), chosen)(cue) == usual
        unknown = dict.fromkeys(mechanisms, share_of([NAN, NAN]))
        assert getattr(class_of(unknown), chosen)(cue) == usual
        for best in mechanisms:
            shares = {one: share_of([0.7 if one == best else 0.6, 0.1 if one == best else 0.2]) for one in mechanisms}
            assert getattr(class_of(shares), chosen)(cue) == best
            assert getattr(class_of(unknown | {best: shares[best]}), chosen)(cue) == best
            # The other class: the first of those that keep more.
            others = [one for one in mechanisms if one != best] or [best]
            assert getattr(class_of(shares, index=1), chosen)(cue) == others[0]


def test_the_upper_limit_is_that_of_the_class_or_unknown() -> None:
    ablation = PRIMARY_ABLATION[Cue.SHAPE]
    share = share_of([0.4, NAN], high=[0.6, NAN])
    assert class_of({ablation: share}).high(ablation) == 0.6
    assert class_of({ablation: share}, index=1).high(ablation) is None
    assert class_of({}).high(ablation) is None
