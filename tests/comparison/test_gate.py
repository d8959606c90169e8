"""The gate: planted losses are caught, chance is not, and every mistake is one sentence."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense import check
from cuesense.errors import SettingsError
from cuesense.schemas.gate import GateResult
from cuesense.schemas.profile import Profile, UnpairedCounts
from cuesense.stats.intervals import tango
from tests.helpers.model_pairs import JITTER, folder, labels_of, predictions, simple
from tests.helpers.partly_seen import jitter_alone
from tests.helpers.profiles import NAMES, profile

LABELS = labels_of(40)
GOOD = np.arange(120) % 40 < 36


def losing(label: int, images: int) -> np.ndarray:
    return GOOD & ~((label == LABELS) & (np.arange(120) % 40 < images))


@cache
def made(classes: int, images: int) -> Profile:
    """Return a profile whose counts are then replaced; the simulations need it hundreds of times."""
    return profile(classes, images=images)


def counted(correct: np.ndarray, n: int) -> Profile:
    """Return a profile of these clean counts, with no predictions beside it."""
    base = made(len(correct), n)
    entries = zip(base.classes, correct.tolist(), strict=True)
    return base.model_copy(
        update={"classes": [entry.model_copy(update={"clean_accuracy": right / n}) for entry, right in entries]}
    )


def own(lost: list[int], gained: list[int] | None = None, repeats: int = 1, images: int = 40) -> Profile:
    """Return a profile of three classes, all recognized, with one augmentation that loses these image-repeats."""
    base = profile(3, images=images)
    curve = next(curve for curve in base.curves if curve.perturbation == JITTER)
    counts = {"clean_correct": [images - 5] * 3, "repeats": repeats}
    ladder = {"lost": [[0] * 3] * 3 + [lost], "gained": [[0] * 3] * 3 + [gained or [0] * 3]}
    return base.model_copy(update={"curves": [curve.model_copy(update=counts | ladder)]})


def own_notes(found: GateResult) -> list[str]:
    """Return the notes without the warnings of the profiles."""
    return [note for note in found.notes if not note.startswith("Warning in '")]


def test_the_same_model_holds(tmp_path: Path) -> None:
    a = simple(tmp_path / "a", LABELS, GOOD)
    found = check(a, baseline=a, max_drop=0.0, max_worst_class_loss=0.0)
    assert found.holds
    assert [(result.rule, result.paired, result.tested) for result in found.results] == [
        ("max-drop", True, 1),
        ("max-worst-class-loss", True, 3),
    ]
    assert own_notes(found) == []


def test_a_class_that_breaks_is_caught_where_the_average_holds(tmp_path: Path) -> None:
    a, b = simple(tmp_path / "a", LABELS, GOOD), simple(tmp_path / "b", LABELS, losing(1, 15))
    found = check(b, baseline=a, max_drop=0.13, max_worst_class_loss=0.2)
    overall, worst = found.results
    assert (overall.holds, worst.holds, found.holds) == (True, False, False)
    assert overall.worst.loss == pytest.approx(15 / 120)
    (violation,) = worst.violations
    assert violation.name == "bee"
    assert violation.loss == pytest.approx(15 / 40)
    assert 0 < violation.low < violation.loss < violation.high
    assert (violation.images, violation.reference_images) == (40, 40)
    assert check(a, baseline=b, max_drop=0.0, max_worst_class_loss=0.0).holds


def test_a_loss_of_exactly_the_limit_is_allowed(tmp_path: Path) -> None:
    a, b = simple(tmp_path / "a", LABELS, GOOD), simple(tmp_path / "b", LABELS, losing(1, 12))
    assert check(b, baseline=a, max_worst_class_loss=0.3).holds
    assert check(b, baseline=a, max_drop=0.1).holds
    assert check(b, baseline=a, max_worst_class_loss=0.3 - 0.9e-9).holds
    assert not check(b, baseline=a, max_worst_class_loss=0.3 - 1.1e-9).holds


def test_the_level_is_shared_among_rules_classes_and_augmentations(tmp_path: Path) -> None:
    a = simple(tmp_path / "a", LABELS, GOOD)
    both = check(a, baseline=a, max_drop=0.1, max_worst_class_loss=0.1)
    assert [result.confidence for result in both.results] == pytest.approx([1 - 0.05 / 2, 1 - 0.05 / 6])
    alone = check(a, baseline=a, max_worst_class_loss=0.1)
    assert [result.confidence for result in alone.results] == pytest.approx([1 - 0.05 / 3])
    augmented = check(profile(3), max_drop=0.9)
    assert [result.confidence for result in augmented.results] == pytest.approx([1 - 0.05 / 6] * 6)


def test_an_uncertain_loss_is_noted_and_no_violation(tmp_path: Path) -> None:
    a, b = simple(tmp_path / "a", LABELS, GOOD), simple(tmp_path / "b", LABELS, losing(2, 5))
    found = check(b, baseline=a, max_worst_class_loss=0.1)
    assert found.holds
    (uncertain,) = found.results[0].uncertain
    assert (uncertain.name, uncertain.loss) == ("cow", pytest.approx(5 / 40))
    assert uncertain.low <= 0
    certain = check(b, baseline=a, max_drop=0.02).results[0]
    assert (len(certain.violations), certain.uncertain) == (1, [])


def test_pairs_catch_what_independent_images_leave_to_chance(tmp_path: Path) -> None:
    a, b = simple(tmp_path / "a", LABELS, GOOD), simple(tmp_path / "b", LABELS, losing(0, 8))
    assert not check(b, baseline=a, max_worst_class_loss=0.1).holds
    (b / "predictions.parquet").unlink()
    found = check(b, baseline=a, max_worst_class_loss=0.1)
    assert found.holds
    assert not found.results[0].paired
    assert "as independent samples" in found.notes[0]


@pytest.mark.parametrize("images", [6, 15, 40])
def test_equal_models_are_refused_in_at_most_one_of_twenty_cases(images: int) -> None:
    """Simulated: both models draw every prediction anew, twelve classes, limits of 0, so that only chance decides."""
    rng = np.random.default_rng(images)
    runs, refused = 300, 0
    for _ in range(runs):
        a, b = (counted(rng.binomial(images, 0.8, 12), images) for _ in range(2))
        refused += not check(b, baseline=a, max_drop=0.0, max_worst_class_loss=0.0).holds
    assert refused / runs <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5


def test_equal_models_of_the_same_images_are_refused_as_rarely(tmp_path: Path) -> None:
    rng, labels = np.random.default_rng(5), labels_of(8)
    runs, refused = 60, 0
    for run in range(runs):
        hard = rng.random(24) < 0.3
        pair = [simple(tmp_path / f"{run}{name}", labels, np.where(hard, rng.random(24) < 0.5, True)) for name in "ab"]
        refused += not check(pair[1], baseline=pair[0], max_drop=0.0, max_worst_class_loss=0.0).holds
    assert refused / runs <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5


def test_without_a_baseline_augmentations_stand_against_clean_images() -> None:
    found = check(own([0, 15, 2]), max_drop=0.1, max_worst_class_loss=0.3)
    overall, worst = found.results
    assert (overall.augmentation, overall.value) == (JITTER, 0.8)
    assert overall.worst.loss == pytest.approx(17 / 120)
    assert [violation.name for violation in worst.violations] == [NAMES[1]]
    assert found.baseline is None
    assert check(own([0, 15, 2]), max_drop=0.15, max_worst_class_loss=0.4).holds


def test_repeats_count_as_one_image() -> None:
    once, thrice = (check(own([5 * r, 15 * r, 2 * r], repeats=r), max_drop=0.1) for r in (1, 3))
    assert once.results == thrice.results


def test_perturbed_images_of_their_own_are_independent() -> None:
    base = own([0, 0, 0])
    other = UnpairedCounts(n=[[20] * 3] * 4, correct=[[18] * 3] * 3 + [[18, 2, 18]])
    source = base.model_copy(update={"curves": [base.curves[0].model_copy(update={"unpaired": other})]})
    (result,) = check(source, max_worst_class_loss=0.2).results
    assert not result.paired
    (violation,) = result.violations
    assert (violation.name, violation.images, violation.reference_images) == (NAMES[1], 20, 40)
    assert violation.loss == pytest.approx(35 / 40 - 2 / 20)


def test_violations_come_with_the_largest_loss_first() -> None:
    (result,) = check(own([20, 30, 25]), max_worst_class_loss=0.1).results
    assert [violation.name for violation in result.violations] == [NAMES[1], NAMES[2], NAMES[0]]
    assert result.worst == result.violations[0]


def test_classes_without_images_are_named_and_not_tested() -> None:
    a, b = (profile(4, empty=1, seed=seed) for seed in (0, 1))
    found = check(b, baseline=a, max_worst_class_loss=0.99)
    assert found.results[0].tested == 3
    assert f"not tested: {NAMES[3]}." in found.notes[-1]
    with pytest.raises(SettingsError, match="at least two images"):
        check(profile(3, empty=3), max_drop=0.1)


def test_the_confidence_is_the_profile_s(tmp_path: Path) -> None:
    found = predictions(LABELS, losing(1, 7), {0.8: [GOOD]})
    a = folder(tmp_path / "a", predictions(LABELS, GOOD, {0.8: [GOOD]}), confidence=0.99999)
    b = folder(tmp_path / "b", found, confidence=0.99999)
    assert check(b, baseline=a, max_worst_class_loss=0.0).holds
    assert check(b, baseline=a, max_worst_class_loss=0.0).confidence == 0.99999


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({}, "Give max_drop"),
        ({"max_drop": 1.0}, "max_drop to be a fraction"),
        ({"max_drop": -0.1}, "but got -0.1"),
        ({"max_worst_class_loss": float("nan")}, "max_worst_class_loss"),
        ({"max_drop": 0.1, "baseline": profile(4)}, "the classes of"),
    ],
)
def test_mistakes_are_one_sentence(rules: dict, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        check(profile(3), **rules)


def test_a_profile_without_augmentations_needs_a_baseline() -> None:
    bare = profile(3).model_copy(update={"curves": []})
    with pytest.raises(SettingsError, match="Name a baseline"):
        check(bare, max_drop=0.1)
    assert check(bare, baseline=bare, max_drop=0.1).holds


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=3, max_size=3), st.floats(0, 0.6))
def test_every_class_is_held_uncertain_or_a_violation_by_its_loss_and_its_bound(lost: list[int], limit: float) -> None:
    """Three classes of 40 images against their own clean accuracy, by Tango's bound and McNemar's exact test."""
    (result,) = check(own(lost), max_worst_class_loss=limit).results
    level = 1 - 0.05 / 3
    expected: dict[str, list[str]] = {"violations": [], "uncertain": []}
    for name, images in sorted(zip(NAMES, lost, strict=False), key=lambda pair: -pair[1]):
        certain = 0.5**images <= 1 - level and tango(images, 0, 40, level)[0] > 0
        if images / 40 > limit + 1e-9:
            expected["violations" if certain else "uncertain"].append(name)
    assert [entry.name for entry in result.violations] == expected["violations"]
    assert [entry.name for entry in result.uncertain] == expected["uncertain"]
    assert result.holds == (not expected["violations"])
    assert result.confidence == pytest.approx(level)
    assert result.worst.loss == pytest.approx(max(lost) / 40)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=3, max_size=3), st.permutations(range(3)))
def test_the_order_of_the_classes_changes_no_finding(lost: list[int], order: list[int]) -> None:
    """All classes have as many images and hits, so that only the losses and the names move."""
    (first,) = check(own(lost), max_worst_class_loss=0.2).results
    (other,) = check(own([lost[index] for index in order]), max_worst_class_loss=0.2).results
    losses = [[(entry.loss, entry.low, entry.high) for entry in result.violations] for result in (first, other)]
    assert losses[0] == losses[1]
    assert {entry.name for entry in other.violations} == {
        NAMES[order.index(NAMES.index(entry.name or ""))] for entry in first.violations
    }


@pytest.mark.parametrize(("images", "violated"), [(5, False), (6, True)])
def test_a_class_of_three_is_certain_from_six_lost_images_on(images: int, violated: bool) -> None:
    """McNemar's p of five lost images is 1/32, above 0.05 / 3; that of six is 1/64, below it."""
    (result,) = check(own([images, 0, 0]), max_worst_class_loss=0.0).results
    assert bool(result.violations) == violated
    assert bool(result.uncertain) != violated


