"""The graded answer in text: numbers that can be read off the profile, and what is left out where nothing is known."""

from __future__ import annotations

import pytest

from cuesense.reports.graded_text import (
    graded_notes,
    in_percent,
    is_graded,
    kept_title,
    known_columns,
    lean_text,
    short_title,
    strongest_leans,
)
from cuesense.schemas.base import UNKNOWN, Estimate
from cuesense.schemas.profile import ClassModel, LeanModel, Profile
from cuesense.types import Cue
from tests.helpers import profiles
from tests.helpers.graded_profiles import COLUMNS, graded, with_summary

SOURCE = graded(12, empty=1, seed=3)


def leaning(**leans: tuple[float, float, float]) -> ClassModel:
    """A class with these leans: value, low and high by cue."""
    found = {Cue(cue): LeanModel(value=value, low=low, high=high) for cue, (value, low, high) in leans.items()}
    return SOURCE.classes[0].model_copy(update={"lean": found})


def test_profiles_of_earlier_versions_are_not_graded() -> None:
    assert is_graded(SOURCE)
    assert not is_graded(profiles.profile(3))
    assert not is_graded(graded(2, empty=2))


def test_columns_that_no_class_has_are_left_out() -> None:
    bare = [
        entry.model_copy(update={"kept": {name: part for name, part in entry.kept.items() if name != "without_color"}})
        for entry in SOURCE.classes
    ]
    names = [name for name, _, _ in COLUMNS]
    assert known_columns(SOURCE) == names
    assert known_columns(SOURCE.model_copy(update={"classes": bare})) == [n for n in names if n != "without_color"]


def test_headings_tell_without_from_alone() -> None:
    assert [short_title(SOURCE, name) for name, _, _ in COLUMNS] == ["−S", "−T", "−C", "S", "T", "C"]


@pytest.mark.parametrize(
    ("part", "bounds", "text"),
    [
        ((0.914, 0.784, 0.99), "", "91"),
        ((0.914, 0.784, 0.99), "short", "91±13"),
        ((0.914, 0.884, 0.99), "short", "91±8"),
        ((0.914, 0.784, 0.99), "full", "91 [78,99]"),
        ((1.0, 0.5, 1.0), "full", "100 [50,100]"),
        ((0.5, None, None), "full", "50"),
        ((0.5, None, None), "short", "50"),
        ((None, None, None), "full", "–"),
    ],
)
def test_shares_in_percent(part: tuple[float | None, ...], bounds: str, text: str) -> None:
    assert in_percent(Estimate(value=part[0], low=part[1], high=part[2]), bounds=bounds) == text


def test_no_share_is_a_dash() -> None:
    assert in_percent(None) == "–"


@pytest.mark.parametrize(
    ("leans", "text"),
    [
        ({"shape": (-0.1, -0.2, 0.0), "color": (0.21, 0.01, 0.4)}, "C+21"),
        ({"texture": (-0.021, -0.2, 0.4)}, "T−2"),
        ({"texture": (-0.001, -0.2, 0.4)}, "T+0"),
    ],
)
def test_the_largest_lean_is_shown_with_its_cue(leans: dict[str, tuple[float, float, float]], text: str) -> None:
    assert lean_text(leaning(**leans)) == text


def test_one_class_leans_nowhere() -> None:
    (only,) = graded(1).classes
    assert lean_text(only) == "–"


def test_what_is_kept_is_of_images_that_only_the_correction_recognizes_where_there_are_no_others() -> None:
    first = SOURCE.classes[0]
    assert kept_title(first) == "What it keeps, % of its recognized images"
    assert "after the correction for sinks" in kept_title(first.model_copy(update={"clean_accuracy": 0.0}))


def test_the_strongest_leans_are_chosen_and_unknown_ones_come_last() -> None:
    leans = [max((part.value or -9 for part in entry.lean.values()), default=-9) for entry in SOURCE.classes]
    for limit in (0, 1, 5, 11):
        chosen = strongest_leans(SOURCE.classes, limit)
        assert len(chosen) == limit
        others = [leans[at] for at in range(12) if at not in chosen]
        assert min((leans[at] for at in chosen), default=9) >= max(others)
    assert strongest_leans(SOURCE.classes, 30) == set(range(12))


def columns_with(source: Profile, name: str, **changes: object) -> dict[str, object]:
    columns = dict(source.summary.graded.columns)
    return columns | {name: columns[name].model_copy(update=changes)}


def test_notes_say_what_is_alike_and_what_is_noise() -> None:
    usual = ["None of the pairs differ."]
    assert graded_notes(SOURCE) == usual
    alike = with_summary(SOURCE, columns=columns_with(SOURCE, "without_shape", alike=True, reliability=0.1))
    assert graded_notes(alike) == ["Sentence of without_shape.", *usual]
    for reliability, said in ((0.79, True), (0.8, False), (None, False)):
        noisy = with_summary(SOURCE, columns=columns_with(SOURCE, "shape_alone", reliability=reliability))
        assert any("reliability below 0.8): shape alone 0.79." in note for note in graded_notes(noisy)) is said
        leans = dict(SOURCE.summary.graded.lean)
        leans[Cue.COLOR] = leans[Cue.COLOR].model_copy(update={"rank_reliability": reliability})
        assert ("By color." in graded_notes(with_summary(SOURCE, lean=leans))) is (reliability != 0.8)


def test_orders_of_nothing_are_not_mentioned() -> None:
    leans = dict(SOURCE.summary.graded.lean)
    unknown = {"mean": UNKNOWN, "rank_reliability": None}
    leans[Cue.COLOR] = leans[Cue.COLOR].model_copy(update=unknown)
    assert "By color." not in graded_notes(with_summary(SOURCE, lean=leans))


@pytest.mark.parametrize("source", [graded(1), graded(2, empty=2), graded(3, empty=2), profiles.profile(3)])
def test_nothing_is_compared_where_there_are_no_two_classes(source: Profile) -> None:
    assert graded_notes(source) == []
