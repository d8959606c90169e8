"""Combined suppressions are their parts one after the other, at the strengths of the ablations."""

import pytest
import torch
from torch import Tensor

from cuesense.draws import Draws
from cuesense.perturbations.ablations import PRIMARY_ABLATION, SINGLE_CUE
from cuesense.perturbations.color import grayscale
from cuesense.perturbations.combinations import (
    grayscale_bilateral_blur,
    grayscale_opening_closing,
    grayscale_patch_shuffle,
    grayscale_patch_shuffle_gaussian_blur,
    patch_shuffle_gaussian_blur,
    patch_shuffle_opening_closing,
)
from cuesense.perturbations.shape import patch_shuffle
from cuesense.perturbations.texture import bilateral_blur, gaussian_blur, opening_closing
from cuesense.types import Cue

IMAGES = torch.rand(3, 3, 40, 56, generator=torch.Generator().manual_seed(0))
DRAWS = Draws.of(["a", "b", "c"], perturbation="any", value=1.0, seed=0)


def gray() -> Tensor:
    return grayscale(IMAGES, 1.0, DRAWS)


def test_grayscale_and_patch_shuffle() -> None:
    assert torch.equal(grayscale_patch_shuffle(IMAGES, 3.0, DRAWS), patch_shuffle(gray(), 3.0, DRAWS))


def test_grayscale_and_opening_closing() -> None:
    assert torch.equal(grayscale_opening_closing(IMAGES, 0.1, DRAWS), opening_closing(gray(), 0.1, DRAWS))


def test_suppressions_of_color_have_three_channels_of_their_own() -> None:
    """Their parts work on one channel; who changes one of the three must not change the others."""
    changed = grayscale_patch_shuffle(IMAGES, 3.0, DRAWS)
    changed[:, 0] = 0
    assert changed.shape == IMAGES.shape
    assert changed[:, 1:].min() > 0


def test_grayscale_and_bilateral_blur() -> None:
    assert torch.equal(grayscale_bilateral_blur(IMAGES, 0.11, DRAWS), bilateral_blur(gray(), 0.11, DRAWS))


def test_shape_alone_by_a_bilateral_blur_keeps_a_thin_line_that_opening_and_closing_erase() -> None:
    for width, left in ((2, 0.23), (6, 0.75)):
        line = torch.ones(1, 3, 224, 224)
        line[..., 112 : 112 + width] = 0.0
        smoothed = grayscale_bilateral_blur(line, 0.0625, DRAWS[:1])
        assert float(smoothed.amax() - smoothed.amin()) == pytest.approx(left, abs=0.01)
        assert (grayscale_opening_closing(line, 0.07, DRAWS[:1]) == 1).all()


def test_patch_shuffle_and_a_blur_of_3_6_percent_of_the_side() -> None:
    expected = gaussian_blur(patch_shuffle(IMAGES, 4.0, DRAWS), 0.036, DRAWS)
    assert torch.equal(patch_shuffle_gaussian_blur(IMAGES, 4.0, DRAWS), expected)


def test_color_alone_by_a_blur_keeps_the_mean_color_of_an_image() -> None:
    """Tiles of equal size, so that a shuffle loses no pixel; the mirrored border moves the mean by less than 0.02."""
    images = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    images = images * torch.tensor([1.0, 0.5, 0.2]).view(3, 1, 1)
    changed = patch_shuffle_gaussian_blur(images, 4.0, DRAWS)
    torch.testing.assert_close(changed.mean(dim=(2, 3)), images.mean(dim=(2, 3)), atol=0.02, rtol=0)
    assert float(changed.std(dim=(2, 3)).max()) < 0.2 * float(images.std(dim=(2, 3)).max())


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
