"""``timm:NAME``: the networks of PyTorch Image Models, with or without the tag of their weights."""

import math
from functools import partial
from typing import Any

import timm
from torch import nn

from cuesense.errors import ModelError, expected
from cuesense.imagenet_names import imagenet_names, imagenet_synsets
from cuesense.models.common import Loaded, State, fetching, guessed_images, guessed_names
from cuesense.models.names import unknown_name
from cuesense.models.weights import build_filled
from cuesense.types import ClassNames, Preprocessing


def load(name: str, state: State | None, class_names: ClassNames | None) -> Loaded:
    """Load a timm network (see the package for the arguments).

    Args:
        name: ``"resnet18"`` or ``"resnet18.a1_in1k"``; without a tag the library's default weights.
        state: Weights to fill the network with, or None for the library's own.
        class_names: Names of the outputs, or None for those that the weights know.

    Returns:
        The network with the preprocessing of the name's weights, a guess for the user's own, and ImageNet's names
        where it has 1000 outputs.

    Raises:
        ModelError: The name is unknown, has no classifier or no weights, or the weights do not fit.
    """
    if not timm.is_model(name):
        raise unknown_name("the timm model", name, timm.list_models())
    network: Any = _pretrained(name) if state is None else _filled(name, state)
    if network.num_classes == 0:
        raise ModelError(
            expected(f"timm:{name}", "a classifier", "a network without a head", "Choose weights trained on classes")
        )
    preprocessing, warnings = _preprocessing(network.pretrained_cfg)
    # timm's weights do not carry names. A thousand outputs are nearly always ImageNet's, but in a user's own weights
    # they may be anything.
    known = ClassNames(imagenet_names(), imagenet_synsets()) if network.num_classes == 1000 else None
    return Loaded(
        network,
        name,
        preprocessing,
        class_names=class_names or known,
        warnings=warnings,
        guessed=guessed_names(class_names, known, state) | guessed_images(state),
    )


def _pretrained(name: str) -> Any:
    if not timm.models.is_model_pretrained(name):
        tags = timm.list_pretrained(f"{name.partition('.')[0]}.*")
        raise unknown_name("the timm weights", name, tags)
    with fetching(f"timm:{name}"):
        return timm.create_model(name, pretrained=True)


def _filled(name: str, state: State) -> nn.Module:
    config = timm.get_pretrained_cfg(name)
    heads = config.classifier if config else None
    head = heads if isinstance(heads, str) else (heads or ("head",))[0]
    return build_filled(partial(timm.create_model, name), state, f"timm:{name}", head)


def _preprocessing(kept: dict[str, Any]) -> tuple[Preprocessing, tuple[str, ...]]:
    height, width = kept["input_size"][1:]
    mode = kept["crop_mode"]
    resize = None if mode == "squash" else math.floor(min(height, width) / kept["crop_pct"])
    interpolation = "bicubic" if kept["interpolation"] == "bicubic" else "bilinear"
    warnings = (
        ("These weights were evaluated on padded images; a center crop is used instead.",) if mode == "border" else ()
    )
    return Preprocessing((height, width), resize, kept["mean"], kept["std"], interpolation), warnings
