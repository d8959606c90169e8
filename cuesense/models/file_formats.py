"""A model's file, recognized by what is in it and not by its name."""

import zipfile
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from cuesense.errors import ModelError, expected, first_line
from cuesense.models.common import Loaded, State
from cuesense.models.exported import load_exported, load_torchscript
from cuesense.models.pickles import load_pickle
from cuesense.models.weights import find

_KINDS = "a state dict, a checkpoint, a module, TorchScript, a torch.export .pt2 or safetensors"
_PICKLE = b"\x80"


def read(path: Path) -> State | Loaded:
    """Read a file with a model in it.

    Args:
        path: The file.

    Returns:
        The weights of a file that holds only those, else the network.

    Raises:
        ModelError: The file is empty, damaged, no model, or could run code.
    """
    with path.open("rb") as file:
        start = file.read(9)
    if not start:
        raise _no_model(path, "an empty file")
    if start.startswith(b"PK"):
        return _read_zip(path)
    if start.startswith(_PICKLE):
        return _unwrapped(load_pickle(path), path)
    if _is_safetensors(start, path.stat().st_size):
        return _read_safetensors(path)
    raise _no_model(path, "a file of another kind")


def _read_zip(path: Path) -> State | Loaded:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.partition("/")[2] for name in archive.namelist()} | set(archive.namelist())
    except zipfile.BadZipFile:
        raise _no_model(path, "a truncated or damaged archive") from None
    folders = {name.partition("/")[0] for name in names}
    if "archive_format" in names or "serialized_exported_program.json" in names:
        return load_exported(path)
    if "data.pkl" in names:
        return load_torchscript(path) if "code" in folders else _unwrapped(load_pickle(path), path)
    raise _no_model(path, "an archive of another kind")


def _unwrapped(content: object, path: Path) -> State | Loaded:
    found = find(content)
    if found is None:
        keys = f" with the keys {', '.join(map(str, list(content)[:5]))}" if isinstance(content, dict) else ""
        raise _no_model(path, f"an object of type {type(content).__name__}{keys} and no weights in it")
    if not isinstance(found, nn.Module):
        return found
    while isinstance(found, nn.DataParallel):
        found = found.module
    return Loaded(found, type(found).__name__)


def _is_safetensors(start: bytes, size: int) -> bool:
    """Return whether the first 8 bytes are the length of the JSON header that begins with the ninth."""
    return start[8:] == b"{" and int.from_bytes(start[:8], "little") <= size


def _read_safetensors(path: Path) -> State:
    try:
        state: State = load_file(path)
    except SafetensorError as error:
        raise _no_model(path, f"damaged safetensors ({first_line(error)})") from error
    if not state:
        raise _no_model(path, "safetensors without tensors")
    return state


def _no_model(path: Path, got: str) -> ModelError:
    return ModelError(expected(str(path), f"a model ({_KINDS})", got, "Save or download it again"))
