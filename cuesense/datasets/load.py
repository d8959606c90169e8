"""The dataset that a spec names."""

from __future__ import annotations

from pathlib import Path

from cuesense import registry
from cuesense.errors import DatasetError, expected, nearest
from cuesense.types import Dataset


def load_dataset(spec: str, *, data_root: Path | None = None) -> Dataset:
    """Return the dataset that a spec names.

    A registered name wins over a folder of the same name; write ``./imagenet`` for the folder.

    Args:
        spec: A folder of class folders, a CSV or Parquet table, or a registered ``name`` or ``name:argument``, for
            instance ``"imagenet"`` or ``"planted:7"``.
        data_root: Where datasets such as ImageNet are; the docstring of each plug-in's load describes its layout.

    Returns:
        The dataset; nothing is decoded yet.

    Raises:
        DatasetError: Nothing is there, or it holds no labeled images, or data_root is given for a folder or table.
        SettingsError: The prefix before the colon is no registered dataset.
    """
    name, argument = _plugin(spec)
    if data_root is not None and name in ("folder", "table"):
        to_be = f"left out for a {name}, which its path names"
        raise DatasetError(expected("--data-root", to_be, str(data_root), "Leave it out"))
    dataset: Dataset = registry.get("datasets", name)(argument, data_root=data_root)
    return dataset


def _plugin(spec: str) -> tuple[str, str]:
    """Return the registered name behind a spec, and what it is called with."""
    name, colon, argument = spec.partition(":")
    path = Path(spec)
    # The registry first: a folder that happens to be called imagenet must not change what the spec means.
    if name in registry.names("datasets"):
        return name, argument
    if spec and path.exists():
        return "folder" if path.is_dir() else "table", spec
    if colon and name.isidentifier():
        return name, argument
    is_path = len(path.parts) > 1 or path.suffix
    hint = "Check the path" if is_path else nearest(spec, registry.names("datasets"))
    raise DatasetError(expected(f"the dataset '{spec}'", "a folder, a table or a known name", "nothing there", hint))
