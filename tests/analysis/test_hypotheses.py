"""The hypotheses about a class and their probabilities, against plain loops."""

from collections import Counter
from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.analysis.cues import CERTAIN_WITH_LESS
from cuesense.analysis.evidence import Share, gather
from cuesense.analysis.hypotheses import (
    CUES_LEFT,
    HYPOTHESES,
    SCALES,
    VERDICTS,
    Scale,
    likely_recognized,
    posterior,
    shapley_shares,
    verdict_of,
)
from cuesense.perturbations.ablations import ALL_REMOVED, PRIMARY_ABLATION, SINGLE_CUE
from cuesense.registry import get
from cuesense.types import Cue, CueVerdict
from tests.helpers.cue_predictions import EVERY, predictions, recognized_with, shares_kept

PURE = {cue: shares_kept(recognized_with(cue.value)) for cue in Cue}
ANSWERS = st.lists(st.fixed_dictionaries({ablation: st.floats(0, 1) for ablation in EVERY}), min_size=1, max_size=3)


def test_the_nineteen_needs_are_all_monotone_functions_that_recognize_a_clean_image() -> None:
    assert len(set(HYPOTHESES)) == 19
    assert Counter(map(verdict_of, HYPOTHESES)) == {
        CueVerdict.SHAPE: 1,
        CueVerdict.TEXTURE: 1,
        CueVerdict.COLOR: 1,
        CueVerdict.MIXED: 11,
        CueVerdict.REDUNDANT: 4,
        CueVerdict.INSENSITIVE: 1,
    }


def test_probabilities_equal_a_plain_loop() -> None:
    rng = np.random.default_rng(3)
    shares = [{ablation: float(rng.random()) for ablation in EVERY} for _ in range(5)]
    evidence = gather(predictions(shares), 0.95)
    fast = posterior(evidence)
    for index, (row, label) in product(range(5), enumerate(VERDICTS)):
        assert fast[row, index] == pytest.approx(_slow(evidence, index)[label], abs=1e-9)


# The published constants, written out: an oracle that imported them would agree with any value.
SLOPE, MISLED, COMPOUND = 50, 0.005, 0.2

PAIRS = ("color shape", "color texture", "shape texture")
PLAIN = [("",), ("color",), ("shape",), ("texture",), ("color shape texture",), ("color", "shape", "texture")]
PLAIN += [(pair,) for pair in PAIRS] + [tuple(pair.split()) for pair in PAIRS]


def _slow(evidence, index):
    scale = next(scale for scale in SCALES if evidence.side < scale.below)
    plain = [recognized_with(*words) for words in PLAIN]
    size = Counter()
    for hypothesis in HYPOTHESES:
        size[verdict_of(hypothesis)] += 1 if hypothesis in plain else COMPOUND
    weights = Counter()
    for hypothesis in HYPOTHESES:
        weight = (1 if hypothesis in plain else COMPOUND) / size[verdict_of(hypothesis)]
        for (ablation, left), threshold in zip(CUES_LEFT.items(), scale.thresholds, strict=True):
            share = evidence.shares[ablation]
            if np.isnan(share.distinct[index]):
                continue
            images = share.images[index] * share.told[index] ** 2
            middle = (share.distinct[index] * images + 1) / (images + 2)
            flat = 1 + np.pi / 8 * SLOPE**2 * middle * (1 - middle) / max(images, 1)
            yes = MISLED + (1 - 2 * MISLED) / (1 + np.exp(-SLOPE * (middle - threshold) / flat**0.5))
            weight *= yes if left in hypothesis else 1 - yes
        weights[verdict_of(hypothesis)] += weight
    return {label: weights[label] / sum(weights.values()) for label in VERDICTS}


def test_where_the_size_is_unknown_the_answer_is_the_mean_over_sizes() -> None:
    shares = [PURE[Cue.COLOR], shares_kept(recognized_with("shape")) | {SINGLE_CUE[Cue.SHAPE]: 0.5}]
    sides = [32, 64, 224]
    known = [posterior(gather(predictions(shares, side=side), 0.95)) for side in sides]
    unknown = posterior(gather(predictions(shares, side=None), 0.95))
    np.testing.assert_allclose(unknown, np.mean(known, axis=0))
    assert not np.allclose(known[0], known[2])


def test_fewer_images_are_less_sure() -> None:
    sure = [
        posterior(gather(predictions(list(PURE.values()), images=images, clean=1.0), 0.95)).max(axis=0)
        for images in (1, 4, 20, 200)
    ]
    assert (np.diff(sure, axis=0) > 0).all()
    assert (sure[0] < CERTAIN_WITH_LESS).all()


