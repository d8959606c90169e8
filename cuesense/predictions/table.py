"""Predictions read from a CSV or Parquet table, one row an image and condition."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np

from cuesense import registry
from cuesense.datasets.names import composed
from cuesense.errors import DatasetError, SettingsError, expected, listed
from cuesense.predictions.predictions import ConditionPredictions, Predictions
from cuesense.predictions.table_columns import Coded, Indices, Rows, read_rows, table_file
from cuesense.predictions.table_conditions import LISTED, Block, aligned, blocks_of
from cuesense.predictions.table_names import with_one_spelling
from cuesense.predictions.write_table import METADATA, PARTIAL
from cuesense.tables.read_parquet import own_metadata
from cuesense.types import CLEAN, Condition, Perturbation, Role
from cuesense.validation import LARGEST_SIDE

_INTEGER = re.compile(r"0|[1-9][0-9]*")
# How far a value may be from that of the ladder, as a share of it: half a unit of float16's last place. Tables written
# as float16 or float32, or with four digits, still mean the ladder's; its neighbors differ by a tenth and more.
_ROUNDING = 2**-11


def read(
    path: Path, class_names: Sequence[str] | None = None, image_size: int | None = None
) -> tuple[Predictions, list[str]]:
    """Read predictions from a table, from any origin.

    The columns: ``sample_id``; ``label`` and ``predicted`` (names, or numbers in both); ``perturbation``, ``"clean"``
    for the unperturbed image; ``severity``, the step of the perturbation's ladder from 1, 0 for clean; where given,
    ``repeat`` (from 0), ``value`` (the physical strength; without it a severity is that of the registered ladder),
    ``corrected`` (the prediction after the prior correction, see prior_correction.prior_corrected; empty where there is
    none) and ``p_true`` (checked, not used).

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
    warnings: list[str] = []
    written, side, fingerprint, partial = _known(path)
    given = None if class_names is None else tuple(map(composed, class_names))
    rows = read_rows(path, lambda read: with_one_spelling(read, given or _written(read, written), path, warnings))
    class_names = given or _written(rows, written)
    classes = _classes(rows, class_names, path)
    blocks = blocks_of(rows)
    if set(rows.perturbations.names) == {CLEAN}:
        do = "Add the predictions for perturbed images"
        raise DatasetError(expected(f"the table '{path}'", "one with perturbed images", "clean ones alone", do))
    if CLEAN not in rows.perturbations.names:
        do = f"Add the predictions for the unperturbed images, with perturbation {CLEAN} and severity 0"
        raise DatasetError(expected(f"the table '{path}'", "one with clean images", "none", do))
    blocks, paired = (blocks, True) if partial else aligned(blocks, rows, warnings)
    perturbations = _perturbations(blocks, rows, path, warnings)
    found = _predictions(blocks, rows, classes, path, warnings)
    if partial:
        found = replace(found, per_condition=_of_all_images(found, blocks, rows, path))
    return (
        replace(
            found,
            perturbations=tuple(perturbations.values()),
            conditions=_conditions(blocks, perturbations),
            paired=paired,
            side=side if image_size is None else image_size,
            fingerprint=fingerprint,
        ),
        warnings,
    )


def _known(path: Path) -> tuple[list[str], int | None, str | None, bool]:
    """Return what ``write`` wrote beside the rows, if anything.

    The classes, the size and the fingerprint of the images, and whether it is the table of an adaptive run.
    """
    file = table_file(path)
    known = {} if file.is_csv else own_metadata(file, METADATA)
    classes, side = known.get("classes", []), known.get("image_size")
    do = "Write the table again, or remove its metadata and give --image-size"
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        file.refuse("one whose metadata 'classes' is a list of names", f"{classes!r:.60}", do)
    if side is not None and (type(side) is not int or not 1 <= side <= LARGEST_SIDE):
        to_be = f"one whose metadata 'image_size' is a whole number from 1 to {LARGEST_SIDE}"
        file.refuse(to_be, f"{side!r:.60}", do)
    fingerprint = known.get("fingerprint")
    return classes, side, fingerprint if isinstance(fingerprint, str) else None, known.get(PARTIAL) is True


def _written(rows: Rows, written: Sequence[str]) -> tuple[str, ...] | None:
    """Return the classes that ``write`` wrote, None where there are none or labels are others."""
    classes = tuple(map(composed, written))
    return classes if classes and set(map(composed, rows.labels.names)) <= set(classes) else None


