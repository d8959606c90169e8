"""No verdict beside shares that say the opposite, over random evidence and random predictions."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.analysis.contradictions import contradiction
from cuesense.analysis.cues import name_cues
from cuesense.analysis.evidence import gather
from cuesense.analysis.hypotheses import CUES_LEFT
from cuesense.perturbations.ablations import EVERY_ABLATION, PRIMARY_ABLATION, SHAM
from cuesense.predictions.predictions import ConditionPredictions, Predictions
from cuesense.stats.prior_correction import prior_corrected
from cuesense.types import Cue, CueEvidence, CueVerdict, Interval
from tests.helpers.cue_predictions import EVERY, predictions, recognized_with, shares_kept

SINGLE = (CueVerdict.SHAPE, CueVerdict.TEXTURE, CueVerdict.COLOR)


def sure(value: float) -> Interval:
    """Return a share of so many images that it is certain."""
    return Interval(value, value - 0.01, value + 0.01)


def shares(necessity: float, sufficiency: float, second: float | None = None, *, necessary: bool = True) -> CueEvidence:
    return CueEvidence(
        necessity=sure(necessity),
        sufficiency=sure(sufficiency),
        second=Interval() if second is None else sure(second),
        necessary=necessary,
    )


def evidence_of(color: CueEvidence, shape: CueEvidence | None = None) -> dict[Cue, CueEvidence]:
    """Return the evidence of color, of shape, and of a texture that costs nothing and keeps nothing."""
    return {Cue.COLOR: color, Cue.SHAPE: shape or shares(0.0, 0.0), Cue.TEXTURE: shares(0.0, 0.0)}


@pytest.mark.parametrize(
    ("verdict", "color", "shape", "said"),
    [
        # The case that brought the rule: nothing is lost but by color, which keeps everything by itself.
        ("mixed", shares(1.0, 1.0), None, "keeps 100 of 100 points with color alone"),
        ("mixed", shares(1.0, 0.8), None, "keeps 80 of 100 points with color alone"),
        ("mixed", shares(1.0, 0.79), None, None),
        ("mixed", shares(0.2, 0.0), None, "loses at most 20 of 100 points when one cue is removed"),
        ("mixed", shares(0.21, 0.0), None, None),
        ("color", shares(0.2, 0.9), None, "keeps 80 of 100 points without color"),
        ("color", shares(0.21, 0.9), None, None),
        ("color", shares(0.3, 0.9, 0.1), None, "keeps 80 of 100 points without color (mean of two suppressions)"),
        ("color", shares(1.0, 0.9, 0.1), None, None),
        ("color", shares(0.9, 0.2), None, "keeps only 20 of 100 points with color alone"),
        ("color", shares(0.9, 0.21), None, None),
        ("color", shares(0.9, 0.9), shares(0.8, 0.1), "loses 80 of 100 points without shape"),
        ("color", shares(0.9, 0.9), shares(0.79, 0.1), None),
        (
            "color",
            shares(0.5, 0.5),
            shares(0.51, 0.51),
            "loses more without shape than without color, and keeps more with shape alone",
        ),
        ("color", shares(0.5, 0.5), shares(0.51, 0.5), None),
        ("redundant", shares(0.8, 0.9), None, "loses 80 of 100 points without color"),
        ("redundant", shares(0.79, 0.9), None, None),
        ("redundant", shares(0.7, 0.9, 0.9), None, "loses 80 of 100 points without color (mean of two suppressions)"),
        ("redundant", shares(0.7, 0.9, 0.89), None, None),
        ("insensitive", shares(1.0, 0.9), None, "loses 100 of 100 points without color"),
        ("insensitive", shares(0.79, 0.9), None, None),
        ("fine detail", shares(1.0, 1.0), None, None),
        ("undetermined", shares(1.0, 1.0), None, None),
    ],
)
def test_each_verdict_excludes_some_shares(verdict: str, color, shape, said: str | None) -> None:
    assert contradiction(CueVerdict(verdict), evidence_of(color, shape)) == said


def test_mixed_needs_a_loss_that_is_more_than_chance() -> None:
    found = {cue: shares(0.5, 0.0, necessary=False) for cue in Cue}
    assert contradiction(CueVerdict.MIXED, found) == "has no loss without a cue that is certainly more than chance"


@pytest.mark.parametrize("verdict", CueVerdict)
def test_what_was_not_measured_or_may_be_chance_contradicts_nothing(verdict: CueVerdict) -> None:
    unknown = {cue: CueEvidence(necessary=True) for cue in Cue}
    # Of a few images, nearly all or nearly none may be kept by chance: the intervals reach beyond one half.
    nothing, everything = Interval(0.0, 0.0, 0.6), Interval(1.0, 0.4, 1.0)
    few = {cue: CueEvidence(necessity=nothing, sufficiency=everything, necessary=True) for cue in Cue}
    lost = {cue: CueEvidence(necessity=everything, sufficiency=nothing, necessary=True) for cue in Cue}
    for evidence in (unknown, few, lost):
        assert contradiction(verdict, evidence) is None


def says_the_opposite(verdict: CueVerdict, evidence: dict[Cue, CueEvidence]) -> bool:
    """A slow reader of the profile, in other words than the rule's: certain shares beyond 10 and 90 of 100."""
    lost = {cue: found.necessity for cue, found in evidence.items()}
    alone = {cue: found.sufficiency for cue, found in evidence.items()}

    def all_of(share: Interval) -> bool:
        return share.value is not None and share.value > 0.9 and share.low > 0.5  # type: ignore[operator]

    def none_of(share: Interval) -> bool:
        return share.value is not None and share.value < 0.1 and share.high < 0.5  # type: ignore[operator]

    if verdict in SINGLE:
        cue = Cue(verdict.value)
        return none_of(lost[cue]) or none_of(alone[cue]) or any(all_of(lost[c]) for c in Cue if c is not cue)
    if verdict is CueVerdict.MIXED:
        return all(map(none_of, lost.values())) or any(map(all_of, alone.values()))
    if verdict is CueVerdict.FINE_DETAIL:
        # A removal of texture that keeps thin lines may cost nothing, but one of the two printed must cost something.
        return none_of(lost[Cue.TEXTURE]) and none_of(evidence[Cue.TEXTURE].second)
    return verdict is not CueVerdict.UNDETERMINED and any(map(all_of, lost.values()))


