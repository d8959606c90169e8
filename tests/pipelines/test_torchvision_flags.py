"""The flags of torchvision's reference scripts make the transform of their training preset."""

from __future__ import annotations

from typing import Any

import pytest

from cuesense.errors import SettingsError
from cuesense.pipelines.steps import flattened, settings_of
from cuesense.pipelines.torchvision_flags import read, transform

PREPARATION = [
    "PILToTensor()",
    "ConvertImageDtype()",
    "Normalize(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))",
]


def steps(text: str) -> list[str]:
    made: Any = transform(read(text)[0], (32, 32))
    return [settings_of(step) for step in flattened(made)]


def test_without_flags_there_are_crops_and_flips() -> None:
    crop, flip, *others = steps("--model resnet50")
    assert crop.startswith("RandomResizedCrop(size=(32, 32), scale=(0.08, 1.0)")
    assert "interpolation=bilinear" in crop
    assert flip == "RandomHorizontalFlip(p=0.5)"
    assert others == PREPARATION


@pytest.mark.parametrize(
    ("flags", "step"),
    [
        ("--auto-augment ta_wide", "TrivialAugmentWide(num_magnitude_bins=31"),
        ("--auto-augment ra --ra-magnitude 12", "RandAugment(num_ops=2, magnitude=12"),
        ("--auto-augment augmix --augmix-severity 5", "AugMix(severity=5"),
        ("--auto-augment imagenet", "AutoAugment(policy=AutoAugmentPolicy.IMAGENET"),
    ],
)
def test_a_policy_stands_before_preparation(flags: str, step: str) -> None:
    found = steps(flags)
    assert found[2].startswith(step)
    assert found[3:] == PREPARATION


def test_erasing_stands_at_the_end() -> None:
    found = steps("--random-erase 0.1 --hflip-prob 0 --interpolation bicubic --train-crop-size 176")
    assert found[-1].startswith("RandomErasing(p=0.1, scale=(0.02, 0.33)")
    assert "interpolation=bicubic" in found[0]
    assert found[1:-1] == PREPARATION


def test_mixing_two_images_is_left_out() -> None:
    assert "--mixup-alpha of --torchvision-args is left out" in read("--mixup-alpha 0.2 --lr 1")[1][0]


@pytest.mark.parametrize("text", ["--auto-augment ta", "--interpolation linear"])
def test_unknown_values_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="Unknown"):
        read(text)
