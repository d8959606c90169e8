"""Transforms of every library are read by trying them; what only prepares an image is found out and undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from kornia import augmentation as kornia
from PIL import Image
from timm.data import create_transform
from torch import Tensor, nn
from torchvision import transforms
from torchvision.transforms import v2

from cuesense.errors import SettingsError
from cuesense.perturbations.wrapped import seeded
from cuesense.pipelines.read import Pipeline, read

SIZE = (16, 16)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PIXELS = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (3, *SIZE), dtype=np.uint8)).float() / 255


def reference() -> Any:
    return transforms.Compose(
        [
            transforms.RandomResizedCrop(16),
            transforms.RandomHorizontalFlip(),
            transforms.TrivialAugmentWide(),
            transforms.PILToTensor(),
            transforms.ConvertImageDtype(torch.float),
            transforms.Normalize(MEAN, STD),
            transforms.RandomErasing(p=0.1),
        ]
    )


def second() -> Any:
    return v2.Compose(
        [
            v2.ToImage(),
            v2.RandomResizedCrop(16),
            v2.ColorJitter(0.4, 0.4, 0.4),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
        ]
    )


def own_kornia() -> Any:
    normalize = kornia.Normalize(torch.tensor(MEAN), torch.tensor(STD))
    return kornia.AugmentationSequential(kornia.RandomHorizontalFlip(), kornia.RandomErasing(p=0.4), normalize)


def flipped_in_numpy(image: np.ndarray) -> np.ndarray:
    if not isinstance(image, np.ndarray):
        raise TypeError("an array is needed")
    return image[:, ::-1] if np.random.rand() < 0.5 else image


CASES: dict[str, tuple[Callable[[], Any], str, tuple[str, ...]]] = {
    "torchvision": (
        reference,
        "PIL images",
        ("RandomResizedCrop", "RandomHorizontalFlip", "TrivialAugmentWide", "RandomErasing"),
    ),
    "v2": (second, "PIL images", ("RandomResizedCrop", "ColorJitter")),
    "timm": (
        lambda: create_transform((3, *SIZE), is_training=True, auto_augment="rand-m9", re_prob=0.2),
        "PIL images",
        ("RandomResizedCropAndInterpolation", "RandomHorizontalFlip", "RandAugment", "RandomErasing"),
    ),
    "timm, separate": (
        lambda: create_transform((3, *SIZE), is_training=True, separate=True),
        "PIL images",
        ("RandomResizedCropAndInterpolation", "RandomHorizontalFlip", "ColorJitter"),
    ),
    "kornia": (own_kornia, "tensors (3, H, W) in [0, 1]", ("RandomHorizontalFlip", "RandomErasing")),
    "nn.Sequential": (
        lambda: nn.Sequential(kornia.RandomHorizontalFlip(), kornia.RandomInvert()),
        "tensors (3, H, W) in [0, 1]",
        ("RandomHorizontalFlip", "RandomInvert"),
    ),
    "function of an array": (lambda: flipped_in_numpy, "arrays (H, W, 3) of bytes", ("flipped_in_numpy",)),
    "list with functions": (
        lambda: [transforms.RandomHorizontalFlip(), transforms.ToTensor(), lambda image: image * 2 - 1],
        "PIL images",
        ("RandomHorizontalFlip",),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_transform_of_every_library_is_read(name: str) -> None:
    make, taken_as, steps = CASES[name]
    found = read(make(), name, SIZE)
    assert found.taken_as == taken_as
    assert tuple(part.name for part in found.augmentations) == steps
    # Preparation alone changes no pixel.
    assert torch.allclose(found.chain([])(PIXELS), PIXELS, atol=1e-5)


def test_the_whole_is_the_user_s_own_transform() -> None:
    transform = reference()
    found = read(transform, "whole", SIZE)
    names = [part.name for part in found.augmentations]
    image = Image.fromarray((PIXELS * 255).round().byte().permute(1, 2, 0).numpy())
    for seed in range(10):
        with seeded(seed):
            own = found.chain(names)(PIXELS)
        with seeded(seed):
            given = transform(image)
        mean, std = (torch.tensor(part)[:, None, None] for part in (MEAN, STD))
        assert torch.allclose(own, (given * std + mean).clamp(0, 1), atol=1e-5)


def parts(found: Pipeline) -> dict[str, str]:
    return {part.name: part.role for part in found.parts}


def test_functions_that_prepare_are_told_from_those_that_augment() -> None:
    def brightened(image: Tensor) -> Tensor:
        return image * (0.5 + torch.rand(()))

    def reversed_channels(image: Tensor) -> Tensor:
        return image[[2, 1, 0]]

    def gray(image: Tensor) -> Tensor:
        return image.mean(0, keepdim=True).expand(3, -1, -1)

    found = read([transforms.ToTensor(), brightened, reversed_channels, gray], "functions", SIZE)
    assert parts(found) == {
        "ToTensor": "form",
        "brightened": "augmentation",
        "reversed_channels": "form",
        # It does the same to every image, but what it takes away cannot be put back.
        "gray": "augmentation",
    }
    assert torch.allclose(found.chain([])(PIXELS), PIXELS, atol=1e-5)


def test_leaving_a_step_out_leaves_the_others() -> None:
    def darker(image: Tensor) -> Tensor:
        return image * (0.4 + 0.1 * torch.rand(()))

    def brighter(image: Tensor) -> Tensor:
        return image + 0.3 + 0.1 * torch.rand(())

    found = read([transforms.ToTensor(), darker, brighter], "two", SIZE)
    assert found.chain(["darker"])(PIXELS).max() <= 0.5
    assert found.chain(["brighter"])(PIXELS).min() >= 0.3
    both = found.chain(["brighter", "darker"])(PIXELS)
    assert both.min() >= 0.3
    assert both.max() <= 0.91


def test_always_applies_a_step_to_every_image() -> None:
    found = read([transforms.RandomInvert(p=0.01), transforms.ToTensor()], "rare", SIZE)
    name = found.augmentations[0].name
    assert torch.allclose(found.chain([name], always=True)(PIXELS), 1 - PIXELS, atol=1e-6)
    assert torch.allclose(found.chain([name])(PIXELS), PIXELS, atol=1e-6)


def test_another_size_is_said() -> None:
    class Smaller:
        def __call__(self, image: Image.Image) -> Image.Image:
            return image.resize((8, 8)).rotate(np.random.rand())

    found = read(Smaller(), "small", SIZE)
    assert found.remarks == ("'small' gives 8 x 8 px: its images are resized to the network's 16 x 16 px.",)
    assert read(transforms.RandomResizedCrop(8), "crop", SIZE).remarks == ()


def test_a_transform_that_fails_is_one_sentence() -> None:
    def broken(_: Any) -> Any:
        raise RuntimeError("no luck")

    with pytest.raises(SettingsError, match=r"Expected 'x' to be a transform of images, .*RuntimeError: no luck"):
        read(broken, "x", SIZE)


@pytest.mark.parametrize("transform", [transforms.ToTensor(), [transforms.Resize(8), transforms.ToTensor()]])
def test_a_test_transform_is_refused(transform: Any) -> None:
    with pytest.raises(SettingsError, match="a transform that augments, but got preparation alone"):
        read(transform, "x", SIZE)


def test_random_numbers_that_no_seed_reaches_are_refused() -> None:
    generator = np.random.default_rng()

    def shaken(image: Image.Image) -> Image.Image:
        return image.rotate(90 * generator.random())

    with pytest.raises(SettingsError, match="other results with the same seed"):
        read(shaken, "x", SIZE)


def test_the_digest_tells_settings_and_sources_apart() -> None:
    def digest(p: float, source: str = "") -> str:
        return read(transforms.RandomHorizontalFlip(p), "x", SIZE, source=source).digest

    assert digest(0.5) == digest(0.5)
    assert len({digest(0.5), digest(0.4), digest(0.5, "other")}) == 3


def test_a_step_that_fails_on_some_images_is_refused_before_anything_is_measured() -> None:
    def stretched(image: Tensor) -> Tensor:
        if image.min() == image.max():
            raise ZeroDivisionError("no contrast")
        return (image - image.min()) * torch.rand(1)

    with pytest.raises(SettingsError) as error:
        read([mirrored, stretched], "mine", (16, 16))
    assert str(error.value) == (
        "Expected 'stretched of mine' to be a transform that works on every image, but got 16 failures in 32 tries "
        "(ZeroDivisionError: no contrast). Correct it, or leave the step out."
    )


def mirrored(image: Tensor) -> Tensor:
    return image.flip(-1) if torch.rand(1) < 0.5 else image


def test_a_step_that_rarely_fails_is_read() -> None:
    def rare(image: Tensor) -> Tensor:
        draw = float(torch.rand(1))
        if draw < failing:
            raise ValueError("bits")
        return image * draw

    draws = []
    for seed in range(8):
        with seeded(seed):
            draws.append(float(torch.rand(1)))
    lowest = sorted(draws)
    # One of the eight draws of the trial fails, on each of its images.
    failing = (lowest[0] + lowest[1]) / 2
    found = read([rare], "mine", (16, 16))
    assert [part.name for part in found.augmentations] == ["rare"]
    failing = (lowest[1] + lowest[2]) / 2
    with pytest.raises(SettingsError, match="ValueError: bits"):
        read([rare], "mine", (16, 16))
