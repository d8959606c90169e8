"""Numbers, names and lists as text, formatted in one way on every page and in every terminal table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from unicodedata import category

from cuesense.errors import readable_name as readable_name
from cuesense.types import CueVerdict

# An en dash stands for a number that is unknown: it is narrow, and no cell can be mistaken for a forgotten one.
DASH = "–"

# Every cue has its own letter, so that charts and tables can be read without telling colors apart (WCAG 2.2, 1.4.1).
CUE_LETTERS = {cue: cue.value[0].upper() for cue in CueVerdict} | {CueVerdict.UNDETERMINED: "?"}

# U+2212: as wide as a digit, and unlike a hyphen no browser breaks a line after it.
_MINUS = "\N{MINUS SIGN}"

# The bidirectional embeddings, overrides and isolates of Unicode Annex 9. They can make the text after a name read
# backwards; they are format characters (Cf), and other characters of that category belong to real words (joiners).
_BIDIRECTIONAL = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def css_class(cue: CueVerdict) -> str:
    """Return the class by which style sheets color a cue, for instance ``"fine-detail"``: a blank would make two."""
    return cue.value.replace(" ", "-")


def printable(name: str) -> str:
    """Return a name without characters that command a terminal or reverse text; each becomes U+FFFD.

    Args:
        name: Any text from outside: a class, a file, a regularizer.
    """
    return "".join("\ufffd" if category(letter) == "Cc" or letter in _BIDIRECTIONAL else letter for letter in name)


def quoted(name: str) -> str:
    """Return a name from outside in quotes, printable: a class may be called "none", or "in the worst class"."""
    return f"'{printable(name)}'"


def fixed(number: float, digits: int) -> str:
    """Return a number with so many decimals and a real minus sign; what rounds to zero has no sign.

    Exact ties go to the even digit, as in Python's format.
    """
    return f"{number:z.{digits}f}".replace("-", _MINUS)


def two_decimals(number: float | None) -> str:
    """Return a number with two decimals, a dash for None."""
    return DASH if number is None else fixed(number, 2)


def percent(share: float | None) -> str:
    """Return a share in [0, 1] as a percentage with one decimal, a dash for None."""
    return DASH if share is None else f"{fixed(100 * share, 1)}\N{NO-BREAK SPACE}%"


def points(difference: float | None) -> str:
    """Return a difference of two shares in percentage points without the unit, a dash for None."""
    return DASH if difference is None else fixed(100 * difference, 1)


def signed(difference: float) -> str:
    """Return a difference of two shares in percentage points with its sign, for instance ``"+1.2"``."""
    text = points(difference)
    return text if text.startswith("\N{MINUS SIGN}") else f"+{text}"


def points_with_unit(difference: float | None) -> str:
    """Return a difference of two shares in percentage points, for instance ``"5.0 pp"``; a dash for None."""
    return DASH if difference is None else f"{points(difference)}\N{NO-BREAK SPACE}pp"


def bracketed(low: float | None, high: float | None, number: Callable[[float], str]) -> str:
    """Return an interval, for instance ``"[0.70, 0.90]"``; nothing where a bound is unknown.

    Args:
        low: The lower bound, or None.
        high: The upper bound, or None.
        number: How a bound is written.
    """
    return "" if low is None or high is None else f"[{number(low)}, {number(high)}]"


def with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """Return an estimate and its interval with two decimals, for instance ``"0.82 [0.70, 0.90]"``.

    Args:
        value: The estimate; None becomes a dash.
        low: The lower bound; the interval is left out where one bound is None.
        high: The upper bound.
    """
    return f"{two_decimals(value)} {bracketed(low, high, two_decimals)}".rstrip()


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, for instance ``"1 run"`` or ``"1,000 classes"``."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def listed(items: Sequence[str], most: int) -> str:
    """Return items with commas; where there are more than ``most``, the first of them and how many more."""
    more = f" and {len(items) - most:,} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
