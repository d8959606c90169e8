"""Datasets that a program holds, wrapped."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from torch.utils.data import TensorDataset
from torchvision import transforms
from torchvision.datasets import ImageFolder

from cuesense.datasets.in_memory import refuse_random, wrap
from cuesense.datasets.load import load_dataset
from cuesense.datasets.subset import subset
from cuesense.errors import DatasetError, UnreadableImageError
from cuesense.types import Dataset


class Held:
    """A torch-style dataset that counts how often an item is read."""

    def __init__(self, items, **attributes):
        self.items = items
        self.read = 0
        for name, value in attributes.items():
            setattr(self, name, value)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        self.read += 1
        return self.items[index]


def pixels(seed=0, shape=(5, 7, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def held(given, **attributes):
    return Held([(pixels(seed), label) for seed, label in enumerate(given)], **attributes)


def only(image):
    """Return the wrapped image of a dataset with one item."""
    return wrap([(image, 0)])[0].image


class TestWrap:
    def test_is_a_dataset(self):
        dataset = wrap(held([1, 0, 2]))
        assert isinstance(dataset, Dataset)
        assert dataset.spec == "Held"
        assert dataset.class_names == ("0", "1", "2")
        assert dataset.sample_ids == ("000000000", "000000001", "000000002")
        assert dataset.labels == (1, 0, 2)
        assert len(dataset) == 3
        sample = dataset[2]
        assert (sample.id, sample.label) == ("000000002", 2)
        np.testing.assert_array_equal(sample.image, pixels(2))

    def test_a_cuesense_dataset_stays_itself(self, tmp_path):
        (tmp_path / "a").mkdir()
        Image.new("RGB", (2, 2)).save(tmp_path / "a" / "x.png")
        dataset = load_dataset(str(tmp_path))
        assert wrap(dataset) is dataset

    @pytest.mark.parametrize(
        "attributes",
        [
            {"targets": [2, 0, 1]},
            {"targets": torch.tensor([2, 0, 1])},
            {"labels": np.array([2, 0, 1])},
            {"labels": (np.int64(2), torch.tensor(0), 1)},
            {"samples": [("a", 2), ("b", 0), ("c", 1)]},
            {"targets": None, "labels": [2, 0, 1]},
        ],
    )
    def test_stored_labels_need_no_item(self, attributes):
        source = held([2, 0, 1], **attributes)
        dataset = wrap(source)
        assert dataset.labels == (2, 0, 1)
        assert all(type(label) is int for label in dataset.labels)
        assert source.read == 0

    @pytest.mark.parametrize(
        "attributes", [{}, {"targets": [5]}, {"targets": [5, 5, 5], "target_transform": lambda label: label - 3}]
    )
    def test_else_each_item_is_read_once(self, attributes):
        source = held([2, 0, 1], **attributes)
        assert wrap(source).labels == (2, 0, 1)
        assert source.read == 3

    def test_class_names(self):
        source = held([1, 0], classes=["cat", "dog", "cow"])
        assert wrap(source).class_names == ("cat", "dog", "cow")
        assert wrap(source, class_names=["x", "y"]).class_names == ("x", "y")

    def test_the_fingerprint_sees_labels(self):
        first, again, other = (wrap(held(labels)).fingerprint for labels in ([0, 1], [0, 1], [1, 0]))
        assert first == again != other

    def test_the_fingerprint_sees_pixels(self):
        def gray(value):
            return wrap([(np.full((2, 2), value, np.uint8), index % 2) for index in range(200)]).fingerprint

        assert gray(7) == gray(7) != gray(8)

    def test_an_item_that_cannot_be_computed_is_one_sentence(self):
        class Broken:
            targets = (0, 1)

            def __len__(self):
                return 2

            def __getitem__(self, index):
                raise KeyError(index)

        with pytest.raises(DatasetError, match=r"item 1 of the dataset to be readable, but got KeyError"):
            wrap(Broken())[1]

    def test_half_precision_images_are_taken(self):
        image = torch.full((3, 2, 2), 0.5, dtype=torch.bfloat16)
        assert wrap([(image, 0)])[0].image.tolist() == [[[128] * 3] * 2] * 2

    def test_torchvisions_imagefolder(self, tmp_path):
        for name, color in (("cat", (9, 0, 0)), ("dog", (0, 9, 0))):
            (tmp_path / name).mkdir()
            Image.new("RGB", (4, 6), color).save(tmp_path / name / "x.png")
        pil = wrap(ImageFolder(str(tmp_path)))
        tensor = wrap(ImageFolder(str(tmp_path), transform=transforms.ToTensor()))
        assert pil.class_names == tensor.class_names == ("cat", "dog")
        for index in range(2):
            np.testing.assert_array_equal(np.asarray(pil[index].image), tensor[index].image)

    def test_a_tensor_dataset(self):
        images = torch.rand(4, 3, 8, 6)
        dataset = wrap(TensorDataset(images, torch.tensor([0, 1, 1, 0])))
        assert dataset.labels == (0, 1, 1, 0)
        assert dataset[3].image.shape == (8, 6, 3)

    def test_subset_works_on_it(self):
        chosen = subset(wrap(held([0, 1] * 10)), 3)
        assert sorted(chosen.labels) == [0, 0, 0, 1, 1, 1]
        for index in range(6):
            sample = chosen[index]
            assert sample.id == chosen.sample_ids[index]
            np.testing.assert_array_equal(sample.image, pixels(int(sample.id)))


class TestImages:
    def test_pil_stays_as_it_is(self):
        image = Image.new("L", (3, 2))
        assert only(image) is image

    @pytest.mark.parametrize("convert", [np.asarray, torch.as_tensor])
    @pytest.mark.parametrize("first", [True, False])
    def test_channels_first_or_last(self, convert, first):
        wanted = pixels()
        given = np.ascontiguousarray(wanted.transpose(2, 0, 1)) if first else wanted
        found = only(convert(given))
        np.testing.assert_array_equal(found, wanted)
        assert found.dtype == np.uint8
        assert found.flags.c_contiguous

    @pytest.mark.parametrize("shape", [(1, 5, 7), (5, 7, 1), (5, 7)])
    def test_gray_is_expanded(self, shape):
        gray = pixels(shape=(5, 7))
        np.testing.assert_array_equal(only(gray.reshape(shape)), gray[..., None].repeat(3, axis=2))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_totensor_is_undone_exactly(self, dtype):
        wanted = np.arange(256, dtype=np.uint8).reshape(16, 16)
        np.testing.assert_array_equal(only(torch.as_tensor(wanted).to(dtype)[None] / 255)[..., 0], wanted)

    def test_a_tensor_with_gradient(self):
        image = torch.full((3, 2, 2), 0.6, requires_grad=True)
        assert (only(image) == 153).all()

    @settings(max_examples=50)
    @given(
        image=arrays.arrays(
            np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(0, 1, width=32)
        )
    )
    def test_floats_are_rounded(self, image):
        oracle = [[round(float(value) * 255) for value in row] for row in image]
        assert only(image)[..., 1].tolist() == oracle

    @pytest.mark.parametrize("value", [-0.01, 1.01, 255.0, float("nan")])
    def test_floats_outside_name_normalize(self, value):
        with pytest.raises(DatasetError, match=r"Remove Normalize .* pass mean and std to analyze"):
            only(np.array([[0.5, value]], dtype=np.float32))

    @pytest.mark.parametrize("dtype", [np.int64, np.uint16, bool, object])
    def test_other_types_are_refused(self, dtype):
        with pytest.raises(DatasetError, match="uint8 or float"):
            only(np.ones((4, 4), dtype=dtype))

    @pytest.mark.parametrize("shape", [(4, 5, 6), (2, 5, 7), (5, 7, 4), (2, 3, 5, 7), (5,), (), (0, 5, 3), (0, 0)])
    def test_other_shapes_are_refused(self, shape):
        with pytest.raises(DatasetError, match=r"each image to be of shape \(3, H, W\)"):
            only(np.zeros(shape, dtype=np.uint8))

    def test_what_is_no_image_is_refused(self):
        with pytest.raises(DatasetError, match="shape"):
            only("cat.png")

    def test_a_file_that_cannot_be_read_is_unreadable(self, tmp_path):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "x.png").write_bytes(b"nonsense")
        with pytest.raises(UnreadableImageError, match="item 0"):
            wrap(ImageFolder(str(tmp_path)))[0]

    def test_a_lazy_image_that_is_cut_off_is_unreadable(self, tmp_path):
        path = tmp_path / "x.png"
        Image.fromarray(pixels(shape=(64, 64, 3))).save(path)
        path.write_bytes(path.read_bytes()[:2000])
        with Image.open(path) as image, pytest.raises(UnreadableImageError, match="item 0"):
            _ = wrap([(image, 0)])[0]


class TestErrors:
    @pytest.mark.parametrize("source", [iter([(pixels(), 0)]), None, 3])
    def test_no_length_or_items(self, source):
        with pytest.raises(DatasetError, match="a length and items"):
            wrap(source)

    def test_no_items(self):
        with pytest.raises(DatasetError, match="images, but got none"):
            wrap([])

    @pytest.mark.parametrize("item", [{"image": 1}, pixels(), (pixels(),), (1, 2, 3), "ab"])
    def test_no_pair(self, item):
        with pytest.raises(DatasetError, match=r"a pair \(image, label\)"):
            wrap([item])

    @pytest.mark.parametrize("label", [-1, 0.5, "cat", None, [0, 1], np.array([0, 1]), torch.tensor([1.0, 0.0])])
    def test_no_label(self, label):
        with pytest.raises(DatasetError, match="an integer from 0"):
            wrap(held([0, label]))

    def test_more_labels_than_names(self):
        with pytest.raises(DatasetError, match="below the 2 class names, but got the label 2"):
            wrap(held([0, 2]), class_names=["a", "b"])


class Photos(torch.utils.data.Dataset):
    """Six images of two classes."""

    classes: ClassVar = ["dark", "light"]

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        if index >= 6:
            raise IndexError
        return torch.full((3, 4, 4), index / 6), int(index >= 3)


def test_of_a_data_loader_the_dataset_is_taken_and_that_is_said() -> None:
    loader = torch.utils.data.DataLoader(Photos(), batch_size=4, shuffle=True)
    found, plain = wrap(loader), wrap(Photos())
    assert (found.labels, found.sample_ids, found.class_names) == (plain.labels, plain.sample_ids, plain.class_names)
    assert found.fingerprint == plain.fingerprint
    np.testing.assert_array_equal(found[5].image, plain[5].image)
    (remark,) = found.remarks
    assert remark.startswith("Of the DataLoader its dataset was taken: every image once, in the dataset's order. ")
    assert "collate" in remark


def test_images_that_the_sampler_leaves_out_are_taken_and_that_is_said() -> None:
    sampler = torch.utils.data.SubsetRandomSampler([0, 1])
    found = wrap(torch.utils.data.DataLoader(Photos(), sampler=sampler))
    assert len(found) == 6
    assert "also those that its sampler leaves out (it draws 2 of 6)" in found.remarks[0]


def test_of_a_sampler_with_many_draws_nobody_knows_what_it_leaves_out() -> None:
    sampler = torch.utils.data.WeightedRandomSampler([1.0] * 6, 24)
    found = wrap(torch.utils.data.DataLoader(Photos(), sampler=sampler))
    assert "leaves out" not in found.remarks[0]


def test_classes_without_names_have_those_of_the_outputs() -> None:
    pairs = [(image, label) for image, label in (Photos()[index] for index in range(3))]
    assert wrap(pairs, default_names=["a", "b", "c"]).class_names == ("a", "b", "c")
    loader = torch.utils.data.DataLoader(pairs)
    assert wrap(loader, default_names=["a", "b", "c"]).class_names == ("a", "b", "c")
    assert wrap(Photos(), default_names=["a", "b", "c"]).class_names == wrap(Photos()).class_names


def test_names_and_own_datasets_pass_through_a_data_loader() -> None:
    assert wrap(torch.utils.data.DataLoader(Photos()), class_names=["a", "b"]).class_names == ("a", "b")
    own = wrap(Photos())
    found = wrap(torch.utils.data.DataLoader(own, batch_size=None))
    assert found.fingerprint == own.fingerprint
    assert len(found.remarks) == 1


class Stream(torch.utils.data.IterableDataset):
    """Images without a length."""

    def __iter__(self) -> Iterator[tuple[torch.Tensor, int]]:
        return iter([(torch.zeros(3, 4, 4), 0)])


@pytest.mark.parametrize(
    "batches",
    [
        torch.utils.data.DataLoader(Stream(), batch_size=2),
        ((torch.zeros(2, 3, 4, 4), torch.zeros(2, dtype=torch.long)) for _ in range(2)),
        iter([]),
    ],
)
def test_what_gives_batches_alone_is_refused_in_one_sentence(batches: object) -> None:
    with pytest.raises(
        DatasetError, match=r"one with a length and items, but got .*\. Pass the dataset behind it, which"
    ):
        wrap(batches)


def test_a_list_of_batches_is_refused_in_one_sentence() -> None:
    batches = list(torch.utils.data.DataLoader(Photos(), batch_size=3))
    with pytest.raises(DatasetError) as caught:
        wrap(batches)
    assert str(caught.value) == (
        "Expected each label to be an integer from 0, but got values of shape (3,) in item 0. Give one image and its "
        "class index an item, no batches and no one-hot vectors."
    )


@pytest.mark.parametrize("loader", [False, True])
def test_random_transforms_are_refused(loader: bool) -> None:
    class Flipped(Photos):
        """Photos whose halves are exchanged every other time, as a random flip does."""

        times = 0

        def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
            self.times += 1
            image, label = super().__getitem__(index)
            return image + torch.tensor([0.0, 0.1]).repeat(2) * (self.times % 2) * (index < 5), label

    data = torch.utils.data.DataLoader(Flipped()) if loader else Flipped()
    with pytest.raises(DatasetError, match=r"of the same pixels whenever it is read, but got others in item 0\."):
        refuse_random(wrap(data))
    refuse_random(wrap(Photos()))
