"""The names of the libraries' architectures and weights, read from their files: a misspelled one is answered at once.

Importing torchvision and timm takes ten seconds of CPU time; their names stand in their source.
"""

from __future__ import annotations

import difflib
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from cuesense import registry
from cuesense.errors import ModelError, expected, nearest

_REGISTERED = re.compile(r"^@register_model\((?:name=\"(\w+)\")?.*\)\n(?:@.*\n)*def (\w+)\(", re.MULTILINE)
_TIMMS = re.compile(r"^@register_model\n(?:@.*\n)*def (\w+)\(", re.MULTILINE)
_RENAMED = re.compile(r"^register_model_deprecations\(__name__, \{(.*?)^\}\)", re.MULTILINE | re.DOTALL)
_WEIGHTS = re.compile(r"^class (\w+)\(WeightsEnum\):\n((?:    .*\n|\n)+)", re.MULTILINE)
_MEMBER = re.compile(r"^    (\w+) = ", re.MULTILINE)
_TAKES_WEIGHTS = re.compile(r"^def (\w+)\(\s*\*,\s*weights: Optional\[(\w+)\]", re.MULTILINE)
_TAGGED = re.compile(r"['\"](\w+)\.(\w[\w.]*)['\"]\s*:")
_KEY = re.compile(r"['\"]([\w.]+)['\"]\s*:")
HUB = ("hf-hub:", "hf_hub:", "local-dir:")
"""What names of timm's begin with that no list has: on the hub, or a folder in its layout."""
# Fewer mean that the library has come to write its names in another way: then it is asked itself. Chosen by hand, at
# half of what each has today.
_FEWEST = {"torchvision": 60, "timm": 600, "open_clip": 60}


def refuse_unknown_name(spec: str) -> None:
    """Raise where a spec names a kind of model or an architecture that does not exist, without importing a library.

    Args:
        spec: ``PREFIX:NAME``; files and programs pass.

    Raises:
        SettingsError: The prefix is unknown.
        ModelError: The name, or the tag of its weights, is unknown to its library; the sentence suggests the nearest.
    """
    if ":" in spec and not is_file(spec):
        prefix, _, rest = spec.partition(":")
        registry.check("models", prefix)
        name, _, weights = rest.partition("@")
        _refuse_unknown(prefix, name, "" if is_file(weights) else weights)


def _refuse_unknown(library: str, name: str, weights: str) -> None:
    if library == "timm" and name.startswith(HUB):
        return
    # A program that has imported the library may have added architectures of its own.
    if library not in _READERS or library in sys.modules:
        return
    known = names(library)
    wanted = name.partition(".")[0] if library == "timm" else name
    if len(known) >= _FEWEST[library] and wanted not in known:
        raise unknown_name(f"the {library} model", wanted, known)
    tag = name.partition(".")[2] if library == "timm" else weights
    found = _tags(library).get(wanted, ())
    if found and tag and tag not in found:
        if library == "timm":
            raise unknown_name("the timm weights", name, [f"{wanted}.{other}" for other in found])
        raise unknown_name(f"the weights of {library}:{name}", tag, found)


def is_file(spec: str) -> bool:
    """Return whether a spec is the path of a file, which a pipe or a device is not."""
    return stat.S_ISREG(path_mode(spec))


def path_mode(spec: str) -> int:
    """Return what stands at a path, as ``os.stat`` says it; 0 for nothing, and for a text that can be no path."""
    with suppress(OSError, ValueError):
        return Path(spec).stat().st_mode
    return 0


def unknown_name(what: str, name: str, known: Iterable[str]) -> ModelError:
    """Return the error for a name that a library does not have.

    Args:
        what: What is named, for instance ``"the torchvision model"``.
        name: The unknown name.
        known: All names; only the nearest are shown.

    Returns:
        The error.
    """
    close = difflib.get_close_matches(name, sorted(known), n=5, cutoff=0.0)
    hint = nearest(name, close) if close else "Leave it out"
    return ModelError(expected(what, "among those that exist", f"'{name}'", hint))


@cache
def names(library: str) -> frozenset[str]:
    """Return the architectures of a library.

    Args:
        library: ``"torchvision"``, ``"timm"`` or ``"open_clip"``.

    Returns:
        Their names without tags of weights; none where the library is not installed.
    """
    return frozenset(name for folder in _folders(library) for name in _READERS[library](folder))


@cache
def _tags(library: str) -> dict[str, list[str]]:
    """Return the tags of weights by architecture; where an architecture is missing, nothing is known about its tags."""
    found: dict[str, list[str]] = {}
    folders = _folders(library) if library in _TAG_READERS else []
    for path in (path for folder in folders for path in (folder / "models").glob("*.py")):
        for name, tag in _TAG_READERS[library](path.read_text(encoding="utf-8")):
            found.setdefault(name, []).append(tag)
    return found


def _folders(library: str) -> list[Path]:
    found = find_spec(library)
    return [] if found is None else [Path(place) for place in found.submodule_search_locations or ()]


def _of_torchvision(folder: Path) -> Iterator[str]:
    for path in (folder / "models").glob("*.py"):
        for given, function in _REGISTERED.findall(path.read_text(encoding="utf-8")):
            yield given or function


def _of_timm(folder: Path) -> Iterator[str]:
    for path in (folder / "models").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        yield from _TIMMS.findall(text)
        for renamed in _RENAMED.findall(text):
            yield from (name.partition(".")[0] for name in _KEY.findall(renamed))


def _of_open_clip(folder: Path) -> Iterator[str]:
    yield from (path.stem for path in (folder / "model_configs").rglob("*.json"))


def _torchvision_tags(source: str) -> Iterator[tuple[str, str]]:
    members = {name: _MEMBER.findall(body) for name, body in _WEIGHTS.findall(source)}
    for name, weights in _TAKES_WEIGHTS.findall(source):
        yield from ((name, tag) for tag in members.get(weights, ()))


def _timm_tags(source: str) -> Iterator[tuple[str, str]]:
    yield from _TAGGED.findall(source)


_TAG_READERS: dict[str, Callable[[str], Iterator[tuple[str, str]]]] = {
    "torchvision": _torchvision_tags,
    "timm": _timm_tags,
}
_READERS: dict[str, Callable[[Path], Iterator[str]]] = {
    "torchvision": _of_torchvision,
    "timm": _of_timm,
    "open_clip": _of_open_clip,
}