FULL = (*EVERY_ABLATION, *dict.fromkeys(SHAM.values()))


def kept_under(ablations):
    """Return a strategy for the shares that several classes keep under these ablations."""
    share = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
    return st.lists(st.fixed_dictionaries(dict.fromkeys(ablations, share)), min_size=2, max_size=5)


@pytest.mark.parametrize("ablations", [EVERY, FULL])
@settings(max_examples=30, deadline=None)
@given(st.data(), st.sampled_from([12, 40, 200]), st.sampled_from([32, 64, 224, None]))
def test_no_verdict_contradicts_its_shares_whatever_the_predictions(
    ablations, data: st.DataObject, images: int, side: int | None
) -> None:
    found = predictions(data.draw(kept_under(ablations)), images=images, side=side, ablations=ablations)
    for answer in name_cues(gather(found, 0.95), found.class_names):
        assert contradiction(answer.cue, answer.evidence) is None
        assert not says_the_opposite(answer.cue, answer.evidence)


@pytest.mark.parametrize("ablations", [EVERY, FULL])
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 20]))
def test_no_verdict_contradicts_its_shares_whatever_the_evidence(ablations, seed: int, company: int) -> None:
    """Shares, distinct shares and tests drawn independently, as no network would give them: the guard must hold."""
    rng = np.random.default_rng(seed)
    pure = [shares_kept(recognized_with(cue.value)) for cue in Cue] * company
    evidence = gather(predictions(pure, ablations=ablations), 0.95)
    classes = len(pure)
    mixed_up = {}
    for ablation, share in evidence.shares.items():
        kept = rng.choice([0.0, 0.05, 0.5, 0.95, 1.0], classes)
        distinct = rng.choice([0.0, 0.3, 0.5, 0.7, 1.0], classes)
        low, high = np.maximum(kept - 0.1, 0), np.minimum(kept + 0.1, 1)
        mixed_up[ablation] = replace(share, kept=kept, low=low, high=high, distinct=distinct, generous=distinct)
    for answer in name_cues(replace(evidence, shares=mixed_up), [str(index) for index in range(classes)]):
        assert not says_the_opposite(answer.cue, answer.evidence)


