"""What a class may hypothesis, and its probability, against plain loops."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.analysis.cues import CERTAIN
from cuesense.analysis.evidence import gather
from cuesense.analysis.hypotheses import (
    CUES_LEFT,
    HYPOTHESES,
    SCALES,
    VERDICTS,
    posterior,
    shapley_shares,
    verdict_of,
)
from cuesense.perturbations.ablations import ALL_REMOVED, PRIMARY_ABLATION, SINGLE_CUE
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
        CueVerdict.MIXED: 7,
        CueVerdict.REDUNDANT: 8,
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
            images = share.images[index]
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
    assert (sure[0] < CERTAIN).all()


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
