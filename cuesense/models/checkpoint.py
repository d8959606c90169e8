"""What a checkpoint holds: weights, under whatever keys, and the plain data beside them."""

from __future__ import annotations

import argparse
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cuesense.errors import ModelError, expected
from cuesense.models.common import State
from cuesense.models.pickle_machine import Built, Maker
from cuesense.models.stand_ins import StandIn, state_of

Weights = State | nn.Module | StandIn

# Checkpoints hold weights at the second to fourth level; one that holds itself would be searched without end.
_DEEPEST = 5
_MOST_VISITED = 50_000
# Longer lists are histories, not networks.
_LONGEST_SEARCHED = 64
# What training scripts keep as tensors beside weights, such as the weights of classes, is small. Chosen by hand.
_SMALLEST_SHARE = 0.01
_AVERAGED = re.compile(r"(^|[_.])(ema|swa|averaged?|avg|shadow)(\d|[_.]|$)", re.IGNORECASE)
_USUAL = ("state_dict", "model_state_dict", "model")
# Networks that only helped to train the one in use.
_HELPERS = re.compile(r"teacher|discriminator|critic|pretrained|initial", re.IGNORECASE)
# Their tensors have the shapes of weights and are none.
_NO_WEIGHTS = re.compile(r"optim|sched|scaler|(^|[_.])(rng|amp|loops|callbacks|loss|criterion|grads?)", re.IGNORECASE)
# What a training script says of itself is small: longer lists are histories and data. Chosen by hand.
_LONGEST_LIST = 1000
_MOST_ENTRIES = 5000
_DEEPEST_DATA = 6


@dataclass(frozen=True)
class Found:
    """The weights in a file.

    Attributes:
        weights: The state dict, the module, or what stands for a module of a class that is not loaded.
        key: The dotted path under which they lie; empty where the file is nothing but weights.
        others: The other weights in the file, by their dotted paths, in the order in which they would be taken.
        about: The plain data beside the weights: nested dictionaries of numbers, texts, lists and None, without
            tensors. Options of training scripts (``args``, ``hyper_parameters``, ``config``) are dictionaries too.
        named: Whether the user has said the path.
    """

    weights: Weights
    key: str = ""
    others: Mapping[str, Weights] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    named: bool = False

    @property
    def in_order(self) -> dict[str, Weights]:
        """All weights in the file by their paths, in the order in which they are tried on an architecture."""
        return {self.key: self.weights, **self.others}


def find(content: object, key: str | None = None) -> Found | None:
    """Return the weights inside a checkpoint.

    State dicts and modules are searched in the values of dictionaries, lists and objects. Where there are several,
    averaged ones (EMA) come first, because they are the ones in use; then those under ``state_dict``,
    ``model_state_dict`` and ``model``; then others, the largest first; and last networks that only helped in training,
    such as a teacher. What belongs to optimizers is no weights.

    Args:
        content: What was unpickled: a module, a state dict, or a checkpoint that holds some.
        key: The dotted path of the weights to take, or the end of one; None takes the first.

    Returns:
        The weights, or None where there are none, or only some without values (``lacks_values``).

    Raises:
        ModelError: There are weights, but none under the key.
    """
    everything = {path: found for path, found in _candidates(content) if not lacks_values(found)}
    candidates = _in_order({path: found for path, found in everything.items() if not _NO_WEIGHTS.search(path)})
    if key is not None and everything:
        return Found(*_named(key, everything), {}, about(content), named=True)
    if not candidates:
        return None
    taken = next(iter(candidates))
    return Found(candidates.pop(taken), taken, candidates, about(content))


def is_averaged(path: str) -> bool:
    """Return whether weights under a path are averages over a training (EMA), by its words."""
    return _AVERAGED.search(path) is not None


def kind_by_name(path: str) -> int:
    """Return 0 for averaged weights (EMA), 2 for networks that only helped in training, 1 for others."""
    return 0 if is_averaged(path) else 2 if _HELPERS.search(path) else 1


def state_in(weights: Weights) -> State:
    """Return the state dict of weights of any kind."""
    if isinstance(weights, StandIn):
        return state_of(weights)
    return weights.state_dict() if isinstance(weights, nn.Module) else weights


def lacks_values(weights: Weights) -> bool:
    """Return whether tensors among weights were saved from the meta device: they have shapes and no values."""
    return any(value.is_meta for value in state_in(weights).values())


def without_values(content: object) -> bool:
    """Return whether a checkpoint holds weights, and all of them lack values."""
    found = [weights for _, weights in _candidates(content)]
    return bool(found) and all(map(lacks_values, found))


def modules_beside_data(content: object) -> Iterator[StandIn]:
    """Yield what stands for the outermost modules in a checkpoint, where they hold numbers or are all there is."""
    for _, value in _candidates(content):
        if isinstance(value, StandIn):
            yield value


