"""Calls run one after the other, preparation is undone, and random numbers follow the seed."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from torchvision import transforms

from cuesense.perturbations.wrapped import seeded
from cuesense.pipelines.chain import Chain, Undo
from cuesense.pipelines.forms import floats, pil

PIXELS = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 8, 8), dtype=np.uint8)).float() / 255
MEAN, STD = (0.1, 0.2, 0.3), (0.5, 0.4, 0.2)


class OwnGenerator:
    """Like a transform of albumentations: its numbers come from generators of its own."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng()

    def set_random_state(self, generator: np.random.Generator, _: random.Random) -> None:
        self.generator = generator

    def __call__(self, image: Any) -> Any:
        return image * float(self.generator.random())


def test_calls_run_in_order() -> None:
    chain = Chain([lambda image: image * 0.5, lambda image: image + 0.25], floats)
    assert torch.equal(chain(PIXELS), PIXELS * 0.5 + 0.25)


def test_normalization_is_undone() -> None:
    undo = Undo(torch.diag(torch.tensor(STD)), torch.tensor(MEAN))
    chain = Chain([transforms.ToTensor(), transforms.Normalize(MEAN, STD)], pil, undo)
    assert torch.allclose(chain(PIXELS), PIXELS, atol=1e-6)
    assert not torch.allclose(chain.prepared(PIXELS), PIXELS, atol=0.1)


def test_channels_in_another_order_are_put_back() -> None:
    undo = Undo(torch.eye(3)[[2, 1, 0]], torch.zeros(3))
    assert torch.equal(Chain([lambda image: image[[2, 1, 0]]], floats, undo)(PIXELS), PIXELS)


def test_a_result_has_the_image_s_size_and_range() -> None:
    found = Chain([lambda image: image[:, :4, :5] * 3 - 1], floats)(PIXELS)
    assert found.shape == PIXELS.shape
    assert (found.min(), found.max()) == (0, 1)


def test_equal_seeds_give_equal_results_whatever_draws() -> None:
    def shaken(image: torch.Tensor) -> torch.Tensor:
        return image * torch.rand(()) * random.random() * np.random.rand()

    chain = Chain([shaken, OwnGenerator(), OwnGenerator()], floats)
    assert torch.equal(chain.tried(PIXELS, 3), chain.tried(PIXELS, 3))
    assert not torch.equal(chain.tried(PIXELS, 3), chain.tried(PIXELS, 4))


def test_two_generators_do_not_draw_the_same() -> None:
    first, second = OwnGenerator(), OwnGenerator()
    Chain([first, second], floats).tried(PIXELS, 0)
    assert first.generator.random() != second.generator.random()


def test_a_generator_inside_a_function_is_seeded() -> None:
    inner = OwnGenerator()

    def user(image: Any) -> Any:
        return inner(image)

    chain = Chain([user], floats)
    assert torch.equal(chain.tried(PIXELS, 3), chain.tried(PIXELS, 3))


def test_the_global_generators_go_on_as_before() -> None:
    with seeded(5):
        before = torch.rand(2), random.random()
    with seeded(5):
        Chain([lambda image: image * torch.rand(()) * random.random()], floats).tried(PIXELS, 1)
        after = torch.rand(2), random.random()
    assert torch.equal(before[0], after[0])
    assert before[1] == after[1]
