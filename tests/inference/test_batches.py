"""Batches against a plain computation, image by image."""

import threading
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from cuesense.inference.batches import BatchMaker
from cuesense.perturbations.apply import perturb
from cuesense.registry import get
from cuesense.types import Condition, Preprocessing

PREPROCESSING = Preprocessing((16, 16), None, (0.2, 0.4, 0.6), (0.25, 0.5, 1.0))
SHUFFLE = Condition(get("perturbations", "patch_shuffle"), 3, repeat=1)
PIXELS = torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(0))
KEYS = ["a", "b", "c", "d", "e"]


def maker(size: int) -> BatchMaker:
    return BatchMaker(PREPROCESSING, size, "cpu", seed=7)


@pytest.mark.parametrize("condition", [Condition(), SHUFFLE])
def test_images_are_perturbed_and_normalized_channel_by_channel(condition: Condition) -> None:
    changed = PIXELS
    if condition.perturbation is not None:
        changed = perturb(condition.perturbation, PIXELS, KEYS, condition.value, seed=7, repeat=1)
    mean, std = (torch.tensor(values)[:, None, None] for values in (PREPROCESSING.mean, PREPROCESSING.std))
    torch.testing.assert_close(maker(5).batch_of(condition, PIXELS, KEYS), (changed - mean) / std)


def test_a_batch_is_filled_with_its_last_image() -> None:
    batch = maker(8).batch_of(SHUFFLE, PIXELS, KEYS)
    assert batch.shape == (8, 3, 16, 16)
    for filled in batch[5:]:
        torch.testing.assert_close(filled, batch[4], rtol=0, atol=0)


def test_an_image_does_not_depend_on_the_batch() -> None:
    whole = maker(5).batch_of(SHUFFLE, PIXELS, KEYS)
    for number, key in enumerate(KEYS):
        alone = maker(1).batch_of(SHUFFLE, PIXELS[number : number + 1], [key])
        torch.testing.assert_close(alone[0], whole[number], rtol=0, atol=0)


def test_batches_are_channels_last_and_leave_the_pixels_unchanged() -> None:
    before = PIXELS.clone()
    batch = maker(8).batch_of(SHUFFLE, PIXELS, KEYS)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(PIXELS, before, rtol=0, atol=0)


def test_images_of_another_size_take_another_batch() -> None:
    made = maker(2)
    made.batch_of(Condition(), PIXELS[:2], KEYS[:2])
    assert made.batch_of(Condition(), PIXELS[:2, :, :8], KEYS[:2]).shape == (2, 3, 8, 16)


@pytest.mark.usefixtures("three_threads")
def test_images_side_by_side_are_the_same_to_the_last_bit() -> None:
    several = maker(8)
    torch.set_num_threads(1)
    for condition in (Condition(), SHUFFLE):
        together, alone = (made.batch_of(condition, PIXELS, KEYS) for made in (several, maker(8)))
        torch.testing.assert_close(together, alone, rtol=0, atol=0)


def named_after(threads: set[str]) -> Condition:
    def apply(images: Tensor, *_: object) -> Tensor:
        threads.add(threading.current_thread().name)
        return images.clone()

    return Condition(replace(get("perturbations", "grayscale"), apply=apply), 1)


@pytest.mark.usefixtures("three_threads")
def test_functions_of_others_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[str] = set()
    maker(5).batch_of(named_after(threads), PIXELS, KEYS)
    assert threads == {threading.current_thread().name}
    threads.clear()
    monkeypatch.setattr("cuesense.inference.batches.LazyFunction", object)
    maker(5).batch_of(named_after(threads), PIXELS, KEYS)
    assert threads
    assert threading.current_thread().name not in threads


@pytest.mark.usefixtures("three_threads")
def test_the_error_of_an_image_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> Tensor:
        raise ValueError("third")

    monkeypatch.setattr("cuesense.inference.batches.perturb", fail)
    with pytest.raises(ValueError, match="third"):
        maker(5).batch_of(SHUFFLE, PIXELS, KEYS)
