"""Hugging Face datasets: Parquet files with images in them, ``save_to_disk`` folders, image folders, hub names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cuesense.datasets.arrow_images import ArrowImages, arrow_files, missing_files, parquet_files
from cuesense.datasets.flat import has_label_file, read_flat
from cuesense.datasets.folder import load as load_classes
from cuesense.datasets.formats import is_image_content
from cuesense.datasets.hf_features import (
    class_names,
    features_of,
    holds_bytes,
    image_column,
    label_column,
    read_object,
)
from cuesense.datasets.hub import from_hub
from cuesense.datasets.labels import read_labels
from cuesense.datasets.records import RecordDataset, from_records, record_ids
from cuesense.datasets.split_choice import choose_split
from cuesense.datasets.splits import refuse_download, refuse_split, split_kind
from cuesense.datasets.table import load as load_table
from cuesense.errors import DatasetError, expected, listed
from cuesense.tables.read_listing import SUFFIXES
from cuesense.types import Dataset

_SHOWN = 4
# Names of columns of images, also where the first of them is missing.
_IMAGES = ("image", "img", "images", "bytes", "jpg", "png")


def load(argument: str, *, data_root: Path | None = None, split: str | None = None, download: bool = False) -> Dataset:
    """Return images of a Hugging Face dataset.

    Parquet files and ``save_to_disk`` folders are read with pyarrow, without the package ``datasets``; class names
    are those of the dataset's ClassLabel. A folder of class folders, or of images with a ``metadata.jsonl`` or
    ``metadata.csv``, is read as the imagefolder builder reads it.

    Args:
        argument: A ``.parquet`` or ``.arrow`` file, a folder, or the name of a dataset on the hub (``user/name``,
            ``user/name@config``), which needs the package ``datasets`` (cuesense[hf]).
        data_root: A folder that a relative path may start from.
        split: The part to read; None takes validation, else test, and says so.
        download: Fetch a dataset of the hub that is not in the cache of ``datasets``.

    Returns:
        The dataset. Ids are the names of the images' files, in the folder of their class where they have none, else
        positions.

    Raises:
        SplitError: There is no such part.
        DatasetError: Nothing is there, it is damaged, or holds no images with one class each.
    """
    if not argument:
        raise DatasetError(expected("hf", "followed by a path or a name", "none", "Write hf:PATH or hf:USER/NAME"))
    path = next((path for path in _paths(argument, data_root) if path.exists()), None)
    if path is None:
        _refuse_missing_path(argument)
        return from_hub(argument, split=split, download=download)
    refuse_download(f"'{argument}'", download=download)
    spec = f"hf:{argument}"
    if path.is_dir():
        return read_folder(path, spec, split)
    if path.suffix.lower() in SUFFIXES and not holds_images(path):
        # A list of images in the same format.
        return replace(load_table(str(path), split=split), spec=spec)
    return read_files([path], spec, f"'{path}'")


def holds_images(path: Path) -> bool:
    """Return whether a Parquet or Arrow file has a column of images, and not of their paths alone."""
    images = ArrowImages((path,), f"'{path}'")
    try:
        schema = images.schema
        features = features_of(schema, path.parent)
        marked = any(isinstance(value, dict) and value.get("_type") == "Image" for value in features.values())
        bytes_in = [field for field in schema if holds_bytes(field.type)]
        # Text without a mark is bytes, too: a column of names is no column of images.
        return (
            marked
            or any(field.type.num_fields or field.name in _IMAGES for field in bytes_in)
            or any(is_image_content(images.first(field.name)) for field in bytes_in)
        )
    except Exception:  # whatever is wrong with it, the reader of tables says so
        return False


def _refuse_missing_path(argument: str) -> None:
    """Refuse what looks like a path and not like the name of a dataset on the hub."""
    path = Path(argument.partition("@")[0])
    if path.is_absolute() or argument.startswith(".") or len(path.parts) > 2 or path.suffix in (".parquet", ".arrow"):
        raise DatasetError(expected(f"hf:{argument}", "a file or a folder", "nothing there", "Check the path"))


def _paths(argument: str, root: Path | None) -> list[Path]:
    return [Path(argument), *([root / argument] if root else [])]


def read_folder(folder: Path, spec: str, split: str | None = None) -> Dataset:
    """Return the images of a folder in any of the layouts of ``datasets``; the rest as for ``load``."""
    what = f"'{folder}'"
    if (folder / "dataset_dict.json").is_file() or saved_parts(folder):
        return _of_dict(folder, spec, split)
    saved = arrow_files(folder)
    parts = parts_of(saved or parquet_files(folder))
    if list(parts) == [""]:
        refuse_split(what, split)
        return read_files(_of_one(parts[""], folder), spec, what, *missing_files(parts[""]))
    if parts:
        chosen, said = choose_split(list(parts), split, what)
        files = _of_one(parts[chosen], folder)
        return replace(read_files(files, spec, what, said, *missing_files(files)), split=chosen)
    if has_label_file(folder):
        return read_flat(folder, spec, split=split)
    return replace(load_classes(str(folder), split=split), spec=spec)


def saved_parts(folder: Path) -> list[str]:
    """Return the names of parts (train, test, ...) that were saved to disk each for itself, in one folder."""
    return sorted(path.name for path in folder.iterdir() if split_kind(path.name) and arrow_files(path))


def _of_dict(folder: Path, spec: str, split: str | None) -> Dataset:
    """Return one part of a saved DatasetDict."""
    what = f"'{folder}'"
    found = read_object(folder / "dataset_dict.json").get("splits")
    names = [name for name in found if isinstance(name, str)] if isinstance(found, list) else []
    there = [name for name in names or saved_parts(folder) if Path(name).name == name and arrow_files(folder / name)]
    if not there:
        do = "Save it again with save_to_disk, or name a folder with data-*.arrow files"
        raise DatasetError(expected(what, "a DatasetDict with its parts", "none of their folders", do))
    chosen, said = choose_split(there, split, what)
    files = arrow_files(folder / chosen)
    return replace(read_files(files, spec, what, said, *missing_files(files)), split=chosen)


def _of_one(files: Sequence[Path], folder: Path) -> Sequence[Path]:
    """Return files of one configuration; refuse those of several, which are versions of the same images.

    Raises:
        DatasetError: They lie in several folders that are called like no part.
    """
    inside = (path.relative_to(folder).parts[0] for path in files if path.parent != folder)
    names = sorted({name for name in inside if not split_kind(name)})
    if len(names) > 1:
        got = f"several: {listed(names, _SHOWN)}"
        raise DatasetError(expected(f"'{folder}'", "one configuration of a dataset", got, f"Name {folder / names[0]}"))
    return files


def parts_of(files: Sequence[Path]) -> dict[str, list[Path]]:
    """Return files by the part that their names or folders say; one part, "", where they say none."""
    parts: dict[str, list[Path]] = {}
    for path in files:
        words = [word for word in path.stem.split("-") if split_kind(word)]
        folder = path.parent.name if path.suffix != ".arrow" and split_kind(path.parent.name) else ""
        parts.setdefault(words[0] if words else folder, []).append(path)
    if len(parts) > 1:
        parts.pop("", None)
    return parts


def read_files(files: Sequence[Path], spec: str, what: str, *said: str | None) -> RecordDataset:
    """Return the images that lie in Parquet or Arrow files.

    Args:
        files: The files, all of one schema.
        spec: What the user named.
        what: What errors call it.
        said: What to say of these files.

    Raises:
        DatasetError: A file is damaged, or there is no column of images or of classes.
    """
    images = ArrowImages(tuple(files), what)
    schema = images.schema
    features = features_of(schema, files[0].parent)
    image = image_column(schema, features, what)
    label = label_column(schema, features, image, what)
    values, names = images.columns(image, label)
    labels = read_labels(values, what, class_names(features.get(label)))
    classes = [labels.names[index] for index in labels.indices]
    ids = record_ids(names, classes)
    records = zip(ids, labels.indices, range(len(ids)), strict=True)
    return from_records(spec, labels.names, records, images.source(image), filter(None, said))