def _named(key: str, found: Mapping[str, Weights]) -> tuple[Weights, str]:
    """Return the weights under a path or the end of one, or the part of a state dict under a prefix; with the path."""
    ends = [path for path in found if path == key or path.endswith(f".{key}")]
    if key in found or len(ends) == 1:
        return (found[key], key) if key in found else (found[ends[0]], ends[0])
    for path, weights in found.items():
        prefix = key.removeprefix(path).lstrip(".") + "."
        inside = {name: value for name, value in state_in(weights).items() if name.startswith(prefix)}
        if key.startswith(path) and inside:
            return {name.removeprefix(prefix): value for name, value in inside.items()}, key
    known = ", ".join(f"'{path}'" for path in found if path) or "no name, because the file is nothing but weights"
    raise ModelError(expected("--weights-key", f"one of {known}", f"'{key}'", "Choose one, or leave it out"))


def _in_order(found: dict[str, Weights]) -> dict[str, Weights]:
    sizes = {path: sum(value.numel() for value in state_in(weights).values()) for path, weights in found.items()}
    enough = _SMALLEST_SHARE * max(sizes.values(), default=0)

    def place(path: str) -> tuple[int, int, int]:
        last = path.rpartition(".")[2]
        usual = next((number for number, name in enumerate(_USUAL) if name in path.split(".")), len(_USUAL))
        return kind_by_name(path), usual, -sizes[path] if last else 0

    return {path: found[path] for path in sorted(found, key=place) if sizes[path] >= enough}


def _candidates(content: object) -> Iterator[tuple[str, Weights]]:
    """Yield everything that could be weights with its path, what lies on top first."""
    waiting = deque([("", content, 0)])
    seen: set[int] = set()
    while waiting and len(seen) < _MOST_VISITED:
        path, value, depth = waiting.popleft()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, nn.Module) or (isinstance(value, StandIn) and value.is_module):
            if not path or any(tensor.dim() for tensor in state_in(value).values()):
                yield path, value
            continue
        inner = _inside(value)
        state = _as_state(inner)
        if state:
            yield path, state
        if depth < _DEEPEST:
            waiting += [(f"{path}.{key}" if path else key, item, depth + 1) for key, item in inner.items()]


def _inside(value: object) -> dict[str, Any]:
    """Return what may be searched in a value, by name; nothing in an optimizer's state."""
    if isinstance(value, argparse.Namespace):
        value = vars(value)
    if isinstance(value, Built):
        value = value.content
    if isinstance(value, (list, tuple)) and len(value) <= _LONGEST_SEARCHED:
        return {str(number): item for number, item in enumerate(value) if not isinstance(item, Tensor)}
    if not isinstance(value, Mapping) or {"state", "param_groups"} <= value.keys():
        return {}
    return {key: item for key, item in value.items() if isinstance(key, str)}


def _as_state(inner: Mapping[str, Any]) -> State:
    """Return the tensors in a dictionary, also of arrays, if these could be weights."""
    unwrapped = {key: value.content if isinstance(value, Built) else value for key, value in inner.items()}
    arrays = {
        key: torch.from_numpy(value.copy()) for key, value in unwrapped.items() if _is_array_of_weights(key, value)
    }
    tensors = {key: value for key, value in unwrapped.items() if isinstance(value, Tensor)}
    return {**arrays, **tensors} if any(value.dim() for value in (*arrays.values(), *tensors.values())) else {}


def _is_array_of_weights(key: str, value: object) -> bool:
    """Return whether an array is one of a state dict's and no history: their names have a layer and a tensor."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.dtype.itemsize <= 8 and "." in key


def about(content: object) -> dict[str, Any]:
    """Return the plain data of a checkpoint.

    Args:
        content: What was unpickled.

    Returns:
        Nested dictionaries with texts as keys, of numbers, texts, lists and None; nothing of a content that is no
        dictionary. Tensors, modules, long lists and what lies deeper than six levels are left out.
    """
    found = _plain(content, [_MOST_ENTRIES], 0) if isinstance(content, Mapping) else None
    return found if isinstance(found, dict) else {}


_LEFT_OUT = object()


def _plain(value: Any, left: list[int], depth: int) -> Any:
    """Return a value as plain data, or ``_LEFT_OUT``; ``left`` counts down what may still be taken."""
    left[0] -= 1
    if left[0] < 0 or depth > _DEEPEST_DATA or isinstance(value, (nn.Module, Tensor)):
        return _LEFT_OUT
    value = _unwrapped(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping) and not {"state", "param_groups"} <= value.keys():
        pairs = [
            (str(key), _plain(inner, left, depth + 1))
            for key, inner in value.items()
            if isinstance(key, (str, int, float)) and left[0] > 0
        ]
        return {key: inner for key, inner in pairs if inner is not _LEFT_OUT}
    if isinstance(value, (list, tuple)) and len(value) <= _LONGEST_LIST:
        items = [_plain(inner, left, depth + 1) for inner in value if left[0] > 0]
        return [inner for inner in items if inner is not _LEFT_OUT]
    return _LEFT_OUT


def _unwrapped(value: Any) -> Any:
    """Return the value behind a stand-in, an array, a path or a namespace; ``_LEFT_OUT`` for a module's stand-in."""
    if isinstance(value, StandIn) and value.is_module:
        return _LEFT_OUT
    for _ in range(_DEEPEST):
        value = value.content if isinstance(value, Built) else value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist() if value.size <= _LONGEST_LIST else _LEFT_OUT
    if isinstance(value, Maker):
        return value.name
    if isinstance(value, PurePath):
        return str(value)
    return vars(value) if isinstance(value, argparse.Namespace) else value
