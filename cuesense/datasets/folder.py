"""A folder of class folders, as torchvision's ImageFolder reads it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from cuesense.datasets.files import FileDataset, from_files
from cuesense.errors import DatasetError, expected

_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".pnm")
)


def load(argument: str, *, data_root: Path | None) -> FileDataset:  # noqa: ARG001 (the signature of every dataset)
    """Return the images below a folder, one class for each folder in it.

    Args:
        argument: The folder.
        data_root: Not used: the argument is a path.

    Returns:
        The dataset; its ids are paths relative to the folder.

    Raises:
        DatasetError: The folder is missing or unreadable, or holds no class folder with an image.
    """
    if not argument:
        raise DatasetError(expected("folder", "followed by a path", "none", "Write folder:PATH"))
    return scan(Path(argument), spec=argument)


def scan(root: Path, spec: str) -> FileDataset:
    """Return the images below a folder under a given spec.

    Class names are sorted as strings; hidden files and folders and files of other suffixes are ignored. A class
    folder without images stays a class.

    Args:
        root: The folder of class folders.
        spec: What the user named.

    Returns:
        The dataset.

    Raises:
        DatasetError: As for load.
    """
    entries = _entries(root)
    # Sorted as strings, as torchvision's ImageFolder does (1, 10, 100, 2): models trained with it have this order.
    classes = sorted(entry.name for entry in entries if _is_folder(entry))
    if not classes:
        raise DatasetError(_no_classes(root, any(map(_is_image, entries))))
    files = [
        (_readable(path.relative_to(root).as_posix()), label, path)
        for label, name in enumerate(classes)
        for path in _images(root / name, frozenset())
    ]
    if not files:
        found = f"{len(classes)} class folders without a single image"
        raise DatasetError(expected(f"the folder '{root}'", "a folder with images", found, "Put images into them"))
    return from_files(spec, [_readable(name) for name in classes], files)


def _no_classes(root: Path, images: bool) -> str:
    found = "images without class folders" if images else "no class folder in it"
    do = "Make one folder per class, or name a CSV or Parquet table with the columns path and label"
    return expected(f"the folder '{root}'", "a folder of class folders", found, do)


def _images(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    """Yield the images below a folder, and follow links unless they lead back up."""
    # A link to a folder above would be followed forever.
    real = folder.resolve()
    if real in above:
        return
    for entry in _entries(folder):
        if _is_folder(entry):
            yield from _images(Path(entry.path), above | {real})
        elif _is_image(entry):
            yield Path(entry.path)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        found = (error.strerror or "an error").lower()
        raise DatasetError(expected(f"'{folder}'", "a readable folder", f"'{found}'", "Check the path")) from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    # Path.is_dir is False for a link that leads nowhere, where DirEntry may raise.
    return Path(entry.path).is_dir() if entry.is_symlink() else entry.is_dir()


def _is_image(entry: os.DirEntry[str]) -> bool:
    return Path(entry.name).suffix.lower() in _SUFFIXES


def _readable(name: str) -> str:
    """Return a file name as valid Unicode; bytes that are no UTF-8 become escapes."""
    return os.fsencode(name).decode(errors="backslashreplace")
