"""Two profiles side by side: the order of the classes, common severities of different ladders, images of both."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.comparison.pairing import (
    PREDICTIONS,
    CommonSeverity,
    Pair,
    Source,
    augmentations,
    is_profile,
    perturbed_counts,
    severities,
)
from cuesense.errors import SettingsError
from cuesense.schemas.profile import CurveModel, Profile, UnpairedCounts
from cuesense.types import Role
from tests.helpers.model_pairs import CLASSES, JITTER, folder, labels_of, predictions, simple
from tests.helpers.partly_seen import jitter_curve, partly_seen
from tests.helpers.parts_of_images import first_of_class, part_of
from tests.helpers.profiles import NAMES, profile

LABELS = labels_of(10)
ALL = np.ones(30, dtype=bool)


def without(*images: int) -> np.ndarray:
    """Return recognized images: all but these."""
    return ~np.isin(np.arange(30), images)


def pair(a: Profile | Path, b: Profile | Path) -> Pair:
    return Pair(Source.of(a), Source.of(b))


def with_values(found: Profile, values: list[float], name: str = JITTER) -> Profile:
    """Return the profile with the values of one augmentation's ladder exchanged for these."""
    curves = [
        curve.model_copy(update={"values": values}) if curve.perturbation == name else curve for curve in found.curves
    ]
    return found.model_copy(update={"curves": curves})


def renamed(found: Profile, names: list[str]) -> Profile:
    classes = [entry.model_copy(update={"name": name}) for entry, name in zip(found.classes, names, strict=True)]
    return found.model_copy(update={"classes": classes})


def refusal(a: Profile | Path, b: Profile | Path) -> str:
    with pytest.raises(SettingsError) as caught:
        pair(a, b)
    return str(caught.value)


def test_a_source_is_a_profile_its_file_or_its_folder(tmp_path: Path) -> None:
    place = simple(tmp_path / "a", LABELS, ALL)
    known = Profile.read(place)
    for named in (place, str(place), place / "profile.json"):
        found = Source.of(named)
        assert (found.profile, found.path) == (known, place / "profile.json")
        assert found.name == str(place / "profile.json")
        assert found.table == place / PREDICTIONS
    alone = Source.of(known)
    # A profile that was read knows its folder, one that is made in memory has none.
    assert (alone.path, alone.table, alone.name) == (None, place / PREDICTIONS, known.provenance.model.spec)
    assert Source.of(profile(3)).table is None
    (place / PREDICTIONS).unlink()
    assert Source.of(place).table is None
    (place / PREDICTIONS).mkdir()
    assert Source.of(place).table is None


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.json", None, True),
        ("a.json", "no profile", True),
        ("a", '{"schema_version": 1}', True),
        ("a", " {", False),
        ("a", "", False),
        ("a.pt", "PK", False),
        ("timm:resnet18", None, False),
    ],
)
def test_a_profile_is_told_from_a_model_by_its_name_or_its_first_character(
    name: str, content: str | None, found: bool, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert is_profile(str(tmp_path / name)) == found
    assert is_profile(str(tmp_path))


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(5)))
def test_classes_are_matched_by_their_names_whatever_their_order(order: list[int]) -> None:
    a, b = profile(5, seed=1), profile(5, seed=2)
    turned = b.model_copy(
        update={
            "classes": [b.classes[index] for index in order],
            "curves": [_turned(curve, order) for curve in b.curves],
        }
    )
    plain, other = pair(a, b), pair(a, turned)
    assert [turned.classes[index].name for index in other.order] == [entry.name for entry in a.classes]
    assert plain.order.tolist() == list(range(5))
    for augmentation in (None, JITTER):
        expected, found = plain.contrast(augmentation), other.contrast(augmentation)
        for name in ("n_a", "n_b", "right_a", "right_b"):
            assert getattr(found, name).tolist() == getattr(expected, name).tolist()


def _turned(curve: CurveModel, order: list[int]) -> CurveModel:
    one = {name: [getattr(curve, name)[index] for index in order] for name in ("n", "clean_correct")}
    rows = {name: [[row[index] for index in order] for row in getattr(curve, name)] for name in ("lost", "gained")}
    return curve.model_copy(update=one | rows)


