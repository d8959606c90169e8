"""Warnings about model and data, and where each number of an analysis stands in the profile."""

from __future__ import annotations

from dataclasses import astuple, replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from cuesense.analysis.build_profile import AnalysisResult, analyze_predictions, build_profile, data_warnings
from cuesense.policies.budgets import Levels
from cuesense.predictions.predictions import ConditionPredictions, Predictions
from cuesense.registry import get
from cuesense.schemas.profile import Profile
from cuesense.types import Condition, CueVerdict
from tests.helpers.cue_predictions import predictions, recognized_with, shares_kept
from tests.helpers.graded_predictions import MECHANISMS, sampled
from tests.helpers.profiles import profile

NAMES = ("ant", "bee", "cow")
RATIOS = {"grayscale": np.array([1.0, 1.0, 1.0])}


def test_nothing_unusual_adds_no_warning() -> None:
    assert data_warnings(["known"], NAMES, [2, 2, 2], [], RATIOS) == ["known"]


@pytest.mark.parametrize(
    ("count", "start", "end"),
    [
        (1, "1 unreadable image was skipped: 0 (cut).", "(cut)."),
        (10, "10 unreadable images were skipped: 0 (cut); 1", "9 (cut)."),
        (11, "11 unreadable images were skipped: 0 (cut); 1", "9 (cut); and 1 more."),
    ],
)
def test_ten_skipped_images_are_named_and_the_others_counted(count: int, start: str, end: str) -> None:
    (warning,) = data_warnings([], NAMES, [2, 2, 2], [(str(number), "cut") for number in range(count)], RATIOS)
    assert warning.startswith(start)
    assert warning.endswith(end)


def test_a_class_needs_two_images() -> None:
    (warning,) = data_warnings([], NAMES, [2, 1, 0], [], RATIOS)
    assert warning == "Classes with fewer than two images have no budgets and no cue: bee, cow."


@pytest.mark.parametrize(("corrected", "words"), [(True, "are corrected"), (False, "are not corrected")])
def test_the_largest_sink_of_each_perturbation_is_named(corrected: bool, words: str) -> None:
    ratios = {"grayscale": np.array([0.1, 7.0, 6.0]), "hue": np.array([np.nan] * 3)}
    (warning,) = data_warnings([], NAMES, [2, 2, 2], [], ratios, corrected=corrected)
    assert words in warning
    assert warning.endswith("bee under grayscale (7.0 times as often as it occurs).")


def test_warnings_come_in_one_order_after_what_is_known() -> None:
    ratios = {"grayscale": np.array([9.0, 1.0, 1.0])}
    assert data_warnings(["first", "second"], NAMES, [1, 9, 9], [("a.jpg", "cut")], ratios) == [
        "first",
        "second",
        "1 unreadable image was skipped: a.jpg (cut).",
        "Classes with fewer than two images have no budgets and no cue: ant.",
        "Sink classes, as which perturbed images of other classes are predicted (cues are corrected for it): "
        "ant under grayscale (9.0 times as often as it occurs).",
    ]


@pytest.mark.parametrize(("count", "end"), [(10, "class 9."), (11, "class 9 and 1 more."), (13, "class 9 and 3 more.")])
def test_ten_classes_with_too_few_images_are_named_and_the_others_counted(count: int, end: str) -> None:
    names = [f"class {number}" for number in range(count)]
    (warning,) = data_warnings([], names, [0] * count, [], {})
    assert warning.endswith(f"class 8, {end}")


def test_ten_sinks_are_named_and_the_others_counted() -> None:
    ratios = {f"kind {number}": np.array([np.nan, 5.0 + number, 0.0]) for number in range(12)}
    (warning,) = data_warnings([], NAMES, [2, 2, 2], [], ratios)
    assert (
        "are predicted (cues are corrected for it): bee under kind 0 (5.0 times as often as it occurs), bee" in warning
    )
    assert warning.endswith("bee under kind 9 (14.0 times as often as it occurs) and 2 more.")


