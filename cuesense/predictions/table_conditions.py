"""The conditions of a table of predictions: its rows cut into conditions, and the images that all of them have."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cuesense.errors import listed
from cuesense.perturbations.ablations import EVERY_ABLATION, SHAM
from cuesense.predictions.table_columns import Coded, Indices, Rows

# Names that a message lists before it counts the rest.
LISTED = 5

# Conditions are paired while they share at least this part of the images: with fewer, more images are gained by
# independent samples than intervals lose by them. Chosen by hand; not tuned.
_MOSTLY_COMMON = 0.5
# A condition counts as one of the same images from this part on: a few unreadable files do not make it another sample.
# Chosen by hand; not tuned.
_NEARLY_ALL = 0.9
_NEEDED = frozenset(name for name, _ in (*EVERY_ABLATION, *SHAM.values()))


@dataclass(frozen=True)
class Block:
    """The rows of one condition.

    Attributes:
        perturbation: Name of the perturbation, ``"clean"`` for the clean condition.
        severity: Its severity as the table numbers it, 0 for the clean condition.
        repeat: Which repeat, from 0.
        rows: Indices of its rows, in the order of their samples.
    """

    perturbation: str
    severity: int
    repeat: int
    rows: Indices


def blocks_of(rows: Rows) -> list[Block]:
    """Cut the sorted rows at every change of condition, the clean condition first."""
    keys = np.stack([rows.perturbations.codes, rows.severities, rows.repeats])
    starts = np.flatnonzero(np.append(True, (keys[:, 1:] != keys[:, :-1]).any(axis=0)))
    parts = np.split(np.arange(keys.shape[1]), starts[1:])
    blocks = [
        Block(rows.perturbations.names[keys[0, part[0]]], int(keys[1, part[0]]), int(keys[2, part[0]]), part)
        for part in parts
    ]
    return sorted(blocks, key=lambda block: block.severity > 0)


def _complete(blocks: list[Block], rows: Rows, warnings: list[str]) -> list[Block]:
    """Leave out conditions that no answer about cues needs and that lack most of the clean images, or all of a class.

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
            also = f" (among them all of {listed([rows.labels.names[code] for code in np.flatnonzero(empty)], LISTED)})"
            warnings.append(
                f"Left out {block.perturbation} at severity {block.severity}, which lacks {int((~part).sum())} of "
                f"{len(part)} images{also if empty.any() else ''}."
            )
        else:
            kept.append(block)
    return kept


def aligned(blocks: list[Block], rows: Rows, warnings: list[str]) -> tuple[list[Block], bool]:
    """Keep the samples that every condition has, where those are most; else take conditions as unpaired."""
    samples = [rows.samples.codes[block.rows] for block in blocks]
    if all(np.array_equal(part, samples[0]) for part in samples):
        return blocks, True
    complete = _complete(blocks, rows, warnings)
    if len(complete) < len(blocks):
        return aligned(complete, rows, warnings)
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
    also = f" (among them all of {listed(sorted(lost), LISTED)})" if lost else ""
    warnings.append(
        f"Left out {len(every) - int(common.sum())} of {len(every)} images{also}, which some condition lacks; "
        f"{worst.perturbation} at severity {worst.severity} has fewest, {len(worst.rows)}."
    )
    kept = [replace(block, rows=block.rows[common[part]]) for block, part in zip(blocks, samples, strict=True)]
    return kept, True


def _names(labels: Coded, rows: Rows, samples: Indices) -> list[str]:
    """Return the labels of some samples."""
    return [labels.names[code] for code in np.unique(labels.codes[np.isin(rows.samples.codes, samples)])]
