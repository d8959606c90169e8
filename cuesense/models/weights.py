"""State dicts: fitting them to networks."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from cuesense.errors import ModelError, listed
from cuesense.models.common import State

# What DataParallel, torch.compile, Lightning and hand-written wrappers put before every key.
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.")
# Counters of steps: networks predict the same without them, and files of old torch lack them.
_COUNTERS = ("num_batches_tracked", "n_averaged")
_SHOWN = 3


class MisfitError(ModelError):
    """The weights are not those of the architecture; whoever knows the file adds which one they fit."""


class _OnMeta(TorchFunctionMode):
    """Allocates parameters and buffers without memory, but lets the arithmetic of constructors run."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        device = {"device": "meta"} if func in (torch.empty, torch.zeros, torch.ones) else {}
        return func(*args, **{**(kwargs or {}), **device})


def sketch(make: Callable[[], nn.Module]) -> nn.Module:
    """Build a network whose tensors have shapes but no values, in a fraction of the usual time.

    Args:
        make: Builds the network.

    Returns:
        The network, on the meta device.
    """
    with _OnMeta():
        return make()


def variants(state: State) -> Iterator[State]:
    """Yield the state dict as it is, then with one wrapper's prefix after the other removed.

    Args:
        state: The state dict; ``module.``, ``_orig_mod.``, ``model.`` and ``net.`` are removed, in any order, where
            every key has them.

    Yields:
        State dicts, from the most to the least wrapped.
    """
    state = {key: value for key, value in state.items() if key != "n_averaged"}
    yield state
    for prefix in _PREFIXES:
        if state and all(key.startswith(prefix) for key in state):
            yield from variants({key.removeprefix(prefix): value for key, value in state.items()})


def head_of(network: nn.Module) -> str:
    """Return the name of the last linear layer or convolution, which is where a classifier's outputs come from."""
    heads: list[str] = [name for name, module in network.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    return heads[-1]


def count_classes(state: State, head: str) -> int | None:
    """Return the number of outputs K of a head.

    Args:
        state: The state dict, prefixes and all.
        head: The head's name in the network.

    Returns:
        The first dimension of the head's weight, or None where the state dict has no such weight. Nothing says yet
        that the rest of its shape, or its bytes, are those of a head.
    """
    weight = f"{head}.weight"
    found = (variant[weight] for variant in variants(state) if weight in variant)
    return next((value.shape[0] for value in found if value.dim()), None)


def build_filled(make: Callable[..., nn.Module], state: State, spec: str, head: str | None = None) -> nn.Module:
    """Build a network with as many outputs as a state dict has, and load the state dict into it.

    Args:
        make: Builds the network; it takes ``num_classes``.
        state: The state dict, prefixes and all.
        spec: The architecture as the user named it, for the error.
        head: The head's name; None takes the last linear layer or convolution.

    Returns:
        The network.

    Raises:
        MisfitError: Keys or shapes differ.
    """
    classes = count_classes(state, head_of(sketch(make)) if head is None else head)
    return fill_new(make if classes is None else partial(make, num_classes=classes), state, spec)


def fill_new(make: Callable[[], nn.Module], state: State, spec: str) -> nn.Module:
    """Build a network whose size a state dict says, and load the state dict into it.

    Shapes are compared before the network is allocated: a file of 86 bytes may announce a head of terabytes.

    Args:
        make: Builds the network.
        state: The state dict, prefixes and all.
        spec: The architecture as the user named it, for the error.

    Returns:
        The network.

    Raises:
        MisfitError: Keys or shapes differ.
    """
    _fitting(sketch(make), state, spec)
    return fill(make(), state, spec)


def fill(network: nn.Module, state: State, spec: str) -> nn.Module:
    """Load a state dict into a network whose keys and shapes it must match.

    Args:
        network: The network; it is changed in place.
        state: The state dict, prefixes and all.
        spec: The architecture as the user named it, for the error.

    Returns:
        The network.

    Raises:
        MisfitError: Keys or shapes differ; the sentence names the first few.
    """
    network.load_state_dict(_fitting(network, state, spec), strict=False)
    return network


def signature(state: State, head: str) -> frozenset[tuple[str, tuple[int, ...]]]:
    """Return every key with its shape, counters left out and the head's number of classes forgotten.

    Args:
        state: A state dict without prefixes.
        head: The head's name.

    Returns:
        Pairs that are equal for two networks of one architecture with different numbers of classes.
    """
    return frozenset(
        (key, tuple(value.shape[1:] if key.rpartition(".")[0] == head else value.shape))
        for key, value in state.items()
        if not key.endswith(_COUNTERS)
    )


def _fitting(network: nn.Module, state: State, spec: str) -> State:
    """Return the state dict without the prefixes that the network lacks; errors as in ``fill``."""
    own = network.state_dict()
    fitting = max(variants(state), key=lambda variant: len(variant.keys() & own.keys()))
    differences = _differences(own, fitting)
    if differences:
        raise MisfitError(f"Expected the file's weights to be those of {spec}, but got {' and '.join(differences)}.")
    return fitting


def _differences(own: State, state: State) -> list[str]:
    missing = [key for key in own if key not in state and not key.endswith(_COUNTERS)]
    unexpected = [key for key in state if key not in own]
    reshaped = [key for key in own if key in state and own[key].shape != state[key].shape]

    def shapes(key: str) -> str:
        return f"{key} {tuple(state[key].shape)} instead of {tuple(own[key].shape)}"

    parts = (("missing", missing, str), ("unexpected", unexpected, str), ("of another shape", reshaped, shapes))
    return [f"{len(keys)} {kind} ({listed(list(map(show, keys)), _SHOWN)})" for kind, keys, show in parts if keys]