def _classes(rows: Rows, class_names: Sequence[str] | None, path: Path) -> list[str]:
    found = rows.labels.names
    if class_names is None:
        return sorted(found, key=int) if all(map(_INTEGER.fullmatch, found)) else sorted(found)
    strange = [name for name in found if name not in set(class_names)]
    if strange:
        got = listed(strange, LISTED)
        do = "Add them to the class names, or correct the labels"
        raise DatasetError(expected(f"each label of '{path}'", "one of the class names", got, do))
    return list(class_names)


def _perturbations(blocks: Sequence[Block], rows: Rows, path: Path, warnings: list[str]) -> dict[str, Perturbation]:
    names = list(dict.fromkeys(block.perturbation for block in blocks if block.severity))
    strange = [name for name in names if not registry.known("perturbations", name)]
    if strange:
        warnings.append(
            f"No registered perturbation: {listed(strange, LISTED)}. They get a curve, and have no part in cues and "
            "budgets."
        )
    return {
        name: _perturbation(name, [block for block in blocks if block.perturbation == name], rows, path)
        for name in names
    }


def _perturbation(name: str, blocks: Sequence[Block], rows: Rows, path: Path) -> Perturbation:
    severities = sorted({block.severity for block in blocks})
    repeats = {severity: [b.repeat for b in blocks if b.severity == severity] for severity in severities}
    if any(found != list(range(len(repeats[severities[0]]))) for found in repeats.values()):
        found = "; ".join(
            f"severity {severity}: {listed(list(map(str, part)), LISTED)}" for severity, part in repeats.items()
        )
        do = "Give every severity the same repeats, from 0"
        raise DatasetError(expected(f"the repeats of {name} in '{path}'", "the same at all severities", found, do))
    values = [_value(name, [b for b in blocks if b.severity == s], rows, path) for s in severities]
    if registry.known("perturbations", name):
        entry: Perturbation = registry.get("perturbations", name)
        ladder = [
            _ladder_value(entry, severity, value, path) for severity, value in zip(severities, values, strict=True)
        ]
        _check_rising(entry, ladder, path)
        return replace(entry, ladder=tuple(ladder))
    ladder = [float(s) if value is None else value for s, value in zip(severities, values, strict=True)]
    limits = (min(0.0, *ladder), max(0.0, *ladder))
    return Perturbation(
        name, Role.CONTROL, (), "unknown", "severity", "rung", tuple(ladder), 0.0, limits, _cannot_apply
    )


def _check_rising(entry: Perturbation, ladder: Sequence[float], path: Path) -> None:
    """Refuse values that come twice, or that do not go from mild to strong as those of the registered ladder do."""
    found = ", ".join(f"{value:g}" for value in ladder)
    if len(set(ladder)) < len(ladder):
        raise DatasetError(expected(f"the values of {entry.name} in '{path}'", "different", found, "Correct them"))
    falls = entry.ladder[0] > entry.ladder[-1]
    ordered = list(entry.ladder) == sorted(entry.ladder, reverse=falls)
    if ordered and list(ladder) != sorted(ladder, reverse=falls):
        known = ", ".join(f"{value:g}" for value in entry.ladder)
        what = f"the values of {entry.name} in '{path}', by severity,"
        do = f"Number severities from mild to strong, as in {known}"
        raise DatasetError(expected(what, "falling" if falls else "rising", found, do))


def _value(name: str, blocks: Sequence[Block], rows: Rows, path: Path) -> float | None:
    found = np.unique(np.concatenate([rows.values[block.rows] for block in blocks]))
    if np.isnan(found).all():
        return None
    if len(found) > 1:
        where = f"severity {blocks[0].severity} of {name} in '{path}'"
        got = listed([f"{value:g}" for value in found], LISTED)
        raise DatasetError(expected(where, "one value", got, "Give every value a severity of its own"))
    return float(found[0])


def _ladder_value(entry: Perturbation, severity: int, value: float | None, path: Path) -> float:
    """Return the value of a severity: values from outside are matched to a ladder here alone."""
    if value is not None:
        close = [known for known in entry.ladder if abs(value - known) <= _ROUNDING * abs(known)]
        if close:
            return min(close, key=lambda known: abs(value - known))
        entry.check(value)
        return _without_float32(value)
    if severity > len(entry.ladder):
        to_be = f"one of its ladder, 1 to {len(entry.ladder)}"
        do = "Give its value in a column called value"
        raise DatasetError(expected(f"each severity of {entry.name} in '{path}'", to_be, severity, do))
    return entry.value(severity)


