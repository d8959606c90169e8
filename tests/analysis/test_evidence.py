"""Evidence against plain loops over the images, paired and unpaired."""

import math
from dataclasses import fields, replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.analysis.evidence import Evidence, Share, adjusted, gather
from cuesense.perturbations.ablations import ALL_REMOVED, PRIMARY_ABLATION, REMOVALS, SHAM, SINGLE_CUE, TILED
from cuesense.predictions.predictions import ConditionPredictions, Predictions
from cuesense.stats.intervals import sign_test, wilson
from cuesense.types import Cue
from tests.helpers.cue_predictions import EVERY, predictions
from tests.helpers.parts_of_images import alone, first_of_class, part_of

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
            recall = sum(right(sham, i) for i in members) / len(members)
            guesses, undisturbed = (
                max(_guesses(found, row, index, other) for other in range(CLASSES) if other != index) / recall
                for row in (rows[ablation], sham)
            )
            told = max(0, (1 - undisturbed - 1 / CLASSES) / 0.75)
            assert share.told[index] == pytest.approx(told)
            beyond = (stays - guesses - 1 / CLASSES) / 0.75
            assert share.distinct[index] == pytest.approx(
                min(1, max(0, beyond / told)) if told else np.nan, nan_ok=True
            )
            once, first = (stays - max(guesses, 1 / CLASSES)), (1 - max(undisturbed, 1 / CLASSES))
            generous = min(1, max(0, once / first)) if first > 0 else np.nan
            assert share.generous[index] == pytest.approx(generous, nan_ok=True)


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


def test_necessity_is_tested_by_the_first_removal_of_a_cue_alone() -> None:
    """Luma costs the first class everything and the second nothing; the other grays cost the opposite."""
    first, *others = REMOVALS[Cue.COLOR]
    kept = [{first: 0.0} | dict.fromkeys(others, 1.0), {first: 1.0} | dict.fromkeys(others, 0.0)]
    found = predictions(kept, clean=1.0, ablations=[*REMOVALS[Cue.COLOR], *dict.fromkeys(SHAM.values())])
    costly, free = gather(found, 0.95).q[Cue.COLOR]
    assert costly < 1e-9
    assert free == 1


@pytest.mark.parametrize("at", range(3))
def test_images_are_colorless_where_no_prediction_changes_in_any_gray(at: int) -> None:
    grays = REMOVALS[Cue.COLOR]
    found = predictions([{PRIMARY_ABLATION[Cue.SHAPE]: 0.2}] * 2, ablations=[*grays, PRIMARY_ABLATION[Cue.SHAPE]])
    assert gather(found, 0.95).colorless
    # Of other images it is not known.
    assert not gather(replace(found, paired=False), 0.95).colorless
    part = found.per_condition[1 + at]
    predicted = part.predicted.copy()
    predicted[7] += 1
    changed = list(found.per_condition)
    changed[1 + at] = replace(part, predicted=predicted)
    assert not gather(replace(found, per_condition=tuple(changed)), 0.95).colorless
    assert not gather(predictions([{}] * 2, ablations=[PRIMARY_ABLATION[Cue.SHAPE]]), 0.95).colorless


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


P_VALUES = st.lists(st.one_of(st.just(math.nan), st.sampled_from([0.0, 0.01, 0.5, 1.0]), st.floats(0, 1)), max_size=6)


@settings(max_examples=40)
@given(P_VALUES, st.data())
def test_rates_of_false_discovery_are_those_of_a_plain_loop(first: list[float], data: st.DataObject) -> None:
    """The smallest over all larger p-values of p times the number of tests over its rank."""
    same = st.lists(st.floats(0, 1), min_size=len(first), max_size=len(first))
    second = data.draw(same)
    found = adjusted({Cue.SHAPE: np.array(first), Cue.COLOR: np.array(second)})
    tested = sorted(p for p in (*first, *second) if not math.isnan(p))
    assert list(found) == [Cue.SHAPE, Cue.COLOR]
    for values, rates in ((first, found[Cue.SHAPE]), (second, found[Cue.COLOR])):
        for p, rate in zip(values, rates, strict=True):
            if math.isnan(p):
                assert math.isnan(rate)
                continue
            larger = [q * len(tested) / (rank + 1) for rank, q in enumerate(tested) if q >= p]
            assert rate == pytest.approx(min(1, *larger))


