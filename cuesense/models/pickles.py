"""Checkpoints: tensors and plain data, read without running anybody's code, and modules of a few known libraries."""

from __future__ import annotations

import argparse
import functools
import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from importlib import import_module
from io import BytesIO
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import nn

from cuesense.errors import ModelError, expected, first_line
from cuesense.models.archives import open_archive
from cuesense.models.pickle_machine import Built, Maker, PickleMachine, RefusedPickleError, hashable
from cuesense.models.recipes import recipe
from cuesense.models.storages import (
    DTYPES,
    StreamStorages,
    ZipStorages,
    rebuild,
    rebuild_from_type,
    rebuild_typed,
)

# Classes may only come from here, and only those of modules and enumerations, never functions.
_TRUSTED = ("torch.nn", "torchvision.models", "torchvision.ops", "timm.layers", "timm.models")
_PERSISTENT_MODULE = "persistent_load"
# What stands before the pickles of a file in the format before torch 1.6: torch.serialization names both.
_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
# Above the structure of any checkpoint, whose numbers lie elsewhere. Chosen by hand.
_LONGEST_PICKLE = 256 << 20
_DTYPES = {name: value for name, value in vars(torch).items() if isinstance(value, torch.dtype)}
_NUMPY_TYPE = re.compile(r"[<|]?(?:[iuf][1248]|b1)")


class UnlistedNameError(RefusedPickleError):
    """A pickle that names what could run code; its text is the name."""


class _Namespace(Built):
    """``argparse.Namespace``: the options of a training script."""

    def __init__(self) -> None:
        self.values = argparse.Namespace()

    def build(self, state: Any) -> None:
        if type(state) is dict:
            vars(self.values).update({key: value for key, value in state.items() if type(key) is str})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.values, name)


class _NumpyType(Built):
    """A type of numbers, named as by ``numpy.dtype.str``."""

    def __init__(self, code: Any, *_: Any) -> None:
        if type(code) is not str or not _NUMPY_TYPE.fullmatch(code):
            raise RefusedPickleError("numbers of an unusual NumPy type")
        self.dtype = np.dtype(code)

    def build(self, state: Any) -> None:
        if type(state) is tuple and ">" in state[:2]:
            raise RefusedPickleError("numbers of another byte order")


class _Part(Built):
    """A part of a module: it stands for something that torch makes later, and is nothing itself."""


@dataclass
class _Names:
    """What the names in one file stand for.

    Attributes:
        modules: Whether modules of known libraries are allowed.
        classes: Their classes that the file names, found so far.
    """

    modules: bool
    classes: list[type] = field(default_factory=list)

    def named(self, name: str) -> Any:
        if name in _PLAIN:
            return _PLAIN[name]
        module, _, attribute = name.rpartition(".")
        if module in ("torch", "torch.storage") and attribute in DTYPES:
            return DTYPES[attribute]
        if module == "torch" and attribute in _DTYPES:
            return _DTYPES[attribute]
        if not self.modules:
            raise UnlistedNameError(name)
        if name == "functools.partial":
            return Maker(name, lambda *_: _Part())
        found = _harmless(module, attribute)
        if found is None:
            raise UnlistedNameError(name)
        self.classes.append(found)
        return Maker(name, _enumerated if issubclass(found, Enum) else _bare)


def _enumerated(value: Any) -> _Part:
    hashable(value)
    return _Part()


def _bare(*arguments: Any) -> _Part:
    """Stand for a module before its content: pickles of modules call no constructor, which could be given anything."""
    if arguments:
        raise RefusedPickleError("a module made by a call of its class")
    return _Part()


def _dictionary(items: Any = ()) -> dict[Any, Any]:
    pairs = list(items.items()) if type(items) is dict else list(items)
    if not all(type(pair) in (list, tuple) and len(pair) == 2 for pair in pairs):
        raise RefusedPickleError("a dictionary of something else than pairs")
    return {hashable(key): value for key, value in pairs}


def _encoded(text: Any, encoding: Any) -> bytes:
    if type(text) is not str or encoding != "latin1":
        raise RefusedPickleError("bytes in an unusual encoding")
    return text.encode("latin-1")


def _bytearray(data: Any = b"", encoding: Any = "latin-1") -> bytes:
    """Return bytes of bytes: of a number, Python would allocate as many."""
    return data if type(data) is bytes else _encoded(data, str(encoding).replace("-", ""))


def _scalar(kind: Any, data: Any) -> Any:
    if type(kind) is not _NumpyType or type(data) is not bytes or len(data) != kind.dtype.itemsize:
        raise RefusedPickleError("a number of an unusual NumPy type")
    return np.frombuffer(data, kind.dtype)[0]


def _first(value: Any, *_: Any) -> Any:
    return value


