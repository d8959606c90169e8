"""Cues of several classes together, where one has too few images: shares of verdicts, with shrinkage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cuesense.arrays import Floats
from cuesense.datasets.names import NameIndex, composed, loose_key
from cuesense.errors import SettingsError, expected
from cuesense.tables.boundary import TableFile
from cuesense.tables.read_csv import read_csv
from cuesense.types import CueVerdict, Interval

ALL = "all classes"
# Draws of the shares, of which the first are left out: 500 keep the quantiles within a few hundredths. Chosen by hand;
# not tuned.
_DRAWS = 600
_BURN_IN = 100
# Parameter of the Dirichlet prior for each verdict: Jeffreys' prior of a multinomial distribution (docs/method.md).
_PRIOR = 0.5
# Share that the most common verdict must certainly exceed to be the group's: most of its classes.
_MAJORITY = 0.5


@dataclass(frozen=True)
class GroupCues:
    """What the classes of a group rely on.

    Attributes:
        name: The group's name.
        classes: Indices of its classes.
        cue: The cue of most of its classes, with confidence, else undetermined.
        shares: Estimated share of each verdict among its classes, with its interval.
        members: Per class of the group, its cue in the light of the others, else undetermined.
    """

    name: str
    classes: tuple[int, ...]
    cue: CueVerdict
    shares: dict[CueVerdict, Interval]
    members: dict[int, CueVerdict]


def group_cues(
    name: str,
    classes: Sequence[int],
    verdicts: Sequence[CueVerdict],
    likely: Floats,
    confidence: float,
    certain: Floats,
) -> GroupCues:
    """Estimate the shares of the verdicts among some classes, and shrink each class toward them.

    The shares have a Dirichlet prior with parameters of 1/2 and every class is one draw from them, seen through its
    own images: 500 draws by data augmentation (Tanner, Wong 1987, JASA 82:528) with a fixed seed.

    Args:
        name: The group's name.
        classes: Indices of the classes whose evidence counts.
        verdicts: The L verdicts.
        likely: Probability of each verdict for every class under equal shares, shape (L, C).
        confidence: Level of the intervals, in (0, 1).
        certain: The probability from which on each class gets its verdict, (C,).

    Returns:
        The cues of the group; without shares where the group has no classes.
    """
    if not classes:
        return GroupCues(name, (), CueVerdict.UNDETERMINED, {}, {})
    shares, shrunk = _sampled(likely[:, list(classes)])
    low, high = np.quantile(shares, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    most = int(np.argmax(shares.mean(axis=0)))
    best = np.argmax(shrunk, axis=0)
    sure = shrunk.max(axis=0) >= certain[list(classes)]
    return GroupCues(
        name=name,
        classes=tuple(classes),
        cue=verdicts[most] if low[most] > _MAJORITY else CueVerdict.UNDETERMINED,
        shares={
            verdict: Interval(float(shares[:, row].mean()), float(low[row]), float(high[row]))
            for row, verdict in enumerate(verdicts)
        },
        members={
            index: verdicts[best[column]] if sure[column] else CueVerdict.UNDETERMINED
            for column, index in enumerate(classes)
        },
    )


def _sampled(likely: Floats) -> tuple[Floats, Floats]:
    """Return draws of the shares, (D, L), and every class's mean probabilities given them, (L, C)."""
    rng = np.random.default_rng(0)
    verdicts, classes = likely.shape
    shares, draws, total = np.full(verdicts, 1 / verdicts), [], np.zeros_like(likely)
    for draw in range(_DRAWS):
        weight = shares[:, None] * likely
        weight /= weight.sum(axis=0)
        chosen = (rng.random(classes) > np.cumsum(weight, axis=0)).sum(axis=0).clip(max=verdicts - 1)
        shares = rng.dirichlet(_PRIOR + np.bincount(chosen, minlength=verdicts))
        if draw >= _BURN_IN:
            draws.append(shares)
            total += weight
    return np.array(draws), total / len(draws)


def read_groups(path: Path, class_names: Sequence[str]) -> dict[str, list[int]]:
    """Read which classes belong together.

    Args:
        path: A UTF-8 CSV file with the columns ``class`` and ``group``; a class may be in several groups or in none.
        class_names: Names of the C classes.

    Returns:
        Indices of the classes of every group, in the order of the file.

    Raises:
        SettingsError: The file cannot be read, lacks a column or names an unknown class.
    """
    do = "Write one row per class and group"
    file = TableFile(path, f"--groups '{path}'", ("class", "group"), do, SettingsError)
    table = read_csv(file, keep=file.columns).fillna("")
    if table.empty:
        file.refuse("a table with the columns class and group", "no rows")
    return _indexed(list(zip(table["class"], table["group"], strict=True)), path, class_names)


def _indexed(rows: Sequence[tuple[str, str]], path: Path, class_names: Sequence[str]) -> dict[str, list[int]]:
    index = NameIndex(class_names)
    groups: dict[str, list[int]] = {}
    for number, cells in enumerate(rows, start=2):
        name, group = (composed(cell.strip()) for cell in cells)
        _check_group(group, groups, path, number)
        what = f"each class of --groups '{path}'"
        place = index.find(name, what, SettingsError)
        if place is None:
            to_be = "one of the dataset's classes"
            do = "Correct it or remove the row"
            raise SettingsError(expected(what, to_be, f"'{name}'", do))
        members = groups.setdefault(group, [])
        if place not in members:
            members.append(place)
    return groups


def _check_group(group: str, known: Iterable[str], path: Path, line: int) -> None:
    """Refuse a group without a name, with that of all classes, or with one that differs from another's in case."""
    if not group or loose_key(group) == ALL:
        do = "Give it another name, or remove the line"
        found = f"'{group}' in line {line}"
        raise SettingsError(expected(f"each group of --groups '{path}'", f"a name other than '{ALL}'", found, do))
    alike = [name for name in known if name != group and loose_key(name) == loose_key(group)]
    if alike:
        found = f"'{alike[0]}' and '{group}' (line {line})"
        what, to_be = f"each group of --groups '{path}'", "spelled in one way"
        raise SettingsError(expected(what, to_be, found, "Spell it alike everywhere, or rename one of the two"))
