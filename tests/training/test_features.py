"""Frozen features: what the layer before the head computes, for any change of the images."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cuesense.errors import ModelError
from cuesense.training.features import features, linear_head_name
from tests.helpers.training_images import small_network, training_images


class TwoHeads(nn.Module):
    """A network with a linear layer that is not its head."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.auxiliary, self.head = nn.Linear(3, 5), nn.Linear(3, 3)

    def forward(self, images: Tensor) -> Tensor:
        pooled = self.pool(images)
        logits = self.head(pooled)
        self.auxiliary(pooled)
        return logits


def unchanged(pixels: Tensor, _: int) -> Tensor:
    return pixels


def test_features_are_the_inputs_of_the_last_layer() -> None:
    data, net = training_images(300), small_network().eval()
    found = features(net, data, unchanged, "cpu")
    with torch.no_grad():
        direct = net[:-1](data.normalized(data.pixels.float() / 255))  # type: ignore[index]
    assert torch.allclose(found, direct, atol=1e-5)
    assert not net[-1]._forward_pre_hooks  # type: ignore[index]


def test_the_change_is_given_pixels_in_0_to_1_and_the_index_of_each_batchs_first_image() -> None:
    data, starts = training_images(300), list[int]()

    def black(pixels: Tensor, start: int) -> Tensor:
        assert torch.equal(pixels, data.pixels[start : start + 128].float() / 255)
        starts.append(start)
        return pixels * 0

    found = features(small_network().eval(), data, black, "cpu")
    assert starts == [0, 128, 256]
    assert torch.allclose(found, found[:1].expand_as(found), atol=1e-5)


def test_the_head_is_the_linear_layer_whose_output_is_returned() -> None:
    assert linear_head_name(TwoHeads().eval(), training_images()) == "head"
    assert linear_head_name(small_network().eval(), training_images()) == "4"


def test_a_linear_layer_whose_output_is_changed_again_is_no_head() -> None:
    scaled = nn.Sequential(small_network(), nn.Softmax(dim=1)).eval()
    assert linear_head_name(scaled, training_images()) is None
    with pytest.raises(ModelError, match=r"a network with a linear head.*own code with arch\.$"):
        features(scaled, training_images(), unchanged, "cpu")


def test_a_network_without_a_linear_layer_is_refused() -> None:
    with pytest.raises(ModelError, match="a network with a linear head"):
        features(nn.Conv2d(3, 3, 1), training_images(), unchanged, "cpu")


def test_a_network_that_fails_on_the_images_is_named_and_left_without_hooks() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(5, 3))
    with pytest.raises(ModelError, match=r"fails on images of \(16, 16\) pixels: .*Check its size"):
        linear_head_name(network, training_images())
    assert not network[1]._forward_hooks


@pytest.mark.parametrize("count", [1, 127, 128, 129])
def test_features_of_an_image_do_not_depend_on_how_many_there_are(count: int) -> None:
    net = small_network().eval()
    every = features(net, training_images(200), unchanged, "cpu")
    some = features(net, training_images(count), unchanged, "cpu")
    assert some.shape == (count, 8)
    assert torch.allclose(some, every[:count], atol=1e-6)


def test_features_can_be_trained_on() -> None:
    found = features(small_network().eval(), training_images(), unchanged, "cpu")
    assert not found.is_inference()
    weight = torch.zeros(8, requires_grad=True)
    (found @ weight).sum().backward()
    assert torch.allclose(weight.grad, found.sum(dim=0))  # type: ignore[arg-type]


def test_a_change_that_fails_leaves_no_hook() -> None:
    net = small_network().eval()

    def fails(pixels: Tensor, start: int) -> Tensor:
        if start:
            raise KeyboardInterrupt
        return pixels

    with pytest.raises(KeyboardInterrupt):
        features(net, training_images(200), fails, "cpu")
    assert not net[-1]._forward_pre_hooks  # type: ignore[index]
