"""Pickles of plain values and NumPy arrays, as CIFAR is published, read without running anything that they name.

A pickle is a program. Here every name in it is looked up in a short table of functions of this file, which put arrays
together from bytes and do nothing else; a pickle that names anything else is refused.
"""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cuesense.errors import DatasetError, expected, first_line

# CIFAR's largest file has 155 MB. Chosen by hand.
_LARGEST = 2**29
_KINDS = frozenset("biuf")


def read_pickled(path: Path) -> dict[str, Any]:
    """Return the dictionary in a pickle; keys of bytes become text.

    Raises:
        DatasetError: The file is missing, damaged or too large, holds something else than a dictionary of plain
            values and arrays of numbers, or names a program.
    """
    what = f"'{path}'"
    try:
        if path.stat().st_size > _LARGEST:
            got = f"{path.stat().st_size:,} bytes"
            raise DatasetError(expected(what, f"of at most {_LARGEST:,} bytes", got, "Check that it is the right file"))
        content = path.read_bytes()
        found = _Reader(content).load()
        if not isinstance(found, dict):
            raise ValueError(f"a {type(found).__name__} where a dictionary should be")
        return {_text(key): _plain(value) for key, value in found.items()}
    except DatasetError:
        raise
    except Exception as error:  # a damaged pickle makes its reader raise almost anything
        reason = error.strerror if isinstance(error, OSError) and error.strerror else first_line(error)
        do = "Download or copy it again"
        raise DatasetError(expected(what, "a pickle of arrays and plain values", f"'{reason}'", do)) from error


class _Type:
    """What stands for a NumPy type while a pickle is read."""

    def __init__(self, name: Any = "u1", *_: Any) -> None:
        self.type = np.dtype(str(name))
        if self.type.kind not in _KINDS:
            raise ValueError(f"an array of {self.type}")

    def __setstate__(self, state: Any) -> None:
        """Take the byte order; all else of a plain type is in its name."""
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">"):
            self.type = self.type.newbyteorder(state[1])


class _Array:
    """What stands for an array while a pickle is read; its content comes after itself."""

    value: Any = None

    def __setstate__(self, state: Any) -> None:
        """Take shape, type and content."""
        _, shape, kind, fortran, content = state
        self.value = _from_bytes(content, kind, shape, "F" if fortran else "C")


def _from_bytes(content: Any, kind: Any, shape: Any, order: Any = "C") -> Any:
    data = content.encode("latin-1") if isinstance(content, str) else content
    if not isinstance(kind, _Type) or not isinstance(data, bytes | bytearray) or not isinstance(shape, tuple):
        raise ValueError("an array of another kind")
    if math.prod(shape) * kind.type.itemsize != len(data):
        raise ValueError("an array of another length than its bytes")
    return np.frombuffer(data, kind.type).reshape(shape, order="F" if order == "F" else "C")


def _scalar(kind: Any, content: Any) -> Any:
    return _from_bytes(content, kind, (1,))[0].item()


def _encode(text: Any, *_: Any) -> bytes:
    """Return the bytes that protocol 2 writes as a text."""
    return str(text).encode("latin-1")


def _no_bytes() -> bytes:
    """Return what protocol 2 calls for where there are no bytes."""
    return b""


def _new_array(*_: Any) -> _Array:
    return _Array()


_KNOWN: dict[str, Callable[..., Any]] = {
    "multiarray._reconstruct": _new_array,
    "multiarray.scalar": _scalar,
    "numeric._frombuffer": _from_bytes,
    "numpy.ndarray": _Array,
    "numpy.dtype": _Type,
    "_codecs.encode": _encode,
    "__builtin__.bytes": _no_bytes,
    "builtins.bytes": _no_bytes,
}


# Python's own reader in its form without C, which takes no memory that a file announces but does not fill.
_UNPICKLER: Any = pickle._Unpickler


class _Reader(_UNPICKLER):  # type: ignore[misc]
    """A reader of pickles that knows the names in ``_KNOWN`` alone."""

    def __init__(self, content: bytes) -> None:
        # Texts of Python 2 are bytes; latin-1 keeps each of them.
        super().__init__(io.BytesIO(content), encoding="latin-1")
        self.size = len(content)

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name stands for, which is never what the file means by it."""
        known = module.removeprefix("numpy.core.").removeprefix("numpy._core.")
        found = _KNOWN.get(f"{known}.{name}")
        if found is None:
            raise ValueError(f"the program {module}.{name}, which does not run")
        return found

    def persistent_load(self, pid: Any) -> Any:
        """Refuse what lies outside the file."""
        raise ValueError(f"a reference to something outside ({pid!r})")

    def get_extension(self, code: int) -> None:
        """Refuse names by number."""
        raise ValueError(f"the extension {code}")

    def load_bytearray8(self) -> None:
        """Read bytes whose length stands before them."""
        length = int.from_bytes(self.read(8), "little")
        if length > self.size:
            raise ValueError("bytes that the file does not have")
        self.append(bytearray(self.read(length)))

    dispatch = {**_UNPICKLER.dispatch, pickle.BYTEARRAY8[0]: load_bytearray8}  # noqa: RUF012


def _text(key: Any) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)


def _plain(value: Any) -> Any:
    if isinstance(value, _Array):
        return value.value
    if isinstance(value, list):
        return [part.decode("utf-8", "replace") if isinstance(part, bytes) else part for part in value]
    return value