def test_other_classes_are_named_three_of_each() -> None:
    a, b = renamed(profile(5), list("abcde")), renamed(profile(5), list("avwxy"))
    spec = b.provenance.model.spec
    assert refusal(a, b) == (
        f"Expected the classes of {spec} to be those of {spec}, but got classes without b, c, d and 1 more and with "
        "v, w, x and 1 more. Analyze both on the same classes, with the same class_names."
    )
    assert "but got classes with e." in refusal(renamed(profile(4), list("abcd")), a)
    assert "but got classes without e." in refusal(a, renamed(profile(4), list("abcd")))


@pytest.mark.parametrize("first", [True, False])
def test_a_name_that_two_classes_have_cannot_be_matched(first: bool) -> None:
    a, b = profile(3), renamed(profile(3), [NAMES[0], NAMES[0], NAMES[2]])
    said = refusal(b, a) if first else refusal(a, b)
    assert f"to be distinct, but got {NAMES[0]} twice. Analyze again with class_names that differ." in said


@pytest.mark.parametrize(("levels", "refused"), [((0.9, 0.9), False), ((0.9, 0.95), True)])
def test_both_have_one_confidence(levels: tuple[float, float], refused: bool) -> None:
    a, b = (
        (known := profile(3)).model_copy(update={"policy": known.policy.model_copy(update={"confidence": level})})
        for level in levels
    )
    if refused:
        assert "to be that of torchvision:resnet18, 0.9, but got 0.95." in refusal(a, b)
        return
    assert pair(a, b).confidence == 0.9


LADDERS = st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.6, 0.8]), min_size=4, max_size=4, unique=True).map(sorted)


@settings(max_examples=40, deadline=None)
@given(LADDERS, LADDERS)
def test_the_strongest_common_value_is_the_last_one_of_both_ladders(first: list[float], second: list[float]) -> None:
    found = pair(with_values(profile(3), first), with_values(profile(3), second)).strongest
    common = [value for value in first if value in second]
    if not common:
        assert JITTER not in found
        return
    value = common[-1]
    assert found[JITTER] == CommonSeverity(value, first.index(value) + 1, second.index(value) + 1)


def test_the_strongest_crop_is_the_smallest_common_one() -> None:
    """A ladder goes from mild to strong, and for a crop the values fall."""
    name = "random_resized_crop"
    a = with_values(profile(3), [0.9, 0.5, 0.25, 0.1], name)
    b = with_values(profile(3), [0.5, 0.3, 0.25, 0.08], name)
    assert pair(a, b).strongest[name] == CommonSeverity(0.25, 3, 3)


def test_only_augmentations_are_compared_in_the_order_of_a() -> None:
    a, b = profile(3), profile(3)
    b = b.model_copy(update={"curves": b.curves[::-1]})
    wanted = [curve.perturbation for curve in a.curves if curve.role is Role.AUGMENTATION]
    assert list(pair(a, b).strongest) == [curve.perturbation for curve in augmentations(a)] == wanted
    assert 0 < len(wanted) < len(a.curves)


def test_each_profile_is_read_at_its_own_severity_of_the_common_value() -> None:
    a, b = with_values(profile(3, seed=1), [0.1, 0.2, 0.4, 0.9]), with_values(profile(3, seed=2), [0.2, 0.5, 0.6, 0.7])
    found = pair(a, b).contrast(JITTER)
    for profile_, right, severity in ((a, found.right_a, 2), (b, found.right_b, 1)):
        (curve,) = (curve for curve in profile_.curves if curve.perturbation == JITTER)
        for index in range(3):
            change = curve.gained[severity - 1][index] - curve.lost[severity - 1][index]
            assert right[index] == pytest.approx(curve.clean_correct[index] + change / curve.repeats)


def test_severities_count_from_one() -> None:
    (curve,) = (curve for curve in profile(3).curves if curve.perturbation == JITTER)
    assert severities(curve) == {0.1: 1, 0.2: 2, 0.4: 3, 0.8: 4}


def test_perturbed_images_of_their_own_are_counted_as_means_over_repeats() -> None:
    (curve,) = (curve for curve in profile(2).curves if curve.perturbation == JITTER)
    own = UnpairedCounts(n=[[6, 9]] * 3 + [[30, 12]], correct=[[1, 2]] * 3 + [[21, 9]])
    images, right = perturbed_counts(curve.model_copy(update={"unpaired": own, "repeats": 3}), 4)
    assert (images.tolist(), right.tolist()) == ([10, 4], [7, 3])


