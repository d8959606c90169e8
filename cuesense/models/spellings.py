"""What a user means by a model or an architecture that is not written as PREFIX:NAME."""

from __future__ import annotations

import ast
import difflib
import re
from pathlib import Path

from cuesense import registry
from cuesense.errors import ModelError, SettingsError, expected
from cuesense.models.names import HUB, is_file, names, path_mode, refuse_unknown_name

_LIBRARIES = ("torchvision", "timm")
# Functions and classes of a file that a sentence names.
_MOST_NAMED = 3
_CALLED = re.compile(r"\(.*\)$")
# How the libraries' networks are written in code and on the hub.
_WRITTEN = re.compile(r"(?:(torchvision|timm)[./:](?:models[./])?|models\.)(?:create_model\(['\"])?([\w.-]+)")
_ON_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_FUNCTION = re.compile(r"(?:python:)?([\w./-]+?)(?:\.py:|[:.])([A-Za-z_]\w*)")


def understood(spec: str, what: str) -> str:
    """Return a model or an architecture as PREFIX:NAME, where it is clear what is meant; else as it is.

    ``torchvision.models.resnet18``, ``timm/resnet50`` and ``models.resnet18()`` are networks of a library, and so is a
    name that only one library has. After a prefix, case and punctuation of a library's name do not matter.
    ``net.py:build`` and ``package.module.Class`` are functions of the user's own, where the file or folder is in the
    working directory.

    Args:
        spec: What was given.
        what: Where, for the error: ``"MODEL"`` or ``"--arch"``.

    Raises:
        SettingsError: An architecture is none of these; the sentence says how to write it.
        ModelError: A MODEL is a name that several libraries have, or an architecture is a file.
    """
    if is_file(spec):
        if what == "--arch":
            raise _file_as_architecture(spec)
        return spec
    if spec.startswith(HUB):
        return f"timm:{spec}"
    prefix, colon, rest = (part.strip() for part in spec.partition(":"))
    prefix = prefix.lower()
    if colon and prefix in registry.names("models"):
        if prefix != "python":
            return f"{prefix}:{_as_library_writes(prefix, rest.removesuffix('()'))}"
        spec = f"python:{rest}"
    return _own_function(spec) or _of_library(spec) or _as_it_is(spec, what)


def refuse_misspelled(model: str | None, arch: str | None = None) -> None:
    """Raise where a model or an architecture does not exist, before a library is imported.

    Args:
        model: What is given as MODEL; files and programs pass.
        arch: What is given as ``--arch``.

    Raises:
        SettingsError: The prefix is unknown or missing.
        ModelError: There is no such file, or the name, or the tag of its weights, is unknown to its library.
    """
    if arch is not None:
        refuse_unknown_name(understood(arch, "--arch"))
    if model is not None:
        spec = understood(model, "MODEL")
        if ":" not in spec and not path_mode(spec):
            raise no_such_model(spec)
        refuse_unknown_name(spec)


def no_such_model(spec: str) -> ModelError:
    """Return the error for a MODEL that is neither a file nor PREFIX:NAME."""
    kinds = ", ".join(f"{prefix}:..." for prefix in registry.names("models"))
    hub = f", or write hf:{spec} for a model of the Hugging Face hub" if _is_of_hub(spec) else ""
    return ModelError(expected("MODEL", f"an existing file or one of {kinds}", f"'{spec}'", f"Check the path{hub}"))


def _as_library_writes(library: str, name: str) -> str:
    """Return a name with its tag, where it differs from one of the library's only in case and punctuation."""
    named, at, weights = name.partition("@")
    base, dot, tag = named.partition(".") if library == "timm" else (named, "", "")
    if library not in (*_LIBRARIES, "open_clip") or base in names(library):
        return name
    alike = [known for known in names(library) if _letters(known) == _letters(base)]
    return f"{alike[0]}{dot}{tag}{at}{weights}" if len(alike) == 1 else name


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _file_as_architecture(spec: str) -> ModelError:
    """Return the error for ``--arch FILE``: it is a function in it that builds a network, or the file is a MODEL."""
    if not spec.endswith(".py"):
        do = "Give the file as MODEL, and the architecture of its weights as PREFIX:NAME"
        return ModelError(expected("--arch", "an architecture, PREFIX:NAME", f"the file '{spec}'", do))
    known = _defined_in(Path(spec)) or ["build"]
    ways = [_own_function(f"{spec}:{name}") or f"python:{Path(spec).stem}:{name}" for name in known[:_MOST_NAMED]]
    do = f"Write {' or '.join(ways)}"
    return ModelError(expected("--arch", "a function in a file that builds the network", f"the file '{spec}'", do))


