"""Training images with the classes of a profile, in its order."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cuesense.datasets.load import load_dataset
from cuesense.errors import DatasetError
from cuesense.training.images import at_size, match_names, pixel_digests, read_images, refuse_shared
from cuesense.types import Preprocessing, Sample
from tests.helpers.small_networks import NAMES, SIZE, Colors, picture

PREPROCESSING = Preprocessing((SIZE, SIZE), SIZE, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def test_labels_follow_the_order_of_the_profile() -> None:
    data = Colors(12)
    found = read_images(data, ("water", "brick", "grass"), PREPROCESSING, what="--train").images
    assert found.pixels.dtype == torch.uint8
    assert found.pixels.shape == (12, 3, SIZE, SIZE)
    assert found.labels.tolist() == [{0: 1, 1: 2, 2: 0}[label] for label in data.labels]
    brightest = found.pixels.float().mean(dim=(2, 3)).argmax(dim=1)
    assert ((brightest + 1) % 3 == found.labels).all()
    assert (found.mean, found.std) == (PREPROCESSING.mean, PREPROCESSING.std)


def test_synset_folders_are_the_classes_of_a_profile_with_readable_names(photos_folder: Path, tmp_path: Path) -> None:
    for synset, name in (("n01440764", "brick"), ("n01443537", "grass")):
        (tmp_path / synset).symlink_to(photos_folder / name)
    found = read_images(
        load_dataset(str(tmp_path)), ("goldfish", "tench"), PREPROCESSING, what="--train", for_training=True
    ).images
    assert found.labels.tolist() == [1] * 20 + [0] * 20


def test_unreadable_images_are_left_out() -> None:
    data = Colors(12, broken=frozenset({0, 5}))
    found = read_images(data, NAMES, PREPROCESSING, what="--train")
    assert len(found.images) == len(found.ids) == len(found.digests) == 10
    broken = [data.sample_ids[0], data.sample_ids[5]]
    assert found.ids == tuple(name for name in data.sample_ids if name not in broken)
    (remark,) = found.remarks
    shown = f"'{broken[0]}' (not an image), '{broken[1]}' (not an image)"
    assert remark == f"--train: 2 of 12 images cannot be read: {shown}."


@dataclass
class Sizes(Colors):
    """Images of two sizes."""

    def __getitem__(self, index: int) -> object:  # type: ignore[override]
        self.size = 16 + index % 2
        return super().__getitem__(index)


@pytest.mark.parametrize(
    ("data", "names", "sentence"),
    [
        (Colors(12), ("brick", "grass"), "3 classes, among them 'water'"),
        (Colors(12), (*NAMES, "sand"), "the same 4 classes, such as 'brick', but got 3 classes"),
        (Colors(12), ("cat", "dog", "owl"), "among them 'brick', 'grass', 'water'. Name"),
        (Colors(3, broken=frozenset({0})), NAMES, "images of every class, but got none of 'brick'"),
    ],
)
def test_other_classes_are_refused_in_one_sentence(data: Colors, names: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(DatasetError, match=re.escape(sentence)):
        read_images(data, names, PREPROCESSING, what="--train", for_training=True)


def test_a_class_may_lack_images_where_it_need_not_have_any() -> None:
    found = read_images(Colors(3, broken=frozenset({0})), NAMES, PREPROCESSING, what="--test").images
    assert len(found) == 2


def test_images_of_several_sizes_need_a_size() -> None:
    as_they_come = Preprocessing(None, None, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    with pytest.raises(DatasetError, match=r"sizes \[\(16, 16\), \(17, 17\)\]. Give image_size"):
        read_images(Sizes(6), NAMES, as_they_come, what="--test", workers=1)


def test_another_size_keeps_the_proportion_of_crop_and_resize() -> None:
    usual = Preprocessing((224, 224), 256, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    squashed = Preprocessing((224, 224), None, usual.mean, usual.std)
    assert (at_size(usual, 64).image_size, at_size(usual, 64).resize) == ((64, 64), 73)
    assert (at_size(squashed, 64).image_size, at_size(squashed, 64).resize) == ((64, 64), None)
    unknown = at_size(Preprocessing(None, None, usual.mean, usual.std), 64)
    assert (unknown.image_size, unknown.resize) == ((64, 64), 64)


@pytest.mark.parametrize("images", [10, 20])
def test_a_tenth_of_the_test_images_may_be_trained_on_and_no_more(images: int) -> None:
    most = images // 10
    refuse_shared(np.arange(images) < most, "--test")
    with pytest.raises(DatasetError, match=rf"test .* {most + 1} of {images} images .* train\. Name other images"):
        refuse_shared(np.arange(images) < most + 1, "--test")


class Repeated(Colors):
    """Images of which the last one of each class has the pixels of the first one."""

    def __getitem__(self, index: int) -> Sample:
        found = super().__getitem__(index)
        return replace(found, image=picture(found.label, found.label)) if int(found.id) > self.count - 4 else found


def test_copies_count_once_in_a_test_and_stay_in_a_training() -> None:
    tested = read_images(Repeated(12), NAMES, PREPROCESSING, what="--test")
    assert len(tested.images) == len(tested.ids) == len(tested.digests) == 9
    (remark,) = tested.remarks
    assert remark.startswith("--test: 3 of 12 images are copies of others")
    trained = read_images(Repeated(12), NAMES, PREPROCESSING, what="--train", for_training=True)
    assert len(trained.images) == 12
    assert trained.remarks == ()
    assert set(trained.digests.tolist()) == set(tested.digests.tolist())


def test_digests_are_those_of_the_pixels() -> None:
    pixels = torch.zeros(3, 3, 2, 2, dtype=torch.uint8)
    pixels[1, 2, 1, 1] = 1
    first, other, again = pixel_digests(pixels)
    assert first == again != other
    assert pixel_digests(pixels[1:2]).tolist() == [other]


def test_names_are_matched_in_the_order_of_the_dataset() -> None:
    assert match_names(Colors(3), ("water", "brick", "grass"), "--train") == (1, 2, 0)
