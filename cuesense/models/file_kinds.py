"""Files that are taken for models, recognized by their first bytes, so that an error says what they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from torch import nn

from cuesense.errors import ModelError, expected, first_line, listed
from cuesense.models.architectures import fitting_architectures
from cuesense.models.checkpoint import state_in, without_values
from cuesense.models.pickle_machine import Maker
from cuesense.models.recipes import is_ultralytics, recipe
from cuesense.models.stand_ins import StandIn

DOWNLOAD_AGAIN = "Save or download it again"
_SAVE_WEIGHTS = "Save the PyTorch model's state_dict() with torch.save and pass --arch"

_SAVE_STATE = (
    "Save its state_dict() where it was made, and pass --arch python:module:function, "
    "a function that builds the network"
)
_CONVERT = "Convert it to PyTorch or ONNX, or save the weights of a PyTorch model with torch.save and pass --arch"
# A pattern of the first bytes, what the file is, and what to do.
_STARTS = (
    (rb"version https://git-lfs", "a git-lfs pointer, which stands for the file", "Run `git lfs pull`"),
    (
        rb"\s*<(!doctype html|.{0,500}<?(html|head|body|script)\b)",
        "a web page",
        "Download the file itself, not the page about it",
    ),
    (rb"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes them", _CONVERT),
    (rb".{4}TFL3", "a TFLite model", _CONVERT),
    (rb".{4}ET\d\d", "a program of ExecuTorch", "Give what it was exported from: a .pt2, or a state_dict()"),
    (rb"\x08.\x12[\x80-\xff]{0,2}[\x00-\x7f]\x0a", "a model of CoreML", _CONVERT),
    (rb"\x08\x01\x12.{2}\x0a|\x0a.{1,3}\x0a.{1,60}Placeholder", "a frozen graph of TensorFlow", _CONVERT),
    (rb"ftrt|ptrt", "a TensorRT engine, which runs on one kind of GPU only", _SAVE_WEIGHTS),
    (rb"\s*<\?xml.{0,80}<net |\s*<net ", "a network of OpenVINO", _CONVERT),
    (rb"[\x81-\x8f\xde][\xa1-\xbf\xd9].{0,3}(params|model|state|step|batch_stats)", "msgpack of Flax", _CONVERT),
    (rb"GGUF", "a GGUF file, which holds a language model", _SAVE_WEIGHTS),
    (rb"\x1f\x8b", "a gzip file", "Unpack it"),
    (rb"\xfd7zXZ\0|BZh|7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd", "a packed file", "Unpack it"),
    (rb".{257}ustar", "a tar archive", "Unpack it, and name the model's file in it"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|BM|RIFF", "an image", "Give the model's file"),
    (rb"\x93NUMPY", "a NumPy array", _SAVE_WEIGHTS),
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
_FOLDERS = {
    "saved_model.pb": ("a SavedModel of TensorFlow", _CONVERT),
    "Manifest.json": ("a package of CoreML", _CONVERT),
    "inference.pdiparams": ("a model of PaddlePaddle", _CONVERT),
    "_CHECKPOINT_METADATA": ("a checkpoint of Orbax", _CONVERT),
    "adapter_config.json": (
        "an adapter, such as LoRA, to another network",
        "Merge it (peft's merge_and_unload), save the network with save_pretrained, and give that folder",
    ),
    ".metadata": (
        "a distributed checkpoint",
        "Join it with torch.distributed.checkpoint.format_utils.dcp_to_torch_save, and give the file",
    ),
}
_NO_IMAGES = "Give a network of PyTorch: models of scikit-learn and its relatives take no images"
# Folders inside of a run's folder, or of a hub's cache, that are models themselves; and what models' files are called.
_INNER = ("*/config.json", "snapshots/*/config.json")
_SUFFIXES = (".pt", ".pth", ".ckpt", ".bin", ".safetensors", ".pt2", ".onnx", ".tar", ".pkl")
_SHOWN = 3
# What libraries write into pickles that are no checkpoints of PyTorch, and what to do with it.
_WAYS_OUT = {
    "sklearn": _NO_IMAGES,
    "joblib": _NO_IMAGES,
    "xgboost": _NO_IMAGES,
    "lightgbm": _NO_IMAGES,
    "keras": _CONVERT,
    "tensorflow": _CONVERT,
    "jax": _CONVERT,
    "flax": _CONVERT,
    "fastai": "Save learn.model.state_dict() with torch.save and pass --arch",
}
_OTHER = "a file of another kind"


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
    (("model.weights.h5",), "a Keras model", _CONVERT),
    (("saved_model.pb", "keras_metadata.pb"), "a SavedModel of TensorFlow", _CONVERT),
    ((".mlmodel",), "a model of CoreML", _CONVERT),
    ((".pdmodel", ".pdiparams"), "a model of PaddlePaddle", _CONVERT),
    (
        (".data/extern_modules",),
        "a package of torch.package",
        "Load it with torch.package.PackageImporter in a function build, and pass it as python:module:build",
    ),
    ((".npy",), "arrays of NumPy", _SAVE_WEIGHTS),
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


def other_library(names: Iterable[str]) -> tuple[str, str] | None:
    """Return that a pickle is another library's, and what to do with it; None where its names do not say so.

    Args:
        names: The dotted names in it.
    """
    found = min((name for name in names if _root(name) in _WAYS_OUT), default=None)
    return None if found is None else (f"a pickle with {found} in it", _WAYS_OUT[_root(found)])


def _root(name: str) -> str:
    return name.partition(".")[0]


def is_paddle(content: object) -> bool:
    """Return whether an unpickled state dict is PaddlePaddle's, whose linear layers lie the other way round."""
    return isinstance(content, Mapping) and any("StructuredToParameterName@@" in str(key) for key in content)


