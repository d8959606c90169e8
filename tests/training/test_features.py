"""Heads refitted on frozen features: what they see, and that they are asked about images they did not see."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cuesense.errors import ModelError
from cuesense.training.features import cross_fitted, features
from tests.training.test_fit import images, network

RNG = torch.Generator().manual_seed(0)
LABELS = torch.arange(240) % 3
TELLING = torch.nn.functional.one_hot(LABELS).float() + 0.2 * torch.randn(240, 3, generator=RNG)
NOISE = torch.randn(240, 3, generator=RNG)


def right(clean: torch.Tensor, changed: torch.Tensor, labels: torch.Tensor = LABELS, probability: float = 0.8) -> float:
    return float((cross_fitted(clean, changed, labels, 3, probability)[0] == labels.numpy()).mean())


def test_features_are_what_the_last_layer_is_given() -> None:
    data, net = images(300), network().eval()
    found = features(net, data, lambda pixels, _: pixels, "cpu")
    with torch.no_grad():
        direct = net[:-1](data.normalized(data.pixels.float() / 255))  # type: ignore[index]
    assert torch.allclose(found, direct, atol=1e-5)
    starts: list[int] = []
    gray = features(net, data, lambda pixels, start: starts.append(start) or pixels * 0, "cpu")  # type: ignore[func-returns-value]
    assert starts == [0, 128, 256]
    assert torch.allclose(gray, gray[:1].expand_as(gray), atol=1e-5)
    assert not net[-1]._forward_pre_hooks  # type: ignore[index]


def test_a_network_without_a_linear_layer_is_refused() -> None:
    with pytest.raises(ModelError, match="a network with a linear head"):
        features(nn.Conv2d(3, 3, 1), images(), lambda pixels, _: pixels, "cpu")


def test_what_the_features_tell_is_learned_from_clean_or_changed_views() -> None:
    assert right(TELLING, TELLING) > 0.95
    assert right(TELLING, NOISE, probability=0.5) > 0.9
    shifted = TELLING.roll(1, dims=1)
    assert right(TELLING, shifted, probability=0.9) < 0.1 < 0.9 < right(TELLING, shifted, probability=0.1)


def test_heads_are_also_asked_about_changed_images() -> None:
    shifted = TELLING.roll(1, dims=1)
    clean, changed = cross_fitted(TELLING, shifted, LABELS, 3, 0.9)
    assert (clean == LABELS.numpy()).mean() < 0.1 < 0.9 < (changed == LABELS.numpy()).mean()


def test_heads_are_asked_about_images_they_did_not_see() -> None:
    """With more features than images any labels could be learned by heart."""
    wide = torch.randn(240, 400, generator=RNG)
    assert right(wide, wide) < 0.5


def test_a_constant_feature_and_a_tiny_class_do_no_harm() -> None:
    labels = torch.tensor([0] * 30 + [1] * 30 + [2])
    clean = torch.cat([torch.nn.functional.one_hot(labels).float(), torch.ones(61, 1)], dim=1)
    predicted, _ = cross_fitted(clean, clean, labels, 3, 0.8)
    assert (predicted[:60] == labels.numpy()[:60]).all()
    assert np.isin(predicted, [0, 1, 2]).all()
