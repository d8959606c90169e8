"""Predictions written as a Parquet table, one row an image and condition."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cuesense.atomic_files import refuse_folder, replacing, unwritable
from cuesense.predictions.predictions import Predictions

# The table's name in an output folder.
FILE_NAME = "predictions.parquet"
# Where the file says what no row can: size and fingerprint of the images, and classes without images.
METADATA = b"cuesense"
# What it says of an adaptive run, which did not look at all images under every condition.
PARTIAL = "partial"
# Rows that are written together, as many as other writers take: every group repeats the ids and names that it holds.
_ROWS_TOGETHER = 2**20


def write(predictions: Predictions, path: Path) -> None:
    """Write predictions as a Parquet table that ``table.read`` gives back, whole or not at all.

    Args:
        predictions: What to write; paired. Where there is no prior-corrected prediction, its cell is empty.
        path: The file; an older one is replaced.

    Raises:
        OutputError: It cannot be written, or is a folder.
    """
    refuse_folder(path)
    try:
        with replacing(path) as temporary:
            _write(predictions, temporary)
    except OSError as error:
        raise unwritable(path.parent, error) from None


def _write(predictions: Predictions, path: Path) -> None:
    names = _output_names(predictions)
    ids = pa.array(predictions.sample_ids, pa.string()).dictionary_encode()
    known = {
        "image_size": predictions.side,
        "classes": [names[output] for output in predictions.outputs],
        "fingerprint": predictions.fingerprint,
    }
    if predictions.partial:
        known[PARTIAL] = True
    rows = range(len(predictions.conditions))
    schema = _rows(predictions, 0, ids, names).schema.with_metadata({METADATA: json.dumps(known)})
    step = max(1, _ROWS_TOGETHER // max(1, len(ids)))
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in rows[::step]:
            together = [_rows(predictions, row, ids, names) for row in rows[start : start + step]]
            writer.write_table(pa.concat_tables(together), row_group_size=_ROWS_TOGETHER)


def _output_names(predictions: Predictions) -> list[str]:
    """Name every output after its class, or else by its own name, each differently."""
    names = list(predictions.output_names)
    for output, name in zip(predictions.outputs, predictions.class_names, strict=True):
        names[output] = name
    twice = {name for name, count in Counter(names).items() if count > 1}
    return [f"{name} ({output})" if name in twice else name for output, name in enumerate(names)]


def _rows(predictions: Predictions, row: int, ids: pa.DictionaryArray, names: Sequence[str]) -> pa.Table:
    condition, found = predictions.conditions[row], predictions.per_condition[row]
    outputs, count = np.asarray(predictions.outputs), len(found.labels)
    applied = sorted({entry.name for entry in predictions.conditions})
    # An empty cell says that there is none; labels in its place would read as predictions that are all right.
    corrected = np.full(count, -1) if found.corrected is None else found.corrected
    rows = pa.table(
        {
            "sample_id": ids,
            "label": _named(outputs[found.labels], names),
            "perturbation": pa.DictionaryArray.from_arrays(
                np.full(count, applied.index(condition.name), np.int32), applied
            ),
            "severity": np.full(count, condition.severity, np.int16),
            "value": np.full(count, condition.value),
            "repeat": np.full(count, condition.repeat, np.int16),
            "predicted": _named(found.predicted, names),
            "corrected": _named(np.where(corrected < 0, -1, outputs[corrected]), names),
        }
    )
    return rows if found.seen is None else rows.filter(pa.array(found.seen))


def _named(outputs: NDArray[np.integer], names: Sequence[str]) -> pa.DictionaryArray:
    indices = pa.array(outputs.astype(np.int32), mask=outputs < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names, pa.string()))
