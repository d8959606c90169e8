"""Small files beside a file of weights that say how its images are prepared.

``model.toml`` or ``model.json``, or a file with the stem of the weights' (``best.toml`` for ``best.pt``), is the user's
own and comes before what the weights' file says itself. ``config.json`` and ``preprocessor_config.json``, as Hugging
Face and timm save them into the folder of the weights, come after it. ``docs/models.md`` describes the format.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cuesense.errors import ModelError, expected, first_line
from cuesense.models.carried import NOTHING, Carried, carried

# A configuration of a network is a few kilobytes, with the names of 21,841 classes one megabyte. Chosen by hand.
_LARGEST = 16 << 20
_READERS: dict[str, Callable[[str], Any]] = {".toml": tomllib.loads, ".json": json.loads}
# What may stand in a user's own file, and what each key must be.
KEYS = {
    "image_size": "a side in pixels from 1 to 4096, or [height, width]",
    "resize": "a shorter side in pixels that is at least the image size, or 0 for resizing whole",
    "mean": "three numbers, with a std",
    "std": "three positive numbers, with a mean",
    "interpolation": "a filter of Pillow, such as bicubic",
    "channels": "rgb or bgr",
    "class_names": "a list of different names",
    "arch": "an architecture such as torchvision:resnet18",
}
_CONFIGURATIONS = ("preprocessor_config.json", "config.json")


def said_about(file: Path, about: Mapping[str, Any]) -> Carried:
    """Return what the weights' file and the small files beside it say about the images.

    Args:
        file: The file of weights.
        about: The plain data in it.

    Returns:
        For each field the first that says it: the user's own file, the weights' file, a library's configuration.

    Raises:
        ModelError: The user's own file cannot be read, or has a key or a value that means nothing.
    """
    own = (_own(path) for path in _sidecars(file))
    library = (
        carried(content, f"The file {path}")
        for path in _existing(file, _CONFIGURATIONS)
        if (content := _lenient(path)) is not None
    )
    return _first_of([*own, carried(about), *library])


def _first_of(found: list[Carried]) -> Carried:
    """Return the first value of each field; a resize goes with its size, and a mean with its std."""
    merged = NOTHING
    for each in found:
        missing = {name: value for name, value in vars(each).items() if getattr(merged, name) is None}
        if merged.image_size is not None:
            missing.pop("resize", None)
        merged = replace(merged, **missing | {"ignored": merged.ignored + each.ignored})
    return merged


def _sidecars(file: Path) -> Iterator[Path]:
    names = dict.fromkeys(f"{stem}{suffix}" for stem in (file.stem, "model") for suffix in _READERS)
    return _existing(file, tuple(names))


def _existing(file: Path, names: tuple[str, ...]) -> Iterator[Path]:
    paths = (file.with_name(name) for name in names)
    return (path for path in paths if path != file and path.is_file())


def _own(path: Path) -> Carried:
    """Return what a user's own file says.

    Every key and value of a .toml file must mean something. A .json file may be anything that a training script left
    there: what is known of it is taken.
    """
    if path.suffix == ".json":
        return carried(_lenient(path) or {}, f"The file {path}")
    content = _content(path)
    said = carried(content)
    unknown = next((key for key in content if key not in KEYS), None)
    if unknown is not None:
        raise ModelError(expected(f"the keys of {path}", f"among {', '.join(KEYS)}", f"'{unknown}'", "Correct it"))
    wrong = next((key for key in content if getattr(said, key) is None), None)
    if wrong is not None:
        raise ModelError(expected(f"{wrong} in {path}", KEYS[wrong], first_line(content[wrong]), "Correct it"))
    return said


def _content(path: Path) -> Any:
    try:
        if path.stat().st_size > _LARGEST:
            raise ModelError(expected(str(path), "a small file of settings", "one of over 16 MB", "Move it away"))
        return _READERS[path.suffix](path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            expected(str(path), f"a {path.suffix[1:].upper()} file of settings", first_line(error), "Correct it")
        ) from error


def _lenient(path: Path) -> Mapping[str, Any] | None:
    """Return a library's configuration; one that cannot be read says nothing."""
    try:
        content = _content(path)
    except ModelError:
        return None
    return content if isinstance(content, dict) else None
