"""Find out how a list of images is written: its separator, and whether its first line names the columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

SEPARATORS = (",", "\t", ";", "|")
# Lines that are looked at. Chosen by hand; not tuned.
_LINES = 50


@dataclass(frozen=True)
class Form:
    r"""How the cells of a text stand.

    Attributes:
        separator: One of SEPARATORS, or a blank, which separates the last cell of a line from the rest: a file name
            may hold blanks.
        header: Whether the first line names the columns.
        names: The names of the columns, ``"column 1"`` and so on where there is no header.
    """

    separator: str
    header: bool
    names: tuple[str, ...]


def sniff(text: str, is_heading: Callable[[str], bool], is_value: Callable[[str], bool]) -> Form:
    """Return how a text is written.

    Args:
        text: The beginning of the file; its last line may be cut off.
        is_heading: Whether a cell is the usual name of a column.
        is_value: Whether a cell is a value, such as the name of an image, so that its line is no header.
    """
    lines = [line for line in islice(text.splitlines(), _LINES + 1) if line.strip()]
    separator = _separator(lines, is_heading)
    first = split_line(lines[0], separator) if lines else []
    header = any(map(is_heading, first)) or not any(map(is_value, first))
    names = first if header else [f"column {place}" for place in range(1, len(first) + 1)]
    return Form(separator, header, tuple(names))


def split_line(line: str, separator: str) -> list[str]:
    """Return the cells of one line, without blanks around them."""
    if separator == " ":
        return line.rsplit(maxsplit=1)
    cells = next(csv.reader(io.StringIO(line), delimiter=separator, skipinitialspace=True), [])
    return [cell.strip() for cell in cells]


def _separator(lines: Sequence[str], is_heading: Callable[[str], bool]) -> str:
    """Return what separates the cells: what tells the most known headings apart, else what all lines have alike."""
    if not lines:
        return ","
    known = {mark: sum(map(is_heading, split_line(lines[0], mark))) for mark in (*SEPARATORS, " ")}
    best = max(known, key=known.__getitem__)
    if known[best] > 1:
        return best
    counts = {mark: {len(split_line(line, mark)) for line in lines[:_LINES]} for mark in SEPARATORS}
    alike = [mark for mark in SEPARATORS if len(counts[mark]) == 1 and min(counts[mark]) > 1]
    if alike:
        return alike[0]
    several = [mark for mark in SEPARATORS if min(counts[mark]) > 1]
    if several:
        return several[0]
    # A line without a blank among many with one is a mistake, which is named when the lines are read.
    return " " if 2 * sum(len(line.split()) > 1 for line in lines) > len(lines) else ","
