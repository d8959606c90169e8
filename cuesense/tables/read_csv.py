"""Read a CSV file: every mistake in its form is named in one sentence."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING
from warnings import catch_warnings, simplefilter

from cuesense.tables.boundary import TableFile, reading
from cuesense.tables.escape import unescape_cell
from cuesense.tables.kinds import LONGEST_CELL, check_text, header_of
from cuesense.tables.sniff import Form

if TYPE_CHECKING:
    import pandas as pd


def read_csv(file: TableFile, *, numbers: Collection[str] = (), keep: Collection[str] | None = None) -> pd.DataFrame:
    """Read a CSV file with a header.

    Blanks after commas and around names of columns, a byte order mark, quotes and empty lines are read as what they
    mean. Cells are text, without the apostrophe by which ``write_csv`` escapes some. An empty cell is NaN.

    Args:
        file: The table.
        numbers: Columns that hold numbers; a column that holds anything else stays text.
        keep: Columns to return; None returns all.

    Returns:
        The rows, in the order of the file, with a RangeIndex.

    Raises:
        CuesenseError: The file's own error: it cannot be read, is of another kind, is not UTF-8, is not separated by
            commas, lacks a column, or has rows with more cells than the header.
    """
    with reading(file):
        apostrophe = check_text(file)
        form = Form(",", header=True, names=tuple(header_of(file)))
        return read_cells(file, form, apostrophe=apostrophe, numbers=numbers, keep=keep)


def read_cells(
    file: TableFile,
    form: Form,
    *,
    apostrophe: bool,
    numbers: Collection[str] = (),
    keep: Collection[str] | None = None,
) -> pd.DataFrame:
    """Read the cells of a file whose text was checked and whose form is known; the rest as for ``read_csv``.

    Args:
        file: The table.
        form: Its separator, and the names of its columns.
        apostrophe: Whether cells may be escaped.
        numbers: Columns that hold numbers.
        keep: Columns to return; None returns all.
    """
    import pandas as pd

    named = [name for name in form.names if name]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        file.refuse("one with distinct columns", f"{twice} twice", "Remove one")
    wanted = [name for name in named if keep is None or name in keep]
    with catch_warnings():
        # With fewer names than cells pandas takes the first cells for row names, and cuts others with a warning.
        simplefilter("error", pd.errors.ParserWarning)
        try:
            table = pd.read_csv(
                file.path,
                sep=form.separator,
                names=[name or f"unnamed {place}" for place, name in enumerate(form.names)],
                header=0 if form.header else None,
                index_col=False,
                dtype={name: str for name in wanted if name not in numbers},
                keep_default_na=False,
                na_values=[""],
                skipinitialspace=True,
                encoding="utf-8-sig",
                low_memory=False,
            )
        except pd.errors.ParserWarning:
            do = "Put quotes around cells with commas (also decimal commas), and name every column"
            file.refuse("as wide as its header", "rows with more cells than the header", do)
    table = table[wanted]
    texts = [name for name in wanted if name not in numbers]
    for name in texts:
        _check_cells(file, table[name])
    if apostrophe:
        table = table.assign(**{name: table[name].map(unescape_cell, na_action="ignore") for name in texts})
    return table


def _check_cells(file: TableFile, column: pd.Series) -> None:
    """Refuse a cell of several lines, or a very long one: a quotation mark that is not closed swallows rows."""
    long = column.str.len() > LONGEST_CELL
    wrong = long | column.str.contains("[\n\r]", na=False)
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        kind = f"of more than {LONGEST_CELL:,} characters" if long.iloc[row] else "of several lines"
        got = f"a cell {kind} in the column {column.name} (row {row + 1})"
        file.refuse("one with one value a cell", got, "Check the quotation marks in that row and the one before")
