"""What torch would not write into a ``torch.export`` archive: signs of a forgery, looked for before torch reads it.

torch turns names in an archive into Python code and evaluates its formulas. These checks make known ways of misuse
fail. They are a second line and no promise: who decides whether the program runs is ``models.trust``.
"""

from __future__ import annotations

import ast
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cuesense.models.archives import open_archive

_MACHINE_CODE = "aotinductor"
_OBJECTS = ("opaque_obj", "custom_obj")
_HARMLESS = (ast.Expression, ast.Call, ast.Name, ast.Constant, ast.keyword, ast.BinOp, ast.UnaryOp, ast.Compare)
_OPERATORS = (ast.operator, ast.unaryop, ast.cmpop, ast.expr_context)
_NAMED = ("Symbol", "Dummy", "Integer", "Float", "Rational")  # sympy's constructors that may take text
# Graphs of the largest classifiers take some megabytes; Python needs twenty times as much. Chosen by hand.
_LONGEST_JSON = 32 << 20

_MEMBER = re.compile(r"[\w.\-]+(/[\w.\-]+)*/?", re.ASCII)
_PAYLOAD = {"weights": re.compile(r"weight_[0-9]+"), "constants": re.compile(r"tensor_[0-9]+")}
_DOTTED = re.compile(r"[\w.]*")
# Tables whose keys are names of values, whatever they are called.
_TABLES = {"tensor_values", "sym_int_values", "sym_bool_values", "sym_float_values", "custom_obj_values"}
_NOTES = ("metadata", "guards_code")  # notes that are never evaluated, and guards that are not used
_GRAPH_PARTS = {"target", "graph", "graph_module"}


def oddity(path: Path) -> tuple[str, str] | None:
    """Return what is odd about an archive, as what was expected and what came instead, or None.

    Args:
        path: The archive.

    Raises:
        Exception: Whatever the readers of zip and JSON raise over a damaged file.
    """
    with path.open("rb") as file, open_archive(file) as archive:
        names = [name.lower() for name in archive.namelist()]
        if any(_MACHINE_CODE in name for name in names):
            return "a graph", "compiled machine code"
        if any(Path(name).name.startswith(_OBJECTS) for name in names):
            return "a graph with tensors", "Python objects, which could run code"
        if any("/" not in name for name in names):
            return "an archive of torch 2.8 or later", "an older layout"
        if any(not _MEMBER.fullmatch(name.partition("/")[2]) for name in names):
            return "an archive of torch.export", "members of odd names"
        return next((odd for name in archive.namelist() if (odd := _oddity_of(archive, name)) is not None), None)


def _oddity_of(archive: zipfile.ZipFile, name: str) -> tuple[str, str] | None:
    lower = name.lower()
    graph, table = "/models/" in lower, lower.endswith("config.json")
    if not (graph or table):
        return None
    if archive.getinfo(name).file_size > _LONGEST_JSON:
        return "a graph", f"a description of {archive.getinfo(name).file_size} bytes"
    content = json.loads(archive.read(name))
    if graph and not _is_data(content):
        return "a graph", "text in it that could run code"
    if table and not _is_payload(content, _PAYLOAD["weights" if "/weights/" in lower else "constants"]):
        return "an archive of torch.export", "tensors that lie somewhere else"
    return None


def _is_payload(content: Any, pattern: re.Pattern[str]) -> bool:
    return all(pattern.fullmatch(entry["path_name"]) for entry in content["config"].values())


def _is_data(value: Any, key: str = "") -> bool:
    """Return whether nothing in a serialized graph could run code when torch turns it into Python."""
    if isinstance(value, dict):
        notes = _NOTES if _GRAPH_PARTS & value.keys() else ()
        return all(_is_entry(name, item, table=key in _TABLES) for name, item in value.items() if name not in notes)
    if isinstance(value, list):
        return all(_is_data(item, key) for item in value)
    return not isinstance(value, str) or _TEXTS.get(key, _is_plain)(value)


def _is_entry(name: str, item: Any, *, table: bool) -> bool:
    """Return whether a key is a name and what it stands for is data; in a table a key says nothing about its value."""
    return name.isidentifier() and _is_data(item, "" if table else name)


def _is_name(text: str) -> bool:
    return not text or text.isidentifier()


def _is_dotted(text: str) -> bool:
    return _DOTTED.fullmatch(text) is not None


def _is_plain(text: str) -> bool:
    return not re.search(r"[()\[\]{}'\"\\\x00-\x1f]", text)


def _is_tree(text: str) -> bool:
    return "(" not in text and not re.search(r"[\x00-\x1f]", text)


def _is_formula(text: str) -> bool:
    """Return whether a text is arithmetic on symbols: no attributes, and text only as a symbol's name."""
    try:
        nodes = list(ast.walk(ast.parse(text.strip(), mode="eval")))
    except SyntaxError:
        return False
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    named = sum(
        isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in _NAMED
        for argument in call.args
    )
    numbers = all(re.fullmatch(r"[\w.+\-/]+", value) for value in texts)
    return all(isinstance(node, _HARMLESS + _OPERATORS) for node in nodes) and numbers and len(texts) == named


_TEXTS: dict[str, Callable[[str], bool]] = {
    "name": _is_name,
    "as_name": _is_name,
    "target": _is_dotted,
    "parameter_name": _is_dotted,
    "buffer_name": _is_dotted,
    "tensor_constant_name": _is_dotted,
    "expr_str": _is_formula,
    "in_spec": _is_tree,
    "out_spec": _is_tree,
}
