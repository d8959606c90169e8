"""The dataset that a spec names."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from cuesense import registry
from cuesense.datasets.recognize import read_path, takes_root
from cuesense.datasets.torchvision import named
from cuesense.datasets.wds import is_tar
from cuesense.errors import DatasetError, SplitError, expected, nearest
from cuesense.types import Dataset

# What is read where its path says, and never fetched.
_NAMED_BY_PATH = ("path", "folder", "table", "wds", "npz", "zip")
# Names that stand before a path or another name and mean nothing alone: a folder may be called so.
_NEVER_ALONE = ("folder", "table", "hf", "wds", "torchvision", "npz", "zip")


@dataclass(frozen=True)
class DatasetOptions:
    """Where datasets lie that are named and not a path, and which part of a dataset is used.

    Attributes:
        data_root: The folder that holds ``imagenet``, for instance.
        split: The part, such as ``"val"``; None leaves the choice to the reader, which says what it took.
        download: Whether a dataset that is not on disk is fetched.
    """

    data_root: str | Path | None = None
    split: str | None = None
    download: bool = False

    @property
    def root(self) -> Path | None:
        """The folder, as a path."""
        return None if self.data_root is None else Path(self.data_root)


AS_GIVEN = DatasetOptions()


def load_dataset(
    spec: str, *, data_root: Path | None = None, split: str | None = None, download: bool = False
) -> Dataset:
    """Return the dataset that a spec names.

    A registered name wins over a folder of the same name; write ``./imagenet`` for the folder. What lies at a path is
    recognized by its name and content.

    Args:
        spec: A folder of class folders (or of images and a table), a table, a ``.zip``, ``.tar``, ``.npz`` or Parquet
            file of images, or a registered ``name`` or ``name:argument``, for instance ``"imagenet"`` or
            ``"planted:7"``.
        data_root: Where datasets such as ImageNet are; the docstring of each plug-in's load describes its layout.
        split: The part of the dataset that is used, such as ``"val"``; None takes the reader's own choice.
        download: Fetch a dataset that is not on disk.

    Returns:
        The dataset; nothing is decoded yet.

    Raises:
        SplitError: The dataset has no such part, or no parts at all.
        DatasetError: Nothing is there, or it holds no labeled images, or data_root is given for a folder.
        SettingsError: The prefix before the colon is no registered dataset.
    """
    name, argument = _plugin(spec)
    if name == "path":
        return read_path(spec, data_root=data_root, split=split, download=download)
    if data_root is not None and name == "folder":
        to_be = f"left out for a {name}, which its path names"
        raise DatasetError(expected("--data-root", to_be, str(data_root), "Leave it out"))
    load = registry.get("datasets", name)
    dataset: Dataset = load(argument, data_root=data_root, **_taken(name, load, split, download=download))
    return dataset


def refuse_missing(spec: str) -> None:
    """Raise where a spec names nothing that is there, without reading what is.

    Args:
        spec: As for ``load_dataset``.

    Raises:
        DatasetError: Nothing is there.
        SettingsError: The prefix before the colon is no registered dataset.
    """
    name, _ = _plugin(spec)
    if name != "path":
        registry.check("datasets", name)


def load_one_of_several(spec: str, options: DatasetOptions, *, for_training: bool = False) -> Dataset:
    """Return one of the datasets of a command that is given several, such as training and test images.

    They share one ``data_root`` and one ``download``, although only one of them may have use for it: a folder ignores
    both, a table the wish to download.

    Args:
        spec: As for ``load_dataset``.
        options: Where they lie, and the part of this one.
        for_training: Without a split, take the part called ``train`` where there is one.

    Returns:
        The dataset.

    Raises:
        CuesenseError: As for ``load_dataset``.
    """
    root, download = options.root, options.download
    name = _plugin(spec)[0]
    if name in _NAMED_BY_PATH:
        download = False
        root = None if name == "folder" or (name == "path" and not takes_root(spec)) else root
    if for_training and options.split is None:
        try:
            return load_dataset(spec, data_root=root, split="train", download=download)
        except SplitError:
            # Whatever there is: a folder of class folders has no parts.
            pass
    return load_dataset(spec, data_root=root, split=options.split, download=download)


def _taken(name: str, load: Any, split: str | None, *, download: bool) -> dict[str, Any]:
    """Return the options that a plug-in's function takes; one of an earlier version takes neither."""
    given = {"split": split, "download": download}
    known = signature(load).parameters.values()
    every = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in known)
    names = {parameter.name for parameter in known}
    for option, value in given.items():
        if value and not every and option not in names:
            error = SplitError if option == "split" else DatasetError
            got = f"'{value}'" if option == "split" else "it"
            raise error(expected(f"--{option}", f"left out for '{name}', which does not know it", got, "Leave it out"))
    return given if every else {option: value for option, value in given.items() if option in names}


def _plugin(spec: str) -> tuple[str, str]:
    """Return the registered name behind a spec, and what it is called with."""
    name, colon, argument = spec.partition(":")
    path = Path(spec)
    # The registry first: a folder that happens to be called imagenet must not change what the spec means.
    if name in registry.names("datasets") and (colon or name not in _NEVER_ALONE or not path.exists()):
        return name, argument
    if spec and path.exists():
        return "path", spec
    if _names_tars(spec):
        return "wds", spec
    if argument.startswith("//"):
        to_be, do = "a folder, a table or a known name", "Download it, and name the folder or file"
        raise DatasetError(expected("the dataset", to_be, f"the address '{spec}'", do))
    if colon and name.isidentifier():
        return name, argument
    raise DatasetError(
        expected(f"the dataset '{spec}'", "a folder, a table or a known name", "nothing there", _hint(spec, path))
    )


def _names_tars(spec: str) -> bool:
    """Return whether a spec is a pattern of tars, such as ``val-{000..009}.tar``."""
    return is_tar(spec) and any(mark in spec for mark in "*?{") and "://" not in spec


def _hint(spec: str, path: Path) -> str:
    """Return what a spec may have meant where nothing is."""
    name = named(spec)
    if name is not None:
        return f"Check the path, or write torchvision:{name} with --data-root"
    if len(path.parts) == 2 and not path.suffix and not path.is_absolute():
        return f"Check the path, or write hf:{spec} for a dataset of the Hugging Face hub"
    is_path = len(path.parts) > 1 or path.suffix
    return "Check the path" if is_path else nearest(spec, registry.names("datasets"))
