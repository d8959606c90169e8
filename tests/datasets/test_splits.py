"""Folders called train, val, test: parts of a dataset, of which one is used and named, or classes."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from cuesense.datasets.cached import CachedDataset
from cuesense.datasets.left_out import remarks_of
from cuesense.datasets.load import DatasetOptions, load_dataset, load_one_of_several
from cuesense.datasets.splits import split_kind, split_of
from cuesense.datasets.subset import subset
from cuesense.errors import DatasetError, SplitError


def made(root: Path, *names: str) -> Path:
    for shade, name in enumerate(names):
        path = root / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (shade, 0, 0)).save(path)
    return root


BINARY = ("train/cat/1", "train/dog/1", "val/cat/2", "val/dog/2")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("val", "val"), ("Valid", "val"), ("VALIDATION", "val"), ("dev", "val"), ("eval", "val"), ("test", "test"),
        ("Testing", "test"), ("holdout", "test"), ("train", "train"), ("train2017", "train"), ("training_set", "train"),
        ("test-set", "test"), ("val_images", "val"), ("images_train", "train"), ("seg_test", "test"),
        ("ILSVRC2012_val", "val"), ("ILSVRC2012_img_val", "val"), ("train ", "train"),
        ("trainer", None), ("values", None), ("steam train", None), ("bullet_train", None), ("tester", None),
        ("", None), ("2017", None), ("development", None),
    ],
)  # fmt: skip
def test_names_of_parts(name: str, kind: str | None) -> None:
    assert split_kind(name) == kind


def test_validation_images_are_taken_and_it_is_said(tmp_path: Path) -> None:
    root = made(tmp_path, *BINARY)
    found = load_dataset(str(root))
    assert found.class_names == ("cat", "dog")
    assert split_of(found) == "val"
    assert remarks_of(found) == (
        "Of the dataset's parts, 'val' is used. Its parts are 'val', 'train': choose another with --split.",
    )
    # The same images as by their own path, so that results are the same.
    named = load_dataset(str(root / "val"))
    assert (found.sample_ids, found.labels, found.fingerprint) == (named.sample_ids, named.labels, named.fingerprint)
    assert split_of(named) is None
    assert {split_of(subset(found, 1)), split_of(CachedDataset(found))} == {"val"}


def test_the_part_that_is_asked_for_is_taken_without_a_word(tmp_path: Path) -> None:
    root = made(tmp_path, *BINARY)
    found = load_dataset(str(root), split="train")
    assert split_of(found) == "train"
    assert found.fingerprint == load_dataset(str(root / "train")).fingerprint
    assert remarks_of(found) == ()
    with pytest.raises(SplitError, match="to be one of 'val', 'train', but got 'test'"):
        load_dataset(str(root), split="test")


@pytest.mark.parametrize(
    ("names", "split", "part", "classes"),
    [
        (["train/cat/1"], None, "train", ["cat"]),
        (["Train/cat/1", "Test/1"], None, "Train", ["cat"]),
        (["train2017/cat/1", "val2017/cat/1"], None, "val2017", ["cat"]),
        (["training_set/cat/1", "test_set/cat/1"], None, "test_set", ["cat"]),
        (["train/cat/1", "val/cat/1", "notes/1"], None, "val", ["cat"]),
        (["train/cat/1", "validation/dog/1"], None, "validation", ["dog"]),
        (["train/cat/1", "holdout/cat/1"], None, "holdout", ["cat"]),
        (["test/cat/1", "valid/cat/1", "train/cat/1"], None, "valid", ["cat"]),
        (["test/cat/1", "valid/cat/1", "train/cat/1"], "val", "valid", ["cat"]),
        (["test/cat/1", "valid/cat/1", "train/cat/1"], "TEST", "test", ["cat"]),
        (["dataset/dataset/train/cat/1", "dataset/dataset/val/cat/1"], None, "dataset/dataset/val", ["cat"]),
        (["photos/train/cat/1", "photos/test/cat/1"], "train", "photos/train", ["cat"]),
        (["photos/train/cat/1", "photos/test/cat/1"], "photos/test", "photos/test", ["cat"]),
        (["images/train/cat/1", "images/val/cat/1", "labels/1"], None, "images/val", ["cat"]),
        (["train/images/cat/1", "val/images/cat/1", "val/images/dog/1"], None, "val", ["cat", "dog"]),
        (["train/train/cat/1", "train/train/dog/1", "test/test/1"], None, "train", ["cat", "dog"]),
        (["train/cat/1", "train/dog/1", "test/unknown/1"], None, "train", ["cat", "dog"]),
        (["train/cat/1", "train/dog/1", "train/stray", "val/cat/1", "val/dog/1"], "train", "train", ["cat", "dog"]),
    ],
)
def test_layouts_of_parts(names: list[str], split: str | None, part: str, classes: list[str], tmp_path: Path) -> None:
    found = load_dataset(str(made(tmp_path, *names)), split=split)
    assert (split_of(found), list(found.class_names)) == (part, classes)


@pytest.mark.parametrize(
    "names",
    [
        ["train/1", "car/1"],
        ["train/1", "test/1"],
        ["train/1", "train/2", "val/1", "val/sub/2"],
        ["train/steam/1", "car/1"],
        ["train/batch1/1", "car/batch1/1"],
        ["train/steam/1", "test/tube/1", "car/1"],
        ["trainer/a/1", "values/a/1"],
        ["train/images/1", "val/images/1"],
    ],
)
def test_a_class_may_be_called_like_a_part(names: list[str], tmp_path: Path) -> None:
    found = load_dataset(str(made(tmp_path, *names)))
    assert found.class_names == tuple(sorted({name.split("/")[0] for name in names}))
    assert remarks_of(found) == ()
    assert split_of(found) is None
    with pytest.raises(SplitError, match="which has no parts such as train and val, but got 'val'"):
        load_dataset(str(tmp_path), split="val")


def test_a_folder_that_is_the_part_itself_may_be_called_so_twice(tmp_path: Path) -> None:
    part = tmp_path / "validation"
    part.mkdir()
    made(part, "ant/1", "bee/2")
    assert load_dataset(str(part), split="val").class_names == ("ant", "bee")
    for other in ("train", "ant"):
        with pytest.raises(SplitError, match="has no parts"):
            load_dataset(str(part), split=other)


def test_training_images_alone_are_used_with_a_caution(tmp_path: Path) -> None:
    root = made(tmp_path, "train/cat/1", "train/dog/1", "test/1")
    found = load_dataset(str(root))
    assert remarks_of(found) == (
        "Only 'train' has labeled images (without class folders: 'test'). If the model was trained on them, accuracies "
        "and cues say less about new images.",
    )
    with pytest.raises(SplitError, match="one of 'train', but got 'test', which has no class folders"):
        load_dataset(str(root), split="test")


def test_another_spelling_of_a_part_is_taken_and_said_and_another_part_is_not(tmp_path: Path) -> None:
    root = made(tmp_path, "train/cat/1", "valid/cat/2")
    (remark,) = remarks_of(load_dataset(str(root), split="val"))
    assert remark.startswith("Of the dataset's parts, 'valid' is used.")
    assert remarks_of(load_dataset(str(root), split="valid")) == ()
    with pytest.raises(SplitError, match="one of 'valid', 'train', but got 'dev'"):
        load_dataset(str(root), split="dev")


def test_a_secret_test_set_is_not_chosen_and_named(tmp_path: Path) -> None:
    (remark,) = remarks_of(load_dataset(str(made(tmp_path, *BINARY, "test/1", "test/2"))))
    assert remark.startswith("Of the dataset's parts, 'val' is used (without class folders: 'test'). Its parts are")


def test_several_parts_of_one_kind_are_told_apart_by_name(tmp_path: Path) -> None:
    root = made(tmp_path, "train2014/cat/1", "train2017/cat/1", "val/cat/1")
    assert split_of(load_dataset(str(root), split="train2017")) == "train2017"
    with pytest.raises(DatasetError, match="one of 'train2014', 'train2017', but got 'train'") as caught:
        load_dataset(str(root), split="train")
    assert not isinstance(caught.value, SplitError)
    # Nor are the validation images trained on instead.
    with pytest.raises(DatasetError, match="one of 'train2014', 'train2017'"):
        load_one_of_several(str(root), DatasetOptions(), for_training=True)


def test_training_takes_the_training_images_of_a_folder(tmp_path: Path) -> None:
    root = str(made(tmp_path, *BINARY))
    assert split_of(load_one_of_several(root, DatasetOptions(), for_training=True)) == "train"
    assert split_of(load_one_of_several(root, DatasetOptions())) == "val"
    assert load_one_of_several(f"{root}/val", DatasetOptions(), for_training=True).class_names == ("cat", "dog")


def test_tiny_imagenets_validation_images_have_their_labels_in_a_file(tmp_path: Path) -> None:
    names = ["train/n01440764/images/n01440764_0", "train/n01443537/images/n01443537_0", "test/images/test_0"]
    root = made(tmp_path, *names, "val/images/val_0", "val/images/val_1", "val/images/val_2")
    rows = "val_0.png\tn01443537\t0\t32\t44\t62\nval_1.png\tn01440764\t1\t2\t3\t4\nval_2.png\tn01443537\t1\t2\t3\t4\n"
    (root / "val" / "val_annotations.txt").write_text(rows)
    for found in (load_dataset(str(root)), load_dataset(str(root / "val"))):
        assert found.class_names == ("n01440764", "n01443537")
        assert found.sample_ids == ("n01440764/val_1.png", "n01443537/val_0.png", "n01443537/val_2.png")
        assert list(found.labels) == [0, 1, 1]
    assert load_dataset(str(root), split="train").class_names == ("n01440764", "n01443537")


def test_a_folder_that_leads_back_up_ends(tmp_path: Path) -> None:
    root = made(tmp_path, *BINARY)
    (root / "train" / "cat" / "up").symlink_to(root)
    assert split_of(load_dataset(str(root))) == "val"
