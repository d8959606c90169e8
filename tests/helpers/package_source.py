"""The source of the package as data: modules, folders, imports, parameters, comments. Read without importing it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOP = "top level"
_DIRECTIVE = re.compile(r"#\s*(noqa|type:|pragma|fmt:|ruff:|mypy:|!)")

Edges = Mapping[str, set[str]]


@dataclass(frozen=True)
class Module:
    """One source file.

    Attributes:
        path: The file, relative to the repository.
        name: Its dotted name; a folder's ``__init__.py`` has the folder's name.
    """

    path: Path
    name: str

    @cached_property
    def text(self) -> str:
        """The source."""
        return (ROOT / self.path).read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text)

    @property
    def room(self) -> str:
        """The folder below the package, with dots (``reports.html``), or ``TOP``."""
        return ".".join(self.path.parent.parts[1:]) or TOP

    @property
    def lines(self) -> int:
        """Lines of the file, empty ones included."""
        return len(self.text.splitlines())

    @property
    def comments(self) -> int:
        """Lines with a comment; directives to tools are none."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return sum(token.type == tokenize.COMMENT and not _DIRECTIVE.match(token.string) for token in tokens)


def modules(folder: str = "cuesense") -> dict[str, Module]:
    """Return the Python files of a top folder by dotted name."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        relative = path.relative_to(ROOT)
        parts = relative.with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(relative, name)
    return found


def imports(source: Module, known: Mapping[str, Module]) -> set[str]:
    """Return the modules of ``known`` that a file imports, in functions too; for type checking alone does not count."""
    found = set()
    for node in _running(source.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else node.module for name in whole}
    return found & known.keys() - {source.name}


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs: all but the bodies of ``if TYPE_CHECKING``."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from _running(other)
        else:
            yield from _running(child)


def between(known: Mapping[str, Module]) -> dict[str, set[str]]:
    """Return who imports whom, module by module."""
    return {name: imports(source, known) for name, source in known.items()}


def between_rooms(known: Mapping[str, Module]) -> dict[str, set[str]]:
    """Return which folder imports from which other one; a file at the top level stands for itself."""
    node = {name: name if source.room == TOP else source.room for name, source in known.items()}
    rooms: dict[str, set[str]] = {place: set() for place in node.values()}
    for name, targets in between(known).items():
        rooms[node[name]] |= {node[target] for target in targets} - {node[name]}
    return rooms


def circle(edges: Edges) -> list[str]:
    """Return one circle of arrows, its first node again at the end; empty where there is none."""
    done: set[str] = set()

    def visit(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        done.add(node)
        return next((found for target in sorted(edges[node]) if (found := visit(target, [*path, node]))), [])

    return next((found for node in sorted(edges) if (found := visit(node, []))), [])


def parameters(source: Module) -> dict[str, int]:
    """Return how many parameters each function and method has, by qualified name; ``self`` and ``cls`` are none."""
    found: dict[str, int] = {}

    def visit(node: ast.AST, prefix: str, in_class: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                found[prefix + child.name] = _count(child, in_class)
                visit(child, f"{prefix}{child.name}.", False)
            elif isinstance(child, ast.ClassDef):
                visit(child, f"{prefix}{child.name}.", True)
            else:
                visit(child, prefix, in_class)

    visit(source.tree, "", False)
    return found


def _count(function: ast.FunctionDef | ast.AsyncFunctionDef, in_class: bool) -> int:
    every = function.args
    named = [*every.posonlyargs, *every.args]
    bound = in_class and bool(named) and named[0].arg in ("self", "cls", "mcs")
    return len(named) + len(every.kwonlyargs) + bool(every.vararg) + bool(every.kwarg) - bound


def wide_functions(known: Mapping[str, Module], most: int) -> list[str]:
    """Return the internal functions with more than ``most`` parameters, as ``module:name``.

    Public functions (those that ``cuesense/__init__.py`` offers) and commands (in ``cli``, named as their file is) keep
    flat arguments, one for each thing that a user can set.
    """
    public = {
        f"{node.module}:{alias.name}"
        for node in ast.walk(known["cuesense"].tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return [
        f"{name}:{function}"
        for name, source in known.items()
        for function, count in parameters(source).items()
        if count > most
        and f"{name}:{function.removesuffix('.__init__')}" not in public
        and not (source.room == "cli" and function.rstrip("_") == source.path.stem)
    ]


def comments_per_thousand_lines(known: Mapping[str, Module]) -> float:
    """Return the lines with a comment among a thousand lines of the package."""
    return 1000 * sum(source.comments for source in known.values()) / sum(source.lines for source in known.values())