def test_nothing_that_was_tested_has_no_rate() -> None:
    assert adjusted({}) == {}
    assert np.isnan(adjusted({Cue.SHAPE: np.full(2, np.nan)})[Cue.SHAPE]).all()


@pytest.mark.parametrize("seed", range(3))
def test_clean_mistakes_are_those_of_a_plain_loop(seed: int) -> None:
    """Outputs of no class take images, too; classes of under ten images count as if they had ten."""
    found = uneven(seed)
    evidence = gather(found, 0.95)
    clean = found.per_condition[0]
    images = list(zip(clean.labels.tolist(), clean.predicted.tolist(), strict=True))
    for index in range(CLASSES):
        own = [predicted for label, predicted in images if label == index]
        others = [predicted for label, predicted in images if label != index]
        assert evidence.images[index] == len(own)
        assert evidence.recognized[index] == pytest.approx(own.count(index) / len(own))
        assert evidence.chance[index] == pytest.approx(others.count(index) / len(others))
        rates = {}
        for other in range(CLASSES):
            taken = [predicted for label, predicted in images if label == other]
            if other != index:
                rates[other] = taken.count(index) / max(len(taken), 10)
        assert evidence.mistaken[index] == pytest.approx(max(rates.values()))
        first = max(rates, key=lambda other: (rates[other], -other))
        assert evidence.rival[index] == (first if rates[first] else -1)


def uneven(seed: int) -> Predictions:
    """Return rough predictions of classes of 40, 25, 9 and 4 images."""
    found = rough(seed)
    labels = found.per_condition[0].labels
    number = np.tile(np.arange(40), CLASSES)
    return subset(found, number < np.array([40, 25, 9, 4])[labels])


def subset(found: Predictions, chosen: np.ndarray) -> Predictions:
    """Return the predictions of some images, by their indices or a mask."""
    parts = tuple(
        ConditionPredictions(*(part[chosen] for part in (old.labels, old.predicted, old.corrected)))  # type: ignore[index]
        for old in found.per_condition
    )
    return replace(found, per_condition=parts, sample_ids=np.array(found.sample_ids)[chosen].tolist())


def assert_same(first: Evidence, second: Evidence, order: list[int]) -> None:
    """Check that all evidence on class i of the second is that on class order[i] of the first."""
    for field in fields(Share):
        for ablation, share in first.shares.items():
            found = getattr(second.shares[ablation], field.name)
            np.testing.assert_allclose(found, getattr(share, field.name)[order], err_msg=field.name)
    for name in ("images", "explainable", "recognized", "chance", "fewest", "mistaken"):
        np.testing.assert_allclose(getattr(second, name), getattr(first, name)[order], err_msg=name)
    for cue in Cue:
        np.testing.assert_allclose(second.q[cue], first.q[cue][order])
    assert [second.sinks[at] for at in range(CLASSES)] == [first.sinks[at] for at in order]


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 1000), st.permutations(range(CLASSES)), st.booleans())
def test_evidence_follows_the_classes_to_their_new_numbers(seed: int, order: list[int], paired: bool) -> None:
    found = replace(uneven(seed), paired=paired)
    new = np.full(len(found.output_names), -1)
    new[order] = np.arange(CLASSES)
    new[CLASSES:] = np.arange(CLASSES, len(new))
    renamed = tuple(
        ConditionPredictions(new[old.labels], new[old.predicted], np.where(old.corrected < 0, -1, new[old.corrected]))  # type: ignore[operator]
        for old in found.per_condition
    )
    assert_same(gather(found, 0.95), gather(replace(found, per_condition=renamed), 0.95), order)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1000), st.booleans())
def test_evidence_does_not_depend_on_the_order_of_the_images(seed: int, paired: bool) -> None:
    found = replace(uneven(seed), paired=paired)
    shuffled = subset(found, np.random.default_rng(seed).permutation(len(found.sample_ids)))
    assert_same(gather(found, 0.95), gather(shuffled, 0.95), list(range(CLASSES)))