JITTER = replace(get("perturbations", "color_jitter"), ladder=(0.2, 0.8))
BLUR = replace(get("perturbations", "gaussian_blur"), ladder=(0.01, 0.05))
PROVENANCE = profile(3).provenance
SIZES, CLASSES = (90, 30, 6, 0), ("ant", "bee", "cow", "dodo")


def found_predictions(paired: bool = True) -> Predictions:
    """Return predictions for planted ablations, blur and jitter twice, which takes the second class for the first.

    The third class has six images, the last has none.
    """
    pure = [shares_kept(recognized_with(cue)) for cue in ("color", "shape", "texture")]
    base = predictions(pure, images=90)
    labels = base.per_condition[0].labels
    chosen = np.tile(np.arange(90), 3) < np.array(SIZES)[labels]
    parts = [
        ConditionPredictions(labels[chosen], old.predicted[chosen], old.corrected[chosen])  # type: ignore[index]
        for old in base.per_condition
    ]
    clean, own = parts[0], labels[chosen]
    conditions = list(base.conditions)
    for kind, severity, repeat in product((BLUR, JITTER), (1, 2), (0, 1)):
        taken = (own == 1) & (kind is JITTER) & (severity + repeat > 1)
        conditions.append(Condition(kind, severity, repeat))
        parts.append(ConditionPredictions(own, np.where(taken, 0, clean.predicted), clean.corrected))
    return replace(
        base,
        class_names=CLASSES,
        output_names=(*CLASSES, *base.output_names[3:]),
        outputs=(0, 1, 2, 3),
        sample_ids=[str(number) for number in range(int(chosen.sum()))],
        perturbations=(*base.perturbations, BLUR, JITTER),
        conditions=tuple(conditions),
        per_condition=tuple(parts),
        paired=paired,
    )


LEVELS = Levels(0.1, 0.9)
GROUPS = {"insects": [0, 1], "others": [2, 3]}


@pytest.fixture(scope="module", params=[True, False], ids=["paired", "unpaired"])
def analyzed(request: pytest.FixtureRequest) -> AnalysisResult:
    return analyze_predictions(found_predictions(request.param), levels=LEVELS, groups=GROUPS)


def built(result: AnalysisResult, side: int | None = 50) -> Profile:
    options = {"levels": LEVELS, "side": side, "warnings": ("Look.", "Listen.")}
    return build_profile(PROVENANCE, CLASSES, result, **options)  # type: ignore[arg-type]


def test_the_summary_counts_images_and_not_classes(analyzed: AnalysisResult) -> None:
    found = built(analyzed)
    # Of every class the first 86 images are recognized clean: 86, 30, 6 and none.
    assert found.summary.clean_accuracy == 122 / 126
    assert found.summary.worst_class_accuracy == 86 / 90
    assert [entry.clean_accuracy for entry in found.classes] == [86 / 90, 1.0, 1.0, None]
    assert [entry.images for entry in found.classes] == list(SIZES)
    assert found.summary.warnings == ["Look.", "Listen."]
    assert found.provenance == PROVENANCE


def test_every_verdict_is_counted_even_where_no_class_has_it(analyzed: AnalysisResult) -> None:
    found = built(analyzed)
    cues = [entry.cue for entry in found.classes]
    assert cues == [CueVerdict.COLOR, CueVerdict.SHAPE, CueVerdict.UNDETERMINED, CueVerdict.UNDETERMINED]
    assert found.summary.labels == {verdict: cues.count(verdict) for verdict in CueVerdict}
    assert set(found.summary.labels) == set(CueVerdict)


def test_a_class_s_sentence_starts_with_its_name_and_ends_with_a_full_stop(analyzed: AnalysisResult) -> None:
    found = built(analyzed)
    for entry, cue in zip(found.classes, analyzed.cues, strict=True):
        assert entry.why == f"{entry.name} {cue.why}."
        assert entry.flags == cue.flags
    assert found.classes[2].why == "cow has 6 images; at least 10 are needed."
    assert found.classes[3].why == "dodo has 0 images; at least 10 are needed."
    assert found.classes[2].flags == {"few_images": "6 images"}


