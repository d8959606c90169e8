"""Networks that carry their own code: torch.export archives and TorchScript."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cuesense.errors import ModelError, expected, first_line
from cuesense.models.common import Loaded, only_tensors, quiet
from cuesense.models.exported_checks import oddity

_CHANNELS = 3


def load_exported(path: Path) -> Loaded:
    """Load a ``torch.export`` archive (``.pt2``) as a module that runs on any device.

    Such an archive is a program, which ``models.trust`` lets run or not. torch also unpickles and evaluates parts of
    it: as a second line, not as a promise, archives that torch would not write are refused
    (``models.exported_checks``), pickles are restricted to tensors, and the archive's own guards give way to torch's
    check of the input's shape.

    Args:
        path: The archive.

    Returns:
        The network, with the batch size and the input size where they are fixed.

    Raises:
        ModelError: The archive is damaged or of another torch, could run code, was exported in training mode, or does
            not take one batch of RGB images, their channels first or last.
    """
    # Imports half of torch, which takes three seconds: only where a file needs it.
    from torch.export.pt2_archive._package import load_pt2

    odd = oddity(path)
    if odd is not None:
        raise _unfit(path, *odd)
    try:
        with only_tensors(), quiet(), path.open("rb") as file:
            program: Any = load_pt2(file).exported_programs["model"]
            network = program.module(check_guards=False)
    except Exception as error:
        raise _damaged(path, "a torch.export archive", error) from error
    batch, *image = _input_shape(program, path)
    # Channels that come last are found out when the network is tried, as for other programs.
    size = image[1:] if image[0] == _CHANNELS else image[:2] if image[-1] == _CHANNELS else []
    if len(image) != 3 or not size:
        raise _unfit(path, "a network for one batch of RGB images", f"one for inputs of shape {(batch, *image)}")
    if any(_trains(node) for node in program.graph.nodes):
        raise _unfit(path, "exported in evaluation mode", "dropout or batch normalization in training mode")
    fixed = (size[0], size[1]) if all(isinstance(side, int) for side in size) else None
    return Loaded(network, "torch.export", input_size=fixed, fixed_batch=batch if isinstance(batch, int) else None)


def load_torchscript(path: Path) -> Loaded:
    """Load a TorchScript archive.

    Args:
        path: The archive.

    Returns:
        The network.

    Raises:
        ModelError: The archive is damaged.
    """
    try:
        network = _script(str(path))
    except Exception as error:
        raise _damaged(path, "a TorchScript archive", error) from error
    return Loaded(network, "TorchScript")


def script_content(network: torch.jit.ScriptModule) -> bytes:
    """Return the archive of a TorchScript network, which Python cannot pickle."""
    content = io.BytesIO()
    save: Any = torch.jit.save
    with _deprecated():
        save(network, content)
    return content.getvalue()


def script_of(content: bytes) -> nn.Module:
    """Return the network of ``script_content``, on the CPU."""
    return _script(io.BytesIO(content))


def _script(source: str | io.BytesIO) -> nn.Module:
    load: Any = torch.jit.load
    with _deprecated():
        network: nn.Module = load(source, map_location="cpu")
    return network


@contextmanager
def _deprecated() -> Iterator[None]:
    """Silence what torch says of TorchScript whenever a file of it is read or written."""
    with warnings.catch_warnings():
        for kind in (FutureWarning, DeprecationWarning):
            warnings.filterwarnings("ignore", message=r"`torch\.jit\.(load|save)` is deprecated", category=kind)
        yield


def _input_shape(program: Any, path: Path) -> tuple[Any, ...]:
    names = program.graph_signature.user_inputs
    if len(names) != 1:
        raise _unfit(path, "a network with one input", f"one with {len(names)} inputs")
    node = next(node for node in program.graph.nodes if node.name == names[0])
    return (*node.meta["val"].shape, None, None)[: max(2, node.meta["val"].ndim)]


def _trains(node: Any) -> bool:
    """Return whether an operator of the graph behaves as in training (dropout, batch statistics)."""
    arguments = getattr(getattr(node.target, "_schema", None), "arguments", ())
    given = dict(zip((argument.name for argument in arguments), node.args, strict=False)) | dict(node.kwargs)
    return given.get("train") is True or given.get("training") is True


def _unfit(path: Path, wanted: str, got: str) -> ModelError:
    return ModelError(
        expected(
            str(path), wanted, got, "Export it again with torch.export.export(model.eval(), ...) on one image batch"
        )
    )


def _damaged(path: Path, wanted: str, error: Exception) -> ModelError:
    return ModelError(
        expected(
            str(path),
            f"{wanted} that this torch can read",
            first_line(error),
            f"Save it again with torch {torch.__version__}",
        )
    )
