"""Steps of other libraries are recognized as our own augmentations, with their strongest value."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from kornia import augmentation as kornia
from timm.data.random_erasing import RandomErasing
from timm.data.transforms import RandomResizedCropAndInterpolation
from torchvision import transforms
from torchvision.transforms import v2

from cuesense.pipelines.known import known_kind


def named(name: str, **settings: Any) -> Any:
    """A stand-in for a class of a library that the tests may not need."""
    found = type(name, (SimpleNamespace,), {})
    return found(**settings)


@pytest.mark.parametrize(
    ("step", "name", "value"),
    [
        (transforms.RandomResizedCrop(8, scale=(0.3, 1)), "random_resized_crop", 0.3),
        (v2.RandomResizedCrop(8), "random_resized_crop", 0.08),
        (RandomResizedCropAndInterpolation(8, scale=(0.5, 1)), "random_resized_crop", 0.5),
        (kornia.RandomResizedCrop((8, 8), scale=(0.4, 1.0)), "random_resized_crop", 0.4),
        (transforms.RandomErasing(scale=(0.02, 0.2)), "random_erasing", 0.2),
        (RandomErasing(max_area=0.25), "random_erasing", 0.25),
        (kornia.RandomErasing(scale=(0.02, 0.3)), "random_erasing", 0.3),
        (named("Erasing", scale=(0.02, 0.1)), "random_erasing", 0.1),
        (transforms.RandomRotation(20), "random_rotation", 20),
        (named("Rotate", limit=(-45.0, 30.0)), "random_rotation", 45),
        (kornia.RandomRotation(25.0), "random_rotation", 25),
        (transforms.RandomHorizontalFlip(), "horizontal_flip", 0.25),
        (named("VerticalFlip"), "vertical_flip", 0.25),
        (named("ToGray"), "random_grayscale", 0.25),
        (transforms.GaussianBlur(5, (0.1, 2.0)), "random_gaussian_blur", 2 / 50),
        (named("GaussianBlur", sigma_limit=(0.5, 3.0)), "random_gaussian_blur", 3 / 50),
        (transforms.ColorJitter(0.4, 0.4, 0.4, 0.1), "color_jitter", 0.4),
        (kornia.ColorJitter(0.2, 0.2, 0.2, 0.05), "color_jitter", 0.2),
        (named("ColorJitter", brightness=(0.8, 1.2), contrast=0, saturation=0, hue=0), "brightness", 0.2),
        (transforms.ColorJitter(hue=0.2), "hue", 0.2),
        (transforms.ColorJitter(saturation=0.7), "saturation", 0.7),
    ],
)
def test_a_step_is_one_of_our_augmentations(step: Any, name: str, value: float) -> None:
    found = known_kind(step, 0.25, 50)
    assert found is not None
    assert (found.name, found.note) == (name, "")
    assert found.value == pytest.approx(value)


def test_differences_are_said() -> None:
    crop = known_kind(transforms.RandomResizedCrop(8, scale=(0.3, 0.9)), 1.0, 50)
    jitter = known_kind(transforms.ColorJitter(0.4, 0.2, 0.1), 1.0, 50)
    assert crop is not None
    assert jitter is not None
    assert crop.note == "crops of up to 0.9 of the area"
    assert (jitter.value, jitter.note) == (0.4, "taken as equal jitter of 0.4")


@pytest.mark.parametrize(
    "step",
    [
        transforms.RandAugment(),
        transforms.ColorJitter(),
        transforms.RandomRotation(0),
        transforms.RandomResizedCrop(8, scale=(1.0, 1.0)),
        len,
    ],
)
def test_others_are_none_of_ours(step: Any) -> None:
    assert known_kind(step, 1.0, 50) is None


def test_the_unit_of_a_blur_needs_the_size() -> None:
    assert known_kind(transforms.GaussianBlur(5), 1.0, None) is None
