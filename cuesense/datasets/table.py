"""A table that lists images and their classes: CSV, TSV, text lines, JSON Lines, JSON or Parquet, as people have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cuesense.datasets.columns import Columns, are_zero_one, choose_columns, is_heading, is_one, values_of
from cuesense.datasets.files import FileDataset, from_files
from cuesense.datasets.labels import Labels, read_labels
from cuesense.datasets.left_out import is_image_name
from cuesense.datasets.names import loose_key
from cuesense.datasets.names_beside import name_classes
from cuesense.datasets.places import place
from cuesense.datasets.split_choice import choose_split
from cuesense.datasets.splits import refuse_download, refuse_split, split_kind
from cuesense.errors import DatasetError, expected, listed
from cuesense.tables.boundary import TableFile
from cuesense.tables.read_listing import SUFFIXES, read_listing
from cuesense.tables.sniff import Form
from cuesense.tables.unpack import inner_suffix, unpacked

if TYPE_CHECKING:
    import pandas as pd

_SPLIT_HEADINGS = frozenset(("split", "subset", "partition", "phase", "fold", "set", "data set", "dataset", "usage"))
# Columns that are 1 for one part and 0 for another.
_FLAGS = {
    **dict.fromkeys(("is valid", "isvalid", "is val", "is validation"), ("valid", "train")),
    **dict.fromkeys(("is test", "istest"), ("test", "train")),
    **dict.fromkeys(("is train", "istrain", "is training", "is training image"), ("train", "test")),
}
# Names that a sentence lists.
_SHOWN = 3


def load(
    argument: str, *, data_root: Path | None = None, split: str | None = None, download: bool = False
) -> FileDataset:
    """Return the images that a table lists.

    The columns are found by the usual headings in any case and spelling (path, file_name, image_id, ...; label, class,
    target, ...), else by what is in them; cells may be separated by commas, tabs, semicolons, ``|`` or, in lines
    ``path index``, by blanks; a header may be missing. Integer labels are sorted as numbers, names as strings; each
    distinct label is a class. Numbers become the names of a file such as ``classes.txt`` beside the table. Images lie
    where their paths say, relative to data_root or to the table, or in a folder such as ``images`` there; names may
    lack the suffix. Where no image is where its path says, images below the table's folder are looked for by the end of
    their paths, by names without suffix, or by number, which is said. A single missing file is found out when it is
    decoded.

    Args:
        argument: A ``.csv``, ``.tsv``, ``.txt``, ``.jsonl``, ``.json``, ``.parquet`` or ``.feather`` file; text also
            packed with gzip (``.csv.gz``).
        data_root: A folder that paths are relative to; None takes the table's own.
        split: The rows to read, where the table has a column of parts (split, is_valid).
        download: Refused: a table is read where it is.

    Returns:
        The dataset; its ids are the paths as the table writes them.

    Raises:
        SplitError: There is no such part.
        DatasetError: The table cannot be read, is empty, names no images or no classes, names a path twice, has a
            label that is neither a name nor a non-negative integer, or several labels an image; or no image is there.
    """
    if not argument:
        raise DatasetError(expected("table", "followed by a path", "none", "Write table:PATH"))
    refuse_download(f"the table '{argument}'", download=download)
    return read_table(Path(argument), argument, root=data_root, split=split)


def read_table(table: Path, spec: str, *, root: Path | None = None, split: str | None = None) -> FileDataset:
    """Return the images that a table lists, under a given spec; arguments and errors as for ``load``."""
    found = read_rows(table, split)
    paths, where = place(found.ids, table, root)
    files = list(zip(found.ids, found.labels.indices, paths, strict=True))
    remarks = [*found.remarks, *([where] if where else [])]
    return replace(from_files(spec, found.labels.names, files), remarks=tuple(remarks), split=found.split)


@dataclass(frozen=True)
class Rows:
    """What a table says of its images.

    Attributes:
        ids: The paths as the table writes them, all different.
        labels: The class of each.
        remarks: What was chosen, in sentences.
        split: The part that the rows are, where a column says the parts.
    """

    ids: list[str]
    labels: Labels
    remarks: tuple[str, ...]
    split: str | None = None


def read_rows(table: Path, split: str | None = None) -> Rows:
    """Return what a table says, wherever its images lie.

    Args:
        table: The file.
        split: The rows to read, where it has a column of parts.

    Raises:
        DatasetError: As for ``load``.
    """
    what = f"the table '{table}'"
    if inner_suffix(table) not in SUFFIXES:
        do = "Save the list of images as one of them, or name a folder of class folders"
        raise DatasetError(expected(what, "a .csv, .tsv, .txt, .jsonl or .parquet file", f"'{table.name}'", do))
    file = TableFile(table, what, (), "Save it again as UTF-8 CSV or Parquet")
    with unpacked(file) as plain:
        frame, form = read_listing(plain, is_heading, is_image_name)
    if not len(frame):
        raise DatasetError(expected(what, "a list of images", "no rows", "Add one row per image"))
    kept, part, said = _rows_of_split(frame, split, what)
    columns = choose_columns(kept, file)
    if part is not None:
        columns = replace(columns, names=_classes_of_all(frame, file, columns.names))
    ids = [_id(path, row, table) for row, path in enumerate(columns.paths, start=1)]
    _check_distinct(ids, table)
    labels, named = _labels(columns, table)
    remarks = [said, *_form_remarks(form), *columns.remarks, named, _spellings(labels.names)]
    return Rows(ids, labels, tuple(filter(None, remarks)), part)


def _rows_of_split(frame: pd.DataFrame, split: str | None, what: str) -> tuple[pd.DataFrame, str | None, str | None]:
    """Return the rows of one part where a column says the parts, its name, and what to say of the choice."""
    found = ((name, _parts(frame[name], name, split)) for name in frame.columns)
    column, parts = next(((name, parts) for name, parts in found if parts), ("", []))
    # Rows without a part are of none.
    known = sorted(set(parts) - {""})
    if not known:
        refuse_split(what, split)
        return frame, None, None
    chosen, said = choose_split(known, split, what)
    kept = frame[[part == chosen for part in parts]].reset_index(drop=True)
    if said is None and len(kept) < len(frame):
        said = (
            f"Of the {len(frame):,} rows of {what}, the {len(kept):,} of '{chosen}' in the column {column} were read."
        )
    return kept, chosen, said


def _classes_of_all(frame: pd.DataFrame, file: TableFile, of_part: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return the classes of all rows: a network knows those of the training rows, of which one part may lack some.

    Args:
        frame: All rows.
        file: The table.
        of_part: What is known from the rows of the part, which stays where other rows have no classes of their own.
    """
    try:
        columns = choose_columns(frame, file)
        return columns.names or read_labels(columns.labels, file.what).names
    except DatasetError:
        return of_part


