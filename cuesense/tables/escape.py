r"""Text in cells of CSV files: what a spreadsheet would take for a formula, and characters that command a terminal.

A cell that begins with ``=``, ``+``, ``-`` or ``@``, with a tab or a line break, is a formula to spreadsheet programs,
which may run programs or send data (CSV injection, CWE-1236). OWASP's rule is a leading apostrophe, which a spreadsheet
takes for "this is text". Control characters are written as ``\x1b``; the cell then begins with an apostrophe as well,
and a backslash in it is doubled. Reading takes both back, so that names stay as they are.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Also behind blanks and apostrophes: programs skip blanks, and an apostrophe of the name's own must not be taken for
# the one that is added. The last four are the full-width forms, which programs for Japanese and Chinese accept.
_FORMULA = re.compile("[\\s']*[=+\\-@\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_WRITTEN = re.compile(r"\\x(?:[0189][0-9a-f]|7f)")
_BACK = re.compile(r"\\(?:\\|x([0-9a-f]{2}))")


# The same names stand in many rows.
@lru_cache(maxsize=2**16)
def escape_cell(text: str) -> str:
    """Return a text as it is written into a CSV file; numbers such as -0.05 stay as they are.

    Args:
        text: A class name or another text from outside.
    """
    if _CONTROL.search(text) or _WRITTEN.search(text):
        return "'" + _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text.replace("\\", "\\\\"))
    return "'" + text if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def unescape_cell(cell: str) -> str:
    """Return the text that ``escape_cell`` wrote as this cell; cells that it did not change are returned as they are.

    Args:
        cell: A cell of a CSV file.
    """
    if not cell.startswith("'"):
        return cell
    text = cell[1:]
    if _WRITTEN.search(text):
        return _BACK.sub(lambda found: chr(int(found[1], 16)) if found[1] else "\\", text)
    return text if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else cell
