"""The demo network and its shipped weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from cuesense import package_files
from cuesense.models.compact import MEAN, STD, build
from cuesense.planted.world import PlantedWorld
from cuesense.workflows.demo import COUNTS, WORLD
from tests.helpers.cue_readers import gray

WEIGHTS = package_files.folder("assets") / "demo.safetensors"


@pytest.fixture(scope="module")
def world():
    return replace(WORLD, images_per_class=20)


@pytest.fixture(scope="module")
def pixels(world):
    return np.stack([world[index].image for index in range(len(world))]) / 255


def recalls(world, pixels):
    network = build(len(world.class_names)).eval()
    network.load_state_dict(load_file(WEIGHTS))
    images = torch.from_numpy((pixels - np.array(MEAN)) / np.array(STD)).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        right = network(images).argmax(1).numpy() == np.array(world.labels)
    return right.reshape(12, 20).mean(axis=1)


def test_the_shipped_weights_know_the_world(world, pixels):
    found = recalls(world, pixels)
    assert found.mean() >= 0.95
    assert found.min() >= 0.85


def test_without_color_they_lose_the_color_classes_alone(world, pixels):
    found = recalls(world, gray(pixels))
    assert found[:4].mean() <= 0.4
    assert found[4:].mean() >= 0.9


def test_they_do_not_know_the_outlines_and_hues_of_another_world():
    other = PlantedWorld(seed=1, images_per_class=20, counts=COUNTS)
    pixels = np.stack([other[index].image for index in range(len(other))]) / 255
    assert recalls(other, pixels)[4:8].mean() <= 0.6


def test_the_network_is_small():
    network, multiplications = build().eval(), []

    def count(part, _, output):
        multiplications.append(part.weight[0].numel() * output.numel())

    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            part.register_forward_hook(count)
    with torch.inference_mode():
        network(torch.zeros(1, 3, 64, 64))
    assert len(multiplications) == 10
    assert sum(multiplications) < 12e6
    assert 100_000 < sum(parameter.numel() for parameter in network.parameters()) < 200_000
    assert WEIGHTS.stat().st_size < 1_000_000


@pytest.mark.parametrize("classes", [2, 12, 20])
def test_the_number_of_outputs_can_be_chosen(classes):
    network = build(classes).eval()
    with torch.inference_mode():
        assert network(torch.zeros(2, 3, 64, 64)).shape == (2, classes)
        assert network(torch.zeros(2, 3, 96, 96)).shape == (2, classes)


@pytest.mark.parametrize("size", [32, 64, 224])
def test_the_first_layer_brings_every_size_to_32_pixels_and_skips_none(size):
    network = build(3, size).eval()
    first = network[0][0]
    with torch.inference_mode():
        assert first(torch.zeros(1, 3, size, size)).shape == (1, 16, 32, 32)
    assert first.kernel_size[0] > first.stride[0] == size // 32


def test_widths_are_the_channels_after_each_stage():
    network = build(3, 32, widths=(4, 6, 10)).eval()
    with torch.inference_mode():
        shapes = [tuple(part.shape[1:]) for part in stages(network, torch.zeros(1, 3, 32, 32))]
    assert shapes == [(4, 32, 32), (6, 16, 16), (10, 8, 8)]


def stages(network, images):
    for part in network[:-3]:
        images = part(images)
        if not isinstance(part, nn.ReLU):
            yield images
