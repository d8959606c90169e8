"""What a checkpoint holds: weights, under whatever key, and the plain data beside them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import numpy as np
from torch import Tensor, nn

from cuesense.models.common import State

# Keys under which training scripts keep weights; averaged weights (EMA), which are the ones in use, come first.
_NESTED = ("state_dict_ema", "model_ema", "ema", "state_dict", "model_state_dict", "model")
# Checkpoints hold weights at the second or third level; one that holds itself would be searched without end.
_DEEPEST = 3
# What a training script says of itself is small: longer lists are histories and data. Chosen by hand.
_LONGEST_LIST = 1000
_MOST_ENTRIES = 5000


@dataclass(frozen=True)
class Found:
    """The weights in a file.

    Attributes:
        weights: The state dict, or the module.
        key: The dotted path under which they lie; empty where the file is nothing but weights.
        others: The other weights in the file, by their dotted paths.
        about: The plain data beside the weights: nested dictionaries of numbers, texts, lists and None, without
            tensors. Options of training scripts (``args``, ``hyper_parameters``, ``config``) are dictionaries too.
    """

    weights: State | nn.Module
    key: str = ""
    others: Mapping[str, State | nn.Module] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)


def find(content: object, key: str | None = None) -> Found | None:
    """Return the weights inside a checkpoint, averaged ones (EMA) before raw ones.

    Args:
        content: What was unpickled: a module, a state dict, or a checkpoint that holds some.
        key: The dotted path of the weights to take; None takes the first.

    Returns:
        The weights, or None where there are none (under the key).
    """
    candidates = dict(_candidates(content, "", 0))
    if not candidates:
        return None
    taken = next(iter(candidates)) if key is None else key
    if taken not in candidates:
        return None
    return Found(candidates.pop(taken), taken, candidates, about(content))


def _candidates(content: object, path: str, depth: int) -> Iterator[tuple[str, State | nn.Module]]:
    if isinstance(content, nn.Module):
        yield path, content
    if not isinstance(content, Mapping) or depth > _DEEPEST:
        return
    for key in _NESTED:
        yield from _candidates(content.get(key), f"{path}.{key}".lstrip("."), depth + 1)
    tensors = {key: value for key, value in content.items() if isinstance(key, str) and isinstance(value, Tensor)}
    if tensors:
        yield path, tensors


def about(content: object) -> dict[str, Any]:
    """Return the plain data of a checkpoint.

    Args:
        content: What was unpickled.

    Returns:
        Nested dictionaries with texts as keys, of numbers, texts, lists and None; nothing of a content that is no
        mapping. Tensors, modules, long lists and what lies deeper than four levels are left out.
    """
    found = _plain(content, [_MOST_ENTRIES], 0) if isinstance(content, Mapping) else None
    return found if isinstance(found, dict) else {}


_LEFT_OUT = object()


def _plain(value: Any, left: list[int], depth: int) -> Any:
    """Return a value as plain data, or ``_LEFT_OUT``; ``left`` counts down what may still be taken."""
    left[0] -= 1
    if left[0] < 0 or depth > _DEEPEST + 1:
        return _LEFT_OUT
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, argparse.Namespace):
        value = vars(value)
    if isinstance(value, Mapping):
        pairs = ((str(key), _plain(inner, left, depth + 1)) for key, inner in value.items())
        return {key: inner for key, inner in pairs if inner is not _LEFT_OUT}
    if isinstance(value, (list, tuple)) and len(value) <= _LONGEST_LIST:
        items = (_plain(inner, left, depth + 1) for inner in value)
        return [inner for inner in items if inner is not _LEFT_OUT]
    return _LEFT_OUT
