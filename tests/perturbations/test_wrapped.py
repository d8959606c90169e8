"""Users' own functions as perturbations: every form, random numbers, sizes, ranges and failures."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from threading import Thread
from typing import Any

import numpy as np
import pytest
import torch
from kornia.augmentation import RandomMotionBlur
from PIL import Image, ImageOps
from torch import Tensor, nn
from torchvision.transforms import v2

from cuesense.draws import Draws
from cuesense.errors import SettingsError
from cuesense.perturbations.apply import perturb
from cuesense.perturbations.wrapped import (
    PROBABILITIES,
    Failures,
    Form,
    Sometimes,
    each_image,
    form_of,
    seeded,
    wrapped,
)
from cuesense.types import Role


def ids(count: int) -> list[str]:
    return [str(index) for index in range(count)]


def torch_noise(image: Tensor) -> Tensor:
    return image + 0.1 * torch.randn_like(image)


def numpy_noise(array: np.ndarray) -> np.ndarray:
    return np.clip(array + np.random.normal(0, 20, array.shape), 0, 255).astype(np.uint8)


def python_posterize(image: Image.Image) -> Image.Image:
    return ImageOps.posterize(image, random.randint(2, 7))


class Pipeline:
    """What albumentations' pipelines look like: an argument by name, a dict back, generators of their own."""

    def __init__(self) -> None:
        self.random_generator, self.py_random = np.random.default_rng(), random.Random()

    def set_random_state(self, random_generator: np.random.Generator, py_random: random.Random) -> None:
        self.random_generator, self.py_random = random_generator, py_random

    def __call__(self, *, image: np.ndarray) -> dict[str, Any]:
        shift = self.random_generator.integers(1, 20) + self.py_random.randint(1, 20)
        return {"image": np.roll(image, shift, axis=1)}


TO_FLOAT = v2.ToDtype(torch.float32, scale=True)
TRANSFORMS: dict[str, tuple[Callable[..., Any], Form]] = {
    "python": (python_posterize, "pil"),
    "torchvision": (
        v2.Compose([v2.PILToTensor(), v2.RandomAffine(20, (0.1, 0.1)), TO_FLOAT]),
        "pil",
    ),
    "crop": (v2.RandomResizedCrop(48), "pil"),
    "numpy": (lambda image: numpy_noise(np.asarray(image)), "pil"),
    "torch": (torch_noise, "tensor"),
    "kornia": (RandomMotionBlur((3, 7), 40.0, 0.5, p=1.0), "tensor"),
    "albumentations": (Pipeline(), "named"),
}


