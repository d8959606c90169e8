"""A sweep from a table of accuracies, where logs were kept and checkpoints were not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cuesense.datasets.names import composed, respelled
from cuesense.errors import DatasetError, expected, listed
from cuesense.sweeps.image_counts import count_remarks, rounding_of
from cuesense.sweeps.summary_rows import Cells, find_summaries
from cuesense.sweeps.sweep import (
    UNNAMED,
    Run,
    Sweep,
    choose_regularizer,
    duplicate_run_remark,
    merge_neighbors,
    order_strengths,
    parse_order,
    parse_strength,
)
from cuesense.tables.boundary import TableFile
from cuesense.tables.read_csv import read_csv
from cuesense.tables.read_parquet import read_parquet

_COLUMNS = ("run", "strength", "seed", "class", "accuracy", "n")
# Above any test set; larger counts are mistakes and would overflow integers in sums over classes.
_MOST_IMAGES = 1e9
_SAME_IMAGES = (
    "A table does not say which images runs recognize: the bounds assume mostly the same ones at all strengths."
)
# Names stay text: "None", "NA" and "001" are classes or seeds like others.
_TEXTS = ("run", "class", "seed", "strength", "regularizer")
# Seeds that are none: rows that summarize the runs of a strength.
_SUMMARY_SEEDS = frozenset(
    ["mean", "avg", "average", "std", "stdev", "sd", "sem", "median", "min", "max", "all", "total", "overall"]
)
_DECIMAL_COMMA = re.compile(r"\s*-?[0-9]+,[0-9]+\s*%?\s*")
# Names that a sentence lists. Chosen by hand, for reading.
_LISTED = 5


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
    table = _with_columns(source.reset_index(drop=True) if isinstance(source, pd.DataFrame) else _read(path), path)
    table, spellings = _one_spelling(table)
    name = choose_regularizer(table.get("regularizer"), regularizer, f"'{path}'")
    table = table if "regularizer" not in table.columns else table[table["regularizer"] == name]
    table, left_out = _without_summaries(table, path)
    table = _checked(table, path)
    runs, run_names = pd.factorize(table["run"])
    classes, class_names = pd.factorize(table["class"], sort=True)
    shape = (len(run_names), len(class_names))
    _refuse_uneven(runs, classes, run_names, class_names, shape, path)
    cells = _cells(table, runs, classes, shape)
    accuracy, images = cells.accuracy, cells.images.astype(np.int64)
    accuracy[images == 0] = np.nan
    _refuse_partial(images, run_names, class_names, path)
    found = _runs(table, path)
    named = None if name == UNNAMED and regularizer is None else name
    strengths, strength_of, direction = order_strengths(found, named, parse_order(order))
    names, each_run = list(map(str, class_names)), list(map(str, run_names))
    return merge_neighbors(
        Sweep(
            regularizer=name,
            strengths=strengths,
            class_names=tuple(names),
            strength_of=strength_of,
            seeds=tuple(run.seed for run in found),
            accuracy=accuracy,
            images=images,
            remarks=(
                _SAME_IMAGES,
                *spellings,
                *left_out,
                *count_remarks(names, each_run, cells),
                *duplicate_run_remark(accuracy, strength_of, each_run),
            ),
            direction=direction,
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
    file = TableFile(path, f"the table '{path}'", _COLUMNS, f"Write the columns {', '.join(_COLUMNS)}")
    if path.suffix.lower() not in (".csv", ".parquet", ".pq"):
        file.refuse("a .csv or .parquet file", f"'{path.name}'", "Save the accuracies as one of them")
    return read_csv(file) if file.is_csv else read_parquet(file, (*_COLUMNS, "regularizer"))


def _with_columns(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return a table with all columns, whose cells are single values; names are text."""
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise DatasetError(expected(f"the columns of '{path}'", "distinct", f"{twice[0]} twice", "Remove one"))
    missing = [name for name in _COLUMNS if name not in table.columns]
    if missing or table.empty:
        got = f"no column {missing[0]}" if missing else "no rows"
        do = "Write one row a run and class"
        raise DatasetError(expected(f"the table '{path}'", f"rows of {', '.join(_COLUMNS)}", got, do))
    # A category of one name maps to a category of one truth value, which has no any().
    table = table.astype({name: object for name, kind in table.dtypes.items() if kind == "category"})
    for name in (name for name in (*_COLUMNS, "regularizer") if name in table.columns):
        several = table[name].map(lambda value: not np.isscalar(value) and value is not None and value is not pd.NA)
        _refuse(table, several, name, "a number or a name in every row", path, "Write one value a cell")
    for name in (name for name in _TEXTS if name in table.columns):
        empty = table[name].isna() | (table[name].astype(str).str.strip() == "")
        _refuse(table, empty, name, "given in every row", path, "Fill the cell")
    return table.assign(**{name: table[name].astype(str).str.strip() for name in ("run", "class", "seed")})


