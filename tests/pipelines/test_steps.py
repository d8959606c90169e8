"""Transforms are taken apart: which parts augment, which only prepare, and how often each is applied."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from kornia import augmentation as kornia
from PIL import Image
from torch import nn
from torchvision import transforms
from torchvision.transforms import v2

from cuesense.pipelines.steps import ByKeyword, Part, Shifted, flattened, name_of, parts_of, settings_of

SIZE = (16, 16)


def roles(transform: Any) -> list[tuple[str, str]]:
    return [(part.name, part.role) for part in parts_of(transform, SIZE)]


def only(transform: Any) -> Part:
    (part,) = parts_of(transform, SIZE)
    return part


def test_lists_are_flattened_and_choices_are_one_step() -> None:
    flip, jitter = transforms.RandomHorizontalFlip(), transforms.ColorJitter(0.1)
    choice = transforms.RandomChoice([flip, jitter])
    nested = transforms.Compose([transforms.Compose([flip]), [choice, nn.Sequential(kornia.RandomVerticalFlip())]])
    assert [name_of(step) for step in flattened(nested)] == [
        "RandomHorizontalFlip",
        "RandomChoice(RandomHorizontalFlip, ColorJitter)",
        "RandomVerticalFlip",
    ]
    assert [name_of(step) for step in flattened(v2.Compose([v2.RandomApply([jitter])]))] == ["RandomApply(ColorJitter)"]


def test_kornia_s_sequence_is_one_step_where_it_chooses() -> None:
    steps = (kornia.RandomHorizontalFlip(), kornia.RandomVerticalFlip())
    assert len(list(flattened(kornia.AugmentationSequential(*steps)))) == 2
    assert len(list(flattened(kornia.AugmentationSequential(*steps, random_apply=1)))) == 1


class Preset:
    """Like ClassificationPresetTrain of torchvision's references."""

    def __init__(self) -> None:
        self.transforms = transforms.Compose([transforms.RandomHorizontalFlip(), transforms.ToTensor()])

    def __call__(self, image: Any) -> Any:
        return self.transforms(image)


def test_a_user_s_own_object_or_function_is_opened() -> None:
    expected = [("RandomHorizontalFlip", "augmentation"), ("ToTensor", "form")]
    preset = Preset()

    def user(image: Any) -> Any:
        return preset.transforms(image)

    inner = preset.transforms

    def closed(image: Any) -> Any:
        return inner(image)

    assert roles(preset) == expected
    assert roles(closed) == expected
    # What holds no list of steps itself is one step.
    assert roles(user) == [("user", "augmentation")]


def test_preparation_is_told_from_augmentation() -> None:
    steps = [
        transforms.Resize(20),
        transforms.CenterCrop(16),
        transforms.RandomHorizontalFlip(),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize(0.5, 0.5),
    ]
    assert roles(steps) == [
        ("Resize", "size"),
        ("CenterCrop", "size"),
        ("RandomHorizontalFlip", "augmentation"),
        ("RandomHorizontalFlip 2", "augmentation"),
        ("ToTensor", "form"),
        ("Normalize", "form"),
    ]


@pytest.mark.parametrize(
    "step",
    [
        transforms.RandomGrayscale(p=0.3),
        v2.RandomInvert(p=0.3),
        transforms.RandomErasing(p=0.3),
        transforms.RandomApply([transforms.ColorJitter(0.9)], p=0.3),
        kornia.RandomInvert(p=0.3),
    ],
)
def test_a_probability_can_be_set_to_one(step: Any) -> None:
    part = only(step)
    assert part.probability == 0.3
    assert part.always is not None
    image = torch.rand(3, 16, 16)
    torch.manual_seed(0)
    changed = [not torch.equal(part.always(image).reshape(3, 16, 16), image) for _ in range(20)]
    assert all(changed)
    # The user's own step is as it was.
    assert getattr(step, "p", None) == 0.3


class OwnChance:
    """A user's class: what its p means is not known."""

    p = 0.3

    def __call__(self, image: Any) -> Any:
        return image


@pytest.mark.parametrize("step", [OwnChance(), v2.RandomPhotometricDistort(p=0.3), transforms.RandAugment()])
def test_other_probabilities_are_left_alone(step: Any) -> None:
    part = only(step)
    assert (part.always, part.probability) == (None, 1.0)


def test_a_crop_gives_the_network_s_size() -> None:
    for step in (transforms.RandomResizedCrop(99), v2.RandomResizedCrop(99), kornia.RandomResizedCrop((99, 99))):
        found = only(step).call(torch.rand(3, 16, 16))
        assert tuple(found.shape[-2:]) == SIZE


def test_a_crop_after_a_resize_moves_the_image() -> None:
    parts = parts_of([transforms.Resize(20), transforms.RandomCrop(16)], SIZE)
    moved = parts[1].call
    assert isinstance(moved, Shifted)
    # A quarter more than the crop: an eighth of the side beyond each border.
    assert moved.margin == 2
    image = torch.arange(256).reshape(1, 16, 16).expand(3, -1, -1).float()
    padded = np.pad(image[0].numpy(), 2, mode="reflect")
    for _ in range(5):
        found = moved(image)[0].numpy()
        windows = [padded[top : top + 16, left : left + 16] for top in range(5) for left in range(5)]
        assert any(np.array_equal(found, window) for window in windows)
    assert moved(Image.new("RGB", SIZE)).size == SIZE


def test_a_size_that_varies_is_brought_back_by_the_transform_s_own_step() -> None:
    from timm.data import create_transform

    parts = parts_of(create_transform((3, 16, 16), is_training=True, train_crop_mode="rkrc"), SIZE)
    assert [part.role for part in parts][:2] == ["augmentation", "form"]
    assert parts[1].name == "CenterCropOrPad"


def test_albumentations_takes_arrays_by_name() -> None:
    seen = []

    def transform(*, image: np.ndarray) -> dict[str, Any]:
        seen.append(image)
        return {"image": 255 - image}

    for given in (
        Image.new("RGB", (4, 4)),
        torch.zeros(3, 4, 4),
        torch.zeros(1, 3, 4, 4),
        np.zeros((4, 4, 3), np.uint8),
    ):
        assert np.array_equal(ByKeyword(transform)(given), np.full((4, 4, 3), 255, np.uint8))
    assert all(image.shape == (4, 4, 3) for image in seen)


def test_settings_hold_no_addresses() -> None:
    assert "0x" not in settings_of(OwnChance())
    assert settings_of(transforms.RandomHorizontalFlip(0.3)) == "RandomHorizontalFlip(p=0.3)"
