"""Find the well-known architectures that a state dict fits, to name them in an error."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import timm
import torchvision
from torch import nn

from cuesense.models.common import State
from cuesense.models.torchvision import build
from cuesense.models.weights import head_of, signature, sketch, variants

# Building every network of timm takes minutes: these are among its most downloaded families. Chosen by hand.
_TIMM = (
    "vit_tiny_patch16_224",
    "vit_small_patch16_224",
    "vit_base_patch16_224",
    "convnext_tiny",
    "efficientnet_b0",
    "mobilenetv3_small_100",
    "mobilenetv3_large_100",
    "resnet26d",
    "resnet50d",
    "swin_tiny_patch4_window7_224",
)
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def fitting_architectures(state: State) -> list[str]:
    """Return the architectures of torchvision, and some of timm, whose keys and shapes a state dict has.

    The number of classes may differ. Takes a few seconds.

    Args:
        state: The state dict, prefixes and all.

    Returns:
        Names such as ``"torchvision:resnet18"``.
    """
    return [spec for spec, make in _candidates(_count(state)) if _fits(state, sketch(make))]


def _candidates(parameters: int) -> Iterator[tuple[str, Callable[[], nn.Module]]]:
    for name in torchvision.models.list_models(module=torchvision.models):
        theirs = torchvision.models.get_model_weights(name).DEFAULT.meta["num_params"]
        if 0.5 < theirs / max(parameters, 1) < 1.8:  # other heads change the count, by 70 percent at most
            yield f"torchvision:{name}", partial(build, name)
    for name in _TIMM:
        yield f"timm:{name}", partial(timm.create_model, name)


def _count(state: State) -> int:
    return sum(math.prod(value.shape) for key, value in state.items() if not key.endswith(_STATISTICS))


def _fits(state: State, network: nn.Module) -> bool:
    head = head_of(network)
    theirs = signature(network.state_dict(), head)
    return any(signature(variant, head) == theirs for variant in variants(state))
