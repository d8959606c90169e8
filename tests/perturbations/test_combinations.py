"""Combined suppressions are their parts one after the other, at the strengths of the ablations."""

import torch
from torch import Tensor

from cuesense.draws import Draws
from cuesense.perturbations.ablations import PRIMARY_ABLATION, SINGLE_CUE
from cuesense.perturbations.color import grayscale
from cuesense.perturbations.combinations import (
    grayscale_opening_closing,
    grayscale_patch_shuffle,
    grayscale_patch_shuffle_gaussian_blur,
    patch_shuffle_opening_closing,
)
from cuesense.perturbations.shape import patch_shuffle
from cuesense.perturbations.texture import gaussian_blur, opening_closing
from cuesense.types import Cue

IMAGES = torch.rand(3, 3, 40, 56, generator=torch.Generator().manual_seed(0))
DRAWS = Draws.of(["a", "b", "c"], perturbation="any", value=1.0, seed=0)


def gray() -> Tensor:
    return grayscale(IMAGES, 1.0, DRAWS)


def test_grayscale_and_patch_shuffle() -> None:
    assert torch.equal(grayscale_patch_shuffle(IMAGES, 3.0, DRAWS), patch_shuffle(gray(), 3.0, DRAWS))


def test_grayscale_and_opening_closing() -> None:
    assert torch.equal(grayscale_opening_closing(IMAGES, 0.1, DRAWS), opening_closing(gray(), 0.1, DRAWS))


def test_patch_shuffle_and_opening_closing_at_the_window_of_the_texture_ablation() -> None:
    name, window = PRIMARY_ABLATION[Cue.TEXTURE]
    assert name == "opening_closing"
    expected = opening_closing(patch_shuffle(IMAGES, 4.0, DRAWS), window, DRAWS)
    assert torch.equal(patch_shuffle_opening_closing(IMAGES, 4.0, DRAWS), expected)


def test_all_three_with_a_blur_of_3_6_percent_of_the_side() -> None:
    expected = gaussian_blur(patch_shuffle(gray(), 4.0, DRAWS), 0.036, DRAWS)
    assert torch.equal(grayscale_patch_shuffle_gaussian_blur(IMAGES, 4.0, DRAWS), expected)


def test_what_leaves_one_cue_is_as_strong_as_what_removes_the_others() -> None:
    """Necessity and sufficiency are compared, so that both must remove a cue equally."""
    shape, texture = PRIMARY_ABLATION[Cue.SHAPE][1], PRIMARY_ABLATION[Cue.TEXTURE][1]
    assert SINGLE_CUE[Cue.SHAPE] == ("grayscale_opening_closing", texture)
    assert SINGLE_CUE[Cue.TEXTURE] == ("grayscale_patch_shuffle", shape)
    assert SINGLE_CUE[Cue.COLOR] == ("patch_shuffle_opening_closing", shape)