def _defined_in(path: Path) -> list[str]:
    """Return the names of the functions and classes in a file of Python, without running it."""
    try:
        body = ast.parse(path.read_text(encoding="utf-8")).body
    except (OSError, ValueError, SyntaxError):
        return []
    functions = [node.name for node in body if isinstance(node, ast.FunctionDef)]
    return functions + [node.name for node in body if isinstance(node, ast.ClassDef)]


def _of_library(spec: str) -> str | None:
    """Return LIBRARY:NAME where a spec without a prefix names a network of one library, in whatever way."""
    bare = _CALLED.sub("", spec)
    for written in (_WRITTEN.fullmatch(bare), _WRITTEN.match(spec)):
        if written is not None and ":" not in spec:
            library, name = written[1] or "torchvision", written[2]
            if name.partition(".")[0] in names(library):
                return f"{library}:{name}"
    meant = _in_libraries(spec)
    return meant[0] if len(meant) == 1 else None


def _in_libraries(spec: str) -> list[str]:
    """Return LIBRARY:NAME for every library that has a network of this name."""
    bare = _CALLED.sub("", spec)
    return [f"{library}:{bare}" for library in _LIBRARIES if bare.partition(".")[0] in names(library)]


def _as_it_is(spec: str, what: str) -> str:
    """Return a spec that has a prefix, or is a path, or raise."""
    meant = _in_libraries(spec)
    if "://" in spec:
        raise ModelError(expected(what, "a file on this machine", f"the address '{spec}'", "Download the file first"))
    if meant and what != "--arch":
        to_be = "a file or PREFIX:NAME"
        raise ModelError(expected(what, to_be, f"'{spec}', which two libraries have", f"Write {' or '.join(meant)}"))
    path = spec.partition(":")[0]
    if path.endswith(".py"):
        do = "Run from its folder, and write python:module:function"
        raise ModelError(expected(what, "a function in a file under the working directory", f"'{spec}'", do))
    if what == "--arch" and ":" not in spec:
        raise SettingsError(expected(what, "PREFIX:NAME", f"'{spec}'", _how_to_write(spec, meant)))
    return spec


def _how_to_write(spec: str, meant: list[str]) -> str:
    if _is_of_hub(spec):
        return f"Write hf:{spec} for a network of the Hugging Face hub"
    if not meant and ("." in spec or "/" in spec):
        module, _, function = _CALLED.sub("", spec).replace("/", ".").rpartition(".")
        return f"For your own code write python:{module}:{function}, and run from the folder that holds it"
    own = [f"python:{path.stem}:{spec}" for path in sorted(Path().glob("*.py")) if spec in _defined_in(path)]
    # What differs in more letters is rather a class of the user's own. Chosen by hand.
    close = [
        f"{library}:{name}"
        for library in _LIBRARIES
        for name in difflib.get_close_matches(spec, names(library), 1, 0.75)
    ]
    ways = own or meant or close
    if not ways:
        return f"For your own code write python:module:{spec}, for a library's network such as torchvision:resnet18"
    return f"Write {' or '.join(ways)}"


def _is_of_hub(spec: str) -> bool:
    """Return whether a spec is written as models of the Hugging Face hub are, and as no path of Python."""
    owner, slash, name = spec.partition("/")
    return bool(slash) and _ON_HUB.fullmatch(spec) is not None and not name.isidentifier() and not path_mode(owner)


def _own_function(spec: str) -> str | None:
    """Return ``python:module:function`` where a spec names one in the working directory, in whatever way."""
    found = _FUNCTION.fullmatch(_CALLED.sub("", spec))
    if found is None:
        return None
    path = Path(found[1].removesuffix(".py"))
    if path.is_absolute():
        cwd = Path.cwd()
        if not path.is_relative_to(cwd):
            return None
        path = path.relative_to(cwd)
    module = ".".join(part for part in path.parts if part != ".")
    place = Path(module.replace(".", "/"))
    if place.with_suffix(".py").is_file() or (place / "__init__.py").is_file():
        return f"python:{module}:{found[2]}"
    return None
