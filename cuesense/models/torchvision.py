"""``torchvision:NAME[@WEIGHTS]``: torchvision's classification networks."""

from functools import partial
from typing import Any

import torchvision.models as zoo
from torch import nn

from cuesense.imagenet_names import imagenet_synsets
from cuesense.models.common import Loaded, State, fetching, guessed_images, guessed_names
from cuesense.models.names import unknown_name
from cuesense.models.weights import build_filled, count_classes, head_of
from cuesense.types import ClassNames, Preprocessing

_AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")
_BUILD = {
    name: {"aux_logits": False, "init_weights": False, "transform_input": True}
    for name in ("googlenet", "inception_v3")
}


def load(name: str, state: State | None, class_names: ClassNames | None) -> Loaded:
    """Load a torchvision network (see the package for the arguments).

    Args:
        name: ``"resnet18"`` or ``"resnet18@IMAGENET1K_V1"``; without weights the library's DEFAULT.
        state: Weights to fill the network with, or None for the library's own.
        class_names: Names of the outputs, or None for those that the weights know.

    Returns:
        The network with the preprocessing of the library's weights, which is a guess where the weights are the user's,
        and the weights' categories where the number of outputs is theirs.

    Raises:
        ModelError: The name or the weights are unknown, cannot be downloaded, or do not fit.
    """
    base, _, tag = name.partition("@")
    weights = _weights(base, tag)
    network = _pretrained(base, weights) if state is None else _filled(base, state)
    known = _categories(network, weights)
    return Loaded(
        network,
        base,
        _preprocessing(weights),
        class_names=class_names or known,
        guessed=guessed_names(class_names, known, state) | guessed_images(state),
    )


def build(name: str, **options: Any) -> nn.Module:
    """Return an untrained network.

    The two Inception networks are built as torchvision builds them for its own weights: they renormalize their input,
    and the auxiliary heads, which only training uses, are left out.

    Args:
        name: A name of torchvision's.
        **options: For the network's constructor, such as num_classes.

    Returns:
        The network.
    """
    network: nn.Module = zoo.get_model(name, weights=None, **_BUILD.get(name, {}), **options)
    return network


def _weights(name: str, tag: str) -> Any:
    known = zoo.list_models(module=zoo)
    if name not in known:
        raise unknown_name("the torchvision model", name, known)
    choices = zoo.get_model_weights(name)
    if tag and tag not in choices.__members__:
        raise unknown_name(f"the weights of torchvision:{name}", tag, choices.__members__)
    return choices[tag or "DEFAULT"]


def _pretrained(name: str, weights: Any) -> nn.Module:
    with fetching(f"torchvision:{name}"):
        network: nn.Module = zoo.get_model(name, weights=weights)
    return network


def _filled(name: str, state: State) -> nn.Module:
    if name in _BUILD:
        state = {key: value for key, value in state.items() if not key.startswith(_AUXILIARY)}
    return build_filled(partial(build, name), state, f"torchvision:{name}")


def _preprocessing(weights: Any) -> Preprocessing:
    kept = weights.transforms()
    side = kept.crop_size[0]
    return Preprocessing((side, side), kept.resize_size[0], tuple(kept.mean), tuple(kept.std), kept.interpolation.value)


def _categories(network: nn.Module, weights: Any) -> ClassNames | None:
    names = tuple(weights.meta["categories"])
    if count_classes(network.state_dict(), head_of(network)) != len(names):
        return None
    return ClassNames(names, imagenet_synsets())
