"""Which of a checkpoint's weights are taken, where clean images tell them apart."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from cuesense.datasets.load import load_dataset
from cuesense.errors import ModelError
from cuesense.inference.loading import load_matched
from cuesense.models.preprocessing import ImageOptions
from cuesense.types import Classifier

COLORS = {"blue": (0, 0, 255), "green": (0, 255, 0), "red": (255, 0, 0)}
ARCH = "python:tests.inference.test_which_weights:build"
OPTIONS = ImageOptions(image_size=8, resize=8, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def build() -> nn.Module:
    """Return a network of the mean color."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3))


def weights(order: tuple[int, ...]) -> dict[str, torch.Tensor]:
    """Return weights that answer blue, green and red with three outputs."""
    matrix = torch.zeros(3, 3)
    for channel, output in zip((2, 1, 0), order, strict=True):
        matrix[output, channel] = 1
    return {"2.weight": matrix, "2.bias": torch.zeros(3)}


GOOD, CYCLED = weights((0, 1, 2)), weights((1, 2, 0))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for name, color in COLORS.items():
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(10):
            Image.new("RGB", (8, 8), color).save(tmp_path / "images" / name / f"{number}.png")
    return tmp_path / "images"


def loaded(images: Path, content: object, key: str | None = None) -> Classifier:
    path = images.parent / "model.pt"
    torch.save(content, path)
    dataset = load_dataset(str(images))
    return load_matched(str(path), dataset, arch=ARCH, images=OPTIONS, weights_key=key)[0]


def weight(classifier: Classifier) -> torch.Tensor:
    network = classifier.network
    assert isinstance(network, nn.Module)
    return network.state_dict()["2.weight"]


def test_an_average_that_was_never_updated_is_not_taken(images: Path) -> None:
    found = loaded(images, {"model_ema": CYCLED, "model": GOOD})
    assert torch.equal(weight(found), GOOD["2.weight"])
    assert (found.weights_key, found.other_weights) == ("model", ("model_ema",))
    said = "Of 30 images, the weights under 'model_ema' recognize 0 and those under 'model' 30: 'model' was taken"
    assert any(said in warning for warning in found.warnings)


def test_a_good_average_is_taken_and_said(images: Path) -> None:
    nearly = {key: value * 0.9 for key, value in GOOD.items()}
    found = loaded(images, {"model": nearly, "model_ema": GOOD})
    assert torch.equal(weight(found), GOOD["2.weight"])
    assert any(
        "The averaged weights (EMA) under 'model_ema' were taken; 'model' fits too" in said for said in found.warnings
    )


def test_the_key_decides_where_it_is_given(images: Path) -> None:
    found = loaded(images, {"model_ema": CYCLED, "model": GOOD}, "model_ema")
    # What is kept of a run says which weights it is of, although nothing had to be chosen.
    assert (found.weights_key, found.other_weights) == ("model_ema", ())
    assert torch.equal(weight(found), CYCLED["2.weight"])
    with pytest.raises(ModelError, match="weights_key to be one of 'model_ema', 'model', but got 'ema'"):
        loaded(images, {"model_ema": CYCLED, "model": GOOD}, "ema")


def test_prefixes_in_one_state_dict_are_weights_too(images: Path) -> None:
    both = {f"{name}.{key}": value for name, part in (("a", CYCLED), ("b", GOOD)) for key, value in part.items()}
    found = loaded(images, both)
    assert (found.weights_key, torch.equal(weight(found), GOOD["2.weight"])) == ("b", True)
    assert torch.equal(weight(loaded(images, both, "a")), CYCLED["2.weight"])


def test_the_same_numbers_twice_are_no_choice(images: Path) -> None:
    found = loaded(images, {"model": GOOD, "state_dict": {key: value.clone() for key, value in GOOD.items()}})
    assert (found.weights_key, found.other_weights) == ("", ())
    assert not any("weights" in said for said in found.warnings)


def test_a_small_advantage_decides_nothing(images: Path) -> None:
    """One of three colors is 33 %: with images of two in three such classes it is less than the quarter."""
    for extra in range(40):
        Image.new("RGB", (8, 8), COLORS["blue"]).save(images / "blue" / f"more{extra}.png")
    swapped = weights((0, 2, 1))
    found = loaded(images, {"ema": GOOD, "model": swapped})
    assert found.weights_key == "ema"
    few = loaded(images, {"ema": weights((0, 1, 1)), "model": GOOD})
    assert few.weights_key == "ema"
