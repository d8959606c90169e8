"""The graded answer in words, on both sides of what decides between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cuesense.analysis.graded import Graded, GradedColumn, GradedCue, grade
from cuesense.analysis.graded_sentences import (
    column_sentence,
    cue_sentence,
    lean_sentence,
    left,
    pairs_sentence,
    sharpen_sentence,
)
from cuesense.analysis.sharpen import Sharpening
from cuesense.perturbations.ablations import COLUMNS
from cuesense.types import Cue, Interval
from tests.helpers.graded_predictions import MECHANISMS, sampled

SHARES = {ablation: np.linspace(0.1, 0.9, 4) for ablation in MECHANISMS}
ANSWER = grade(sampled(SHARES, 30, np.random.default_rng(0)), 0.95)
COLUMN = replace(ANSWER.columns["without_shape"], mean=Interval(0.914, 0.9, 0.93), reliability=0.876, spread=0.07)


def with_spread(high: float) -> GradedColumn:
    return replace(COLUMN, alike=True, shares=replace(COLUMN.shares, spread_high=high))


def cue(**parts: object) -> GradedCue:
    return replace(ANSWER.cues[Cue.COLOR], **({"of": 19, "alike": False} | parts))


def test_columns_are_named_by_what_is_left() -> None:
    assert [left(column) for column in COLUMNS] == [
        "without shape",
        "without texture",
        "without color",
        "on shape alone",
        "on texture alone",
        "on color alone",
    ]


def test_a_column_in_which_all_are_alike_says_so() -> None:
    assert (
        column_sentence(with_spread(0.04), 0.05)
        == "All classes keep about 91% without shape (they differ by at most 4 points)."
    )
    assert column_sentence(with_spread(0.01), 0.05).endswith("(they differ by at most 1 point).")


def test_few_images_do_not_show_that_classes_are_alike() -> None:
    assert column_sentence(with_spread(0.1), 0.05).startswith("All classes keep")
    assert column_sentence(with_spread(0.101), 0.05) == (
        "These images tell no class from another in what it keeps without shape (about 91%); they may still differ by "
        "up to 10 points (standard deviation)."
    )


@pytest.mark.parametrize(("guessing", "said"), [(0.1, " Guessing alone keeps 10%."), (0.099, "4 points).")])
def test_few_classes_are_told_what_guessing_keeps(guessing: float, said: str) -> None:
    assert column_sentence(with_spread(0.04), guessing).endswith(said)


def test_a_column_in_which_classes_differ_says_how_reliably() -> None:
    assert column_sentence(replace(COLUMN, alike=False), 0.05) == (
        "Classes keep 91% without shape on average and differ by 7 points (standard deviation); the reliability of "
        "their differences on these images is 0.88."
    )


def test_one_class_or_none_is_not_compared() -> None:
    assert column_sentence(replace(COLUMN, reliability=np.nan), 0.05) == (
        "About 91% is kept without shape; fewer than two classes have the two images that a comparison needs."
    )
    assert column_sentence(replace(COLUMN, mean=Interval()), 0.05) == (
        "No class has an image from which to tell what is kept without shape."
    )


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"rank_reliability": 0.8}, "The order by color is stable (rank reliability 0.80)."),
        ({"rank_reliability": 0.79}, "about 0.79. Read it by its intervals."),
        ({"rank_reliability": np.nan}, "how stable their order is, is not known."),
        ({"alike": True, "rank_reliability": 0.9}, "These images tell no order of the classes by color:"),
        ({"of": 0}, "There are no other classes to compare the reliance on color with."),
    ],
)
def test_an_order_says_what_it_is_worth(parts: dict[str, object], said: str) -> None:
    assert said in cue_sentence(cue(**parts))


@pytest.mark.parametrize(
    ("above", "below", "of", "said"),
    [
        (15, 0, 19, "relies on color more than 15 of 19 other classes"),
        (0, 3, 19, "relies on color less than 3 of 19 other classes"),
        (5, 2, 19, "relies on color more than 5 and less than 2 of 19 other classes"),
        (1, 0, 1, "relies on color more than 1 of 1 other class"),
        (0, 0, 19, "relies on color as the others do, as far as its images tell"),
        (0, 0, 0, ""),
    ],
)
def test_a_lean_counts_the_other_classes(above: int, below: int, of: int, said: str) -> None:
    found = cue(above=np.array([above] * 4), below=np.array([below] * 4), of=of)
    assert lean_sentence(found, 0) == said


def test_a_class_without_images_has_no_lean() -> None:
    found = cue()
    unknown = replace(found.reliance, value=np.full(4, np.nan))
    assert lean_sentence(replace(found, reliance=unknown), 0) == ""


def test_pairs_say_how_they_are_counted() -> None:
    assert pairs_sentence(replace(ANSWER, told_apart=107, pairs=190)) == (
        "107 of 190 pairs of classes are shown to differ in what they keep; at most 5 % of these are expected to be "
        "chance."
    )
    assert pairs_sentence(Graded({}, {}, 0, 0, 0.5)) == "There are no two classes to compare."


@pytest.mark.parametrize(("more", "start"), [(30, "30 more images a class"), (1, "1 more image a class")])
def test_what_would_sharpen_names_the_images(more: int, start: str) -> None:
    assert sharpen_sentence(Sharpening(Cue.COLOR, 0, 1, more), "lemon", "orange") == (
        f"{start} would show whether lemon relies on color more than orange, if what they keep stays as it is."
    )
