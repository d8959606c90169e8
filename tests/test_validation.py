"""Numbers that a user gives are taken inside their range and refused outside, on both sides of every limit."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cuesense.errors import SettingsError
from cuesense.validation import check_channels, check_fraction, names_of, parse_channels, path_of, whole_number


@pytest.mark.parametrize("text", ["0.5,0.4,0.3", "0.5 0.4 0.3", " 0.5, 0.4, 0.3 "])
def test_three_numbers_are_parsed(text: str) -> None:
    assert parse_channels(text, "--mean") == (0.5, 0.4, 0.3)


def test_no_channels_stay_none() -> None:
    assert parse_channels(None, "--mean") is None
    assert check_channels(None, "--std") is None


@given(st.tuples(*[st.floats(-10, 10)] * 3))
def test_any_three_finite_numbers_survive_writing_and_parsing(numbers: tuple[float, float, float]) -> None:
    assert parse_channels(",".join(map(repr, numbers)), "--mean") == numbers


@pytest.mark.parametrize(
    ("text", "wanted"), [("0.5", (0.5,) * 3), ("1/255", (1 / 255,) * 3), ("0,1/4,1", (0, 0.25, 1))]
)
def test_one_number_stands_for_three_and_may_be_a_fraction(text: str, wanted: tuple[float, ...]) -> None:
    assert parse_channels(text, "--mean") == wanted


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("0.5,0.5", "--mean"),
        ("1/0", "--std"),
        ("1/2/3", "--std"),
        ("1,2,3,4", "--mean"),
        ("a,b,c", "--mean"),
        ("", "--mean"),
        ("nan,0,0", "--mean"),
        ("1,1,0", "--std"),
        ("-1,1,1", "--std"),
        ("inf,1,1", "--std"),
    ],
)
def test_other_texts_are_refused_as_they_were_written(text: str, option: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_channels(text, option)
    assert caught.value.for_command_line.startswith(f"Expected {option} to be three ")
    assert f"but got '{text}'." in str(caught.value)


def test_a_mean_may_be_zero_and_a_deviation_may_be_tiny_but_not_smaller() -> None:
    assert check_channels((0, 0, 0), "--mean") == (0.0, 0.0, 0.0)
    assert check_channels((1e-6, 1, 1), "--std") == (1e-6, 1.0, 1.0)
    with pytest.raises(SettingsError, match="three positive numbers"):
        check_channels((0.99e-6, 1, 1), "--std")


@pytest.mark.parametrize("numbers", [[0.5, 0.25, 1], np.array([0.5, 0.25, 1]), torch.tensor([0.5, 0.25, 1.0])])
def test_channels_come_from_any_sequence(numbers: object) -> None:
    assert check_channels(numbers, "--std") == (0.5, 0.25, 1.0)


@pytest.mark.parametrize("numbers", [0.5, "111", (1, 2), (1, "b", 3), (10**400, 1, 1), object()])
def test_what_is_no_triple_of_numbers_is_refused(numbers: object) -> None:
    with pytest.raises(SettingsError, match=r"Expected mean to be three finite numbers R,G,B in \[0, 1\] units"):
        check_channels(numbers, "--mean")


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_fractions_between_the_limits_are_taken(value: float) -> None:
    check_fraction(value, "--tolerance")


@pytest.mark.parametrize("value", [0, 1, -0.1, 1.1, True, "0.5", None, math.nan, math.inf, 10**400])
def test_fractions_at_and_beyond_the_limits_are_refused(value: object) -> None:
    with pytest.raises(SettingsError, match="Expected tolerance to be between 0 and 1, but got"):
        check_fraction(value, "--tolerance")  # type: ignore[arg-type]


def test_the_limits_of_a_fraction_can_be_others() -> None:
    check_fraction(math.nextafter(0.5, 1), "--confidence", low=0.5)
    check_fraction(math.nextafter(0.9, 0), "--confidence", high=0.9)
    with pytest.raises(SettingsError, match=r"between 0\.5 and 1, but got 0\.5"):
        check_fraction(0.5, "--confidence", low=0.5)
    with pytest.raises(SettingsError, match=r"between 0 and 0\.9, but got 0\.9"):
        check_fraction(0.9, "--confidence", high=0.9)


@given(st.integers(1, 4096))
def test_whole_numbers_in_range_are_returned(number: int) -> None:
    assert whole_number(number, "--image-size", highest=4096) == number


def test_whole_numbers_of_numpy_become_pythons() -> None:
    assert type(whole_number(np.int64(3), "--seeds")) is int  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [0, -1, 4097, sys.maxsize, 2.0, 2.5, "3", True, None])
def test_other_numbers_are_refused(number: object) -> None:
    with pytest.raises(SettingsError, match="Expected image_size to be a whole number from 1 to 4096, but got"):
        whole_number(number, "--image-size", highest=4096)  # type: ignore[arg-type]


def test_a_whole_number_may_have_no_limits() -> None:
    assert whole_number(-(2**70), "--seed", lowest=None) == -(2**70)
    with pytest.raises(SettingsError, match=r"Expected seed to be a whole number, but got 1\.5"):
        whole_number(1.5, "--seed", lowest=None)  # type: ignore[arg-type]


def test_a_single_text_is_one_name() -> None:
    assert names_of("crop", "--augmentations") == ("crop",)
    assert names_of(["crop", "blur"], "--augmentations") == ("crop", "blur")
    assert names_of((), "--augmentations") == ()


@pytest.mark.parametrize("given", [None, 3, ["crop", 3], b"crop"])
def test_names_are_texts(given: object) -> None:
    with pytest.raises(SettingsError, match="Expected augmentations to be names, but got"):
        names_of(given, "--augmentations")


@pytest.mark.parametrize("given", ["", None, 3])
def test_a_path_is_a_text_that_is_not_empty(given: object) -> None:
    assert path_of("out", "--output") == Path("out")
    with pytest.raises(SettingsError, match="Expected output to be a path, but got"):
        path_of(given, "--output")
