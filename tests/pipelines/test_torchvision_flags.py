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


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("--auto-augment ta", "one of ra, ta_wide, augmix, .* but got 'ta'"),
        ("--interpolation linear", "one of nearest, bilinear, bicubic"),
        ("--ra-magnitude 31", "a whole number from 0 to 30"),
        ("--augmix-severity 11", "a whole number from 1 to 10"),
        ("--random-erase 2", "a number from 0 to 1, but got '2'"),
        ("--hflip-prob -1", "a number from 0 to 1"),
        ("--train-crop-size 0", "a whole number of at least 1"),
        ("--random-erasing .1", "Did you mean '--random-erase'"),
    ],
)
def test_wrong_values_and_names_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        read(text)


def test_the_recipe_of_torchvision_names_nothing_unknown() -> None:
    """The published command for the newer weights of ResNet-50."""
    remarks = read(
        "--model resnet50 --batch-size 128 --lr 0.5 --lr-scheduler cosineannealinglr --lr-warmup-epochs 5 "
        "--lr-warmup-method linear --auto-augment ta_wide --epochs 600 --random-erase 0.1 --weight-decay 0.00002 "
        "--norm-weight-decay 0.0 --label-smoothing 0.1 --mixup-alpha 0.2 --cutmix-alpha 1.0 --train-crop-size 176 "
        "--model-ema --val-resize-size 232 --ra-sampler --ra-reps 4"
    )[1]
    assert not [remark for remark in remarks if "Unknown" in remark]
