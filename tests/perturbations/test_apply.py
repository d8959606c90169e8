"""The one way to perturb a batch: what a perturbation's function is given, and what becomes of its result."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from cuesense import registry
from cuesense.draws import Draws
from cuesense.errors import SettingsError
from cuesense.perturbations.apply import perturb
from cuesense.types import Perturbation
from tests.helpers.random_images import noise

BRIGHTNESS = registry.get("perturbations", "brightness")
IDS = ["a", "b", "c"]


class Recorded:
    """A perturbation's function that notes what it is given and adds a number to every pixel."""

    def __init__(self, added: float = 0.0) -> None:
        self.added = added
        self.calls: list[tuple[Tensor, float, Draws]] = []

    def __call__(self, images: Tensor, value: float, draws: Draws) -> Tensor:
        self.calls.append((images, value, draws))
        return images + self.added


def recorded(added: float = 0.0) -> tuple[Perturbation, Recorded]:
    function = Recorded(added)
    return replace(BRIGHTNESS, apply=function), function


def test_on_the_cpu_every_image_is_a_batch_of_its_own_in_order() -> None:
    entry, function = recorded()
    images = noise(3, 4, 5)
    assert torch.equal(perturb(entry, images, IDS, 0.4), images)
    assert [tuple(given.shape) for given, *_ in function.calls] == [(1, 3, 4, 5)] * 3
    assert torch.equal(torch.cat([given for given, *_ in function.calls]), images)
    assert [value for _, value, _ in function.calls] == [0.4] * 3
    assert all(given.is_contiguous() for given, *_ in function.calls)


@pytest.mark.parametrize(("seed", "repeat"), [(0, 0), (7, 0), (0, 2)])
def test_random_numbers_are_those_of_id_name_value_seed_and_repeat(seed: int, repeat: int) -> None:
    entry, function = recorded()
    perturb(entry, noise(3, 4, 4), IDS, 0.4, seed=seed, repeat=repeat)
    expected = Draws.of(IDS, perturbation="brightness", value=0.4, seed=seed, repeat=repeat)
    assert [int(draws.keys[0]) for *_, draws in function.calls] == expected.keys.tolist()


@pytest.mark.parametrize(("added", "limit"), [(0.7, 1.0), (-0.7, 0.0)])
def test_results_are_cut_to_the_range_of_images(added: float, limit: float) -> None:
    entry, _ = recorded(added)
    images = noise(3, 8, 8)
    changed = perturb(entry, images, IDS, 0.4)
    torch.testing.assert_close(changed, (images + added).clamp(0, 1), atol=1e-7, rtol=0)
    assert (changed == limit).any()


def test_half_precision_is_computed_in_single_precision() -> None:
    entry, function = recorded()
    images = noise(3, 4, 4).bfloat16()
    changed = perturb(entry, images, IDS, 0.4)
    assert {given.dtype for given, *_ in function.calls} == {torch.float32}
    assert changed.dtype == torch.bfloat16
    assert torch.equal(changed, images)


def test_the_identity_does_not_call_the_function_and_does_not_cut() -> None:
    entry, function = recorded()
    images = 2 * noise(3, 4, 4)
    unchanged = perturb(entry, images, IDS, entry.identity)
    assert torch.equal(unchanged, images)
    assert function.calls == []
    unchanged.zero_()
    assert images.any()


def test_images_that_are_a_view_of_others_leave_those_unchanged() -> None:
    whole = noise(6, 8, 8)
    before = whole.clone()
    changed = perturb(BRIGHTNESS, whole[::2].flip(3), IDS, 0.8)
    assert torch.equal(whole, before)
    assert torch.equal(changed, perturb(BRIGHTNESS, whole[::2].flip(3).contiguous(), IDS, 0.8))


def test_the_same_id_twice_is_changed_alike() -> None:
    same = noise(1, 6, 6).expand(3, -1, -1, -1)
    one, other, again = perturb(BRIGHTNESS, same, ["a", "b", "a"], 0.8)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("value", [-0.001, 2.001, float("nan"), float("inf")])
def test_a_value_outside_the_limits_is_refused_before_anything_is_computed(value: float) -> None:
    entry, function = recorded()
    with pytest.raises(SettingsError, match="brightness's strength"):
        perturb(entry, noise(3, 4, 4), IDS, value)
    assert function.calls == []


@pytest.mark.parametrize("value", [1e-9, 2.0])
def test_values_at_and_just_inside_the_limits_are_taken(value: float) -> None:
    entry, function = recorded()
    perturb(entry, noise(3, 4, 4), IDS, value)
    assert [given for _, given, _ in function.calls] == [value] * 3


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 4, 8, 8), (1, 1, 3, 8, 8)])
def test_a_batch_of_another_shape_is_named_with_its_ids(shape: tuple[int, ...]) -> None:
    with pytest.raises(SettingsError) as caught:
        perturb(BRIGHTNESS, torch.rand(shape), ["a"], 0.4)
    assert f"{shape} and 1 ids" in str(caught.value)
