"""The parts of a dataset (train, val, test, ...): which folders are parts, and which one of them is used."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from cuesense.datasets.left_out import is_image_name, is_litter
from cuesense.errors import DatasetError, SplitError, expected, listed
from cuesense.types import Dataset

# What parts are called, the usual name first: images that a network was tuned on come before those it is tested on,
# since a test set is to be used once; those that it was trained on come last.
_CALLED = {
    "val": ("val", "validation", "valid", "dev", "eval", "evaluation"),
    "test": ("test", "testing", "holdout"),
    "train": ("train", "training"),
}
_KINDS = {name: kind for kind, names in _CALLED.items() for name in names}
# Also as "train2017", "val_images", "test-set", "images_train", "seg_test" or "ILSVRC2012_img_val".
_BEFORE = r"(?:(?:ilsvrc\d*|images?|imgs?|data|seg)[-_ ]?)?(?:imgs?[-_ ])?"
_AFTER = r"[-_ ]?(?:set|data|images?|imgs?|split|folder)?[-_ \d]*"
_PART = re.compile(f"{_BEFORE}({'|'.join(sorted(_KINDS, key=len, reverse=True))}){_AFTER}")
# Folders that hold all images of what they stand in, and no class.
_WRAPPERS = ("images", "image", "imgs", "img", "jpegimages", "data", "dataset")
# Tiny ImageNet's validation images lie in one folder beside this file.
ANNOTATIONS = "val_annotations.txt"
# So deep parts are looked for: dataset/dataset/images/train. Chosen by hand.
_DEPTH = 3
# Names that a sentence lists.
_SHOWN = 5


@dataclass(frozen=True)
class Part:
    """A folder of a dataset that holds class folders.

    Attributes:
        name: Its path below the dataset's folder, with ``/``.
        path: The folder whose folders are the classes.
        kind: ``"val"``, ``"test"`` or ``"train"``.
    """

    name: str
    path: Path
    kind: str


@dataclass(frozen=True)
class Parts:
    """The parts that a folder holds.

    Attributes:
        labeled: Those with class folders, at least one, the preferred ones first.
        unlabeled: Names of those without, such as a test set whose labels are kept secret.
    """

    labeled: tuple[Part, ...]
    unlabeled: tuple[str, ...]

    def choose(self, split: str | None, what: str) -> Part:
        """Return the part that is asked for, by its name or another usual name of it; None takes the preferred one.

        Args:
            split: What the user gave.
            what: The dataset, which begins the sentence of an error.

        Raises:
            SplitError: There is none of this name.
            DatasetError: There are several.
        """
        if split is None:
            return self.labeled[0]
        wanted, kind = split.strip("/"), split_kind(split)
        alike: Sequence[list[Part]] = (
            [part for part in self.labeled if part.name == wanted],
            [part for part in self.labeled if Path(part.name).name.casefold() == wanted.casefold()],
            [part for part in self.labeled if kind is not None and part.kind == kind],
        )
        found = next((parts for parts in alike if parts), [])
        if len(found) == 1:
            return found[0]
        names = [part.name for part in found or self.labeled]
        got = f"'{split}'" + (", which has no class folders" if split in self.unlabeled else "")
        # Several are an error of its own: nothing else may be taken instead.
        error = DatasetError if found else SplitError
        raise error(expected(f"--split of {what}", f"one of {quoted(names)}", got, "Name one of them"))

    def remarks(self, used: Part) -> tuple[str, ...]:
        """Return sentences on what there was to choose from, where the choice was not the user's."""
        names, known = [part.name for part in self.labeled], f"'{used.name}'"
        secret = f" (without class folders: {quoted(self.unlabeled)})" if self.unlabeled else ""
        if used.kind == "train":
            return (
                f"Only {known} has labeled images{secret}. If the model was trained on them, accuracies and cues say "
                f"less about new images.",
            )
        more = f" Its parts are {quoted(names)}: choose another with --split." if len(names) > 1 else ""
        return (f"Of the dataset's parts, {known} is used{secret}.{more}",)


def split_kind(name: str) -> str | None:
    """Return which part a name stands for: ``"val"``, ``"test"`` or ``"train"``; None for any other name."""
    found = _PART.fullmatch(name.casefold().strip("/"))
    return None if found is None else _KINDS[found[1]]


def find_parts(root: Path) -> Parts | None:
    """Return the parts of a dataset that a folder holds, in itself or in a single folder below; None where it has none.

    Folders called train, val, ... are parts where their images lie in folders of their own, and where all folders with
    images are called so, or two of them hold folders of the same names. A class that happens to be called "train" has
    its images in itself, or stands beside classes of other names. A part whose images lie in itself is unlabeled, and
    counts only beside one that is labeled.

    Args:
        root: The folder; one that cannot be read has no parts.
    """
    here = [root]
    for _ in range(1 + _DEPTH):
        for folder in here:
            found = _parts_in(folder, root)
            if found is not None:
                return found
        here = [below for folder in here for below in _wrapped(folder)]
    return None


