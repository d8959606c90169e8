"""Comparisons of two profiles: planted differences are found, images are paired where they are the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cuesense import compare
from cuesense.errors import CuesenseError, DatasetError, SettingsError
from cuesense.schemas.profile import Profile
from cuesense.stats.intervals import independent, mover_interval, newcombe
from cuesense.types import BudgetStatus, Cue, CueVerdict
from tests.helpers.model_pairs import CLASSES, JITTER, folder, labels_of, predictions, simple
from tests.helpers.parts_of_images import first_of_class, part_of
from tests.helpers.profiles import profile

LABELS = labels_of(40)
GOOD = np.arange(120) % 40 < 36
CROP = "random_resized_crop"


def losing(label: int, images: int) -> np.ndarray:
    """Return recognized images as in GOOD but for the first images of one class."""
    return GOOD & ~((label == LABELS) & (np.arange(120) % 40 < images))


def changed(found: Profile, **more: object) -> Profile:
    return found.model_copy(update=more)


def test_a_planted_loss_is_found_in_its_class_alone(tmp_path: Path) -> None:
    a, b = simple(tmp_path / "a", LABELS, GOOD), simple(tmp_path / "b", LABELS, losing(1, 15))
    found = compare(a, b)
    assert found.paired
    assert all(warning.startswith(("In both: ", "A ('", "B ('")) for warning in found.warnings)
    assert [entry.name for entry in found.classes] == list(CLASSES)
    assert [entry.accuracy.value for entry in found.classes] == pytest.approx([0, -15 / 40, 0])
    assert [(entry.accuracy.q or 1) <= 0.05 for entry in found.classes] == [False, True, False]
    bee = found.classes[1].accuracy
    low, high = newcombe(36, 15, 0, 40, 0.95)
    assert (bee.lost, bee.gained, bee.low, bee.high) == pytest.approx((15, 0, -high, -low))
    assert bee.p == pytest.approx(2**-14)
    assert bee.q == pytest.approx(3 * 2**-14)
    assert found.accuracy.value == pytest.approx(-15 / 120)
    assert found.accuracy.q is None
    assert found.worst_class_change == pytest.approx(-15 / 40)


def test_an_augmentation_is_compared_at_the_strongest_common_value(tmp_path: Path) -> None:
    weak, strong = losing(0, 4), losing(0, 20)
    a = folder(tmp_path / "a", predictions(LABELS, GOOD, {0.2: [GOOD], 0.4: [GOOD], 0.8: [strong]}))
    b = folder(tmp_path / "b", predictions(LABELS, GOOD, {0.1: [strong], 0.2: [strong], 0.4: [weak]}))
    found = compare(a, b)
    assert found.doses[JITTER].value == 0.4
    assert found.paired
    assert found.classes[0].accuracy.value == 0
    assert found.classes[0].under[JITTER].value == pytest.approx(-4 / 40)
    (a / "predictions.parquet").unlink()
    alone = compare(a, b)
    assert not alone.paired
    assert "no predictions.parquet lies beside" in alone.warnings[0]
    under = alone.classes[0].under[JITTER]
    assert (under.value, under.lost) == (pytest.approx(-4 / 40), None)
    assert (under.p or 0) > (found.classes[0].under[JITTER].p or 1)


def test_repeats_are_means(tmp_path: Path) -> None:
    a = folder(tmp_path / "a", predictions(LABELS, GOOD, {0.8: [GOOD, GOOD]}))
    b = folder(tmp_path / "b", predictions(LABELS, GOOD, {0.8: [GOOD, losing(2, 10), losing(2, 10)]}))
    under = compare(a, b).classes[2].under[JITTER]
    assert (under.lost, under.gained) == pytest.approx((20 / 3, 0))
    assert under.p == pytest.approx(2**-9)


def test_images_are_matched_by_their_ids(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(120)
    right = np.random.default_rng(1).random(120) < 0.5
    a = simple(tmp_path / "a", LABELS, right)
    b = folder(tmp_path / "b", predictions(LABELS, right, {0.8: [right]}, order=order))
    found = compare(a, b)
    assert found.paired
    assert [entry.accuracy.lost for entry in found.classes] == [0, 0, 0]


def test_other_images_are_independent_samples(tmp_path: Path) -> None:
    a, b = simple(tmp_path / "a", LABELS, GOOD), simple(tmp_path / "b", labels_of(30), np.arange(90) % 30 < 20)
    found = compare(a, b)
    assert not found.paired
    assert "because the images or their labels differ" in found.warnings[0]
    assert (found.classes[0].images_a, found.classes[0].images_b) == (40, 30)
    assert found.classes[0].accuracy.value == pytest.approx(20 / 30 - 36 / 40)


def test_predictions_of_another_model_are_not_taken(tmp_path: Path) -> None:
    a, b = simple(tmp_path / "a", LABELS, GOOD), simple(tmp_path / "b", LABELS, losing(0, 9))
    (b / "predictions.parquet").write_bytes((a / "predictions.parquet").read_bytes())
    found = compare(a, b)
    assert "is not that of its profile" in found.warnings[0]
    assert found.classes[0].accuracy.value == pytest.approx(-9 / 40)
    (b / "predictions.parquet").write_bytes(b"PAR1 cut")
    with pytest.raises(DatasetError, match="readable"):
        compare(a, b)


def test_classes_are_matched_by_name_in_any_order(tmp_path: Path) -> None:
    a = simple(tmp_path / "a", LABELS, losing(0, 10))
    turned = np.repeat([2, 1, 0], 40)
    b = folder(tmp_path / "b", predictions(turned, losing(0, 10), {0.8: [GOOD]}, classes=CLASSES[::-1]))
    found = compare(a, b)
    assert found.paired
    assert [entry.accuracy.value for entry in found.classes] == [0, 0, 0]
    assert found.classes[0].accuracy.a == pytest.approx(26 / 40)


def same_fingerprint(a: Path, b: Path) -> None:
    """Say that two profiles are of one dataset."""
    known, other = (Profile.read(path).provenance.dataset.fingerprint for path in (a, b))
    text = (b / "profile.json").read_text(encoding="utf-8")
    (b / "profile.json").write_text(text.replace(other, known), encoding="utf-8")


def test_images_with_other_ids_are_others_whatever_the_fingerprint(tmp_path: Path) -> None:
    a = simple(tmp_path / "a", LABELS, GOOD)
    other = predictions(LABELS, GOOD, {0.8: [GOOD]})
    b = folder(tmp_path / "b", replace(other, sample_ids=[f"other {name}" for name in other.sample_ids]))
    same_fingerprint(a, b)
    found = compare(a, b)
    assert not found.paired
    assert "the images or their labels differ" in found.warnings[0]


def test_reliance_is_compared_by_the_intervals_of_both() -> None:
    a, b = profile(3), profile(3, seed=1)
    empty = {**b.classes[1].reliance, Cue.COLOR: b.classes[1].reliance[Cue.COLOR].model_copy(update={"low": None})}
    b = changed(b, classes=[b.classes[0], b.classes[1].model_copy(update={"reliance": empty}), b.classes[2]])
    found = compare(a, b).classes
    for cue in Cue:
        first, second = (entry.classes[0].reliance[cue] for entry in (a, b))
        parts = [[np.array([getattr(part, key)]) for key in ("value", "low", "high")] for part in (second, first)]
        low, high = mover_interval(*parts)
        change = found[0].reliance[cue]
        assert (change.low, change.high) == pytest.approx((low[0], high[0]))
        assert change.value == pytest.approx(second.value - first.value)  # type: ignore[operator]
    assert found[1].reliance[Cue.COLOR].low is None
    assert found[1].reliance[Cue.COLOR].value is not None


def test_mover_is_zou_and_donner_s_formula() -> None:
    """Their equations, and symmetric intervals give the usual root of the summed squares."""
    low, high = mover_interval(
        [np.array([0.5]), np.array([0.2]), np.array([0.8])], [np.array([0.3]), np.array([-0.1]), np.array([0.7])]
    )
    assert (low[0], high[0]) == pytest.approx((-0.3, 0.7))
    low, high = mover_interval(
        [np.array([0.5]), np.array([0.4]), np.array([0.9])], [np.array([0.3]), np.array([0.27]), np.array([0.5])]
    )
    assert low[0] == pytest.approx(0.2 - np.hypot(0.1, 0.2))
    assert high[0] == pytest.approx(0.2 + np.hypot(0.4, 0.03))


def _with_budget(found: Profile, status: BudgetStatus, value: float | None) -> Profile:
    budget = found.classes[0].budgets[CROP].model_copy(update={"status": status, "value": value})
    first = found.classes[0].model_copy(update={"budgets": {CROP: budget}})
    return changed(found, classes=[first, *found.classes[1:]])


UNLIMITED, LIMITED, NONE, UNDETERMINED = (
    BudgetStatus(name) for name in ("unlimited", "limited", "none", "undetermined")
)


@pytest.mark.parametrize(
    ("a", "b", "change"),
    [
        ((LIMITED, 0.4), (LIMITED, 0.2), "stronger"),
        ((LIMITED, 0.2), (LIMITED, 0.4), "weaker"),
        ((NONE, None), (LIMITED, 0.7), "stronger"),
        ((LIMITED, 0.7), (NONE, None), "weaker"),
        ((NONE, None), (NONE, None), "same"),
        ((LIMITED, 0.4), (LIMITED, 0.4), "same"),
        ((UNDETERMINED, None), (LIMITED, 0.4), "unknown"),
        ((UNLIMITED, 0.4), (LIMITED, 0.2), "unknown"),
        ((UNLIMITED, 0.2), (LIMITED, 0.4), "weaker"),
    ],
)
def test_crop_is_stronger_the_smaller_it_is(a: tuple, b: tuple, change: str) -> None:
    base = profile(3)
    pair = _with_budget(base, *a), _with_budget(base, *b)
    assert compare(*pair).classes[0].budgets[CROP].change == change
    other = changed(pair[1], policy=base.policy.model_copy(update={"tolerance": 0.2}))
    found = compare(pair[0], other)
    assert found.classes[0].budgets[CROP].change == "unknown"
    assert any("0.05 and 0.2" in warning for warning in found.warnings)


def test_labels_that_changed_are_counted() -> None:
    a = profile(3)
    cue = CueVerdict.MIXED if a.classes[0].cue is not CueVerdict.MIXED else CueVerdict.COLOR
    b = changed(a, classes=[a.classes[0].model_copy(update={"cue": cue}), *a.classes[1:]])
    found = compare(a, b)
    assert found.labels_changed == 1
    assert found.classes[0].label.changed
    assert not found.classes[1].label.changed


def test_what_does_not_fit_is_one_sentence(tmp_path: Path) -> None:
    a = profile(3)
    twice = changed(a, classes=[*a.classes[:2], a.classes[2].model_copy(update={"name": "tench"})])
    sure = changed(a, policy=a.policy.model_copy(update={"confidence": 0.9}))
    for other, said in ((profile(4), "with school bus"), (profile(2), "without goldfish"), (twice, "tench twice")):
        with pytest.raises(SettingsError, match=said):
            compare(a, other)
    with pytest.raises(SettingsError, match="the confidence"):
        compare(a, sure)
    with pytest.raises(CuesenseError, match="no file at"):
        compare(tmp_path / "none.json", a)


def test_augmentations_that_only_one_measured_are_named() -> None:
    a = profile(3)
    b = changed(a, curves=[curve for curve in a.curves if curve.perturbation != "random_rotation"])
    found = compare(a, b)
    assert "random_rotation" not in found.doses
    assert any("no common value: random rotation" in warning for warning in found.warnings)


def warned(found: Profile, *warnings: str) -> Profile:
    return changed(found, summary=found.summary.model_copy(update={"warnings": list(warnings)}))


def test_warnings_of_both_profiles_are_repeated_with_the_model_they_are_about() -> None:
    plain = changed(profile(3), provenance=profile(3).provenance.model_copy(update={"assumptions": []}))
    a = warned(plain, "Names seem exchanged.", "200 of 240 are copies.", "Sink classes, onto which: tench.")
    b = warned(plain, "200 of 240 are copies.", "Outputs are probabilities.")
    assert compare(a, b).warnings[-3:] == [
        "In both: 200 of 240 are copies.",
        "A ('torchvision:resnet18'): Names seem exchanged.",
        "B ('torchvision:resnet18'): Outputs are probabilities.",
    ]
    assert not any("Sink" in warning for warning in compare(a, b).warnings)


def test_an_adaptive_run_is_compared_under_augmentations_as_independent_samples_of_its_part(tmp_path: Path) -> None:
    """Under jitter the bees lose 15 of 40, of which the first 20 were seen: 36/40 - 15/20."""
    whole = predictions(LABELS, GOOD, {0.8: [losing(1, 15)]})
    a = folder(tmp_path / "full", whole)
    b = folder(tmp_path / "adaptive", part_of(whole, first_of_class(whole, 20)))
    found = compare(a, b)
    said = "Under color jitter, images are compared as independent samples, because an adaptive run did not look at all"
    assert sum(warning.startswith(said) for warning in found.warnings) == 1
    assert not any("as independent samples" in warning for warning in compare(a, a).warnings)
    assert found.paired
    assert [entry.accuracy.lost for entry in found.classes] == [0, 0, 0]
    bees = found.classes[1].under[JITTER]
    assert (bees.a, bees.b) == (pytest.approx(21 / 40), pytest.approx(36 / 40 - 15 / 20))
    assert (bees.lost, bees.gained) == (None, None)
    low, high = independent(21, 40, 3, 20, 0.95)
    assert (bees.low, bees.high) == (pytest.approx(-high), pytest.approx(-low))
