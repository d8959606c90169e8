"""Every published threshold of the verdicts, on both sides: evidence in which just one number is changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cuesense.analysis import cues
from cuesense.analysis.build_profile import data_warnings
from cuesense.analysis.cues import name_cues, usable
from cuesense.analysis.evidence import Evidence, Share, gather
from cuesense.analysis.hypotheses import CUES_LEFT, SCALES, VERDICTS, likely_recognized, scales
from cuesense.perturbations.ablations import ALL_REMOVED, PRIMARY_ABLATION, REPLICATE_ABLATION, Ablation
from cuesense.stats.intervals import wilson
from cuesense.types import ClassCue, Cue, CueVerdict
from tests.helpers.cue_predictions import predictions, recognized_with, shares_kept

NAMES = ("class 0", "class 1", "class 2", "class 3")
GRAY = PRIMARY_ABLATION[Cue.COLOR]
KINDS = [("color",), ("shape",), ("texture",), ("color", "shape")]


def evidence_of_kinds() -> Evidence:
    """Return the evidence of a color, a shape, a texture and a redundant class."""
    return gather(predictions([shares_kept(recognized_with(*kind)) for kind in KINDS]), 0.95)


def first_is(known: Evidence, **values: float) -> Evidence:
    """Return the evidence with other numbers for class 0."""
    return changed(known, 0, **values)


def changed(known: Evidence, index: int, **values: float) -> Evidence:
    fields = {}
    for name, value in values.items():
        array = np.array(getattr(known, name))
        array[index] = value
        fields[name] = array
    return replace(known, **fields)


def with_share(known: Evidence, ablation: Ablation, index: int, **values: float) -> Evidence:
    """Return the evidence with another share of one class at one ablation."""
    parts = {name: np.array(getattr(known.shares[ablation], name)) for name in values}
    for name, value in values.items():
        parts[name][index] = value
    return replace(known, shares={**known.shares, ablation: replace(known.shares[ablation], **parts)})


def verdict(known: Evidence, index: int = 0) -> ClassCue:
    return name_cues(known, NAMES)[index]


def test_without_a_change_every_class_has_its_cue_and_no_flag() -> None:
    found = name_cues(evidence_of_kinds(), NAMES)
    assert [entry.cue.value for entry in found] == ["color", "shape", "texture", "redundant"]
    # The small gray tiles that tell texture from thin lines were not measured.
    assert [set(entry.flags) for entry in found] == [set(), set(), {"texture_unconfirmed"}, set()]


@pytest.mark.parametrize(("probability", "cue"), [(0.9, "color"), (0.899, "undetermined")])
def test_with_few_ablations_a_verdict_is_given_from_a_probability_of_nine_tenths(
    monkeypatch: pytest.MonkeyPatch, probability: float, cue: str
) -> None:
    likely = np.zeros((6, 4))
    likely[VERDICTS.index(CueVerdict.COLOR)] = probability
    likely[VERDICTS.index(CueVerdict.MIXED)] = 1 - probability
    monkeypatch.setattr(cues, "verdict_probabilities", lambda _: likely)
    assert verdict(evidence_of_kinds()).cue.value == cue


@pytest.mark.parametrize(("rate", "cue"), [(0.1, "color"), (0.101, "undetermined")])
def test_a_cue_is_necessary_up_to_a_false_discovery_rate_of_a_tenth(rate: float, cue: str) -> None:
    known = evidence_of_kinds()
    q = dict(known.q)
    q[Cue.COLOR] = np.array([rate, *q[Cue.COLOR][1:]])
    found = verdict(replace(known, q=q))
    assert found.cue.value == cue
    assert found.evidence[Cue.COLOR].necessary == (cue == "color")


@pytest.mark.parametrize(("share", "cue"), [(0.7, "color"), (0.699, "undetermined")])
def test_a_cue_is_named_alone_from_seven_tenths_of_what_is_kept(
    monkeypatch: pytest.MonkeyPatch, share: float, cue: str
) -> None:
    monkeypatch.setattr(cues, "shapley_shares", lambda _: {each: np.full(4, share) for each in Cue})
    assert verdict(evidence_of_kinds()).cue.value == cue


@pytest.mark.parametrize(("mistaken", "cue"), [(0.5, "color"), (0.501, "undetermined")])
def test_a_class_is_told_apart_from_half_of_its_images_on(mistaken: float, cue: str) -> None:
    known = first_is(evidence_of_kinds(), recognized=1.0, mistaken=mistaken)
    assert verdict(known).cue.value == cue
    assert usable(known).tolist() == [cue == "color", True, True, True]


@pytest.mark.parametrize(("mistaken", "why"), [(0.2, "cannot be told from"), (0.199, "is recognized on 60 of 100")])
def test_classes_are_confused_from_a_fifth_of_the_other_s_images_on(mistaken: float, why: str) -> None:
    found = verdict(first_is(evidence_of_kinds(), recognized=0.6, mistaken=mistaken, rival=1))
    assert found.why.startswith(why)
    assert ("confused_with" in found.flags) == (mistaken >= 0.2)


@pytest.mark.parametrize(("images", "cue"), [(10, "color"), (9, "undetermined")])
def test_a_verdict_takes_ten_images(images: int, cue: str) -> None:
    assert verdict(first_is(evidence_of_kinds(), fewest=images)).cue.value == cue


@pytest.mark.parametrize(("images", "flags"), [(20, set()), (19, {"few_images"})])
def test_fewer_than_twenty_images_are_flagged(images: int, flags: set[str]) -> None:
    assert set(verdict(first_is(evidence_of_kinds(), fewest=images)).flags) == flags


@pytest.mark.parametrize(("accuracy", "flags"), [(0.7, set()), (0.699, {"weak_class"})])
def test_a_class_is_weak_below_seven_tenths(accuracy: float, flags: set[str]) -> None:
    assert set(verdict(first_is(evidence_of_kinds(), recognized=accuracy)).flags) == flags


@pytest.mark.parametrize(("ratio", "flags"), [(5.0, {"sink"}), (4.99, set()), (float("nan"), set())])
def test_a_class_is_a_sink_from_five_times_its_share_on(ratio: float, flags: set[str]) -> None:
    known = evidence_of_kinds()
    condition = predictions([{}]).conditions[1]
    assert set(verdict(replace(known, sinks=((condition, ratio), None, None, None))).flags) == flags
    warnings = data_warnings([], NAMES, [60] * 4, [], {"grayscale": np.array([ratio, 0.1, 0.1, 0.1])})
    assert len(warnings) == len(flags)


@pytest.mark.parametrize(("raw", "flags"), [(0.3, {"by_elimination"}), (0.299, set())])
def test_a_raw_share_thirty_points_above_the_corrected_one_is_flagged(raw: float, flags: set[str]) -> None:
    assert set(verdict(with_share(evidence_of_kinds(), GRAY, 0, raw=raw, kept=0.0)).flags) == flags


@pytest.mark.parametrize("ablation", [*PRIMARY_ABLATION.values(), *REPLICATE_ABLATION.values(), ALL_REMOVED])
@pytest.mark.parametrize(("stays", "cue"), [(0.5, "undetermined"), (0.499, "redundant")])
def test_much_that_is_kept_may_be_found_by_elimination_from_half_on(ablation: Ablation, stays: float, cue: str) -> None:
    found = verdict(with_share(evidence_of_kinds(), ablation, 3, stays=stays, unaided=0.0), 3)
    assert found.cue.value == cue
    assert ("by_elimination" in found.flags) == (cue == "undetermined")


@pytest.mark.parametrize("ablation", [*PRIMARY_ABLATION.values(), *REPLICATE_ABLATION.values(), ALL_REMOVED])
@pytest.mark.parametrize(("stays", "cue"), [(0.7, "undetermined"), (0.699, "color")])
def test_nothing_is_decided_from_seven_tenths_found_by_elimination_on(
    ablation: Ablation, stays: float, cue: str
) -> None:
    known = with_share(evidence_of_kinds(), ablation, 0, stays=stays, unaided=0.0)
    assert verdict(known).cue.value == cue
    assert usable(known).tolist() == [cue == "color", True, True, True]


def test_recognition_is_compared_with_chance_at_95_percent() -> None:
    known = evidence_of_kinds()
    low = float(wilson(57, 60, 0.95)[0])
    assert verdict(first_is(known, chance=low - 1e-6)).cue is CueVerdict.COLOR
    assert verdict(first_is(known, chance=low + 1e-6)).why == "is not recognized above chance on clean images"


@pytest.mark.parametrize(("side", "index"), [(47, 0), (48, 1), (159, 1), (160, 2), (4000, 2)])
def test_each_size_of_images_has_its_own_scale(side: int, index: int) -> None:
    assert scales(side) == (SCALES[index],)


# As `python benchmarks/labels.py calibrate` printed them, in the order of CUES_LEFT.
CALIBRATED = {
    32: (0.40, 0.45, 0.68, 0.74, 0.42, 0.11, 0.64, 0.22, 0.39, 0.50),
    64: (0.46, 0.44, 0.60, 0.60, 0.46, 0.30, 0.41, 0.32, 0.43, 0.50),
    224: (0.25, 0.24, 0.31, 0.09, 0.55, 0.34, 0.16, 0.18, 0.14, 0.50),
}


@pytest.mark.parametrize("side", CALIBRATED)
def test_a_class_is_rather_recognized_from_the_calibrated_share_on(side: int) -> None:
    unknown = np.full(2, np.nan)
    for ablation, threshold in zip(CUES_LEFT, CALIBRATED[side], strict=True):
        shares = dict.fromkeys(("kept", "low", "high", "of", "stays", "unaided", "raw"), unknown)
        distinct = np.array([threshold - 1e-3, threshold + 1e-3])
        share = Share(**shares, images=np.full(2, 1e9), told=np.ones(2), distinct=distinct, generous=distinct)
        known = replace(evidence_of_kinds(), shares={ablation: share}, side=side)
        assert likely_recognized(known, ablation).tolist() == [False, True]