def test_images_of_which_a_part_was_looked_at_are_counted_as_the_part() -> None:
    images, right = perturbed_counts(jitter_curve(partly_seen()), 4)
    assert (images.tolist(), right.tolist()) == ([20, 10], [7, 3])


def test_augmentations_of_which_a_part_was_looked_at_are_not_paired(tmp_path: Path) -> None:
    """Of each class A saw the first five images under jitter and lost two ants of these; clean images stay paired."""
    whole = predictions(LABELS, without(29), {0.8: [without(0, 1)]})
    adaptive = folder(tmp_path / "adaptive", part_of(whole, first_of_class(whole, 5)))
    full = folder(tmp_path / "full", whole)
    for a, b in ((adaptive, full), (full, adaptive), (adaptive, adaptive)):
        found = pair(a, b)
        assert (found.unpaired, found.partly_seen) == (None, [JITTER])
        assert found.contrast().pairs is not None
        assert found.contrast(JITTER).pairs is None
    found = pair(full, adaptive).contrast(JITTER)
    assert (found.n_a.tolist(), found.n_b.tolist()) == ([10] * 3, [5] * 3)
    # Two of five ants are lost. Of the cows 9 of 10 are recognized clean, and the tenth is gained where it was seen.
    np.testing.assert_allclose(found.accuracies(), [[0.8, 1, 1], [0.6, 1, 0.9]])
    assert pair(full, full).partly_seen == []
    assert pair(full, full).contrast(JITTER).pairs is not None


def test_images_are_paired_by_their_ids_and_counted_one_by_one(tmp_path: Path) -> None:
    """A loses the ants 0 to 3, B the ants 2 to 7, and under jitter two cows in one of two repeats."""
    a = simple(tmp_path / "a", LABELS, without(0, 1, 2, 3))
    jittered = [without(28, 29), ALL]
    b = folder(tmp_path / "b", predictions(LABELS, without(*range(2, 8)), {0.8: jittered}))
    found = pair(a, b)
    assert found.unpaired is None
    clean, strong = found.contrast().pairs, found.contrast(JITTER).pairs
    assert clean is not None
    assert strong is not None
    assert (clean.lost.tolist(), clean.gained.tolist()) == ([4, 0, 0], [2, 0, 0])
    assert (strong.lost.tolist(), strong.gained.tolist()) == ([0, 0, 1], [4, 0, 0])
    assert (strong.more_a.tolist(), strong.more_b.tolist()) == ([0, 0, 2], [4, 0, 0])


