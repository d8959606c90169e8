"""What lies at a path that was given without a reader's name: which reader reads it, or why none does."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cuesense.datasets import folder as folders
from cuesense.datasets import hf, npz, table, wds, zipped
from cuesense.datasets import torchvision as named
from cuesense.datasets.arrow_images import arrow_files, parquet_files
from cuesense.datasets.cifar import read_cifar
from cuesense.datasets.detection import refuse_detection
from cuesense.datasets.flat import has_label_file, no_table, read_flat
from cuesense.datasets.left_out import is_image_name, is_litter
from cuesense.datasets.splits import ANNOTATIONS, find_parts, refuse_download, split_kind
from cuesense.errors import DatasetError, expected
from cuesense.tables.read_listing import ARROW_SUFFIXES, PARQUET_SUFFIXES, SUFFIXES
from cuesense.tables.unpack import inner_suffix
from cuesense.types import Dataset

_OTHER_ARCHIVES = {".7z": "7z x", ".rar": "unrar x", ".gz": "gunzip -k", ".bz2": "bunzip2 -k", ".xz": "unxz -k"}
_MODELS = frozenset((".pt", ".pth", ".ckpt", ".safetensors", ".onnx", ".keras", ".tflite", ".pt2", ".bin"))
_SPREADSHEETS = (".xlsx", ".xls", ".ods")
_EXPORT = (
    "Export its images into one folder per class, or a .npz or .tar file, or save a list of paths and labels as CSV"
)
# Other libraries' ways to keep images.
_OTHER_DATA = {
    ".tfrecord": "a TFRecord file", ".tfrecords": "a TFRecord file", ".rec": "an MXNet RecordIO file",
    ".mdb": "an LMDB database", ".lmdb": "an LMDB database", ".h5": "an HDF5 file", ".hdf5": "an HDF5 file",
    ".mat": "a MATLAB file", ".beton": "an FFCV file", ".pkl": "a Python pickle", ".pickle": "a Python pickle",
}  # fmt: skip
# Folders of images that are no classes, beside a table.
_OF_IMAGES = frozenset(("images", "image", "imgs", "img", "jpg", "jpeg", "jpegimages", "pictures", "photos", "data"))
# Entries that are looked at to find out what a folder holds. Chosen by hand.
_LOOKED = 200


def read_path(spec: str, *, data_root: Path | None = None, split: str | None = None, download: bool = False) -> Dataset:
    """Return the dataset that lies at a path.

    Args:
        spec: The path: a file or a folder that is there.
        data_root: A folder that the paths of a table are relative to; refused for what has no such paths.
        split: The part to read.
        download: Refused: it is read where it is.

    Returns:
        The dataset.

    Raises:
        SplitError: There is no such part.
        DatasetError: No reader knows what lies there, or the one that does cannot read it.
    """
    path = Path(spec)
    refuse_download(f"the {'folder' if path.is_dir() else 'file'} '{spec}'", download=download)
    reader = _reader(path)
    if data_root is not None and reader not in _ROOTED:
        to_be = f"left out for a {'folder' if path.is_dir() else 'file'}, which its path names"
        raise DatasetError(expected("--data-root", to_be, str(data_root), "Leave it out"))
    return _read(reader, path, spec, _Options(data_root, split))


_ROOTED = ("table", "flat")
_LOAD: Mapping[str, Callable[..., Dataset]] = {
    "hf": hf.load,
    "wds": wds.load,
    "npz": npz.load,
    "zip": zipped.load,
    "table": table.load,
    "folder": folders.load,
}


def takes_root(spec: str) -> bool:
    """Return whether what lies at a path names images elsewhere, so that a root for them makes sense."""
    return _reader(Path(spec)) in _ROOTED


def _reader(path: Path) -> str:
    return _of_folder(path) if path.is_dir() else _of_file(path)


@dataclass(frozen=True)
class _Options:
    root: Path | None
    split: str | None


def _read(reader: str, path: Path, spec: str, options: _Options) -> Dataset:
    """Return what a reader makes of a path."""
    if reader == "flat":
        return read_flat(path, spec, root=options.root, split=options.split)
    if reader == "cifar":
        return read_cifar(named.cifar_in(path) or path, spec, options.split)
    if reader == "torchvision":
        name, root = named.of_folder(path) or ("", path)
        if not name:
            return named.read_unnamed(path, spec, options.split)
        return named.load(name, data_root=root, split=options.split)
    load: Callable[..., Dataset] = _LOAD[reader]
    return load(spec, data_root=options.root if reader == "table" else None, split=options.split)


def _of_file(path: Path) -> str:
    """Return the reader of a file, by its name and, of tables that may hold images, by its columns."""
    if wds.is_tar(path.name):
        return "wds"
    suffix = path.suffix.lower()
    readers = {".zip": "zip", ".npz": "npz", ".npy": "npz"}
    if suffix in readers:
        return readers[suffix]
    if suffix in PARQUET_SUFFIXES | ARROW_SUFFIXES and hf.holds_images(path):
        return "hf"
    if suffix == ".gz" and inner_suffix(path) in SUFFIXES:
        return "table"
    _refuse_other_kinds(path, suffix)
    refuse_detection(path)
    return "zip" if not suffix and zipfile.is_zipfile(path) else "table"


def _refuse_other_kinds(path: Path, suffix: str) -> None:
    """Raise DatasetError where a suffix tells a kind of file that is no dataset, or none that is read."""
    known = {
        **{kind: (f"a {kind} archive", f"Unpack it with `{how} {path}`") for kind, how in _OTHER_ARCHIVES.items()},
        **dict.fromkeys(_SPREADSHEETS, ("a spreadsheet", "Save the list of images in its program as CSV UTF-8")),
        **{kind: (f"{what}, which is not read", _EXPORT) for kind, what in _OTHER_DATA.items()},
        **dict.fromkeys(_MODELS, ("a file of a model", "Give images: a folder of class folders, a table, an archive")),
    }
    found = known.get(suffix)
    if found is None and is_image_name(path.name):
        found = ("one image", "Name the folder of class folders that it lies in, or a table of images and labels")
    if found is not None:
        raise DatasetError(expected(f"'{path}'", "a folder, a table or an archive of images", *found))


def _of_folder(path: Path) -> str:
    """Return the reader of a folder, by what lies in it."""
    refuse_detection(path)
    if named.cifar_in(path):
        return "cifar"
    if (path / "dataset_dict.json").is_file() or arrow_files(path) or hf.saved_parts(path):
        return "hf"
    if named.of_folder(path):
        return "torchvision"
    files, inside = _looked(path)
    # What the reader of folders knows by itself, or knows what to say of.
    if (path / ANNOTATIONS).is_file() or find_parts(path) or any(name.startswith("ILSVRC2012_val_") for name in files):
        return "folder"
    with_images = [name for name in inside[:_LOOKED] if _has_images(path / name)]
    images = [name for name in files if is_image_name(name)]
    if not images and not with_images:
        return _without_images(path, inside)
    if _may_be_flat(path, with_images) and has_label_file(path):
        return "flat"
    if images and not with_images:
        raise no_table(path, images)
    return "folder"


def _may_be_flat(path: Path, with_images: Sequence[str]) -> bool:
    """Return whether no folder with images is a class: there is at most one, or all are called like parts or images."""
    other = [name for name in with_images if name.casefold() not in _OF_IMAGES and not split_kind(name)]
    return len(other) < 2 and len(with_images) - len(other) < 9 and not any(_has_folders(path / n) for n in with_images)


def _without_images(path: Path, inside: Sequence[str]) -> str:
    """Return the reader of a folder without images of its own: one of Parquet files or tars, else the folder's."""
    if (path / "data.mdb").is_file():
        _refuse_other_kinds(path / "data.mdb", ".mdb")
    parquet = parquet_files(path)
    if parquet and hf.holds_images(parquet[0]):
        return "hf"
    deep = any(_has_images(path / name / below) for name in inside for below in _looked(path / name)[1][:_LOOKED])
    return "wds" if not deep and wds.tars_in(path) else "folder"


def _looked(path: Path) -> tuple[list[str], list[str]]:
    """Return the names of files and of folders in a folder, without what systems leave behind; empty on error."""
    files: list[str] = []
    inside: list[str] = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if not is_litter(entry.name):
                    (inside if entry.is_dir() else files).append(entry.name)
    except OSError:
        return [], []
    return files, sorted(inside)


def _has_images(path: Path) -> bool:
    """Return whether an image lies in a folder itself."""
    try:
        with os.scandir(path) as entries:
            return any(is_image_name(entry.name) and not is_litter(entry.name) for entry in entries)
    except OSError:
        return False


def _has_folders(path: Path) -> bool:
    """Return whether folders with images lie in a folder, so that these may be the classes."""
    return any(_has_images(path / name) for name in _looked(path)[1][:_LOOKED])
