"""Networks with unusual inputs and outputs give, through their adapters, what plain calls of them give."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from cuesense.models.adapted import (
    Bgr,
    ChannelsLast,
    Gray,
    MoreChannels,
    PickedOutput,
    TwoClasses,
    as_rows,
    pick,
    unwrapped,
)

Pair = namedtuple("Pair", ["features", "logits"])


@dataclass
class Outputs:
    loss: Tensor | None
    logits: Tensor


class Gives(nn.Module):
    """Returns what a function makes of the images."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, images: Tensor) -> Any:
        return self.function(images)


@pytest.fixture
def images() -> Tensor:
    return torch.rand(4, 3, 6, 5, generator=torch.Generator().manual_seed(1))


def test_channels_are_reversed_for_blue_green_red(images: Tensor) -> None:
    given = Bgr(Gives(lambda batch: batch))(images)
    assert torch.equal(given, images[:, [2, 1, 0]])


@pytest.mark.parametrize(
    ("mean", "std"), [((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)), ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]
)
def test_one_channel_is_pillows_luminance_normalized_as_a_channel(mean: Any, std: Any) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    gray = np.asarray(Image.fromarray(pixels).convert("L")) / 255
    weights = np.array([0.299, 0.587, 0.114])
    wanted = (gray - weights @ mean) / (weights @ std)
    normalized = (torch.from_numpy(pixels).permute(2, 0, 1) / 255 - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(
        std
    ).view(3, 1, 1)
    given = Gray(Gives(lambda batch: batch), std)(normalized[None])
    assert given.shape == (1, 1, 7, 9)
    # Pillow rounds to whole gray levels.
    assert np.abs(given[0, 0].numpy() - wanted).max() <= 0.51 / 255 / (weights @ std)


def test_further_channels_are_constant(images: Tensor) -> None:
    given = MoreChannels(Gives(lambda batch: batch), 6, fill=0.5)(images)
    assert torch.equal(given[:, :3], images)
    assert torch.equal(given[:, 3:], torch.full((4, 3, 6, 5), 0.5))


def test_channels_last_is_the_shape_that_a_network_gets(images: Tensor) -> None:
    given = ChannelsLast(Gray(Gives(lambda batch: batch)))  # the order in which they are put around each other
    assert ChannelsLast(Gives(lambda batch: batch))(images).shape == (4, 6, 5, 3)
    assert unwrapped(given) is given.network.network


@pytest.mark.parametrize("shape", [(4, 7), (4, 7, 1), (4, 7, 1, 1), (4, 1, 1, 7)])
def test_dimensions_of_size_one_are_left_out(shape: tuple[int, ...]) -> None:
    rows = as_rows(torch.arange(28.0).view(shape), 4)
    assert rows is not None
    assert torch.equal(rows, torch.arange(28.0).view(4, 7))


def test_a_squeezed_output_is_one_column_or_one_row() -> None:
    assert as_rows(torch.zeros(4), 4).shape == (4, 1)  # type: ignore[union-attr]
    assert as_rows(torch.tensor(1.0), 1).shape == (1, 1)  # type: ignore[union-attr]
    assert as_rows(torch.zeros(7), 1).shape == (1, 7)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "output", [torch.zeros(3, 7), torch.zeros(4, 7, 2), torch.zeros(4, 7, dtype=torch.int64), None, "text"]
)
def test_what_has_no_row_for_each_image_is_no_output(output: object) -> None:
    assert as_rows(output, 4) is None
    assert pick(output, 4) is None
    assert pick({"a": output}, 4) is None


@pytest.mark.parametrize(
    ("make", "path", "name"),
    [
        (lambda z, _: {"loss": None, "logits": z}, ("logits",), "['logits']"),
        (lambda z, f: {"features": f, "logits": z}, ("logits",), "['logits']"),
        (lambda z, _: (z, z * 2), (0,), "[0]"),
        (lambda z, f: [f, z], (1,), "[1]"),
        (lambda z, f: Pair(f, z), ("logits",), "['logits']"),
        (lambda z, _: Outputs(None, z), ("logits",), "['logits']"),
        (lambda z, f: {"extra": {"f": f}, "heads": [{"cls": z}]}, ("heads", 0, "cls"), "['heads'][0]['cls']"),
        (lambda z, _: z[:, :, None, None], (), ""),
    ],
)
def test_the_tensor_with_a_column_for_each_class_is_picked(make: Any, path: tuple[Any, ...], name: str) -> None:
    logits = torch.arange(12.0).view(4, 3)
    outputs = make(logits, torch.ones(4, 8))
    found = pick(outputs, 4, classes=3)
    assert found is not None
    assert (found.path, found.name) == (path, name)
    assert torch.equal(found.logits, logits)
    given = PickedOutput(Gives(lambda _: outputs), found.path)(torch.zeros(4, 3, 2, 2))
    assert torch.equal(given, logits)


def test_without_a_number_of_classes_the_usual_name_and_then_the_first_is_picked() -> None:
    features, logits = torch.ones(4, 8), torch.zeros(4, 3)
    assert pick({"features": features, "logits": logits}, 4).path == ("logits",)  # type: ignore[union-attr]
    first = pick((features, logits), 4)
    assert first is not None
    assert (first.path, first.others) == ((0,), 1)


def test_one_output_becomes_two_classes_with_the_same_decision(images: Tensor) -> None:
    z = torch.tensor([[-2.0], [-0.1], [0.1], [3.0]])
    logits = TwoClasses(Gives(lambda _: z), probability=False)(images)
    shares = TwoClasses(Gives(lambda _: z.sigmoid()), probability=True)(images)
    assert logits.argmax(1).tolist() == shares.argmax(1).tolist() == [0, 0, 1, 1]
    assert torch.allclose(logits.softmax(1), shares)


def test_adapters_add_nothing_to_a_networks_weights() -> None:
    inner = nn.Conv2d(1, 2, 1)
    assert list(Gray(inner).state_dict()) == ["network.weight", "network.bias"]
    assert [parameter.requires_grad for parameter in Gray(inner).parameters()] == [True, True]
