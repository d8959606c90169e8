"""Networks that carry their own code: torch.export archives and TorchScript."""

import ast
import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.export.pt2_archive._package import load_pt2

from cuesense.errors import ModelError, expected, first_line
from cuesense.models.common import Loaded, only_tensors, quiet

_MACHINE_CODE = "aotinductor"
_OBJECTS = ("opaque_obj", "custom_obj")
_HARMLESS = (ast.Expression, ast.Call, ast.Name, ast.Constant, ast.keyword, ast.BinOp, ast.UnaryOp, ast.Compare)
_OPERATORS = (ast.operator, ast.unaryop, ast.cmpop, ast.expr_context)
_NAMED = ("Symbol", "Dummy", "Integer", "Float", "Rational")  # sympy's constructors that may take text


def load_exported(path: Path) -> Loaded:
    """Load a ``torch.export`` archive (``.pt2``) as a module that runs on any device.

    torch unpickles and evaluates parts of the archive. So what could run code is looked for first, pickles are
    restricted to tensors, and the archive's own guards give way to torch's check of the input's shape.

    Args:
        path: The archive.

    Returns:
        The network, with the batch size and the input size where they are fixed.

    Raises:
        ModelError: The archive is damaged or of another torch, could run code, was exported in training mode, or does
            not take one batch of RGB images.
    """
    _refuse_code(path)
    try:
        with only_tensors(), quiet(), path.open("rb") as file:
            program: Any = load_pt2(file).exported_programs["model"]
            network = program.module(check_guards=False)
    except Exception as error:
        raise _damaged(path, "a torch.export archive", error) from error
    batch, channels, *size = _input_shape(program, path)
    if channels != 3 or len(size) != 2:
        raise _unfit(
            path, "a network for one batch of RGB images", f"one for inputs of shape {(batch, channels, *size)}"
        )
    if any(_trains(node) for node in program.graph.nodes):
        raise _unfit(path, "exported in evaluation mode", "dropout or batch normalization in training mode")
    fixed = (size[0], size[1]) if all(isinstance(side, int) for side in size) else None
    return Loaded(network, "torch.export", input_size=fixed, fixed_batch=batch if isinstance(batch, int) else None)


def load_torchscript(path: Path) -> Loaded:
    """Load a TorchScript archive.

    Args:
        path: The archive.

    Returns:
        The network.

    Raises:
        ModelError: The archive is damaged.
    """
    try:
        load: Any = torch.jit.load
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"`torch\.jit\.load` is deprecated", category=FutureWarning)
            warnings.filterwarnings("ignore", message=r"`torch\.jit\.load` is deprecated", category=DeprecationWarning)
            network: nn.Module = load(str(path), map_location="cpu")
    except Exception as error:
        raise _damaged(path, "a TorchScript archive", error) from error
    return Loaded(network, "TorchScript")


def _refuse_code(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        names = [name.lower() for name in archive.namelist()]
        if any(_MACHINE_CODE in name for name in names):
            raise _unfit(path, "a graph", "compiled machine code")
        if any(Path(name).name.startswith(_OBJECTS) for name in names):
            raise _unfit(path, "a graph with tensors", "Python objects, which could run code")
        if any("/" not in name for name in names):
            raise _unfit(path, "an archive of torch 2.8 or later", "an older layout")
        for name in archive.namelist():
            if "/models/" in name.lower() and not _is_data(json.loads(archive.read(name))):
                raise _unfit(path, "a graph", "text in it that could run code")


def _is_data(value: Any, key: str = "") -> bool:
    """Return whether nothing in a serialized graph could run code when torch turns it into Python."""
    if key in ("metadata", "guards_code"):  # notes that are never evaluated, and guards that are not used
        return True
    if isinstance(value, dict):
        return all(_is_plain(name) and _is_data(item, name) for name, item in value.items())
    if isinstance(value, list):
        return all(_is_data(item, key) for item in value)
    return not isinstance(value, str) or (_is_formula(value) if key == "expr_str" else _is_plain(value))


def _is_plain(text: str) -> bool:
    return "(" not in text and "\n" not in text and "\r" not in text


def _is_formula(text: str) -> bool:
    """Return whether a text is arithmetic on symbols: no attributes, and text only as a symbol's name."""
    try:
        nodes = list(ast.walk(ast.parse(text.strip(), mode="eval")))
    except SyntaxError:
        return False
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    texts = sum(isinstance(node, ast.Constant) and isinstance(node.value, str) for node in nodes)
    named = sum(
        isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in _NAMED
        for argument in call.args
    )
    return all(isinstance(node, _HARMLESS + _OPERATORS) for node in nodes) and texts == named


def _input_shape(program: Any, path: Path) -> tuple[Any, ...]:
    names = program.graph_signature.user_inputs
    if len(names) != 1:
        raise _unfit(path, "a network with one input", f"one with {len(names)} inputs")
    node = next(node for node in program.graph.nodes if node.name == names[0])
    return (*node.meta["val"].shape, None, None)[: max(2, node.meta["val"].ndim)]


def _trains(node: Any) -> bool:
    """Return whether an operator of the graph behaves as in training (dropout, batch statistics)."""
    arguments = getattr(getattr(node.target, "_schema", None), "arguments", ())
    given = dict(zip((argument.name for argument in arguments), node.args, strict=False)) | dict(node.kwargs)
    return given.get("train") is True or given.get("training") is True


def _unfit(path: Path, wanted: str, got: str) -> ModelError:
    return ModelError(
        expected(
            str(path), wanted, got, "Export it again with torch.export.export(model.eval(), ...) on one image batch"
        )
    )


def _damaged(path: Path, wanted: str, error: Exception) -> ModelError:
    return ModelError(
        expected(
            str(path),
            f"{wanted} that this torch can read",
            first_line(error),
            f"Save it again with torch {torch.__version__}",
        )
    )
