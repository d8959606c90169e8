"""torchvision's datasets by name, from files that are made here in their formats; nothing is downloaded."""

import csv
import gzip
import struct

import numpy as np
import pytest
import scipy.io
import torchvision.datasets as theirs
from PIL import Image

from cuesense.datasets import torchvision as reader
from cuesense.datasets.load import load_dataset
from cuesense.errors import DatasetError, SplitError

GRAY = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
COLOR = np.random.default_rng(1).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
LABELS = np.array([3, 1, 4, 1, 5, 9], np.uint8)


def refused(spec, **options):
    with pytest.raises(DatasetError) as caught:
        load_dataset(spec, **options)
    text = str(caught.value)
    assert "\n" not in text
    return text


def idx(path, array, *, packed=False):
    head = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(head + array.tobytes()) if packed else head + array.tobytes())


def mnist(root, name="MNIST"):
    for part, count in (("t10k", 6), ("train", 4)):
        idx(root / name / "raw" / f"{part}-images-idx3-ubyte", GRAY[:count])
        idx(root / name / "raw" / f"{part}-labels-idx1-ubyte", LABELS[:count])
    return root


def pictures(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for place, name in enumerate(names):
        Image.fromarray(COLOR[place]).save(folder / name)


class TestMnist:
    @pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
    def test_test_images_by_default(self, name, tmp_path):
        dataset = load_dataset(f"torchvision:{name.lower()}", data_root=mnist(tmp_path, name))
        assert (dataset.spec, len(dataset), dataset.split) == (f"torchvision:{name}", 6, "test")
        assert dataset.labels == tuple(LABELS)
        assert len(dataset.class_names) == 10
        np.testing.assert_array_equal(np.asarray(dataset[2].image.convert("L")), GRAY[2])
        assert "'test' was read, not train" in dataset.remarks[0]

    def test_training_images(self, tmp_path):
        dataset = load_dataset("torchvision:MNIST", data_root=mnist(tmp_path), split="train")
        assert (len(dataset), dataset.remarks) == (4, ())
        with pytest.raises(SplitError, match="test, train"):
            load_dataset("torchvision:MNIST", data_root=tmp_path, split="val")

    @pytest.mark.parametrize("below", ["", "MNIST"])
    def test_its_folder_is_recognized(self, below, tmp_path):
        assert len(load_dataset(str(mnist(tmp_path) / below))) == 6

    @pytest.mark.parametrize("root", ["mnist", "MNIST"])
    def test_a_root_around_it(self, root, tmp_path):
        mnist(tmp_path / root)
        assert len(load_dataset("torchvision:MNIST", data_root=tmp_path)) == 6

    def test_the_folder_of_the_environment(self, tmp_path, monkeypatch):
        monkeypatch.setenv("CUESENSE_DATA", str(mnist(tmp_path)))
        assert len(load_dataset("torchvision:MNIST")) == 6
        monkeypatch.delenv("CUESENSE_DATA")
        assert "neither data_root nor CUESENSE_DATA" in refused("torchvision:MNIST")

    def test_the_same_ids_and_pixels_as_the_dataset_itself(self, tmp_path):
        from cuesense.datasets.in_memory import wrap

        named = load_dataset("torchvision:MNIST", data_root=mnist(tmp_path))
        itself = wrap(theirs.MNIST(tmp_path, train=False))
        assert (named.sample_ids, named.labels, named.class_names) == (
            itself.sample_ids,
            itself.labels,
            itself.class_names,
        )
        assert named.fingerprint == itself.fingerprint

    @pytest.mark.parametrize("root", ["", "MNIST", "MNIST/raw"])
    @pytest.mark.parametrize("named", ["option", "name", "path"])
    def test_the_files_of_one_part_are_enough(self, root, named, tmp_path):
        mnist(tmp_path)
        for path in (tmp_path / "MNIST" / "raw").glob("train*"):
            path.unlink()
        folder = tmp_path / root
        spec = {"option": "torchvision:MNIST", "name": f"torchvision:MNIST:{folder}", "path": str(folder)}[named]
        dataset = load_dataset(spec, data_root=folder if named == "option" else None)
        assert (dataset.labels, dataset.split, dataset.class_names[3]) == (tuple(LABELS), "test", "3 - three")
        np.testing.assert_array_equal(np.asarray(dataset[2].image.convert("L")), GRAY[2])

    def test_the_same_dataset_as_torchvision_reads(self, tmp_path):
        whole = load_dataset("torchvision:MNIST", data_root=mnist(tmp_path / "a"))
        mnist(tmp_path / "b")
        (tmp_path / "b" / "MNIST" / "raw" / "train-labels-idx1-ubyte").unlink()
        assert load_dataset("torchvision:MNIST", data_root=tmp_path / "b").fingerprint == whole.fingerprint

    def test_a_folder_and_a_root_are_one_too_many(self, tmp_path):
        assert "data_root" in refused("torchvision:MNIST:here", data_root=tmp_path)

    def test_files_of_another_dataset_are_not_taken(self, tmp_path):
        mnist(tmp_path, "FashionMNIST")
        assert "MNIST" in refused("torchvision:MNIST", data_root=tmp_path / "FashionMNIST" / "raw")

    def test_a_folder_of_another_name_has_numbers_for_classes(self, tmp_path):
        idx(tmp_path / "mine" / "t10k-images-idx3-ubyte.gz", GRAY, packed=True)
        idx(tmp_path / "mine" / "t10k-labels-idx1-ubyte.gz", LABELS, packed=True)
        dataset = load_dataset(str(tmp_path / "mine"))
        assert dataset.class_names == tuple("0123456789")
        assert dataset.labels == tuple(LABELS)


class TestOthers:
    def check(self, name, root, labels, classes, **options):
        dataset = load_dataset(f"torchvision:{name}", data_root=root, **options)
        assert dataset.labels == tuple(labels)
        assert len(dataset.class_names) == classes
        assert dataset[0].image is not None
        return dataset

    def test_svhn(self, tmp_path, monkeypatch):
        monkeypatch.setattr(theirs.SVHN, "_check_integrity", lambda _: True)
        monkeypatch.setattr("torchvision.datasets.svhn.check_integrity", lambda *_: True)
        content = {"X": COLOR.transpose(1, 2, 3, 0), "y": np.array([1, 2, 10, 1, 2, 3], np.uint8)[:, None]}
        scipy.io.savemat(tmp_path / "test_32x32.mat", content)
        dataset = self.check("svhn", tmp_path, [1, 2, 0, 1, 2, 3], 4)
        np.testing.assert_array_equal(np.asarray(dataset[1].image), COLOR[1])
        assert len(load_dataset(str(tmp_path))) == 6

    def test_stl10(self, tmp_path, monkeypatch):
        monkeypatch.setattr(theirs.STL10, "_check_integrity", lambda _: True)
        folder = tmp_path / "stl10_binary"
        folder.mkdir()
        np.zeros((2, 3, 96, 96), np.uint8).tofile(folder / "test_X.bin")
        np.array([1, 10], np.uint8).tofile(folder / "test_y.bin")
        (folder / "class_names.txt").write_text("\n".join("abcdefghij"))
        self.check("STL10", tmp_path, [0, 9], 10)

    @pytest.mark.parametrize("root", ["", "stl10_binary"])
    def test_one_part_of_stl10_is_enough(self, root, tmp_path):
        folder = tmp_path / "stl10_binary"
        folder.mkdir()
        pixels = np.random.default_rng(2).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8)
        pixels.transpose(0, 3, 2, 1).tofile(folder / "test_X.bin")
        np.array([1, 10], np.uint8).tofile(folder / "test_y.bin")
        dataset = self.check("STL10", tmp_path / root, [0, 9], 10)
        np.testing.assert_array_equal(np.asarray(dataset[1].image), pixels[1])
        (folder / "test_X.bin").write_bytes(b"1234")
        assert "4 bytes" in refused("torchvision:STL10", data_root=tmp_path / root)

    def test_eurosat_has_no_parts(self, tmp_path):
        for name in ("Forest", "River"):
            pictures(tmp_path / "eurosat" / "2750" / name, "a.jpg")
        self.check("EuroSAT", tmp_path, [0, 1], 2)
        with pytest.raises(SplitError, match="no parts"):
            load_dataset("torchvision:EuroSAT", data_root=tmp_path, split="test")

    def test_food101(self, tmp_path):
        base = tmp_path / "food-101"
        pictures(base / "images" / "apple_pie", "1.jpg")
        pictures(base / "images" / "ramen", "2.jpg")
        (base / "meta").mkdir()
        (base / "meta" / "test.json").write_text('{"apple_pie": ["apple_pie/1"], "ramen": ["ramen/2"]}')
        self.check("food-101", tmp_path, [0, 1], 2)
        assert load_dataset(str(base)).class_names == ("apple_pie", "ramen")
        assert load_dataset(str(tmp_path)).spec == "torchvision:Food101"

    def test_pets(self, tmp_path):
        base = tmp_path / "oxford-iiit-pet"
        pictures(base / "images", "Abyssinian_1.jpg", "beagle_2.jpg")
        (base / "annotations").mkdir()
        (base / "annotations" / "test.txt").write_text("Abyssinian_1 1 1 1\nbeagle_2 2 2 1\n")
        assert self.check("OxfordIIITPet", tmp_path, [0, 1], 2).class_names == ("Abyssinian", "Beagle")
        assert len(load_dataset(str(base))) == 2

    def test_dtd(self, tmp_path):
        base = tmp_path / "dtd" / "dtd"
        pictures(base / "images" / "banded", "a.jpg")
        pictures(base / "images" / "woven", "b.jpg")
        (base / "labels").mkdir()
        (base / "labels" / "test1.txt").write_text("banded/a.jpg\nwoven/b.jpg\n")
        self.check("DTD", tmp_path, [0, 1], 2)

    def test_gtsrb(self, tmp_path):
        base = tmp_path / "gtsrb" / "GTSRB" / "Final_Test" / "Images"
        base.parent.mkdir(parents=True)
        pictures(base, "00000.ppm", "00001.ppm")
        with (tmp_path / "gtsrb" / "GT-final_test.csv").open("w") as file:
            csv.writer(file, delimiter=";").writerows([["Filename", "ClassId"], ["00000.ppm", 16], ["00001.ppm", 1]])
        self.check("GTSRB", tmp_path, [16, 1], 17)

    def test_flowers(self, tmp_path, monkeypatch):
        monkeypatch.setattr(theirs.Flowers102, "_check_integrity", lambda _: True)
        base = tmp_path / "flowers-102"
        pictures(base / "jpg", *(f"image_{k:05d}.jpg" for k in range(1, 7)))
        scipy.io.savemat(base / "setid.mat", {"tstid": [[1, 4]], "trnid": [[2, 5]], "valid": [[3, 6]]})
        scipy.io.savemat(base / "imagelabels.mat", {"labels": [[5, 1, 1, 77, 1, 1]]})
        self.check("Flowers102", tmp_path, [4, 76], 102)
        self.check("flowers102", tmp_path, [0, 0], 102, split="val")

    def test_caltech(self, tmp_path):
        base = tmp_path / "caltech101" / "101_ObjectCategories"
        pictures(base / "ant", "image_0001.jpg")
        pictures(base / "bass", "image_0001.jpg")
        (base / "BACKGROUND_Google").mkdir()
        assert self.check("Caltech101", tmp_path, [0, 1], 2).class_names == ("ant", "bass")


