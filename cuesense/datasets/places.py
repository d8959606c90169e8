"""Where the images are that a table names: beside it, in a usual folder beside it, or below --data-root."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from cuesense.datasets.left_out import is_image_name, is_litter
from cuesense.datasets.search import search

# Names that are looked up to choose a folder. Chosen by hand; not tuned.
_LOOKED = 64
# Folders in which images usually lie, the likeliest first; any other folder beside the table comes after them.
_USUAL = ("images", "image", "imgs", "img", "jpg", "jpeg", "JPEGImages", "pictures", "photos", "data", "train", "val")


def place(names: Sequence[str], table: Path, root: Path | None) -> tuple[list[Path], str | None]:
    """Return the file of every name that a table has.

    Args:
        names: As the table writes them, with ``/`` between folders: absolute, relative to the table (or to root), or
            to a folder there, with or without the suffix.
        table: The table.
        root: Another folder that names are relative to.

    Returns:
        A path for each name, which need not exist, and a sentence on how they were found where they are not just where
        the table says.

    Raises:
        DatasetError: None of the images is there.
    """
    bases = [folder for folder in (root, table.parent) if folder is not None]
    looked = names[:: max(1, len(names) // _LOOKED)][:_LOOKED]
    folders = [folder for base in bases for folder in _folders(base, table.stem)]
    hits = [sum(_found(folder, name) is not None for name in looked) for folder in folders]
    best = max(hits, default=0)
    if not best:
        return search(names, bases, table)
    first = hits.index(best)
    order = [folders[first], *(folder for place, folder in enumerate(folders) if hits[place] and place != first)]
    listing = _Listing()
    paths = [listing.find(order, name) for name in names]
    said = None if order[0] in bases else f"The images were found in the folder '{order[0].name}' beside the table."
    return paths, said


def _folders(base: Path, stem: str) -> list[Path]:
    """Return the folders that names may be relative to, the likeliest first."""
    try:
        with os.scandir(base) as entries:
            inside = sorted(entry.name for entry in entries if entry.is_dir() and not is_litter(entry.name))
    except OSError:
        return [base]
    ranked = (stem, *(name for name in _USUAL if name != stem))
    known = {name: rank for rank, name in enumerate(ranked)}
    return [base, *(base / name for name in sorted(inside, key=lambda name: known.get(name, len(known))))]


def _found(folder: Path, name: str) -> Path | None:
    try:
        if (folder / name).is_file():
            return folder / name
        return next(_with_suffix(folder, name), None)
    except (OSError, ValueError):  # a name that no file can have
        return None


def _with_suffix(folder: Path, name: str) -> Iterator[Path]:
    """Yield the images whose names are a name and a suffix."""
    parent, stem = (folder / name).parent, PurePosixPath(name).name
    if not stem or not parent.is_dir():
        return
    with os.scandir(parent) as entries:
        found = sorted(entry.name for entry in entries if entry.name.startswith(f"{stem}."))
    yield from (parent / name for name in found if Path(name).stem == stem and is_image_name(name))


class _Listing:
    """Finds many names: each folder is read once."""

    def __init__(self) -> None:
        self._files: dict[Path, set[str]] = {}
        self._stems: dict[Path, dict[str, str]] = {}

    def find(self, folders: Sequence[Path], name: str) -> Path:
        """Return the file in the first folder that has it, in the first folder where none has."""
        for folder in folders:
            path = folder / name
            self._read(path.parent)
            if path.name in self._files[path.parent]:
                return path
            if path.name in self._stems[path.parent]:
                return path.parent / self._stems[path.parent][path.name]
        return folders[0] / name

    def _read(self, folder: Path) -> None:
        if folder in self._files:
            return
        try:
            names = sorted(os.listdir(folder))  # noqa: PTH208 (paths of a million files would take long)
        except (OSError, ValueError):
            names = []
        self._files[folder] = set(names)
        self._stems[folder] = {Path(name).stem: name for name in reversed(names) if is_image_name(name)}
