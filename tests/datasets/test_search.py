"""Images that are not where their table says: by the ends of paths, without suffix, by number; else one sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.datasets.search import search
from cuesense.errors import DatasetError


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def made(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def found(folder, names):
    paths, said = search(names, [folder], folder / "list.csv")
    return [path.relative_to(folder).as_posix() for path in paths], said


def refused(folder, names):
    with pytest.raises(DatasetError) as caught:
        search(names, [folder], folder / "list.csv")
    assert "\n" not in str(caught.value)
    return caught.value.for_command_line


@pytest.mark.parametrize("before", ["/home/bob/images/", "C:/Users/Bob/images/", "../images/", ""])
def test_by_the_ends_of_paths(before, folder):
    made(folder, "images/cat/1.png", "images/dog/1.png", "images/dog/2.png", "images/readme.txt")
    paths, said = found(folder, [f"{before}cat/1.png", f"{before}dog/1.png", "2.png"])
    assert paths == ["images/cat/1.png", "images/dog/1.png", "images/dog/2.png"]
    assert "the ends of their paths" in said


def test_a_table_of_another_machine(folder):
    made(folder, "images/cat/1.png", "images/dog/1.png")
    paths, said = found(folder, ["/mnt/x/images/cat/1.png", "/mnt/x/images/dog/1.png"])
    assert paths == ["images/cat/1.png", "images/dog/1.png"]
    assert "('/mnt/x/images/cat/1.png' is 'images/cat/1.png')" in said


def test_paths_from_the_working_directory(folder, monkeypatch):
    made(folder, "images/a.png", "images/b.png")
    monkeypatch.chdir(folder)
    paths, said = search(["images/a.png", "images/b.png"], [folder / "lists"], folder / "lists" / "list.csv")
    assert all(path.is_file() for path in paths)
    assert "working directory" in said
    with pytest.raises(DatasetError):
        search(["images/a.png", "images/c.png"], [folder / "lists"], folder / "lists" / "list.csv")


def test_another_part_is_not_taken(folder):
    made(folder, "val/cat/1.png", "val/dog/1.png")
    assert "none of 2" in refused(folder, ["train/cat/1.png", "train/dog/1.png"])


def test_names_of_several_files_are_none(folder):
    made(folder, "cat/1.png", "dog/1.png", "dog/2.png")
    assert "none of 1" in refused(folder, ["1.png"])
    assert found(folder, ["1.png", "dog/1.png", "2.png"])[0] == ["1.png", "dog/1.png", "dog/2.png"]


def test_two_names_of_one_file_are_a_wrong_rule(folder):
    made(folder, "cat/1.png")
    refused(folder, ["/a/cat/1.png", "/b/cat/1.png"])


@pytest.mark.parametrize("name", ["images/a.PNG", "images/A.png", "images/a.jpg", "a"])
def test_by_names_without_suffix(name, folder):
    made(folder, "images/a.png", "images/b.png")
    paths, said = found(folder, [name, name.replace("a", "b").replace("A", "B").replace("imbges", "images")])
    assert paths == ["images/a.png", "images/b.png"]
    assert "without suffix" in said


@given(
    st.sets(st.integers(0, 9_999), min_size=1, max_size=5),
    st.sampled_from(["{:06d}.png", "img_{}.jpg", "x2/f-{:04d}b.png"]),
)
def test_by_number(tmp_path_factory, numbers, form):
    folder = tmp_path_factory.mktemp("numbered")
    made(folder, *map(form.format, numbers))
    made(folder, "other.png")
    paths, said = found(folder, list(map(str, numbers)))
    assert paths == list(map(form.format, numbers))
    assert "numbers" in said


def test_numbers_need_a_file_each(folder):
    made(folder, "a_1.png", "a_2.png", "b_2.png")
    text = refused(folder, ["1", "2"])
    assert "numbers and not names of files ('1', '2'); 'a_1.png', for instance, is another image there" in text
    assert "Write the name of each image's file into the table." in text
    refused(folder, ["1", "3"])


def test_few_missing_are_found_out_later(folder):
    made(folder, "d/a.png", "d/b.png")
    assert found(folder, ["x/d/a.png", "x/d/b.png", "x/d/c.png"])[0] == ["d/a.png", "d/b.png", "x/d/c.png"]
    made(folder, "e/q.png")
    refused(folder, ["x/e/q.png", "x/e/r.png"])


def test_an_empty_folder(folder):
    text = refused(folder, ["a/1.png"])
    assert "no image lies there" in text
    assert "--data-root" in text
