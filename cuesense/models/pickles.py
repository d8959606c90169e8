"""Checkpoints: tensors and plain data, read without running anybody's code, and modules of a few known libraries."""

from __future__ import annotations

import argparse
import functools
import re
import types
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO

import numpy as np
import torch

from cuesense.errors import ModelError, expected, first_line
from cuesense.models.archives import open_archive
from cuesense.models.checkpoint import modules_beside_data
from cuesense.models.file_kinds import other_library
from cuesense.models.pickle_machine import Maker, PickleMachine, RefusedPickleError, UnreadPickleError
from cuesense.models.pickle_names import PLAIN, Names, UnlistedNameError
from cuesense.models.stand_ins import StandIn, class_for_torch, uses_only
from cuesense.models.storages import StreamStorages, ZipStorages

# What stands before the pickles of a file in the format before torch 1.6: torch.serialization names both.
_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
# Above the structure of any checkpoint, whose numbers lie elsewhere. Chosen by hand.
_LONGEST_PICKLE = 256 << 20
# In the format before torch 1.6 and in plain pickles, tensors keep their numbers in a stream of their own.
_STREAM_IN_PICKLE = "torch.storage._load_from_bytes"


def load_pickle(path: Path, *, modules: bool = True) -> Any:
    """Read what ``torch.save`` or ``pickle.dump`` wrote, onto the CPU.

    Objects of unknown classes, and of all classes where modules are not allowed, are ``StandIn`` objects.

    Args:
        path: The file, in any format of torch.save.
        modules: Whether whole modules of torch, torchvision and timm are allowed; torch makes these. Without, nothing
            but tensors, plain data and stand-ins is made of the file, by this package alone.

    Returns:
        What was saved.

    Raises:
        ModelError: The file is damaged, or names what no data has; nothing of it was run.
    """
    names = Names(modules)
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"PK"
            content = (_read_zip if zipped else _read_stream)(file, names)
        known = {*names.classes, *PLAIN, "functools.partial"}
        # torch's reader of weights refuses modules in the format before torch 1.6.
        if zipped and names.classes and any(uses_only(module, known) for module in modules_beside_data(content)):
            del content  # or its tensors would be in memory twice
            return _modules(path, names)
        return content
    except RefusedPickleError as error:
        raise _refusal(path, error, names.others) from error


def _read_zip(file: BinaryIO, names: Names) -> Any:
    with open_archive(file) as archive:
        found = [name for name in archive.namelist() if re.fullmatch(r"[^/]+/data\.pkl", name)]
        if len(found) != 1 or archive.getinfo(found[0]).file_size > _LONGEST_PICKLE:
            raise RefusedPickleError(f"an archive with {len(found)} pickles or an overlong one")
        folder = found[0].removesuffix("data.pkl")
        if folder + "byteorder" in archive.NameToInfo and archive.read(folder + "byteorder") != b"little":
            raise RefusedPickleError("numbers of another byte order")
        stored = ZipStorages(archive, folder).stored
        return PickleMachine(BytesIO(archive.read(found[0])), names.named, stored).run()


@dataclass
class _Streams:
    """Streams of numbers inside a plain pickle, which may not be read more often than the file is long.

    Attributes:
        names: What the names in the file stand for.
        left: Bytes that may still be read.
    """

    names: Names
    left: int

    def named(self, name: str) -> Any:
        return Maker(name, self._read) if name == _STREAM_IN_PICKLE else self.names.named(name)

    def _read(self, data: Any = b"", *_: Any) -> Any:
        self.left -= len(data) if type(data) is bytes else 0
        if type(data) is not bytes or self.left < 0:
            raise RefusedPickleError("numbers of a tensor that are none")
        return _read_stream(BytesIO(data), self.names, plain=False)


def _read_stream(file: BinaryIO, names: Names, *, plain: bool = True) -> Any:
    size = file.seek(0, 2)
    file.seek(0)
    storages = StreamStorages(size)
    named = _Streams(names, size).named if plain else names.named

    def following() -> Any:
        return PickleMachine(file, named, storages.stored).run()

    first = following()
    if first != _MAGIC and plain:
        return first
    if first != _MAGIC or following() != _PROTOCOL:
        raise RefusedPickleError("a pickle without the marks of torch.save")
    system = following()
    if type(system) is not dict or system.get("little_endian") is not True:
        raise RefusedPickleError("numbers of another byte order")
    content = following()
    storages.fill(following(), file)
    return content


def _modules(path: Path, names: Names) -> Any:
    """Let torch make the modules of a file whose every name and tensor was looked at."""
    # Types of NumPy's scalars, which torch asks for beside numpy.dtype.
    kinds = {type(np.dtype(code)) for code in np.typecodes["AllInteger"] + np.typecodes["Float"] + "?"}
    own = {"argparse.Namespace": argparse.Namespace, "numpy.dtype": np.dtype, "functools.partial": functools.partial}
    own |= {"types.SimpleNamespace": types.SimpleNamespace}
    plain = [
        (_made_by_torch(name), name) for name in PLAIN if name.startswith(("pathlib", "numpy.")) and name not in own
    ]
    others = [(class_for_torch(name), name) for name in names.others - own.keys()]
    allowed: list[Any] = [*names.classes.values(), *kinds, *plain, *((found, name) for name, found in own.items())]
    try:
        with torch.serialization.safe_globals([*allowed, *others, StandIn]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of pickle protocols that our own error explains
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise RefusedPickleError(first_line(str(error).rpartition("WeightsUnpickler error:")[2])) from error


def _made_by_torch(name: str) -> Any:
    if name.startswith("pathlib"):
        return PureWindowsPath if "Windows" in name else PurePosixPath
    return np.float64(0).__reduce__()[0] if name.endswith(".scalar") else class_for_torch(name)


def _refusal(path: Path, error: RefusedPickleError, others: Iterable[str]) -> ModelError:
    got = first_line(error)
    if isinstance(error, UnreadPickleError):
        return ModelError(expected(str(path), error.wanted, got, error.do))
    if isinstance(error, UnlistedNameError):
        got = f"{got}, which could run code and was not loaded"
        do = "Trust nothing in this file, or save model.state_dict() and pass --arch if it is your own"
        return ModelError(expected(str(path), "only tensors, modules and plain data", got, do))
    library = other_library(others)
    if library is not None:
        return ModelError(expected(str(path), "a network of PyTorch or its weights", *library))
    return ModelError(expected(str(path), "an undamaged file of torch.save", got, "Save or download it again"))