@pytest.mark.parametrize("paired", [True, False])
def test_more_of_the_same_images_keep_the_shares_and_narrow_their_intervals(paired: bool) -> None:
    found = replace(rough(2), paired=paired)
    once = gather(found, 0.95)
    three = gather(subset(found, np.tile(np.arange(len(found.sample_ids)), 3)), 0.95)
    assert three.images.tolist() == (3 * once.images).tolist()
    assert np.abs(three.explainable - 3 * once.explainable).max() <= 1
    for ablation, share in once.shares.items():
        more = three.shares[ablation]
        for name in ("kept", "stays", "unaided", "raw"):
            np.testing.assert_allclose(getattr(more, name), getattr(share, name))
        np.testing.assert_allclose(more.of, 3 * share.of)
        known = ~np.isnan(share.kept)
        assert (more.low >= share.low - 1e-9)[known].all()
        assert (more.high <= share.high + 1e-9)[known].all()
        if paired:
            # The ratio of two close rates may be anything, with three times the images, too.
            assert ((more.high - more.low) < (share.high - share.low))[known].all()


@pytest.mark.parametrize("seed", range(2))
def test_the_network_s_own_shares_are_those_of_a_plain_loop(seed: int) -> None:
    """Without the correction an image counts as right, and as explainable, by the network's own prediction."""
    found = uneven(seed)
    evidence = gather(found, 0.95)
    rows = {ablation: row for row, ablation in enumerate(EVERY, start=1)}

    def right(row: int, image: int) -> bool:
        return bool(found.per_condition[row].predicted[image] == found.per_condition[row].labels[image])

    for index, (ablation, share) in product(range(CLASSES), evidence.shares.items()):
        members = np.flatnonzero(found.per_condition[0].labels == index)
        sham = rows[SHAM[Cue.SHAPE]] if ablation in TILED else 0
        base = [image for image in members if right(0, image) and right(sham, image)]
        stays = [right(rows[ablation], image) for image in base]
        raw = [right(rows[ablation], image) for image in base if not right(rows[ALL_REMOVED], image)]
        assert share.unaided[index] == pytest.approx(sum(stays) / len(stays) if stays else np.nan, nan_ok=True)
        assert share.raw[index] == pytest.approx(sum(raw) / len(raw) if raw else np.nan, nan_ok=True)


@pytest.mark.parametrize("seed", range(2))
def test_other_images_are_tested_by_fisher_s_sums(seed: int) -> None:
    """P(at least so many of the right images are among those of the sham), summed with binomial coefficients."""
    found = replace(uneven(seed), paired=False)
    rows = {ablation: row for row, ablation in enumerate(EVERY, start=1)}
    wanted = {}
    for cue in Cue:
        sham, ablation = rows[SHAM[cue]], rows[PRIMARY_ABLATION[cue]]
        p = []
        for index in range(CLASSES):
            n, m = (int((found.per_condition[row].labels == index).sum()) for row in (sham, ablation))
            k, j = (
                int(found.corrected_right(row)[found.per_condition[row].labels == index].sum())
                for row in (sham, ablation)
            )
            ways = [math.comb(n, hits) * math.comb(m, k + j - hits) for hits in range(k, min(n, k + j) + 1)]
            p.append(sum(ways) / math.comb(n + m, k + j))
        wanted[cue] = np.array(p)
    for cue, rates in adjusted(wanted).items():
        np.testing.assert_allclose(gather(found, 0.95).q[cue], rates)


def test_the_fewest_images_are_those_of_the_smallest_primary_ablation() -> None:
    found = replace(predictions([{}] * 2, images=30), paired=False)
    parts = list(found.per_condition)
    row = 1 + EVERY.index(PRIMARY_ABLATION[Cue.TEXTURE])
    other = 1 + EVERY.index(SINGLE_CUE[Cue.COLOR])
    for at, kept in ((row, 12), (other, 3)):
        old = parts[at]
        some = np.r_[0:kept, 30:60]
        parts[at] = ConditionPredictions(old.labels[some], old.predicted[some], old.corrected[some])  # type: ignore[index]
    evidence = gather(replace(found, per_condition=tuple(parts)), 0.95)
    # A cue alone decides nothing about whether there are enough images.
    assert evidence.fewest.tolist() == [12, 30]
    assert evidence.images.tolist() == [30, 30]
    assert evidence.shares[PRIMARY_ABLATION[Cue.TEXTURE]].of.tolist() == [12, 30]


