"""What a user means by a model or an architecture that is not written as PREFIX:NAME."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from cuesense import registry
from cuesense.errors import ModelError, SettingsError, expected
from cuesense.models.names import is_file, names, path_mode, refuse_unknown_name

_LIBRARIES = ("torchvision", "timm")
_CALLED = re.compile(r"\(.*\)$")
# How the libraries' networks are written in code and on the hub.
_WRITTEN = re.compile(r"(?:(torchvision|timm)[./:](?:models[./])?|models\.)(?:create_model\(['\"])?([\w.-]+)")
_FUNCTION = re.compile(r"(?:python:)?([\w./-]+?)(?:\.py:|[:.])([A-Za-z_]\w*)")


def understood(spec: str, what: str) -> str:
    """Return a model or an architecture as PREFIX:NAME, where it is clear what is meant; else as it is.

    ``torchvision.models.resnet18``, ``timm/resnet50`` and ``models.resnet18()`` are networks of a library, and so is a
    name that only one library has. ``net.py:build`` and ``package.module.Class`` are functions of the user's own,
    where the file or folder is in the working directory.

    Args:
        spec: What was given.
        what: Where, for the error: ``"MODEL"`` or ``"--arch"``.

    Raises:
        SettingsError: An architecture is none of these; the sentence says how to write it.
        ModelError: A MODEL is a name that several libraries have.
    """
    if is_file(spec):
        return spec
    prefix, colon, rest = spec.partition(":")
    if colon and prefix != "python" and prefix in registry.names("models"):
        return spec if not rest.endswith("()") else spec.removesuffix("()")
    own = _own_function(spec)
    if own is not None:
        return own
    bare = _CALLED.sub("", spec)
    for written in (_WRITTEN.fullmatch(bare), _WRITTEN.match(spec)):
        if written is not None and ":" not in spec:
            library, name = written[1] or "torchvision", written[2]
            if name.partition(".")[0] in names(library):
                return f"{library}:{name}"
    holders = [library for library in _LIBRARIES if bare.partition(".")[0] in names(library)]
    if len(holders) == 1:
        return f"{holders[0]}:{bare}"
    return _as_it_is(spec, what, [f"{library}:{bare}" for library in holders])


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
    return ModelError(expected("MODEL", f"an existing file or one of {kinds}", f"'{spec}'", "Check the path"))


def _as_it_is(spec: str, what: str, meant: list[str]) -> str:
    """Return a spec that has a prefix, or is a path, or raise."""
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
    if not meant and ("." in spec or "/" in spec):
        module, _, function = _CALLED.sub("", spec).replace("/", ".").rpartition(".")
        return f"For your own code write python:{module}:{function}, and run from the folder that holds it"
    if not meant:
        known = {f"{library}:{name}" for library in _LIBRARIES for name in names(library)}
        close = difflib.get_close_matches(f"torchvision:{spec}", known, 1) + difflib.get_close_matches(
            f"timm:{spec}", known, 1
        )
        meant = close or [f"torchvision:{spec}", f"timm:{spec}"]
    return f"Write {' or '.join(dict.fromkeys(meant))}"


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
