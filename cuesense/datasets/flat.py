"""Folders of images without class folders: a table in the folder says the class of each image."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cuesense.datasets.columns import is_heading, label_headings, path_headings
from cuesense.datasets.files import FileDataset
from cuesense.datasets.left_out import is_image_name, is_litter
from cuesense.datasets.split_choice import choose_split
from cuesense.datasets.splits import split_kind
from cuesense.datasets.table import read_table
from cuesense.errors import CuesenseError, DatasetError, expected, listed
from cuesense.tables.boundary import TableFile
from cuesense.tables.read_listing import ARROW_SUFFIXES, PARQUET_SUFFIXES, SUFFIXES, read_listing

if TYPE_CHECKING:
    import pandas as pd

# Names of tables of labels without their suffix, the likeliest first; "metadata" is that of Hugging Face.
_NAMES = ("metadata", "labels", "label", "annotations", "annotation", "list", "data", "index", "classes", "images")
# Text files that are no table of labels.
_NO_TABLES = frozenset(
    (
        "readme", "license", "licence", "requirements", "classes", "class_names", "classnames", "names", "label_names",
        "sample_submission", "submission", "dataset_info", "dataset_infos", "data_info", "class_to_idx", "state",
        "config", "package",
    )
)  # fmt: skip
_SHOWN = 4
# Chosen by hand.
_LARGEST_JSON = 2**26


def tables_in(folder: Path) -> list[Path]:
    """Return the tables in a folder that may say the classes of images, the likeliest first."""
    with os.scandir(folder) as entries:
        found = [Path(entry.path) for entry in entries if entry.is_file() and not is_litter(entry.name)]
    known = {name: rank for rank, name in enumerate((folder.name, *_NAMES))}
    rows = [path for path in found if path.suffix.lower() in SUFFIXES and path.stem.casefold() not in _NO_TABLES]
    return sorted(rows, key=lambda path: (known.get(path.stem.casefold(), len(known)), path.name))


def has_label_file(folder: Path) -> bool:
    """Return whether images without class folders have a table beside them, or in the parts of a dataset."""
    return bool(label_tables(folder)) or bool(_parts(folder))


def read_flat(folder: Path, spec: str, *, root: Path | None = None, split: str | None = None) -> FileDataset:
    """Return the images of a folder whose classes a table in it says.

    Args:
        folder: The folder: it holds the table, and the images or a folder of them.
        spec: What the user named.
        root: As for tables: another folder that the table's paths are relative to.
        split: The part to read: a folder (``train``, ``test``) with a table of its own, a table called so, or the rows
            of a table with a column of parts.

    Returns:
        The dataset; its ids are the paths as the table writes them.

    Raises:
        SplitError: There is no such part.
        DatasetError: There is no table, several may be meant, or the one that is there cannot be used.
    """
    tables = label_tables(folder)
    if not tables:
        return _part(folder, spec, root, split)
    parts = {path.stem: path for path in tables if split_kind(path.stem)}
    if len(parts) == len(tables) and (len(parts) > 1 or split is not None):
        chosen, said = choose_split(list(parts), split, f"'{folder}'")
        return replace(_noted(read_table(parts[chosen], spec, root=root), said), split=chosen)
    table = _the_one(folder, tables)
    found = read_table(table, spec, root=root, split=split)
    return _noted(found, f"The classes are those of the table '{table.name}' in the folder.")


def no_table(folder: Path, images: list[str]) -> DatasetError:
    """Return the error about images of which no folder and no table says the class.

    Args:
        folder: The folder.
        images: Names of the images in it.
    """
    got = f"images without class folders ({listed(sorted(images), _SHOWN)}) and without a table of labels"
    do = (
        "Make one folder per class, or put a table labels.csv with the columns path and label beside them (classes are "
        "not guessed from names of files)"
    )
    return DatasetError(expected(f"the folder '{folder}'", "a folder of class folders", got, do))


def _the_one(folder: Path, tables: list[Path]) -> Path:
    known = [path for path in tables if path.stem.casefold() in (*_NAMES, folder.name)]
    # "train.csv" beside others that are no part's, as competitions have it.
    parts = [path for path in tables if split_kind(path.stem)]
    found = known[:1] or (parts if len(parts) == 1 else tables)
    if len(found) > 1:
        got = f"{len(found)} ({listed([path.name for path in found], _SHOWN)})"
        do = "Name the table itself, or call it labels.csv"
        raise DatasetError(expected(f"the folder '{folder}'", "one with one table of labels", got, do))
    return found[0]


def _parts(folder: Path) -> dict[str, Path]:
    """Return the parts of a dataset in a folder that have a table each."""
    with os.scandir(folder) as entries:
        inside = sorted(Path(entry.path) for entry in entries if entry.is_dir() and split_kind(entry.name))
    return {path.name: path for path in inside if label_tables(path)}


def _part(folder: Path, spec: str, root: Path | None, split: str | None) -> FileDataset:
    parts = _parts(folder)
    if not parts:
        with os.scandir(folder) as entries:
            raise no_table(folder, [entry.name for entry in entries if is_image_name(entry.name)])
    chosen, said = choose_split(list(parts), split, f"'{folder}'")
    return replace(_noted(read_flat(parts[chosen], spec, root=root), said), split=chosen)


def _noted(dataset: FileDataset, remark: str | None) -> FileDataset:
    return replace(dataset, remarks=(*([remark] if remark else []), *dataset.remarks))


def label_tables(folder: Path) -> list[Path]:
    """Return the tables in a folder that say classes of images, the likeliest first: those with a heading for classes.

    Where no table has one, those whose columns may be classes all the same.
    """
    ranks = {path: _rank(path) for path in tables_in(folder)}
    return [path for path, rank in ranks.items() if rank and rank == max(ranks.values())]


def _numbers_images(frame: pd.DataFrame) -> bool:
    """Return whether a table says another thing of every image, such as its number, and so no classes."""
    return len(frame) > 2 and all(frame[name].nunique() == len(frame) for name in frame.columns)


def _rank(path: Path) -> int:
    """Return 2 for a table with headings of images and classes, 1 for one that may be such a table, else 0."""
    suffix = path.suffix.lower()
    # A large document is read only where it is named itself; Parquet and Arrow files hold images more often than lists.
    if suffix in PARQUET_SUFFIXES | ARROW_SUFFIXES or (suffix == ".json" and path.stat().st_size > _LARGEST_JSON):
        return 0
    try:
        frame, form = read_listing(TableFile(path, f"the table '{path}'", (), ""), is_heading, is_image_name)
    except CuesenseError:
        return 0
    names = [str(name) for name in frame.columns]
    if form is not None and not form.header:
        return 2 if len(names) > 1 and not _numbers_images(frame) else 0
    if not path_headings(names) or len(names) < 2:
        return 0
    return 2 if label_headings(names) else 1
