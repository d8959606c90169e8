"""``python:module:factory``: a network that the user's own code builds."""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from cuesense.errors import ModelError, expected, first_line, nearest
from cuesense.models import compact
from cuesense.models.common import Loaded, State
from cuesense.models.recipes import carried_by
from cuesense.models.trust import COMPACT
from cuesense.models.weights import fill
from cuesense.types import ClassNames


def load(name: str, state: State | None, class_names: ClassNames | None) -> Loaded:
    """Call the user's factory (see the package for the arguments).

    Args:
        name: ``"module:factory"``; the module may also lie in the working directory.
        state: Weights to fill the network with, or None where the factory brings its own.
        class_names: Names of the outputs.

    Returns:
        The network; nothing is known about its preprocessing, but of one that Ultralytics' classes carry.

    Raises:
        ModelError: There is no such module or function, it fails, or it returns no ``nn.Module``.
    """
    spec = f"python:{name}"
    if state is not None and spec == COMPACT:
        return Loaded(compact.load(state, spec), name, class_names=class_names)
    network = _call(_find(name), name)
    if state is not None:
        fill(network, state, spec)
    preprocessing, known = carried_by(network)
    return Loaded(network, name, preprocessing, class_names=class_names or known)


def _find(name: str) -> Callable[[], Any]:
    module_name, colon, attribute = name.partition(":")
    if not (module_name and colon and attribute):
        raise _unlike(name, "a module and the name of a function in it", "Write python:my_model:build")
    module = _import(module_name, name)
    factory = getattr(module, attribute, None)
    if not callable(factory):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise _unlike(
            name, f"a function '{attribute}' in {module_name}", nearest(attribute, known) if known else "Define it"
        )
    found: Callable[[], Any] = factory
    return found


def _import(module_name: str, name: str) -> ModuleType:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        return import_module(module_name)
    except (Exception, SystemExit) as error:
        reason = f"a module that can be imported, but got {type(error).__name__}: {first_line(error)}"
        raise ModelError(f"Expected python:{name} to name {reason}. Run from its folder, or install it.") from error


def _call(factory: Callable[[], Any], name: str) -> nn.Module:
    try:
        network = factory()
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise ModelError(
            expected(f"python:{name}", "callable without arguments", reason, "Call it yourself to see where it fails")
        ) from error
    if not isinstance(network, nn.Module):
        raise ModelError(
            expected(
                f"python:{name}()", "an nn.Module", f"an object of type {type(network).__name__}", "Return the network"
            )
        )
    return network


def _unlike(name: str, wanted: str, do: str) -> ModelError:
    return ModelError(expected("MODEL or --arch", wanted, f"'python:{name}'", do))
