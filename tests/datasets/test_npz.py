"""NumPy archives: usual names, parts, kinds of arrays, and what is refused before memory is taken."""

import io
import zipfile

import numpy as np
import pytest

from cuesense.datasets.load import load_dataset
from cuesense.datasets.npz import load
from cuesense.errors import DatasetError, SplitError
from tests.helpers import dataset_files as made

IMAGES, LABELS = made.PIXELS[:6], np.array([0, 1, 2, 0, 1, 2])


def saved(folder, **arrays):
    np.savez_compressed(folder / "a.npz", **arrays)
    return str(folder / "a.npz")


def refused(spec, **options):
    with pytest.raises(DatasetError) as caught:
        load(spec, **options)
    text = str(caught.value)
    assert "\n" not in text
    return text


class TestNames:
    @pytest.mark.parametrize(
        ("images", "labels"),
        [("images", "labels"), ("x", "y"), ("X", "Y"), ("data", "labels"), ("data", "target"),
         ("test_images", "test_labels"),
         ("X_test", "y_test"), ("x_val", "y_val"), ("arr_0", "arr_1"), ("imgs", "targets"),
         ("testX", "testY"), ("trainImages", "trainLabels")],
    )  # fmt: skip
    def test_usual_names(self, images, labels, tmp_path):
        dataset = load(saved(tmp_path, **{images: IMAGES, labels: LABELS}))
        assert (dataset.class_names, dataset.labels) == (("0", "1", "2"), tuple(LABELS))
        np.testing.assert_array_equal(dataset[4].image, IMAGES[4])

    def test_medmnist(self, tmp_path):
        arrays = {
            f"{part}_{kind}": value[:count]
            for part, count in (("train", 6), ("val", 3), ("test", 4))
            for kind, value in (("images", IMAGES), ("labels", LABELS[:, None].astype(np.uint8)))
        }
        dataset = load_dataset(saved(tmp_path, **arrays))
        assert (len(dataset), dataset.split) == (3, "val")
        assert "'val' was read, not train, test" in dataset.remarks[0]
        assert len(load(saved(tmp_path, **arrays), split="test")) == 4
        with pytest.raises(SplitError, match="train, val, test"):
            load(saved(tmp_path, **arrays), split="extra")

    def test_other_arrays_are_listed(self, tmp_path):
        assert "the arrays a, b" in refused(saved(tmp_path, a=IMAGES, b=LABELS / 2))
        assert "the arrays a, b, c" in refused(saved(tmp_path, a=IMAGES, b=LABELS, c=LABELS))
        assert "the arrays a, b, c" in refused(saved(tmp_path, a=IMAGES, b=LABELS, c=IMAGES))
        assert "the arrays a, b" in refused(saved(tmp_path, a=IMAGES, b=LABELS[1:]))

    @pytest.mark.parametrize("shape", [(6,), (6, 1)])
    def test_the_only_images_and_labels_under_any_name(self, shape, tmp_path):
        dataset = load(saved(tmp_path, photos=IMAGES, kinds=LABELS.reshape(shape), scores=LABELS / 3))
        assert dataset.labels == tuple(LABELS)
        assert dataset.remarks == ("The arrays photos and kinds were taken for images and labels by their shapes.",)
        with pytest.raises(SplitError):
            load(saved(tmp_path, photos=IMAGES, kinds=LABELS), split="val")

    def test_names_of_classes_in_the_archive(self, tmp_path):
        spec = saved(tmp_path, images=IMAGES, labels=LABELS, class_names=np.array(["ant", "bee", "cat", "dog"]))
        assert load(spec).class_names == ("ant", "bee", "cat", "dog")


