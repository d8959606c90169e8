"""State dicts: fitting them to networks."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cuesense.errors import ModelError, expected, listed
from cuesense.models.checkpoint import kind_by_name
from cuesense.models.common import State

# What torch.compile, FSDP and checkpointing of activations put into keys, at any depth.
_MARKS = re.compile(r"(^|(?<=\.))(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")
# What training modules hold beside the network under keys of its own level.
_BESIDE = re.compile(
    r"(optim|sched|loss|criterion|\w*metric|(train|val|valid|test)_|teacher|ema\b|model_ema|queue)", re.I
)
# Counters of steps: networks predict the same without them, and files of old torch lack them.
_COUNTERS = ("num_batches_tracked", "n_averaged")
# What thop writes into a network to count its operations.
_OPERATIONS = ("total_ops", "total_params")
_SHOWN = 3


class MisfitError(ModelError):
    """The weights are not those of the architecture; whoever knows the file adds which one they fit."""


class HeadlessError(MisfitError):
    """The weights are the architecture's without its last layer; no other architecture helps."""


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


@dataclass(frozen=True)
class Fit:
    """How a state dict goes into a network.

    Attributes:
        state: The part that goes in, with the network's keys.
        prefix: What stood before these keys.
        beside: Keys of the state dict that stay outside.
        differences: What differs from the network, in words; empty where the part fits.
        elsewhere: Keys of the state dict that go in although they have not the prefix.
    """

    state: State
    prefix: str
    beside: tuple[str, ...]
    differences: tuple[str, ...]
    elsewhere: tuple[str, ...] = ()


def fit(own: State, state: State) -> Fit:
    """Return how a state dict goes into a network.

    Wrappers such as DataParallel, Lightning modules and training scripts put prefixes before the network's keys, and
    other modules beside it. The prefix is taken under which most keys and shapes of the network lie; among equals the
    shortest; and then averaged weights (EMA) before others, and a teacher last. Where a part of the network, such as
    its head, lies under another prefix, it is taken from there, if that is the only place.

    Args:
        own: The network's state dict.
        state: The state dict, prefixes and all.
    """
    state = _bare(state)
    prefix = next(iter(_by_matches(own, state)), "")
    elsewhere = _elsewhere(own, state, prefix)
    state = {prefix + elsewhere[key] if key in elsewhere else key: value for key, value in state.items()}
    within = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    beside = [key for key in state if not key.startswith(prefix)]
    aside = [key for key, value in within.items() if key not in own and _is_beside(key, value)]
    inside: State = {key: value for key, value in within.items() if key not in aside}
    if own and not inside.keys() & own.keys():
        inside = _with_prefix(own, inside)
    kept = (*beside, *(prefix + key for key in aside))
    return Fit(inside, prefix, kept, tuple(_differences(own, inside)), tuple(elsewhere))


def _elsewhere(own: State, state: State, prefix: str) -> dict[str, str]:
    """Return the network's keys that lie under one other prefix alone, by the keys of the state dict; else nothing."""
    lacking = [key for key in own if prefix + key not in state and not key.endswith(_COUNTERS)]
    if not lacking or not 2 * len(lacking) < len(own):
        return {}
    first = lacking[0]
    others = [key.removesuffix(first) for key in state if key == first or key.endswith(f".{first}")]
    whole = [other for other in others if all(other + key in state for key in lacking)]
    return {whole[0] + key: key for key in lacking} if len(whole) == 1 else {}


def fitting_prefixes(own: State, state: State) -> list[str]:
    """Return every prefix under which a whole network lies, in the order in which ``fit`` prefers them."""
    wanted = sum(not key.endswith(_COUNTERS) for key in own)
    counts = _by_matches(own, _bare(state))
    return [prefix for prefix, (_, count) in counts.items() if count >= wanted > 0]


