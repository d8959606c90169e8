"""A sweep from a table of accuracies, where logs were kept and checkpoints were not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from cuesense.datasets.names import composed, respelled
from cuesense.errors import DatasetError, expected
from cuesense.sweeps.read_errors import read_error_reason
from cuesense.sweeps.sweep import (
    Run,
    Sweep,
    choose_regularizer,
    duplicate_run_remark,
    merge_neighbors,
    order_strengths,
    parse_order,
    parse_strength,
)

_COLUMNS = ("run", "strength", "seed", "class", "accuracy", "n")
# Above any test set; larger counts are mistakes and would overflow integers in sums over classes.
_MOST_IMAGES = 1e9
_SAME_IMAGES = (
    "A table does not say which images runs recognize: bounds assume that much the same are hard at all strengths."
)
# Names stay text: "None", "NA" and "001" are classes or seeds like others.
_TEXTS = {"run": str, "class": str, "seed": str, "strength": str, "regularizer": str}
_CSV = partial(pd.read_csv, dtype=_TEXTS, keep_default_na=False, na_values=[""])
_TABLES = {".csv": _CSV, ".parquet": pd.read_parquet, ".pq": pd.read_parquet}


def read_accuracies(
    source: Path | pd.DataFrame, *, regularizer: str | None = None, order: str | Sequence[str] | None = None
) -> Sweep:
    """Read the accuracy of every run and class.

    Args:
        source: A DataFrame, or a ``.csv`` or ``.parquet`` table with the columns run, strength, seed, class, accuracy
            (a fraction in [0, 1]), n (test images of the class), and optionally regularizer; one row a run and class.
        regularizer: Which one to read, where the table has several.
        order: All strengths, mild to strong, where they are not numbers.

    Returns:
        The sweep. Strengths need not be on a grid nor seeds be balanced; many strengths are merged
        (``sweep.merge_neighbors``).

    Raises:
        DatasetError: The table cannot be read, lacks a column or has a cell out of range, a run has two strengths, a
            class comes twice in a run, or runs have different classes.
        SettingsError: The regularizer is unknown or not named, or ``sweep.order_strengths`` refuses the strengths.
    """
    path = Path("the table") if isinstance(source, pd.DataFrame) else source
    table = _whole(source.copy() if isinstance(source, pd.DataFrame) else _read(path), path)
    table, spellings = _one_spelling(table)
    name = choose_regularizer(table.get("regularizer"), regularizer, f"'{path}'")
    table = table if "regularizer" not in table.columns else table[table["regularizer"] == name]
    runs, run_names = pd.factorize(table["run"])
    classes, class_names = pd.factorize(table["class"], sort=True)
    shape = (len(run_names), len(class_names))
    _refuse_uneven(runs, classes, run_names, class_names, shape, path)
    accuracy, images = np.empty(shape), np.empty(shape, dtype=np.int64)
    accuracy[runs, classes], images[runs, classes] = table["accuracy"], table["n"]
    accuracy[images == 0] = np.nan
    _refuse_partial(images, run_names, class_names, path)
    found = _runs(table, path)
    strengths, strength_of = order_strengths(found, name, parse_order(order))
    return merge_neighbors(
        Sweep(
            regularizer=name,
            strengths=strengths,
            class_names=tuple(map(str, class_names)),
            strength_of=strength_of,
            seeds=tuple(run.seed for run in found),
            accuracy=accuracy,
            images=images,
            remarks=(_SAME_IMAGES, *spellings, *duplicate_run_remark(accuracy, strength_of, list(map(str, run_names)))),
        )
    )


def _one_spelling(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the table with one spelling for each class, run, seed and regularizer, and remarks about others."""
    together = {name: set(group["class"].map(composed)) for name, group in table.groupby("run")}

    def apart(forms: Sequence[str]) -> bool:
        # Names that stand in one run are classes of their own, since a run has one row for each class.
        return any(len(names.intersection(forms)) > 1 for names in together.values())

    classes, remarks = respelled(table["class"].tolist(), apart, "class")
    columns = {"class": classes} | {name: table[name].map(composed) for name in ("run", "seed")}
    if "regularizer" in table.columns:
        columns["regularizer"], more = respelled(
            table["regularizer"].astype(str).tolist(), lambda _: False, "regularizer"
        )
        remarks += more
    return table.assign(**columns), remarks


