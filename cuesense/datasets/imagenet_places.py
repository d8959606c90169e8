"""What of ImageNet lies in a folder: class folders, flat images, files of labels, archives."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from cuesense.datasets.left_out import is_litter
from cuesense.datasets.splits import split_kind
from cuesense.imagenet_names import imagenet_synsets

# Folders on the way to the images, in the layouts of the devkit, Kaggle, torchvision and the smaller ImageNets.
_WAY = re.compile(
    r"(tiny[-_ ]?)?image[-_ ]?net.*|image(nette|woof).*|.*ilsvrc.*|.*devkit.*|data|cls-loc|images?|imgs?|caffe.*"
    r"|classification|sketch|objectnet.*|val.*|train.*|test.*"
)
_LABELS = re.compile(
    r"loc_val_solution\.csv|.*ground_truth.*\.txt|.*synset_labels.*\.txt|val(_?(map|labels?|gt|list))?\.txt"
    r"|val_annotations\.txt"
)
_SYNSET = re.compile(r"(n\d{8})(?!\d)")
_FLAT = re.compile(r"ilsvrc2012_val_\d{8}\.jpe?g|val_\d+\.jpe?g")
_ARCHIVE = re.compile(r"(ilsvrc|imagenet|image-net|tiny-imagenet).*(\.tar|\.tar\.gz|\.tgz|\.zip)")
# imagenet/ILSVRC/Data/CLS-LOC/val is five folders down.
_DEPTH = 5


@dataclass
class Place:
    """A folder that holds ImageNet's images.

    Attributes:
        path: The folder.
        kind: ``"val"``, ``"test"`` or ``"train"`` as its path says; None where it says nothing.
        synsets: Its class folders, by synset: called by it, or in ImageNet-V2 by the class's index.
        files: Images that lie in it as they come out of the archive.
    """

    path: Path
    kind: str | None
    synsets: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)


@dataclass
class Places:
    """All that was found below a folder.

    Attributes:
        images: Folders with images.
        labels: Files that say which class each image is of.
        meta: The devkit's meta.mat.
        archives: What is still packed.
        parquet: Folders of Parquet files.
        objectnet: Whether it is ObjectNet.
    """

    images: list[Place] = field(default_factory=list)
    labels: list[Path] = field(default_factory=list)
    meta: Path | None = None
    archives: list[Path] = field(default_factory=list)
    parquet: list[Path] = field(default_factory=list)
    objectnet: bool = False


def look(root: Path) -> Places:
    """Return what of ImageNet lies in a folder and in folders below that have the usual names.

    Args:
        root: The folder.

    Raises:
        OSError: The folder itself cannot be read.
    """
    found = Places()
    _look(root, None, _DEPTH, found)
    return found


def _look(folder: Path, kind: str | None, depth: int, found: Places) -> None:
    with os.scandir(folder) as entries:
        kept = sorted((entry for entry in entries if not is_litter(entry.name)), key=lambda entry: entry.name)
    folders = [entry.name for entry in kept if _is_folder(entry)]
    files = [entry.name for entry in kept if not _is_folder(entry)]
    place = Place(folder, kind, _classes(folders), [name for name in files if _FLAT.fullmatch(name.casefold())])
    if place.synsets or place.files:
        found.images.append(place)
    _note(folder, files, found)
    found.objectnet |= "folder_to_objectnet_label.json" in files
    for name in folders:
        if name not in place.synsets.values() and depth and _WAY.fullmatch(name.casefold()):
            try:
                _look(folder / name, split_kind(name) or kind, depth - 1, found)
            except OSError:
                continue


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return Path(entry.path).is_dir() if entry.is_symlink() else entry.is_dir()


def _note(folder: Path, files: list[str], found: Places) -> None:
    for name in files:
        low = name.casefold()
        if _LABELS.fullmatch(low):
            found.labels.append(folder / name)
        elif low == "meta.mat":
            found.meta = folder / name
        elif _ARCHIVE.fullmatch(low):
            found.archives.append(folder / name)
    if any(name.casefold().endswith(".parquet") for name in files):
        found.parquet.append(folder)


def _classes(folders: list[str]) -> dict[str, str]:
    """Return the folder of each synset; folders 0 to 999 are ImageNet-V2's indices."""
    synsets = imagenet_synsets()
    if set(map(str, range(len(synsets)))) <= set(folders):
        return {synset: str(index) for index, synset in enumerate(synsets)}
    known, found = set(synsets), dict[str, str]()
    for name in folders:
        match = _SYNSET.match(name)
        if match and match[1] in known:
            found.setdefault(match[1], name)
    return found