def test_probabilities_are_rounded_to_millionths(analyzed: AnalysisResult) -> None:
    for entry, cue in zip(built(analyzed).classes, analyzed.cues, strict=True):
        for verdict, probability in cue.probabilities.items():
            assert entry.probabilities[verdict] == round(probability, 6)
        assert sum(entry.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_the_evidence_of_every_cue_stands_under_its_own_name(analyzed: AnalysisResult) -> None:
    for entry, cue in zip(built(analyzed).classes, analyzed.cues, strict=True):
        assert list(entry.reliance) == ["shape", "texture", "color"]
        for name, found in cue.evidence.items():
            seen = entry.reliance[name]
            assert (seen.value, seen.low, seen.high) == astuple(found.necessity)
            assert (seen.sufficiency.value, seen.sufficiency.low, seen.sufficiency.high) == astuple(found.sufficiency)
            assert (seen.second.value, seen.second.low, seen.second.high) == astuple(found.second)
            assert (seen.raw, seen.q, seen.agree) == (found.raw.value, found.q, found.agree)
            assert (seen.images, seen.sufficiency_images) == (found.images, found.sufficiency_images)
            assert (seen.necessary, seen.shapley) == (found.necessary, found.shapley)


def test_curves_hold_the_raw_counts_and_the_corrected_ones(analyzed: AnalysisResult) -> None:
    found = built(analyzed)
    assert [curve.perturbation for curve in found.curves] == list(analyzed.counts.raw)
    for curve in found.curves:
        raw, corrected = (table[curve.perturbation] for table in (analyzed.counts.raw, analyzed.counts.corrected))
        assert curve.n == list(SIZES)
        assert (curve.clean_correct, curve.lost, curve.gained) == (
            raw.clean_correct.tolist(),
            raw.lost.tolist(),
            raw.gained.tolist(),
        )
        assert curve.corrected.lost == corrected.lost.tolist()
        assert curve.values == list(raw.perturbation.ladder)
        assert (curve.unpaired is None) == (raw.unpaired is None)
    # Three of four jitters take all 30 images of the second class: one of the milder and both of the stronger.
    (jitter,) = (curve for curve in found.curves if curve.perturbation == "color_jitter")
    assert (jitter.repeats, jitter.lost) == (2, [[0, 30, 0, 0], [0, 60, 0, 0]])
    assert jitter.corrected.lost == [[0] * 4] * 2


def test_other_images_are_counted_beside_the_clean_ones() -> None:
    result = analyze_predictions(found_predictions(paired=False), levels=LEVELS, groups={})
    (jitter,) = (curve for curve in built(result).curves if curve.perturbation == "color_jitter")
    assert jitter.unpaired is not None
    assert jitter.unpaired.n == [[180, 60, 12, 0]] * 2
    assert jitter.unpaired.correct == [[172, 30, 12, 0], [172, 0, 12, 0]]


@pytest.mark.parametrize(("side", "pixels"), [(50, [0.5, 2.5]), (33, [0.33, 1.65]), (None, None)])
def test_values_relative_to_the_side_are_given_in_pixels(side: int | None, pixels: list[float] | None) -> None:
    result = analyze_predictions(found_predictions(), levels=LEVELS, groups={})
    curves = {curve.perturbation: curve for curve in built(result, side).curves}
    assert curves["gaussian_blur"].pixels == pixels
    assert curves["color_jitter"].pixels is None


def test_only_augmentations_have_budgets_and_all_classes_share_the_mildest(analyzed: AnalysisResult) -> None:
    found = built(analyzed)
    assert list(found.policy.global_) == list(analyzed.budgets) == ["color_jitter"]
    assert [entry.budgets["color_jitter"].status.value for entry in found.classes] == [
        "unlimited",
        "none",
        "unlimited",
        "undetermined",
    ]
    # Six images of which none is lost certify nothing, and they are an answer.
    assert found.classes[2].budgets["color_jitter"].certified_severity == 0
    assert found.classes[1].budgets["color_jitter"].limited_by == "own accuracy"
    assert found.policy.per_class == {
        "ant": {"color_jitter": 0.8},
        "bee": {"color_jitter": None},
        "cow": {"color_jitter": 0.8},
        "dodo": {"color_jitter": None},
    }
    shared = found.policy.global_["color_jitter"]
    assert (shared.value, shared.status.value, shared.limited_by_class, shared.severity) == (None, "none", "bee", 0)
    assert (found.policy.tolerance, found.policy.confidence, found.policy.risk) == (0.1, 0.9, 0.2)


def test_rivals_are_listed_by_name(analyzed: AnalysisResult) -> None:
    rivals = {rival.perturbation: (rival.rival, rival.share) for rival in built(analyzed).classes[1].rivals}
    assert rivals["color_jitter"] == ("ant", 1.0)


def test_groups_count_only_the_classes_whose_evidence_is_usable(analyzed: AnalysisResult) -> None:
    every, insects, others = built(analyzed).groups
    assert [group.name for group in (every, insects, others)] == ["all classes", "insects", "others"]
    # A class of six images counts, one without images does not.
    assert [(group.classes, group.images) for group in (every, insects, others)] == [(3, 126), (2, 120), (1, 6)]
    assert list(every.members) == ["ant", "bee", "cow"]
    assert insects.members == {"ant": CueVerdict.COLOR, "bee": CueVerdict.SHAPE}
    assert others.cue is CueVerdict.UNDETERMINED
    assert sum(share.value for share in every.shares.values()) == pytest.approx(1)  # type: ignore[misc]


def test_the_rule_is_kept_with_its_thresholds(analyzed: AnalysisResult) -> None:
    rule = built(analyzed).labeling
    assert rule is not None
    assert (rule.certainty, rule.false_discovery, rule.confidence) == (0.9, 0.1, 0.9)
    assert rule.rule.startswith("A cue is named where its probability is at least 0.75 by a model of the shares that ")
    assert "0.9 below 20 images, or where ablations are missing" in rule.rule
    assert "No cue is named that the shares beside it contradict" in rule.rule


def test_the_rule_has_the_least_probability_that_was_asked_of_any_class(analyzed: AnalysisResult) -> None:
    np.testing.assert_array_equal(analyzed.certain, [0.9] * 4)
    rule = built(replace(analyzed, certain=np.array([0.9, 0.8, 0.9, 0.9]))).labeling
    assert rule is not None
    assert rule.certainty == 0.8


def test_a_profile_survives_its_file(analyzed: AnalysisResult, tmp_path: Path) -> None:
    found = built(analyzed)
    path = tmp_path / "profile.json"
    path.write_text(found.to_json(), encoding="utf-8")
    assert Profile.read(path) == found


def in_order(found: Predictions, order: np.ndarray) -> Predictions:
    """Return predictions with their images in another order."""
    return replace(
        found,
        sample_ids=[found.sample_ids[row] for row in order],
        per_condition=tuple(
            ConditionPredictions(*(None if column is None else column[order] for column in astuple(condition)))
            for condition in found.per_condition
        ),
    )


def test_the_order_and_the_names_of_images_change_no_bit_of_a_profile() -> None:
    rng = np.random.default_rng(5)
    shares = {ablation: rng.uniform(0.2, 0.9, len(CLASSES)) for ablation in MECHANISMS}
    found = sampled(shares, np.array([23, 31, 12, 9]), rng, repeats=2, paired=True, sham=0.8)
    first = built(analyze_predictions(found, levels=LEVELS, groups=GROUPS)).to_json()
    for _ in range(3):
        mixed = in_order(found, rng.permutation(len(found.sample_ids)))
        assert built(analyze_predictions(mixed, levels=LEVELS, groups=GROUPS)).to_json() == first


def test_a_dataset_without_images_has_no_accuracy() -> None:
    base = found_predictions()
    none = np.zeros(0, dtype=np.int64)
    parts = tuple(ConditionPredictions(none, none, none) for _ in base.per_condition)
    result = analyze_predictions(replace(base, per_condition=parts, sample_ids=[]), levels=LEVELS, groups={})
    found = built(result)
    assert (found.summary.clean_accuracy, found.summary.worst_class_accuracy) == (None, None)
    assert {entry.cue for entry in found.classes} == {CueVerdict.UNDETERMINED}
    assert found.policy.global_["color_jitter"].limited_by_class is None
    assert found.groups[0].classes == 0
