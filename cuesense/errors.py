"""The errors a user can meet. The command line prints their one sentence and exits with code 2."""

import difflib
from collections.abc import Iterable, Sequence


class CuesenseError(Exception):
    """Base of every error that a user's input can cause; its text is one actionable sentence."""


class ModelError(CuesenseError):
    """The model could not be loaded, does not fit its architecture, or answers nonsense."""


class DatasetError(CuesenseError):
    """The dataset is missing, empty, unreadable, or does not fit the model's classes."""


class SettingsError(CuesenseError):
    """An option, a preset or a name is unknown or out of range."""


class OutputError(CuesenseError):
    """The output folder cannot be written, or holds results of other settings."""


class UnreadableImageError(CuesenseError):
    """One image could not be decoded; the engine skips and counts it.

    Attributes:
        reason: Why, without naming the image.
    """

    def __init__(self, reason: str, image: str | None = None) -> None:
        """Say why, and which image, for instance ``"the image 'a.jpg'"``."""
        super().__init__(reason if image is None else f"Cannot read {image}: {reason}.")
        self.reason = reason


def expected(what: str, to_be: str, got: object, do: str) -> str:
    """Return the house's error sentence.

    Args:
        what: The thing that is wrong, for instance ``"--mean"``.
        to_be: What it should have been.
        got: What came instead (and where).
        do: What the user can do now, as an imperative without a full stop, or the hint of ``nearest``.

    Returns:
        ``"Expected {what} to be {to_be}, but got {got}. {do}."``
    """
    return f"Expected {what} to be {to_be}, but got {got}. {_ended(do)}"


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return the sentence about a name that does not exist.

    Args:
        what: The thing and where it stands, with its name, for instance ``"preset 'standart'"``.
        name: The unknown name.
        known: The names that exist.

    Returns:
        ``"Unknown {what}. Did you mean 'x'?"``, or the same with a list of the names.
    """
    return f"Unknown {what}. {_ended(nearest(name, known))}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the closest known name, or lists the known ones.

    Args:
        name: The unknown name.
        known: The names that exist.

    Returns:
        ``"Did you mean 'x'?"`` where one is close, else ``"Choose one of a, b, c"``.
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"Did you mean '{close[0]}'?" if close else f"Choose one of {', '.join(names)}"


def first_line(text: object) -> str:
    """Return the first line of a text or an error, without its full stop and cut to 200 characters.

    Args:
        text: The text, or an error.

    Returns:
        The line, or the name of the type where there is no text.
    """
    lines = str(text).strip().splitlines()
    return lines[0].rstrip(".")[:200] if lines else type(text).__name__


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith("?") else f"{sentence}."


def listed(names: Sequence[str], limit: int) -> str:
    """Return some names in one phrase.

    Args:
        names: The names, at least one.
        limit: How many to spell out, at least 1.

    Returns:
        ``"a, b and 3 more"``, or all of them where there are no more than the limit.
    """
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