@pytest.fixture(params=TRANSFORMS)
def transform(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return TRANSFORMS[request.param][0]


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_form_is_found(name: str) -> None:
    found, form = TRANSFORMS[name]
    assert form_of(found, name) == form


def test_functions_of_arrays_and_batches_are_found() -> None:
    def arrays(array: np.ndarray) -> np.ndarray:
        assert array.dtype == np.uint8
        return array[:, ::-1]

    def batches(images: Tensor) -> Tensor:
        return images[:, [2, 1, 0]]

    assert form_of(arrays, "arrays") == "array"
    assert form_of(batches, "batches") == "batch"


def test_pixels_do_not_depend_on_batch_order_or_neighbors(transform: Callable[..., Any], oblongs: Tensor) -> None:
    entry = wrapped("mine", transform)
    together = perturb(entry, oblongs, ids(6), 0.75, seed=3)
    assert torch.equal(perturb(entry, oblongs, ids(6), 0.75, seed=3), together)
    order = [4, 0, 5, 2]
    shuffled = perturb(entry, oblongs[order], [ids(6)[row] for row in order], 0.75, seed=3)
    assert torch.equal(shuffled, together[order])
    batched = entry.apply(oblongs, 0.75, Draws.of(ids(6), perturbation="mine", value=0.75, seed=3))
    assert torch.equal(batched, together)
    assert together.shape == oblongs.shape
    assert 0 <= together.min() <= together.max() <= 1


def test_seed_repeat_and_value_change_the_random_numbers(transform: Callable[..., Any], photos: Tensor) -> None:
    entry = wrapped("mine", transform)
    first = perturb(entry, photos, ids(8), 1.0)
    assert not torch.equal(first, perturb(entry, photos, ids(8), 1.0, seed=1))
    assert not torch.equal(first, perturb(entry, photos, ids(8), 1.0, repeat=1))
    # Every image has numbers of its own: the same picture under eight ids looks otherwise.
    same = photos[:1].expand(8, -1, -1, -1)
    assert len({image.numpy().tobytes() for image in perturb(entry, same, ids(8), 1.0)}) >= 4


def test_the_value_is_the_share_of_images_that_are_changed() -> None:
    images = torch.rand(400, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    entry = wrapped("negative", lambda image: 1 - image, form="tensor")
    for value in PROBABILITIES:
        changed = perturb(entry, images, ids(400), value)
        touched = (changed != images).flatten(1).any(1)
        assert float(touched.float().mean()) == pytest.approx(value, abs=0.07)
        torch.testing.assert_close(changed[touched], 1 - images[touched])
    assert (entry.role, entry.identity, entry.ladder) == (Role.AUGMENTATION, 0.0, PROBABILITIES)


def test_the_global_generators_go_on_as_if_nothing_had_been(transform: Callable[..., Any], photos: Tensor) -> None:
    def following() -> tuple[float, float, float]:
        return float(torch.rand(1)), float(np.random.rand()), random.random()

    def start() -> None:
        torch.manual_seed(5)
        np.random.seed(5)
        random.seed(5)

    start()
    untouched = following()
    start()
    perturb(wrapped("mine", transform), photos, ids(8), 1.0)
    assert following() == untouched


def test_the_generators_are_restored_after_a_failure() -> None:
    before = torch.get_rng_state()
    with suppress(ZeroDivisionError), seeded(2**64 - 1):
        torch.rand(1).div_(1 // 0)
    assert torch.equal(torch.get_rng_state(), before)


def test_threads_do_not_draw_each_other_s_numbers(photos: Tensor) -> None:
    entry = wrapped("mine", torch_noise)
    alone = perturb(entry, photos, ids(8), 1.0)
    found: list[Tensor] = []
    threads = [Thread(target=lambda: found.append(perturb(entry, photos, ids(8), 1.0))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(torch.equal(part, alone) for part in found)


def test_predictions_in_inference_mode_leave_a_transform_usable_for_training(photos: Tensor) -> None:
    class Keeps(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            self.kept = image * 1.0
            return self.kept

    keeps = Keeps()
    entry = wrapped("keeps", keeps)
    with torch.inference_mode():
        perturb(entry, photos, ids(8), 1.0)
    assert not keeps.kept.is_inference()


def test_another_size_is_resized_to_the_image_s_and_said_once(
    oblongs: Tensor, caplog: pytest.LogCaptureFixture
) -> None:
    entry = wrapped("crop of 20", v2.CenterCrop(20), form="pil")
    with caplog.at_level(logging.WARNING):
        changed = perturb(entry, oblongs, ids(6), 1.0)
        perturb(entry, oblongs, ids(6), 0.5)
    assert changed.shape == oblongs.shape
    middle = oblongs[:, :, 20:40, 35:55]
    torch.testing.assert_close(changed.mean(dim=(2, 3)), middle.mean(dim=(2, 3)), atol=0.03, rtol=0)
    said = [record.getMessage() for record in caplog.records]
    assert [line for line in said if "resized" in line] == said
    assert len(said) == 1
    assert "'crop of 20' changes the size of images" in said[0]


def test_a_transform_that_changes_its_input_in_place_changes_a_copy(photos: Tensor) -> None:
    before = photos.clone()
    entry = wrapped("in place", lambda image: image.mul_(0.5), form="tensor")
    changed = perturb(entry, photos, ids(8), 1.0)
    assert torch.equal(photos, before)
    torch.testing.assert_close(changed, before * 0.5)


def test_gray_results_get_three_channels(photos: Tensor) -> None:
    for transform in (v2.Grayscale(), lambda image: image.mean(0, keepdim=True), lambda image: image[:1].unsqueeze(0)):
        changed = perturb(wrapped("gray", transform), photos, ids(8), 1.0)
        assert torch.equal(changed[:, 0], changed[:, 2])
        assert changed.shape == photos.shape


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (
            v2.Compose([v2.ToImage(), TO_FLOAT, v2.Normalize([0.48] * 3, [0.22] * 3)]),
            "values from -2.18 to 2.36",
        ),
        (lambda _: None, "NoneType, which is no image"),
        (lambda _: 1 / 0, "ZeroDivisionError"),
        (lambda image: image / 0, "tensor .3, H, W., values from nan"),
        (nn.Conv2d(4, 3, 1), "expected input"),
        (lambda _: torch.zeros(2, 5, 5), "shape"),
    ],
)
def test_what_is_no_transform_of_images_is_refused_in_one_sentence(transform: Callable[..., Any], message: str) -> None:
    with pytest.raises(SettingsError, match=f"Expected 'mine' to be a transform .*(?:{message})"):
        wrapped("mine", transform)


def test_random_numbers_that_no_seed_reaches_are_refused() -> None:
    generator = np.random.default_rng()
    with pytest.raises(SettingsError, match="a transform that a seed repeats"):
        wrapped("mine", lambda image: image * float(generator.uniform(0.5, 1)))


def test_steps_of_one_pipeline_draw_different_numbers() -> None:
    """With one seed for each step, two flips of probability a half would always come together."""
    pipeline = Pipeline()
    images, draws = torch.zeros(50, 3, 1, 64), Draws(np.arange(50, dtype=np.uint64))
    images[..., 0] = 1
    each_image(pipeline, images, draws, "named", "mine")
    generator = np.random.default_rng(49)
    assert pipeline.random_generator.bit_generator.state != generator.bit_generator.state
    generator.integers(1, 20)
    assert pipeline.random_generator.bit_generator.state == generator.bit_generator.state


class Rarely:
    """A transform that fails on every n-th call, as timm's posterize to 0 bits does on one image in some hundred."""

    def __init__(self, every: int) -> None:
        self.every, self.calls = every, 0

    def __call__(self, image: Tensor) -> Tensor:
        self.calls += 1
        if self.calls % self.every == 0:
            raise ValueError("bits must be between 1 and 8")
        return 1 - image


def applied(transform: Callable[..., Any], number: int, failures: Failures | None) -> Tensor:
    images = torch.full((number, 3, 2, 2), 0.25)
    draws = Draws(np.arange(number, dtype=np.uint64))
    return Sometimes("mine", transform, "tensor", failures)(images, 1.0, draws)


def test_an_image_on_which_a_transform_fails_counts_as_unchanged_and_is_said(caplog: pytest.LogCaptureFixture) -> None:
    failures = Failures()
    with caplog.at_level(logging.WARNING):
        changed = applied(Rarely(25), 200, failures)
    assert (failures.tried, failures.failed) == (200, 8)
    assert failures.first == "ValueError: bits must be between 1 and 8"
    unchanged = (changed == 0.25).all(dim=(1, 2, 3))
    assert unchanged.nonzero()[:, 0].tolist() == list(range(24, 200, 25))
    assert (changed[~unchanged] == 0.75).all()
    assert [record.getMessage() for record in caplog.records] == [
        "'mine' failed on an image, which counts as unchanged: ValueError: bits must be between 1 and 8."
    ]


@pytest.mark.parametrize(("every", "number", "fails"), [(1, 8, False), (1, 9, True), (20, 400, False), (19, 400, True)])
def test_one_that_fails_often_is_refused_with_its_own_error(every: int, number: int, fails: bool) -> None:
    """More than eight images, and more than a twentieth of them, of which the first eight may come early."""
    with pytest.raises(SettingsError, match=r"failures in .*ValueError: bits") if fails else nullcontext():
        applied(Rarely(every), number, Failures())


def test_without_a_count_the_first_failure_is_an_error() -> None:
    with pytest.raises(SettingsError, match="ValueError: bits"):
        applied(Rarely(25), 30, None)


def test_a_transform_that_fails_once_in_the_trial_is_taken_and_one_that_fails_twice_is_not() -> None:
    def at(*brightnesses: float) -> Callable[[Tensor], Tensor]:
        def change(image: Tensor) -> Tensor:
            factor = float(torch.randint(8, (1,)))
            if factor in brightnesses:
                raise ValueError("bits")
            return image * (1 - factor / 16)

        return change

    found = [next(_first_factors(key)) for key in range(8)]
    once = next(factor for factor in found[1:] if found.count(factor) == 1 and factor != found[0])
    assert wrapped("mine", at(once), form="tensor")
    with pytest.raises(SettingsError, match="ValueError: bits"):
        wrapped("mine", at(*[factor for factor in range(8) if factor != found[0]]), form="tensor")


def _first_factors(key: int) -> Iterator[float]:
    with seeded(key):
        yield float(torch.randint(8, (1,)))
