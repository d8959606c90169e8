"""What kind a model's file is, by what is in it and not by its name; of a file that is no model, what else it is.

A look at the first bytes, or at the names in an archive, needs no torch: such errors are said at once.
"""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from pathlib import Path

from cuesense.errors import CuesenseError, ModelError, expected, first_line
from cuesense.models.archives import RefusedArchiveError, open_archive

_KINDS = "a state dict, a checkpoint, a module, TorchScript, a torch.export .pt2, safetensors or ONNX"
_PICKLE = b"\x80"
# How transformers names the files of weights that are too large for one.
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.[a-z]+$")
# The longest start that tells one kind of file from another: tar has its mark at 257.
START = 512
# The first field is the version of the format, a small number; then comes any other field of a ModelProto. CoreML's
# begin alike, but what follows is no text: it holds messages of its own.
_ONNX = re.compile(
    rb"\x08[\x01-\x40](?!\x12[\x80-\xff]{0,2}[\x00-\x7f]\x0a)[\x12\x1a\x22\x28\x32\x3a\x42\x72]", re.DOTALL
)
INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_INDEX = re.compile(rb"\s*\{.{0,400}\"weight_map\"", re.DOTALL)
DOWNLOAD_AGAIN = "Save or download it again"
SAVE_WEIGHTS = "Save the PyTorch model's state_dict() with torch.save and pass --arch"
CONVERT = "Convert it to PyTorch or ONNX, or save the weights of a PyTorch model with torch.save and pass --arch"
# A pattern of the first bytes, what the file is, and what to do.
_STARTS = (
    (rb"version https://git-lfs", "a git-lfs pointer, which stands for the file", "Run `git lfs pull`"),
    (
        rb"\s*<(!doctype html|.{0,500}<?(html|head|body|script)\b)",
        "a web page",
        "Download the file itself, not the page about it",
    ),
    (rb"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes them", CONVERT),
    (rb".{4}TFL3", "a TFLite model", CONVERT),
    (rb".{4}ET\d\d", "a program of ExecuTorch", "Give what it was exported from: a .pt2, or a state_dict()"),
    (rb"\x08.\x12[\x80-\xff]{0,2}[\x00-\x7f]\x0a", "a model of CoreML", CONVERT),
    (rb"\x08\x01\x12.{2}\x0a|\x0a.{1,3}\x0a.{1,60}Placeholder", "a frozen graph of TensorFlow", CONVERT),
    (rb"ftrt|ptrt", "a TensorRT engine, which runs on one kind of GPU only", SAVE_WEIGHTS),
    (rb"\s*<\?xml.{0,80}<net |\s*<net ", "a network of OpenVINO", CONVERT),
    (rb"[\x81-\x8f\xde][\xa1-\xbf\xd9].{0,3}(params|model|state|step|batch_stats)", "msgpack of Flax", CONVERT),
    (rb"GGUF", "a GGUF file, which holds a language model", SAVE_WEIGHTS),
    (rb"\x1f\x8b", "a gzip file", "Unpack it"),
    (rb"\xfd7zXZ\0|BZh|7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd", "a packed file", "Unpack it"),
    (rb".{257}ustar", "a tar archive", "Unpack it, and name the model's file in it"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|BM|RIFF", "an image", "Give the model's file"),
    (rb"\x93NUMPY", "a NumPy array", SAVE_WEIGHTS),
    (rb"\s*<", "an XML file", "Give the model's file, or download it again: sites answer errors in XML"),
    (
        rb"\s*\{.{0,300}\"(error|errors|message|detail|details|reason|status)\"\s*:",
        "JSON with the message of a server",
        "Download the file again: that has failed",
    ),
    (rb"\s*[\[{]\s*[\"\[{\]}]", "a JSON file", "Give the file with the weights that lies beside it"),
    (
        rb"(.{0,300}\n)?(import \w|from \w[\w.]* import |def \w+\(|class \w+[(:])",
        "code of Python",
        "Pass it as python:model:build, where model is its name and build a function that returns the network",
    ),
    (rb"[\x09\x0a\x0d\x20-\x7e]{9}", "a text file", DOWNLOAD_AGAIN),
)
_OTHER = "a file of another kind"


class Kind(Enum):
    """What a model's file is."""

    INDEX = auto()
    PICKLE = auto()
    SAFETENSORS = auto()
    ONNX = auto()
    EXPORTED = auto()
    TORCHSCRIPT = auto()

    @property
    def has_network(self) -> bool:
        """Whether it always holds a network; other kinds may hold weights only."""
        return self in (Kind.ONNX, Kind.EXPORTED, Kind.TORCHSCRIPT)


def kind_of(path: Path, *, is_part: bool = False) -> Kind:
    """Return what a file with a model in it is.

    Args:
        path: The file.
        is_part: Whether it is one of several with a network's weights, which is refused where a whole model is wanted.

    Raises:
        ModelError: It is empty, no file, or of no kind that holds a model; the sentence says what it is.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise no_model(path, "a pipe or a device")
    with path.open("rb") as file:
        start = file.read(START)
    if not start:
        raise no_model(path, "an empty file")
    if not is_part:
        _refuse_part(path)
    return _kind_of_archive(path) if start.startswith(b"PK") else _kind_of_start(path, start, is_part=is_part)


def _kind_of_start(path: Path, start: bytes, *, is_part: bool) -> Kind:
    # An index among the parts could list itself.
    if is_index(start) and not is_part:
        return Kind.INDEX
    if start.startswith(_PICKLE):
        return Kind.PICKLE
    if _is_safetensors(start, path.stat().st_size):
        return Kind.SAFETENSORS
    if is_onnx(start):
        return Kind.ONNX
    raise no_model(path, *other_kind(start))


def _kind_of_archive(path: Path) -> Kind:
    try:
        with path.open("rb") as file, open_archive(file) as archive:
            members = archive.namelist()
    except RefusedArchiveError as error:
        raise no_model(path, first_line(error)) from error
    except zipfile.BadZipFile as error:
        raise no_model(path, "a truncated or damaged archive") from error
    names = {name.partition("/")[2] for name in members} | set(members)
    folders = {name.partition("/")[0] for name in names}
    if "archive_format" in names or "serialized_exported_program.json" in names:
        return Kind.EXPORTED
    if "data.pkl" in names:
        return Kind.TORCHSCRIPT if "code" in folders else Kind.PICKLE
    raise no_model(path, *other_kind_of_archive(members))


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a library raises over a file into one sentence.

    Args:
        path: The file.

    Raises:
        ModelError: Something was raised.
    """
    try:
        yield
    except CuesenseError:
        raise
    except OSError as error:
        got = f"'{error.strerror or first_line(error)}'"
        raise ModelError(expected(str(path), "readable", got, "Check the path and its permissions")) from error
    except MemoryError as error:
        raise no_model(path, "more than the memory holds", "Use a machine with more memory") from error
    # A damaged file makes libraries raise nearly everything there is: a list of types would always lack one.
    except Exception as error:
        raise no_model(path, f"a damaged one ({type(error).__name__}: {first_line(error)})") from error


def _refuse_part(path: Path) -> None:
    part = _PART.search(path.name)
    if part is None or int(part[2]) <= 1:
        return
    index = index_in(path.parent)
    do = "Save them into one file, or give the index of them" if index is None else f"Give their index, {index}"
    raise no_model(path, f"part {int(part[1])} of {int(part[2])} of a network's weights", do)


def _is_safetensors(start: bytes, size: int) -> bool:
    """Return whether the first 8 bytes are the length of the JSON header that begins with the ninth."""
    return start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= size


def index_in(folder: Path) -> Path | None:
    """Return the index of weights that lies in a folder, or None."""
    return next((folder / name for name in INDEXES if (folder / name).is_file()), None)


def is_index(start: bytes) -> bool:
    """Return whether a file's first bytes are those of an index of weights in several files."""
    return _INDEX.match(start) is not None


def is_onnx(start: bytes) -> bool:
    """Return whether a file's first bytes, at least 3, are those of an ONNX model."""
    return _ONNX.match(start) is not None


def other_kind(start: bytes) -> tuple[str, str]:
    """Return what a file is that is no model, and what to do with it.

    Args:
        start: Its first 512 bytes.
    """
    for pattern, kind, do in _STARTS:
        if re.match(pattern, start, re.IGNORECASE | re.DOTALL):
            return f"{_OTHER} ({kind})", do
    return _OTHER, DOWNLOAD_AGAIN


# What names in a zip archive end with, the kind of archive that it is, and what to do; the first that fits is taken.
_MEMBERS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("model.weights.h5",), "a Keras model", CONVERT),
    (("saved_model.pb", "keras_metadata.pb"), "a SavedModel of TensorFlow", CONVERT),
    ((".mlmodel",), "a model of CoreML", CONVERT),
    ((".pdmodel", ".pdiparams"), "a model of PaddlePaddle", CONVERT),
    (
        (".data/extern_modules",),
        "a package of torch.package",
        "Load it with torch.package.PackageImporter in a function build, and pass it as python:module:build",
    ),
    ((".npy",), "arrays of NumPy", SAVE_WEIGHTS),
    ((".pt", ".pth", ".ckpt", ".safetensors"), "with a model's file in it", "Unpack it, and name that file"),
    ((".png", ".jpg", ".jpeg"), "images", "Give the model's file; images belong to --dataset"),
)


def other_kind_of_archive(members: Sequence[str]) -> tuple[str, str]:
    """Return what a zip archive is that holds no model of PyTorch, and what to do with it.

    Args:
        members: The names in it.
    """
    other = "an archive of another kind"
    for endings, kind, do in _MEMBERS:
        if any(name.lower().endswith(endings) for name in members):
            return f"{other} ({kind})", do
    return other, DOWNLOAD_AGAIN


def no_model(path: Path, got: str, do: str = DOWNLOAD_AGAIN) -> ModelError:
    """Return the error for a file that is something else than a model."""
    return ModelError(expected(str(path), f"a model ({_KINDS})", got, do))
