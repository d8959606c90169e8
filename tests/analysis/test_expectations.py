"""What so many images can decide: the numbers are those of the tool's own statistics, on both sides of every rule."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.analysis import expectations
from cuesense.analysis.cues import FEW_IMAGES, FEWEST_IMAGES
from cuesense.analysis.expectations import Plan, decides_nothing, expected_from_clean, expected_from_images, half_width
from cuesense.config import load_config
from cuesense.policies.budgets import images_needed, smallest_tolerance
from cuesense.stats.intervals import wilson
from cuesense.types import Role

APPLIED = load_config("standard").perturbations
NEEDED = images_needed(0.05, 0.95)


def plan(*images: int, **changes: object) -> Plan:
    names = [f"class-{index}" for index in range(len(images))]
    return replace(Plan(names, np.array(images), APPLIED, 0.05, 0.95), **changes)  # type: ignore[arg-type]


def said(*images: int, **changes: object) -> str:
    return " ".join(expected_from_images(plan(*images, **changes)))


def after(known: Plan, tried: list[int], right: list[int]) -> str:
    return " ".join(expected_from_clean(known, np.array(tried), np.array(right)))


@pytest.mark.parametrize(("images", "confidence"), [(1, 0.95), (3, 0.9), (50, 0.95), (1000, 0.99)])
def test_half_widths_are_those_of_wilson_around_one_half(images: int, confidence: float) -> None:
    low, high = wilson(images / 2, images, confidence)
    assert half_width(np.array([float(images)]), confidence) == pytest.approx([(high - low) / 2])


@given(st.integers(1, 5000), st.floats(0.5, 0.999))
def test_more_images_are_never_wider_and_no_other_share_is(images: int, confidence: float) -> None:
    narrow, wide = half_width(np.array([images + 1.0, float(images)]), confidence)
    assert narrow <= wide < 0.5
    low, high = wilson(np.arange(images + 1), images, confidence)
    assert ((high - low) / 2 <= wide + 1e-9).all()


def test_without_an_image_nothing_is_known() -> None:
    assert np.isnan(half_width(np.array([0.0, 0.9]), 0.95)).all()


def test_the_widths_of_a_usual_class_and_of_the_smallest_are_said() -> None:
    text = said(50, 50, 50, 20)
    usual, least = (100 * float(half_width(np.array(float(n)), 0.95)) for n in (50, 20))
    assert (
        "With 50 images a class, the share of a class that stays recognized without a cue is known within "
        f"{usual:.0f} points at best (95 %); of class-3, which has the fewest, 20, known within {least:.0f} points."
    ) in text
    assert "fewest" not in said(50, 50)
    assert "(90 %" in said(50, confidence=0.9)


def test_classes_without_images_are_named_and_count_for_nothing_else() -> None:
    assert "No images: class-1, class-2, class-3 and 1 more." in said(50, 0, 0, 0, 0)
    assert "With 50 images a class" in said(50, 0, 0, 0, 0)
    assert "fewest" not in said(50, 0)
    assert expected_from_images(plan(0, 0)) == ["No class has images: nothing can be said about any."]


@pytest.mark.parametrize(
    ("images", "clause"),
    [
        (
            FEWEST_IMAGES - 1,
            f"A class with fewer than {FEWEST_IMAGES} images gets no cue, only what it keeps and its lean, ",
        ),
        (FEWEST_IMAGES, f"with fewer than {FEW_IMAGES} images many do not (here: class-1)."),
        (FEW_IMAGES - 1, f"with fewer than {FEW_IMAGES} images many do not (here: class-1)."),
        (FEW_IMAGES, "A class gets a cue if its images show one clearly. "),
    ],
)
def test_cues_follow_the_rules_of_verdicts(images: int, clause: str) -> None:
    assert clause in said(50, images)


def test_few_images_of_every_class_are_not_listed_one_by_one() -> None:
    assert "wide intervals (here: every class)." in said(3, 3, 3)
    assert "wide intervals (here: class-0)." in said(3)


def test_a_missing_ablation_is_named() -> None:
    applied = tuple(entry for entry in APPLIED if entry.name != "grayscale")
    assert "No cue is named without grayscale at 1, which the configuration does not apply." in said(
        50, perturbations=applied
    )


def test_budgets_need_the_images_that_the_bound_needs() -> None:
    needs = f"To certify that a class loses at most 5 points takes {NEEDED} images of it, none of them lost; "
    assert f"{needs}every class has as many." in said(NEEDED, NEEDED)
    assert f"{needs}1 of 2 classes have as many." in said(NEEDED, NEEDED - 1)
    assert f"{needs}{NEEDED - 1} images certify at most 5.1 points." in said(NEEDED - 1, 3)
    assert f"{needs}no class has as many." in said(1, 1)
    assert "loses at most 10 points takes" in said(50, tolerance=0.1)


@pytest.mark.parametrize("images", [2, 3, 10, 50, NEEDED - 1])
def test_the_loss_that_images_show_is_never_understated(images: int) -> None:
    shown = float(re.search(r"images certify at most ([\d.]+) points", said(images))[1])  # type: ignore[index]
    exact = 100 * smallest_tolerance(images, 0.95)
    assert exact <= shown < exact + 0.1001


def test_without_augmentations_no_budget_is_promised() -> None:
    applied = tuple(entry for entry in APPLIED if entry.role is not Role.AUGMENTATION)
    assert "certify" not in said(50, perturbations=applied)


def test_a_network_that_has_seen_some_images_narrows_what_is_said() -> None:
    text = after(plan(50, 50, 50), [20, 20, 20], [20, 16, 8])
    usual, least = (100 * float(half_width(np.array(float(n)), 0.95)) for n in (40, 20))
    assert text.startswith(
        "Of the first 20 clean images of each class, 73 % are recognized. What a class keeps is a share of its "
        f"recognized images: with 40 images of a class recognized it is known within {usual:.0f} points; of class-2, "
        f"with 20 images recognized, it is known within {least:.0f} points."
    )
    assert text.endswith("too rarely to name a cue, below 50 %, unless all of their images show more: class-2 (40 %).")


def test_what_the_numbers_of_images_have_said_is_not_said_again() -> None:
    assert after(plan(50, 50, 20), [20, 20, 20], [20, 20, 20]) == (
        "Of the first 20 clean images of each class, 100 % are recognized."
    )
    assert "of class-2, with 16 images" in after(plan(50, 50, 20), [20, 20, 20], [20, 20, 16])


def test_of_all_images_nothing_is_left_open() -> None:
    text = after(plan(10, 10), [10, 10], [5, 4])
    assert text.startswith("Of the clean images, 45 % are recognized. ")
    assert text.endswith("Recognized too rarely to name a cue, below 50 %: class-1 (40 %).")


def test_classes_that_are_never_recognized_or_were_not_tried() -> None:
    text = after(plan(50, 50, 0), [20, 20, 0], [20, 0, 0])
    assert "of class-1, with 0 images recognized, it is not known." in text
    assert "class-2" not in text
    assert expected_from_clean(plan(50), np.array([0]), np.array([0])) == []


def test_many_rare_classes_are_counted_the_least_recognized_first() -> None:
    text = after(plan(*[10] * 6), [10] * 6, [4, 3, 2, 1, 0, 10])
    more = 5 - expectations._LISTED
    assert f"class-4 (0 %), class-3 (10 %), class-2 (20 %) and {more} more." in text


def test_too_few_images_for_any_answer_are_one_sentence() -> None:
    assert decides_nothing(plan(4, 4)) == (
        f"4 images a class decide little: no cue is named below {FEWEST_IMAGES}. To certify that a class "
        f"loses at most 5 points takes {NEEDED}."
    )
    assert str(decides_nothing(plan(4, 9, 0))).startswith("9 images a class at most decide little: ")
    assert str(decides_nothing(plan(1))).startswith("1 image a class decides little: ")
    without = tuple(entry for entry in APPLIED if entry.role is not Role.AUGMENTATION)
    assert "certify" not in str(decides_nothing(plan(4, perturbations=without)))


@pytest.mark.parametrize(
    ("images", "tolerance", "little"),
    [
        ([FEWEST_IMAGES - 1] * 3, 0.05, True),
        ([3, FEWEST_IMAGES], 0.05, False),
        ([0, 0], 0.05, False),
        ([images_needed(0.5, 0.95) - 1], 0.5, True),
        ([images_needed(0.5, 0.95)], 0.5, False),
    ],
)
def test_one_class_with_enough_for_a_cue_or_a_budget_is_enough(
    images: list[int], tolerance: float, little: bool
) -> None:
    assert images_needed(0.5, 0.95) < FEWEST_IMAGES < NEEDED
    assert (decides_nothing(plan(*images, tolerance=tolerance)) is not None) is little


@given(st.lists(st.integers(0, 200), min_size=1, max_size=30), st.data())
def test_every_number_of_images_gets_sentences(images: list[int], data: st.DataObject) -> None:
    known = plan(*images)
    tried = [data.draw(st.integers(0, min(count, 20))) for count in images]
    right = [data.draw(st.integers(0, count)) for count in tried]
    for sentence in (*expected_from_images(known), *expected_from_clean(known, np.array(tried), np.array(right))):
        assert sentence.endswith(".")
        assert "nan" not in sentence
