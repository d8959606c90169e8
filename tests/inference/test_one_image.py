"""Networks that are no functions of one image are found, and sound ones are not accused."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cuesense.inference.one_image import Answer, Trial, ask
from tests.helpers.dependent_networks import DEPENDENT, SOUND, Changed, convolutional, ready
from tests.helpers.small_networks import picture


def batch(rows: int, first: int = 0) -> Tensor:
    pixels = np.stack([picture(number, number % 3) for number in range(first, first + rows)])
    return (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.25


def tried(network: nn.Module, rows: int = 8, **changes: bool) -> Answer:
    noise = torch.randn(rows, 3, 16, 16, generator=torch.Generator().manual_seed(0)).sign() / 510 / 0.25
    return ask(Trial(network, network, batch(rows), batch(rows, 100), noise, **changes))


@pytest.mark.parametrize("name", DEPENDENT)
@pytest.mark.parametrize("rows", [2, 8])
def test_networks_that_depend_on_more_than_one_image_are_found(name: str, rows: int) -> None:
    found = tried(ready(DEPENDENT[name]), rows)
    assert found.dependence is not None
    assert found.slight is None


# A batch of a fixed size has no other size and, filled with copies, no other place.
@pytest.mark.parametrize("name", sorted(set(DEPENDENT) - {"the size of the batch"}))
@pytest.mark.parametrize("rows", [2, 5])
def test_they_are_found_where_the_batch_size_is_fixed(name: str, rows: int) -> None:
    assert tried(ready(DEPENDENT[name]), rows, fixed=True).dependence is not None


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize(("rows", "fixed"), [(8, False), (1, True), (2, True), (8, True)])
def test_sound_networks_are_not_accused(name: str, rows: int, fixed: bool) -> None:
    found = tried(ready(SOUND[name]), rows, fixed=fixed)
    assert found.dependence is None
    assert name == "scales of the whole batch" or found.slight is None
    assert len(found.outputs) == rows


def test_every_batch_has_the_fixed_size() -> None:
    sizes = []

    class Watched(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            sizes.append(len(images))
            return images.mean(dim=(2, 3))

    tried(Watched(), 5, fixed=True)
    assert set(sizes) == {5}
    sizes.clear()
    tried(Watched(), 8)
    assert set(sizes) == {1, 7, 8}


def test_a_quantized_network_that_depends_little_on_its_batch_is_not_accused_but_named() -> None:
    found = tried(ready(SOUND["scales of the whole batch"]))
    assert found.slight is not None
    assert "an image gave other outputs" in found.slight


@pytest.mark.parametrize(("times", "accused"), [(0.8, False), (1.3, True)])
def test_differences_within_rounding_are_none(times: float, accused: bool) -> None:
    """The size of the outputs is 1: differences up to 1e-5 are rounding; the noise changes nothing."""

    def change(outputs: Tensor, network: Changed) -> Tensor:
        network.calls += 1
        wrong = 1e-5 * times * (network.calls == 2)
        return torch.eye(3, dtype=torch.float64)[:1].expand(len(outputs), 3) + wrong

    assert (tried(Changed(change).eval(), fixed=True).dependence is not None) == accused


@pytest.mark.parametrize(("times", "coarse", "accused"), [(0.6, True, False), (1.5, True, True), (0.06, False, True)])
def test_coarse_arithmetic_may_differ_by_more(times: float, coarse: bool, accused: bool) -> None:
    def change(outputs: Tensor, network: Changed) -> Tensor:
        network.calls += 1
        return torch.eye(3)[:1].expand(len(outputs), 3) + 1e-3 * times * (network.calls == 2)

    assert (tried(Changed(change).eval(), fixed=True, coarse=coarse).dependence is not None) == accused


def test_networks_that_are_sensitive_to_noise_round_by_more() -> None:
    """Outputs change a thousandfold with noise below one gray level: so may a batch that is rounded otherwise."""

    def change(outputs: Tensor, network: Changed) -> Tensor:
        network.calls += 1
        return 1e3 * outputs + 1e-3 * (network.calls == 3) * float(outputs.abs().max())

    assert tried(Changed(change).eval()).dependence is None


def test_the_sentence_gives_figures_and_causes() -> None:
    said = tried(ready(DEPENDENT["training mode set in forward"])).dependence
    assert said is not None
    assert said.startswith("the same batch gave other outputs the second time (largest difference ")
    assert "; outputs go from -" in said
    assert (
        "; it draws random numbers from the generator of torch; its forward changes 3 of its buffers, such as" in said
    )
    assert said.endswith(
        "; although eval() was called, its forward puts 2 of its modules (such as 'inner.1') into training mode"
    )
    once = tried(Changed(lambda outputs, _: outputs.flip(0)).eval()).dependence
    assert once is not None
    assert once.startswith("an image gave other outputs alone than in a batch of 8 (largest difference ")
    fixed = tried(Changed(lambda outputs, _: outputs.flip(0)).eval(), fixed=True).dependence
    assert fixed is not None
    assert fixed.startswith("an image gave other outputs beside copies of itself than beside other images (")


def test_a_largest_difference_is_that_of_a_plain_loop() -> None:
    def change(outputs: Tensor, network: Changed) -> Tensor:
        network.calls += 1
        return torch.arange(3.0).expand(len(outputs), 3) - 0.25 * (network.calls == 2)

    said = tried(Changed(change).eval()).dependence
    assert said == (
        "the same batch gave other outputs the second time (largest difference 0.25; outputs go from 0 to 2)"
    )


def test_a_rare_draw_is_named_though_outputs_agreed() -> None:
    said = tried(ready(DEPENDENT["rare noise"])).dependence
    assert said == "it draws random numbers from the generator of torch"
    own = tried(ready(DEPENDENT["rare noise from a generator of its own"])).dependence
    assert own == "it draws random numbers from the generator of 'generator'"


def test_modules_that_were_in_training_mode_before_are_said_to_be() -> None:
    said = tried(convolutional(nn.BatchNorm2d, nn.Dropout(0.3)).train()).dependence
    assert said is not None
    assert said.endswith("; 2 of its modules (such as '1') are in training mode")


def test_a_trial_leaves_generators_and_buffers_as_they_were() -> None:
    for name in DEPENDENT:
        network = ready(DEPENDENT[name])
        buffers = [buffer.clone() for buffer in network.buffers()]
        before = torch.get_rng_state().tolist(), np.random.get_state()[2], random.getstate()
        tried(network)
        assert before == (torch.get_rng_state().tolist(), np.random.get_state()[2], random.getstate())
        assert all(torch.equal(one, other) for one, other in zip(buffers, network.buffers(), strict=True))


def test_nan_is_left_to_the_measurement() -> None:
    assert tried(Changed(lambda outputs, _: outputs / 0 * 0).eval()).dependence is None
