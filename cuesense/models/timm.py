"""``timm:NAME``, ``timm:hf-hub:NAME`` and ``timm:local-dir:FOLDER``: the networks of PyTorch Image Models."""

import math
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import timm

from cuesense.errors import ModelError, expected
from cuesense.imagenet_names import imagenet_names, imagenet_synsets
from cuesense.models.common import Loaded, State, fetching, guessed_images, guessed_names, only_tensors
from cuesense.models.hub_folders import is_model, is_timm_folder
from cuesense.models.names import HUB, unknown_name
from cuesense.models.weights import build_filled, sketch
from cuesense.types import INTERPOLATIONS, ClassNames, Preprocessing

# Where a configuration's size is that of the user's own weights, as their position embeddings say.
_BY_POSITIONS = "size_by_positions"
_SYNSET = re.compile(r"n\d{8}")


def load(name: str, state: State | None, class_names: ClassNames | None) -> Loaded:
    """Load a timm network (see the package for the arguments).

    Args:
        name: ``"resnet18"`` or ``"resnet18.a1_in1k"``, without a tag the library's default weights; or what timm loads
            from the hub or from a folder in its layout, ``"hf-hub:NAME"`` and ``"local-dir:FOLDER"``.
        state: Weights to fill the network with, or None for the library's own.
        class_names: Names of the outputs, or None for those that the weights know.

    Returns:
        The network with the preprocessing of the name's weights, which is a guess for the user's own but for the size
        that position embeddings tell, and the names of the weights, or ImageNet's where it has 1000 outputs.

    Raises:
        ModelError: The name is unknown, has no classifier or no weights, or the weights do not fit.
    """
    hub = name.startswith(HUB)
    if not hub and not timm.is_model(name):
        raise unknown_name("the timm model", name, timm.list_models())
    network: Any = _filled(name, state) if state is not None else _from_hub(name) if hub else _pretrained(name)
    if network.num_classes == 0:
        raise ModelError(
            expected(f"timm:{name}", "a classifier", "a network without a head", "Choose weights trained on classes")
        )
    preprocessing, warnings = preprocessing_of(network.pretrained_cfg)
    # timm's own weights do not carry names. A thousand outputs are nearly always ImageNet's, but in a user's own
    # weights they may be anything.
    known = _own_names(network.pretrained_cfg, network.num_classes)
    if known is None and network.num_classes == 1000:
        known = ClassNames(imagenet_names(), imagenet_synsets())
    guessed = guessed_names(class_names, known, state) | guessed_images(state)
    return Loaded(
        network,
        network.pretrained_cfg.get("architecture") or name,
        preprocessing,
        class_names=class_names or known,
        warnings=warnings,
        guessed=guessed - {"image_size"} if network.pretrained_cfg.get(_BY_POSITIONS) else guessed,
    )


def _pretrained(name: str) -> Any:
    if not timm.models.is_model_pretrained(name):
        tags = timm.list_pretrained(f"{name.partition('.')[0]}.*")
        raise unknown_name("the timm weights", name, tags)
    with fetching(f"timm:{name}"):
        return timm.create_model(name, pretrained=True)


def _from_hub(name: str) -> Any:
    _refuse_transformers(name)
    do = "Check the name and the network, and that config.json and weights are there"
    with fetching(f"timm:{name}", do), only_tensors():
        return timm.create_model(name, pretrained=True)


def _refuse_transformers(name: str) -> None:
    """Raise where a folder is named that transformers wrote, whose configuration names no architecture of timm."""
    folder = Path(name.removeprefix("local-dir:"))
    if name.startswith("local-dir:") and is_model(folder) and not is_timm_folder(folder):
        got = "a Hugging Face folder of transformers"
        raise ModelError(expected(f"timm:{name}", "a folder in timm's layout", got, f"Write hf:{folder}"))


def _filled(name: str, state: State) -> Any:
    _refuse_transformers(name)
    config = None if name.startswith(HUB) else timm.get_pretrained_cfg(name)
    heads = config.classifier if config else None
    head = heads if isinstance(heads, str) else (heads or ("head",))[0]
    make = partial(timm.create_model, name)
    # A name of the hub is looked up there, and weights of another form are no failure of that.
    with fetching(f"timm:{name}"):
        usual = sketch(make)
    size = _size_of_positions(usual, state)
    network: Any = build_filled(make if size is None else partial(make, img_size=size), state, f"timm:{name}", head)
    if size is not None:
        # What the library says of its own weights' images does not hold for these.
        network.pretrained_cfg = {**network.pretrained_cfg, "input_size": (3, *size), _BY_POSITIONS: True}
    return network


def _size_of_positions(network: Any, state: State) -> tuple[int, int] | None:
    """Return the image size for which weights have position embeddings, None where it is the network's own.

    Args:
        network: The network as the library builds it; its tensors need no values.
        state: The weights, prefixes and all.
    """
    own: Any = getattr(network, "pos_embed", None)
    patches: Any = getattr(network, "patch_embed", None)
    patch = getattr(patches, "patch_size", None)
    theirs = next((value for key, value in state.items() if f".{key}".endswith(".pos_embed")), None)
    if own is None or patch is None or theirs is None or own.ndim != 3 or theirs.ndim != 3:
        return None
    prefix = own.shape[1] - patches.num_patches
    side = math.isqrt(max(theirs.shape[1] - prefix, 0))
    # As many positions as a square has: nothing says the sides of another rectangle.
    if own.shape[1] == theirs.shape[1] or side * side != theirs.shape[1] - prefix or side == 0:
        return None
    return side * patch[0], side * patch[1]


def _own_names(kept: Mapping[str, Any], classes: int) -> ClassNames | None:
    """Return the names that a configuration in the hub's layout has for the outputs, by description where it can."""
    names = kept.get("label_names")
    if not isinstance(names, (list, tuple)) or len(names) != classes or len(set(names)) != classes:
        return None
    synsets = tuple(map(str, names)) if all(_SYNSET.fullmatch(str(name)) for name in names) else ()
    described = kept.get("label_descriptions") or {}
    shown = tuple(str(described.get(name, name)).partition(",")[0] for name in names)
    return ClassNames(shown if len(set(shown)) == classes else tuple(map(str, names)), synsets)


def preprocessing_of(kept: Mapping[str, Any]) -> tuple[Preprocessing, tuple[str, ...]]:
    """Return what timm's data configuration of weights says, and what of it is done otherwise here.

    Args:
        kept: With input_size, crop_pct, crop_mode, interpolation, mean and std.
    """
    height, width = kept["input_size"][1:]
    mode = kept["crop_mode"]
    resize = None if mode == "squash" else math.floor(min(height, width) / kept["crop_pct"])
    interpolation = kept["interpolation"] if kept["interpolation"] in INTERPOLATIONS else "bilinear"
    warnings = (
        ("These weights were evaluated on padded images; a center crop is used instead.",) if mode == "border" else ()
    )
    return Preprocessing((height, width), resize, tuple(kept["mean"]), tuple(kept["std"]), interpolation), warnings
