"""What files and folders hold that are no models, as errors say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from torch import nn

from cuesense.errors import ModelError, expected, first_line, listed
from cuesense.models.architectures import fitting_architectures
from cuesense.models.checkpoint import state_in, without_values
from cuesense.models.first_bytes import CONVERT, SAVE_WEIGHTS
from cuesense.models.pickle_machine import Maker
from cuesense.models.recipes import is_ultralytics, recipe
from cuesense.models.stand_ins import StandIn

_SAVE_STATE = (
    "Save its state_dict() where it was made, and pass --arch python:module:function, "
    "a function that builds the network"
)
_FOLDERS = {
    "saved_model.pb": ("a SavedModel of TensorFlow", CONVERT),
    "Manifest.json": ("a package of CoreML", CONVERT),
    "inference.pdiparams": ("a model of PaddlePaddle", CONVERT),
    "_CHECKPOINT_METADATA": ("a checkpoint of Orbax", CONVERT),
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
    "keras": CONVERT,
    "tensorflow": CONVERT,
    "jax": CONVERT,
    "flax": CONVERT,
    "fastai": "Save learn.model.state_dict() with torch.save and pass --arch",
}


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
        do = _WAYS_OUT.get(_root(content.name), SAVE_WEIGHTS)
        return f"a pickle with an object of the class {content.name} and no weights of PyTorch in it", do
    if isinstance(content, Mapping) and {"state", "param_groups"} <= content.keys():
        return "the state of an optimizer alone and no weights in it", "Give the file that was saved beside it"
    if is_paddle(content):
        return "weights of PaddlePaddle", CONVERT
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
        return f"the folder {folder} (a network of OpenVINO)", CONVERT
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
