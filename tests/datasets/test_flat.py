"""Folders of images with a table of labels beside them, in any of the usual places."""

import json

import pytest

from cuesense.datasets.load import load_dataset
from cuesense.errors import DatasetError, SplitError
from tests.helpers import dataset_files as made
from tests.helpers.small_networks import NAMES

CELLS = [(f"{stem}.png", NAMES[label]) for stem, label in zip(made.STEMS, made.LABELS, strict=True)]


def table(path, head="file_name,label"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([head, *(f"{name},{label}" for name, label in CELLS)]) + "\n")
    return path


def refused(spec, **options):
    with pytest.raises(DatasetError) as caught:
        load_dataset(str(spec), **options)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("name", ["labels.csv", "metadata.csv", "annotations.csv", "whatever.csv", "train.csv"])
def test_images_beside_their_table(name, tmp_path):
    made.flat_images(tmp_path)
    table(tmp_path / name)
    dataset = load_dataset(str(tmp_path))
    assert (dataset.class_names, list(dataset.labels)) == (NAMES, made.LABELS)
    assert dataset.sample_ids[0] == "val_00.png"
    assert f"the table '{name}' in the folder" in dataset.remarks[0]


def test_metadata_lines_of_hugging_face(tmp_path):
    made.flat_images(tmp_path)
    rows = [json.dumps({"file_name": name, "label": label}) for name, label in CELLS]
    (tmp_path / "metadata.jsonl").write_text("\n".join(rows))
    assert load_dataset(str(tmp_path)).class_names == NAMES


@pytest.mark.parametrize("folder", ["images", "img", "train_images", "plants"])
def test_images_in_a_folder_beside_the_table(folder, tmp_path):
    made.flat_images(tmp_path / folder)
    table(tmp_path / "labels.csv", "image_id,class")
    dataset = load_dataset(str(tmp_path))
    assert list(dataset.labels) == made.LABELS
    assert dataset[0].image.size == (made.SIDE, made.SIDE)
    assert any(f"'{folder}'" in remark for remark in dataset.remarks)


def test_tables_of_the_parts(tmp_path):
    made.flat_images(tmp_path / "train")
    made.flat_images(tmp_path / "test")
    table(tmp_path / "train.csv")
    table(tmp_path / "test.csv")
    dataset = load_dataset(str(tmp_path))
    assert "'test' was read, not train" in dataset.remarks[0]
    assert "test" in dataset.paths[0].parts
    assert "train" in load_dataset(str(tmp_path), split="train").paths[0].parts
    with pytest.raises(SplitError):
        load_dataset(str(tmp_path), split="val")


def test_parts_with_a_table_each(tmp_path):
    for part in ("train", "validation"):
        made.flat_images(tmp_path / part)
        table(tmp_path / part / "metadata.csv")
    dataset = load_dataset(str(tmp_path))
    assert "'validation' was read, not train" in dataset.remarks[0]
    assert "train" in load_dataset(str(tmp_path), split="train").paths[0].parts


def test_class_folders_go_before_a_table(tmp_path):
    made.class_folders(tmp_path)
    table(tmp_path / "labels.csv")
    assert list(load_dataset(str(tmp_path)).sample_ids) == made.NAMED


def test_names_that_carry_the_class_are_not_guessed(tmp_path):
    made.flat_images(tmp_path)
    (tmp_path / "README.txt").write_text("see labels\n")
    text = refused(tmp_path)
    assert "images without class folders (val_00.png, val_01.png" in text
    assert "not guessed from names of files" in text


def test_several_tables_that_may_be_meant(tmp_path):
    made.flat_images(tmp_path)
    table(tmp_path / "one.csv")
    table(tmp_path / "two.csv")
    assert "2 (one.csv, two.csv)" in refused(tmp_path)
    table(tmp_path / "labels.csv")
    assert len(load_dataset(str(tmp_path))) == made.COUNT


def test_a_file_of_class_names_is_no_table_of_labels(tmp_path):
    made.flat_images(tmp_path)
    (tmp_path / "classes.txt").write_text("brick\ngrass\nwater\n")
    assert "without a table of labels" in refused(tmp_path)


def test_other_roots_are_for_tables(tmp_path):
    made.flat_images(tmp_path / "far" / "away")
    path = table(tmp_path / "lists" / "labels.csv")
    assert load_dataset(str(path), data_root=tmp_path / "far" / "away")[0].image.size == (made.SIDE, made.SIDE)
    made.class_folders(tmp_path / "classes")
    assert "Leave it out" in refused(tmp_path / "classes", data_root=tmp_path)


def test_a_list_that_numbers_the_images_is_no_table_of_labels(tmp_path):
    """CUB's images.txt; the classes of its images are their folders, and without these nothing says them."""
    made.class_folders(tmp_path / "images")
    (tmp_path / "images.txt").write_text("\n".join(f"{k} {name}" for k, name in enumerate(made.NAMED, 1)))
    assert load_dataset(str(tmp_path)).class_names == NAMES
    bare = tmp_path / "bare"
    bare.mkdir()
    for number, content in enumerate(made.FILES):
        (bare / f"{number}.png").write_bytes(content)
    (bare / "images.txt").write_text("\n".join(f"{k} {k}.png" for k in range(made.COUNT)))
    with pytest.raises(DatasetError, match="without class folders"):
        load_dataset(str(bare))
