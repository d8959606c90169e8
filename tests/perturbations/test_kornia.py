"""Perturbations against kornia's functions, with the same random parameters of every image.

The forms, and how far their pixels may differ and why, stand in ``benchmarks/kornia_forms.py``.
"""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from benchmarks.kornia_forms import FORMS, NONE_IN_KORNIA, PLAIN_TORCH, Form
from cuesense import registry
from cuesense.draws import Draws
from cuesense.perturbations.apply import perturb
from cuesense.perturbations.kornia_table import row_of
from tests.helpers.random_images import draws

COMPARED = [(name, form) for name, forms in FORMS.items() for form in forms if form.largest is not None]


def test_every_perturbation_of_ours_is_compared_or_said_to_be_missing_in_kornia() -> None:
    entries = [registry.get("perturbations", name) for name in registry.names("perturbations")]
    ours = {entry.name for entry in entries if row_of(entry) is None}
    assert ours == FORMS.keys() | NONE_IN_KORNIA.keys()
    assert not FORMS.keys() & NONE_IN_KORNIA.keys()
    assert {name for name, _ in COMPARED} == FORMS.keys()


@pytest.mark.parametrize(("name", "form"), COMPARED, ids=[f"{name}: {form.calls}" for name, form in COMPARED])
def test_pixels_are_kornia_s(photos: Tensor, oblongs: Tensor, name: str, form: Form) -> None:
    entry = registry.get("perturbations", name)
    ids, changed = ["a", "b", "c", "d"], 0
    for images in (photos[:4], oblongs[:4]):
        for value in (entry.ladder[0], entry.ladder[2]):
            if form.fits is None or form.fits(*images.shape[-2:], value):
                numbers = Draws.of(ids, perturbation=name, value=value, seed=0)
                expected = form.apply(images, value, numbers).clamp(0, 1)
                torch.testing.assert_close(perturb(entry, images, ids, value), expected, atol=form.largest, rtol=0)
                changed += not torch.equal(expected, images)
    assert changed


def test_a_random_blur_of_one_image_is_kornia_s_but_for_rounding(photos: Tensor) -> None:
    """Within 2e-6: some thirty products are added in another order."""
    entry = registry.get("perturbations", "random_gaussian_blur")
    ids = [str(index) for index in range(len(photos))]
    kornia_s = replace(entry, apply=FORMS[entry.name][0].apply)
    changed = perturb(entry, photos, ids, 0.036)
    torch.testing.assert_close(changed, perturb(kornia_s, photos, ids, 0.036), atol=2e-6, rtol=0)


@pytest.mark.parametrize("name", PLAIN_TORCH)
def test_where_kornia_s_function_is_used_it_is_what_plain_torch_would_give(photos: Tensor, name: str) -> None:
    entry, numbers = registry.get("perturbations", name), draws(8)
    changed = entry.apply(photos, 0.4, numbers)
    torch.testing.assert_close(changed, PLAIN_TORCH[name](photos, 0.4, numbers), atol=1e-6, rtol=0)
