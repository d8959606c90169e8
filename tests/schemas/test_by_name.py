"""Lists whose entries are also found by name."""

from __future__ import annotations

import copy
import pickle

import pytest

from cuesense.errors import CuesenseError, UnknownClassError
from cuesense.schemas.by_name import ByName, nearest_names
from cuesense.schemas.profile import Profile
from tests.helpers.audits import audit
from tests.helpers.profiles import profile

SOURCE = profile(6)


def test_a_class_is_found_by_its_name_and_by_its_index() -> None:
    assert SOURCE.classes["zebra"] is SOURCE.classes[4]
    assert SOURCE.classes[-1].name == "lemon"
    assert "lemon" in SOURCE.classes
    assert "lemons" not in SOURCE.classes
    assert SOURCE.classes[0] in SOURCE.classes
    assert audit().classes["zebra"].index == 1


def test_in_all_else_it_is_a_list() -> None:
    classes = SOURCE.classes
    assert isinstance(classes, list)
    assert classes == list(classes)
    assert [entry.index for entry in classes] == list(range(6)) == [classes[at].index for at in range(6)]
    assert classes[1:3] == [classes[1], classes[2]]
    assert classes[1:3]["goldfish"] is classes[2]
    with pytest.raises(IndexError):
        classes[6]


def test_files_and_their_schema_do_not_know_of_names() -> None:
    read = Profile.model_validate_json(SOURCE.to_json())
    assert read == SOURCE
    assert read.to_json() == SOURCE.to_json()
    assert read.classes["zebra"] == SOURCE.classes["zebra"]
    assert Profile.json_schema()["properties"]["classes"]["type"] == "array"


@pytest.mark.parametrize("made", [copy.copy, copy.deepcopy, lambda found: pickle.loads(pickle.dumps(found))])  # noqa: S301
def test_copies_find_classes_by_name(made) -> None:
    assert made(SOURCE).classes["zebra"] == SOURCE.classes["zebra"]


def test_a_copy_with_other_classes_finds_them_by_name() -> None:
    shorter = SOURCE.model_copy(update={"classes": [SOURCE.classes[2]]})
    assert isinstance(shorter.classes, ByName)
    assert shorter.classes["goldfish"] is SOURCE.classes[2]


def test_an_unknown_name_is_one_sentence_with_the_nearest_names() -> None:
    with pytest.raises(UnknownClassError) as caught:
        SOURCE.classes["zebras"]
    assert str(caught.value) == "Unknown class 'zebras'. Did you mean 'zebra'?"
    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, CuesenseError)
    with pytest.raises(KeyError, match="Choose one of tench, barn spider, goldfish, school bus, zebra, lemon"):
        SOURCE.classes["qqq"]


def test_a_part_of_a_name_is_nearer_than_like_letters_and_capitals_do_not_count() -> None:
    known = ["lime", "lemon", "Lemon Shark", "melon", "teapot"]
    assert nearest_names(" LEMON s", known) == ["Lemon Shark", "lemon"]
    assert nearest_names("qqq", known) == nearest_names("", known) == []


def test_of_a_thousand_names_only_some_are_listed() -> None:
    with pytest.raises(UnknownClassError) as caught:
        profile(1000).classes["qqq"]
    assert len(str(caught.value)) < 250
    assert "and 990 more" in str(caught.value)


def test_a_name_that_two_classes_have_is_refused() -> None:
    twice = SOURCE.model_copy(update={"classes": [*SOURCE.classes, SOURCE.classes[4]]})
    with pytest.raises(UnknownClassError, match="Expected the class 'zebra' to be the only one of its name, but got 2"):
        twice.classes["zebra"]


def test_what_is_neither_a_name_nor_an_index_is_one_sentence() -> None:
    with pytest.raises(UnknownClassError, match="Expected a class to be asked for by its name or index, but got"):
        SOURCE.classes[None]  # type: ignore[call-overload]
    with pytest.raises(IndexError, match="Unknown class: a list of 6 is asked for the index 99"):
        SOURCE.classes[99]
    assert SOURCE.classes[-1] is SOURCE.classes[5]