def test_gains_hide_no_class_and_are_losses_below_zero() -> None:
    found = check(own([0, 20, 0], [5, 0, 5]), max_drop=0.0, max_worst_class_loss=0.4)
    overall, worst = found.results
    assert overall.worst.loss == pytest.approx((20 - 10) / 120)
    assert worst.worst.name == NAMES[1]
    (gaining,) = check(own([0, 0, 0], [5, 5, 5]), max_drop=0.0).results
    assert gaining.worst.loss == pytest.approx(-15 / 120)
    assert gaining.holds
    assert gaining.uncertain == []


@pytest.mark.parametrize("limit", [0.0, 0.999])
def test_limits_are_fractions_with_their_lower_end(limit: float) -> None:
    assert check(own([0, 0, 0]), max_drop=limit).results[0].limit == limit
    with pytest.raises(SettingsError) as caught:
        check(own([0, 0, 0]), max_drop=limit + 1)
    assert str(caught.value) == (
        f"Expected max_drop to be a fraction, at least 0 and below 1, but got {limit + 1:g}. Choose a number inside."
    )


@pytest.mark.parametrize(("images", "tested"), [(1, 2), (2, 3)])
def test_a_class_is_tested_from_two_images_on(images: int, tested: int) -> None:
    base = own([0, 15, 0])
    (curve,) = base.curves
    small = curve.model_copy(update={"n": [images, 40, 40], "clean_correct": [images, 35, 35]})
    found = check(base.model_copy(update={"curves": [small]}), max_worst_class_loss=0.2)
    assert found.results[0].tested == tested
    assert found.results[0].confidence == pytest.approx(1 - 0.05 / tested)
    note = f"Classes of fewer than two images are not tested: {NAMES[0]}."
    assert own_notes(found) == ([note] if images == 1 else [])
    assert not found.holds


def test_a_limit_that_is_no_number_is_one_sentence() -> None:
    with pytest.raises(SettingsError, match="Expected max_drop to be a fraction, at least 0 and below 1, but got 'a'"):
        check(own([0, 0, 0]), max_drop="a")  # type: ignore[arg-type]


def test_a_loss_on_a_part_of_the_images_is_a_share_of_the_part() -> None:
    """Of 20 and 10 images 8 and 2 are lost: .4 and .2, and .3 of all, as both classes have 80 images."""
    whole, classes = check(jitter_alone(), max_drop=0.1, max_worst_class_loss=0.1).results
    assert (whole.worst.loss, whole.worst.images) == (pytest.approx(0.3), 30)
    assert (classes.worst.loss, classes.worst.images, classes.worst.reference_images) == (pytest.approx(0.4), 20, 20)
    low, high = map(float, tango(8, 0, 20, classes.confidence))
    assert (classes.worst.low, classes.worst.high) == pytest.approx((low, high))
    assert [entry.name for entry in classes.violations] == [NAMES[0]]
    assert [entry.loss for entry in classes.uncertain] == [pytest.approx(0.2)]
