"""A folder of class folders, as torchvision's ImageFolder reads it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cuesense.datasets.files import FileDataset, from_files
from cuesense.datasets.imagenet_labels import annotated
from cuesense.datasets.left_out import LeftOut, is_image_name, is_litter
from cuesense.datasets.splits import (
    ANNOTATIONS,
    class_folders_below,
    find_parts,
    readable,
    refuse_download,
    refuse_split,
    split_kind,
)
from cuesense.errors import DatasetError, expected


def load(
    argument: str,
    *,
    data_root: Path | None = None,  # noqa: ARG001 (the signature of every dataset)
    split: str | None = None,
    download: bool = False,
) -> FileDataset:
    """Return the images below a folder, one class for each folder in it.

    Args:
        argument: The folder.
        data_root: Not used: the argument is a path.
        split: The part of a folder with parts (see ``splits.find_parts``), such as ``"val"``; None takes ``val``, else
            ``test``, else ``train``, and says so.
        download: Refused: there is nothing to fetch.

    Returns:
        The dataset; its ids are paths relative to the folder, or to its part.

    Raises:
        SplitError: The folder has no such part, or no parts.
        DatasetError: The folder is missing or unreadable, or holds no class folder with an image.
    """
    if not argument:
        raise DatasetError(expected("folder", "followed by a path", "none", "Write folder:PATH"))
    what, root = f"the folder '{argument}'", Path(argument)
    refuse_download(what, download=download)
    parts = find_parts(root)
    if parts is None:
        # A folder that is the part itself may be called so twice.
        if split is None or split_kind(split) is None or split_kind(root.name) != split_kind(split):
            refuse_split(what, split)
        inner = class_folders_below(root)
        dataset = _read(inner, argument)
        within = readable(inner.relative_to(root).as_posix())
        if inner == root:
            return dataset
        remark = f"The class folders are those in '{within}', the only folder with images."
        return replace(dataset, remarks=(remark, *dataset.remarks))
    part = parts.choose(split, what)
    dataset = _read(part.path, argument)
    # Another spelling of what was asked for ("valid" for "val") is said as well.
    said = () if split in (part.name, Path(part.name).name) else parts.remarks(part)
    return replace(dataset, split=part.name, remarks=(*said, *dataset.remarks))


def _read(root: Path, spec: str) -> FileDataset:
    return annotated(root, spec) if (root / ANNOTATIONS).is_file() else scan(root, spec)


def scan(root: Path, spec: str) -> FileDataset:
    """Return the images below a folder under a given spec.

    Class names are sorted as strings. A class folder without images stays a class. What is left out is counted in the
    dataset's remarks, apart from hidden files and what systems and archives leave behind (``__MACOSX``, Thumbs.db).

    Args:
        root: The folder of class folders.
        spec: What the user named.

    Returns:
        The dataset.

    Raises:
        DatasetError: As for load.
    """
    left_out = LeftOut()
    entries = _entries(root)
    # Sorted as strings, as torchvision's ImageFolder does (1, 10, 100, 2): models trained with it have this order.
    classes = sorted(entry.name for entry in entries if _is_folder(entry) and not is_litter(entry.name))
    for entry in entries:
        if not _is_folder(entry):
            left_out.count_file(readable(entry.name), beside=bool(classes))
    if not classes:
        raise DatasetError(_no_classes(root, any(is_image_name(entry.name) for entry in entries), left_out))
    tree = _Tree(root, _real_folders(root, classes), left_out)
    of_class = {name: list(tree.images(name)) for name in classes}
    if not any(of_class.values()):
        raise DatasetError(_no_images(root, len(classes), left_out))
    left_out.empty = [readable(name) for name, paths in of_class.items() if not paths]
    files = [
        (readable(path.relative_to(root).as_posix()), label, path)
        for label, paths in enumerate(of_class.values())
        for path in paths
    ]
    dataset = from_files(spec, [readable(name) for name in classes], files)
    return replace(dataset, remarks=left_out.remarks(len(classes)))


def _no_classes(root: Path, images: bool, left_out: LeftOut) -> str:
    found = "images without class folders" if images else "no class folder in it"
    found += f"; {left_out.other_kinds()}" if left_out.kinds and not images else ""
    do = "Make one folder per class, or name a CSV or Parquet table with the columns path and label"
    if any(root.glob("ILSVRC2012_val_*")):
        do = f"Read ImageNet's validation images with --dataset imagenet --data-root {root}"
    return expected(f"the folder '{root}'", "a folder of class folders", found, do)


def _no_images(root: Path, classes: int, left_out: LeftOut) -> str:
    other = left_out.other_kinds()
    found = f"{classes} class folders without a single image" + (f"; {other}" if other else "")
    sentence = expected(f"the folder '{root}'", "a folder with images", found, "Put images into them")
    return " ".join([sentence, *left_out.advice()])


@dataclass(frozen=True)
class _Tree:
    """The class folders below a root, with what their links lead to.

    Attributes:
        root: The folder of class folders.
        owners: Where each class folder really is, and the class that it belongs to.
        left_out: Counts what is left out.
    """

    root: Path
    owners: Mapping[Path, str]
    left_out: LeftOut

    def images(self, name: str) -> Iterator[Path]:
        """Yield the images of a class, and follow links unless they lead to other classes or back up."""
        yield from self._below(self.root / name, name, frozenset())

    def _below(self, folder: Path, name: str, above: frozenset[Path]) -> Iterator[Path]:
        real = folder.resolve()
        # A link to a folder above would be followed forever, and one to other classes would make their images this
        # class's.
        if real in above or (folder.is_symlink() and self._leads_elsewhere(real, name)):
            self.left_out.links.append(_below(self.root, folder))
            return
        for entry in _entries(folder):
            path = Path(entry.path)
            if _is_folder(entry):
                if not is_litter(entry.name):
                    yield from self._below(path, name, above | {real})
            elif is_image_name(entry.name) and not is_litter(entry.name):
                yield path
            elif entry.is_symlink() and not path.exists():
                self.left_out.links.append(_below(self.root, path))
            else:
                self.left_out.count_file(_below(self.root, path))

    def _leads_elsewhere(self, real: Path, name: str) -> bool:
        """Return whether a folder holds the dataset itself, or is, holds or lies in another class's folder."""
        if self.root.resolve().is_relative_to(real):
            return True
        inside = next((self.owners[path] for path in (real, *real.parents) if path in self.owners), None)
        return inside not in (None, name) or any(
            path.is_relative_to(real) and path != real for path, owner in self.owners.items() if owner != name
        )


def _real_folders(root: Path, classes: Sequence[str]) -> dict[Path, str]:
    """Return where class folders really are; where links share one, it is its own class's, else the first's."""
    found: dict[Path, str] = {}
    for name in sorted(classes, key=lambda name: (root / name).is_symlink()):
        found.setdefault((root / name).resolve(), name)
    return found


def _below(root: Path, path: Path) -> str:
    return readable(path.relative_to(root).as_posix())


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        found = (error.strerror or "an error").lower()
        raise DatasetError(expected(f"'{folder}'", "a readable folder", f"'{found}'", "Check the path")) from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    # Path.is_dir is False for a link that leads nowhere, where DirEntry may raise.
    return Path(entry.path).is_dir() if entry.is_symlink() else entry.is_dir()
