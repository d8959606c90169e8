"""Labels that are right too: tables, ReaL's file, and mistakes."""

import json
from pathlib import Path

import numpy as np
import pytest

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
        ("a.csv", "file,labels\n", "to be readable, but got 'the columns file, labels'"),
        ("a.csv", "path,accepted\nnowhere.png,cat\n", "to be about the dataset's images, but got no name"),
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