def test_a_verdict_that_is_contradicted_says_by_what() -> None:
    found = predictions([shares_kept(recognized_with("color"))] * 6)
    evidence = gather(found, 0.95)
    gray = PRIMARY_ABLATION[Cue.COLOR]
    nearly_all = np.full(6, 0.97)
    changed = replace(evidence.shares[gray], kept=nearly_all, low=nearly_all - 0.1, high=nearly_all + 0.02)
    answer = name_cues(replace(evidence, shares={**evidence.shares, gray: changed}), found.class_names)[0]
    assert answer.cue is CueVerdict.UNDETERMINED
    said = "; color would fit the ablations together, but the class keeps 97 of 100 points without color"
    assert answer.why.endswith(said)


def two_classes(recall: float, cue: Cue, noise: float, images: int = 40, side: int = 32) -> Predictions:
    """Return the predictions of a network of two outputs that reads one cue: the rival's recall is given.

    Without the cue it answers always the same (noise 0), or guesses.
    """
    rng = np.random.default_rng(0)
    labels, number = np.repeat([0, 1], images), np.tile(np.arange(images), 2)
    clean = np.where((labels == 0) & (number < round(recall * images)), -3.0, 3.0)
    parts = []
    for ablation in (None, *EVERY):
        keeps = ablation is None or ablation not in CUES_LEFT or cue in CUES_LEFT[ablation]
        score = clean if keeps else noise * rng.normal(size=len(clean))
        scores = np.stack([-score, score], axis=1)
        corrected = prior_corrected(scores, np.broadcast_to([0, 1], scores.shape), np.array([0.5, 0.5]))
        parts.append(ConditionPredictions(labels, scores.argmax(axis=1), corrected))
    plain = predictions([{}] * 2, images=images, side=side)
    return replace(plain, output_names=plain.class_names, per_condition=tuple(parts))


@pytest.mark.parametrize("noise", [0.0, 1e-6, 0.5])
@pytest.mark.parametrize("cue", Cue)
def test_of_two_classes_told_by_one_cue_no_other_verdict_is_given(cue: Cue, noise: float) -> None:
    """A network on mean color was called mixed where its rival's recall was .55 to .7 (and insensitive once)."""
    named = 0
    for percent in range(55, 101, 5):
        found = two_classes(percent / 100, cue, noise, side=(32, 64, 224)[percent % 3])
        for answer in name_cues(gather(found, 0.95), ("rival", "class")):
            assert answer.cue.value in (cue.value, "undetermined"), (percent, answer)
            named += answer.cue.value == cue.value
    assert named


@pytest.mark.parametrize("recall", [0.6, 0.7, 0.75, 0.8, 1.0])
def test_nothing_is_lost_where_nothing_is_removed(recall: float) -> None:
    """The same predictions under every condition: every share that is known is 1, however many are confused."""
    found = two_classes(recall, Cue.COLOR, 0.0)
    same = replace(found, per_condition=(found.per_condition[0],) * len(found.per_condition))
    for share in gather(same, 0.95).shares.values():
        for distinct in (share.distinct, share.generous, share.stays):
            np.testing.assert_allclose(distinct[~np.isnan(distinct)], 1)


def test_a_class_that_is_hardly_told_from_its_rival_is_undetermined_and_says_that_no_calibration_reaches_it() -> None:
    _, answer = name_cues(gather(two_classes(0.6, Cue.COLOR, 0.0), 0.95), ("rival", "class"))
    assert answer.cue is CueVerdict.UNDETERMINED
    assert "80 of 100 of its own may be guesses even when nothing is removed" in answer.why
    assert answer.why.endswith("with so few classes, or classes so often confused, a cue cannot be told from guessing")
