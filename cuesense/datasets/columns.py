"""Which columns of a table name the images and which their classes: by their headings, else by what is in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn

from cuesense.datasets.left_out import is_image_name
from cuesense.errors import DatasetError, expected, listed
from cuesense.tables.boundary import TableFile

if TYPE_CHECKING:
    import pandas as pd

# Headings without blanks and marks, in lower case, the most telling ones first.
_PATHS = (
    "path", "filepath", "imagepath", "imgpath", "filename", "imagefilename", "imagefile", "file", "image", "img",
    "imagename", "imgname", "fname", "relativepath", "relpath", "filepaths", "filenames", "images", "imageid", "imgid",
    "imageindex", "photo", "picture", "imageurl", "url", "uri", "key", "id",
)  # fmt: skip
_LABELS = (
    "label", "labelname", "classname", "class", "category", "categoryname", "target", "targetname", "finelabel", "y",
    "species", "breed", "diagnosis", "labels", "classes", "classlabel", "classid", "labelid", "categoryid", "targetid",
    "classindex", "classidx", "labelindex", "labelidx", "cls", "groundtruth", "gt", "findinglabels", "tags",
)  # fmt: skip
# Columns of boxes around objects.
_BOXES = ({"xmin", "ymin", "xmax", "ymax"}, {"x1", "y1", "x2", "y2"}, {"bbox"}, {"boxes"}, {"objects"})
_SHOWN = 6
# Cells that are looked at to find out what a column holds. Chosen by hand.
_LOOKED = 50
_ZERO_ONE = frozenset(("0", "1", "0.0", "1.0", "true", "false", "yes", "no"))
_ONE = frozenset(("1", "1.0", "true", "yes"))


@dataclass(frozen=True)
class Columns:
    """What a table says of its images.

    Attributes:
        paths: The cell that names each image.
        labels: The cell that names each image's class.
        names: The names of the classes in the order of their numbers, where the table tells them; else None.
        remarks: What was chosen, in sentences.
    """

    paths: list[Any]
    labels: list[Any]
    names: tuple[str, ...] | None = None
    remarks: tuple[str, ...] = ()


def is_heading(text: str) -> bool:
    """Return whether a text is the usual name of a column of images or of classes."""
    return _plain(text) in _PATHS or _plain(text) in _LABELS


def path_headings(names: Sequence[str]) -> list[str]:
    """Return the names that usually head a column of images, the most telling one first."""
    return _ranked(names, _PATHS)


def label_headings(names: Sequence[str]) -> list[str]:
    """Return the names that usually head a column of classes, the most telling one first."""
    return _ranked(names, _LABELS)


def choose_columns(table: pd.DataFrame, file: TableFile) -> Columns:
    """Return the columns of a table that name images and classes.

    Args:
        table: All columns.
        file: Where it stands, for errors.

    Raises:
        DatasetError: No column names images or classes, several may name the classes, or the table is of boxes or of
            several labels an image.
    """
    names = [str(name) for name in table.columns]
    path = _path_column(table, file, names)
    others = [name for name in names if name != path]
    _refuse_boxes(table, path, others, file)
    label = _label_columns(table, others)
    if not label:
        return _one_hot(table, path, others, file)
    paths = values_of(table[path])
    if len(label) == 1:
        said = (_said(label[0], others),)
        return Columns(paths, values_of(table[label[0]]), None, tuple(filter(None, said)))
    return _several(table, path, label, file)


def values_of(column: pd.Series) -> list[Any]:
    """Return the cells of a column, None for empty ones."""
    if not column.isna().any():
        return column.tolist()
    # Beside empty cells pandas reads whole numbers as decimal ones: the empty cell is what must be named.
    values = column.astype(object).where(column.notna(), None).tolist()
    return [int(value) if isinstance(value, float) and value.is_integer() else value for value in values]


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _ranked(names: Sequence[str], known: Sequence[str]) -> list[str]:
    return sorted((name for name in names if _plain(name) in known), key=lambda name: known.index(_plain(name)))


def _path_column(table: pd.DataFrame, file: TableFile, names: Sequence[str]) -> str:
    ranked = _ranked(names, _PATHS)
    images = [name for name in names if _share(table[name], is_image_name) > 0.5]
    # What looks like names of images goes before a heading such as "id", which may be a number of another table.
    chosen = next((name for name in ranked if name in images), None) or next(iter([*images, *ranked]), None)
    if chosen is None:
        _refuse_missing(file, names, "the images (such as path, filename or image)")
    return chosen


def _share(column: pd.Series, test: Callable[[str], bool]) -> float:
    cells = [value for value in column.head(_LOOKED) if isinstance(value, str)]
    return sum(map(test, cells)) / max(1, min(len(column), _LOOKED))


def _label_columns(table: pd.DataFrame, others: Sequence[str]) -> list[str]:
    """Return the columns that may name the classes: the one called label, else what headings or contents tell."""
    ranked = _ranked(others, _LABELS)
    named = [name for name in ranked if _plain(name) in ("label", "labelname")]
    if named:
        # "label" may be a number, with the name in a column of its own.
        beside = [name for name in ranked if name not in named and _is_number_of(table, named[0], name)]
        return named if len(named) > 1 else named + beside[:1]
    if ranked:
        return ranked
    return list(others) if len(others) == 1 else []


def _is_number_of(table: pd.DataFrame, number: str, name: str) -> bool:
    return _numbers(table[number]) is not None and _one_to_one(table, number, name)


def _numbers(column: pd.Series) -> list[int] | None:
    """Return the cells as whole numbers, None where they are something else."""
    try:
        return [int(str(value)) for value in values_of(column)]
    except ValueError:
        return None


def _one_to_one(table: pd.DataFrame, one: str, other: str) -> bool:
    pairs = set(zip(map(str, table[one]), map(str, table[other]), strict=True))
    return len(pairs) == len({first for first, _ in pairs}) == len({second for _, second in pairs})


def _several(table: pd.DataFrame, path: str, label: Sequence[str], file: TableFile) -> Columns:
    """Return the classes of two columns that say the same, as number and as name; refuse others."""
    first, second = label[:2]
    paths = values_of(table[path])
    same = all(_one_to_one(table, first, name) for name in label[1:])
    if not same:
        got = " and ".join(f"'{name}' ({table[name].nunique()} different values)" for name in label[:3])
        do = "Call the one that counts label, or remove the others"
        file.refuse("one with one column of classes", got, do)
    number, name = next(
        ((one, two) for one, two in ((first, second), (second, first)) if _numbers(table[one]) is not None),
        (None, first),
    )
    remark = f"Of the columns {' and '.join(label[:3])}, which tell the same classes, {name} was taken for their names."
    if number is None or _numbers(table[name]) is not None:
        return Columns(paths, values_of(table[first]), None, (remark,))
    order = sorted(set(zip(_numbers(table[number]) or (), map(str, table[name]), strict=True)))
    return Columns(paths, [str(value) for value in values_of(table[name])], tuple(n for _, n in order), (remark,))


def _said(label: str, others: Sequence[str]) -> str:
    """Return what to say of a choice that is no matter of course."""
    left = [name for name in _ranked(others, (*_LABELS, "coarselabel", "superclass", "supercategory")) if name != label]
    return f"The classes are those of the column {label}, not of {listed(left, _SHOWN)}." if left else ""


def _one_hot(table: pd.DataFrame, path: str, others: Sequence[str], file: TableFile) -> Columns:
    """Return the classes of columns of which exactly one is 1 in each row."""
    columns = [name for name in others if are_zero_one(table[name])]
    if not others:
        return _by_folder(table, path, file)
    if len(columns) < 2:
        _refuse_missing(file, [path, *others], "the classes (such as label, class or target)")
    ones = table[columns].map(is_one).to_numpy().sum(axis=1)
    wrong = next((row for row, count in enumerate(ones, start=1) if count != 1), None)
    if wrong is not None:
        are = [name for name in columns if is_one(table[name].iloc[wrong - 1])]
        named = f": {listed(are, _SHOWN)}" if are else ""
        got = f"{len(are)} of the {len(columns)} columns set in row {wrong} (a multi-label table{named})"
        do = "cuesense needs one class an image: keep the images with one label, or analyze one label with yes and no"
        file.refuse("one with one class an image (exactly one column with 1)", got, do)
    found = table[columns].map(is_one).to_numpy().argmax(axis=1)
    remark = f"The classes are the {len(columns)} columns of which one is 1 in each row: {listed(columns, _SHOWN)}."
    return Columns(values_of(table[path]), [columns[place] for place in found], tuple(columns), (remark,))


def _by_folder(table: pd.DataFrame, path: str, file: TableFile) -> Columns:
    """Return the folders that images lie in as their classes, where a table has paths alone."""
    paths = values_of(table[path])
    folders = [PurePosixPath(str(value).replace("\\", "/")).parent.name for value in paths]
    if not all(folders) or not 1 < len(set(folders)) < len(folders):
        _refuse_missing(file, [path], "the classes (such as label, class or target)")
    remark = f"No column says the classes: they are the folders of the images, such as '{min(folders)}'."
    return Columns(paths, folders, None, (remark,))


def are_zero_one(column: pd.Series) -> bool:
    """Return whether all cells of a column are yes or no, in numbers or words."""
    return bool(column.map(lambda value: str(value).strip().casefold() in _ZERO_ONE).all())


def is_one(value: Any) -> bool:
    """Return whether a cell says yes."""
    return str(value).strip().casefold() in _ONE


def _refuse_boxes(table: pd.DataFrame, path: str, others: Sequence[str], file: TableFile) -> None:
    plain = {_plain(name) for name in others}
    if any(box <= plain for box in _BOXES) and table[path].duplicated().any():
        do = "cuesense needs one class an image: cut the boxes out, or keep images with one object"
        file.refuse("a list of images with one class each", "boxes of several objects (object detection)", do)


def _refuse_missing(file: TableFile, names: Sequence[str], what: str) -> NoReturn:
    shown = listed([str(name) for name in names], _SHOWN) or "none"
    do = "Name two columns path and label"
    got = f"none that names {what}; its columns: {shown}"
    raise DatasetError(expected(file.what, "one with a column of images and one of classes", got, do))