@pytest.mark.parametrize(("corrected", "guessing"), [(True, 1 / 2), (False, 1 / 7)])
def test_a_guess_is_any_output_where_no_prior_corrects_it(corrected: bool, guessing: float) -> None:
    """Two classes of one size and seven outputs: what stays, beyond that guessing, is distinct."""
    color = PRIMARY_ABLATION[Cue.COLOR]
    found = predictions([{color: 0.8}] * 2, clean=1.0)
    if not corrected:
        parts = tuple(replace(old, corrected=None) for old in found.per_condition)
        found = replace(found, per_condition=parts)
    distinct = gather(found, 0.95).shares[color].distinct
    assert distinct == pytest.approx(np.full(2, (0.8 - guessing) / (1 - guessing)))


def test_of_a_lone_class_the_distinct_share_is_unknown() -> None:
    evidence = gather(predictions([{PRIMARY_ABLATION[Cue.COLOR]: 0.8}]), 0.95)
    assert all(np.isnan(share.distinct).all() for share in evidence.shares.values())
    assert evidence.shares[PRIMARY_ABLATION[Cue.COLOR]].kept.shape == (1,)


def test_without_perturbations_there_are_neither_shares_nor_sinks() -> None:
    evidence = gather(predictions([{}] * 2, ablations=(), side=None), 0.95)
    assert (evidence.shares, evidence.q, evidence.sinks, evidence.side) == ({}, {}, (None, None), None)
    # Nothing removes all cues: every image that is recognized may be explained.
    assert evidence.explainable.tolist() == [57, 57]


@pytest.mark.parametrize("seed", range(2))
def test_a_class_s_sink_is_the_condition_with_the_largest_multiple_of_its_images(seed: int) -> None:
    found = uneven(seed)
    for index, sink in enumerate(gather(found, 0.95).sinks):
        ratios = [(old.predicted == index).sum() / (old.labels == index).sum() for old in found.per_condition[1:]]
        assert sink is not None
        assert sink[1] == pytest.approx(max(ratios))
        assert sink[0] == found.conditions[1 + ratios.index(max(ratios))]


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("confidence", [0.55, 0.9, 0.97])
def test_more_confidence_widens_every_interval(confidence: float, paired: bool) -> None:
    found = replace(uneven(4), paired=paired)
    narrow, wide = gather(found, confidence), gather(found, confidence + 0.015)
    for ablation, share in narrow.shares.items():
        more = wide.shares[ablation]
        known = ~np.isnan(share.kept)
        np.testing.assert_array_equal(more.kept, share.kept)
        assert (more.low <= share.low)[known].all()
        assert (more.high >= share.high)[known].all()
        if paired:
            assert ((more.high - more.low) > (share.high - share.low))[known].all()


@pytest.mark.parametrize("number", [9, 20])
def test_a_part_of_the_images_gives_what_it_gives_alone(number: int) -> None:
    found = rough(3)
    seen = first_of_class(found, number)
    evidence, other = gather(part_of(found, seen), 0.95), gather(alone(found, seen), 0.95)
    for ablation, share in other.shares.items():
        for entry in fields(Share):
            np.testing.assert_allclose(getattr(evidence.shares[ablation], entry.name), getattr(share, entry.name))
    for cue, q in other.q.items():
        np.testing.assert_array_equal(evidence.q[cue], q)
    assert evidence.explainable.tolist() == other.explainable.tolist()
    assert evidence.fewest.tolist() == [number] * CLASSES
    assert [(str(entry[0]), entry[1]) for entry in evidence.sinks] == [  # type: ignore[index]
        (str(entry[0]), pytest.approx(entry[1]))
        for entry in other.sinks  # type: ignore[index]
    ]
    # All are known clean.
    whole = gather(found, 0.95)
    for name in ("images", "recognized", "chance", "rival", "mistaken"):
        np.testing.assert_array_equal(getattr(evidence, name), getattr(whole, name))


def test_shares_are_of_the_images_that_were_seen_under_every_ablation() -> None:
    found = rough(4)
    few, more = first_of_class(found, 12), first_of_class(found, 25)
    clean, first, *others = part_of(found, more).per_condition
    least = part_of(found, few)
    mixed = replace(found, per_condition=(clean, least.per_condition[1], *others))
    np.testing.assert_array_equal(
        [share.kept for share in gather(mixed, 0.95).shares.values()],
        [share.kept for share in gather(least, 0.95).shares.values()],
    )
    assert not np.array_equal(first.seen, least.per_condition[1].seen)
