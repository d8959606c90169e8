"""A few clean images of each class, classified before the analysis: counts by a plain loop, and nothing more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from cuesense.config import load_config
from cuesense.errors import ModelError
from cuesense.inference.options import RunOptions
from cuesense.workflows import clean_trial
from cuesense.workflows.clean_trial import FIRST_IMAGES, try_clean
from tests.helpers.small_networks import Colors, Meanest, classifier, picture

CLEAN = load_config("quick").conditions()[0]
OPTIONS = RunOptions(batch_size=16, workers=1)


def tried(dataset: Colors, network: torch.nn.Module | None = None, outputs: tuple[int, ...] = (0, 1, 2)):
    return try_clean(classifier(network), dataset, outputs, CLEAN, OPTIONS)


class Never(Meanest):
    """Never answers the first class."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images) - torch.tensor([1e6, 0, 0])


def test_all_images_of_a_small_class_are_tried() -> None:
    images, right = tried(Colors(30), Never())
    assert images.tolist() == [10, 10, 10]
    network, expected = Never(), [0, 0, 0]
    for number in range(30):
        pixels = torch.from_numpy(picture(number, number % 3)).permute(2, 0, 1)[None].float() / 255
        expected[number % 3] += int(network((pixels - 0.5) / 0.25).argmax()) == number % 3
    assert right.tolist() == expected
    assert right[0] == 0
    assert right[1] > 0


def test_of_a_large_class_only_the_first_images_are_read() -> None:
    dataset = Colors(3 * FIRST_IMAGES + 30)
    images, right = tried(dataset)
    assert images.tolist() == [FIRST_IMAGES] * 3
    assert right.tolist() == [FIRST_IMAGES] * 3
    assert len(dataset.read) == 3 * FIRST_IMAGES


def test_the_outputs_of_the_classes_count() -> None:
    images, right = tried(Colors(30), outputs=(1, 0, 2))
    assert images.tolist() == [10, 10, 10]
    assert right.tolist() == [0, 0, 10]


def test_a_class_without_images_was_not_tried() -> None:
    @dataclass
    class Four(Colors):
        class_names: tuple[str, ...] = ("brick", "grass", "water", "none")

    found = try_clean(classifier(Meanest(4), class_names=None), Four(30), (0, 1, 2, 3), CLEAN, OPTIONS)
    assert found is not None
    assert [part.tolist() for part in found] == [[10, 10, 10, 0], [10, 10, 10, 0]]


def test_unreadable_images_are_left_to_the_analysis() -> None:
    assert tried(Colors(30, broken=frozenset(range(3)))) is None
    assert np.sum(tried(Colors(30, broken=frozenset([0])))[0]) == 29


def test_a_network_that_fails_says_so_at_once() -> None:
    class Broken(torch.nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.sum((2, 3)) * torch.nan

    with pytest.raises(ModelError, match="NaN"):
        tried(Colors(30), Broken())


def test_a_try_is_a_small_part_of_an_analysis() -> None:
    conditions = len(load_config("standard").conditions())
    assert clean_trial.FIRST_IMAGES / (50 * conditions) < 0.02
