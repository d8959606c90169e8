"""Strengths in order, and neighbors that are joined."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.errors import SettingsError
from cuesense.sweeps.sweep import Run, arrange, choose_regularizer, joined, listed, number
from tests.helpers.simulated_sweeps import Truth, level, simulated


def runs(*strengths: float | str) -> list[Run]:
    return [Run(strength, str(seed)) for seed, strength in enumerate(strengths)]


@given(st.lists(st.floats(0, 100), min_size=2, max_size=8, unique=True))
def test_numbers_rise_and_crops_fall(values: list[float]) -> None:
    ordered, places = arrange(runs(*values), "weight_decay", None)
    assert list(ordered) == sorted(values)
    assert [ordered[place] for place in places] == values
    assert arrange(runs(*values), "Random_Crop", None)[0] == tuple(reversed(ordered))


def test_an_order_decides_words_and_numbers() -> None:
    assert arrange(runs("strong", "none", "mild"), "augment", ["none", "mild", "strong"])[0] == (
        "none",
        "mild",
        "strong",
    )
    assert arrange(runs(1.0, 0.0), "x", ["1", "0.0"])[0] == (1.0, 0.0)


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
        arrange(runs(*strengths), "x", order)


def test_a_strength_is_given_once_with_each_seed() -> None:
    with pytest.raises(SettingsError, match=r"1 given twice, the first of them strength 0.5 with seed 3"):
        arrange([Run(0.5, "3"), Run(1.0, "3"), Run(0.5, "3")], "x", None)


def test_an_order_is_a_list_or_text_with_commas() -> None:
    assert listed(None) is None
    assert listed("none, mild") == ["none", "mild"]
    assert listed([0, 0.5]) == ["0", "0.5"]
    with pytest.raises(SettingsError, match="order to be strengths, mild to strong, but got 3"):
        listed(3)


def test_numbers_are_read_as_numbers_and_nothing_else() -> None:
    assert number("1e-4") == 1e-4
    assert number(2) == 2.0
    assert number(" mild ") == "mild"
    assert number("nan") == "nan"


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
    found = joined(sweep)
    assert len(found.strengths) == 8
    assert found.runs.min() >= 5
    assert set(found.strengths) <= set(sweep.strengths)
    assert list(found.strength_of) == sorted(found.strength_of)
    assert "40 strengths were joined into 8 groups" in found.remarks[0]
    assert np.array_equal(found.accuracy, sweep.accuracy)


def test_what_can_be_told_apart_is_not_joined() -> None:
    few = simulated(Truth(level(12, 3), images=20, runs=2), 0)
    assert joined(few) is few
    one_seed = replace(few, strength_of=np.arange(6), strengths=few.strengths[:6], accuracy=few.accuracy[:6])
    assert joined(one_seed) is one_seed
