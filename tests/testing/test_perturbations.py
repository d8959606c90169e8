"""The public contract test: ours keep it, and every way to break it is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from cuesense import registry
from cuesense.draws import Draws
from cuesense.errors import SettingsError
from cuesense.perturbations.wrapped import wrapped
from cuesense.testing import check_perturbation
from cuesense.types import Cue, Perturbation

BRIGHTNESS: Perturbation = registry.get("perturbations", "brightness")


# The tile perturbations tear more than they change: tests/perturbations/test_contract.py measures them by seams.
@pytest.mark.parametrize(
    "name", ["brightness", "grayscale", "median_blur", "solarize", "random_motion_blur", "elastic", "jpeg", "equalize"]
)
def test_ours_keep_the_contract(name: str) -> None:
    check_perturbation(registry.get("perturbations", name))


def test_a_wrapped_function_keeps_the_contract() -> None:
    check_perturbation(wrapped("noise", lambda image: image + 0.2 * torch.randn_like(image), form="tensor"))


def of_neighbors(images: Tensor, value: float, _: Draws) -> Tensor:
    return images * (1 - value * images.mean())


def from_the_global_generator(images: Tensor, value: float, _: Draws) -> Tensor:
    return images * (1 - value * torch.rand(len(images), 1, 1, 1))


def in_place(images: Tensor, value: float, _: Draws) -> Tensor:
    return images.mul_(1 - value / 4)


def only_large(images: Tensor, value: float, _: Draws) -> Tensor:
    if min(images.shape[2:]) < 8:
        raise ValueError("too small")
    return images * (1 - value / 4)


BREAKS = {
    "of neighbors": (replace(BRIGHTNESS, apply=of_neighbors), "the same in a batch and alone"),
    "global": (replace(BRIGHTNESS, apply=from_the_global_generator), "the same (in a batch|when)"),
    "in place": (replace(BRIGHTNESS, apply=in_place), "leaves its input"),
    "large only": (replace(BRIGHTNESS, apply=only_large), "applicable for images of 1 x 1 .*ValueError: too small"),
    "cut": (replace(BRIGHTNESS, apply=lambda images, *_: images[..., 1:]), "keeps the shape"),
    "nan": (replace(BRIGHTNESS, apply=lambda images, *_: images / 0), "finite"),
    "nothing": (
        replace(BRIGHTNESS, apply=lambda images, *_: images.clone()),
        "a function that changes images, but got the same",
    ),
    "falling": (replace(BRIGHTNESS, ladder=(0.8, 0.1)), "lead away from its identity"),
    "milder": (replace(BRIGHTNESS, apply=lambda images, value, _: images * value), "change pixels more"),
    "a cue": (replace(BRIGHTNESS, suppresses=(Cue.COLOR,)), "a suppression exactly where"),
    "silent": (replace(BRIGHTNESS, damages=""), "described by"),
    "beyond": (replace(BRIGHTNESS, ladder=(0.1, 7.0)), "from 0 to 2"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_every_break_of_the_contract_is_told(name: str) -> None:
    broken, message = BREAKS[name]
    with pytest.raises(SettingsError, match=message):
        check_perturbation(broken)


@pytest.mark.parametrize(("given", "got"), [(None, "an object of type NoneType"), ("jpeg", "'jpeg'"), (3, "type int")])
def test_what_is_no_perturbation_is_one_sentence(given: object, got: str) -> None:
    with pytest.raises(SettingsError, match=f"to be a perturbation, but got .*{got}"):
        check_perturbation(given)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a,b", "", " a", "a\n", "a "])
def test_what_the_command_line_cannot_name_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="a text without commas"):
        check_perturbation(replace(BRIGHTNESS, name=name))
    with pytest.raises(SettingsError, match="a text without commas"):
        wrapped(name, lambda image: 1 - image)
    with pytest.raises(SettingsError, match="a text without commas"):
        registry.register(replace(BRIGHTNESS, name=name))


def test_a_function_that_changes_nothing_is_told_so() -> None:
    """A wrapped function has no ladder of the user's own to sort or widen."""
    with pytest.raises(SettingsError) as error:
        check_perturbation(wrapped("same", lambda image: image, form="tensor"))
    assert "a function that changes images, but got the same images at every value" in str(error.value)
    assert "ladder" not in str(error.value)
