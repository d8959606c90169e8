"""Annotations of objects are refused by their names, and classification folders that look alike are not."""

import json

import pytest

from cuesense.datasets.load import load_dataset
from cuesense.errors import DatasetError
from tests.helpers import dataset_files as made

COCO = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"bbox": [0, 0, 1, 1]}], "categories": [{"id": 1}]}
VOC = "<annotation>\n<filename>a.jpg</filename><object><name>dog</name></object></annotation>"


def refused(spec):
    with pytest.raises(DatasetError) as caught:
        load_dataset(str(spec))
    text = str(caught.value)
    assert "one class an image" in text or "one folder per class" in text
    return text


def coco(folder, place="annotations/instances_val2017.json"):
    made.flat_images(folder / "val2017")
    (folder / place).parent.mkdir(exist_ok=True)
    (folder / place).write_text(json.dumps({"info": {"text": "x" * 70_000}} | COCO))
    return folder


def voc(folder, names=("Annotations", "JPEGImages")):
    made.flat_images(folder / names[1])
    (folder / names[0]).mkdir()
    (folder / names[0] / "a.xml").write_text(VOC)
    return folder


def yolo(folder, images="images/train", labels="labels/train"):
    made.flat_images(folder / images)
    (folder / labels).mkdir(parents=True, exist_ok=True)
    for stem in made.STEMS:
        (folder / labels / f"{stem}.txt").write_text("0 0.5 0.5 0.25 0.125\n3 0.5 0.5 1 1\n")
    return folder


@pytest.mark.parametrize("place", ["annotations/instances_val2017.json", "_annotations.coco.json"])
def test_coco(place, tmp_path):
    folder = coco(tmp_path / "set", place)
    assert "COCO annotations" in refused(folder)
    assert "COCO annotations" in refused(folder / place)
    assert "COCO annotations" in refused(f"table:{folder / place}")


@pytest.mark.parametrize("names", [("Annotations", "JPEGImages"), ("annotations", "images")])
def test_voc(names, tmp_path):
    folder = voc(tmp_path / "set", names)
    assert "Pascal VOC annotations" in refused(folder)
    assert "Pascal VOC annotations" in refused(folder / names[0] / "a.xml")


@pytest.mark.parametrize(
    ("images", "labels"),
    [("images/train", "labels/train"), ("images", "labels"), ("train/images", "train/labels"), (".", ".")],
)
def test_yolo(images, labels, tmp_path):
    folder = yolo(tmp_path / "set", images, labels)
    (folder / "data.yaml").write_text("train: images\nnc: 2\nnames: [a, b]\n")
    assert "YOLO annotations" in refused(folder)
    assert "YOLO annotations" in refused(folder / labels / f"{made.STEMS[0]}.txt")
    assert "the settings of a YOLO dataset" in refused(folder / "data.yaml")


def test_classes_that_are_called_like_annotations_are_classes(tmp_path):
    for name in ("labels", "annotations", "images"):
        made.flat_images(tmp_path / name)
    assert load_dataset(str(tmp_path)).class_names == ("annotations", "images", "labels")


def test_lists_of_paths_and_classes_are_no_boxes(tmp_path):
    made.flat_images(tmp_path)
    (tmp_path / "val.txt").write_text("val_00.png 0\nval_01.png 1\n")
    assert len(load_dataset(str(tmp_path / "val.txt"))) == 2
