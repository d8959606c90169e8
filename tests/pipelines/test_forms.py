"""Images keep their pixels through every form in which a transform takes and gives them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from cuesense.pipelines.forms import FORMS, resized, to_pixels

PIXELS = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 6, 8), dtype=np.uint8)).float() / 255


@pytest.mark.parametrize("name", FORMS)
def test_an_image_comes_back_from_every_form(name: str) -> None:
    assert torch.equal(to_pixels(FORMS[name](PIXELS)), PIXELS)


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_a_copy(name: str) -> None:
    before, given = PIXELS.clone(), FORMS[name](PIXELS)
    if isinstance(given, Image.Image):
        given.paste((0, 0, 0), (0, 0, 8, 6))
    else:
        given[:] = 0
    assert torch.equal(PIXELS, before)


def test_what_holds_an_image_is_opened() -> None:
    array = FORMS["arrays (H, W, 3) of bytes"](PIXELS)
    assert torch.equal(to_pixels({"image": array, "mask": None}), PIXELS)
    assert torch.equal(to_pixels((PIXELS, 3)), PIXELS)
    assert torch.equal(to_pixels(array.transpose(2, 0, 1)), PIXELS)


def test_a_gray_image_has_three_equal_channels() -> None:
    gray = to_pixels(Image.fromarray(np.full((4, 5), 51, np.uint8)))
    assert gray.shape == (3, 4, 5)
    assert torch.allclose(gray, torch.tensor(0.2))
    assert torch.equal(to_pixels(torch.full((1, 4, 5), 0.2)), gray)
    assert torch.equal(to_pixels(torch.full((4, 5), 0.2)), gray)


def test_normalized_numbers_stay_as_they_are() -> None:
    assert torch.equal(to_pixels(PIXELS * 4 - 2), PIXELS * 4 - 2)


@pytest.mark.parametrize("found", ["text", None, torch.zeros(2, 3, 4, 4), torch.zeros(5, 4, 4), []])
def test_what_is_no_image_is_refused(found: object) -> None:
    with pytest.raises(ValueError, match=r"an object of type|a result of shape"):
        to_pixels(found)


def test_only_another_size_is_resized() -> None:
    assert resized(PIXELS, (6, 8)) is PIXELS
    assert resized(PIXELS, (12, 16)).shape == (3, 12, 16)
    assert torch.allclose(resized(torch.ones(3, 9, 9), (4, 4)), torch.tensor(1.0))
