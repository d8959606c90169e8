"""ZIP archives that are read where they are: layouts, litter, tables, nested and hostile archives."""

import zipfile

import numpy as np
import pytest

from cuesense.datasets import zipped
from cuesense.datasets.load import load_dataset
from cuesense.errors import DatasetError, SplitError, UnreadableImageError
from tests.helpers import dataset_files as made


def archive(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in members.items():
            out.writestr(name, content)
    return str(path)


def refused(spec, **options):
    with pytest.raises(DatasetError) as caught:
        load_dataset(spec, **options)
    text = str(caught.value)
    assert "\n" not in text
    return text


PNG = made.FILES
TWO = {"a/0.png": PNG[0], "b/1.png": PNG[1]}


@pytest.mark.parametrize("around", ["", "set/", "set/images/", "a b/ü/"])
def test_folders_around_everything_are_passed_over(around, tmp_path):
    spec = archive(tmp_path / "x.zip", {around + name: content for name, content in TWO.items()})
    dataset = load_dataset(spec)
    assert (dataset.class_names, dataset.sample_ids) == (("a", "b"), ("a/0.png", "b/1.png"))
    np.testing.assert_array_equal(np.asarray(dataset[1].image), made.PIXELS[1])


def test_the_ids_are_those_of_the_unpacked_folder(tmp_path):
    spec = archive(tmp_path / "x.zip", TWO | {"a/deep/2.png": PNG[2], "a/.hidden.png": PNG[3], "Thumbs.db": b"x"})
    zipfile.ZipFile(spec).extractall(tmp_path / "x")
    there, packed = load_dataset(str(tmp_path / "x")), load_dataset(spec)
    assert packed.sample_ids == there.sample_ids
    assert packed.fingerprint == there.fingerprint


def test_a_part_is_chosen_and_said(tmp_path):
    members = {f"set/{part}/{name}": content for part in ("train", "val") for name, content in TWO.items()}
    spec = archive(tmp_path / "x.zip", members)
    dataset = load_dataset(spec)
    assert (dataset.sample_ids, dataset.split) == (("a/0.png", "b/1.png"), "val")
    assert "'val' was read, not train" in dataset.remarks[0]
    assert load_dataset(spec, split="train").split == "train"
    with pytest.raises(SplitError):
        load_dataset(spec, split="test")


@pytest.mark.parametrize("table", ["labels.csv", "metadata.csv", "list.csv"])
@pytest.mark.parametrize("folder", ["", "images/"])
def test_a_table_in_the_archive_says_the_classes(table, folder, tmp_path):
    images = {f"{folder}{k}.png": PNG[k] for k in range(3)}
    text = "image_id,class\n2,x\n0,y\n1,x\n"
    dataset = load_dataset(archive(tmp_path / "x.zip", images | {table: text, "README.md": b"x"}))
    assert (dataset.class_names, dataset.labels) == (("x", "y"), (1, 0, 0))
    np.testing.assert_array_equal(np.asarray(dataset[2].image), made.PIXELS[2])


def test_what_is_left_out_is_counted(tmp_path):
    dataset = load_dataset(archive(tmp_path / "x.zip", TWO | {"c.png": PNG[2], "a/notes.doc": b"x"}))
    assert any("beside the class folders" in remark for remark in dataset.remarks)
    assert any(".doc" in remark for remark in dataset.remarks)


def test_images_without_classes_are_refused(tmp_path):
    assert "without a table of labels" in refused(archive(tmp_path / "x.zip", {"a_0.png": PNG[0], "b_1.png": PNG[1]}))


def test_a_table_that_names_other_images_is_refused(tmp_path):
    members = {"0.png": PNG[0], "labels.csv": "path,label\n0.png,x\n7.png,x\n"}
    assert "1 of 2 that are not in it (7.png)" in refused(archive(tmp_path / "x.zip", members))


def test_a_broken_table_is_named_as_it_lies_in_the_archive(tmp_path):
    text = refused(archive(tmp_path / "x.zip", {"0.png": PNG[0], "labels.csv": "path,label\n0.png,\n"}))
    assert "labels.csv of the archive" in text
    assert "None in row 1" in text


def test_archives_in_an_archive_are_named(tmp_path):
    inner = archive(tmp_path / "inner.zip", TWO)
    with open(inner, "rb") as file:  # noqa: PTH123
        spec = archive(tmp_path / "x.zip", {"train.zip": file.read(), "readme.txt": b"x"})
    assert "archives in the archive (train.zip)" in refused(spec)


def test_an_archive_without_images(tmp_path):
    assert "no image in it" in refused(archive(tmp_path / "x.zip", {"a.txt": b"x"}))


def test_encrypted_archives_are_refused(tmp_path):
    spec = archive(tmp_path / "x.zip", TWO)
    content = bytearray((tmp_path / "x.zip").read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 8] |= 1
    (tmp_path / "x.zip").write_bytes(content)
    assert "encrypted" in refused(spec)


def test_an_archive_that_unpacks_to_far_more_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(zipped, "_ALWAYS_ALLOWED", 0)
    spec = archive(tmp_path / "x.zip", TWO | {"a/2.png": b"\0" * 5_000_000})
    assert "images do not compress so well" in refused(spec)


def test_a_large_member_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(zipped, "_LARGEST", 1000)
    assert "in files of up to" in refused(archive(tmp_path / "x.zip", TWO))


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(zipped, "_MOST_MEMBERS", 1)
    assert "at most 1 files" in refused(archive(tmp_path / "x.zip", TWO))


def test_names_that_lead_out_of_the_archive_lead_nowhere(tmp_path):
    dataset = load_dataset(archive(tmp_path / "x.zip", {"../../a/0.png": PNG[0], "../../b/1.png": PNG[1]}))
    assert len(dataset) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.zip"]


def test_a_damaged_member_is_one_unreadable_image(tmp_path):
    spec = archive(tmp_path / "x.zip", TWO)
    dataset = load_dataset(spec)
    content = bytearray((tmp_path / "x.zip").read_bytes())
    content[60:90] = bytes(30)
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(UnreadableImageError, match=r"a/0\.png"):
        dataset[0]
    assert dataset[1].image.size == (made.SIDE, made.SIDE)


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"<html>not found</html>")
    assert "a ZIP archive" in refused(str(tmp_path / "x.zip"))
    assert "a ZIP archive" in refused(f"zip:{tmp_path}/gone.zip")