def _worth(evidence, ablation, index: int) -> float:
    """Return the distinct share, stretched so that its threshold is one half."""
    scale = next(scale for scale in SCALES if evidence.side < scale.below)
    threshold = dict(zip(CUES_LEFT, scale.thresholds, strict=True))[ablation]
    share = evidence.shares[ablation].distinct[index]
    return float(np.interp(share, (0, threshold, 1), (0, 0.5, 1)))


@given(ANSWERS, st.sampled_from([32, 64, 224]))
@settings(max_examples=40)
def test_what_a_cue_carries_is_a_weighted_sum_of_what_it_adds(shares, side: int) -> None:
    """The other form of Shapley's value: a third for the first place and the last, a sixth for each between."""
    evidence = gather(predictions(shares, side=side), 0.95)
    parts = shapley_shares(evidence)
    for index, cue in product(range(len(shares)), Cue):
        nothing = _worth(evidence, ALL_REMOVED, index)
        if nothing == 1:
            assert np.isnan(parts[cue][index])
            continue
        first = _worth(evidence, SINGLE_CUE[cue], index) - nothing
        last = 1 - _worth(evidence, PRIMARY_ABLATION[cue], index)
        others = [other for other in Cue if other is not cue]
        between = [
            _worth(evidence, PRIMARY_ABLATION[third], index) - _worth(evidence, SINGLE_CUE[other], index)
            for other, third in (others, others[::-1])
        ]
        added = first / 3 + sum(between) / 6 + last / 3
        assert parts[cue][index] == pytest.approx(added / (1 - nothing), nan_ok=True)
    total = np.sum(list(parts.values()), axis=0)
    assert total[~np.isnan(total)] == pytest.approx(1)


def test_nothing_is_attributed_where_a_dose_is_missing() -> None:
    assert (
        shapley_shares(gather(predictions(list(PURE.values()), ablations=list(PRIMARY_ABLATION.values())), 0.95)) == {}
    )


SUBSETS = [frozenset(cue for cue, bit in zip(Cue, bits, strict=True) if bit) for bits in product((0, 1), repeat=3)]


def test_the_hypotheses_are_found_by_trying_all_256_boolean_functions() -> None:
    """Monotone: what is recognized by some cues is recognized by more; and the clean image is recognized."""
    wanted = set()
    for bits in product((False, True), repeat=8):
        value = dict(zip(SUBSETS, bits, strict=True))
        rising = all(value[more] or not value[less] for less, more in product(SUBSETS, SUBSETS) if less < more)
        if rising and value[frozenset(Cue)]:
            wanted.add(frozenset(subset for subset in SUBSETS if value[subset]))
    assert set(HYPOTHESES) == wanted


@pytest.mark.parametrize("hypothesis", HYPOTHESES)
def test_a_verdict_follows_from_which_cues_are_necessary_and_which_suffice(hypothesis) -> None:
    necessary = [cue for cue in Cue if all(cue in subset for subset in hypothesis)]
    enough = [cue for cue in Cue if frozenset({cue}) in hypothesis]
    if frozenset() in hypothesis:
        wanted = "insensitive"
    elif len(necessary) == 1 and necessary == enough:
        wanted = necessary[0].value
    else:
        wanted = "redundant" if len(enough) > 1 else "mixed"
    assert verdict_of(hypothesis).value == wanted


@pytest.mark.parametrize("order", list(permutations(Cue)))
def test_verdicts_follow_the_cues_to_other_names(order: tuple[Cue, ...]) -> None:
    name = dict(zip(Cue, order, strict=True))
    for hypothesis in HYPOTHESES:
        renamed = frozenset(frozenset(name[cue] for cue in subset) for subset in hypothesis)
        assert renamed in HYPOTHESES
        verdict = verdict_of(hypothesis)
        single = verdict.value in list(Cue)
        assert verdict_of(renamed).value == (name[Cue(verdict.value)].value if single else verdict.value)


def test_every_ablation_leaves_the_cues_that_it_does_not_remove() -> None:
    for ablation, left in CUES_LEFT.items():
        removed = set(get("perturbations", ablation.perturbation).suppresses)
        assert left == set(Cue) - removed
    assert len(CUES_LEFT) == 10


def at(distinct: list[float], images: float = 1e9, count: int = 2) -> Share:
    """Return shares of which only the distinct one and its images count."""
    unknown = np.full(count, np.nan)
    rest = dict.fromkeys(("kept", "low", "high", "of", "stays", "unaided", "raw"), unknown)
    known = np.array(distinct)
    return Share(**rest, images=np.full(count, images), told=np.ones(count), distinct=known, generous=known)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("ablation", CUES_LEFT)
def test_no_single_test_says_more_than_that_an_ablation_may_mislead(scale: Scale, ablation) -> None:
    low, high = scale.log_odds(ablation, at([0.0, 1.0]))
    # 199 to 1 is all that one test can give, at a chance of .005 to be misled; thresholds of .09 are not that sure.
    assert -np.log(199) <= low < -4
    assert 4 < high <= np.log(199)


