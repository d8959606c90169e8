"""What every model loader returns, and helpers that several loaders share."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.parameter import is_lazy

from cuesense.errors import CuesenseError, ModelError, expected, first_line
from cuesense.types import ClassNames, Preprocessing

State = Mapping[str, Tensor]


@dataclass(frozen=True)
class Loaded:
    """A network as its file or library gives it, before the user's settings are applied.

    Attributes:
        network: Module from normalized (N, 3, H, W) to logits (N, K).
        architecture: The architecture's name, or the file's kind where it carries its own code.
        preprocessing: What is kept beside the weights, or None where nothing is known.
        input_size: The only height and width in pixels that the network accepts, where the file says so.
        class_names: Names of the K outputs, where the weights know them.
        warnings: What the user should know.
        fixed_batch: The only batch size the network accepts, or None.
        guessed: What of these was assumed, by the names of the fields of ``Preprocessing``, or ``"class_names"``.
        about: The plain data beside the weights in their file, as ``models.checkpoint.about`` returns it.
        weights_key: Where in its file the weights lie, as a dotted path, if that was chosen or said; else empty.
        other_weights: Where other weights lie that the network could have as well.
    """

    network: nn.Module
    architecture: str
    preprocessing: Preprocessing | None = None
    input_size: tuple[int, int] | None = None
    class_names: ClassNames | None = None
    warnings: tuple[str, ...] = ()
    fixed_batch: int | None = None
    guessed: frozenset[str] = frozenset()
    about: Mapping[str, Any] = field(default_factory=dict)
    weights_key: str = ""
    other_weights: tuple[str, ...] = ()


def ready(network: nn.Module) -> nn.Module:
    """Return the same network in evaluation mode: float32, on the CPU, without gradients.

    Args:
        network: Any module; it is changed in place.

    Returns:
        The module.

    Raises:
        ModelError: A parameter has no shape yet, as those of ``LazyLinear`` before the first call.
    """
    lazy = [name for name, value in (*network.named_parameters(), *network.named_buffers()) if is_lazy(value)]
    if lazy:
        do = "Call it once on a batch of images"
        raise ModelError(expected("the network", "initialized", f"the parameter '{lazy[0]}' without a shape", do))
    if isinstance(network, fx.GraphModule):
        # torch.export shadows both methods with ones that raise; its graphs have their mode built in.
        for method in ("train", "eval"):
            vars(network).pop(method, None)
    network.float().cpu().eval()
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return network


def optional_library(module: str, extra: str, what: str) -> Any:
    """Import a library that only some models need.

    Args:
        module: Its name in an import.
        extra: The extra of this package that installs it.
        what: What needs it, for instance ``"ONNX files"``.

    Raises:
        ModelError: It is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        do = f"Install it: pip install 'cuesense[{extra}]'"
        raise ModelError(expected(f"{module}, which {what} need,", "installed", first_line(error), do)) from error


def is_program(network: object) -> bool:
    """Return whether a network is an exported program, or holds one: its layers can be neither seen nor trained.

    Args:
        network: Anything that is run on images.
    """
    modules = network.modules() if isinstance(network, nn.Module) else ()
    kinds = (fx.GraphModule, torch.jit.ScriptModule, ForeignNetwork)
    return not isinstance(network, nn.Module) or any(isinstance(module, kinds) for module in modules)


class ForeignNetwork(nn.Module):
    """A network that another library runs, without gradients."""

    @property
    def channels(self) -> int | None:
        """How many channels it takes, None where nothing says it."""
        return None


def guessed_names(given: ClassNames | None, known: ClassNames | None, state: State | None) -> frozenset[str]:
    """Return whether a library's names stand for the outputs of a user's own weights, as ``Loaded.guessed``.

    Args:
        given: The names that the user gave.
        known: The library's names for this number of outputs.
        state: The user's weights, or None where the weights are the library's too.
    """
    return frozenset({"class_names"}) if given is None and known is not None and state is not None else frozenset()


def guessed_images(state: State | None) -> frozenset[str]:
    """Return the fields of the preprocessing that are guessed where a library's stand for a user's own weights.

    Args:
        state: The user's weights, which may have been trained on images of any size and normalization, or None where
            the weights are the library's too.
    """
    return frozenset() if state is None else frozenset(field.name for field in fields(Preprocessing))


@contextmanager
def fetching(what: str, do: str = "Check the network, or pass a local file as MODEL with --arch") -> Iterator[None]:
    """Turn whatever goes wrong while a library gets its weights into one sentence.

    Args:
        what: The weights, for instance ``"torchvision:resnet18"``.
        do: What the user can do, without a full stop.

    Raises:
        ModelError: The library raised.
    """
    try:
        with quiet():
            yield
    except CuesenseError:
        raise
    except Exception as error:
        raise ModelError(
            expected(
                f"the weights of {what}",
                "downloaded or in the cache",
                first_line(error),
                do,
            )
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the warnings that libraries log while they load; their errors are raised again as ours."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def only_tensors() -> Iterator[None]:
    """Make every ``torch.load`` inside a library refuse anything but tensors and plain data."""
    before = dict(os.environ)
    os.environ.pop("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", None)
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    try:
        yield
    finally:
        for key in ("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_WEIGHTS_ONLY_LOAD"):
            os.environ.pop(key, None)
            if key in before:
                os.environ[key] = before[key]
