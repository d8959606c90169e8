"""Find the well-known architectures that a state dict fits, to name them in an error."""

import math
from collections.abc import Iterator
from functools import cache

import timm
import torchvision
from torch import nn

from cuesense.models.common import State
from cuesense.models.torchvision import build
from cuesense.models.weights import head_of, signature, sketch, variants

# Building every network of timm takes minutes: these are among its most downloaded families. Chosen by hand; with the
# millions of parameters that timm's table of results gives.
_TIMM = {
    "vit_tiny_patch16_224": 5.7,
    "vit_small_patch16_224": 22.1,
    "vit_base_patch16_224": 86.6,
    "convnext_tiny": 28.6,
    "efficientnet_b0": 5.3,
    "mobilenetv3_small_100": 2.5,
    "mobilenetv3_large_100": 5.5,
    "resnet26d": 16.0,
    "resnet50d": 25.6,
    "swin_tiny_patch4_window7_224": 28.3,
}
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def fitting_architectures(state: State) -> list[str]:
    """Return the architectures of torchvision, and some of timm, whose keys and shapes a state dict has.

    The number of classes may differ. Takes a few seconds.

    Args:
        state: The state dict, prefixes and all.

    Returns:
        Names such as ``"torchvision:resnet18"``.
    """
    return [spec for spec in _candidates(_count(state)) if _fits(state, *_keys(spec))]


def _candidates(parameters: int) -> Iterator[str]:
    for name in torchvision.models.list_models(module=torchvision.models):
        theirs = torchvision.models.get_model_weights(name).DEFAULT.meta["num_params"]
        if _is_near(theirs, parameters):
            yield f"torchvision:{name}"
    yield from (f"timm:{name}" for name, millions in _TIMM.items() if _is_near(millions * 1e6, parameters))


def _is_near(theirs: float, parameters: int) -> bool:
    """Return whether the counts differ by no more than other heads make, which is 70 percent at most."""
    return 0.5 < theirs / max(parameters, 1) < 1.8


@cache
def _keys(spec: str) -> tuple[str, frozenset[tuple[str, tuple[int, ...]]]]:
    """Return the head of an architecture, and its keys with their shapes; sketched once in a process."""
    library, _, name = spec.partition(":")
    network: nn.Module = sketch(lambda: build(name) if library == "torchvision" else timm.create_model(name))
    head = head_of(network)
    return head, signature(network.state_dict(), head)


def _count(state: State) -> int:
    return sum(math.prod(value.shape) for key, value in state.items() if not key.endswith(_STATISTICS))


def _fits(state: State, head: str, theirs: frozenset[tuple[str, tuple[int, ...]]]) -> bool:
    return any(signature(variant, head) == theirs for variant in variants(state))