def test_paired_and_unpaired_give_the_same_accuracies(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    places = [
        folder(tmp_path / name, predictions(LABELS, rng.random(30) < 0.7, {0.8: [rng.random(30) < 0.5]}))
        for name in "ab"
    ]
    together = [pair(*places).contrast(name) for name in (None, JITTER)]
    (places[0] / PREDICTIONS).unlink()
    apart = [pair(*places).contrast(name) for name in (None, JITTER)]
    for one, other in zip(together, apart, strict=True):
        assert one.pairs is not None
        assert other.pairs is None
        np.testing.assert_allclose(other.accuracies(), one.accuracies())


def test_classes_of_another_order_are_paired_in_the_order_of_a(tmp_path: Path) -> None:
    """The same images with the labels of B's order of the classes; B alone loses three ants, its last class."""
    a = simple(tmp_path / "a", LABELS, ALL)
    lost = without(0, 1, 2)
    b = folder(tmp_path / "b", predictions(2 - LABELS, lost, {0.8: [lost]}, classes=CLASSES[::-1]))
    fingerprints = [Profile.read(place).provenance.dataset.fingerprint for place in (a, b)]
    text = (b / "profile.json").read_text(encoding="utf-8").replace(fingerprints[1], fingerprints[0])
    (b / "profile.json").write_text(text, encoding="utf-8")
    found = pair(a, b)
    assert found.unpaired is None
    assert found.order.tolist() == [2, 1, 0]
    pairs = found.contrast().pairs
    assert pairs is not None
    assert pairs.lost.tolist() == [3, 0, 0]


@pytest.mark.parametrize("damaged", [0, 1])
def test_a_table_without_the_severity_to_compare_is_not_that_of_its_profile(damaged: int, tmp_path: Path) -> None:
    two = {0.4: [ALL], 0.8: [ALL]}
    places = [folder(tmp_path / name, predictions(LABELS, without(1), two)) for name in "ab"]
    assert pair(*places).unpaired is None
    other = folder(tmp_path / "weak", predictions(LABELS, without(1), {0.4: [ALL]}))
    (places[damaged] / PREDICTIONS).write_bytes((other / PREDICTIONS).read_bytes())
    assert pair(*places).unpaired == f"{places[damaged] / PREDICTIONS} is not that of its profile"


@pytest.mark.parametrize("how", ["right", "images"])
def test_a_table_of_other_clean_counts_is_not_that_of_its_profile(how: str, tmp_path: Path) -> None:
    a, b = (simple(tmp_path / name, LABELS, without(1)) for name in "ab")
    labels, right = (LABELS, without(1, 2)) if how == "right" else (np.repeat([0, 1, 2], [9, 11, 10]), without(1))
    other = simple(tmp_path / "other", labels, right)
    (b / PREDICTIONS).write_bytes((other / PREDICTIONS).read_bytes())
    assert pair(a, b).unpaired == f"{b / PREDICTIONS} is not that of its profile"


def test_why_images_are_not_paired_is_a_clause(tmp_path: Path) -> None:
    a, b = (simple(tmp_path / name, LABELS, ALL) for name in "ab")
    other = simple(tmp_path / "c", labels_of(12), np.ones(36, dtype=bool))
    assert pair(a, other).unpaired == "the images or their labels differ"
    of_images = predictions(LABELS, ALL, {0.8: [ALL]})
    first, second = (folder(tmp_path / name, replace(of_images, fingerprint=name)) for name in ("of-e", "of-f"))
    assert pair(first, second).unpaired == "the datasets differ"
    assert pair(first, first).unpaired is None
    # Names are all that a table of another program gives.
    assert pair(first, a).unpaired is None
    assert pair(first, other).unpaired == "the images or their labels differ"
    (b / PREDICTIONS).unlink()
    assert pair(a, b).unpaired == f"no {PREDICTIONS} lies beside {b / 'profile.json'}"
    assert pair(b, a).unpaired == pair(a, b).unpaired
    found = predictions(LABELS, ALL, {0.8: [ALL]})
    strange = folder(tmp_path / "d", replace(found, sample_ids=[f"x{name}" for name in found.sample_ids]))
    prints = [Profile.read(place).provenance.dataset.fingerprint for place in (a, strange)]
    text = (strange / "profile.json").read_text(encoding="utf-8")
    (strange / "profile.json").write_text(re.sub(prints[1], prints[0], text), encoding="utf-8")
    assert pair(a, strange).unpaired == "the images or their labels differ"


def test_predictions_at_another_value_are_not_those_of_the_profile(tmp_path: Path) -> None:
    """The severities agree, the clean counts agree, and yet the table is of a jitter of 0.4 instead of 0.8."""
    first, second = (simple(tmp_path / name, LABELS, ALL) for name in "ab")
    assert pair(first, second).unpaired is None
    other = folder(tmp_path / "other", predictions(LABELS, ALL, {0.4: [ALL]}))
    (other / PREDICTIONS).replace(second / PREDICTIONS)
    assert pair(first, second).unpaired == f"{second / PREDICTIONS} is not that of its profile"


def test_names_in_another_unicode_form_or_case_are_the_same_class() -> None:
    a = renamed(profile(4), ["caf\u00e9", "Lemon", "lemon", "School bus"])
    b = renamed(profile(4), ["school_bus", "lemon", "cafe\u0301", "Lemon"])
    assert pair(a, b).order.tolist() == [2, 3, 1, 0]
    assert "without Lemon and with x." in refusal(
        renamed(profile(3), ["Lemon", "lemon", "z"]), renamed(profile(3), ["lemon", "x", "z"])
    )


def test_two_unicode_forms_of_one_name_cannot_be_matched() -> None:
    a, b = profile(2), renamed(profile(2), ["caf\u00e9", "cafe\u0301"])
    assert "to be distinct, but got caf\u00e9 twice" in refusal(a, b)
