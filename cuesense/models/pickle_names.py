"""What the names in a checkpoint's pickle stand for: tensors, plain data, and stand-ins for everything else."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from importlib import import_module
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import torch
from torch import nn

from cuesense.models.pickle_machine import Built, Maker, RefusedPickleError, hashable
from cuesense.models.stand_ins import StandIn
from cuesense.models.storages import DTYPES, rebuild, rebuild_from_type, rebuild_typed, without_numbers

# Classes of torch's own making of modules may only come from here, and only those of modules and enumerations.
_TRUSTED = ("torch.nn", "torchvision.models", "torchvision.ops", "timm.layers", "timm.models")
_DTYPES = {name: value for name, value in vars(torch).items() if isinstance(value, torch.dtype)}
_NUMPY_TYPE = re.compile(r"[<|=]?(?:[iuf][1248]|b1)")
# No training script keeps these in a checkpoint. Nothing of a file is ever called; one that names them was made to do
# harm, which is worth a refusal instead of weights that its author may have tampered with as well.
_HARMFUL_MODULES = (
    *(
        "os",
        "posix",
        "nt",
        "subprocess",
        "sys",
        "shutil",
        "socket",
        "ctypes",
        "importlib",
        "runpy",
        "pkgutil",
        "signal",
    ),
    *("code", "codeop", "pdb", "bdb", "timeit", "cProfile", "profile", "trace", "pty", "commands", "platform"),
    *("webbrowser", "urllib", "http", "ftplib", "smtplib", "telnetlib", "requests", "threading", "multiprocessing"),
    *("io", "_io", "gzip", "bz2", "lzma", "tempfile", "sqlite3", "shelve", "dbm", "pickle", "_pickle", "marshal"),
)
_HARMFUL_BUILTINS = ("eval", "exec", "execfile", "compile", "open", "__import__", "input", "breakpoint", "exit")
_HARMFUL = (
    "codecs.open",
    "torch.load",
    "torch.save",
    "torch.hub",
    "torch.jit",
    "torch.serialization.load",
    "torch.serialization.save",
    "torch.utils.cpp_extension",
    "numpy.save",
    "numpy.load",
    "numpy.memmap",
    "numpy.f2py",
    "numpy.testing",
    "logging.FileHandler",
    "pathlib.Path.",
)


class UnlistedNameError(RefusedPickleError):
    """A pickle that names what could run code; its text is the name."""


class _Namespace(Built):
    """``argparse.Namespace`` or ``types.SimpleNamespace``: the options of a training script."""

    def __init__(self, *_: Any) -> None:
        self.options: dict[Any, Any] = {}

    def build(self, state: Any) -> None:
        if type(state) is dict:
            self.options = state

    @property
    def content(self) -> Any:
        return self.options


class _NumpyType(Built):
    """A type of numbers, named as by ``numpy.dtype.str``; of others, such as texts and objects, nothing is known."""

    def __init__(self, code: Any = None, *_: Any) -> None:
        usual = type(code) is str and _NUMPY_TYPE.fullmatch(code)
        self.dtype: np.dtype[Any] | None = np.dtype(code) if usual else None

    def build(self, state: Any) -> None:
        if type(state) is tuple and ">" in state[:2]:
            self.dtype = None


class _Array(Built):
    """A NumPy array; one of an unusual type, or whose bytes are not those of its shape, stays empty."""

    def __init__(self, *_: Any) -> None:
        self.array: np.ndarray | None = None

    def build(self, state: Any) -> None:
        if type(state) is not tuple or len(state) != 5:
            return
        _, shape, kind, by_columns, data = state
        usual = type(kind) is _NumpyType and kind.dtype is not None and type(data) is bytes
        if not usual or type(shape) is not tuple or not all(type(side) is int and side >= 0 for side in shape):
            return
        if len(shape) <= _MOST_DIMENSIONS and math.prod(shape) * kind.dtype.itemsize == len(data):
            self.array = np.frombuffer(data, kind.dtype).reshape(shape, order="F" if by_columns is True else "C")

    @property
    def content(self) -> Any:
        return self.array


def _array_of_buffer(data: Any = None, kind: Any = None, shape: Any = None, order: Any = "C", *_: Any) -> _Array:
    array = _Array()
    array.build((1, shape, kind, order == "F", data))
    return array


# NumPy's own limit was 32 for twenty years.
_MOST_DIMENSIONS = 32


@dataclass
class Names:
    """What the names in one file stand for.

    Attributes:
        modules: Whether modules of known libraries are allowed.
        classes: Their classes that the file names, found so far, by their dotted names.
        others: The dotted names of what is not loaded.
    """

    modules: bool
    classes: dict[str, type] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)

    def named(self, name: str) -> Any:
        """Return what a dotted name stands for.

        Raises:
            UnlistedNameError: No data has this name.
        """
        if name in PLAIN:
            return PLAIN[name]
        module, _, attribute = name.rpartition(".")
        if module in ("torch", "torch.storage") and attribute in DTYPES:
            return DTYPES[attribute]
        if module == "torch" and attribute in _DTYPES:
            return _DTYPES[attribute]
        if _is_harmful(name):
            raise UnlistedNameError(name)
        found = _harmless(module, attribute) if self.modules else None
        if found is None:
            self.others.add(name)
        else:
            self.classes[name] = found
        return Maker(name, lambda *arguments: StandIn(name, arguments))


def _is_harmful(name: str) -> bool:
    root, _, rest = name.partition(".")
    if root in ("builtins", "__builtin__"):
        return rest in _HARMFUL_BUILTINS
    return root in _HARMFUL_MODULES or name.startswith(_HARMFUL)


def _dictionary(items: Any = ()) -> dict[Any, Any]:
    pairs = list(items.items()) if type(items) is dict else list(items)
    if not all(type(pair) in (list, tuple) and len(pair) == 2 for pair in pairs):
        raise RefusedPickleError("a dictionary of something else than pairs")
    return {hashable(key): value for key, value in pairs}


def _default_dictionary(_: Any = None, items: Any = ()) -> dict[Any, Any]:
    return _dictionary(items)


def _list(*_: Any) -> list[Any]:
    """Return an empty list: pickles append the items of a deque afterwards."""
    return []


def _encoded(text: Any, encoding: Any) -> bytes:
    if type(text) is not str or encoding != "latin1":
        raise RefusedPickleError("bytes in an unusual encoding")
    return text.encode("latin-1")


def _bytearray(data: Any = b"", encoding: Any = "latin-1") -> bytes:
    """Return bytes of bytes: of a number, Python would allocate as many."""
    return data if type(data) is bytes else _encoded(data, str(encoding).replace("-", ""))


def _scalar(kind: Any, data: Any = None) -> Any:
    """Return a number; a value of another type, such as a text, is left out."""
    if type(kind) is not _NumpyType or kind.dtype is None or type(data) is not bytes:
        return None
    if len(data) != kind.dtype.itemsize:
        raise RefusedPickleError("a number of an unusual NumPy type")
    return np.frombuffer(data, kind.dtype)[0]


def _first(value: Any, *_: Any) -> Any:
    return value


def _path(kind: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *parts: kind(*(part for part in parts if type(part) is str))


def _uncallable(*_: Any) -> Any:
    raise RefusedPickleError("a tensor of an unusual kind")


def _set(items: Any = ()) -> set[Any]:
    return {hashable(item) for item in items}


_POSIX, _WINDOWS = ("PosixPath", "PurePosixPath", "Path", "PurePath"), ("WindowsPath", "PureWindowsPath")

_MAKERS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": _dictionary,
    "collections.Counter": _dictionary,
    "collections.defaultdict": _default_dictionary,
    "collections.deque": _list,
    **{f"{module}.{name}": _set for module in ("builtins", "__builtin__") for name in ("set", "frozenset")},
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
    "torch._utils._rebuild_meta_tensor_no_storage": without_numbers,
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _first,
    "torch._tensor._rebuild_from_type_v2": rebuild_from_type,
    "argparse.Namespace": _Namespace,
    "types.SimpleNamespace": _Namespace,
    **{f"{module}.{name}": _path(PurePosixPath) for module in ("pathlib", "pathlib._local") for name in _POSIX},
    **{f"{module}.{name}": _path(PureWindowsPath) for module in ("pathlib", "pathlib._local") for name in _WINDOWS},
    "numpy.dtype": _NumpyType,
    **{f"numpy.{core}.multiarray.scalar": _scalar for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray._reconstruct": _Array for core in ("core", "_core")},
    **{f"numpy.{core}.numeric._frombuffer": _array_of_buffer for core in ("core", "_core")},
}
PLAIN = {name: Maker(name, make) for name, make in _MAKERS.items()}


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
