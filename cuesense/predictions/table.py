"""Predictions as a CSV or Parquet table, one row an image and condition."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cuesense import registry
from cuesense.atomic_files import refuse_folder, unwritable
from cuesense.errors import DatasetError, SettingsError, expected
from cuesense.perturbations.ablations import ABLATIONS, SHAM
from cuesense.predictions.predictions import ConditionPredictions, Predictions
from cuesense.predictions.table_columns import Coded, Indices, Rows, read_rows
from cuesense.types import CLEAN, Condition, Perturbation, Role

_INTEGER = re.compile(r"0|[1-9][0-9]*")
_MOSTLY_COMMON = 0.5
_NEARLY_ALL = 0.9
_NEEDED = frozenset(name for name, _ in (*ABLATIONS, *SHAM.values()))
# Tables written as float32, or with six digits, still mean the value of the ladder.
_ROUNDING = 1e-5
_KNOWN = b"cuesense"
_LISTED = 5


def write(predictions: Predictions, path: Path) -> None:
    """Write predictions as a Parquet table that ``read`` gives back, whole or not at all.

    Args:
        predictions: What to write; paired, with prior-corrected answers.
        path: The file; an older one is replaced.

    Raises:
        OutputError: It cannot be written, or is a folder.
    """
    refuse_folder(path)
    temporary = path.with_suffix(".tmp")
    try:
        _write(predictions, temporary)
        temporary.replace(path)
    except OSError as error:
        raise unwritable(path.parent, error) from None
    finally:
        temporary.unlink(missing_ok=True)


def _write(predictions: Predictions, path: Path) -> None:
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
    condition, answers = predictions.conditions[row], predictions.per_condition[row]
    outputs, count = np.asarray(predictions.outputs), len(answers.labels)
    corrected = answers.labels if answers.corrected is None else answers.corrected
    return pa.table(
        {
            "sample_id": ids,
            "label": _named(outputs[answers.labels], names),
            "perturbation": pa.DictionaryArray.from_arrays(np.zeros(count, np.int32), [condition.name]),
            "severity": np.full(count, condition.severity, np.int16),
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
    rows = read_rows(path)
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
    found = _predictions(blocks, rows, classes, perturbations, path, warnings, paired=paired)
    return replace(found, side=known.get("image_size") if image_size is None else image_size), warnings


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


def _classes(rows: Rows, class_names: Sequence[str] | None, path: Path) -> list[str]:
    found = rows.labels.names
    if class_names is None:
        return sorted(found, key=int) if all(map(_INTEGER.fullmatch, found)) else sorted(found)
    strange = [name for name in found if name not in set(class_names)]
    if strange:
        got = _some(strange)
        do = "Add them to the class names, or correct the labels"
        raise DatasetError(expected(f"each label of '{path}'", "one of the class names", got, do))
    return list(class_names)


def _blocks(rows: Rows) -> list[_Block]:
    """Cut the sorted rows at every change of condition, the clean condition first."""
    keys = np.stack([rows.perturbations.codes, rows.severities, rows.repeats])
    starts = np.flatnonzero(np.append(True, (keys[:, 1:] != keys[:, :-1]).any(axis=0)))
    parts = np.split(np.arange(keys.shape[1]), starts[1:])
    blocks = [
        _Block(rows.perturbations.names[keys[0, part[0]]], int(keys[1, part[0]]), int(keys[2, part[0]]), part)
        for part in parts
    ]
    return sorted(blocks, key=lambda block: block.severity > 0)


def _complete(blocks: list[_Block], rows: Rows, warnings: list[str]) -> list[_Block]:
    """Leave out conditions that no label needs and that lack most of the clean images, or all of some class.

    Where most conditions have other images than the clean one, the table is unpaired, and all are kept.
    """
    clean = blocks[0].rows
    samples, labels = rows.samples.codes[clean], rows.labels.codes[clean]
    here = [np.isin(samples, rows.samples.codes[block.rows]) for block in blocks]
    if np.mean([part.mean() >= _NEARLY_ALL for part in here]) < _MOSTLY_COMMON:
        return blocks
    classes = len(rows.labels.names)
    everyone = np.bincount(labels, minlength=classes) > 0
    kept = []
    for block, part in zip(blocks, here, strict=True):
        empty = everyone & (np.bincount(labels[part], minlength=classes) == 0)
        if block.perturbation not in _NEEDED and block.severity and (part.mean() < _MOSTLY_COMMON or empty.any()):
            also = f" (among them all of {_some([rows.labels.names[code] for code in np.flatnonzero(empty)])})"
            warnings.append(
                f"Left out {block.perturbation} at severity {block.severity}, which lacks {int((~part).sum())} of "
                f"{len(part)} images{also if empty.any() else ''}."
            )
        else:
            kept.append(block)
    return kept


def _aligned(blocks: list[_Block], rows: Rows, warnings: list[str]) -> tuple[list[_Block], bool]:
    """Keep the samples that every condition has, where those are most; else take conditions as unpaired."""
    samples = [rows.samples.codes[block.rows] for block in blocks]
    if all(np.array_equal(part, samples[0]) for part in samples):
        return blocks, True
    complete = _complete(blocks, rows, warnings)
    if len(complete) < len(blocks):
        return _aligned(complete, rows, warnings)
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


def _names(labels: Coded, rows: Rows, samples: Indices) -> list[str]:
    """Return the labels of some samples."""
    return [labels.names[code] for code in np.unique(labels.codes[np.isin(rows.samples.codes, samples)])]


def _perturbations(blocks: Sequence[_Block], rows: Rows, path: Path, warnings: list[str]) -> dict[str, Perturbation]:
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


def _perturbation(name: str, blocks: Sequence[_Block], rows: Rows, path: Path) -> Perturbation:
    severities = sorted({block.severity for block in blocks})
    repeats = {severity: [b.repeat for b in blocks if b.severity == severity] for severity in severities}
    if any(found != list(range(len(repeats[severities[0]]))) for found in repeats.values()):
        found = "; ".join(f"severity {severity}: {_some(list(map(str, part)))}" for severity, part in repeats.items())
        do = "Give every severity the same repeats, from 0"
        raise DatasetError(expected(f"the repeats of {name} in '{path}'", "the same at all severities", found, do))
    values = [_value(name, [b for b in blocks if b.severity == s], rows, path) for s in severities]
    if name in registry.names("perturbations"):
        entry: Perturbation = registry.get("perturbations", name)
        ladder = [
            _ladder_value(entry, severity, value, path) for severity, value in zip(severities, values, strict=True)
        ]
        if len(set(ladder)) < len(ladder):
            found = ", ".join(f"{value:g}" for value in ladder)
            raise DatasetError(expected(f"the values of {name} in '{path}'", "different", found, "Correct them"))
        return replace(entry, ladder=tuple(ladder))
    ladder = [float(s) if value is None else value for s, value in zip(severities, values, strict=True)]
    return Perturbation(
        name, Role.CONTROL, (), "unknown", "severity", "rung", tuple(ladder), 0.0, (0.0, max(ladder)), _cannot_apply
    )


def _value(name: str, blocks: Sequence[_Block], rows: Rows, path: Path) -> float | None:
    found = np.unique(np.concatenate([rows.values[block.rows] for block in blocks]))
    if np.isnan(found).all():
        return None
    if len(found) > 1:
        where = f"severity {blocks[0].severity} of {name} in '{path}'"
        got = _some([f"{value:g}" for value in found])
        raise DatasetError(expected(where, "one value", got, "Give every value a severity of its own"))
    return float(found[0])


def _ladder_value(entry: Perturbation, severity: int, value: float | None, path: Path) -> float:
    """Return the value of a severity: the only place where values from outside are matched to a registered ladder."""
    if value is not None:
        entry.check(value)
        close = [known for known in entry.ladder if abs(value - known) <= _ROUNDING * abs(known)]
        return close[0] if close else float(str(np.float32(value)) if value == np.float32(value) else value)
    if severity > len(entry.ladder):
        to_be = f"one of its ladder, 1 to {len(entry.ladder)}"
        do = "Give its value in a column called value"
        raise DatasetError(expected(f"each severity of {entry.name} in '{path}'", to_be, severity, do))
    return entry.value(severity)


def _cannot_apply(*_: object) -> NoReturn:
    do = "Register it, or apply one of `cuesense list perturbations`"
    raise SettingsError(expected("the perturbation", "a registered one", "one known from a table alone", do))


def _predictions(
    blocks: Sequence[_Block],
    rows: Rows,
    classes: Sequence[str],
    perturbations: dict[str, Perturbation],
    path: Path,
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
    if len(strange) == len(rows.predicted.names):
        got, do = _some(strange), "Name classes in both columns in the same way"
        raise DatasetError(expected(f"the predictions of '{path}'", f"labels, such as {classes[0]}", got, do))
    corrected = _corrected(rows, place, predicted, warnings)
    answers = tuple(
        ConditionPredictions(labels[b.rows], predicted[b.rows], None if corrected is None else corrected[b.rows])
        for b in blocks
    )
    return Predictions(
        class_names=tuple(classes),
        output_names=tuple(outputs),
        outputs=tuple(range(len(classes))),
        sample_ids=[rows.samples.names[code] for code in rows.samples.codes[blocks[0].rows]],
        perturbations=tuple(perturbations.values()),
        conditions=_conditions(blocks, perturbations),
        per_condition=answers,
        paired=paired,
    )


def _corrected(rows: Rows, place: dict[str, int], predicted: Indices, warnings: list[str]) -> Indices | None:
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


def _mapped(column: Coded, place: dict[str, int]) -> Indices:
    known = np.array([*(place.get(name, -1) for name in column.names), -1], dtype=np.int64)
    return np.asarray(known[column.codes])


def _conditions(blocks: Sequence[_Block], perturbations: dict[str, Perturbation]) -> tuple[Condition, ...]:
    """Return the condition of every block; the severities of a table that skips some are numbered anew, from 1."""
    severity_of = {
        (name, severity): number
        for name in perturbations
        for number, severity in enumerate(sorted({b.severity for b in blocks if b.perturbation == name}), start=1)
    }
    return tuple(
        Condition(
            perturbations[block.perturbation], severity_of[block.perturbation, block.severity], repeat=block.repeat
        )
        if block.severity
        else Condition()
        for block in blocks
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