@pytest.mark.parametrize("ablation", CUES_LEFT)
def test_what_was_not_measured_is_evidence_of_nothing(ablation) -> None:
    assert SCALES[0].log_odds(ablation, at([np.nan, np.nan])).tolist() == [0.0, 0.0]


@settings(max_examples=30)
@given(st.sampled_from(SCALES), st.sampled_from(list(CUES_LEFT)), st.floats(0, 1), st.floats(0, 1), st.integers(1, 500))
def test_a_larger_share_is_never_less_evidence_nor_worth_less(scale, ablation, first, second, images) -> None:
    shares = at(sorted((first, second)), images)
    for found in (scale.log_odds(ablation, shares), scale.worth(ablation, shares)):
        assert found[0] <= found[1] + 1e-9


@pytest.mark.parametrize("scale", SCALES)
def test_nothing_kept_is_worth_nothing_the_threshold_half_and_all_one(scale: Scale) -> None:
    for ablation, threshold in zip(CUES_LEFT, scale.thresholds, strict=True):
        shares = at([0.0, threshold / 2, threshold, (1 + threshold) / 2, 1.0], count=5)
        assert scale.worth(ablation, shares) == pytest.approx(np.array([0, 0.25, 0.5, 0.75, 1]))


@pytest.mark.parametrize("share", [0.2, 0.3, 0.35, 0.5])
def test_where_the_size_is_unknown_the_log_odds_of_all_sizes_count_together(share: float) -> None:
    """Grayscale's thresholds are about .31 to .68: between them the sizes disagree."""
    color = PRIMARY_ABLATION[Cue.COLOR]
    evidence = gather(predictions([{}] * 2, side=None), 0.95)
    evidence = replace(evidence, shares={color: at([share, 1 - share], images=30)})
    total = [0.0, 0.0]
    for scale in SCALES:
        for index, odds in enumerate(scale.log_odds(color, evidence.shares[color]).tolist()):
            total[index] += odds
    assert likely_recognized(evidence, color).tolist() == [odds >= 0 for odds in total]


def test_without_any_ablation_every_verdict_is_equally_likely() -> None:
    found = posterior(gather(predictions([PURE[Cue.COLOR]] * 3, ablations=()), 0.95))
    assert found == pytest.approx(np.full((6, 3), 1 / 6))


@settings(max_examples=10, deadline=None)
@given(ANSWERS, st.sampled_from([32, 224, None]))
def test_probabilities_add_up_to_one_whatever_was_measured(shares, side: int | None) -> None:
    found = posterior(gather(predictions(shares, side=side), 0.95))
    assert found.shape == (6, len(shares))
    assert found.sum(axis=0) == pytest.approx(np.ones(len(shares)))
    assert (found > 0).all()


@pytest.mark.parametrize("side", [32, 64, 224, None])
def test_a_single_cue_carries_all_and_a_redundant_pair_half_each(side: int | None) -> None:
    pair = recognized_with("color", "shape")
    exact = [shares_kept(function, high=1.0, low=0.0) for function in (recognized_with("color"), pair)] + [
        PURE[Cue.TEXTURE]
    ] * 18
    parts = shapley_shares(gather(predictions(exact, clean=1.0, side=side), 0.95))
    for index, wanted in ((0, {Cue.COLOR: 1.0}), (1, {Cue.COLOR: 0.5, Cue.SHAPE: 0.5})):
        for cue in Cue:
            assert parts[cue][index] == pytest.approx(wanted.get(cue, 0.0), abs=1e-6)


def test_the_shapley_share_without_a_known_size_is_that_of_the_mean_worth() -> None:
    """Sizes count before the division: the share is no mean of the shares."""
    shares = [{ablation: 0.9 - 0.07 * number for number, ablation in enumerate(EVERY)}, *PURE.values()]
    known = {side: gather(predictions(shares, side=side), 0.95) for side in (32, 64, 224)}
    found = shapley_shares(gather(predictions(shares, side=None), 0.95))
    worth = {
        ablation: np.mean([_worth(evidence, ablation, 0) for evidence in known.values()]) for ablation in CUES_LEFT
    }
    for cue in Cue:
        first, second = (other for other in Cue if other is not cue)
        between = (
            worth[PRIMARY_ABLATION[first]]
            - worth[SINGLE_CUE[second]]
            + worth[PRIMARY_ABLATION[second]]
            - worth[SINGLE_CUE[first]]
        )
        ends = worth[SINGLE_CUE[cue]] - worth[ALL_REMOVED] + 1 - worth[PRIMARY_ABLATION[cue]]
        assert found[cue][0] == pytest.approx((ends / 3 + between / 6) / (1 - worth[ALL_REMOVED]))
