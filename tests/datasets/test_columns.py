"""Which columns of a table name images and classes: headings in any spelling, contents, one-hot columns, refusals."""

from pathlib import Path

import pandas as pd
import pytest

from cuesense.datasets.columns import choose_columns, is_heading
from cuesense.errors import DatasetError
from cuesense.tables.boundary import TableFile

FILE = TableFile(Path("list.csv"), "the table 'list.csv'", (), "Save it again")
IMAGES = ["a.jpg", "b.jpg", "c.jpg"]


def chosen(**columns):
    return choose_columns(pd.DataFrame(columns), FILE)


def refused(**columns):
    with pytest.raises(DatasetError) as caught:
        chosen(**columns)
    return str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "path",
        "PATH",
        "file",
        "File Name",
        "file_name",
        "filename",
        "image",
        "image_id",
        "img",
        "Image Path",
        "filepath",
    ],
)
@pytest.mark.parametrize("label", ["label", "Class", "class_name", "TARGET", "category", "y", "label_name", "species"])
def test_usual_headings_in_any_spelling(path, label):
    found = chosen(**{label: ["x", "y", "x"], path: IMAGES, "width": ["1", "2", "3"]})
    assert (found.paths, found.labels) == (IMAGES, ["x", "y", "x"])
    assert is_heading(path)
    assert is_heading(label)


def test_images_are_told_by_their_names_where_headings_tell_nothing():
    found = chosen(what=["x", "y", "x"], which=IMAGES)
    assert (found.paths, found.labels) == (IMAGES, ["x", "y", "x"])


def test_a_number_and_its_name_are_one_column_in_the_order_of_the_numbers():
    found = chosen(path=IMAGES, label=["1", "0", "1"], class_name=["ant", "zebu", "ant"])
    assert found.labels == ["ant", "zebu", "ant"]
    assert found.names == ("zebu", "ant")
    assert "class_name" in found.remarks[0]


def test_label_goes_before_other_columns_and_it_is_said():
    found = chosen(path=IMAGES, label=["x", "y", "x"], category=["u", "u", "u"])
    assert found.labels == ["x", "y", "x"]
    assert "not of category" in found.remarks[0]


def test_two_columns_that_differ_are_ambiguous():
    text = refused(path=IMAGES, species=["x", "y", "x"], target=["u", "u", "u"])
    assert "'species' (2 different values)" in text
    assert "'target' (1 different values)" in text


def test_one_hot_columns_are_classes():
    found = chosen(path=IMAGES, cat=["1", "0", "0"], dog=["0", "1", "0"], emu=["0", "0", "1.0"])
    assert found.labels == ["cat", "dog", "emu"]
    assert found.names == ("cat", "dog", "emu")
    assert "3 columns of which one is 1" in found.remarks[0]


@pytest.mark.parametrize(("dog", "count"), [("1", 2), ("0", 0)])
def test_several_or_no_ones_are_multi_label(dog, count):
    text = refused(path=IMAGES[:2], cat=["1", str(int(count == 2))], dog=["0", dog])
    assert f"{count} of the 2 columns set in row 2 (a multi-label table" in text


def test_boxes_are_refused_by_name():
    boxes = {name: ["1", "2", "3"] for name in ("xmin", "ymin", "xmax", "ymax")}
    assert "object detection" in refused(filename=["a.jpg", "a.jpg", "b.jpg"], label=["x", "y", "x"], **boxes)
    assert chosen(filename=IMAGES, label=["x", "y", "x"], **boxes).labels == ["x", "y", "x"]


def test_what_is_missing_is_said_with_the_columns():
    assert "none that names the classes" in refused(path=IMAGES, width=["1", "2", "3"], height=["1", "2", "3"])
    assert "none that names the images" in refused(label=["x", "y", "x"], width=["1", "2", "3"])
