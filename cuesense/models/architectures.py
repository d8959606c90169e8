"""Find the architectures of torchvision and timm that a state dict fits, to name them in an error.

Building 1,300 networks to compare with takes minutes. So digests of their keys and shapes are kept in
``assets/architectures.txt``, which ``benchmarks/architectures.py`` makes; neither library is imported.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from functools import cache

from cuesense import package_files
from cuesense.models.common import State

# Counters of steps: networks predict the same without them, and files of old torch lack them.
_COUNTERS = ("num_batches_tracked", "n_averaged", "total_ops", "total_params")
# Auxiliary heads of Inception networks, which only training uses.
_AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")
# Half a digest of SHA-256 tells a million architectures apart.
_DIGITS = 16
# A network is most of what is in a file, or one of a few: fewer keys belong to a part of one. Chosen by hand.
_SMALLEST_SHARE = 0.2
_DEEPEST_PREFIX = 4


def fitting_architectures(state: State) -> list[str]:
    """Return the architectures whose keys and shapes a state dict has, under whatever prefix.

    The number of classes may differ.

    Args:
        state: The state dict, prefixes and all.

    Returns:
        Names such as ``"torchvision:resnet18"``, torchvision's first, then the shortest.
    """
    shapes = {key: tuple(value.shape) for key, value in state.items()}
    for prefix in _prefixes(shapes):
        inner = {key.removeprefix(prefix): shape for key, shape in shapes.items() if key.startswith(prefix)}
        for tried in (inner, {key: shape for key, shape in inner.items() if not key.startswith(_AUXILIARY)}):
            found = [name for digest in _digests(tried) for name in _table()[1].get(digest, ())]
            if found:
                return found
    return []


def other_architectures(state: State, arch: str) -> list[str]:
    """Return the architectures whose keys and shapes a state dict has, where the one that is named is surely another.

    It is found without building a network, which takes ten seconds of CPU time with the import of its library.

    Args:
        state: The state dict: all of it one network, with or without a prefix.
        arch: What was named, ``"torchvision:NAME"`` or ``"timm:NAME"``; of others nothing is known.

    Returns:
        The architectures; none where the named one is among them, or may be built to fit at another image size.
    """
    library, _, name = arch.partition(":")
    # Tables of positions and layers over tokens change with the size of images.
    if library not in ("torchvision", "timm") or any("pos" in key or "token" in key for key in state):
        return []
    shapes = {key: tuple(value.shape) for key, value in state.items()}
    prefix = next((start for start in reversed(_prefixes(shapes)) if all(key.startswith(start) for key in shapes)), "")
    inner = {key.removeprefix(prefix): shape for key, shape in shapes.items()}
    found = [other for digest in _digests(inner) for other in _table()[1].get(digest, ())]
    named = f"{library}:{name.partition('.')[0].partition('@')[0]}"
    known = any(named in names for names in _table()[1].values())
    return found if known and named not in found else []


def signature(shapes: dict[str, tuple[int, ...]], heads: str) -> str:
    """Return a digest that is equal for networks of one architecture with different numbers of classes.

    Args:
        shapes: Every key of a state dict without prefixes, with its shape; counters are left out.
        heads: The layers whose first dimension is the number of classes, with a plus between them.

    Returns:
        Hexadecimal digits.
    """
    kept = {key: shape for key, shape in shapes.items() if not key.endswith(_COUNTERS)}
    for head in heads.split("+"):
        for name in (f"{head}.weight", f"{head}.bias"):
            if name in kept:
                kept[name] = kept[name][1:]
    lines = "\n".join(f"{key} {shape}" for key, shape in sorted(kept.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:_DIGITS]


def _digests(shapes: dict[str, tuple[int, ...]]) -> Iterator[str]:
    for heads in _table()[0]:
        if all(f"{head}.weight" in shapes for head in heads.split("+")):
            yield signature(shapes, heads)


def _prefixes(shapes: dict[str, tuple[int, ...]]) -> list[str]:
    """Return the dotted prefixes that many keys have, the shortest first."""
    counts = Counter(prefix for key in shapes for prefix in _prefixes_of(key))
    return sorted((prefix for prefix, count in counts.items() if count >= _SMALLEST_SHARE * len(shapes)), key=len)


def _prefixes_of(key: str) -> Iterator[str]:
    yield ""
    parts = key.split(".")
    for count in range(1, min(len(parts), _DEEPEST_PREFIX + 1)):
        yield ".".join(parts[:count]) + "."


@cache
def _table() -> tuple[list[str], dict[str, list[str]]]:
    """Return the names of heads, and the architectures by their digests."""
    heads, found = [], {}
    path = package_files.folder("assets") / "architectures.txt"
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, *values = line.split()
        if kind == "head":
            heads += values
        elif kind != "#":
            found[kind] = values
    return heads, found