def content_without_weights(content: object) -> tuple[str, str]:
    """Return what a pickle holds that has no weights of PyTorch in it, and what to do with it.

    Args:
        content: What was unpickled.
    """
    if without_values(content):
        do = "Save the network after its weights were loaded, from the CPU or a GPU"
        return "weights from the meta device, which have shapes and no values", do
    if isinstance(content, StandIn | Maker):
        do = _WAYS_OUT.get(_root(content.name), _SAVE_WEIGHTS)
        return f"a pickle with an object of the class {content.name} and no weights of PyTorch in it", do
    if isinstance(content, Mapping) and {"state", "param_groups"} <= content.keys():
        return "the state of an optimizer alone and no weights in it", "Give the file that was saved beside it"
    if is_paddle(content):
        return "weights of PaddlePaddle", _CONVERT
    keys = ", ".join(map(first_line, list(content)[:5])) if isinstance(content, Mapping) else ""
    what = f"an object of type {type(content).__name__}" + (f" with the keys {keys}" if keys else "")
    return f"a pickle with {what} and no weights in it", "Give the file that torch.save wrote of model.state_dict()"


def whole_module(path: Path, module: StandIn | nn.Module, *, strict: bool) -> ModelError:
    """Return the error for a file with a whole module, whose code it does not hold or may not run.

    Args:
        path: The file.
        module: The module, or what stands for it.
        strict: Whether only weights may be read.
    """
    module = _unwrapped(module)
    name = module.name if isinstance(module, StandIn) else f"{type(module).__module__}.{type(module).__name__}"
    if strict:
        got = f"a whole module ({name}), which could run code and was not loaded"
        return ModelError(
            expected(str(path), "only tensors and plain data", got, "Save model.state_dict() and pass --arch")
        )
    if is_ultralytics(name):
        got = f"a network of Ultralytics ({name})"
        return ModelError(expected(str(path), "a network or weights that are read without its code", got, recipe(path)))
    said = (
        f"Expected --arch to say how to build the network in {path}: the file holds an object of the class {name}, but "
        f"not the code of the class."
    )
    if _root(name) in ("torch", "torchvision", "timm"):
        # Files before torch 1.6, and containers around networks of one's own.
        fitting = fitting_architectures(state_in(module))
        do = f"Pass --arch {fitting[0]}, which fits its keys" if fitting else _SAVE_STATE
        return ModelError(f"{said} {do}.")
    place, _, kind = name.rpartition(".")
    place = "your_script" if place == "__main__" else place
    return ModelError(
        f"{said} Pass --arch python:{place}:{kind} if it needs no arguments; else write a file "
        f"model.py with `def build(): return {kind}(...)` and pass --arch python:model:build."
    )


def _unwrapped(module: StandIn | nn.Module) -> StandIn | nn.Module:
    """Return the network in wrappers such as DataParallel, whose own class says nothing about it."""
    while isinstance(module, StandIn) and module.name.startswith("torch.nn.parallel."):
        inner = module.attributes["_modules"].get("module")
        if not isinstance(inner, StandIn):
            break
        module = inner
    return module


def other_folder(folder: Path) -> tuple[str, str]:
    """Return what a folder without a config.json holds, and what to do with it."""
    names = {path.name for path in folder.iterdir()}
    if any(name.endswith(".xml") and name.removesuffix("xml") + "bin" in names for name in names):
        return f"the folder {folder} (a network of OpenVINO)", _CONVERT
    for name, (kind, do) in _FOLDERS.items():
        if name in names:
            return f"the folder {folder} ({kind})", do
    inside = [str(path) for path in _models_in(folder)]
    return f"the folder {folder} without one", f"Name {_one_of(inside) or 'the file in it'}"


def _one_of(names: list[str]) -> str:
    return f"one of {listed(names, _SHOWN)}" if len(names) > 1 else "".join(names)


def _models_in(folder: Path) -> list[Path]:
    """Return the models in a folder: those that transformers saves during a training, a hub's copies, and files."""
    inner = (path.parent for pattern in _INNER for path in folder.glob(pattern))
    return sorted(inner) or sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES and path.is_file())