def _without_float32(value: float) -> float:
    """Return the shortest decimal of a value that was stored as float32 (0.3 for 0.30000001192), others as they are.

    Profiles then agree on a value exactly, whatever precision their tables were written in.
    """
    # Compared as float64: against a NumPy scalar a Python float is rounded to float32 itself, and all would be equal.
    return float(str(np.float32(value))) if float(np.float32(value)) == value else value


def _cannot_apply(*_: object) -> NoReturn:
    do = "Register it, or apply one of `cuesense list perturbations`"
    raise SettingsError(expected("the perturbation", "a registered one", "one known from a table alone", do))


def _predictions(
    blocks: Sequence[Block], rows: Rows, classes: Sequence[str], path: Path, warnings: list[str]
) -> Predictions:
    """Return the predictions of every condition; what was applied is still to be filled in."""
    label_of = {name: index for index, name in enumerate(classes)}
    strange = [name for name in rows.predicted.names if name not in label_of]
    if strange:
        warnings.append(f"Predictions that no label names count as wrong: {listed(strange, LISTED)}.")
    outputs = {**label_of, **{name: len(label_of) + index for index, name in enumerate(strange)}}
    labels, predicted = _mapped(rows.labels, label_of), _mapped(rows.predicted, outputs)
    if len(strange) == len(rows.predicted.names):
        got, do = listed(strange, LISTED), "Name classes in both columns in the same way"
        raise DatasetError(expected(f"the predictions of '{path}'", f"labels, such as {classes[0]}", got, do))
    corrected = _corrected(rows, label_of, predicted, warnings)
    per_condition = tuple(
        ConditionPredictions(labels[b.rows], predicted[b.rows], None if corrected is None else corrected[b.rows])
        for b in blocks
    )
    return Predictions(
        class_names=tuple(classes),
        output_names=tuple(outputs),
        outputs=tuple(range(len(classes))),
        sample_ids=[rows.samples.names[code] for code in rows.samples.codes[blocks[0].rows]],
        perturbations=(),
        conditions=(),
        per_condition=per_condition,
    )


def _of_all_images(
    found: Predictions, blocks: Sequence[Block], rows: Rows, path: Path
) -> tuple[ConditionPredictions, ...]:
    """Return the predictions of an adaptive run, whose conditions have a part of the clean images each."""
    labels, clean = found.per_condition[0].labels, rows.samples.codes[blocks[0].rows]
    every = []
    for block, given in zip(blocks, found.per_condition, strict=True):
        samples = rows.samples.codes[block.rows]
        # Rows are sorted by their samples.
        places = np.searchsorted(clean, samples).clip(max=len(clean) - 1)
        if not np.array_equal(clean[places], samples) or not np.array_equal(labels[places], given.labels):
            do = "Use the table as cuesense wrote it, or leave out its metadata"
            raise DatasetError(expected(f"the images of '{path}'", "among its clean ones", "others", do))
        every.append(given.spread(labels, places))
    return tuple(every)


def _corrected(rows: Rows, label_of: dict[str, int], predicted: Indices, warnings: list[str]) -> Indices | None:
    """Return the corrected classes; where there is none, what was predicted."""
    if rows.corrected is None or not len(rows.corrected.names):
        return None
    strange = [name for name in rows.corrected.names if name not in label_of]
    if strange:
        warnings.append(f"Corrected predictions that no label names count as wrong: {listed(strange, LISTED)}.")
    empty = rows.corrected.codes < 0
    if empty.any():
        warnings.append(f"{int(empty.sum())} rows have no corrected prediction: what was predicted stands for it.")
    return np.where(empty, np.where(predicted < len(label_of), predicted, -1), _mapped(rows.corrected, label_of))


def _mapped(column: Coded, label_of: dict[str, int]) -> Indices:
    known = np.array([*(label_of.get(name, -1) for name in column.names), -1], dtype=np.int64)
    return np.asarray(known[column.codes])


def _conditions(blocks: Sequence[Block], perturbations: dict[str, Perturbation]) -> tuple[Condition, ...]:
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
