"""The data of a sweep: runs of one regularizer at several strengths and seeds, and the accuracy of each per class.

A sweep is read from a list of checkpoints (``run_list``) or a table of accuracies (``accuracy_table``). What both do
with strengths stands here: parse them, put them in order from mild to strong, and merge neighbors where there are too
many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cuesense.arrays import Bools, Floats, Ints
from cuesense.datasets.names import NameIndex, composed
from cuesense.errors import SettingsError, expected, unknown
from cuesense.sweeps.direction import ORDER_WORDS, Direction, choose_direction

Strength = float | str

UNNAMED = "regularizer"
# Names that an error lists. Chosen by hand, for reading.
_LISTED = 5
# Merging of neighbors: all four chosen by hand, not tuned. More strengths than 30 make the Bonferroni correction costly
# and a page hard to read. A few strengths of one run each are a sweep without repeated seeds, ten or more a sweep that
# draws its strengths. Five runs are what audits recommend for a strength (build_audit), and twenty groups are what
# benchmarks/audits.py times.
_MOST_STRENGTHS = 30
_FEWEST_SINGLES = 10
_MOST_GROUPS = 20
_RUNS_PER_GROUP = 5
# With one or two classes, runs may well agree in every class by chance. Chosen by hand; not tuned.
_FEWEST_CLASSES = 3


@dataclass(frozen=True)
class PerImagePredictions:
    """What every run predicted for every test image.

    Attributes:
        labels: Class of each of N images, (N,), in [0, C).
        predicted: Output that each of R runs predicted, (R, N), in [0, K).
        output_names: Names of the K outputs: the C classes first, then the models' other outputs.
        accepted: Whether each output is right for each image, (N, K); None where only its label is known.
    """

    labels: Ints
    predicted: NDArray[np.int32]
    output_names: tuple[str, ...]
    accepted: Bools | None = None


@dataclass(frozen=True)
class Sweep:
    """Runs that differ in the strength of one regularizer and in their seed.

    Attributes:
        regularizer: Its name.
        strengths: The S strengths, mild to strong.
        class_names: The C classes.
        strength_of: Index of each run's strength, (R,), in [0, S).
        seeds: Seed of each run, as text.
        accuracy: Share of each class's images that each of R runs recognizes, (R, C), in [0, 1]; NaN without images.
        images: Test images of each class in each run, (R, C).
        per_image: What the runs predicted for each image, where that is known.
        remarks: What the user should know of how the runs were read.
        direction: Which way the strengths run, and why; None where that is not known.
    """

    regularizer: str
    strengths: tuple[Strength, ...]
    class_names: tuple[str, ...]
    strength_of: Ints
    seeds: tuple[str, ...]
    accuracy: Floats
    images: Ints
    per_image: PerImagePredictions | None = None
    remarks: tuple[str, ...] = ()
    direction: Direction | None = None

    @property
    def runs(self) -> Ints:
        """Number of runs of each strength, (S,)."""
        return np.bincount(self.strength_of, minlength=len(self.strengths))

    @property
    def compared(self) -> Ints:
        """Indices of the strengths with two runs or more, or of all where none has two."""
        several = np.flatnonzero(self.runs > 1)
        return several if len(several) else np.arange(len(self.strengths))


def format_strength(strength: Strength) -> str:
    """Return a strength as text."""
    return f"{strength:g}" if isinstance(strength, float) else strength


def duplicate_run_remark(accuracy: Floats, strength_of: Ints, names: Sequence[str]) -> tuple[str, ...]:
    """Return a remark where runs of one strength agree in every class, as copies of one run would.

    Args:
        accuracy: Accuracies of R runs, (R, C).
        strength_of: Index of each run's strength, (R,).
        names: What to call each run.
    """
    # NaN is not equal to itself; classes without images must not make copies look different.
    rows = np.column_stack([strength_of, np.nan_to_num(accuracy)])
    first = np.unique(rows, axis=0, return_index=True)[1]
    again = sorted(set(range(len(rows))) - set(first.tolist()))
    if not again or accuracy.shape[1] < _FEWEST_CLASSES:
        return ()
    whose = f"{len(again)} of {len(rows)} runs have the accuracies of another run of their strength in every class,"
    return (f"{whose} such as '{names[again[0]]}': if they are copies, the variation over seeds is underestimated.",)


def unreadable_remark(read: int, images: int) -> tuple[str, ...]:
    """Return a remark where not all images could be read."""
    return () if read == images else (f"{images - read} of {images} images could not be read and were left out.",)


@dataclass(frozen=True)
class Run:
    """The strength and the seed of one run, as its table gives them."""

    strength: Strength
    seed: str


class Ordered(NamedTuple):
    """Strengths in order.

    Attributes:
        strengths: The S strengths, mild to strong.
        strength_of: Index of each run's strength, (R,), in [0, S).
        direction: Which way they run, and why.
    """

    strengths: tuple[Strength, ...]
    strength_of: Ints
    direction: Direction


def order_strengths(runs: Sequence[Run], regularizer: str | None, order: Sequence[str] | None) -> Ordered:
    """Put the strengths of runs in order, mild to strong.

    Args:
        runs: The R runs.
        regularizer: Its name, which decides which way numbers run (``direction.choose_direction``); None where it has
            none.
        order: All strengths, mild to strong, as text; or ``["rising"]`` or ``["falling"]``; or None.

    Returns:
        The strengths, and the index of each run's.

    Raises:
        SettingsError: There is one strength only, a strength comes twice with the same seed, strengths are not numbers
            and have no order, the order is not of these strengths, or the name does not decide which way numbers run.
    """
    _refuse_twice(runs)
    strengths = {run.strength for run in runs}
    if len(strengths) < 2:
        got = f"'{format_strength(runs[0].strength)}' alone"
        do = "Add runs of another strength, such as without the regularizer"
        raise SettingsError(expected("the runs", "of two strengths at least", got, do))
    _refuse_words(strengths, order)
    numbers = [strength for strength in strengths if isinstance(strength, float)]
    direction = choose_direction(regularizer, order, numbers)
    if direction.order == "given":
        ordered = _by_order(strengths, order or ())
    else:
        ordered = tuple(sorted(numbers, reverse=direction.order == "falling"))
    index_of = {strength: index for index, strength in enumerate(ordered)}
    return Ordered(ordered, np.array([index_of[run.strength] for run in runs], dtype=np.int64), direction)


def choose_regularizer(column: Iterable[object] | None, wanted: str | None, what: str) -> str:
    """Return the name of the regularizer that is audited.

    Args:
        column: The regularizer of every row, None where the table has no such column.
        wanted: The user's choice, or None.
        what: The table, as an error names it.

    Raises:
        SettingsError: The chosen one is not in the table, or there are several and none is chosen.
    """
    known = sorted({str(name) for name in column}) if column is not None else []
    if not known:
        return wanted or UNNAMED
    if wanted is None and len(known) > 1:
        do = f"Choose with --regularizer {known[0]}, one audit each"
        raise SettingsError(
            expected(what, "runs of one regularizer", f"{len(known)}: {', '.join(known[:_LISTED])}", do)
        )
    if wanted is None:
        return known[0]
    place = NameIndex(known).find(wanted, "--regularizer", SettingsError)
    if place is None:
        raise SettingsError(unknown(f"regularizer '{wanted}' in {what}", wanted, known))
    return known[place]


def parse_order(order: object) -> list[str] | None:
    """Return the names of strengths, mild to strong, from a list or from text with commas; None stays None.

    Raises:
        SettingsError: The order is neither.
    """
    if order is None:
        return None
    parts = order.split(",") if isinstance(order, str) else order
    if not isinstance(parts, Sequence):
        raise SettingsError(expected("--order", "strengths, mild to strong", repr(order), "Write none,mild,strong"))
    return [str(part).strip() for part in parts]


def parse_strength(text: object) -> Strength:
    """Return a strength as a number where it is one, else as text."""
    try:
        value = float(str(text))
    except ValueError:
        return composed(str(text).strip())
    # "nan" and "inf" parse as floats, but have no order among strengths that could be right.
    return value if np.isfinite(value) else str(text).strip()


def _refuse_twice(runs: Sequence[Run]) -> None:
    twice = [run for run, times in Counter(runs).items() if times > 1]
    if twice:
        first = f"strength {format_strength(twice[0].strength)} with seed {twice[0].seed}"
        got = f"{len(twice)} given twice, the first of them {first}"
        do = "Remove one of the two, or give it a seed of its own"
        raise SettingsError(expected("each strength and seed", "one run", got, do))


def _refuse_words(strengths: set[Strength], order: Sequence[str] | None) -> None:
    """Refuse strengths that are no numbers, unless all of them are listed in their order."""
    words = sorted(str(strength) for strength in strengths if isinstance(strength, str))
    if words and (order is None or (len(order) == 1 and order[0].casefold() in ORDER_WORDS)):
        do = "Name all strengths, mild to strong, with --order, for instance --order none,mild,strong"
        raise SettingsError(expected("the strengths", "numbers", f"'{words[0]}'", do))


def _by_order(strengths: set[Strength], order: Sequence[str]) -> tuple[Strength, ...]:
    known = {format_strength(strength): strength for strength in strengths}
    index, names = NameIndex(known), list(known)
    found_at = [
        index.find(format_strength(parse_strength(text)), "each name in --order", SettingsError) for text in order
    ]
    given = [
        parse_strength(text) if place is None else known[names[place]]
        for text, place in zip(order, found_at, strict=True)
    ]
    missing, more = (sorted(map(format_strength, left)) for left in (strengths - set(given), set(given) - strengths))
    twice = [text for text, times in Counter(map(format_strength, given)).items() if times > 1]
    kinds = ((missing, "missing"), (more, "that no run has"))
    problems = [f"{', '.join(names[:_LISTED])} {problem}" for names, problem in kinds]
    found = [text for text, names in zip(problems, (missing, more), strict=True) if names]
    found += [f"{twice[0]} given twice"] if twice else []
    if found:
        raise SettingsError(
            expected("--order", "rising, falling, or all strengths, mild to strong", found[0], "Change it")
        )
    return tuple(given)


def merge_neighbors(sweep: Sweep) -> Sweep:
    """Merge neighboring strengths where there are more than the runs can tell apart.

    A sweep that draws a new strength for every run has no two runs of one strength, from which to estimate how
    accuracies vary over seeds. Where there are more than 30 strengths, or ten or more of which none has two runs,
    neighbors are merged, five runs or more into a group and at most twenty groups; a group is named after the strength
    in its middle.

    Args:
        sweep: The sweep.

    Returns:
        The same runs with fewer strengths, or the sweep as it is.
    """
    count = len(sweep.strengths)
    if count <= _MOST_STRENGTHS and (count < _FEWEST_SINGLES or sweep.runs.max() > 1):
        return sweep
    groups = max(2, min(_MOST_GROUPS, len(sweep.seeds) // _RUNS_PER_GROUP))
    # Cut by the number of runs before the middle of a strength, so that groups hold equally many runs.
    before = np.cumsum(sweep.runs) - sweep.runs / 2
    group = np.unique((before * groups / len(sweep.seeds)).astype(np.int64), return_inverse=True)[1]
    members = [np.flatnonzero(group == index) for index in range(group.max() + 1)]
    remark = (
        f"{count} strengths were joined into {len(members)} groups of neighbors, named after the one in the middle."
    )
    return replace(
        sweep,
        strengths=tuple(sweep.strengths[int(own[len(own) // 2])] for own in members),
        strength_of=group[sweep.strength_of],
        remarks=(*sweep.remarks, remark),
    )
