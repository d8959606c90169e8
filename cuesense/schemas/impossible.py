"""What no document can say: lists of unequal lengths, counts below 0, shares above 1, bounds in the wrong order.

A check is an iterator of clauses, each of which says what stands where: ``"3 numbers in 'curves.0.n', where there are
4 classes"``. The first clause becomes the sentence; a document without a clause is possible.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cuesense.schemas.base import Estimate
from cuesense.schemas.json_text import quoted

# Above any set of images; larger counts are mistakes and would overflow integers in sums over classes.
MOST_IMAGES = 10**9
# Bounds are rounded to six digits in places, and a share of 1 may be written as 1.0000000000000002.
ROUNDING = 1e-6


def lengths(field: str, values: Sequence[object] | None, wanted: int, what: str) -> Iterator[str]:
    """Yield a clause where a list has another length than what it goes with.

    Args:
        field: Name of the field.
        values: The list; None where it may be missing.
        wanted: The right length.
        what: What there are so many of, such as ``"classes"``.
    """
    if values is not None and len(values) != wanted:
        yield f"{len(values)} values in '{field}', where there are {wanted} {what}"


def outside(
    field: str, values: Sequence[float | None], low: float, high: float, *, rounding: float = ROUNDING
) -> Iterator[str]:
    """Yield a clause for every number that is out of its range; None is a number that is not known."""
    for value in values:
        if value is not None and not low - rounding <= value <= high + rounding:
            yield f"{value:g} in '{field}', which goes from {low:g} to {high:g}"


def shares(field: str, *values: float | None) -> Iterator[str]:
    """Yield a clause for every number outside [0, 1]."""
    yield from outside(field, values, 0, 1)


def counts(field: str, values: Sequence[int], most: Sequence[int] | int = MOST_IMAGES) -> Iterator[str]:
    """Yield a clause for every count below 0 or above what it is a part of.

    Args:
        field: Name of the field.
        values: The counts.
        most: What each may be at most, or all of them.
    """
    limits = [most] * len(values) if isinstance(most, int) else most
    for value, limit in zip(values, limits, strict=True):
        if not 0 <= value <= limit:
            yield f"{value} in '{field}', which goes from 0 to {limit}"


def disordered(field: str, found: Estimate) -> Iterator[str]:
    """Yield a clause where the lower bound of an estimate is above the upper one."""
    if found.low is not None and found.high is not None and found.low > found.high + ROUNDING:
        yield f"a lower bound above the upper one in '{field}'"


def open_fraction(field: str, value: float, low: float = 0) -> Iterator[str]:
    """Yield a clause where a number is not strictly between a lower limit and 1."""
    if not low < value < 1:
        yield f"{value:g} in '{field}', which lies between {low:g} and 1"


def strangers(field: str, names: Sequence[str], known: set[str], what: str) -> Iterator[str]:
    """Yield a clause for every name that is none of the known ones, such as ``"class"``es."""
    for name in names:
        if name not in known:
            yield f"the unknown {what} {quoted(name)} in '{field}'"


def repeated(field: str, values: Sequence[object]) -> Iterator[str]:
    """Yield a clause where a value that should be distinct comes twice."""
    seen: set[object] = set()
    for value in values:
        if value in seen:
            yield f"{quoted(str(value))} twice in '{field}'"
        seen.add(value)
