"""What a reader says of a table file that it cannot read: one sentence, whatever a library raises."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pyarrow as pa

from cuesense.errors import CuesenseError, DatasetError, expected, first_line

# Bytes of memory that a table may announce before it is read, and bytes that a CSV file may have. A million images
# under thirty conditions are some 1 GB. Chosen by hand; not tuned.
LARGEST_TABLE = 2 * 1024**3

# All that pandas, pyarrow, csv and json raise for a damaged file (UnicodeDecodeError and ParserError are ValueErrors,
# RecursionError is a RuntimeError).
_RAISED = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    MemoryError,
    RuntimeError,
    csv.Error,
    pa.ArrowException,
)
_TOO_WIDE = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")
_UNCLOSED = re.compile(r"EOF inside string starting at row (\d+)")
_MEMORY = "more than this machine's memory"


@dataclass(frozen=True)
class TableFile:
    """A table that a user gave, and how sentences speak of it.

    Attributes:
        path: The file.
        what: What an error calls it, for instance ``"the table 'runs.csv'"``.
        columns: The columns that it must have.
        do: What to do where nothing more particular is known.
        error: What is raised.
    """

    path: Path
    what: str
    columns: tuple[str, ...]
    do: str
    error: type[CuesenseError] = DatasetError

    @property
    def is_csv(self) -> bool:
        """Whether the file's name ends in .csv."""
        return self.path.suffix.lower() == ".csv"

    def refuse(self, to_be: str, got: str, do: str | None = None) -> NoReturn:
        """Raise the error with the usual sentence.

        Args:
            to_be: What the file should have been.
            got: What it is instead.
            do: What the user can do; None takes the file's own advice.
        """
        raise self.error(expected(self.what, to_be, got, do or self.do)) from None

    def refuse_columns(self, found: list[str]) -> None:
        """Raise the error where a column is missing; the sentence lists those that are there."""
        missing = [name for name in self.columns if name not in found]
        if missing:
            shown = first_line(", ".join(found) or "none")
            got = f"no {' and no '.join(missing)} (its columns: {shown})"
            do = "Name the columns so, or add them"
            self.refuse(f"one with the columns {', '.join(self.columns)}", got, do)


@contextmanager
def reading(file: TableFile) -> Iterator[None]:
    """Turn what libraries raise while they read a file into the file's own error."""
    try:
        if file.path.is_dir():
            file.refuse("a file", "a folder", "Check the name")
        yield
    except CuesenseError:
        raise
    except _RAISED as error:
        got, do = _reason(error)
        if do is None and not file.is_csv and isinstance(error, pa.ArrowException | OSError) and not _of_system(error):
            got, do = f"a damaged file ({got})", "Save or copy it again"
        file.refuse("readable", got, do)


def _of_system(error: BaseException) -> bool:
    """Return whether the operating system says why; pyarrow raises OSError for what is wrong in a file as well."""
    return isinstance(error, OSError) and bool(error.strerror)


def _reason(error: BaseException) -> tuple[str, str | None]:
    """Return what went wrong, and what to do where that is known."""
    if isinstance(error, MemoryError | pa.ArrowMemoryError):
        return _MEMORY, "Split it, or write it again if it is damaged"
    if isinstance(error, OSError) and error.strerror:
        return f"'{error.strerror}'", None
    text = str(error)
    if found := _TOO_WIDE.search(text):
        got = f"{found[3]} cells in line {found[2]}, where lines before it have {found[1]}"
        return got, "Put quotes around cells with commas (also decimal commas), and name every column"
    if found := _UNCLOSED.search(text):
        return f"a quotation mark that is never closed, from row {int(found[1])} on", "Close it, or remove it"
    return f"'{first_line(error)}'", None
