"""Strengths in order, and neighbors that are joined."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.errors import SettingsError
from cuesense.sweeps.sweep import (
    Run,
    choose_regularizer,
    duplicate_run_remark,
    merge_neighbors,
    order_strengths,
    parse_order,
    parse_strength,
)
from tests.helpers.simulated_sweeps import Truth, level, simulated


def runs(*strengths: float | str) -> list[Run]:
    return [Run(strength, str(seed)) for seed, strength in enumerate(strengths)]


@given(st.lists(st.floats(0, 100), min_size=2, max_size=8, unique=True))
def test_numbers_rise_and_crops_fall(values: list[float]) -> None:
    ordered, places = order_strengths(runs(*values), "weight_decay", None)
    assert list(ordered) == sorted(values)
    assert [ordered[place] for place in places] == values
    assert order_strengths(runs(*values), "Random_Crop", None)[0] == tuple(reversed(ordered))


def test_an_order_decides_words_and_numbers() -> None:
    assert order_strengths(runs("strong", "none", "mild"), "augment", ["none", "mild", "strong"])[0] == (
        "none",
        "mild",
        "strong",
    )
    assert order_strengths(runs(1.0, 0.0), "x", ["1", "0.0"])[0] == (1.0, 0.0)


@pytest.mark.parametrize(
    ("strengths", "order", "sentence"),
    [
        ((0.1, 0.1), None, "Expected the runs to be of two strengths at least, but got '0.1' alone. Add runs"),
        (
            ("none", 0.5),
            None,
            "strengths to be numbers, but got 'none'. Name all strengths, mild to strong",
        ),
        (("a", "b"), ["a"], "Expected order to be all strengths of the runs, mild to strong, but got b missing"),
        (("a", "b"), ["a", "b", "a"], "but got a given twice"),
        (("a", "b"), ["a", "b", "c"], "but got c that no run has"),
    ],
)
def test_mistakes_are_one_sentence(strengths: tuple[float | str, ...], order: list[str] | None, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        order_strengths(runs(*strengths), "x", order)


def test_a_strength_is_given_once_with_each_seed() -> None:
    with pytest.raises(SettingsError, match=r"1 given twice, the first of them strength 0.5 with seed 3"):
        order_strengths([Run(0.5, "3"), Run(1.0, "3"), Run(0.5, "3")], "x", None)


def test_an_order_is_a_list_or_text_with_commas() -> None:
    assert parse_order(None) is None
    assert parse_order("none, mild") == ["none", "mild"]
    assert parse_order([0, 0.5]) == ["0", "0.5"]
    with pytest.raises(SettingsError, match="order to be strengths, mild to strong, but got 3"):
        parse_order(3)


def test_numbers_are_read_as_numbers_and_nothing_else() -> None:
    assert parse_strength("1e-4") == 1e-4
    assert parse_strength(2) == 2.0
    assert parse_strength(" mild ") == "mild"
    assert parse_strength("nan") == "nan"


def test_one_regularizer_is_chosen() -> None:
    assert choose_regularizer(None, None, "'t'") == "regularizer"
    assert choose_regularizer(["a", "a"], None, "'t'") == "a"
    assert choose_regularizer(["a", "b"], "b", "'t'") == "b"
    with pytest.raises(SettingsError, match=r"'t' to be runs of one regularizer, but got 2: a, b. Choose with"):
        choose_regularizer(["b", "a"], None, "'t'")
    with pytest.raises(SettingsError, match="Did you mean 'crop'"):
        choose_regularizer(["crop"], "drop", "'t'")


def test_a_strength_for_every_run_is_joined_with_its_neighbors() -> None:
    sweep = simulated(Truth(level(40, 3), images=20, runs=1), 0)
    found = merge_neighbors(sweep)
    assert len(found.strengths) == 8
    assert found.runs.min() >= 5
    assert set(found.strengths) <= set(sweep.strengths)
    assert list(found.strength_of) == sorted(found.strength_of)
    assert "40 strengths were joined into 8 groups" in found.remarks[0]
    assert np.array_equal(found.accuracy, sweep.accuracy)


def test_what_can_be_told_apart_is_not_joined() -> None:
    few = simulated(Truth(level(12, 3), images=20, runs=2), 0)
    assert merge_neighbors(few) is few
    one_seed = replace(few, strength_of=np.arange(6), strengths=few.strengths[:6], accuracy=few.accuracy[:6])
    assert merge_neighbors(one_seed) is one_seed


@pytest.mark.parametrize(
    ("strengths", "runs_each", "left"),
    [(30, 2, 30), (31, 2, 12), (9, 1, 9), (10, 1, 2), (99, 1, 19), (100, 1, 20), (120, 1, 20)],
)
def test_neighbors_are_merged_above_thirty_strengths_or_from_ten_without_a_second_run(
    strengths: int, runs_each: int, left: int
) -> None:
    sweep = simulated(Truth(level(strengths, 2), images=2, runs=runs_each), 0)
    assert len(merge_neighbors(sweep).strengths) == left


def test_one_strength_with_two_runs_keeps_ten_strengths_apart() -> None:
    sweep = simulated(Truth(level(10, 2), images=2, runs=1), 0)
    twice = replace(
        sweep,
        strength_of=np.append(sweep.strength_of, 9),
        seeds=(*sweep.seeds, "1"),
        accuracy=np.vstack([sweep.accuracy, sweep.accuracy[-1:]]),
        images=np.vstack([sweep.images, sweep.images[-1:]]),
    )
    assert merge_neighbors(twice) is twice


@pytest.mark.parametrize(("classes", "remarks"), [(2, 0), (3, 1)])
def test_equal_runs_are_remarked_from_three_classes_on(classes: int, remarks: int) -> None:
    accuracy = np.full((2, classes), 0.5)
    assert len(duplicate_run_remark(accuracy, np.array([0, 0]), ["a", "b"])) == remarks
    assert duplicate_run_remark(accuracy, np.array([0, 1]), ["a", "b"]) == ()


def test_errors_list_five_names() -> None:
    with pytest.raises(SettingsError, match=r"but got 7: a, b, c, d, e\. Choose"):
        choose_regularizer("gfedcba", None, "'t'")
    with pytest.raises(SettingsError, match=r"but got b, c, d, e, f missing\."):
        order_strengths(runs(*"abcdefg"), "x", ["a"])
