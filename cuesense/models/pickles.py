"""Unpickling without running anybody's code: tensors, plain data, and modules of torch, torchvision and timm."""

import argparse
import functools
import pathlib
import pickletools
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cuesense.errors import ModelError, expected, first_line

# Code may only come from here, and only as classes of modules and enumerations, never as functions.
_TRUSTED = ("torch.nn", "torchvision.models", "torchvision.ops", "timm.layers", "timm.models")
# Plain data that training scripts keep beside the weights: options, paths, scores.
_SCALAR = np.float64(0).__reduce__()[0]
_DATA: dict[str, Any] = {
    "functools.partial": functools.partial,
    "argparse.Namespace": argparse.Namespace,
    "pathlib.PosixPath": pathlib.PurePosixPath,
    "pathlib._local.PosixPath": pathlib.PurePosixPath,
    "pathlib.WindowsPath": pathlib.PureWindowsPath,
    "pathlib._local.WindowsPath": pathlib.PureWindowsPath,
    "numpy.dtype": np.dtype,
    "numpy.core.multiarray.scalar": _SCALAR,
    "numpy._core.multiarray.scalar": _SCALAR,
}
_DTYPES = tuple({type(np.dtype(code)) for code in np.typecodes["AllInteger"] + np.typecodes["Float"] + "?"})
_TORCH_PROTOCOL = b"\x80\x02"
_PICKLES = 5  # a file in the format before torch 1.6 is a sequence of five


def load_pickle(path: Path) -> Any:
    """Read what ``torch.save`` wrote, in today's format or the one before torch 1.6, onto the CPU.

    Args:
        path: The file.

    Returns:
        What was saved.

    Raises:
        ModelError: The file is damaged, or wants code that is not on the list; nothing of it was run.
    """
    allowed: list[Any] = [*_DTYPES, *((found, name) for name in _globals(path) if (found := _harmless(name)))]
    try:
        with torch.serialization.safe_globals(allowed), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of pickle protocols that our own error explains
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise _refusal(path, error) from error


def _globals(path: Path) -> set[str]:
    """Return the dotted names that a file's pickles want to import, without importing any."""
    found: set[str] = set()
    for stream in _streams(path):
        with stream, suppress(ValueError):  # the end of the stream, or bytes that are no pickle
            for _ in range(_PICKLES):
                found |= {
                    str(arg).replace(" ", ".") for code, arg, _ in pickletools.genops(stream) if code.name == "GLOBAL"
                }
    return found


def _streams(path: Path) -> Iterator[Any]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (BytesIO(archive.read(name)) for name in archive.namelist() if name.endswith("/data.pkl"))
    else:
        yield path.open("rb")


def _harmless(name: str) -> Any:
    """Return the class or the data type behind a name, or None where it could run code."""
    if name in _DATA:
        return _DATA[name]
    module, _, attribute = name.rpartition(".")
    if not _trusted(module):
        return None
    with warnings.catch_warnings(), suppress(ImportError):
        warnings.simplefilter("ignore")  # torch warns of classes that have moved
        found = getattr(import_module(module), attribute, None)
        if isinstance(found, type) and issubclass(found, nn.Module | Enum) and _trusted(found.__module__):
            return found
    return None


def _trusted(module: str) -> bool:
    return any(module == root or module.startswith(f"{root}.") for root in _TRUSTED)


def _refusal(path: Path, error: Exception) -> ModelError:
    wanted = re.search(r"GLOBAL (\S+)", str(error))
    if wanted:
        what = "only tensors and modules of torch, torchvision or timm"
        got = f"{wanted[1]}, which could run code and was not loaded"
        return ModelError(
            expected(str(path), what, got, "Save model.state_dict() and pass --arch, or use torch.export.save")
        )
    if "persistent_load" in str(error):
        what, got = "a whole module in the format since torch 1.6, or a state dict", "a module in the older format"
        return ModelError(expected(str(path), what, got, "Load it in its own project and save model.state_dict()"))
    with path.open("rb") as stream:
        protocol = stream.read(2)
    if protocol[:1] == b"\x80" and protocol != _TORCH_PROTOCOL:
        what, got = "a file of torch.save", "a plain pickle, which could run code and was not loaded"
        return ModelError(expected(str(path), what, got, "Save model.state_dict() with torch.save and pass --arch"))
    reason = str(error).rpartition("WeightsUnpickler error:")[2]
    got = first_line(reason)
    return ModelError(expected(str(path), "an undamaged file of torch.save", got, "Save or download it again"))
