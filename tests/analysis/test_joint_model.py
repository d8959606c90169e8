"""The joint model: its design against loops, and its answers for classes whose shares are typical of each cue."""

from __future__ import annotations

from itertools import combinations
from math import exp, log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.analysis import joint_model as module
from cuesense.analysis.hypotheses import VERDICTS, posterior
from cuesense.analysis.joint_model import (
    design,
    joint_model,
    joint_posterior,
    measured_fully,
    verdict_probabilities,
)
from cuesense.perturbations.ablations import ABLATIONS, JOINT_ABLATIONS, Ablation
from cuesense.types import CueVerdict
from tests.helpers.evidence_by_hand import evidence_of, share_of
from tests.helpers.typical_classes import LINES, SHAPE, TYPICAL, evidence, shares_of


@pytest.mark.parametrize("side", [32, 64, 128, 224])
@pytest.mark.parametrize("cue", TYPICAL)
def test_typical_classes_of_one_cue_get_it_at_every_size(cue: str, side: int) -> None:
    likely = joint_posterior(evidence(TYPICAL[cue], side=side))
    assert likely[CueVerdict(cue)][0] == max(part[0] for part in likely.values())
    assert likely[CueVerdict(cue)][0] > 0.6


def test_line_drawings_are_not_taken_for_texture() -> None:
    likely = joint_posterior(evidence(LINES))
    assert likely[CueVerdict.SHAPE][0] > 5 * likely[CueVerdict.TEXTURE][0]


def test_the_design_is_as_documented() -> None:
    shares = np.random.default_rng(0).random((len(JOINT_ABLATIONS), 3))
    rows = design(shares, 128)
    for column in range(3):
        kept = {(a.perturbation, a.value): shares[i, column] for i, a in enumerate(JOINT_ABLATIONS)}
        summaries = [
            max(kept["grayscale", 1.0], kept["grayscale_minimum", 1.0], kept["grayscale_maximum", 1.0]),
            (kept["opening_closing", 0.07] + kept["median_blur", 0.16]) / 2,
            kept["bilateral_blur", 0.0625],
            (kept["patch_shuffle", 4.0] + kept["patch_rotation", 2.0]) / 2,
            (kept["grayscale_patch_shuffle", 4.0] + kept["grayscale_patch_shuffle", 8.0]) / 2,
            (kept["grayscale_opening_closing", 0.07] + kept["grayscale_bilateral_blur", 0.0625]) / 2,
            kept["patch_shuffle_opening_closing", 3.0],
        ]
        plain = list(shares[:, column])
        expected = [1.0, 1.0, *plain, *plain]
        expected += [min(one, other) for one, other in combinations(summaries, 2)] + [summaries[0]]
        assert rows[column] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("side", "size"), [(16, -1), (32, -1), (48, log2(48 / 64)), (224, log2(3.5)), (600, log2(3.5))]
)
def test_sizes_beyond_those_fitted_are_read_like_the_nearest(side: int, size: float) -> None:
    assert design(np.zeros((len(JOINT_ABLATIONS), 1)), side)[0, 1] == pytest.approx(size)


def test_the_posterior_is_a_softmax_of_the_design() -> None:
    model = joint_model()
    scores = design(np.array(shares_of(SHAPE))[:, None], 64)[0] @ model.weights
    total = sum(exp(score) for score in scores)
    found = joint_posterior(evidence(SHAPE))
    for verdict, score in zip(model.verdicts, scores, strict=True):
        assert found[verdict][0] == pytest.approx(exp(score) / total)


def test_an_unknown_size_is_the_mean_over_the_sizes() -> None:
    every = [joint_posterior(evidence(SHAPE, side=side))[CueVerdict.SHAPE][0] for side in (32, 64, 128, 224)]
    assert joint_posterior(evidence(SHAPE, side=None))[CueVerdict.SHAPE][0] == pytest.approx(np.mean(every))


def test_without_one_of_its_ablations_the_boolean_posterior_stands_in() -> None:
    full = evidence(SHAPE)
    shares = {ablation: share for ablation, share in full.shares.items() if ablation != JOINT_ABLATIONS[5]}
    less = evidence_of(shares)
    assert measured_fully(full)
    assert not measured_fully(less)
    assert verdict_probabilities(less) == pytest.approx(posterior(less))
    assert verdict_probabilities(full) != pytest.approx(posterior(full))


@pytest.mark.parametrize("ablation", JOINT_ABLATIONS)
@pytest.mark.parametrize(("least", "insensitive"), [(0.5, True), (0.499, False)])
def test_a_class_is_insensitive_only_where_every_ablation_keeps_most_of_it(
    ablation: Ablation, least: float, insensitive: bool
) -> None:
    shares = dict.fromkeys((*ABLATIONS, *JOINT_ABLATIONS), share_of([1.0, 1.0]))
    found = evidence_of({**shares, ablation: share_of([least, 1.0])})
    probability, of_the_other = verdict_probabilities(found)[VERDICTS.index(CueVerdict.INSENSITIVE)]
    assert (probability > 0) == insensitive
    assert of_the_other > 0.9


@given(st.lists(st.floats(0, 1), min_size=len(JOINT_ABLATIONS), max_size=len(JOINT_ABLATIONS)), st.booleans())
def test_probabilities_add_up_and_no_color_is_found_in_gray_images(kept: list[float], colorless: bool) -> None:
    shares = {ablation: share_of([share, 0.5]) for ablation, share in zip(JOINT_ABLATIONS, kept, strict=True)}
    missing = {ablation: share_of([0.5, 0.5]) for ablation in ABLATIONS if ablation not in shares}
    likely = verdict_probabilities(evidence_of({**missing, **shares}, colorless=colorless))
    assert likely.sum(axis=0) == pytest.approx([1, 1])
    assert (likely >= 0).all()
    if colorless:
        assert likely[VERDICTS.index(CueVerdict.COLOR)] == pytest.approx([0, 0])


def test_weights_for_other_ablations_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "JOINT_ABLATIONS", (Ablation("grayscale", 0.5), *JOINT_ABLATIONS[1:]))
    joint_model.cache_clear()
    with pytest.raises(AssertionError, match="other ablations"):
        joint_model()
    joint_model.cache_clear()
