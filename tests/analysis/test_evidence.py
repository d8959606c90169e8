"""Evidence against plain loops over the images, paired and unpaired."""

from dataclasses import replace

import numpy as np
import pytest

from cuesense.analysis.evidence import gather
from cuesense.perturbations.ablations import ALL_REMOVED, PRIMARY_ABLATION, SHAM, SINGLE_CUE, TILED
from cuesense.predictions.predictions import ConditionPredictions, Predictions
from cuesense.stats.intervals import sign_test, wilson
from cuesense.types import Cue
from tests.helpers.cue_predictions import EVERY, predictions

CLASSES = 4


def rough(seed: int, images: int = 40) -> Predictions:
    """Return predictions at random, with every kind of disagreement."""
    rng = np.random.default_rng(seed)
    found = predictions([{}] * CLASSES, images=images)
    answers = []
    for row, old in enumerate(found.per_condition):
        right = rng.random(len(old.labels)) < (0.9 if row == 0 else rng.random())
        other = rng.integers(CLASSES + 5, size=len(old.labels))
        predicted = np.where(right, old.labels, other)
        corrected = np.where(rng.random(len(right)) < 0.8, predicted, rng.integers(CLASSES, size=len(right)))
        answers.append(ConditionPredictions(old.labels, predicted, np.where(corrected < CLASSES, corrected, -1)))
    return replace(found, per_condition=tuple(answers))


@pytest.mark.parametrize("seed", range(3))
def test_shares_are_those_of_a_plain_loop(seed: int) -> None:
    found = rough(seed)
    evidence = gather(found, 0.95)
    rows = {ablation: row for row, ablation in enumerate(EVERY, start=1)}

    def right(row: int, image: int) -> bool:
        return bool(found.per_condition[row].corrected[image] == found.per_condition[0].labels[image])  # type: ignore[index]

    for index in range(CLASSES):
        members = [image for image, label in enumerate(found.per_condition[0].labels) if label == index]
        explainable = [i for i in members if right(0, i) and not right(rows[ALL_REMOVED], i)]
        assert evidence.explainable[index] == len(explainable)
        for ablation, share in evidence.shares.items():
            sham = rows[SHAM[Cue.SHAPE]] if ablation in TILED else 0
            base = [i for i in explainable if right(sham, i)]
            kept = sum(right(rows[ablation], i) for i in base)
            low, high = wilson(kept, len(base), 1 - 0.05 / 6)
            assert share.kept[index] == pytest.approx(kept / len(base))
            assert (share.low[index], share.high[index]) == pytest.approx((float(low), float(high)))
            clean = [i for i in members if right(0, i) and right(sham, i)]
            stays = sum(right(rows[ablation], i) for i in clean) / len(clean)
            assert share.stays[index] == pytest.approx(stays)
            guesses = max(_guesses(found, rows[ablation], index, other) for other in range(CLASSES) if other != index)
            recall = sum(right(sham, i) for i in members) / len(members)
            assert share.distinct[index] == pytest.approx(max(0, (stays - guesses / recall - 1 / CLASSES) / 0.75))


def _guesses(found: Predictions, row: int, index: int, other: int) -> float:
    """Return the share of the other's images that is taken for the class, times that of its lost images in return."""
    answers = found.per_condition[row]
    attracted = answers.corrected[answers.labels == other] == index  # type: ignore[index]
    own = answers.corrected[answers.labels == index]  # type: ignore[index]
    return float(attracted.mean() * ((own == other).sum() + 1) / ((own != index).sum() + 1))


def test_necessity_is_tested_against_the_sham_and_adjusted_over_everything() -> None:
    found = rough(5)
    evidence = gather(found, 0.95)
    rows = {ablation: row for row, ablation in enumerate(EVERY, start=1)}
    p = {}
    for cue in Cue:
        before, after = (found.corrected_right(rows[ablation]) for ablation in (SHAM[cue], PRIMARY_ABLATION[cue]))
        for index in range(CLASSES):
            members = found.per_condition[0].labels == index
            p[cue, index] = float(sign_test((before & ~after)[members].sum(), (after & ~before)[members].sum()))
    ranked = sorted(p, key=p.__getitem__)
    for cue, index in ranked:
        later = [key for key in ranked if p[key] >= p[cue, index]]
        wanted = min(p[key] * len(p) / (1 + max(r for r, k in enumerate(ranked) if p[k] == p[key])) for key in later)
        assert evidence.q[cue][index] == pytest.approx(min(1, wanted))


def test_a_table_of_other_images_gives_the_same_shares_with_wider_intervals() -> None:
    found = predictions(
        [{ablation: 0.5 for ablation in EVERY if ablation != ALL_REMOVED} | {ALL_REMOVED: 0.0}] * 2, clean=1.0
    )
    paired, unpaired = gather(found, 0.95), gather(replace(found, paired=False), 0.95)
    for ablation in (PRIMARY_ABLATION[Cue.COLOR], SINGLE_CUE[Cue.SHAPE]):
        before, after = paired.shares[ablation], unpaired.shares[ablation]
        np.testing.assert_allclose(after.kept, before.kept)
        np.testing.assert_allclose(after.stays, before.stays)
        assert (after.high - after.low >= before.high - before.low - 1e-9).all()
    assert (unpaired.explainable == paired.explainable).all()


def test_repeats_are_averaged_and_never_counted_as_images() -> None:
    once = predictions([{PRIMARY_ABLATION[Cue.COLOR]: 0.4}] * 2)
    rows = range(len(once.conditions))
    twice = replace(
        once,
        conditions=(*once.conditions, *(replace(once.conditions[row], repeat=1) for row in rows if row)),
        per_condition=(*once.per_condition, *once.per_condition[1:]),
    )
    first, second = gather(once, 0.95), gather(twice, 0.95)
    for ablation, share in first.shares.items():
        np.testing.assert_allclose(second.shares[ablation].kept, share.kept)
        np.testing.assert_allclose(second.shares[ablation].low, share.low)


def test_an_empty_class_is_nothing_but_unknown() -> None:
    found = predictions([{}] * 2)
    found = replace(found, class_names=(*found.class_names, "empty"), outputs=(0, 1, 2))
    evidence = gather(found, 0.95)
    assert evidence.images.tolist() == [60, 60, 0]
    assert np.isnan(evidence.recognized[2])
    assert np.isnan(evidence.shares[ALL_REMOVED].kept[2])
    assert np.isnan(evidence.q[Cue.COLOR][2])


def test_sinks_are_found_under_the_condition_where_they_are_worst() -> None:
    found = predictions([{}] * CLASSES)
    found.per_condition[2].predicted[:] = 3
    assert gather(found, 0.95).sinks[3] == (found.conditions[2], pytest.approx(CLASSES))