def _parts(column: pd.Series, heading: Any, asked: str | None) -> list[str]:
    """Return the part that each row is of, "" for none, where a column says it; an empty list for other columns.

    Numbers, as of the folds of a cross-validation, are parts only where one of them is asked for.
    """
    name = str(heading).strip().casefold().replace("_", " ")
    if name in _FLAGS and are_zero_one(column):
        yes, no = _FLAGS[name]
        return [yes if is_one(value) else no for value in column]
    parts = ["" if value is None else str(value).strip() for value in values_of(column)]
    return parts if name in _SPLIT_HEADINGS and any(split_kind(part) or part == asked for part in parts) else []


def _form_remarks(form: Form | None) -> list[str]:
    """Return what to say of a table without a header, whose first row a heading could have been."""
    if form is None or form.header:
        return []
    return ["The table has no header: its first line was read as an image, and columns were told by what is in them."]


def _spellings(names: Sequence[str]) -> str | None:
    """Return what to say of classes that differ in case or blanks alone; single letters are signs, as in EMNIST."""
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(loose_key(name), []).append(f"'{name}'")
    several = [" and ".join(forms) for key, forms in alike.items() if len(forms) > 1 and len(key) > 1]
    if not several:
        return None
    return f"Classes that differ in case or blanks alone were counted apart: {listed(several, _SHOWN)}."


def _labels(columns: Columns, table: Path) -> tuple[Labels, str | None]:
    what = f"'{table}'"
    labels = read_labels(columns.labels, what, columns.names)
    return name_classes(labels, [table.parent])


def _id(value: Any, row: int, table: Path) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        found = f"{value!r} in row {row}"
        raise DatasetError(expected(f"each path of '{table}'", "the path of an image", found, "Fill in the path"))
    if "://" in value:
        do = "Download the images, and write where they lie"
        raise DatasetError(expected(f"each path of '{table}'", "a file on this machine", f"the URL '{value}'", do))
    return Path(value.replace("\\", "/") if "/" not in value else value).as_posix()


def _check_distinct(ids: Sequence[str], table: Path) -> None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            found = f"'{name}' more than once"
            do = "Remove the repeated rows; images with several labels or boxes are no single-label dataset"
            raise DatasetError(expected(f"each path of '{table}'", "listed once", found, do))
        seen.add(name)
