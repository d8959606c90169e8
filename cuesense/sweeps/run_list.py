"""A sweep from checkpoints: read their list (the argument RUNS, a CSV or TOML file), and count what they predicted."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cuesense.arrays import Ints
from cuesense.datasets.names import composed, respelled
from cuesense.errors import SettingsError, expected
from cuesense.stats.over_seeds import recall
from cuesense.sweeps.direction import Direction
from cuesense.sweeps.sweep import (
    UNNAMED,
    PerImagePredictions,
    Run,
    Strength,
    Sweep,
    choose_regularizer,
    duplicate_run_remark,
    format_strength,
    order_strengths,
    parse_order,
    parse_strength,
)
from cuesense.tables.boundary import TableFile, reading
from cuesense.tables.read_csv import read_csv

_COLUMNS = ("model", "strength", "seed")
_DO = "Write one row a checkpoint: model,regularizer,strength,seed"


@dataclass(frozen=True)
class Runs:
    """The checkpoints of a sweep.

    Attributes:
        regularizer: Name of what differs between them.
        strengths: The S strengths, mild to strong.
        strength_of: Index of each run's strength, (R,), in [0, S).
        seeds: Seed of each run, as text.
        models: Model spec of each run, with absolute paths of files.
        archs: Architecture of each of R runs, None where its file names it.
        listed_in: The list's file, as the user named it; None where the runs were listed by a program.
        own_archs: Whether the list itself names a run's architecture, for each of R runs; none does where it is empty.
        direction: Which way the strengths run, and why.
    """

    regularizer: str
    strengths: tuple[Strength, ...]
    strength_of: Ints
    seeds: tuple[str, ...]
    models: tuple[str, ...]
    archs: tuple[str | None, ...]
    listed_in: str | None = None
    own_archs: tuple[bool, ...] = ()
    direction: Direction | None = None


def read_runs(
    path: Path, *, regularizer: str | None = None, order: str | Sequence[str] | None = None, arch: str | None = None
) -> Runs:
    """Read a list of checkpoints.

    Args:
        path: A ``.csv`` with the columns model, strength, seed, and optionally regularizer and arch; or a ``.toml``
            with a table ``[[runs]]`` for each, where regularizer, arch and order (a list) may stand once at the top.
            Paths of checkpoints are relative to its folder.
        regularizer: Which one to read, where the file has several.
        order: All strengths, mild to strong, where they are not numbers.
        arch: Architecture of files that hold weights only, where the list does not name it.

    Returns:
        The runs.

    Raises:
        SettingsError: The file cannot be read, lacks a column, or names files that are missing (all are named), or
            ``sweep.order_strengths`` refuses the strengths.
    """
    table, usual = _read(path)
    missing = [name for name in _COLUMNS if name not in table.columns]
    if missing or table.empty:
        got = f"no column {missing[0]}" if missing else "no rows"
        raise SettingsError(expected(f"'{path}'", f"rows of {', '.join(_COLUMNS)}", got, _DO))
    empty = table[list(_COLUMNS)].isna().any(axis=1)
    if empty.any():
        got = f"an empty cell in row {int(empty.to_numpy().argmax()) + 1}"
        raise SettingsError(expected(f"'{path}'", "filled in every row", got, _DO))
    if "regularizer" in table.columns:
        table["regularizer"] = respelled([str(name) for name in table["regularizer"]], lambda _: False, "regularizer")[
            0
        ]
    name = choose_regularizer(table.get("regularizer"), regularizer, f"'{path}'")
    table = table if "regularizer" not in table.columns else table[table["regularizer"] == name]
    runs = [
        Run(parse_strength(value), composed(str(seed)))
        for value, seed in zip(table["strength"], table["seed"], strict=True)
    ]
    own_name = None if name == UNNAMED and regularizer is None else name
    ranked = parse_order(usual.get("order") if order is None else order)
    strengths, strength_of, direction = order_strengths(runs, own_name, ranked)
    models = _models(table["model"].astype(str).tolist(), path)
    _refuse_same(models, runs, path)
    own = table["arch"] if "arch" in table.columns else [None] * len(table)
    return Runs(
        regularizer=name,
        strengths=strengths,
        strength_of=strength_of,
        seeds=tuple(run.seed for run in runs),
        models=models,
        archs=tuple(named if isinstance(named, str) else arch for named in own),
        listed_in=str(path),
        own_archs=tuple(isinstance(named, str) for named in own),
        direction=direction,
    )


def sweep_of(
    runs: Runs,
    class_names: tuple[str, ...],
    labels: Ints,
    predicted: NDArray[np.int32],
    output_names: tuple[str, ...],
) -> Sweep:
    """Return the sweep of R runs that were tested on the same N images.

    Args:
        runs: The runs.
        class_names: The C classes.
        labels: Class of each image, (N,).
        predicted: Output that each run predicted, (R, N), in [0, K).
        output_names: Names of the K outputs, the classes first.
    """
    classes = len(class_names)
    images = np.bincount(labels, minlength=classes)
    accuracy = recall(predicted, labels, classes)
    return Sweep(
        regularizer=runs.regularizer,
        strengths=runs.strengths,
        class_names=class_names,
        strength_of=runs.strength_of,
        seeds=runs.seeds,
        accuracy=accuracy,
        images=np.broadcast_to(images, accuracy.shape),
        per_image=PerImagePredictions(labels, predicted, output_names),
        remarks=duplicate_run_remark(accuracy, runs.strength_of, [Path(model).name for model in runs.models]),
        direction=runs.direction,
    )


def _read(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the rows, and the settings that a TOML file gives once for all of them."""
    if path.suffix.lower() not in (".csv", ".toml"):
        raise SettingsError(expected("RUNS", "a .csv or .toml file", f"'{path}'", _DO))
    file = TableFile(path, f"the runs in '{path}'", _COLUMNS, _DO, SettingsError)
    if file.is_csv:
        return read_csv(file), {}
    with reading(file):
        known = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    rows = known.pop("runs", None)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SettingsError(expected(f"'{path}'", "a table [[runs]] for each checkpoint", "none", _DO))
    if not all(isinstance(entry.get(name, ""), str) for entry in (known, *rows) for name in ("regularizer", "arch")):
        got = "another value"
        raise SettingsError(expected(f"each regularizer and arch in '{path}'", "a text in quotes", got, "Change it"))
    table = pd.DataFrame(rows)
    for name in ("regularizer", "arch"):
        if name in known and name not in table.columns:
            table[name] = known[name]
    return table, known


