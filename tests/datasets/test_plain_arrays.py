"""The files of MNIST and STL-10: what is damaged is one sentence."""

import gzip
import struct

import numpy as np
import pytest

from cuesense.datasets.plain_arrays import digits_in, read_digits, stl10_in
from cuesense.errors import DatasetError

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([1, 0], np.uint8)


def content(array, kind=8):
    head = struct.pack(">HBB", 0, kind, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.tobytes()


@pytest.fixture
def files(tmp_path):
    images, labels = tmp_path / "t10k-images-idx3-ubyte", tmp_path / "t10k-labels-idx1-ubyte"
    images.write_bytes(content(IMAGES))
    labels.write_bytes(content(LABELS))
    return images, labels


def test_images_and_labels(files):
    found = read_digits(*files)
    assert (len(found), list(found.targets), found.classes) == (2, [1, 0], ("0", "1"))
    np.testing.assert_array_equal(np.asarray(found[1][0]), IMAGES[1])
    assert read_digits(*files, ["a", "b", "c"]).classes == ("a", "b", "c")
    # Labels beyond the names: somebody's own images in the same format.
    assert read_digits(*files, ["a"]).classes == ("0", "1")


@pytest.mark.parametrize("folder", ["", "raw"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("mark", ["-", "."])
def test_files_are_found_in_every_spelling(folder, suffix, mark, tmp_path):
    (tmp_path / "raw").mkdir()
    for part in ("t10k", "train"):
        for what, array in (("images", IMAGES), ("labels", LABELS)):
            name = f"{part}-{what}{mark}idx{array.ndim}-ubyte{suffix}"
            packed = gzip.compress(content(array)) if suffix else content(array)
            (tmp_path / folder / name).write_bytes(packed)
    found = digits_in(tmp_path)
    assert list(found) == ["test", "train"]
    assert list(read_digits(*found["train"]).targets) == [1, 0]


def test_a_part_without_labels_is_none(files):
    assert digits_in(files[0].parent) == {"test": files}
    files[1].unlink()
    assert digits_in(files[0].parent) == {}


@pytest.mark.parametrize(
    ("damaged", "text"),
    [
        (content(IMAGES)[:-1], "23 bytes where 24 were announced"),
        (content(IMAGES) + b"x", "25 bytes where 24"),
        (content(IMAGES, kind=9), "another kind"),
        (content(LABELS), "another kind"),
        (b"", "requires"),
        (struct.pack(">HBB3I", 0, 8, 3, 2**15, 2**15, 2**15), "an array of"),
        (content(IMAGES[:1]), "1 images for 2 labels"),
    ],
)
def test_what_is_damaged_is_said(damaged, text, files):
    files[0].write_bytes(damaged)
    with pytest.raises(DatasetError, match=text):
        read_digits(*files)


def test_a_broken_archive(tmp_path, files):
    packed = tmp_path / "t10k-images-idx3-ubyte.gz"
    packed.write_bytes(gzip.compress(content(IMAGES))[:-12])
    with pytest.raises(DatasetError, match="Download it again"):
        read_digits(packed, files[1])


def test_stl10_labels_count_from_one(tmp_path):
    np.zeros((2, 3, 96, 96), np.uint8).tofile(tmp_path / "train_X.bin")
    assert stl10_in(tmp_path, "train") is None
    np.array([1, 10], np.uint8).tofile(tmp_path / "train_y.bin")
    found = stl10_in(tmp_path, "train")
    assert (list(found.targets), found.classes) == ([0, 9], tuple("0123456789"))
    for labels, text in (([0, 1], "a label"), ([1, 11], "a label 10 for 10"), ([1], "2 images for 1")):
        np.array(labels, np.uint8).tofile(tmp_path / "train_y.bin")
        with pytest.raises(DatasetError, match=text):
            stl10_in(tmp_path, "train")
