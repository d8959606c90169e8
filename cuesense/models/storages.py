"""The numbers of a checkpoint's tensors, read only as far as the file has the bytes that it announces."""

from __future__ import annotations

import math
import re
import struct
import zipfile
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from cuesense.models.pickle_machine import Maker, RefusedPickleError, UnreadPickleError

# The names that torch.save gives to types of numbers.
DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "ComplexFloatStorage": torch.complex64,
    "ComplexDoubleStorage": torch.complex128,
    "UntypedStorage": torch.uint8,
}
_QUANTIZED = re.compile(r"torch\.Q\w+Storage")
_FLOAT = (
    "Save the state_dict() of the network before it was quantized, or export the quantized one with torch.jit.trace "
    "or torch.export"
)
_CHUNK = 16 << 20
# torch itself goes to 64, but no weights have more. Chosen by hand.
_MOST_DIMENSIONS = 16
# A tensor that repeats its numbers (stride 0) is larger in use than in the file, as a mask of ones may be. Chosen by
# hand, above any such buffer of a classifier.
_LARGEST_REPEATED = 64 << 20


@dataclass
class ZipStorages:
    """The members ``data/KEY`` of an archive that ``torch.save`` wrote.

    Attributes:
        archive: The archive, its members checked by ``archives.open_archive``.
        folder: The one folder in it, with a slash.
    """

    archive: zipfile.ZipFile
    folder: str
    _found: dict[str, Tensor] = field(default_factory=dict)

    def stored(self, identity: Any) -> Tensor:
        """Return the numbers behind a persistent id, as a vector."""
        dtype, key, count, _ = _parts(identity)
        if key not in self._found:
            name = f"{self.folder}data/{key}"
            if name not in self.archive.NameToInfo:
                raise RefusedPickleError(f"no member {name}")
            _check_size(self.archive.getinfo(name).file_size, count * dtype.itemsize)
            with self.archive.open(name) as member:
                self._found[key] = _filled(torch.empty(count * dtype.itemsize, dtype=torch.uint8), member)
        _check_size(self._found[key].numel(), count * dtype.itemsize)
        return self._found[key].view(dtype)


@dataclass
class StreamStorages:
    """The numbers that follow the pickles of a file in the format before torch 1.6.

    Attributes:
        left: Bytes that the file has left for them.
    """

    left: int
    _found: dict[str, tuple[Tensor, torch.dtype]] = field(default_factory=dict)

    def stored(self, identity: Any) -> Tensor | Maker:
        """Return room for the numbers behind a persistent id, as a vector that ``fill`` fills.

        A module's class comes in this way too, with its source, which is left out.
        """
        if type(identity) is tuple and len(identity) > 1 and identity[0] == "module" and isinstance(identity[1], Maker):
            return identity[1]
        dtype, key, count, view = _parts(identity)
        if key not in self._found:
            self.left -= count * dtype.itemsize
            if self.left < 0:
                raise RefusedPickleError("more numbers than the file has bytes for")
            self._found[key] = torch.empty(count * dtype.itemsize, dtype=torch.uint8), dtype
        numbers = self._found[key][0]
        _check_size(numbers.numel(), count * dtype.itemsize)
        if view is None:
            return numbers.view(dtype)
        _, start, length = view
        if not (_is_count(start) and _is_count(length) and start + length <= count):
            raise RefusedPickleError("a part of numbers that are not there")
        return numbers.view(dtype)[start : start + length]

    def fill(self, keys: Any, file: BinaryIO) -> None:
        """Read the numbers in the order in which the file lists their keys."""
        if type(keys) is not list or sorted(map(str, keys)) != sorted(self._found):
            raise RefusedPickleError("a list of other numbers than the tensors have")
        for key in keys:
            numbers, dtype = self._found[key]
            count = struct.unpack("<q", file.read(8))[0]
            _check_size(numbers.numel(), count * dtype.itemsize)
            _filled(numbers, file)


def _parts(identity: Any) -> tuple[torch.dtype, str, int, Any]:
    """Return type, key, count and view of a persistent id, ``("storage", type, key, place, count[, view])``."""
    if type(identity) is not tuple or len(identity) not in (5, 6) or identity[0] != "storage":
        raise RefusedPickleError("a reference that is none to a tensor's numbers")
    _, dtype, key, _, count, *view = identity
    if isinstance(dtype, Maker) and _QUANTIZED.fullmatch(dtype.name):
        raise UnreadPickleError("weights of floating-point numbers", "tensors of a quantized network", _FLOAT)
    if not (isinstance(dtype, torch.dtype) and type(key) is str and re.fullmatch(r"[0-9A-Za-z_]{1,40}", key)):
        raise RefusedPickleError("a reference to numbers of an unknown type or place")
    if not _is_count(count):
        raise RefusedPickleError("a number of numbers that is none")
    return dtype, key, count, view[0] if view else None


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 48


