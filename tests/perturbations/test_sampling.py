"""Random numbers of each image as tensors, and changes with a probability."""

import numpy as np
import pytest
import torch
from torch import Tensor

from cuesense.draws import Draws
from cuesense.perturbations.sampling import uniform_per_image, with_probability

IMAGES = torch.rand(200, 3, 2, 2, generator=torch.Generator().manual_seed(0))
DRAWS = Draws.of([str(number) for number in range(200)], perturbation="any", value=1.0, seed=0)


def inverted(images: Tensor) -> Tensor:
    return 1 - images


@pytest.mark.parametrize("index", [0, 3])
def test_an_index_gives_the_same_number_as_the_whole_sequence(index: int) -> None:
    found = uniform_per_image(IMAGES, DRAWS, index)
    assert found.dtype == torch.float32
    assert found.tolist() == DRAWS.uniform(5)[:, index].tolist()


def test_images_are_changed_where_their_first_number_is_below_the_probability() -> None:
    found = with_probability(inverted, IMAGES, 0.3, DRAWS)
    for image, before, number in zip(found, IMAGES, DRAWS.uniform(1)[:, 0], strict=True):
        assert torch.equal(image, inverted(before) if number < 0.3 else before)
    changed = (found != IMAGES).flatten(1).any(dim=1).float().mean()
    assert changed == pytest.approx(0.3, abs=0.1)


def test_probabilities_0_and_1_change_no_image_and_every_image() -> None:
    assert torch.equal(with_probability(inverted, IMAGES, 0.0, DRAWS), IMAGES)
    assert torch.equal(with_probability(inverted, IMAGES, 1.0, DRAWS), inverted(IMAGES))


def test_the_images_themselves_are_left_unchanged() -> None:
    before = IMAGES.clone()
    with_probability(lambda images: images.zero_(), IMAGES, 1.0, DRAWS)
    assert torch.equal(IMAGES, before)


def test_a_number_equal_to_the_probability_does_not_count() -> None:
    draws = Draws(np.array([7], dtype=np.uint64))
    exactly = float(draws.uniform(1)[0, 0])
    assert torch.equal(with_probability(inverted, IMAGES[:1], exactly, draws), IMAGES[:1])
    assert torch.equal(with_probability(inverted, IMAGES[:1], exactly + 1e-6, draws), inverted(IMAGES[:1]))