class TestKinds:
    @pytest.mark.parametrize(
        "images",
        [IMAGES, IMAGES / 255, (IMAGES / 255).astype(np.float32), IMAGES.astype(np.int64), IMAGES.astype(np.float64),
         IMAGES.transpose(0, 3, 1, 2), np.concatenate([IMAGES, IMAGES[..., :1]], axis=3)],
        ids=["uint8", "float64", "float32", "int64", "0 to 255", "channels first", "alpha"],
    )  # fmt: skip
    def test_pixels_of_any_kind(self, images, tmp_path):
        dataset = load(saved(tmp_path, images=images, labels=LABELS))
        for place in range(6):
            np.testing.assert_array_equal(dataset[place].image, IMAGES[place])

    @pytest.mark.parametrize("shape", [(6, 32, 32), (6, 32, 32, 1)])
    def test_gray(self, shape, tmp_path):
        gray = IMAGES[..., 0].reshape(shape)
        dataset = load(saved(tmp_path, images=gray, labels=LABELS))
        np.testing.assert_array_equal(dataset[2].image, np.repeat(IMAGES[2][..., :1], 3, axis=2))

    @pytest.mark.parametrize(
        "labels",
        [LABELS[:, None], LABELS.astype(float), np.eye(3)[LABELS], np.array(["a", "b", "c"])[LABELS]],
        ids=["column", "float", "one-hot", "names"],
    )
    def test_labels_of_any_kind(self, labels, tmp_path):
        assert load(saved(tmp_path, images=IMAGES, labels=labels)).labels == tuple(LABELS)

    def test_several_labels_are_refused(self, tmp_path):
        labels = np.eye(3, dtype=int)[LABELS]
        labels[3, 2] = 1
        assert "2 of 3 set in row 4" in refused(saved(tmp_path, images=IMAGES, labels=labels))

    @pytest.mark.parametrize(
        ("images", "said"),
        [
            ((IMAGES / 255 - 0.5) / 0.25, "before they are normalized"),
            (np.full((6, 4, 4), np.nan), "values from nan"),
            (IMAGES.astype(np.uint16) * 257, "from 0 to 255"),
            (np.zeros((6, 5)), "shape (6, 5)"),
            (np.zeros((6, 5, 5, 7)), "shape (6, 5, 5, 7)"),
            (IMAGES.astype("complex64"), "complex64"),
        ],
    )
    def test_what_is_no_image(self, images, said, tmp_path):
        assert said in refused(saved(tmp_path, images=images, labels=LABELS))

    def test_lengths_that_differ(self, tmp_path):
        assert "for 6 images" in refused(saved(tmp_path, images=IMAGES, labels=LABELS[:4]))


class TestFiles:
    def test_a_pair_of_files(self, tmp_path):
        for form in ("{0}_{1}", "{1}{0}"):
            for part, count in (("test", 6), ("train", 2)):
                np.save(tmp_path / (form.format("X", part) + ".npy"), IMAGES[:count])
                np.save(tmp_path / (form.format("Y", part) + ".npy"), LABELS[:count])
            assert len(load_dataset(str(tmp_path / (form.format("X", "test") + ".npy")))) == 6
            assert len(load_dataset(str(tmp_path / (form.format("X", "train") + ".npy")))) == 2
            for path in tmp_path.iterdir():
                path.unlink()

    def test_another_array_is_not_taken_for_the_named_one(self, tmp_path):
        for name, array in (("digits", IMAGES[..., 0]), ("photos", IMAGES), ("kinds", LABELS)):
            np.save(tmp_path / f"{name}.npy", array)
        assert "Name photos.npy." in refused(str(tmp_path / "digits.npy"))
        assert len(load(str(tmp_path / "photos.npy"))) == 6

    def test_a_folder_of_files(self, tmp_path):
        for part, count in (("test", 6), ("train", 2)):
            np.save(tmp_path / f"X_{part}.npy", IMAGES[:count])
            np.save(tmp_path / f"y_{part}.npy", LABELS[:count])
        dataset = load_dataset(str(tmp_path))
        assert (len(dataset), dataset.split) == (6, "test")
        assert "'test' was read, not train" in dataset.remarks[0]
        assert len(load_dataset(str(tmp_path), split="train")) == 2
        (tmp_path / "classes.txt").write_text("ant\nbee\ncat\n")
        assert load_dataset(str(tmp_path)).class_names == ("ant", "bee", "cat")

    def test_an_array_without_labels_beside_it(self, tmp_path):
        np.save(tmp_path / "images.npy", IMAGES)
        assert "the arrays images" in refused(str(tmp_path / "images.npy"))


class TestHostile:
    def test_objects_are_programs_and_are_not_unpickled(self, tmp_path):
        assert "programs" in refused(saved(tmp_path, images=np.array([object()] * 6), labels=LABELS))

    def test_an_array_longer_than_its_file_is_refused_before_it_is_made(self, tmp_path):
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": (10**12, 8, 8)})
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
            archive.writestr("images.npy", head.getvalue() + b"1234")
            archive.writestr("labels.npy", head.getvalue())
        assert "an array of 64,000,000,000,000 bytes" in refused(str(tmp_path / "a.npz"))

    def test_what_unpacks_to_far_more_is_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr("cuesense.datasets.npz._ALWAYS_ALLOWED", 0)
        spec = saved(tmp_path, images=np.zeros((6, 500, 500, 3), np.uint8), labels=LABELS)
        assert "in a file of" in refused(spec)
