"""The errors a user can meet, one sentence each: it names flags on the command line and arguments in Python."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

# What stands in backticks is a command to type, and what stands in quotes is what the user gave: both stay as they
# are. A quote after a letter is an apostrophe, and a flag after a slash is part of a path.
_KEPT_OR_FLAG = re.compile(r"`[^`]*`|(?<!\w)'[^']*'|(?<![\w/.-])--[a-z]+(?:-[a-z]+)*")
# The flags whose Python argument has another name, or a value that the flag alone stands for.
_ARGUMENTS = {
    "--allow-nondeterministic": "allow_nondeterministic=True",
    "--compile": "compile=True",
    "--download": "download=True",
    "--format": "library",
    "--from": "start",
    "--grouped": 'scope="grouped"',
    "--head": "head=True",
    "--no-compile": "compile=False",
    "--per-class": 'scope="per_class"',
    "--restart": "restart=True",
    "--train-size": "image_size",
}


# Parts that a sentence names before it counts the rest.
_LISTED_PARTS, _LISTED_IMAGES = 8, 5


class CuesenseError(Exception):
    """Base of every error that a user's input can cause; its text is one actionable sentence.

    Messages are written once, with flags. ``str(error)`` is what a Python program shows: it names the arguments of
    the public functions, such as ``image_size``.
    """

    @property
    def for_command_line(self) -> str:
        """The sentence that the command line prints: it names flags, such as ``--image-size``."""
        # Not super(): a KeyError among the bases would show the sentence in quotes.
        return Exception.__str__(self)

    def __str__(self) -> str:
        """Return the sentence with Python arguments in the place of flags."""
        return name_arguments(self.for_command_line)


class CuesenseWarning(UserWarning):
    """What a user of the library should know, and the result says too: what was assumed about the model or the images.

    ``warnings.filterwarnings("ignore", category=cuesense.CuesenseWarning)`` silences it.
    """


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Begin the sentence of an error with the one of several models that it is about, where it does not name it.

    Args:
        name: The model, as the user named it.
    """
    try:
        yield
    except CuesenseError as error:
        sentence = error.for_command_line
        # A short name such as "a" is a word of any sentence, unless it stands in quotes; what is written is no model.
        named = f"'{name}'" in sentence or (not name.isalnum() and name in sentence)
        if named or isinstance(error, OutputError):
            raise
        raise type(error)(f"In '{name}': {sentence}") from error


class ModelError(CuesenseError):
    """The model could not be loaded, does not fit its architecture, or gives unusable outputs."""


class DatasetError(CuesenseError):
    """The dataset is missing, empty, unreadable, or does not fit the model's classes."""


class SplitError(DatasetError):
    """The dataset has no such part (train, val, ...), or no parts at all."""


class SettingsError(CuesenseError):
    """An option, a preset or a name is unknown or out of range."""


class UnknownClassError(SettingsError, KeyError):
    """A class was asked for by a name that it does not have; also a KeyError, as of any mapping."""


class OutputError(CuesenseError):
    """The output folder cannot be written, or holds results of other settings."""


class UnfinishedError(CuesenseError):
    """A part of a run is done, and the profile waits for other parts.

    Attributes:
        parts: Numbers of the parts that lack something, rising.
    """

    def __init__(self, part: int, of: int, parts: Sequence[int], added: Sequence[str] = ()) -> None:
        """Say which part is done and which are not, and which images are new since the parts ran, where it is known."""
        missing = listed([str(number) for number in parts], _LISTED_PARTS)
        lacking = f"Part {missing} lacks" if len(parts) == 1 else f"Parts {missing} lack"
        do = f"Run {'it' if len(parts) == 1 else 'them'}, such as with --part {parts[0]}/{of}"
        since = ""
        if added:
            were = "1 image is" if len(added) == 1 else f"{len(added):,} images are"
            shown = listed([f"'{name}'" for name in added], _LISTED_IMAGES)
            since = f"; {were} to be analyzed now that the parts did not take ({shown})"
            do += ", or make the dataset again what it was"
        after = f"{do}; the part that ends last builds the profile."
        done = f"Part {part} of {of} is done. " if part else ""
        super().__init__(f"{done}{lacking} predictions{since}. {after}")
        self.parts = tuple(parts)


class UnreadableImageError(CuesenseError):
    """One image could not be decoded; the engine skips and counts it.

    Attributes:
        reason: Why, without naming the image.
    """

    def __init__(self, reason: str, image: str | None = None) -> None:
        """Say why, and which image, for instance ``"the image 'a.jpg'"``."""
        super().__init__(reason if image is None else f"Cannot read {image}: {reason}.")
        self.reason = reason


def argument_of(flag: str) -> str:
    """Return what a Python program writes for a flag.

    Args:
        flag: A flag of the command line, for instance ``"--image-size"``.

    Returns:
        An argument, for instance ``"image_size"``, or for some flags an argument with its value.
    """
    return _ARGUMENTS.get(flag, flag.removeprefix("--").replace("-", "_"))


def name_arguments(sentence: str) -> str:
    """Return a sentence that names Python arguments where it named flags.

    Args:
        sentence: Text with flags; those in backticks, in quotes and inside paths stay.

    Returns:
        The text with arguments.
    """

    def replaced(found: re.Match[str]) -> str:
        return argument_of(found[0]) if found[0].startswith("--") else found[0]

    return _KEPT_OR_FLAG.sub(replaced, sentence)


def expected(what: str, to_be: str, got: object, do: str) -> str:
    """Return the usual sentence of an error.

    Args:
        what: The thing that is wrong; an option by its flag, for instance ``"--mean"``.
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


def problem_of(try_it: Callable[[], object]) -> CuesenseError | None:
    """Return the error that a call raises, for an answer that names several; None where it raises none."""
    try:
        try_it()
    except CuesenseError as error:
        return error
    return None


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


def readable_name(identifier: str) -> str:
    """Return an identifier such as a perturbation's as words for a sentence, for instance ``"gaussian blur"``."""
    return identifier.replace("_", " ")


def listed(names: Sequence[str], limit: int) -> str:
    """Return the first names of a list in one line, and how many more there are.

    Args:
        names: The names.
        limit: How many are shown, at least 1.

    Returns:
        ``"a, b, c"``, or ``"a, b, c and 2 more"``.
    """
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
