"""Strengths in order, and neighbors that are joined."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.errors import SettingsError
from cuesense.sweeps.sweep import (
    Run,
    choose_regularizer,
    duplicate_run_remark,
    format_strength,
    merge_neighbors,
    order_strengths,
    parse_order,
    parse_strength,
    unreadable_remark,
)
from tests.helpers.simulated_sweeps import Truth, level, simulated


def runs(*strengths: float | str) -> list[Run]:
    return [Run(strength, str(seed)) for seed, strength in enumerate(strengths)]


@given(st.lists(st.floats(0, 100), min_size=2, max_size=8, unique=True))
def test_numbers_rise_and_crops_fall(values: list[float]) -> None:
    ordered, places, direction = order_strengths(runs(*values), "weight_decay", None)
    assert list(ordered) == sorted(values)
    assert [ordered[place] for place in places] == values
    assert direction.order == "rising"
    for name, order in (("RandomResizedCrop", None), ("crop", ["falling"]), ("weight_decay", ["Falling"])):
        assert order_strengths(runs(*values), name, order)[0] == tuple(reversed(ordered))


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
        (
            ("a", "b"),
            ["a"],
            "Expected order to be rising, falling, or all strengths, mild to strong, but got b missing",
        ),
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


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=31, max_size=70))
def test_groups_of_neighbors_hold_every_run_once_and_keep_the_order(counts: list[int]) -> None:
    sweep = simulated(Truth(level(2, 2), images=2, runs=1), 0)
    strength_of = np.repeat(np.arange(len(counts)), counts)
    total = len(strength_of)
    whole = replace(
        sweep,
        strengths=tuple(float(place) for place in range(len(counts))),
        strength_of=strength_of,
        seeds=tuple(str(run) for run in range(total)),
        accuracy=np.zeros((total, 2)),
        images=np.ones((total, 2), dtype=np.int64),
    )
    found = merge_neighbors(whole)
    assert len(found.strengths) == min(20, total // 5)
    assert found.runs.sum() == total
    assert (np.diff(found.strength_of) >= 0).all()
    # Equal parts, but for the runs of a strength that is not cut in two.
    assert abs(found.runs - total / len(found.strengths)).max() <= 4
    for place, name in enumerate(found.strengths):
        members = sorted({whole.strengths[old] for old in strength_of[found.strength_of == place]})
        assert name == members[len(members) // 2]


def test_merged_strengths_keep_earlier_remarks() -> None:
    sweep = replace(simulated(Truth(level(10, 3), images=20, runs=1), 0), remarks=("First.",))
    assert merge_neighbors(sweep).remarks == (
        "First.",
        "10 strengths were joined into 2 groups of neighbors, named after the one in the middle.",
    )


@given(st.permutations(["none", "mild", "0.5", "heavy"]), st.lists(st.integers(0, 3), min_size=8, max_size=8))
def test_an_order_gives_every_run_the_index_of_its_strength(order: list[str], drawn: list[int]) -> None:
    kinds = [parse_strength(name) for name in ("none", "mild", "0.5", "heavy")]
    given_runs = runs(*kinds, *(kinds[index] for index in drawn))
    ordered, places, direction = order_strengths(given_runs, "x", order)
    assert direction.order == "given"
    assert [format_strength(strength) for strength in ordered] == order
    assert [ordered[place] for place in places] == [run.strength for run in given_runs]


@pytest.mark.parametrize(
    ("strength", "text"), [(0.1, "0.1"), (1.0, "1"), (1e-5, "1e-05"), ("heavy", "heavy"), (123456.0, "123456")]
)
def test_strengths_are_written_as_short_as_they_can_be(strength: float | str, text: str) -> None:
    assert format_strength(strength) == text
    assert parse_strength(text) == strength


@pytest.mark.parametrize("text", ["inf", "-inf", "NaN", "1e999", "", "0x10", "1,5"])
def test_what_is_no_finite_number_is_a_name(text: str) -> None:
    assert parse_strength(text) == text
    assert isinstance(parse_strength(text), str)


def test_copies_are_counted_and_the_first_is_named() -> None:
    """Runs 0, 2 and 3 are equal in strength 0; run 4 is equal to run 1 in strength 1, with a class without images."""
    accuracy = np.array(
        [[0.5, 0.6, np.nan], [0.1, 0.2, np.nan], [0.5, 0.6, np.nan], [0.5, 0.6, np.nan], [0.1, 0.2, np.nan]]
    )
    assert duplicate_run_remark(accuracy, np.array([0, 1, 0, 0, 1]), list("abcde")) == (
        "3 of 5 runs have the accuracies of another run of their strength in every class, such as 'c': if they are "
        "copies, the variation over seeds is underestimated.",
    )
    accuracy[[2, 3, 4], 0] += [0.1, 0.2, 0.3]
    assert duplicate_run_remark(accuracy, np.array([0, 1, 0, 0, 1]), list("abcde")) == ()


@pytest.mark.parametrize(
    ("read", "remark"),
    [(10, ()), (9, ("1 of 10 images could not be read and were left out.",))],
)
def test_unreadable_images_are_remarked(read: int, remark: tuple[str, ...]) -> None:
    assert unreadable_remark(read, 10) == remark


@pytest.mark.parametrize(
    ("strength_of", "counts", "compared"),
    [([0, 0, 1, 2, 2], [2, 1, 2], [0, 2]), ([0, 1, 2], [1, 1, 1], [0, 1, 2]), ([2, 2, 2, 0, 1], [1, 1, 3], [2])],
)
def test_strengths_of_two_runs_are_compared_or_all_of_one(
    strength_of: list[int], counts: list[int], compared: list[int]
) -> None:
    sweep = simulated(Truth(level(3, 2), images=2, runs=1), 0)
    found = replace(sweep, strength_of=np.array(strength_of))
    assert found.runs.tolist() == counts
    assert found.compared.tolist() == compared