def _check_size(there: int, announced: int) -> None:
    if there != announced:
        raise RefusedPickleError(f"{announced} bytes of numbers announced and {there} there")


def _filled(numbers: Tensor, file: Any) -> Tensor:
    target: Any = numbers.numpy()
    position = 0
    while position < len(target):
        data = file.read(min(_CHUNK, len(target) - position))
        if not data:
            raise RefusedPickleError("a file that ends within a tensor")
        target[position : position + len(data)] = np.frombuffer(data, np.uint8)
        position += len(data)
    # The end is read too, where zipfile compares the checksum.
    if isinstance(file, zipfile.ZipExtFile) and file.read(1):
        raise RefusedPickleError("more bytes than were announced")
    return numbers


def rebuild(numbers: Any, offset: Any, size: Any, stride: Any, *rest: Any) -> Tensor:
    """Return a tensor over numbers, as ``torch._utils._rebuild_tensor_v2`` does, within what is there.

    Args:
        numbers: A vector, from one of the classes above.
        offset: Where the tensor begins.
        size: Its shape, of D dimensions.
        stride: The step of each dimension in the numbers.
        rest: Whether it needs a gradient, its hooks, and marks of conjugated numbers: only the last changes values.

    Raises:
        RefusedPickleError: The tensor would reach outside of the numbers, or is far larger than them.
    """
    shape, steps = tuple(size), tuple(stride)
    counts = (offset, *shape, *steps)
    if not isinstance(numbers, Tensor) or numbers.dim() != 1 or not all(map(_is_count, counts)):
        raise RefusedPickleError("a tensor of numbers that are none")
    if len(shape) != len(steps) or len(shape) > _MOST_DIMENSIONS or any(rest[2:]):
        raise RefusedPickleError(f"a tensor of an unusual kind with {len(shape)} dimensions")
    last = offset + sum((side - 1) * step for side, step in zip(shape, steps, strict=True))
    count = math.prod(shape)
    if math.prod(max(side, 1) for side in shape) >= 1 << 48 or (count and last >= numbers.numel()):
        raise RefusedPickleError(f"a tensor of shape {shape} over {numbers.numel()} numbers")
    if count > numbers.numel() and count * numbers.dtype.itemsize > _LARGEST_REPEATED:
        raise RefusedPickleError(f"a tensor of shape {shape} over {numbers.numel()} numbers")
    return torch.as_strided(numbers, shape, steps, offset) if count else numbers.new_empty(shape)


def rebuild_typed(numbers: Any, offset: Any, size: Any, stride: Any, *others: Any) -> Tensor:
    """Return a tensor over bytes, as ``torch._utils._rebuild_tensor_v3`` does: its offset counts elements."""
    if len(others) < 3:
        raise RefusedPickleError("a tensor without a type")
    grad, hooks, dtype, *rest = others
    if not isinstance(dtype, torch.dtype) or not isinstance(numbers, Tensor) or numbers.dtype != torch.uint8:
        raise RefusedPickleError("a tensor of an unknown type")
    whole = numbers[: numbers.numel() // dtype.itemsize * dtype.itemsize]
    return rebuild(whole.view(dtype), offset, size, stride, grad, hooks, *rest)


def without_numbers(dtype: Any, size: Any, *_: Any) -> Tensor:
    """Return a tensor that has a shape and no values, as it was saved from the meta device."""
    shape = tuple(size)
    if not isinstance(dtype, torch.dtype) or not all(map(_is_count, shape)) or len(shape) > _MOST_DIMENSIONS:
        raise RefusedPickleError("a tensor of an unusual kind on the meta device")
    if math.prod(max(side, 1) for side in shape) >= 1 << 48:
        raise RefusedPickleError(f"a tensor of shape {shape} without numbers")
    return torch.empty(shape, dtype=dtype, device="meta")


def rebuild_from_type(function: Any, _: Any, arguments: Any, *__: Any) -> Any:
    """Return the tensor inside a tensor with attributes, which are left out."""
    if type(function) is not Maker or type(arguments) is not tuple:
        raise RefusedPickleError("a tensor made by an unknown function")
    return function.make(*arguments)