def _numbers(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column, errors="coerce").astype(np.float64)


def _without_summaries(table: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a table without rows that are no classes, and sentences about them.

    Raises:
        DatasetError: The name or the numbers of a row say that it is a summary, and the other does not.
    """
    runs, run_names = pd.factorize(table["run"])
    classes, known = pd.factorize(table["class"], sort=True)
    names = list(map(str, known))
    if pd.DataFrame({"run": runs, "class": classes}).duplicated().any():
        return table, ()
    found = find_summaries(names, _cells(table, runs, classes, (len(run_names), len(names))))
    what, do = f"each class of '{path}'", "Remove these rows, or rename the class if it is one"
    where = [_in_runs(len(set(runs[classes == index])), len(run_names)) for index in range(len(names))]
    if found.named:
        got = f"{_shown(names, found.named)}, whose n and accuracy are not those of a summary of the others"
        raise DatasetError(expected(what, "a class, and no summary", got, do))
    if found.hidden:
        place = where[found.hidden[0]]
        got = f"{_shown(names, found.hidden)}, whose accuracy is the average of the other classes' {place}"
        raise DatasetError(expected(what, "a class of its own", got, "Remove its rows"))
    remarks = [
        f"Left out {_shown(names, same)}: no class, but a summary of the others (its n is their sum, or its accuracy "
        f"their average, {place})."
        for place, same in _by_place(found.certain, where)
    ]
    remarks += [
        f"{_shown(names, same)} has as many images as all other classes together, {place}: if it is no class but a "
        "summary of them, remove its rows."
        for place, same in _by_place(found.sums, where)
    ]
    remarks += [
        f"'{names[index]}' counts as a class: its n and accuracy are not those of a summary of the others. Remove its "
        "rows if it is one."
        for index in found.doubtful
    ]
    kept = ~np.isin(classes, found.certain)
    return table[kept], tuple(remarks)


def _in_runs(count: int, runs: int) -> str:
    """Return in how many of all runs a row stands, for a sentence that holds in each of them."""
    have = "has" if count == 1 else "have"
    return "in every run" if count == runs else f"in the {count} of {runs} runs that {have} it"


def _by_place(indices: Sequence[int], where: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Return classes together with those that stand in as many runs, and in which."""
    places = dict.fromkeys(where[index] for index in indices)
    return [(place, [index for index in indices if where[index] == place]) for place in places]


def _shown(names: Sequence[str], indices: Sequence[int]) -> str:
    return listed([f"'{names[index]}'" for index in indices], _LISTED)


def _cells(table: pd.DataFrame, runs: np.ndarray, classes: np.ndarray, shape: tuple[int, int]) -> Cells:
    """Return the numbers of a table, in which no class comes twice in a run."""
    accuracy, images = np.full(shape, np.nan), np.full(shape, np.nan)
    numbers = _numbers(table["accuracy"])
    accuracy[runs, classes], images[runs, classes] = numbers, _numbers(table["n"])
    texts: list[list[str]] = [[] for _ in range(shape[0])]
    for run, text, fraction in zip(runs, table["accuracy"].astype(str), numbers.between(0, 1), strict=True):
        if fraction:
            texts[run].append(text)
    return Cells(accuracy, images, np.array([[rounding_of(own)] for own in texts]))


def _checked(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the table, or raise a DatasetError that names the first number that cannot be right."""
    accuracy, images = _numbers(table["accuracy"]), _numbers(table["n"])
    whole = images.between(0, _MOST_IMAGES) & (images % 1 == 0)
    _refuse(table, ~whole, "n", "a whole number from 0 to 1,000,000,000", path, "Count the class's test images")
    percent = table["accuracy"].astype(str).str.strip().str.endswith("%")
    nothing = accuracy.isna() & (images != 0) & ~percent
    do = "Write a number in that cell, or leave the class out of every run"
    _refuse(table, nothing, "accuracy", "a number in every row", path, do)
    share = accuracy.between(0, 1) | (images == 0)
    do = "Divide by 100 if it is in percent"
    _refuse(table, ~share, "accuracy", "a fraction from 0 to 1", path, do)
    _refuse(table, images.groupby(table["run"]).transform("sum") == 0, "n", "above 0 in some class", path, "Check it")
    seeds = table["seed"].str.casefold().isin(_SUMMARY_SEEDS)
    do = "Remove rows that summarize several runs"
    _refuse(table, seeds, "seed", "that of one run in every row", path, do)
    return table


def _refuse(table: pd.DataFrame, wrong: pd.Series, column: str, to_be: str, path: Path, do: str) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        value = table[column].iloc[row]
        shown = "an empty cell" if pd.isna(value) is True else f"'{value}'"
        got = f"{shown} (row {int(table.index[row]) + 1} of '{path}')"
        do = "Write decimal numbers with a point" if _DECIMAL_COMMA.fullmatch(str(value)) else do
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
