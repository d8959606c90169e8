"""Images prepared as an image processor's settings say are the processor's own, whatever it resizes with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cuesense.datasets.images import resize_and_crop
from cuesense.models.hf_images import preprocessing_of

transformers = pytest.importorskip("transformers")

# Gray levels that the rounding of a normalization is from that of another order of its steps, at most.
_ROUNDING = 1e-3


@pytest.fixture(scope="module")
def image() -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (12, 17, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((340, 240), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("ViTImageProcessor", {}),
        ("ViTImageProcessorPil", {}),
        ("ViTImageProcessor", {"do_rescale": False}),
        ("ViTImageProcessor", {"rescale_factor": 1 / 127.5, "image_mean": [1, 1, 1], "image_std": [1, 1, 1]}),
        ("ViTImageProcessor", {"do_normalize": False}),
        *(("ViTImageProcessor", {"resample": number}) for number in (0, 1, 3)),
        *(("MobileNetV2ImageProcessorPil", {"resample": number}) for number in (0, 1, 3)),
        # Boxes and Hamming windows are Pillow's alone.
        *(("ViTImageProcessorPil", {"resample": number}) for number in (4, 5)),
        ("ConvNextImageProcessor", {"size": {"shortest_edge": 384}}),
        # Of 344 and 240 pixels the crop cuts off 143 and 39, which torchvision halves to 72 and 20.
        ("ConvNextImageProcessor", {"size": {"shortest_edge": 201}, "crop_pct": 0.8375}),
        ("CLIPImageProcessor", {}),
        ("DeiTImageProcessor", {"size": {"shortest_edge": 256}}),
        ("BeitImageProcessor", {}),
        ("BitImageProcessor", {"image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.3, 0.25]}),
        ("EfficientNetImageProcessor", {}),
        ("LevitImageProcessor", {}),
        ("MobileNetV2ImageProcessor", {}),
        ("MobileNetV2ImageProcessorPil", {}),
        ("MobileViTImageProcessor", {"size": {"shortest_edge": 288}}),
        ("PvtImageProcessor", {}),
        ("SiglipImageProcessor", {}),
    ],
)
def test_settings_give_the_processors_own_images(image: Image.Image, name: str, settings: Any) -> None:
    processor = getattr(transformers, name)(**settings)
    found = preprocessing_of(processor, None)
    chosen = found.preprocessing
    assert chosen is not None
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (chosen.mean, chosen.std))
    own = (torch.from_numpy(resize_and_crop(image, chosen)) / 255 - mean) / std
    theirs = processor(image, return_tensors="pt")["pixel_values"][0]
    levels = 255 * std * (own.flip(0) if chosen.channels == "bgr" else own).sub(theirs).abs()
    assert float(levels.max()) <= _ROUNDING
    assert (found.warnings, found.guessed) == ((), frozenset())


@pytest.mark.parametrize(
    ("name", "backend", "resizer"),
    [
        ("NewImageProcessor", "torchvision", "torchvision"),
        ("NewImageProcessorPil", "pil", "pillow"),
        # Before transformers 5 the class alone tells it.
        ("OldImageProcessorFast", None, "torchvision"),
        ("OldImageProcessor", None, "pillow"),
    ],
)
def test_what_a_processor_resizes_with_is_told_by_it_or_its_name(name: str, backend: str | None, resizer: str) -> None:
    says = {} if backend is None else {"backend": backend}
    processor = type(name, (), says | {"size": {"height": 8, "width": 8}, "image_mean": 0.5, "image_std": 0.5})()
    found = preprocessing_of(processor, None).preprocessing
    assert found is not None
    assert found.resizer == resizer


def test_what_is_done_otherwise_is_said() -> None:
    squashed = preprocessing_of(transformers.DeiTImageProcessor(), None)
    assert squashed.preprocessing is not None
    assert (squashed.preprocessing.image_size, squashed.preprocessing.resize) == ((224, 224), 256)
    assert "squashed to a square before the crop" in squashed.warnings[0]


def test_sizes_that_nothing_says_are_not_made_up() -> None:
    unsized = preprocessing_of(transformers.ViTImageProcessor(do_resize=False), None)
    assert unsized.preprocessing is None
    assert "does not say the size" in unsized.warnings[0]
    by_network = preprocessing_of(transformers.ViTImageProcessor(do_resize=False), (32, 32))
    assert by_network.preprocessing is not None
    assert by_network.preprocessing.image_size == (32, 32)
    assert by_network.guessed == {"image_size", "resize"}