def _path(kind: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *parts: kind(*(part for part in parts if type(part) is str))


def _uncallable(*_: Any) -> Any:
    raise RefusedPickleError("a tensor of an unusual kind")


_MAKERS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": _dictionary,
    "collections.Counter": _dictionary,
    "builtins.set": lambda items=(): {hashable(item) for item in items},
    "__builtin__.set": lambda items=(): {hashable(item) for item in items},
    "builtins.bytearray": _bytearray,
    "__builtin__.bytearray": _bytearray,
    "builtins.complex": lambda real, imaginary: complex(float(real), float(imaginary)),
    "__builtin__.complex": lambda real, imaginary: complex(float(real), float(imaginary)),
    "_codecs.encode": _encoded,
    "torch.Size": lambda sides: tuple(map(hashable, sides)),
    "torch.device": lambda *place: tuple(map(hashable, place)),
    "torch.serialization._get_layout": _first,
    "torch.Tensor": _uncallable,
    "torch.nn.parameter.Parameter": _uncallable,
    "torch._utils._rebuild_tensor": rebuild,
    "torch._utils._rebuild_tensor_v2": rebuild,
    "torch._utils._rebuild_tensor_v3": rebuild_typed,
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _first,
    "torch._tensor._rebuild_from_type_v2": rebuild_from_type,
    "argparse.Namespace": _Namespace,
    "pathlib.PosixPath": _path(PurePosixPath),
    "pathlib._local.PosixPath": _path(PurePosixPath),
    "pathlib.WindowsPath": _path(PureWindowsPath),
    "pathlib._local.WindowsPath": _path(PureWindowsPath),
    "numpy.dtype": _NumpyType,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy._core.multiarray.scalar": _scalar,
}
_PLAIN = {name: Maker(name, make) for name, make in _MAKERS.items()}


def load_pickle(path: Path, *, modules: bool = True) -> Any:
    """Read what ``torch.save`` wrote, in today's format or the one before torch 1.6, onto the CPU.

    Args:
        path: The file.
        modules: Whether whole modules of torch, torchvision and timm are allowed; torch makes these. Without, nothing
            but tensors and plain data is made of the file, by this package alone.

    Returns:
        What was saved.

    Raises:
        ModelError: The file is damaged, or wants code that is not on the list; nothing of it was run.
    """
    names = _Names(modules)
    try:
        with path.open("rb") as file:
            content = (_read_zip if file.read(2) == b"PK" else _read_stream)(file, names)
        return _modules(path, names.classes) if names.classes else content
    except RefusedPickleError as error:
        raise _refusal(path, error, modules=modules) from error


def _read_zip(file: BinaryIO, names: _Names) -> Any:
    with open_archive(file) as archive:
        found = [name for name in archive.namelist() if re.fullmatch(r"[^/]+/data\.pkl", name)]
        if len(found) != 1 or archive.getinfo(found[0]).file_size > _LONGEST_PICKLE:
            raise RefusedPickleError(f"an archive with {len(found)} pickles or an overlong one")
        folder = found[0].removesuffix("data.pkl")
        if folder + "byteorder" in archive.NameToInfo and archive.read(folder + "byteorder") != b"little":
            raise RefusedPickleError("numbers of another byte order")
        stored = ZipStorages(archive, folder).stored
        return PickleMachine(BytesIO(archive.read(found[0])), names.named, stored).run()


def _read_stream(file: BinaryIO, names: _Names) -> Any:
    size = file.seek(0, 2)
    file.seek(0)
    storages = StreamStorages(size)

    def following() -> Any:
        return PickleMachine(file, names.named, storages.stored).run()

    if (following(), following()) != (_MAGIC, _PROTOCOL):
        raise RefusedPickleError("a pickle without the marks of torch.save")
    system = following()
    if type(system) is not dict or system.get("little_endian") is not True:
        raise RefusedPickleError("numbers of another byte order")
    content = following()
    storages.fill(following(), file)
    return content


def _modules(path: Path, classes: list[type]) -> Any:
    """Let torch make the modules of a file whose every name and tensor was looked at."""
    # Types of NumPy's scalars, which torch asks for beside numpy.dtype.
    types = {type(np.dtype(code)) for code in np.typecodes["AllInteger"] + np.typecodes["Float"] + "?"}
    data = [(np.float64(0).__reduce__()[0], name) for name in _MAKERS if name.endswith(".scalar")]
    own = {"argparse.Namespace": argparse.Namespace, "numpy.dtype": np.dtype, "functools.partial": functools.partial}
    paths = [(PurePosixPath if "Posix" in name else PureWindowsPath, name) for name in _MAKERS if "pathlib" in name]
    allowed: list[Any] = [*classes, *types, *data, *paths, *((found, name) for name, found in own.items())]
    try:
        with torch.serialization.safe_globals(allowed), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of pickle protocols that our own error explains
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise RefusedPickleError(first_line(str(error).rpartition("WeightsUnpickler error:")[2])) from error


def _harmless(module: str, attribute: str) -> type | None:
    """Return the class of modules or the enumeration behind a name, or None where it could run code."""
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


def _refusal(path: Path, error: RefusedPickleError, *, modules: bool) -> ModelError:
    got = first_line(error)
    if _PERSISTENT_MODULE in got:
        what, got = "a whole module in the format since torch 1.6, or a state dict", "a module in the older format"
        return ModelError(expected(str(path), what, got, "Load it in its own project and save model.state_dict()"))
    if isinstance(error, UnlistedNameError):
        what = "only tensors and modules of torch, torchvision or timm" if modules else "only tensors and plain data"
        do = "Save model.state_dict() and pass --arch" + (", or use torch.export.save" if modules else "")
        do += f". {recipe(path, got)}" if modules else ""
        return ModelError(expected(str(path), what, f"{got}, which could run code and was not loaded", do))
    with path.open("rb") as stream:
        start = stream.read(2)
    if start[:1] == b"\x80" and start != b"\x80\x02":
        what, got = "a file of torch.save", "a plain pickle, which could run code and was not loaded"
        return ModelError(expected(str(path), what, got, "Save model.state_dict() with torch.save and pass --arch"))
    return ModelError(expected(str(path), "an undamaged file of torch.save", got, "Save or download it again"))
