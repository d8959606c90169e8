"""CIFAR's folders in both forms: pixels as torchvision has them, parts, names, and what is missing or damaged."""

import pickle

import numpy as np
import pytest

from cuesense.datasets.cifar import read_cifar
from cuesense.datasets.load import load_dataset
from cuesense.errors import DatasetError, SplitError
from tests.helpers import dataset_files as made
from tests.helpers.small_networks import NAMES

ROWS = made.PIXELS.transpose(0, 3, 1, 2).reshape(made.COUNT, -1)


def hundred(root):
    folder = root / "cifar-100-python"
    folder.mkdir(parents=True)
    batch = {b"data": ROWS, b"fine_labels": made.LABELS, b"coarse_labels": [0] * made.COUNT}
    (folder / "test").write_bytes(pickle.dumps(batch, 2))
    (folder / "meta").write_bytes(pickle.dumps({b"fine_label_names": list(NAMES), b"coarse_label_names": ["all"]}, 2))
    return folder


def binary(root, name, before, file, names):
    folder = root / name
    folder.mkdir(parents=True)
    labels = np.array(made.LABELS, np.uint8)[:, None]
    head = np.hstack([np.zeros_like(labels), labels])[:, 2 - before :]
    (folder / file).write_bytes(np.hstack([head, ROWS]).tobytes())
    (folder / names).write_text("\n".join(NAMES) + "\n\n")
    return folder


@pytest.mark.parametrize(
    "make",
    [lambda root: made.cifar(root) / "cifar-10-batches-py", hundred,
     lambda root: binary(root, "cifar-10-batches-bin", 1, "test_batch.bin", "batches.meta.txt"),
     lambda root: binary(root, "cifar-100-binary", 2, "test.bin", "fine_label_names.txt")],
    ids=["10", "100", "10 binary", "100 binary"],
)  # fmt: skip
def test_every_form(make, tmp_path):
    folder = make(tmp_path)
    for dataset in (read_cifar(folder, "x"), load_dataset(str(folder)), load_dataset(str(tmp_path))):
        assert (dataset.class_names, list(dataset.labels), dataset.split) == (NAMES, made.LABELS, "test")
        np.testing.assert_array_equal(dataset[5].image, made.PIXELS[5])


def test_pixels_are_those_of_torchvision(tmp_path, monkeypatch):
    from torchvision.datasets import CIFAR10

    monkeypatch.setattr(CIFAR10, "_check_integrity", lambda _: True)
    monkeypatch.setattr(CIFAR10, "_load_meta", lambda self: setattr(self, "classes", list(NAMES)))
    batch = {"data": ROWS, "labels": made.LABELS}
    (made.cifar(tmp_path) / "cifar-10-batches-py" / "test_batch").write_bytes(pickle.dumps(batch, 2))
    known = CIFAR10(tmp_path, train=False)
    dataset = load_dataset("torchvision:cifar10", data_root=tmp_path)
    for place in range(made.COUNT):
        image, label = known[place]
        np.testing.assert_array_equal(dataset[place].image, np.asarray(image))
        assert dataset.labels[place] == label


def test_five_batches_are_the_training_images(tmp_path):
    folder = made.cifar(tmp_path) / "cifar-10-batches-py"
    for number in range(1, 6):
        (folder / f"data_batch_{number}").write_bytes((folder / "test_batch").read_bytes())
    assert len(read_cifar(folder, "x", "train")) == 5 * made.COUNT
    found = read_cifar(folder, "x")
    assert len(found) == made.COUNT
    assert "'test' was read, not train" in found.remarks[0]


def test_without_names_classes_are_numbers(tmp_path):
    folder = made.cifar(tmp_path) / "cifar-10-batches-py"
    (folder / "batches.meta").unlink()
    assert read_cifar(folder, "x").class_names == ("0", "1", "2")


def test_what_is_missing_or_damaged(tmp_path):
    folder = made.cifar(tmp_path) / "cifar-10-batches-py"
    with pytest.raises(SplitError, match="Give one of test"):
        read_cifar(folder, "x", "train")
    (folder / "test_batch").write_bytes(pickle.dumps({b"labels": [1]}))
    with pytest.raises(DatasetError, match="the keys labels"):
        read_cifar(folder, "x")
    (folder / "test_batch").unlink()
    with pytest.raises(DatasetError, match="test_batch or data_batch_1"):
        read_cifar(folder, "x")
    other = binary(tmp_path, "cifar-10-batches-bin", 1, "test_batch.bin", "batches.meta.txt")
    (other / "test_batch.bin").write_bytes(b"123")
    with pytest.raises(DatasetError, match="a multiple of 3,073"):
        read_cifar(other, "x")
