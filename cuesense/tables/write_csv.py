"""Write a CSV file that a spreadsheet program can open without running what stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cuesense.tables.escape import escape_cell

if TYPE_CHECKING:
    import pandas as pd


def csv_text(frame: pd.DataFrame) -> str:
    """Return a table as the text of a CSV file, with commas, a header and Unix line ends.

    Args:
        frame: The table; an index with a name becomes the first column.

    Returns:
        The text, in which names that a spreadsheet would take for formulas, or that hold control characters, are
        escaped (``escape.escape_cell``). Numbers stay numbers.
    """
    shown = frame if frame.index.name is None else frame.reset_index()
    text = shown.select_dtypes(exclude=["number", "bool"]).columns
    shown = shown.assign(**{name: shown[name].map(_escaped) for name in text}).rename(columns=_escaped)
    written: str = shown.to_csv(index=False, lineterminator="\n")
    return written


def _escaped(value: Any) -> Any:
    return escape_cell(value) if isinstance(value, str) else value
