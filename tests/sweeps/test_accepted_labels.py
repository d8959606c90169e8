"""Labels that are right too: tables, ReaL's file, and mistakes."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cuesense.errors import DatasetError
from cuesense.imagenet_names import imagenet_names
from cuesense.sweeps.accepted_labels import read_accepted

IDS = ("cat/1.png", "cat/2.png", "dog/1.png")
LABELS = np.array([0, 0, 1])
ANSWERS = ("cat", "dog", "sofa")


def test_a_table_names_what_else_is_right(tmp_path: Path) -> None:
    path = tmp_path / "accepted.csv"
    path.write_text("path,accepted\ncat/1.png,cat|sofa\ndog/1.png,sofa | unknown\nother.png,cat\n")
    assert read_accepted(path, IDS, LABELS, ANSWERS).tolist() == [
        [True, False, True],
        [True, False, False],
        [False, False, True],
    ]


def test_real_labels_go_by_the_number_of_the_image(tmp_path: Path) -> None:
    path = tmp_path / "real.json"
    path.write_text(json.dumps([[], [1, 2], [0]]))
    names = imagenet_names()[:3]
    ids = [f"n01440764/ILSVRC2012_val_{number:08d}.JPEG" for number in (3, 2, 1, 9)]
    found = read_accepted(path, ids, np.array([1, 0, 2, 2]), names)
    assert found.tolist() == [
        [True, False, False],
        [False, True, True],
        [False, False, True],
        [False, False, True],
    ]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", "file,labels\n", "the columns path, accepted, but got no path and no accepted"),
        (
            "a.csv",
            "path,accepted\nnowhere.png,cat\n",
            "to be about the dataset's images, but got no image with a class of the model",
        ),
        ("a.json", "{}", "something else than a list of lists"),
        ("a.json", "[", "to be readable"),
        ("a.json", "[[5000]]", "5000, which is no index of a class"),
        ("a.json", "[[-1]]", "-1, which is no index of a class"),
        ("a.json", "[[null]]", "None, which is no index of a class"),
        ("missing.csv", None, "No such file"),
    ],
)
def test_mistakes_are_one_sentence(name: str, content: str | None, sentence: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(DatasetError, match=sentence):
        read_accepted(tmp_path / name, IDS, LABELS, ANSWERS)


def read_text(text: str, folder: Path, name: str = "accepted.csv") -> list[list[bool]]:
    (folder / name).write_text(text, encoding="utf-8")
    found: list[list[bool]] = read_accepted(folder / name, IDS, LABELS, ANSWERS).tolist()
    return found


def test_what_annotators_reject_is_wrong_though_it_is_the_label(tmp_path: Path) -> None:
    assert read_text("path,accepted\ncat/1.png,sofa\n", tmp_path)[0] == [False, False, True]


@pytest.mark.parametrize("accepted", ["", "unknown", "|", "Cat"])
def test_an_image_without_a_known_name_keeps_its_label(accepted: str, tmp_path: Path) -> None:
    found = read_text(f"path,accepted\ncat/1.png,{accepted}\ndog/1.png,dog|cat\n", tmp_path)
    assert found == [[True, False, False], [True, False, False], [True, True, False]]


@pytest.mark.parametrize(
    "text",
    [
        "path,accepted\ncat/2.png,dog|sofa\n",
        "\ufeffpath,accepted\ncat/2.png,dog|sofa\n",
        "accepted,note,path\nsofa |dog,seen twice,cat/2.png\n",
        "path, accepted\ncat/2.png, dog| sofa\n",
        'path,accepted\n"cat/2.png","dog|sofa"\ncat/2.png.bak,cat\n',
        "path,accepted\ncat/2.png,cat\ncat/2.png,dog|sofa\n",
    ],
    ids=["plain", "byte order mark", "other columns", "spaces", "quotes", "the last row of an image counts"],
)
def test_tables_of_several_kinds_read_the_same(text: str, tmp_path: Path) -> None:
    assert read_text(text, tmp_path) == [[True, False, False], [False, True, True], [False, True, False]]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lists=st.lists(st.lists(st.integers(0, 999), max_size=3), min_size=1, max_size=6),
    numbers=st.lists(st.integers(1, 9), min_size=1, max_size=6, unique=True),
    outputs=st.lists(st.integers(0, 999), min_size=1, max_size=8, unique=True),
)
def test_real_labels_are_those_of_a_plain_loop(
    lists: list[list[int]], numbers: list[int], outputs: list[int], tmp_path: Path
) -> None:
    """Networks of some outputs of ImageNet; an image beyond the list, or of other classes alone, keeps its label."""
    (tmp_path / "real.JSON").write_text(json.dumps(lists))
    names = imagenet_names()
    ids = [f"val/x/ILSVRC2012_val_{number:08d}.JPEG" for number in numbers]
    labels = np.arange(len(ids)) % len(outputs)
    expected, known = [], 0
    for number, label in zip(numbers, labels, strict=True):
        right = set(lists[number - 1]) & set(outputs) if number <= len(lists) else set()
        known += bool(right)
        expected.append([index in right if right else place == label for place, index in enumerate(outputs)])
    called = [names[index] for index in outputs]
    if not known:
        with pytest.raises(DatasetError, match="but got no image with a class of the model"):
            read_accepted(tmp_path / "real.JSON", ids, labels, called)
        return
    assert read_accepted(tmp_path / "real.JSON", ids, labels, called).tolist() == expected


def test_the_sentences_name_the_file_and_both_forms(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    do = "Write path,accepted with the names of all right classes, separated by |, or give ReaL's real.json."
    for text, sentence in (
        (
            "path\nx\n",
            f"Expected the accepted labels in '{path}' to be one with the columns path, accepted, but got no accepted "
            "(its columns: path). Name the columns so, or add them.",
        ),
        ("", f"Expected the accepted labels in '{path}' to be a table in a CSV file, but got an empty file. {do}"),
        (
            "path,accepted\n",
            f"Expected the accepted labels in '{path}' to be about the dataset's images, but got no image with a class "
            f"of the model. {do}",
        ),
    ):
        with pytest.raises(DatasetError) as caught:
            read_text(text, tmp_path, "a.csv")
        assert str(caught.value) == sentence
