"""Checks of numbers that a user gives; each raises one sentence that names the option by its flag.

``CuesenseError`` turns the flag into the Python argument where a program reads the sentence.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from cuesense.errors import SettingsError, expected

# Chosen by hand, far above the sizes that image classifiers take: a larger number is a slip of the keyboard, and a
# batch of such images would not fit into memory.
LARGEST_SIDE = 4096
# Chosen by hand: a smaller one is zero for practical purposes, and dividing by it gives logits that are not finite.
_SMALLEST_STD = 1e-6


def parse_channels(text: str | None, option: str) -> tuple[float, float, float] | None:
    """Parse ``"R,G,B"``, or one number for all three, into three numbers; None stays None.

    Args:
        text: What the user gave; each number may be a fraction such as ``1/255``.
        option: The option's name, for the error.

    Returns:
        Three floats, or None.

    Raises:
        SettingsError: There are not three numbers, or a standard deviation is not positive.
    """
    if text is None:
        return None
    parts = re.split(r"[,\s]+", text.strip())
    try:
        numbers = tuple(_number(part) for part in parts)
    except (ValueError, ZeroDivisionError):
        numbers = ()
    numbers *= 3 if len(numbers) == 1 else 1
    return check_channels(numbers, option, shown=text)


def _number(text: str) -> float:
    over, slash, under = text.partition("/")
    return float(over) / float(under) if slash else float(over)


def check_channels(numbers: Any, option: str, shown: object = None) -> tuple[float, float, float] | None:
    """Return three numbers as they are, or None for None.

    Args:
        numbers: What should be a triple in the order R, G, B: any sequence, array or tensor.
        option: The option's name, for the error; ``"--std"`` must be positive.
        shown: What the error shows as given, where it is not the numbers.

    Returns:
        Three floats, or None.

    Raises:
        SettingsError: There are not three finite numbers, or a standard deviation is not positive.
    """
    if numbers is None:
        return None
    try:
        sequence = [] if isinstance(numbers, str) else [float(number) for number in numbers]
    except (TypeError, ValueError, OverflowError):
        sequence = []
    finite = len(sequence) == 3 and all(math.isfinite(number) for number in sequence)
    if not finite or (option == "--std" and min(sequence) < _SMALLEST_STD):
        kind = "positive" if option == "--std" else "finite"
        got = repr(numbers) if shown is None else f"'{shown}'"
        to_be = f"three {kind} numbers R,G,B in [0, 1] units"
        raise SettingsError(expected(option, to_be, got, "Give three, for instance 0.5,0.5,0.5"))
    red, green, blue = sequence
    return red, green, blue


def check_fraction(value: float, option: str, low: float = 0.0, high: float = 1.0) -> None:
    """Raise SettingsError unless a number lies strictly between two others.

    Args:
        value: The number that was given.
        option: The option's flag, for the error.
        low: The number lies above this.
        high: The number lies below this.
    """
    if not is_number(value) or not low < value < high:
        raise SettingsError(expected(option, f"between {low:g} and {high:g}", repr(value), "Choose a number inside"))


def check_risk(value: float) -> None:
    """Raise SettingsError unless a number is a risk that a budget may have: above 0, at most 0.5.

    Args:
        value: The number that was given with ``--risk``.
    """
    if not is_number(value) or not 0 < value <= 0.5:
        raise SettingsError(expected("--risk", "above 0 and at most 0.5", repr(value), "Choose a number such as 0.2"))


def is_number(value: object) -> bool:
    """Return whether a value is a finite number of Python that may stand for a fraction."""
    # True is an int in Python, but as a fraction it is a mistake; the comparison is False for NaN and infinity.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def whole_number(number: int, option: str, lowest: int | None = 1, highest: int | None = None) -> int:
    """Return a whole number of an option, or raise SettingsError where it is none or out of range.

    Args:
        number: The number that was given, of Python or NumPy.
        option: The option's flag, for the error.
        lowest: The smallest number that is allowed; None allows all.
        highest: The largest number that is allowed; None allows all.

    Returns:
        The number as Python's int.
    """
    whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
    if whole and (lowest is None or number >= lowest) and (highest is None or number <= highest):
        return int(number)
    limits = (f" {word} {limit}" for word, limit in (("from", lowest), ("to", highest)) if limit is not None)
    raise SettingsError(expected(option, f"a whole number{''.join(limits)}", repr(number), "Change it"))


def path_of(given: object, option: str) -> Path:
    """Return the path that an option names, or raise SettingsError where it is neither a text nor a path.

    Args:
        given: What the user gave.
        option: The option's flag, for the error.
    """
    # Path("") is the current folder, which nobody names so.
    if not isinstance(given, (str, Path)) or not str(given):
        raise SettingsError(expected(option, "a path", repr(given), "Pass a text or a pathlib.Path"))
    return Path(given)


def names_of(given: object, option: str) -> tuple[str, ...]:
    """Return the names that an option lists, or raise SettingsError where they are no texts.

    Args:
        given: What the user gave: texts, or a single text, which is one name.
        option: The option's flag, for the error.
    """
    names = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Iterable) else (None,)
    texts = tuple(name for name in names if isinstance(name, str))
    if len(texts) < len(names):
        raise SettingsError(expected(option, "names", repr(given), "Pass a list of texts"))
    return texts
