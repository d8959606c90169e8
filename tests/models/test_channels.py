"""Networks that take the color channels in another order."""

from __future__ import annotations

import torch
from torch import nn

from cuesense.models.channels import in_order


def test_a_network_is_turned_around_once() -> None:
    network = nn.Conv2d(3, 1, 1)
    turned = in_order(network, "bgr")
    images = torch.rand(1, 3, 4, 4)
    assert torch.equal(turned(images), network(images.flip(1)))
    assert torch.equal(in_order(turned, "bgr")(images), turned(images))
    assert in_order(turned, "rgb") is network
    assert in_order(network, "rgb") is network


def test_whether_it_is_trained_is_kept() -> None:
    assert in_order(nn.Conv2d(3, 1, 1).train(), "bgr").training
    assert not in_order(nn.Conv2d(3, 1, 1).eval(), "bgr").training
