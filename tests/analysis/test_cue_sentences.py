"""Every sentence of a verdict, word by word, from shares written by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.analysis.class_evidence import ClassEvidence
from cuesense.analysis.cue_sentences import counted, fine_detail, losses, points, why
from cuesense.perturbations.ablations import (
    ALL_REMOVED,
    CUES,
    PRIMARY_ABLATION,
    REMOVALS,
    REPLICATE_ABLATION,
    SINGLE_CUE,
)
from cuesense.perturbations.ablations import ALONE as LEFT_ALONE
from cuesense.types import Cue, CueVerdict
from tests.helpers.evidence_by_hand import class_of, share_of

# The other class keeps 0.55 everywhere: no sentence about the first may hold a 55 or 45.
OTHER = 0.55
# What leaves a cue alone beside the usual ablation.
SECOND_ALONE = [ablation for cue in CUES for ablation in LEFT_ALONE[cue][1:]]
SINGLE = [(CueVerdict(cue.value), cue) for cue in CUES]


def kept(without: dict[Cue, float], alone: dict[Cue, float], second: dict[Cue, float] | None = None):
    """Return shares by ablation from those that the class keeps without each cue and with each alone."""
    tables = [(PRIMARY_ABLATION, without), (SINGLE_CUE, alone), (REPLICATE_ABLATION, second or {})]
    return {ablation[cue]: share_of([value, OTHER]) for ablation, values in tables for cue, value in values.items()}


def by_cue(shape: float, texture: float, color: float) -> dict[Cue, float]:
    return {Cue.SHAPE: shape, Cue.TEXTURE: texture, Cue.COLOR: color}


ALONE = by_cue(0.05, 0.11, 0.87)


@pytest.mark.parametrize(("verdict", "cue"), SINGLE)
def test_a_single_cue_is_explained_by_its_loss_by_what_it_keeps_alone_and_by_the_second_ablation(
    verdict: CueVerdict, cue: Cue
) -> None:
    found = class_of(kept({cue: 0.02}, {cue: 0.87}, {cue: 0.1}))
    text = f"loses 98 of 100 points when {cue.value} is removed; keeps 87 when only {cue.value} is left"
    assert why(found, verdict) == f"{text}; two {cue.value} suppressions agree"


@pytest.mark.parametrize(("verdict", "cue"), SINGLE)
def test_both_ablations_that_recognize_the_class_agree_too(verdict: CueVerdict, cue: Cue) -> None:
    both = {PRIMARY_ABLATION[cue]: True, REPLICATE_ABLATION[cue]: True}
    found = class_of(kept({cue: 0.3}, {}, {cue: 0.4}), both)
    assert why(found, verdict) == (
        f"loses 70 of 100 points when {cue.value} is removed; two {cue.value} suppressions agree"
    )


@pytest.mark.parametrize(("second", "lost"), [(0.9, "10"), (0.604, "40"), (0.0, "100")])
def test_a_second_ablation_that_disagrees_is_given_with_its_loss(second: float, lost: str) -> None:
    one = {REPLICATE_ABLATION[Cue.COLOR]: True}
    found = class_of(kept({Cue.COLOR: 0.02}, {}, {Cue.COLOR: second}), one)
    assert why(found, CueVerdict.COLOR) == (
        f"loses 98 of 100 points when color is removed; a second color suppression disagrees ({lost})"
    )


@pytest.mark.parametrize("missing", [None, np.nan])
def test_nothing_is_written_about_what_was_not_measured(missing: float | None) -> None:
    unknown = {} if missing is None else {Cue.SHAPE: missing}
    found = class_of(kept({Cue.SHAPE: 0.25}, unknown, unknown))
    assert why(found, CueVerdict.SHAPE) == "loses 75 of 100 points when shape is removed"


@pytest.mark.parametrize(
    ("recognized", "text"),
    [
        ((), "loses 90 without shape and 80 without texture and 96 without color of 100 points"),
        ((Cue.TEXTURE,), "loses 90 without shape and 96 without color of 100 points"),
        ((Cue.SHAPE, Cue.TEXTURE), "loses 96 without color of 100 points"),
        # No ablation by itself: the largest loss is named.
        (CUES, "loses 96 without color of 100 points"),
    ],
)
def test_a_mixed_class_names_the_cues_without_which_it_is_not_recognized(recognized, text: str) -> None:
    flags = {PRIMARY_ABLATION[cue]: True for cue in recognized}
    without = by_cue(0.1, 0.2, 0.04)
    alone = "; keeps only 5 with shape alone, 11 with texture alone, 87 with color alone"
    assert why(class_of(kept(without, ALONE), flags), CueVerdict.MIXED) == text + alone
    assert why(class_of(kept(without, {}), flags), CueVerdict.MIXED) == text


@pytest.mark.parametrize("cue", [Cue.TEXTURE, Cue.COLOR])
def test_the_removal_that_harms_least_is_named_where_it_is_not_the_usual_one(cue: Cue) -> None:
    usual, other, *_ = REMOVALS[cue]
    shares = {usual: share_of([0.2, OTHER]), other: share_of([0.3, OTHER])}
    name = {Cue.TEXTURE: "bilateral blur at 0.0625", Cue.COLOR: "grayscale maximum at 1"}[cue]
    assert why(class_of(shares), CueVerdict(cue.value)) == f"loses 70 of 100 points when {cue} is removed by {name}"
    shares[other] = share_of([0.2, OTHER])
    assert why(class_of(shares), CueVerdict(cue.value)) == f"loses 80 of 100 points when {cue} is removed"


def test_losses_and_shares_alone_are_of_the_mechanism_that_keeps_most() -> None:
    other = REMOVALS[Cue.TEXTURE][1]
    found = class_of(kept(by_cue(0.1, 0.2, 0.04), ALONE) | {other: share_of([0.7, OTHER])})
    assert losses(found) == "loses at least 90 without shape, 30 without texture, 96 without color of 100 points"
    for ablation in SECOND_ALONE:
        found = class_of(kept(by_cue(0.9, 0.8, 0.96), ALONE) | {ablation: share_of([0.99, OTHER])})
        assert "99 with" in why(found, CueVerdict.REDUNDANT)


def test_fine_detail_is_explained_by_both_ways_that_erase_thin_lines() -> None:
    found = class_of(kept({Cue.TEXTURE: 0.08}, {}, {Cue.TEXTURE: 0.104}))
    assert fine_detail(found) == (
        "loses 92 by opening closing at 0.07 and 90 by median blur at 0.16, which erase texture and thin lines alike"
    )


def test_among_equal_losses_of_a_mixed_class_the_first_cue_is_named() -> None:
    found = class_of(kept(by_cue(0.5, 0.5, 0.5), {}), dict.fromkeys(PRIMARY_ABLATION.values(), True))
    assert why(found, CueVerdict.MIXED) == "loses 50 without shape of 100 points"


@pytest.mark.parametrize(
    ("without", "most"), [((0.9, 0.8, 0.96), "20"), ((0.9, 0.96, 0.7), "30"), ((0.6, 0.7, 0.8), "40")]
)
def test_a_redundant_class_is_explained_by_its_largest_loss(without: tuple[float, float, float], most: str) -> None:
    text = f"loses at most {most} of 100 points when one cue is removed"
    alone = "; keeps 5 with shape alone, 11 with texture alone, 87 with color alone"
    assert why(class_of(kept(by_cue(*without), ALONE)), CueVerdict.REDUNDANT) == text + alone
    assert why(class_of(kept(by_cue(*without), {})), CueVerdict.REDUNDANT) == text


def test_only_cues_whose_share_alone_is_known_are_listed() -> None:
    found = class_of(kept(by_cue(0.9, 0.8, 0.96), {Cue.TEXTURE: np.nan, Cue.COLOR: 0.4}))
    assert why(found, CueVerdict.REDUNDANT).endswith("when one cue is removed; keeps 40 with color alone")


@pytest.mark.parametrize(("stays", "text"), [(1.0, "100"), (0.514, "51"), (0.516, "52")])
def test_an_insensitive_class_is_explained_by_the_images_that_stay_without_any_cue(stays: float, text: str) -> None:
    shares = {ALL_REMOVED: share_of([0.0, OTHER], stays=[stays, OTHER])}
    assert why(class_of(shares), CueVerdict.INSENSITIVE) == (
        f"keeps {text} of 100 images when shape, texture and color are all removed"
    )


def test_each_class_is_explained_by_its_own_numbers() -> None:
    shares = kept({Cue.COLOR: 0.02}, {Cue.COLOR: 0.9}, {Cue.COLOR: 0.03})
    assert why(class_of(shares, index=1), CueVerdict.COLOR) == (
        "loses 45 of 100 points when color is removed; keeps 55 when only color is left; two color suppressions agree"
    )


@pytest.mark.parametrize(
    ("without", "text"),
    [
        (by_cue(0.1, 1.0, 0.72), "loses at least 90 without shape, 0 without texture, 28 without color of 100 points"),
        ({Cue.COLOR: 0.72}, "loses at least 28 without color of 100 points"),
        (by_cue(np.nan, 0.5, np.nan), "loses at least 50 without texture of 100 points"),
        (by_cue(np.nan, np.nan, np.nan), "was not measured"),
        ({}, "was not measured"),
    ],
)
def test_losses_list_the_measured_cues_in_their_usual_order(without: dict[Cue, float], text: str) -> None:
    assert losses(class_of(kept(without, ALONE))) == text


@given(st.tuples(*[st.floats(0, 1)] * 3))
def test_the_numbers_of_losses_are_the_shares_that_are_not_kept(shares: tuple[float, float, float]) -> None:
    text = losses(class_of(kept(by_cue(*shares), {})))
    numbers = [int(number) for number in re.findall(r"(\d+) without", text)]
    assert len(numbers) == 3
    for number, share in zip(numbers, shares, strict=True):
        assert abs(number - 100 * (1 - share)) <= 0.5 + 1e-9


@given(st.floats(0, 1), st.floats(0, 1))
def test_of_two_single_losses_the_sentence_gives_the_larger_the_larger_number(first: float, second: float) -> None:
    def lost(share: float) -> int:
        text = why(class_of(kept({Cue.SHAPE: share}, {})), CueVerdict.SHAPE)
        return int(text.split()[1])

    low, high = sorted((first, second))
    assert 0 <= lost(high) <= lost(low) <= 100


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0"), (0.0049, "0"), (0.0051, "1"), (0.424, "42"), (0.426, "43"), (1.0, "100")]
)
def test_points_are_whole(share: float, text: str) -> None:
    assert points(share) == points(np.float64(share)) == text


@pytest.mark.parametrize(("images", "text"), [(0, "0 images"), (1, "1 image"), (2, "2 images"), (11, "11 images")])
def test_images_are_counted_in_the_singular_only_for_one(images: int, text: str) -> None:
    assert counted(images) == text


def test_a_verdict_without_a_sentence_is_refused() -> None:
    found: ClassEvidence = class_of(kept(by_cue(0.1, 0.2, 0.3), ALONE))
    with pytest.raises(ValueError, match="'undetermined' is not a valid Cue"):
        why(found, CueVerdict.UNDETERMINED)
