"""From what tables write to classes: numbers, names, one-item lists, and several labels, which are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.datasets.labels import read_labels
from cuesense.errors import DatasetError


def names(values, known=None):
    return read_labels(values, "'list.csv'", known).names


def refused(values, known=None):
    with pytest.raises(DatasetError) as caught:
        read_labels(values, "'list.csv'", known)
    return str(caught.value)


@given(st.lists(st.integers(0, 300), min_size=1))
def test_numbers_sort_as_numbers(values):
    found = read_labels(values, "x")
    assert [int(name) for name in found.names] == sorted(set(values))
    assert [int(found.names[index]) for index in found.indices] == values


def test_known_names_are_indexed_by_number_or_by_name():
    known = ["cat", "dog", "emu"]
    assert read_labels([2, 0, "1"], "x", known).indices == (2, 0, 1)
    assert read_labels(["emu", "cat"], "x", known).indices == (2, 0)
    assert names([0], known) == tuple(known)


def test_classes_that_are_called_by_numbers_are_found_by_name():
    assert read_labels(["7", "3"], "x", ["3", "7"]).indices == (1, 0)
    assert read_labels(["0", "1"], "x", ["3", "7"]).indices == (0, 1)


@pytest.mark.parametrize("value", [3, -1, "fox"])
def test_what_is_no_class_is_refused(value):
    assert "in row 2" in refused([0, value], ["cat", "dog", "emu"])


def test_the_minus_one_of_test_sets_is_explained():
    assert "published without labels" in refused([0, -1])


def test_a_list_of_one_is_a_label():
    assert names([[1], np.array([0])]) == ("0", "1")
    assert "2 of them in row 1 (a multi-label" in refused([["a", "b"]])
    assert "an empty list in row 1" in refused([[]])


@pytest.mark.parametrize("value", ["a|b", "b|b", "['a', 'b']", '{"a": 1}'])
def test_labels_that_are_joined_are_refused_by_name(value):
    text = refused(["a", "b", value])
    assert "multi-label" in text
    assert "one class an image" in text


@pytest.mark.parametrize("mark", [",", ";", " ", ", "])
def test_combinations_of_labels_are_refused(mark):
    values = ["haze", "clear", "road", "water"]
    joined = [mark.join(pair) for pair in (("haze", "road"), ("clear", "road"), ("clear", "water"))]
    assert "joined by" in refused([*values, *joined, mark.join(("clear", "road", "water"))])


@pytest.mark.parametrize(
    "values",
    [
        ["school bus", "rocking chair", "brain coral", "lemon"],
        ["tench, Tinca tinca", "goldfish, Carassius auratus", "shark"],
        ["red car", "red shoe", "blue car", "blue shoe", "green car", "green shoe"],
        ["red wine", "white wine", "red", "wine"],
        ["wine; red", "wine; white"],
    ],
)
def test_names_of_several_words_are_names(values):
    assert names(values) == tuple(sorted(values))
