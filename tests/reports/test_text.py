import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.reports import text
from cuesense.types import CueVerdict

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (None, "–"),
        (0.0, "0.0 %"),
        (0.84, "84.0 %"),
        (0.84949, "84.9 %"),
        (0.84951, "85.0 %"),
        (0.99949, "99.9 %"),
        (0.99951, "100.0 %"),
        (1.0, "100.0 %"),
        (-0.0123, "−1.2 %"),
        (-1e-9, "0.0 %"),
    ],
)
def test_percent(share, shown):
    assert text.percent(share) == shown.replace(" ", NBSP)


@pytest.mark.parametrize(
    ("difference", "shown"),
    [
        (None, "–"),
        (0.05, "5.0"),
        (-0.014, "−1.4"),
        (0.000499, "0.0"),
        (0.000501, "0.1"),
        (-0.000499, "0.0"),
        (-0.000501, "−0.1"),
        (0.0025, "0.2"),
        (0.0075, "0.8"),
    ],
)
def test_points_round_to_the_nearest_tenth_and_ties_to_even(difference, shown):
    assert text.points(difference) == shown
    assert text.points_with_unit(difference) == (shown if difference is None else f"{shown}{NBSP}pp")


@given(st.floats(-1, 1))
def test_points_are_within_half_a_tenth_and_never_minus_zero(difference):
    shown = text.points(difference)
    assert abs(float(shown.replace("−", "-")) - 100 * difference) <= 0.05 + 1e-9
    assert shown != "−0.0"


def test_an_interval_needs_both_bounds():
    assert text.with_interval(0.82, 0.7, 0.9) == "0.82 [0.70, 0.90]"
    assert text.with_interval(0.02, -0.05, 0.1) == "0.02 [−0.05, 0.10]"
    assert text.with_interval(0.82, None, 0.9) == text.with_interval(0.82, 0.7, None) == "0.82"
    assert text.with_interval(None, None, None) == "–"
    assert text.bracketed(0.041, 0.16, text.points) == "[4.1, 16.0]"


@pytest.mark.parametrize(
    ("number", "noun", "shown"),
    [(0, "run", "0 runs"), (1, "run", "1 run"), (1, "class", "1 class"), (2000, "class", "2,000 classes")],
)
def test_nouns_are_counted(number, noun, shown):
    assert text.counted(number, noun) == shown


@pytest.mark.parametrize(
    ("items", "shown"),
    [([], ""), (["a", "b"], "a, b"), (["a", "b", "c"], "a, b and 1 more"), (["a"] * 1502, "a, a and 1,500 more")],
)
def test_lists_are_cut_above_their_length(items, shown):
    assert text.listed(items, 2) == shown


def test_letters_tell_every_cue_apart():
    assert set(text.CUE_LETTERS) == set(CueVerdict)
    assert len(set(text.CUE_LETTERS.values())) == len(CueVerdict)


@pytest.mark.parametrize("name", ["日本 🐟 é[red]", "a\u200db"])
def test_letters_of_any_language_are_kept(name):
    assert text.printable(name) == name


@pytest.mark.parametrize("letter", ["\x1b", "\n", "\x9b", "\x7f", "\u202e", "\u2066", "\u2069"])
def test_characters_that_command_a_terminal_or_turn_text_are_replaced(letter):
    assert text.printable(f"a{letter}b") == "a\ufffdb"


def test_identifiers_become_words():
    assert text.readable_name("random_resized_crop") == "random resized crop"


def test_the_class_of_a_cue_is_one_word():
    assert text.css_class(CueVerdict.FINE_DETAIL) == "fine-detail"
    assert text.css_class(CueVerdict.SHAPE) == "shape"