def _read(path: Path) -> pd.DataFrame:
    read: Any = _TABLES.get(path.suffix.lower())
    if read is None:
        do = "Save the accuracies as one of them"
        raise DatasetError(expected(f"the table '{path}'", "a .csv or .parquet file", f"'{path.name}'", do))
    try:
        table: pd.DataFrame = read(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        do = f"Write the columns {', '.join(_COLUMNS)}"
        got = f"'{read_error_reason(error)}'"
        raise DatasetError(expected(f"the table '{path}'", "readable", got, do)) from error
    return table


def _whole(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the table with checked columns and cells, or raise a DatasetError that names the first mistake."""
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise DatasetError(expected(f"the columns of '{path}'", "distinct", f"{twice[0]} twice", "Remove one"))
    missing = [name for name in _COLUMNS if name not in table.columns]
    if missing or table.empty:
        got = f"no column {missing[0]}" if missing else "no rows"
        do = "Write one row a run and class"
        raise DatasetError(expected(f"the table '{path}'", f"rows of {', '.join(_COLUMNS)}", got, do))
    return _checked(table, path)


def _checked(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    for name in (name for name in _TEXTS if name in table.columns):
        several = table[name].map(lambda value: not np.isscalar(value) and value is not None and value is not pd.NA)
        _refuse(table, several, name, "a number or a name in every row", path, "Write one value a cell")
    accuracy, images = (pd.to_numeric(table[name], errors="coerce") for name in ("accuracy", "n"))
    whole = images.between(0, _MOST_IMAGES) & (images % 1 == 0)
    _refuse(table, ~whole, "n", "a whole number from 0 to 1,000,000,000", path, "Count the class's test images")
    share = accuracy.between(0, 1) | (images == 0)
    do = "Divide by 100 if it is in percent"
    _refuse(table, ~share, "accuracy", "a fraction from 0 to 1", path, do)
    _refuse(table, images.groupby(table["run"]).transform("sum") == 0, "n", "above 0 in some class", path, "Check it")
    for name in (name for name in _TEXTS if name in table.columns):
        empty = table[name].isna() | (table[name].astype(str).str.strip() == "")
        _refuse(table, empty, name, "given in every row", path, "Fill the cell")
    table = table.astype(dict.fromkeys(("run", "class", "seed"), str))
    return table.assign(accuracy=accuracy, n=images.astype(np.int64))


def _refuse(table: pd.DataFrame, wrong: pd.Series, column: str, to_be: str, path: Path, do: str) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        value = table[column].iloc[row]
        shown = "an empty cell" if pd.isna(value) is True else f"'{value}'"
        got = f"{shown} (row {row + 1} of '{path}')"
        raise DatasetError(expected(f"the column {column}", to_be, got, do))


def _refuse_uneven(
    runs: np.ndarray, classes: np.ndarray, run_names: Any, class_names: Any, shape: tuple[int, int], path: Path
) -> None:
    times = np.bincount(runs * shape[1] + classes, minlength=shape[0] * shape[1]).reshape(shape)
    if (times > 1).any():
        run, index = np.argwhere(times > 1)[0]
        got = f"class '{class_names[index]}' {times[run, index]} times in run '{run_names[run]}'"
        raise DatasetError(expected(f"'{path}'", "one row a run and class", got, "Give every run a name of its own"))
    if (times == 0).any():
        run, index = np.argwhere(times == 0)[0]
        got = f"run '{run_names[run]}' without class '{class_names[index]}'"
        do = "Add its rows, or leave the run or the class out"
        raise DatasetError(expected(f"the runs of '{path}'", "about the same classes", got, do))


def _refuse_partial(images: np.ndarray, run_names: Any, class_names: Any, path: Path) -> None:
    """Refuse a class that has test images in some runs only: averages would be over other classes in each run."""
    some = (images == 0).any(axis=0) & (images > 0).any(axis=0)
    if some.any():
        index = int(some.argmax())
        got = f"none in run '{run_names[int((images[:, index] == 0).argmax())]}'"
        what = f"the class '{class_names[index]}' of '{path}'"
        raise DatasetError(
            expected(what, "one with images in all runs or in none", got, "Leave the class or the run out")
        )


def _runs(table: pd.DataFrame, path: Path) -> list[Run]:
    """Return the strength and the seed of every run, in the order of their first rows."""
    kinds = table[["run", "strength", "seed"]].drop_duplicates()
    twice = kinds["run"].duplicated()
    if twice.any():
        got = f"two in run '{kinds['run'][twice].iloc[0]}'"
        raise DatasetError(expected(f"each run of '{path}'", "of one strength and seed", got, "Name the runs apart"))
    return [
        Run(parse_strength(strength), str(seed))
        for strength, seed in zip(kinds["strength"], kinds["seed"], strict=True)
    ]