def under(state: State, key: str) -> State:
    """Return the part of a state dict that has a key, without what stands before it; the largest where several have."""
    prefixes = [name.removesuffix(key) for name in state if name == key or name.endswith(f".{key}")]
    parts = [
        {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
        for prefix in prefixes
    ]
    return max(parts, key=len, default=state)


def head_of(network: nn.Module) -> str:
    """Return the name of the last linear layer or convolution, which is where a classifier's outputs come from."""
    heads: list[str] = [name for name, module in network.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    return heads[-1]


def count_classes(state: State, head: str) -> int | None:
    """Return the number of outputs K of a head.

    Args:
        state: The state dict, with the network's keys.
        head: The head's name in the network.

    Returns:
        The first dimension of the head's weight, or None where the state dict has no such weight. Nothing says yet
        that the rest of its shape, or its bytes, are those of a head.
    """
    weight = state.get(f"{head}.weight")
    return weight.shape[0] if weight is not None and weight.dim() else None


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
    usual = sketch(make)
    classes = count_classes(fit(usual.state_dict(), state).state, head_of(usual) if head is None else head)
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


def _fitting(network: nn.Module, state: State, spec: str) -> State:
    """Return the part of the state dict that goes into a network; errors as in ``fill``."""
    found = fit(network.state_dict(), state)
    lacking = _lacking_end(network, found.state)
    if lacking:
        got = f"a backbone without its classification layer: {listed(lacking, _SHOWN)} {_are(lacking)} missing"
        do = "Give the file of a model that was trained to its classes"
        raise HeadlessError(expected(f"the file's weights for {spec}", "those of a whole classifier", got, do))
    if found.differences:
        raise MisfitError(
            f"Expected the file's weights to be those of {spec}, but got {' and '.join(found.differences)}."
        )
    return found.state


def _lacking_end(network: nn.Module, state: State) -> list[str]:
    """Return the keys of a network's last layers where nothing else differs, else none."""
    own = network.state_dict()
    keys = [key for key in own if not key.endswith(_COUNTERS)]
    there = [key for key in keys if key in state]
    whole = all(own[key].shape == state[key].shape for key in there) and state.keys() <= own.keys()
    # A network of which most is missing is another one.
    if len(there) == len(keys) or keys[: len(there)] != there or not whole or 2 * len(there) < len(keys):
        return []
    lacking = keys[len(there) :]
    return lacking if f"{head_of(network)}.weight" in lacking else []


def _are(keys: list[str]) -> str:
    return "is" if len(keys) == 1 else "are"


def _bare(state: State) -> State:
    return {_MARKS.sub("", key): value for key, value in state.items() if key != "n_averaged"}


def _by_matches(own: State, state: State) -> dict[str, tuple[int, int]]:
    """Return the numbers of keys and of keys with shapes that are the network's, by the prefix before them."""
    names: Counter[str] = Counter()
    shapes: Counter[str] = Counter()
    for key, value in state.items():
        for start in (0, *(found.end() for found in re.finditer(r"\.", key))):
            inner = own.get(key[start:])
            if inner is not None and not key.endswith(_COUNTERS):
                names[key[:start]] += 1
                shapes[key[:start]] += inner.shape == value.shape
    found = sorted(names, key=lambda prefix: (-shapes[prefix], -names[prefix], *_preferred(prefix)))
    return {prefix: (names[prefix], shapes[prefix]) for prefix in found}


def _preferred(prefix: str) -> tuple[int, int]:
    return kind_by_name(prefix), prefix.count(".")


def _is_beside(key: str, value: Tensor) -> bool:
    """Return whether a key is no network's: a loss, a count of operations, or part of another module."""
    counts = key.rpartition(".")[2] in _OPERATIONS
    return counts or (value.dim() == 0 and "." not in key) or _BESIDE.match(key) is not None


def _with_prefix(own: State, state: State) -> State:
    """Return a state dict with the prefix that the network's own keys have and it has not, if there is one."""
    counts = Counter(
        key[: found.end()] for key in own for found in re.finditer(r"\.", key) if key[found.end() :] in state
    )
    prefix = max(counts, key=lambda prefix: counts[prefix], default="")
    return {prefix + key: value for key, value in state.items()}


def _differences(own: State, state: State) -> list[str]:
    missing = [key for key in own if key not in state and not key.endswith(_COUNTERS)]
    unexpected = [key for key in state if key not in own]
    reshaped = [key for key in own if key in state and own[key].shape != state[key].shape]

    def shapes(key: str) -> str:
        return f"{key} {tuple(state[key].shape)} instead of {tuple(own[key].shape)}"

    parts = (("missing", missing, str), ("unexpected", unexpected, str), ("of another shape", reshaped, shapes))
    return [f"{len(keys)} {kind} ({listed(list(map(show, keys)), _SHOWN)})" for kind, keys, show in parts if keys]
