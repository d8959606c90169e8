"""Predictions as a CSV or Parquet table, one row an image and condition: the only module that knows its columns."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cuesense import registry
from cuesense.errors import DatasetError, expected
from cuesense.predictions import Answers, Predictions
from cuesense.types import Condition, Perturbation, Role

REQUIRED = ("sample_id", "label", "perturbation", "severity", "predicted")
OPTIONAL = ("repeat", "value", "corrected", "p_true")
CLEAN = "clean"

_TEXTS = ("sample_id", "label", "perturbation", "predicted", "corrected")
_INTEGER = re.compile(r"0|[1-9][0-9]*")
_MOSTLY_COMMON = 0.5
_LARGEST = 1_000_000
_SAME_DOSE = 1e-5
_KNOWN = b"cuesense"
_LISTED = 5

Indices = NDArray[np.int64]


def write(predictions: Predictions, path: Path) -> None:
    """Write predictions as a Parquet table that ``read`` gives back.

    Args:
        predictions: What to write; paired, with prior-corrected answers.
        path: The file.

    Raises:
        OSError: It cannot be written.
    """
    names = _output_names(predictions)
    ids = pa.array(predictions.sample_ids, pa.string()).dictionary_encode()
    tables = (_rows(predictions, row, ids, names) for row in range(len(predictions.conditions)))
    first = next(tables)
    known = {"image_size": predictions.side, "classes": [names[output] for output in predictions.outputs]}
    schema = first.schema.with_metadata({_KNOWN: json.dumps(known)})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


def _output_names(predictions: Predictions) -> list[str]:
    """Name every output after its class, or else by its own name, each differently."""
    names = list(predictions.output_names)
    for output, name in zip(predictions.outputs, predictions.class_names, strict=True):
        names[output] = name
    twice = {name for name, count in Counter(names).items() if count > 1}
    return [f"{name} ({output})" if name in twice else name for output, name in enumerate(names)]


def _rows(predictions: Predictions, row: int, ids: pa.DictionaryArray, names: Sequence[str]) -> pa.Table:
    condition, answers = predictions.conditions[row], predictions.answers[row]
    outputs, count = np.asarray(predictions.outputs), len(answers.labels)
    perturbation = condition.perturbation
    severity = 0 if perturbation is None else 1 + perturbation.ladder.index(condition.value)
    name = CLEAN if perturbation is None else perturbation.name
    corrected = answers.labels if answers.corrected is None else answers.corrected
    return pa.table(
        {
            "sample_id": ids,
            "label": _named(outputs[answers.labels], names),
            "perturbation": pa.DictionaryArray.from_arrays(np.zeros(count, np.int32), [name]),
            "severity": np.full(count, severity, np.int16),
            "value": np.full(count, condition.value),
            "repeat": np.full(count, condition.repeat, np.int16),
            "predicted": _named(answers.predicted, names),
            "corrected": _named(np.where(corrected < 0, -1, outputs[corrected]), names),
        }
    )


def _named(outputs: NDArray[np.integer], names: Sequence[str]) -> pa.DictionaryArray:
    places = pa.array(outputs.astype(np.int32), mask=outputs < 0)
    return pa.DictionaryArray.from_arrays(places, pa.array(names, pa.string()))


def read(
    path: Path, class_names: Sequence[str] | None = None, image_size: int | None = None
) -> tuple[Predictions, list[str]]:
    """Read predictions from a table, from any origin.

    The columns: ``sample_id``; ``label`` and ``predicted`` (names, or numbers in both); ``perturbation``, ``"clean"``
    for the unperturbed image; ``severity``, the rung of the perturbation's ladder from 1, 0 for clean; where given,
    ``repeat`` (from 0), ``value`` (the dose; without it a rung is that of the registered ladder), ``corrected`` (the
    prediction after the prior correction, see scoring.prior_corrected; empty where there is none) and ``p_true``
    (checked, not used).

    Args:
        path: A ``.csv`` (UTF-8, with a header) or ``.parquet`` file.
        class_names: The classes; None takes those that ``write`` wrote, or else the distinct labels, integers in their
            order, other names sorted.
        image_size: Shorter side of the network's input in pixels; None takes what ``write`` wrote, if anything.

    Returns:
        The predictions, and sentences about what was left out or could not be taken as it stands.

    Raises:
        DatasetError: The file cannot be read, lacks a column or the clean images, has a row twice, an empty or
            impossible value, or a label that is none of class_names.
    """
    rows = _sorted(_columns(_frame(path), path), path)
    warnings: list[str] = []
    known = _known(path)
    written = known.get("classes", [])
    if class_names is None and set(rows.labels.names) <= set(written):
        class_names = written
    classes = _classes(rows, class_names, path)
    blocks = _blocks(rows)
    if set(rows.perturbations.names) == {CLEAN}:
        do = "Add the predictions for perturbed images"
        raise DatasetError(expected(f"the table '{path}'", "one with perturbed images", "clean ones alone", do))
    if CLEAN not in rows.perturbations.names:
        do = f"Add the predictions for the unperturbed images, with perturbation {CLEAN} and severity 0"
        raise DatasetError(expected(f"the table '{path}'", "one with clean images", "none", do))
    blocks, paired = _aligned(blocks, rows, warnings)
    perturbations = _perturbations(blocks, rows, path, warnings)
    found = _predictions(blocks, rows, classes, perturbations, warnings, paired=paired)
    return replace(found, side=known.get("image_size") if image_size is None else image_size), warnings


@dataclass(frozen=True)
class _Coded:
    """A column of names as indices into its distinct names."""

    codes: Indices
    names: list[str]

    def __getitem__(self, rows: Indices) -> _Coded:
        return _Coded(self.codes[rows], self.names)


@dataclass(frozen=True)
class _Rows:
    """The columns of a table."""

    samples: _Coded
    labels: _Coded
    perturbations: _Coded
    severities: Indices
    repeats: Indices
    values: NDArray[np.float64]
    predicted: _Coded
    corrected: _Coded | None

    def take(self, rows: Indices) -> _Rows:
        kept: dict[str, Any] = {name: None if part is None else part[rows] for name, part in vars(self).items()}
        return _Rows(**kept)


@dataclass(frozen=True)
class _Block:
    """The rows of one condition, in the order of their samples."""

    perturbation: str
    severity: int
    repeat: int
    rows: Indices


def _known(path: Path) -> dict[str, Any]:
    """Return what ``write`` wrote beside the rows, or nothing."""
    metadata = {} if path.suffix.lower() == ".csv" else pq.read_schema(path).metadata or {}
    try:
        known = json.loads(metadata.get(_KNOWN, b"{}"))
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}


def _frame(path: Path) -> pd.DataFrame:
    if not path.is_file():
        do = "Check the name"
        raise DatasetError(expected(f"the table '{path}'", "a file", "a folder" if path.is_dir() else "no file", do))
    if path.suffix.lower() not in (".csv", ".parquet", ".pq"):
        do = "Save the predictions as one of them"
        raise DatasetError(expected(f"the table '{path}'", "a .csv or .parquet file", f"'{path.name}'", do))
    try:
        frame = _read_csv(path) if path.suffix.lower() == ".csv" else _read_parquet(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        found = str(error).splitlines()[0] if str(error) else type(error).__name__
        do = "Save it again as UTF-8 CSV or Parquet"
        raise DatasetError(expected(f"the table '{path}'", "readable", f"'{found}'", do)) from None
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        to_be = f"one with the columns {', '.join(REQUIRED)}"
        found = f"no {' and no '.join(missing)}"
        raise DatasetError(expected(f"the table '{path}'", to_be, found, "Name the columns so, or add them"))
    if frame.empty:
        raise DatasetError(expected(f"the table '{path}'", "a list of predictions", "no rows", "Add the predictions"))
    return frame


def _read_csv(path: Path) -> pd.DataFrame:
    return pd.read_csv(
        path,
        dtype=dict.fromkeys(_TEXTS, str),
        usecols=lambda name: name in {*REQUIRED, *OPTIONAL},
        keep_default_na=False,
        na_values={"value": [""], "p_true": [""]},
        encoding="utf-8-sig",
    )


def _read_parquet(path: Path) -> pd.DataFrame:
    columns = [name for name in pq.read_schema(path).names if name in {*REQUIRED, *OPTIONAL}]
    frame: pd.DataFrame = pq.read_table(path, columns=columns).to_pandas()
    return frame


def _columns(frame: pd.DataFrame, path: Path) -> _Rows:
    severities = _whole(frame, "severity", path)
    perturbations = _coded(frame, "perturbation", path)
    _check_clean(perturbations, severities, path)
    if "p_true" in frame:
        _checked(frame, "p_true", path, "a probability", lambda p: (p >= 0) & (p <= 1))
    count = len(frame)
    return _Rows(
        samples=_coded(frame, "sample_id", path),
        labels=_coded(frame, "label", path),
        perturbations=perturbations,
        severities=severities,
        repeats=_whole(frame, "repeat", path) if "repeat" in frame else np.zeros(count, np.int64),
        values=_values(frame, path) if "value" in frame else np.full(count, np.nan),
        predicted=_coded(frame, "predicted", path),
        corrected=_optional(frame, "corrected", path) if "corrected" in frame else None,
    )


def _check_clean(perturbations: _Coded, severities: Indices, path: Path) -> None:
    clean = np.array([name == CLEAN for name in perturbations.names])[perturbations.codes]
    wrong = np.flatnonzero(clean != (severities == 0))
    if len(wrong):
        row = wrong[0]
        found = f"severity {severities[row]} of {perturbations.names[perturbations.codes[row]]} in row {row + 1}"
        do = f"Call the unperturbed images {CLEAN}, with severity 0, and count the rungs of a ladder from 1"
        raise DatasetError(expected(f"severity 0 in '{path}'", "that of clean images alone", found, do))


def _values(frame: pd.DataFrame, path: Path) -> NDArray[np.float64]:
    """Return the doses; NaN where none is given."""
    given = np.asarray(frame["value"].notna() & (frame["value"].astype(str).str.strip() != ""))
    numbers = np.full(len(frame), np.nan)
    numbers[given] = _checked(frame[given], "value", path, "a finite number", np.isfinite)
    return numbers


def _coded(frame: pd.DataFrame, column: str, path: Path) -> _Coded:
    found = _optional(frame, column, path)
    empty = np.flatnonzero(found.codes < 0)
    if len(empty):
        do = "Fill it in or remove the row"
        raise DatasetError(expected(f"each {column} of '{path}'", "given", f"none in row {empty[0] + 1}", do))
    return found


def _optional(frame: pd.DataFrame, column: str, path: Path) -> _Coded:
    """Return a column in which what is empty has the code -1."""
    try:
        values = pd.Categorical(frame[column]).remove_unused_categories()
    except TypeError:
        found = f"'{frame[column].iloc[0]}'"
        raise DatasetError(expected(f"each {column} of '{path}'", "a name or a number", found, "Correct it")) from None
    texts = [_text(value) for value in values.categories]
    names = sorted(set(texts) - {""})
    code = {name: index for index, name in enumerate(names)}
    place = np.array([code.get(text, -1) for text in texts] or [-1], dtype=np.int64)
    return _Coded(np.where(values.codes >= 0, place[values.codes], -1), names)


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _whole(frame: pd.DataFrame, column: str, path: Path) -> Indices:
    to_be = f"a whole number from 0 to {_LARGEST:,}"
    numbers = _checked(frame, column, path, to_be, lambda x: (x >= 0) & (x == np.floor(x)) & (x <= _LARGEST))
    return numbers.astype(np.int64)


def _checked(
    frame: pd.DataFrame, column: str, path: Path, to_be: str, holds: Callable[[NDArray[np.float64]], NDArray[np.bool_]]
) -> NDArray[np.float64]:
    numbers = np.asarray(pd.to_numeric(frame[column], errors="coerce"), dtype=np.float64)
    wrong = np.flatnonzero(~holds(numbers))
    if len(wrong):
        found = f"'{frame[column].iloc[wrong[0]]}' in row {frame.index[wrong[0]] + 1}"
        raise DatasetError(expected(f"each {column} of '{path}'", to_be, found, "Correct it"))
    return numbers


def _sorted(rows: _Rows, path: Path) -> _Rows:
    """Sort by condition and sample, and refuse rows that come twice."""
    keys = (rows.samples.codes, rows.repeats, rows.severities, rows.perturbations.codes)
    order = np.lexsort(keys)
    twice = np.flatnonzero(np.all([key[order][1:] == key[order][:-1] for key in keys], axis=0))
    if len(twice):
        first, second = sorted((order[twice[0]] + 1, order[twice[0] + 1] + 1))
        sample = rows.samples.names[rows.samples.codes[second - 1]]
        found = f"'{sample}' in rows {first} and {second}"
        to_be = "one row for each sample_id, perturbation, severity and repeat"
        raise DatasetError(expected(f"the table '{path}'", to_be, found, "Remove the repeated rows"))
    kept = rows.take(order)
    _check_labels(kept, path)
    return kept


def _check_labels(rows: _Rows, path: Path) -> None:
    label_of = np.full(len(rows.samples.names), -1)
    label_of[rows.samples.codes] = rows.labels.codes
    other = np.flatnonzero(label_of[rows.samples.codes] != rows.labels.codes)
    if len(other):
        sample = rows.samples.names[rows.samples.codes[other[0]]]
        names = sorted(
            {rows.labels.names[rows.labels.codes[other[0]]], rows.labels.names[label_of[rows.samples.codes[other[0]]]]}
        )
        found = f"{' and '.join(names)} for '{sample}'"
        do = "Correct the labels, or give different images different ids"
        raise DatasetError(expected(f"each sample of '{path}'", "of one label", found, do))


def _classes(rows: _Rows, class_names: Sequence[str] | None, path: Path) -> list[str]:
    found = rows.labels.names
    if class_names is None:
        return sorted(found, key=int) if all(map(_INTEGER.fullmatch, found)) else sorted(found)
    strange = [name for name in found if name not in set(class_names)]
    if strange:
        got = _some(strange)
        do = "Add them to the class names, or correct the labels"
        raise DatasetError(expected(f"each label of '{path}'", "one of the class names", got, do))
    return list(class_names)


def _blocks(rows: _Rows) -> list[_Block]:
    """Cut the sorted rows at every change of condition, the clean condition first."""
    keys = np.stack([rows.perturbations.codes, rows.severities, rows.repeats])
    starts = np.flatnonzero(np.append(True, (keys[:, 1:] != keys[:, :-1]).any(axis=0)))
    parts = np.split(np.arange(keys.shape[1]), starts[1:])
    blocks = [
        _Block(rows.perturbations.names[keys[0, part[0]]], int(keys[1, part[0]]), int(keys[2, part[0]]), part)
        for part in parts
    ]
    return sorted(blocks, key=lambda block: block.severity > 0)


def _aligned(blocks: list[_Block], rows: _Rows, warnings: list[str]) -> tuple[list[_Block], bool]:
    """Keep the samples that every condition has, where those are most; else take conditions as unpaired."""
    samples = [rows.samples.codes[block.rows] for block in blocks]
    if all(np.array_equal(part, samples[0]) for part in samples):
        return blocks, True
    seen = np.bincount(np.concatenate(samples), minlength=len(rows.samples.names))
    common = seen == len(blocks)
    largest = max(map(len, samples))
    if common.sum() < _MOSTLY_COMMON * largest:
        warnings.append(
            "The conditions have different images: intervals are those of independent samples, wider than paired ones."
        )
        return blocks, False
    every = np.flatnonzero(seen > 0)
    worst = min(blocks, key=lambda block: len(block.rows))
    lost = set(_names(rows.labels, rows, every)) - set(_names(rows.labels, rows, np.flatnonzero(common)))
    also = f" (among them all of {_some(sorted(lost))})" if lost else ""
    warnings.append(
        f"Left out {len(every) - int(common.sum())} of {len(every)} images{also}, which some condition lacks; "
        f"{worst.perturbation} at severity {worst.severity} has fewest, {len(worst.rows)}."
    )
    kept = [replace(block, rows=block.rows[common[part]]) for block, part in zip(blocks, samples, strict=True)]
    return kept, True


def _names(labels: _Coded, rows: _Rows, samples: Indices) -> list[str]:
    """Return the labels of some samples."""
    return [labels.names[code] for code in np.unique(labels.codes[np.isin(rows.samples.codes, samples)])]


def _perturbations(blocks: Sequence[_Block], rows: _Rows, path: Path, warnings: list[str]) -> dict[str, Perturbation]:
    known = set(registry.names("perturbations"))
    names = list(dict.fromkeys(block.perturbation for block in blocks if block.severity))
    strange = [name for name in names if name not in known]
    if strange:
        warnings.append(
            f"No registered perturbation: {_some(strange)}. They get a curve, and have no part in labels and budgets."
        )
    return {
        name: _perturbation(name, [block for block in blocks if block.perturbation == name], rows, path)
        for name in names
    }


def _perturbation(name: str, blocks: Sequence[_Block], rows: _Rows, path: Path) -> Perturbation:
    severities = sorted({block.severity for block in blocks})
    repeats = {severity: [b.repeat for b in blocks if b.severity == severity] for severity in severities}
    if any(found != list(range(len(repeats[severities[0]]))) for found in repeats.values()):
        found = "; ".join(f"severity {severity}: {_some(list(map(str, part)))}" for severity, part in repeats.items())
        do = "Give every severity the same repeats, from 0"
        raise DatasetError(expected(f"the repeats of {name} in '{path}'", "the same at all severities", found, do))
    values = [_value(name, [b for b in blocks if b.severity == s], rows, path) for s in severities]
    if name in registry.names("perturbations"):
        entry: Perturbation = registry.get("perturbations", name)
        doses = [_dose(entry, severity, value, path) for severity, value in zip(severities, values, strict=True)]
        if len(set(doses)) < len(doses):
            found = ", ".join(f"{dose:g}" for dose in doses)
            raise DatasetError(expected(f"the doses of {name} in '{path}'", "different", found, "Correct the values"))
        return replace(entry, ladder=tuple(doses))
    doses = [float(s) if value is None else value for s, value in zip(severities, values, strict=True)]
    return Perturbation(
        name, Role.CONTROL, (), "unknown", "severity", "rung", tuple(doses), 0.0, (0.0, max(doses)), _cannot_apply
    )


def _value(name: str, blocks: Sequence[_Block], rows: _Rows, path: Path) -> float | None:
    found = np.unique(np.concatenate([rows.values[block.rows] for block in blocks]))
    if np.isnan(found).all():
        return None
    if len(found) > 1:
        where = f"severity {blocks[0].severity} of {name} in '{path}'"
        got = _some([f"{value:g}" for value in found])
        raise DatasetError(expected(where, "one value", got, "Give every dose a severity of its own"))
    return float(found[0])


def _dose(entry: Perturbation, severity: int, value: float | None, path: Path) -> float:
    """Return the dose of a rung; a value close to one of the ladder is that of the ladder."""
    if value is not None:
        entry.check(value)
        close = [rung for rung in entry.ladder if abs(value - rung) <= _SAME_DOSE * abs(rung)]
        return close[0] if close else value
    if severity > len(entry.ladder):
        to_be = f"one of its ladder, 1 to {len(entry.ladder)}"
        do = "Name the dose in a column called value"
        raise DatasetError(expected(f"each severity of {entry.name} in '{path}'", to_be, severity, do))
    return entry.ladder[severity - 1]


def _cannot_apply(*_: object) -> NoReturn:
    raise NotImplementedError("A perturbation that is known from a table of predictions alone cannot be applied.")


def _predictions(
    blocks: Sequence[_Block],
    rows: _Rows,
    classes: Sequence[str],
    perturbations: dict[str, Perturbation],
    warnings: list[str],
    *,
    paired: bool,
) -> Predictions:
    place = {name: index for index, name in enumerate(classes)}
    strange = [name for name in rows.predicted.names if name not in place]
    if strange:
        warnings.append(f"Predictions that no label names count as wrong: {_some(strange)}.")
    outputs = {**place, **{name: len(place) + index for index, name in enumerate(strange)}}
    labels, predicted = _mapped(rows.labels, place), _mapped(rows.predicted, outputs)
    corrected = _corrected(rows, place, predicted, warnings)
    answers = tuple(
        Answers(labels[b.rows], predicted[b.rows], None if corrected is None else corrected[b.rows]) for b in blocks
    )
    return Predictions(
        class_names=tuple(classes),
        output_names=tuple(outputs),
        outputs=tuple(range(len(classes))),
        sample_ids=[rows.samples.names[code] for code in rows.samples.codes[blocks[0].rows]],
        perturbations=tuple(perturbations.values()),
        conditions=_conditions(blocks, perturbations),
        answers=answers,
        paired=paired,
    )


def _corrected(rows: _Rows, place: dict[str, int], predicted: Indices, warnings: list[str]) -> Indices | None:
    """Return the corrected classes; where there is none, what was predicted."""
    if rows.corrected is None or not len(rows.corrected.names):
        return None
    strange = [name for name in rows.corrected.names if name not in place]
    if strange:
        warnings.append(f"Corrected predictions that no label names count as wrong: {_some(strange)}.")
    empty = rows.corrected.codes < 0
    if empty.any():
        warnings.append(f"{int(empty.sum())} rows have no corrected prediction: what was predicted stands for it.")
    return np.where(empty, np.where(predicted < len(place), predicted, -1), _mapped(rows.corrected, place))


def _mapped(column: _Coded, place: dict[str, int]) -> Indices:
    known = np.array([*(place.get(name, -1) for name in column.names), -1], dtype=np.int64)
    return np.asarray(known[column.codes])


def _conditions(blocks: Sequence[_Block], perturbations: dict[str, Perturbation]) -> tuple[Condition, ...]:
    severities = {name: sorted({b.severity for b in blocks if b.perturbation == name}) for name in perturbations}
    return tuple(
        Condition(
            perturbations[block.perturbation],
            perturbations[block.perturbation].ladder[severities[block.perturbation].index(block.severity)],
            block.repeat,
        )
        if block.severity
        else Condition()
        for block in blocks
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