def _parts_in(folder: Path, root: Path) -> Parts | None:
    folders = _folders(folder)
    kinds = {path: kind for path in folders if (kind := split_kind(path.name)) is not None}
    inside = {path: _class_folders(path) for path in kinds}
    classes = {path: _names(found) for path, found in inside.items() if found is not None}
    labeled = [path for path in classes if not _is_one_of_its_own(path, classes)]
    shared = set.intersection(*(classes[path] for path in labeled)) if len(labeled) > 1 else set()
    others = [path for path in folders if path not in inside]
    if not labeled or (not shared and any(_has_image(path) for path in others)):
        return None
    parts = [Part(_below(path, root), inside[path] or path, kinds[path]) for path in labeled]
    unlabeled = [_below(path, root) for path in inside if path not in labeled and _has_image(path)]
    return Parts(tuple(sorted(parts, key=_rank)), tuple(unlabeled))


def _names(part: Path) -> set[str]:
    """Return the names of a part's class folders; none where a file says the classes."""
    return set() if (part / ANNOTATIONS).is_file() else {below.name for below in _folders(part)}


def _is_one_of_its_own(path: Path, classes: Mapping[Path, set[str]]) -> bool:
    """Return whether a part has a single folder that no part with classes knows, such as ``test/unknown``."""
    rest = [names for other, names in classes.items() if other != path and len(names) > 1]
    return len(classes[path]) == 1 and bool(rest) and not any(classes[path] & names for names in rest)


def _rank(part: Part) -> tuple[int, int, str]:
    """Return where a part stands in the order of preference."""
    found = _PART.fullmatch(Path(part.name).name.casefold())
    name = found[1] if found else ""
    return list(_CALLED).index(part.kind), _CALLED[part.kind].index(name) if name else 0, part.name


def _class_folders(part: Path) -> Path | None:
    """Return the folder of a part whose folders are its classes; None where its images lie in no class folders."""
    if (part / ANNOTATIONS).is_file():
        return part
    folders = [path for path in _folders(part) if _has_image(path)]
    if len(folders) == 1 and (folders[0].name.casefold() in _WRAPPERS or split_kind(folders[0].name)):
        return _class_folders(folders[0])
    # A few strays beside the class folders do not make the part a class.
    strays = sum(1 for _ in islice(_images(part), len(folders) + 1))
    return part if folders and strays < len(folders) else None


def _wrapped(folder: Path) -> list[Path]:
    """Return the folders below in which the dataset itself may be: a single one, or those that hold all images."""
    folders = _folders(folder)
    return folders if len(folders) == 1 else [path for path in folders if path.name.casefold() in _WRAPPERS]


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            # Path.is_dir is False for a link that leads nowhere, where DirEntry may raise.
            kept = [entry for entry in entries if not is_litter(entry.name)]
            return sorted(
                Path(entry.path) for entry in kept if (Path(entry.path) if entry.is_symlink() else entry).is_dir()
            )
    except OSError:
        return []


def _images(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_image_name(entry.name) and not is_litter(entry.name):
                    yield Path(entry.path)
    except OSError:
        return


def _has_image(folder: Path, depth: int = _DEPTH) -> bool:
    """Return whether there is an image in a folder or below; links that lead back up end at the depth."""
    if next(_images(folder), None) is not None:
        return True
    return depth > 0 and any(_has_image(below, depth - 1) for below in _folders(folder))


def _below(path: Path, root: Path) -> str:
    return readable(path.relative_to(root).as_posix())


def readable(name: str) -> str:
    """Return a file name as valid Unicode; bytes that are no UTF-8 become escapes."""
    return os.fsencode(name).decode(errors="backslashreplace")


def quoted(names: Sequence[str]) -> str:
    """Return the first of some names in quotes, and how many more there are."""
    return listed([f"'{readable(name)}'" for name in names], _SHOWN)


def split_of(dataset: Dataset) -> str | None:
    """Return which part of a larger dataset a dataset is, as its reader calls it; None where it is no part."""
    found: str | None = getattr(dataset, "split", None)
    return found


def refuse_split(what: str, split: str | None) -> None:
    """Raise SplitError where a part is asked for of something that has none.

    Args:
        what: What was named, such as ``"the folder 'photos'"``.
        split: What the user gave.
    """
    if split is not None:
        to_be = f"left out for {what}, which has no parts such as train and val"
        raise SplitError(expected("--split", to_be, f"'{split}'", "Leave it out"))


def refuse_download(what: str, *, download: bool) -> None:
    """Raise DatasetError where something is to be downloaded that nobody offers.

    Args:
        what: What was named, such as ``"the folder 'photos'"``.
        download: Whether the user asked for it.
    """
    if download:
        to_be = f"left out for {what}, which is read where it is"
        raise DatasetError(expected("--download", to_be, "it", "Leave it out"))