def _refuse_same(models: Sequence[str], runs: Sequence[Run], path: Path) -> None:
    """Refuse a checkpoint that is given as several seeds of one strength: seeds would seem to make no difference."""
    pairs = list(zip(models, (run.strength for run in runs), strict=True))
    twice = [pair for pair, times in Counter(pairs).items() if times > 1]
    if twice:
        got = f"'{Path(twice[0][0]).name}' several times with strength {format_strength(twice[0][1])}"
        do = "Name the checkpoint of each seed"
        raise SettingsError(expected(f"each run in '{path}'", "a checkpoint of its own", got, do))


def _models(specs: Sequence[str], path: Path) -> tuple[str, ...]:
    """Return specs with absolute paths; every file that is missing is named in one error."""
    # A colon marks a spec such as timm:NAME, which is no file.
    files = [_file(path.parent, spec) for spec in specs]
    missing = [spec for spec, file in zip(specs, files, strict=True) if not _is_file(file) and ":" not in spec]
    if missing:
        got = f"{len(missing)} that are missing: {', '.join(missing)}"
        do = "Correct the paths, which are relative to that file"
        raise SettingsError(expected(f"the checkpoints in '{path}'", "files that exist", got, do))
    return tuple(str(file.resolve()) if _is_file(file) else spec for spec, file in zip(specs, files, strict=True))


def _file(folder: Path, spec: str) -> Path:
    """Return the file that a list names, also where the file system has its name in another Unicode form."""
    named = folder / spec
    if spec.isascii() or _is_file(named) or not named.parent.is_dir():
        return named
    alike = [file for file in named.parent.iterdir() if composed(file.name) == composed(named.name)]
    return alike[0] if len(alike) == 1 else named


def _is_file(path: Path) -> bool:
    """Return whether there is such a file; names that no file can have, such as very long ones, are none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
