"""Where the images of a table are: beside it, in a usual folder, below another root, with or without suffix."""

import pytest

from cuesense.datasets.places import place
from cuesense.errors import DatasetError


@pytest.fixture
def table(tmp_path):
    return tmp_path / "train.csv"


def made(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_beside_the_table(table):
    made(table.parent, "a.jpg", "b.jpg")
    assert place(["a.jpg", "b.jpg"], table, None) == ([table.parent / "a.jpg", table.parent / "b.jpg"], None)


@pytest.mark.parametrize("folder", ["images", "train", "img", "whatever"])
@pytest.mark.parametrize("names", [["a.jpg", "b.jpg"], ["a", "b"]])
def test_in_a_folder_beside_it(folder, names, table):
    made(table.parent / folder, "a.jpg", "b.jpg", "b.txt")
    paths, said = place(names, table, None)
    assert paths == [table.parent / folder / "a.jpg", table.parent / folder / "b.jpg"]
    assert f"'{folder}'" in said


def test_below_another_root(table, tmp_path):
    root = made(tmp_path / "elsewhere", "a.jpg")
    table.parent.mkdir(exist_ok=True)
    other = tmp_path / "lists" / "list.csv"
    assert place(["a.jpg"], other, root) == ([root / "a.jpg"], None)


def test_the_folder_of_the_tables_name_goes_first(table):
    made(table.parent / "images", "a.jpg")
    made(table.parent / "train", "a.jpg")
    assert place(["a.jpg"], table, None)[0] == [table.parent / "train" / "a.jpg"]


def test_names_may_be_spread_over_folders(table):
    made(table.parent / "images_001", "a.jpg")
    made(table.parent / "images_002", "b.jpg", "c.jpg")
    paths, _ = place(["a.jpg", "b.jpg", "c.jpg"], table, None)
    assert all(path.is_file() for path in paths)


def test_a_name_with_dots_is_no_suffix(table):
    made(table.parent, "a.b.jpg", "a.png")
    assert place(["a.b", "a"], table, None)[0] == [table.parent / "a.b.jpg", table.parent / "a.png"]


def test_nothing_there_is_refused(table):
    with pytest.raises(DatasetError, match="none of 2 that is there"):
        place(["gone.jpg", "a\0b"], table, None)


def test_some_there_are_not_searched(table):
    made(table.parent / "deep" / "er", "b.jpg")
    made(table.parent, "a.jpg")
    assert place(["a.jpg", "b.jpg"], table, None) == ([table.parent / "a.jpg", table.parent / "b.jpg"], None)
