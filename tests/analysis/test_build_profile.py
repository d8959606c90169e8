"""Warnings about model and data: each is one sentence, and long lists are cut."""

from __future__ import annotations

import numpy as np
import pytest

from cuesense.analysis.build_profile import data_warnings

NAMES = ("ant", "bee", "cow")
RATIOS = {"grayscale": np.array([1.0, 1.0, 1.0])}


def test_nothing_unusual_adds_no_warning() -> None:
    assert data_warnings(["known"], NAMES, [2, 2, 2], [], RATIOS) == ["known"]


@pytest.mark.parametrize(
    ("count", "start", "end"),
    [
        (1, "1 unreadable image was skipped: 0 (cut).", "(cut)."),
        (10, "10 unreadable images were skipped: 0 (cut); 1", "9 (cut)."),
        (11, "11 unreadable images were skipped: 0 (cut); 1", "9 (cut); and 1 more."),
    ],
)
def test_ten_skipped_images_are_named_and_the_others_counted(count: int, start: str, end: str) -> None:
    (warning,) = data_warnings([], NAMES, [2, 2, 2], [(str(number), "cut") for number in range(count)], RATIOS)
    assert warning.startswith(start)
    assert warning.endswith(end)


def test_a_class_needs_two_images() -> None:
    (warning,) = data_warnings([], NAMES, [2, 1, 0], [], RATIOS)
    assert warning == "Classes with fewer than two images have no budgets and no cue: bee, cow."


@pytest.mark.parametrize(("corrected", "words"), [(True, "are corrected"), (False, "are not corrected")])
def test_the_largest_sink_of_each_perturbation_is_named(corrected: bool, words: str) -> None:
    ratios = {"grayscale": np.array([0.1, 7.0, 6.0]), "hue": np.array([np.nan] * 3)}
    (warning,) = data_warnings([], NAMES, [2, 2, 2], [], ratios, corrected=corrected)
    assert words in warning
    assert warning.endswith("bee under grayscale (7.0 times its share).")