class TestRefusals:
    def test_a_missing_dataset_says_where_it_should_be(self, tmp_path):
        text = refused("torchvision:Flowers102", data_root=tmp_path)
        assert f"in '{tmp_path}' (as flowers-102/)" in text
        assert "Add download" in text

    def test_a_missing_package_is_what_is_wrong(self, tmp_path, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "h5py", None)
        text = refused("torchvision:PCAM", data_root=tmp_path)
        assert "h5py" in text
        assert "Install the package" in text

    def test_an_unknown_name_has_a_nearest_one(self, tmp_path):
        assert "Did you mean 'Flowers102'?" in refused("torchvision:Flowers103", data_root=tmp_path)

    def test_every_name_is_one_of_torchvision(self):
        assert all(hasattr(theirs, name) for name in reader.NAMES)

    def test_only_a_wish_to_download_downloads(self, tmp_path, monkeypatch):
        asked = []

        def made(root, *, download, **given):
            asked.append((str(root), download, given))
            raise RuntimeError("no network")

        monkeypatch.setattr(theirs, "SEMEION", made)
        refused("torchvision:SEMEION", data_root=tmp_path)
        assert not any(download for _, download, _ in asked)
        asked.clear()
        assert "Try again" in refused("torchvision:SEMEION", data_root=tmp_path, download=True)
        assert asked == [(str(tmp_path), True, {})]
